#include "rules/check.h"

#include <algorithm>
#include <array>

#include "rules/agreement.h"
#include "rules/spelling.h"

namespace fettle::rules {
namespace {

Type quantity(const Unit& unit, std::string text, Role role, bool constant) {
  Type type;
  type.form = Form::quantity;
  type.unit = unit;
  type.unit_text = text == "1" ? "" : std::move(text);
  type.role = role;
  type.constant = constant;
  return type;
}

Type condition(bool constant) {
  Type type;
  type.form = Form::condition;
  type.constant = constant;
  return type;
}

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

  void visit(NodeIndex i) {
    if (node(i).broken) return;
    switch (node(i).kind) {
      case NodeKind::number:
        meanings_[i].constant = node(i).number;
        type(i) = quantity(node(i).unit.value_or(Unit{}), std::string(node(i).unit_text), Role::free, true);
        return;
      case NodeKind::truth:
        meanings_[i].constant = node(i).number;
        type(i) = condition(true);
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

  // ---- names and operators
  // -------------------------------------------------------------------------------------------

  void visit_name(NodeIndex i) {
    const auto& parameters = scope_.parameters;
    const auto parameter =
        std::find_if(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.name == node(i).text; });
    if (parameter != parameters.end()) {
      if (parameter->state == Parameter::State::broken) return;
      meanings_[i].is_parameter = true;
      meanings_[i].index = static_cast<std::uint32_t>(parameter - parameters.begin());
      type(i) = quantity(parameter->unit, parameter->unit_text, Role::free, true);
      return;
    }
    const auto signal = find_signal(i);
    if (!signal) return;
    OperatorUse use;
    use.signal = *signal;
    apply_operator(i, operator_of(OperatorKind::last), use);
  }

  std::optional<SignalIndex> find_signal(NodeIndex i) {
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

  void visit_call(NodeIndex i) {
    const Node& call = node(i);
    const Operator* op = find_operator(call.text);
    if (op == nullptr) {
      std::vector<std::string_view> known;
      for (const Operator& o : operators()) known.push_back(o.name);
      report(call.at, "there is no operator '" + std::string(call.text) + "'" + did_you_mean(call.text, known));
      return;
    }
    const std::size_t fewest = op->arguments == Arguments::signal ? 1 : 2;
    const std::size_t most = op->arguments == Arguments::signal_window_lag ? 3 : fewest;
    if (call.children.size() < fewest || call.children.size() > most) {
      report(call.at, "expected " + std::string(op->usage) + ", found " + std::to_string(call.children.size()) +
                          (call.children.size() == 1 ? " argument" : " arguments"));
      return;
    }
    OperatorUse use;
    const auto signal = signal_argument(call.children[0], *op);
    const auto window = call.children.size() > 1 ? duration_argument(call.children[1], *op) : std::int64_t{0};
    const auto lag = call.children.size() > 2 ? duration_argument(call.children[2], *op) : std::int64_t{0};
    if (!signal || !window || !lag) return;
    use.signal = *signal;
    use.window = *window;
    use.lag = *lag;
    apply_operator(i, *op, use);
  }

  std::optional<SignalIndex> signal_argument(NodeIndex i, const Operator& op) {
    if (node(i).broken) return std::nullopt;
    if (node(i).kind != NodeKind::name) {
      report(node(i).at, "expected the name of a signal: " + std::string(op.usage));
      return std::nullopt;
    }
    const auto& parameters = scope_.parameters;
    if (std::any_of(parameters.begin(), parameters.end(), [&](const Parameter& p) { return p.name == node(i).text; })) {
      report(node(i).at,
             "'" + std::string(node(i).text) + "' is a parameter; expected a signal: " + std::string(op.usage));
      return std::nullopt;
    }
    return find_signal(i);
  }

  // A duration in whole seconds, up to a year; a quantity of time stands for one too.
  std::optional<std::int64_t> duration_argument(NodeIndex i, const Operator& op) {
    if (node(i).broken) return std::nullopt;
    const std::string expected = "expected a duration such as 24h or 1h30m: " + std::string(op.usage);
    std::int64_t ms = 0;
    if (node(i).kind == NodeKind::duration) {
      ms = node(i).duration.count();
    } else if (node(i).kind == NodeKind::number && node(i).unit) {
      Unit second;
      second.powers[2] = 1;
      if (!commensurable(*node(i).unit, second)) {
        report(node(i).at, expected + ", found a number in " + std::string(node(i).unit_text));
        return std::nullopt;
      }
      const double seconds = convert(node(i).number, *node(i).unit, second);
      const double limit = std::chrono::duration<double>(kLongestDuration).count();
      ms = static_cast<std::int64_t>(std::clamp(seconds, -1.0, limit + 1.0) * 1000.0 + 0.5);
    } else {
      report(node(i).at, expected);
      return std::nullopt;
    }
    const bool is_lag = op.arguments == Arguments::signal_window_lag && ms == 0;
    if (ms % 1000 != 0 || (ms < 1000 && !is_lag) || Duration(ms) > kLongestDuration) {
      report(node(i).at, "expected whole seconds, at least 1s and at most " + duration_text(kLongestDuration));
      return std::nullopt;
    }
    return ms;
  }

  void apply_operator(NodeIndex i, const Operator& op, OperatorUse use) {
    const SignalDecl& signal = scope_.vocabulary.signals[use.signal];
    use.kind = op.kind;
    use.signal_kind = signal.kind;
    if (op.over == Over::quantities && (signal.kind == SignalKind::state || signal.kind == SignalKind::reg)) {
      report(node(i).at, std::string(op.name) + "() needs a gauge or an event signal; '" + signal.name +
                             (signal.kind == SignalKind::state ? "' is a state" : "' is a register, which only grows"));
      return;
    }
    if (use.window > 0 && op.kind != OperatorKind::absent && !cut_window(i, use)) return;
    type(i) = type_of(op, signal);
    meanings_[i].index = number_of(i, use);
  }

  bool cut_window(NodeIndex i, OperatorUse& use) {
    const auto panes = panes_of(use.window, use.lag);
    if (!panes || Duration(use.window + use.lag) > kLongestDuration) {
      report(node(i).at, "the lag of " + duration_text(Duration(use.lag)) + " is too long for a window of " +
                             duration_text(Duration(use.window)) +
                             "; expected at most 15 windows, and with the window at most a year");
      return false;
    }
    use.pane = panes->pane;
    use.panes = panes->of_window;
    use.lag_panes = panes->of_lag;
    use.lag = panes->pane * panes->of_lag;
    return true;
  }

  static Type type_of(const Operator& op, const SignalDecl& signal) {
    switch (op.result) {
      case Result::condition:
        return condition(false);
      case Result::plain:
        return quantity(Unit{}, "", Role::difference, false);
      case Result::difference:
        return quantity(difference_of(signal.unit), signal.unit_text, Role::difference, false);
      case Result::of_signal:
        break;
    }
    if (signal.kind != SignalKind::state) return quantity(signal.unit, signal.unit_text, Role::point, false);
    Type state;
    state.form = Form::state;
    state.constant = false;
    state.states = &signal.states;
    return state;
  }

  // Identical operators share one state.
  std::uint32_t number_of(NodeIndex i, const OperatorUse& use) {
    const auto found = std::find(scope_.uses.begin(), scope_.uses.end(), use);
    if (found != scope_.uses.end()) return static_cast<std::uint32_t>(found - scope_.uses.begin());
    if (scope_.uses.size() == kMostOperators) {
      report(node(i).at, "this is one operator too many; a rule has at most " + std::to_string(kMostOperators) +
                             " different ones, bare signals included");
    }
    scope_.uses.push_back(use);
    return static_cast<std::uint32_t>(scope_.uses.size() - 1);
  }

  // ---- signs
  // ---------------------------------------------------------------------------------------------------------

  void visit_unary(NodeIndex i) {
    const NodeIndex operand = node(i).children[0];
    visit(operand);
    if (node(i).sign == TokenKind::minus) {
      type(i) = agreement_.negated(operand);
    } else if (agreement_.need_condition(operand, "!")) {
      type(i) = condition(type(operand).constant);
    }
  }

  void visit_binary(NodeIndex i) {
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
    type(i) = condition(type(left).constant && type(right).constant);
  }

  void visit_conditional(NodeIndex i) {
    const auto& children = node(i).children;
    for (const NodeIndex child : children) visit(child);
    const bool decided = agreement_.need_condition(children[0], "?");
    const bool agreed = agreement_.comparable(children[1], children[2], TokenKind::equal, ":");
    if (!decided || !agreed) return;
    type(i) = agreement_.common(children[1], children[2]);
    type(i).constant = type(i).constant && type(children[0]).constant;
  }

  void visit_member(NodeIndex i) {
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
    type(i) = condition(constant);
  }

  const Syntax& syntax_;
  const RuleScope& scope_;
  std::vector<Meaning> meanings_;
  Agreement agreement_;
};

}  // namespace

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
