#include "gateway/direct/mapping_syntax.h"

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace fettle::direct {

void throw_exception_from_error(const SyntaxFault& fault, const boost::source_location&) {
  throw std::runtime_error(fault.message);
}

namespace {

std::string quoted(std::string_view text) {
  return '"' + std::string(text) + '"';
}

std::optional<SyntaxFault> too_long(std::string_view text) {
  if (text.size() <= kMaxNotation) return std::nullopt;
  return SyntaxFault{kMaxNotation, "has " + std::to_string(text.size()) + " bytes; at most " +
                                       std::to_string(kMaxNotation) + " are allowed"};
}

bool name_character(char c) {
  return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool valid_level_name(std::string_view name) {
  return !name.empty() && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), name_character);
}

// "$.a.b[0]" or "a.b", as other notations write it, as a pointer.
std::string as_pointer(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '$' || c == ']') continue;
    if (c == '.' || c == '[' || c == '/') {
      if (!out.ends_with('/')) out += '/';
    } else {
      if (out.empty()) out = "/";
      out += c;
    }
  }
  return out;
}

// ---- topic filters
// ---------------------------------------------------------------------------------------------------

std::optional<SyntaxFault> read_level(std::string_view level, std::size_t at, TopicFilter& out) {
  if (level == "+") {
    out.levels.push_back({true, {}});
    return std::nullopt;
  }
  if (level.starts_with('{') && level.ends_with('}')) {
    const std::string_view name = level.substr(1, level.size() - 2);
    if (!valid_level_name(name)) {
      return SyntaxFault{at, "names a level " + quoted(name) + "; a name begins with a-z and goes on with a-z, 0-9, _"};
    }
    for (const TopicFilter::Level& other : out.levels) {
      if (other.any && other.text == name) {
        return SyntaxFault{at, "names two levels " + quoted(name) + "; give one of them another name"};
      }
    }
    out.levels.push_back({true, std::string(name)});
    return std::nullopt;
  }
  const std::size_t special = level.find_first_of("+#{}");
  if (special != std::string_view::npos) {
    return SyntaxFault{at + special, "has " + quoted(level.substr(special, 1)) +
                                         " within a level; +, # and {name} each stand for a whole level"};
  }
  out.levels.push_back({false, std::string(level)});
  return std::nullopt;
}

bool inside(const TopicFilter& inner, const TopicFilter& outer) {
  for (std::size_t i = 0; i < outer.levels.size(); ++i) {
    if (i >= inner.levels.size()) return false;
    const TopicFilter::Level& a = inner.levels[i];
    const TopicFilter::Level& b = outer.levels[i];
    if (!b.any && (a.any || a.text != b.text)) return false;
  }
  return outer.rest || (inner.levels.size() == outer.levels.size() && !inner.rest);
}

bool any_shared(const TopicFilter& a, const TopicFilter& b) {
  const std::size_t common = std::min(a.levels.size(), b.levels.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (!a.levels[i].any && !b.levels[i].any && a.levels[i].text != b.levels[i].text) return false;
  }
  if (a.levels.size() == b.levels.size()) return true;
  return a.levels.size() < b.levels.size() ? a.rest : b.rest;
}

// ---- templates
// -------------------------------------------------------------------------------------------------------

std::string level_names(const TopicFilter& topic) {
  std::string names;
  for (const TopicFilter::Level& level : topic.levels) {
    if (level.any && !level.text.empty()) names += (names.empty() ? "" : ", ") + level.text;
  }
  return names.empty() ? "the topic names none of its levels" : "the topic names " + names;
}

// What stands between braces: "asset", "/device/id", either with "|lower" or "|upper" behind it.
SyntaxResult<Template::Piece> read_piece(std::string_view inner, std::size_t at, const TopicFilter& topic) {
  Template::Piece piece;
  const std::size_t bar = inner.rfind('|');
  if (bar != std::string_view::npos) {
    const std::string_view letters = inner.substr(bar + 1);
    if (letters == "lower") {
      piece.letters = Letters::lower;
    } else if (letters == "upper") {
      piece.letters = Letters::upper;
    } else {
      return SyntaxFault{at + bar + 1, "has " + quoted(letters) + " behind |; expected lower or upper"};
    }
    inner = inner.substr(0, bar);
  }
  if (inner.starts_with('/')) {
    auto path = parse_pointer(inner);
    if (path.has_error()) return SyntaxFault{at + path.error().offset, path.error().message};
    piece.kind = Template::Piece::Kind::path;
    piece.path = std::move(*path);
    return piece;
  }
  piece.kind = Template::Piece::Kind::level;
  for (piece.level = 0; piece.level < topic.levels.size(); ++piece.level) {
    const TopicFilter::Level& level = topic.levels[piece.level];
    if (level.any && !inner.empty() && level.text == inner) return piece;
  }
  return SyntaxFault{at, "uses {" + std::string(inner) + "}, and " + level_names(topic) +
                             "; expected one of them, or a JSON pointer such as {/device/id}"};
}

}  // namespace

SyntaxResult<Pointer> parse_pointer(std::string_view text) {
  if (auto fault = too_long(text)) return *fault;
  Pointer out{std::string(text), {}};
  if (text.empty()) return out;
  if (text.front() != '/') {
    return SyntaxFault{0, "is no JSON pointer: it begins with /; did you mean " + as_pointer(text) + "?"};
  }
  out.steps.emplace_back();
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '/') {
      out.steps.emplace_back();
    } else if (text[i] != '~') {
      out.steps.back() += text[i];
    } else if (i + 1 < text.size() && (text[i + 1] == '0' || text[i + 1] == '1')) {
      out.steps.back() += text[++i] == '0' ? '~' : '/';
    } else {
      return SyntaxFault{i, "has ~ with neither 0 nor 1 behind it; in a JSON pointer ~0 stands for ~ and ~1 for /"};
    }
  }
  if (out.steps.size() > kMaxPathDepth) {
    return SyntaxFault{0, "has " + std::to_string(out.steps.size()) + " steps; at most " +
                              std::to_string(kMaxPathDepth) + " are allowed"};
  }
  return out;
}

SyntaxResult<TopicFilter> parse_topic_filter(std::string_view text) {
  if (auto fault = too_long(text)) return *fault;
  if (text.empty()) return SyntaxFault{0, "is empty; expected a topic such as tele/{asset}/SENSOR"};
  if (text.front() == '$') return SyntaxFault{0, "begins with $, which is for the broker's own topics"};
  TopicFilter out;
  std::size_t start = 0;
  while (true) {
    const std::size_t end = std::min(text.find('/', start), text.size());
    const std::string_view level = text.substr(start, end - start);
    if (level == "#") {
      if (end != text.size()) return SyntaxFault{start, "goes on behind #, which stands for all that follows"};
      out.rest = true;
    } else if (auto fault = read_level(level, start, out)) {
      return *fault;
    }
    if (end == text.size()) break;
    start = end + 1;
  }
  if (out.levels.size() > kMaxFilterLevels) {
    return SyntaxFault{0, "has " + std::to_string(out.levels.size()) + " levels; at most " +
                              std::to_string(kMaxFilterLevels) + " are allowed"};
  }
  return out;
}

std::string subscription(const TopicFilter& filter) {
  std::string out;
  for (std::size_t i = 0; i < filter.levels.size(); ++i) {
    if (i > 0) out += '/';
    out += filter.levels[i].any ? "+" : filter.levels[i].text;
  }
  if (filter.rest) out += filter.levels.empty() ? "#" : "/#";
  return out;
}

Overlap overlap(const TopicFilter& first, const TopicFilter& second) {
  if (!any_shared(first, second)) return Overlap::none;
  const bool first_inside = inside(first, second);
  const bool second_inside = inside(second, first);
  if (first_inside && second_inside) return Overlap::same;
  if (first_inside) return Overlap::first_inside;
  return second_inside ? Overlap::second_inside : Overlap::crossing;
}

std::string shared_topic(const TopicFilter& first, const TopicFilter& second) {
  std::string out;
  for (std::size_t i = 0; i < std::max(first.levels.size(), second.levels.size()); ++i) {
    std::string level = "x";
    for (const TopicFilter* filter : {&first, &second}) {
      if (i < filter->levels.size() && !filter->levels[i].any) level = filter->levels[i].text;
    }
    out += (i > 0 ? "/" : "") + level;
  }
  return out.empty() ? "x" : out;
}

SyntaxResult<Template> parse_template(std::string_view text, const TopicFilter& topic) {
  if (auto fault = too_long(text)) return *fault;
  if (text.empty()) return SyntaxFault{0, "is empty; expected a text such as {asset} or meter-{/device/id}"};
  Template out{std::string(text), {}};
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '}') return SyntaxFault{at, "has } without {"};
    if (text[at] != '{') {
      const std::size_t end = std::min(text.find_first_of("{}", at), text.size());
      out.pieces.push_back({Template::Piece::Kind::text, std::string(text.substr(at, end - at)), 0, {}, {}});
      at = end;
      continue;
    }
    const std::size_t close = text.find('}', at);
    if (close == std::string_view::npos) return SyntaxFault{at, "has { without }"};
    auto piece = read_piece(text.substr(at + 1, close - at - 1), at + 1, topic);
    if (piece.has_error()) return piece.error();
    out.pieces.push_back(std::move(*piece));
    at = close + 1;
  }
  return out;
}

}  // namespace fettle::direct
