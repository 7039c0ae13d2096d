#pragma once
// The small notations of a mapping: topic filters with named levels, JSON pointers, and templates that put texts
// together from both. Pure functions of their text; the catalog checks with them what the engine later runs.

#include <boost/system/result.hpp>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fettle::direct {

inline constexpr std::size_t kMaxPathDepth = 16;     // steps of a JSON pointer
inline constexpr std::size_t kMaxFilterLevels = 32;  // of a mapping's topic
inline constexpr std::size_t kMaxNotation = 1024;    // bytes of a pointer, template or filter

struct SyntaxFault {
  std::size_t offset = 0;  // in bytes of the text
  std::string message;     // what is wrong and what was expected
};
[[noreturn]] void throw_exception_from_error(const SyntaxFault& fault, const boost::source_location& location);
template <typename T>
using SyntaxResult = boost::system::result<T, SyntaxFault>;

// RFC 6901: "" is the whole document, "/a/0/b~1c" the member "b/c" of item 0 of "a". Indexes count from 0.
struct Pointer {
  std::string text;
  std::vector<std::string> steps;  // unescaped
};
SyntaxResult<Pointer> parse_pointer(std::string_view text);

// An MQTT 3.1.1 topic filter (section 4.7) in which "{name}" stands for "+" and gives what is there a name.
struct TopicFilter {
  struct Level {
    bool any = false;  // + or {name}
    std::string text;  // the literal, or the name
  };
  std::vector<Level> levels;
  bool rest = false;  // a closing #: these levels and everything below
};
SyntaxResult<TopicFilter> parse_topic_filter(std::string_view text);

// What to subscribe to: the filter without names.
std::string subscription(const TopicFilter& filter);

// How the topics of two filters relate.
enum class Overlap {
  none,           // no topic matches both
  first_inside,   // whatever matches the first matches the second too, and not the other way round
  second_inside,  // the other way round
  same,
  crossing,  // some topics match both, and each has topics of its own
};
Overlap overlap(const TopicFilter& first, const TopicFilter& second);

// A topic that matches both. Pre: they overlap.
std::string shared_topic(const TopicFilter& first, const TopicFilter& second);

enum class Letters { as_written, lower, upper };

// "meter-{/deviceInfo/devEui|lower}": texts, named levels of the topic in braces, JSON pointers in braces (they begin
// with "/"). "|lower" and "|upper" change the letters A to Z only.
struct Template {
  struct Piece {
    enum class Kind { text, level, path };
    Kind kind = Kind::text;
    std::string text;       // text
    std::size_t level = 0;  // level: index in TopicFilter::levels
    Pointer path;           // path
    Letters letters = Letters::as_written;
  };
  std::string text;
  std::vector<Piece> pieces;

  // The text, where it is the same for every message.
  bool fixed() const { return pieces.size() == 1 && pieces.front().kind == Piece::Kind::text; }
};
SyntaxResult<Template> parse_template(std::string_view text, const TopicFilter& topic);

}  // namespace fettle::direct
