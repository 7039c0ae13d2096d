#include "gateway/direct/mapping_json.h"

#include <boost/container/small_vector.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <limits>

namespace fettle::direct {

using boost::json::error_code;

// Receives the parser's events.
class JsonTreeBuilder {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = 4096;
  static constexpr std::size_t max_string_size = std::size_t{1} << 20U;

  explicit JsonTreeBuilder(JsonTree& out) : out_(out) {}

  bool too_many = false;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& error) { return open(JsonNode::Kind::object, error); }
  bool on_object_end(std::size_t, error_code&) { return close(); }
  bool on_array_begin(error_code& error) { return open(JsonNode::Kind::array, error); }
  bool on_array_end(std::size_t, error_code&) { return close(); }
  bool on_key_part(boost::json::string_view part, std::size_t, error_code&) { return part_of(part); }
  bool on_key(boost::json::string_view last, std::size_t, error_code&) {
    key_ = finish(last);
    return true;
  }
  bool on_string_part(boost::json::string_view part, std::size_t, error_code&) { return part_of(part); }
  bool on_string(boost::json::string_view last, std::size_t, error_code& error) {
    return add(JsonNode::Kind::text, finish(last), error);
  }
  bool on_number_part(boost::json::string_view part, error_code&) { return part_of(part); }
  bool on_int64(std::int64_t, boost::json::string_view last, error_code& error) { return number(last, error); }
  bool on_uint64(std::uint64_t, boost::json::string_view last, error_code& error) { return number(last, error); }
  bool on_double(double, boost::json::string_view last, error_code& error) { return number(last, error); }
  bool on_bool(bool flag, error_code& error) {
    if (!add(JsonNode::Kind::boolean, flag ? "true" : "false", error)) return false;
    out_.nodes_.back().flag = flag;
    return true;
  }
  bool on_null(error_code& error) { return add(JsonNode::Kind::null, "null", error); }
  bool on_comment_part(boost::json::string_view, error_code&) { return true; }
  bool on_comment(boost::json::string_view, error_code&) { return true; }

 private:
  bool part_of(std::string_view part) {
    out_.arena_.append(part);  // never more than the document has: it was reserved
    return true;
  }
  std::string_view finish(std::string_view last) {
    out_.arena_.append(last);
    const std::string_view whole = std::string_view(out_.arena_).substr(started_);
    started_ = out_.arena_.size();
    return whole;
  }
  bool number(std::string_view last, error_code& error) { return add(JsonNode::Kind::number, finish(last), error); }
  bool add(JsonNode::Kind kind, std::string_view text, error_code& error) {
    if (out_.nodes_.size() >= kMaxJsonNodes) {
      too_many = true;
      error = boost::json::error::array_too_large;
      return false;
    }
    if (!open_.empty()) ++out_.nodes_[open_.back()].count;
    JsonNode& node = out_.nodes_.emplace_back();
    node.kind = kind;
    node.key = key_;
    node.text = text;
    node.next = static_cast<std::uint32_t>(out_.nodes_.size());
    key_ = {};
    return true;
  }
  bool open(JsonNode::Kind kind, error_code& error) {
    if (!add(kind, {}, error)) return false;
    open_.push_back(static_cast<std::uint32_t>(out_.nodes_.size() - 1));
    return true;
  }
  bool close() {
    out_.nodes_[open_.back()].next = static_cast<std::uint32_t>(out_.nodes_.size());
    open_.pop_back();
    return true;
  }

  JsonTree& out_;
  std::size_t started_ = 0;
  std::string_view key_;
  boost::container::small_vector<std::uint32_t, kMaxJsonDepth> open_;
};

namespace {

constexpr std::size_t kShown = 64;       // bytes of a foreign text in a message
constexpr std::uint32_t kMostKeys = 12;  // of an object in a message

std::string_view without_blanks(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The bytes of the well-formed UTF-8 character at the front; 0 where there is none (Unicode 15, table 3-7).
std::size_t character_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
  const auto trailing = [&](std::size_t from, std::size_t count) {
    for (std::size_t i = from; i < from + count; ++i) {
      if ((at(i) & 0xC0U) != 0x80U) return false;
    }
    return true;
  };
  const unsigned lead = at(0);
  if (lead < 0x80U) return text.empty() ? 0 : 1;
  if (lead >= 0xC2U && lead <= 0xDFU) return trailing(1, 1) ? 2 : 0;
  if (lead >= 0xE0U && lead <= 0xEFU) {
    if ((lead == 0xE0U && at(1) < 0xA0U) || (lead == 0xEDU && at(1) > 0x9FU)) return 0;
    return trailing(1, 2) ? 3 : 0;
  }
  if (lead >= 0xF0U && lead <= 0xF4U) {
    if ((lead == 0xF0U && at(1) < 0x90U) || (lead == 0xF4U && at(1) > 0x8FU)) return 0;
    return trailing(1, 3) ? 4 : 0;
  }
  return 0;
}

std::optional<std::size_t> array_index(std::string_view step) {
  if (step.empty() || step.size() > 9 || (step.size() > 1 && step.front() == '0')) return std::nullopt;
  std::size_t index = 0;
  for (const char c : step) {
    if (c < '0' || c > '9') return std::nullopt;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index;
}

}  // namespace

std::optional<double> number_of(std::string_view text) {
  text = without_blanks(text);
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string excerpt(std::string_view text) {
  std::string out = "\"";
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t length = character_length(text.substr(at));
    if (out.size() + length > kShown) return out + "...\"";
    const auto first = static_cast<unsigned char>(text[at]);
    const bool printable = length > 1 || (length == 1 && first >= 0x20U && first != 0x7FU);
    out += printable ? text.substr(at, length) : std::string_view("?");
    at += length == 0 ? 1 : length;
  }
  return out + '"';
}

std::string in_words(const JsonNode& node) {
  switch (node.kind) {
    case JsonNode::Kind::null:
      return "null";
    case JsonNode::Kind::boolean:
      return node.flag ? "true" : "false";
    case JsonNode::Kind::number:
      return "the number " + std::string(node.text.substr(0, kShown));
    case JsonNode::Kind::text:
      return "the text " + excerpt(node.text);
    case JsonNode::Kind::array:
      return "an array of " + std::to_string(node.count);
    case JsonNode::Kind::object:
      break;
  }
  return "an object";
}

std::optional<std::string> JsonTree::parse(std::string_view document) {
  nodes_.clear();
  arena_.clear();
  arena_.reserve(document.size() + 1);  // unescaped text is never longer, so views stay where they are
  boost::json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  boost::json::basic_parser<JsonTreeBuilder> parser(options, *this);
  error_code error;
  const std::size_t used = parser.write_some(false, document.data(), document.size(), error);
  if (!error && used < document.size()) error = boost::json::error::extra_data;
  if (!error) return std::nullopt;
  nodes_.assign(1, JsonNode());
  if (parser.handler().too_many) {
    return "more than " + std::to_string(kMaxJsonNodes) + " values in one message; expected fewer";
  }
  return "not JSON at byte " + std::to_string(used) + " of " + std::to_string(document.size()) + ": " + error.message();
}

std::optional<std::string> JsonTree::number(std::string_view document) {
  nodes_.assign(1, JsonNode());
  nodes_.front().kind = JsonNode::Kind::number;
  nodes_.front().text = without_blanks(document);
  nodes_.front().next = 1;
  if (number_of(document)) return std::nullopt;
  return "the payload is " + excerpt(document) + "; expected a finite number such as 21.5";
}

std::optional<std::string> JsonTree::text(std::string_view document) {
  nodes_.assign(1, JsonNode());
  nodes_.front().kind = JsonNode::Kind::text;
  nodes_.front().text = document;
  nodes_.front().next = 1;
  for (std::size_t at = 0; at < document.size();) {
    const std::size_t length = character_length(document.substr(at));
    if (length == 0) return "the payload is no UTF-8 at byte " + std::to_string(at) + "; expected a text";
    at += length;
  }
  return std::nullopt;
}

const JsonNode* JsonTree::step(const JsonNode& from, std::string_view step) const {
  if (from.kind == JsonNode::Kind::array) {
    const auto index = array_index(step);
    if (!index || *index >= from.count) return nullptr;
    const JsonNode* item = first(from);
    for (std::size_t i = 0; i < *index; ++i) item = after(*item);
    return item;
  }
  if (from.kind != JsonNode::Kind::object) return nullptr;
  const JsonNode* found = nullptr;
  const JsonNode* item = first(from);
  for (std::uint32_t i = 0; i < from.count; ++i) {
    if (item->key == step) found = item;
    item = after(*item);
  }
  return found;
}

const JsonNode* JsonTree::find(const JsonNode& from, const Pointer& path) const {
  const JsonNode* at = &from;
  for (const std::string& each : path.steps) {
    at = step(*at, each);
    if (at == nullptr) return nullptr;
  }
  return at;
}

std::string JsonTree::keys_of(const JsonNode& node) const {
  std::string keys;
  const JsonNode* item = first(node);
  for (std::uint32_t i = 0; i < node.count; ++i) {
    if (i == kMostKeys) return keys + " and more";
    keys += (i == 0 ? "" : ", ") + excerpt(item->key);
    item = after(*item);
  }
  return keys;
}

std::string JsonTree::where_it_ends(const JsonNode& from, const Pointer& path) const {
  const JsonNode* at = &from;
  std::string way;
  for (const std::string& each : path.steps) {
    const JsonNode* next = step(*at, each);
    if (next == nullptr) break;
    at = next;
    way += '/' + each;
  }
  const std::string place = way.empty() ? "the message" : way;
  if (at->kind == JsonNode::Kind::object) {
    return at->count == 0 ? place + " is an empty object" : place + " has only " + keys_of(*at);
  }
  return place + " is " + in_words(*at);
}

}  // namespace fettle::direct
