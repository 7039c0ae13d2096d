#pragma once
// One JSON document as a tree that keeps every number's own text, for mappings to look things up in.
//
// Not Boost.JSON's value: its doubles may be off by the last bit (1.81), and it allocates; this tree is reused from
// message to message. One thread. Nodes and texts live until the next parse.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/direct/mapping_syntax.h"

namespace fettle::direct {

inline constexpr std::size_t kMaxJsonNodes = 200'000;  // of one message
inline constexpr std::size_t kMaxJsonDepth = 64;

struct JsonNode {
  enum class Kind : std::uint8_t { null, boolean, number, text, array, object };
  Kind kind = Kind::null;
  bool flag = false;        // boolean
  std::uint32_t count = 0;  // array, object: items
  std::uint32_t next = 0;   // index of the node behind this one and all within it
  std::string_view key;     // where the parent is an object
  std::string_view text;    // text; number: as written
};

class JsonTree {
 public:
  // Replaces what was there. Nothing: read. Else why not: what, at which byte.
  std::optional<std::string> parse(std::string_view document);

  // A document of one number or text. `document` must outlive what is looked up. A number that is none: as parse().
  std::optional<std::string> number(std::string_view document);
  std::optional<std::string> text(std::string_view document);

  const JsonNode& root() const { return nodes_.front(); }

  // The items of an array or object, in the order written: first(), then after() count - 1 times.
  const JsonNode* first(const JsonNode& parent) const { return parent.count == 0 ? nullptr : &parent + 1; }
  const JsonNode* after(const JsonNode& node) const { return nodes_.data() + node.next; }

  // What `path` leads to from `from`, or nullptr. Where an object has a key twice, the last one counts.
  const JsonNode* find(const JsonNode& from, const Pointer& path) const;

  // For a message: what stands on the way where `path` ends nowhere: "/ENERGY has Total, Today and no Power".
  std::string where_it_ends(const JsonNode& from, const Pointer& path) const;

 private:
  friend class JsonTreeBuilder;

  const JsonNode* step(const JsonNode& from, std::string_view step) const;
  std::string keys_of(const JsonNode& node) const;

  std::vector<JsonNode> nodes_ = std::vector<JsonNode>(1);
  std::string arena_;
};

// "the text \"ON\"", "true", "an object": bounded, for a message.
std::string in_words(const JsonNode& node);

// At most 64 bytes of a text in quotes, cut between characters; what is no UTF-8 or no printable character shows as ?.
std::string excerpt(std::string_view text);

// The whole text as a finite number; blanks around it are no part of it. Nothing for anything else.
std::optional<double> number_of(std::string_view text);

}  // namespace fettle::direct
