#pragma once
// The walk that gives a tree's nodes their meanings (check.h): names and signs in check.cpp, operators and their
// arguments in check_operators.cpp. Made for one expression.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rules/agreement.h"
#include "rules/check.h"

namespace fettle::rules {

class Checker {
 public:
  Checker(const Syntax& syntax, const RuleScope& scope)
      : syntax_(syntax),
        scope_(scope),
        meanings_(syntax.nodes.size()),
        agreement_(syntax, meanings_, scope.diagnostics) {}

  std::vector<Meaning> all() {
    visit(syntax_.root);
    return std::move(meanings_);
  }

 private:
  const Node& node(NodeIndex i) const { return syntax_.nodes[i]; }
  Type& type(NodeIndex i) { return meanings_[i].type; }

  void report(Position at, std::string message) { scope_.diagnostics.push_back({at, std::move(message)}); }

  void visit(NodeIndex i);
  void visit_name(NodeIndex i);
  void visit_unary(NodeIndex i);
  void visit_binary(NodeIndex i);
  void visit_conditional(NodeIndex i);
  void visit_member(NodeIndex i);
  std::optional<SignalIndex> find_signal(NodeIndex i);
  const Parameter* find_parameter(NodeIndex i) const;

  // Calls and sequences: check_operators.cpp.
  void visit_call(NodeIndex i);
  void visit_sequence(NodeIndex i);
  void visit_bit(NodeIndex i);
  void visit_zone(NodeIndex i);
  void visit_watch(NodeIndex i, const Operator& op);
  void visit_signal_operator(NodeIndex i, const Operator& op);
  bool read_arguments(NodeIndex i, const Operator& op, OperatorUse& use);
  bool has_argument_count(NodeIndex i, const Operator& op);

  std::optional<SignalIndex> signal_argument(NodeIndex i, const Operator& op);
  static constexpr std::int64_t kShortestWindow = 1'000;  // ms
  std::optional<std::int64_t> duration_argument(NodeIndex i, const Operator& op, std::int64_t least = kShortestWindow);
  std::optional<double> percentage_argument(NodeIndex i, const Operator& op);
  std::optional<Setting> setting_argument(NodeIndex i, NodeIndex signal, const Operator& op, const Type& like);
  bool constant_argument(NodeIndex i, NodeIndex signal, const Operator& op, const Type& like);
  std::optional<std::uint32_t> feed_of(NodeIndex i, const Operator& op);

  bool fits(NodeIndex i, const Operator& op, const SignalDecl& signal);
  void apply_operator(NodeIndex i, const Operator& op, OperatorUse use);
  bool cut_window(NodeIndex i, OperatorUse& use);
  std::uint32_t number_of(NodeIndex i, const OperatorUse& use);

  const Syntax& syntax_;
  const RuleScope& scope_;
  std::vector<Meaning> meanings_;
  Agreement agreement_;
};

// The types of values.
Type quantity_type(const Unit& unit, std::string text, Role role);  // reads a signal
Type constant_type(const Unit& unit, std::string text);             // of no role yet
Type condition_type(bool constant);

}  // namespace fettle::rules
