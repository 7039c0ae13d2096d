#pragma once
// The syntax tree of one expression: nodes in one array, children by index. What the words mean is checked later
// (check.h).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/diagnostic.h"
#include "rules/lexer.h"

namespace fettle::rules {

inline constexpr std::size_t kLongestText = 4096;  // characters of one expression
inline constexpr int kDeepestNesting = 64;         // nodes from the root of an expression to its deepest leaf
inline constexpr std::size_t kMostListElements = 64;

enum class NodeKind : std::uint8_t {
  number,       // a quantity: number, unit
  duration,     // argument of an operator
  text,         // "inspection"
  truth,        // true, false: number is 1 or 0
  name,         // a signal or a parameter
  call,         // an operator and its arguments
  unary,        // sign: not_ or minus
  binary,       // sign, two children
  conditional,  // three children
  member,       // first child in the others
  sequence,     // three children: first then second, within third (a duration or a number)
};

using NodeIndex = std::uint32_t;

struct Node {
  NodeKind kind = NodeKind::number;
  TokenKind sign = TokenKind::end;
  Position at;            // of its first character; binary: of the sign
  std::string_view text;  // as written: a name, a text, a sign, a number with its unit's text in unit_text
  double number = 0;
  std::optional<Unit> unit;
  std::string_view unit_text;
  Duration duration{0};
  bool broken = false;  // was reported already (an unknown unit, a duration too long): say nothing more about it
  int depth = 1;
  std::vector<NodeIndex> children;
};

// Views the text it was parsed from.
struct Syntax {
  std::vector<Node> nodes;
  NodeIndex root = 0;
};

// Parses a whole text. Nothing where it is malformed: then at least one diagnostic was appended. Stops at the first
// mistake of form, since what follows one is guesswork. What is well formed but wrong in itself (an unknown unit) is
// reported too and its node marked `broken`.
std::optional<Syntax> parse(const Located& source, const UnitParser& units, Diagnostics& diagnostics);

}  // namespace fettle::rules
