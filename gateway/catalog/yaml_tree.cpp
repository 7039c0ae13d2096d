#include "gateway/catalog/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <unordered_set>
#include <utility>

#include "gateway/catalog/utf8.h"

namespace fettle::catalog {
namespace {

// A fault found while the tree grows; ends the parse.
struct Fault {
  std::size_t offset = 0;
  std::string message;
};

bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool leaves_open(std::string_view text) {
  return std::count(text.begin(), text.end(), '(') > std::count(text.begin(), text.end(), ')');
}

// yaml-cpp's words, in ours.
std::string explain(const std::string& message, std::string_view text, std::size_t offset) {
  const std::size_t line = offset == 0 ? 0 : text.rfind('\n', offset - 1) + 1;
  const std::string_view indentation = text.substr(line, text.find_first_not_of(" \t", line) - line);
  if (indentation.find('\t') != std::string_view::npos) {
    return "a tab stands in the indentation; YAML allows blanks only: replace the tab by blanks";
  }
  if (message == "illegal map value") {
    return "not YAML: a second \": \" on the line, or a line indented deeper than its neighbours; put the text in "
           "quotes "
           "or align the keys";
  }
  if (message == "unknown token") {
    return "not YAML: a plain text may not begin with this character; put the text in quotes";
  }
  if (message == "the referenced anchor is not defined") {
    return "not YAML: the alias (*name) names no anchor (&name) above it";
  }
  if (message == "end of map not found") {
    return "not YAML: expected another key of the map; check the indentation";
  }
  if (message == "end of sequence not found") {
    return "not YAML: expected another \"- \" of the list; check the indentation";
  }
  if (message == "end of map flow not found") return "not YAML: expected , or } ; is a brace not closed?";
  if (message == "end of sequence flow not found") return "not YAML: expected , or ] ; is a bracket not closed?";
  return "not YAML: " + message;
}

}  // namespace

// Turns yaml-cpp's events into nodes.
class TreeBuilder : public YAML::EventHandler {
 public:
  explicit TreeBuilder(YamlFile& file) : file_(file) {}

  const YamlNode* root() const { return root_; }

  void OnDocumentStart(const YAML::Mark&) override {
    open_.clear();
    anchors_.clear();
    root_ = nullptr;
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (!open_.empty() && std::exchange(open_.back().continued, false)) return;
    put(make(YamlNode::Kind::null, offset_of(mark)), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    require_no_text(offset_of(mark));
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Fault{offset_of(mark), "the alias names no anchor above it"};
    for (const Open& open : open_) {
      if (open.node == found->second)
        throw Fault{offset_of(mark), "the alias stands for something that it is a part of"};
    }
    attach(found->second, offset_of(mark));
  }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& value) override {
    require_no_text(offset_of(mark));
    const std::size_t offset = first_character(offset_of(mark));
    const bool quoted = offset > 0 && (file_.text_[offset - 1] == '"' || file_.text_[offset - 1] == '\'');
    if (continues(value, offset, quoted)) return;
    YamlNode& node = make(YamlNode::Kind::scalar, offset);
    node.text = value;
    const bool is_value = !open_.empty() && open_.back().style == YAML::EmitterStyle::Flow &&
                          (open_.back().node->kind == YamlNode::Kind::sequence || open_.back().key != nullptr);
    put(node, anchor);
    if (is_value && !quoted && leaves_open(value)) open_.back().unclosed = &node;
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(YamlNode::Kind::sequence, mark, anchor, style);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(YamlNode::Kind::map, mark, anchor, style);
  }
  void OnMapEnd() override { close(); }

 private:
  // A sequence or map whose end has not come.
  struct Open {
    YamlNode* node = nullptr;
    YAML::EmitterStyle::value style = YAML::EmitterStyle::Default;
    const YamlNode* key = nullptr;  // of a map: read, its value not yet
    std::unordered_set<std::string> keys;
    YamlNode* unclosed = nullptr;  // the newest plain text of a {} or [], where it opens a ( that it does not close
    bool continued = false;        // of a map: what looked like a key was a part of `unclosed`
  };

  // YAML ends a plain text within {} and [] at a comma. One between round brackets belongs to the text all the same, so
  // that {temperature: constant(20 degC, 3d, every 5m)} needs no quotes. True where `piece` was such a part.
  bool continues(const std::string& piece, std::size_t offset, bool quoted) {
    if (open_.empty() || open_.back().unclosed == nullptr || open_.back().key != nullptr) return false;
    Open& parent = open_.back();
    std::string& text = parent.unclosed->text;
    const std::size_t begin = quoted ? offset - 1 : offset;
    text += begin > 0 && blank(file_.text_[begin - 1]) ? ", " : ",";
    text += quoted ? '"' + piece + '"' : piece;
    if (!leaves_open(text)) parent.unclosed = nullptr;
    parent.continued = parent.node->kind == YamlNode::Kind::map;
    return true;
  }

  // A part of a text has no value of its own.
  void require_no_text(std::size_t offset) const {
    if (open_.empty() || !open_.back().continued) return;
    throw Fault{offset,
                "a value stands here within a text that opens a ( and does not close it; close it, or put the "
                "text in quotes"};
  }

  // yaml-cpp counts columns in bytes.
  std::size_t offset_of(const YAML::Mark& mark) const {
    const auto line = static_cast<std::size_t>(std::max(mark.line, 0));
    if (line >= file_.line_starts_.size()) return file_.text_.size();
    const std::size_t offset = file_.line_starts_[line] + static_cast<std::size_t>(std::max(mark.column, 0));
    return std::min(offset, file_.text_.size());
  }

  // Counts on from the node before where that stood on the same line: a line may hold a list of thousands.
  rules::Position position_of(std::size_t offset) {
    const std::string_view text = file_.text_;
    const bool further = offset >= last_offset_ && last_at_.line > 0;
    const std::string_view between = further ? text.substr(last_offset_, offset - last_offset_) : std::string_view();
    if (further && between.find('\n') == std::string_view::npos) {
      last_at_.column += static_cast<int>(characters(between));
    } else {
      last_at_ = file_.position_at(offset);
    }
    last_offset_ = offset;
    return last_at_;
  }

  YamlNode& make(YamlNode::Kind kind, std::size_t offset) {
    YamlNode& node = file_.nodes_.emplace_back();
    node.kind = kind;
    node.source_offset = offset;
    node.at = position_of(offset);
    return node;
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor, YAML::EmitterStyle::value style) {
    const std::size_t offset = offset_of(mark);
    require_no_text(offset);
    if (open_.size() >= kMaxDepth) {
      throw Fault{offset,
                  "nested deeper than " + std::to_string(kMaxDepth) + " levels; a catalog needs fewer than ten"};
    }
    YamlNode& node = make(kind, offset);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
    open_.push_back({&node, style, nullptr, {}, nullptr, false});
  }

  void close() {
    const YamlNode* node = open_.back().node;
    open_.pop_back();
    attach(node, node->source_offset);
  }

  void put(YamlNode& node, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) anchors_[anchor] = &node;
    attach(&node, node.source_offset);
  }

  void attach(const YamlNode* node, std::size_t offset) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Open& parent = open_.back();
    if (parent.node->kind == YamlNode::Kind::sequence) {
      parent.node->items.push_back(node);
    } else if (parent.key == nullptr) {
      take_key(parent, node, offset);
    } else {
      parent.node->members.push_back({parent.key->text, parent.key->at, node});
      parent.key = nullptr;
    }
    parent.node->weight += node->weight;
    if (parent.node->weight > kMaxNodes) {
      throw Fault{offset, "the document holds more than " + std::to_string(kMaxNodes) + " values, aliases expanded"};
    }
  }

  static void take_key(Open& map, const YamlNode* key, std::size_t offset) {
    if (key->kind != YamlNode::Kind::scalar) throw Fault{offset, "a key must be a text, not a list or a map"};
    if (key->text == "<<") {
      throw Fault{offset, "merge keys (<<) are not a part of YAML 1.2 and not read here; repeat the keys"};
    }
    if (!map.keys.insert(key->text).second) {
      throw Fault{offset, "the key \"" + key->text + "\" stands twice in this map; remove one of the two"};
    }
    map.key = key;
  }

  // A mark names the place of a scalar's anchor or tag, quote or block sign; its text begins behind those.
  std::size_t first_character(std::size_t offset) const {
    const std::string& text = file_.text_;
    while (offset < text.size() && (text[offset] == '&' || text[offset] == '!')) {
      while (offset < text.size() && !blank(text[offset])) ++offset;
      while (offset < text.size() && blank(text[offset])) ++offset;
    }
    if (offset >= text.size()) return text.size();
    if (text[offset] == '"' || text[offset] == '\'') {
      require_closing_quote(offset);
      return offset + 1;
    }
    if (text[offset] != '|' && text[offset] != '>') return offset;
    const std::size_t line_end = text.find('\n', offset);
    if (line_end == std::string::npos) return offset;
    const std::size_t content = text.find_first_not_of(" \t\r\n", line_end);
    return content == std::string::npos ? offset : content;
  }

  // yaml-cpp takes the end of the file for a missing quote.
  void require_closing_quote(std::size_t offset) const {
    const std::string& text = file_.text_;
    const char quote = text[offset];
    for (std::size_t i = offset + 1; i < text.size(); ++i) {
      if (text[i] == '\\' && quote == '"') {
        ++i;
      } else if (text[i] == quote) {
        if (quote == '"' || i + 1 >= text.size() || text[i + 1] != quote) return;
        ++i;
      }
    }
    throw Fault{offset, std::string("the text that this ") + quote + " opens is never closed"};
  }

  YamlFile& file_;
  const YamlNode* root_ = nullptr;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, const YamlNode*> anchors_;
  std::size_t last_offset_ = 0;
  rules::Position last_at_{0, 0};
};

const YamlNode::Member* YamlNode::member(std::string_view key) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const Member& m) { return m.key == key; });
  return found == members.end() ? nullptr : &*found;
}

const YamlNode* YamlNode::find(std::string_view key) const {
  const Member* found = member(key);
  return found == nullptr ? nullptr : found->value;
}

bool YamlFile::readable(Diagnostics& diagnostics) {
  if (text_.size() > kMaxFileBytes) {
    diagnostics.add(name_, {1, 1},
                    "the file has " + std::to_string(text_.size()) + " bytes; at most " +
                        std::to_string(kMaxFileBytes) + " are read: split it into several files");
    return false;
  }
  if (const auto fault = first_bad_character(text_)) {
    diagnostics.add(name_, position_at(fault->offset), fault->message);
    return false;
  }
  return true;
}

bool YamlFile::parse(Diagnostics& diagnostics) {
  if (text_.starts_with("\xEF\xBB\xBF")) text_.erase(0, 3);  // a byte-order mark says nothing in UTF-8
  line_starts_ = {0};
  for (std::size_t i = text_.find('\n'); i != std::string::npos; i = text_.find('\n', i + 1)) {
    line_starts_.push_back(i + 1);
  }
  if (!readable(diagnostics)) return false;
  TreeBuilder builder(*this);
  try {
    std::istringstream in(text_);
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) {
      if (builder.root() != nullptr) documents_.push_back(builder.root());
    }
    return true;
  } catch (const Fault& fault) {
    diagnostics.add(name_, position_at(fault.offset), fault.message);
  } catch (const YAML::Exception& error) {
    const auto line = static_cast<std::size_t>(std::max(error.mark.line, 0));
    const std::size_t start = line < line_starts_.size() ? line_starts_[line] : text_.size();
    const std::size_t offset = std::min(text_.size(), start + static_cast<std::size_t>(std::max(error.mark.column, 0)));
    diagnostics.add(name_, position_at(offset), explain(error.msg, text_, offset));
  }
  return false;
}

rules::Position YamlFile::position_at(std::size_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const std::size_t line = static_cast<std::size_t>(after - line_starts_.begin());
  const std::size_t start = line_starts_[line - 1];
  const std::string_view before = std::string_view(text_).substr(start, offset - start);
  return {static_cast<int>(line), static_cast<int>(characters(before)) + 1};
}

// Walks text and source together: a run of blanks matches a run of blanks (that is what folding and indentation do), an
// escaping character of the source is skipped.
rules::Position YamlFile::position_in(const YamlNode& scalar, std::size_t offset) const {
  const std::string& text = scalar.text;
  std::size_t source = scalar.source_offset;
  const bool single_quoted = source > 0 && text_[source - 1] == '\'';
  std::size_t i = 0;
  while (i < std::min(offset, text.size()) && source < text_.size()) {
    if (blank(text[i]) && blank(text_[source])) {
      const std::size_t run = text.find_first_not_of(" \t\r\n", i);
      if (run == std::string::npos || run > offset) return position_at(source + (offset - i));
      i = run;
      source = std::min(text_.find_first_not_of(" \t\r\n", source), text_.size());
    } else if (text[i] == text_[source]) {
      ++i;
      ++source;
      if (single_quoted && text[i - 1] == '\'' && text_[source] == '\'') ++source;  // written twice, meant once
    } else {
      ++source;  // a backslash, or the rest of a longer escape
    }
  }
  return position_at(std::min(source, text_.size()));
}

}  // namespace fettle::catalog
