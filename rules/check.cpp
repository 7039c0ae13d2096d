#include "rules/check.h"

#include <algorithm>
#include <utility>

#include "rules/checker.h"
#include "rules/spelling.h"

namespace fettle::rules {

Type quantity_type(const Unit& unit, std::string text, Role role) {
  Type type;
  type.form = Form::quantity;
  type.unit = unit;
  type.unit_text = text == "1" ? "" : std::move(text);
  type.role = role;
  return type;
}

Type constant_type(const Unit& unit, std::string text) {
  Type type = quantity_type(unit, std::move(text), Role::free);
  type.constant = true;
  return type;
}

Type condition_type(bool constant) {
  Type type;
  type.form = Form::condition;
  type.constant = constant;
  return type;
}

void Checker::visit(NodeIndex i) {
  if (node(i).broken) return;
  switch (node(i).kind) {
    case NodeKind::number:
      meanings_[i].constant = node(i).number;
      type(i) = constant_type(node(i).unit.value_or(Unit{}), std::string(node(i).unit_text));
      return;
    case NodeKind::truth:
      meanings_[i].constant = node(i).number;
      type(i) = condition_type(true);
      return;
    case NodeKind::text:
      type(i).form = Form::text;
      type(i).constant = true;
      return;
    case NodeKind::duration:
      report(node(i).at, "a duration only stands as an operator's argument; expected a quantity such as '90 min'");
      return;
    case NodeKind::name:
      return visit_name(i);
    case NodeKind::call:
      return visit_call(i);
    case NodeKind::sequence:
      return visit_sequence(i);
    case NodeKind::unary:
      return visit_unary(i);
    case NodeKind::binary:
      return visit_binary(i);
    case NodeKind::conditional:
      return visit_conditional(i);
    case NodeKind::member:
      return visit_member(i);
  }
}

// ---- names
// -------------------------------------------------------------------------------------------------------------

const Parameter* Checker::find_parameter(NodeIndex i) const {
  const auto& parameters = scope_.parameters;
  const auto found =
      std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.name == node(i).text; });
  return found == parameters.end() ? nullptr : &*found;
}

void Checker::visit_name(NodeIndex i) {
  if (const Parameter* parameter = find_parameter(i)) {
    if (parameter->state == Parameter::State::broken) return;
    meanings_[i].code = Code::parameter;
    meanings_[i].index = static_cast<std::uint32_t>(parameter - scope_.parameters.data());
    type(i) = constant_type(parameter->unit, parameter->unit_text);
    return;
  }
  const auto signal = find_signal(i);
  if (!signal) return;
  OperatorUse use;
  use.signal = *signal;
  apply_operator(i, operator_of(OperatorKind::last), use);
}

std::optional<SignalIndex> Checker::find_signal(NodeIndex i) {
  const auto& signals = scope_.vocabulary.signals;
  for (std::size_t s = 0; s < signals.size(); ++s) {
    if (signals[s].name == node(i).text) return static_cast<SignalIndex>(s);
  }
  std::vector<std::string_view> known;
  for (const SignalDecl& signal : signals) known.push_back(signal.name);
  for (const Parameter& parameter : scope_.parameters) known.push_back(parameter.name);
  report(node(i).at, "'" + std::string(node(i).text) +
                         "' is neither a signal of the model nor a parameter of the rule" +
                         did_you_mean(node(i).text, known));
  return std::nullopt;
}

// ---- signs
// ---------------------------------------------------------------------------------------------------------

void Checker::visit_unary(NodeIndex i) {
  const NodeIndex operand = node(i).children[0];
  visit(operand);
  if (node(i).sign == TokenKind::minus) {
    type(i) = agreement_.negated(operand);
  } else if (agreement_.need_condition(operand, "!")) {
    type(i) = condition_type(type(operand).constant);
  }
}

void Checker::visit_binary(NodeIndex i) {
  const NodeIndex left = node(i).children[0];
  const NodeIndex right = node(i).children[1];
  visit(left);
  visit(right);
  switch (node(i).sign) {
    case TokenKind::plus:
    case TokenKind::minus:
      type(i) = agreement_.sum(i, left, right);
      return;
    case TokenKind::times:
    case TokenKind::divide:
      type(i) = agreement_.product(i, left, right);
      return;
    case TokenKind::modulo:
      type(i) = agreement_.remainder(left, right);
      return;
    case TokenKind::and_:
    case TokenKind::or_:
      agreement_.need_condition(left, node(i).text);
      agreement_.need_condition(right, node(i).text);
      break;
    default:
      agreement_.comparable(left, right, node(i).sign, node(i).text);
      break;
  }
  // Whatever is wrong with its sides, this is a condition: what is around it can be checked.
  type(i) = condition_type(type(left).constant && type(right).constant);
}

void Checker::visit_conditional(NodeIndex i) {
  const auto& children = node(i).children;
  for (const NodeIndex child : children) visit(child);
  const bool decided = agreement_.need_condition(children[0], "?");
  const bool agreed = agreement_.comparable(children[1], children[2], TokenKind::equal, ":");
  if (!decided || !agreed) return;
  type(i) = agreement_.common(children[1], children[2]);
  type(i).constant = type(i).constant && type(children[0]).constant;
}

void Checker::visit_member(NodeIndex i) {
  const auto& children = node(i).children;
  for (const NodeIndex child : children) visit(child);
  bool constant = type(children[0]).constant;
  for (std::size_t c = 1; c < children.size(); ++c) {
    // The value keeps its unit for all its comparisons, so the element is the side to convert, signal or not.
    const bool element_constant = type(children[c]).constant;
    constant = constant && element_constant;
    type(children[0]).constant = false;
    type(children[c]).constant = true;
    agreement_.comparable(children[0], children[c], TokenKind::equal, "in");
  }
  type(i) = condition_type(constant);
}

std::vector<Meaning> check(const Syntax& syntax, const RuleScope& scope) {
  return Checker(syntax, scope).all();
}

std::optional<ConstantQuantity> read_quantity(const Located& text, const UnitParser& units, Diagnostics& diagnostics) {
  const std::size_t before = diagnostics.size();
  const auto syntax = parse(text, units, diagnostics);
  if (!syntax || diagnostics.size() > before) return std::nullopt;
  const Node& root = syntax->nodes[syntax->root];
  if (root.kind != NodeKind::number) {
    diagnostics.push_back({root.at, "expected a constant quantity such as '0.4 s' or '12'"});
    return std::nullopt;
  }
  return ConstantQuantity{root.number, root.unit.value_or(Unit{}), std::string(root.unit_text)};
}

std::string described(const Type& type) {
  switch (type.form) {
    case Form::condition:
      return "a condition (true or false)";
    case Form::quantity:
      return type.unit_text.empty() ? "a plain number" : "a number in " + type.unit_text;
    case Form::state:
      return "a state";
    case Form::text:
      return "a text";
    case Form::broken:
      break;
  }
  return "something else";
}

}  // namespace fettle::rules
