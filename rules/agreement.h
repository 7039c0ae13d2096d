#pragma once
// Whether the two sides of a sign go together, what comes of them, and which of them is converted to the other's unit.
// One half of the checker (check.h); the other resolves names.

#include <string>
#include <string_view>
#include <vector>

#include "rules/check.h"

namespace fettle::rules {

class Agreement {
 public:
  Agreement(const Syntax& syntax, std::vector<Meaning>& meanings, Diagnostics& diagnostics)
      : syntax_(syntax), meanings_(meanings), diagnostics_(diagnostics) {}

  // Whether the node is of that form; reports it if not, `sign` being what it stands beside.
  bool need_condition(NodeIndex i, std::string_view sign);
  bool need_quantity(NodeIndex i, std::string_view sign);

  // The types of -a, abs(a), a + b (and -), a * b (and /), a % b; broken where the sides do not go together, which is
  // reported.
  Type negated(NodeIndex operand);
  Type magnitude(NodeIndex operand, std::string_view function);
  Type sum(NodeIndex sign, NodeIndex left, NodeIndex right);
  Type product(NodeIndex sign, NodeIndex left, NodeIndex right);
  Type remainder(NodeIndex left, NodeIndex right);

  // Whether two sides can be compared by the sign (equal for `in` and `?:`, whose own text is in `text`).
  bool comparable(NodeIndex left, NodeIndex right, TokenKind sign, std::string_view text);

  // The type of either of two comparable values.
  Type common(NodeIndex left, NodeIndex right) const;

 private:
  const Node& node(NodeIndex i) const { return syntax_.nodes[i]; }
  Type& type(NodeIndex i) { return meanings_[i].type; }
  const Type& type(NodeIndex i) const { return meanings_[i].type; }
  void report(NodeIndex i, std::string message) { diagnostics_.push_back({node(i).at, std::move(message)}); }
  std::string written(NodeIndex i) const;

  NodeIndex to_blame(NodeIndex left, NodeIndex right) const;
  bool same_dimension(NodeIndex left, NodeIndex right, std::string_view sign);
  void convert_node(NodeIndex i, const Type& target);
  bool need_no_point(NodeIndex i, std::string_view what);
  void to_difference(NodeIndex i);
  bool settle_plus(NodeIndex sign, NodeIndex left, NodeIndex right);
  bool settle_minus(NodeIndex sign, NodeIndex left, NodeIndex right);
  bool comparable_quantities(NodeIndex left, NodeIndex right, std::string_view text);
  bool comparable_states(NodeIndex left, NodeIndex right, TokenKind sign, std::string_view text);
  bool resolve_state(NodeIndex i, const std::vector<std::string>& states);

  const Syntax& syntax_;
  std::vector<Meaning>& meanings_;
  Diagnostics& diagnostics_;
};

}  // namespace fettle::rules
