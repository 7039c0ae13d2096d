// Calls of operators and functions: their arguments, the signals they take, the state they share.
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "rules/checker.h"
#include "rules/duration.h"
#include "rules/program.h"
#include "rules/spelling.h"
#include "rules/zones.h"

namespace fettle::rules {
namespace {

struct ArgumentCount {
  std::size_t fewest;
  std::size_t most;
};

ArgumentCount count_of(Arguments arguments) {
  switch (arguments) {
    case Arguments::signal:
    case Arguments::quantity:
      return {1, 1};
    case Arguments::signal_window_lag:
      return {2, 3};
    case Arguments::signal_share_window:
    case Arguments::signal_limit_window:
    case Arguments::signal_slack_limit:
      return {3, 3};
    default:
      return {2, 2};
  }
}

Unit second() {
  Unit unit;
  unit.powers[2] = 1;
  return unit;
}

std::string per_second_text(const std::string& unit) {
  if (unit.empty() || unit == "1") return "1/s";
  return (unit.find_first_of("/.* ") == std::string::npos ? unit : "(" + unit + ")") + "/s";
}

Type type_of(const Operator& op, const SignalDecl& signal) {
  switch (op.result) {
    case Result::condition:
      return condition_type(false);
    case Result::plain:
      return quantity_type(Unit{}, "", Role::difference);
    case Result::seconds:
      return quantity_type(second(), "s", Role::difference);
    case Result::per_second:
      return quantity_type(signal.unit / second(), per_second_text(signal.unit_text), Role::difference);
    case Result::difference:
      return quantity_type(difference_of(signal.unit), signal.unit_text, Role::difference);
    case Result::of_signal:
    case Result::grade:
      break;
  }
  if (signal.kind != SignalKind::state) return quantity_type(signal.unit, signal.unit_text, Role::point);
  Type state;
  state.form = Form::state;
  state.states = &signal.states;
  return state;
}

}  // namespace

void Checker::visit_call(NodeIndex i) {
  const Node& call = node(i);
  const Operator* op = find_operator(call.text);
  if (op == nullptr) {
    std::vector<std::string_view> known;
    for (const Operator& o : operators()) known.push_back(o.name);
    report(call.at, "there is no operator '" + std::string(call.text) + "'" + did_you_mean(call.text, known));
    return;
  }
  if (op->arguments == Arguments::sequence) {
    report(call.at, "'" + std::string(op->name) + "' stands between two conditions: " + std::string(op->usage));
    return;
  }
  if (!has_argument_count(i, *op)) return;
  switch (op->arguments) {
    case Arguments::word_bit:
      return visit_bit(i);
    case Arguments::table_quantity:
      return visit_zone(i);
    case Arguments::quantity:
      visit(call.children[0]);
      type(i) = agreement_.magnitude(call.children[0], op->name);
      meanings_[i].code = Code::absolute;
      meanings_[i].argument = call.children[0];
      return;
    case Arguments::condition_window:
      return visit_watch(i, *op);
    default:
      return visit_signal_operator(i, *op);
  }
}

bool Checker::has_argument_count(NodeIndex i, const Operator& op) {
  const std::size_t found = node(i).children.size();
  const ArgumentCount expected = count_of(op.arguments);
  if (found >= expected.fewest && found <= expected.most) return true;
  report(node(i).at, "expected " + std::string(op.usage) + ", found " + std::to_string(found) +
                         (found == 1 ? " argument" : " arguments"));
  return false;
}

// ---- functions
// ---------------------------------------------------------------------------------------------------------

void Checker::visit_bit(NodeIndex i) {
  constexpr double kHighestBit = 52.0;  // a double counts exactly up to 2^53
  const NodeIndex word = node(i).children[0];
  const NodeIndex number = node(i).children[1];
  visit(word);
  type(i) = condition_type(type(word).constant);
  if (!node(number).broken) {
    const double n = node(number).number;
    const bool whole = node(number).kind == NodeKind::number && !node(number).unit && n >= 0.0 && n <= kHighestBit;
    if (!whole || n != static_cast<double>(static_cast<std::uint32_t>(n))) {
      report(node(number).at, "expected the number of a bit, a whole number from 0 to 52: bit(word, n)");
    } else {
      meanings_[i].index = static_cast<std::uint32_t>(n);
    }
  }
  meanings_[i].code = Code::bit;
  meanings_[i].argument = word;
  if (!agreement_.need_quantity(word, "bit()")) return;
  if (!(type(word).unit == Unit{})) {
    report(node(word).at, "expected a plain whole number: bit(word, n), found " + described(type(word)));
  }
}

void Checker::visit_zone(NodeIndex i) {
  const NodeIndex table = node(i).children[0];
  const NodeIndex value = node(i).children[1];
  visit(value);
  type(i).form = Form::state;
  type(i).states = &zones();
  type(i).constant = type(value).constant;
  meanings_[i].code = Code::zone;
  meanings_[i].argument = value;
  const auto found = std::find_if(kZoneTables.begin(), kZoneTables.end(), [&](const ZoneTable& t) {
    return node(table).kind == NodeKind::text && t.name == node(table).text;
  });
  if (found == kZoneTables.end()) {
    std::string names;
    std::vector<std::string_view> known;
    for (const ZoneTable& t : kZoneTables) {
      names += (names.empty() ? "\"" : ", \"") + std::string(t.name) + "\"";
      known.push_back(t.name);
    }
    report(node(table).at,
           "expected the name of a zone table, one of " + names + did_you_mean(node(table).text, known));
  } else {
    meanings_[i].index = static_cast<std::uint32_t>(found - kZoneTables.begin());
  }
  if (!agreement_.need_quantity(value, "zone()")) return;
  if (!commensurable(type(value).unit, zone_unit())) {
    report(node(value).at,
           "expected a velocity, in mm/s or a unit that converts to it: zone(\"table\", value), found " +
               described(type(value)));
    return;
  }
  Meaning& meaning = meanings_[value];
  if (meaning.constant) {
    meaning.constant = convert(*meaning.constant, type(value).unit, zone_unit());
  } else if (!(type(value).unit == zone_unit())) {
    meaning.scale = type(value).unit.scale / zone_unit().scale;
  }
}

// ---- operators on conditions
// -------------------------------------------------------------------------------------------

void Checker::visit_watch(NodeIndex i, const Operator& op) {
  const auto feed = feed_of(node(i).children[0], op);
  const auto window = duration_argument(node(i).children[1], op);
  type(i) = type_of(op, {});
  if (!feed || !window) return;
  OperatorUse use;
  use.kind = op.kind;
  use.signal = kNoSignal;
  use.feed = *feed;
  use.window = *window;
  if (cut_window(i, use)) meanings_[i].index = number_of(i, use);
}

void Checker::visit_sequence(NodeIndex i) {
  const Operator& op = operator_of(OperatorKind::then);
  const NodeIndex second = node(i).children[1];
  const auto feed = feed_of(node(i).children[0], op);
  visit(second);
  agreement_.need_condition(second, kThen);
  const auto window = duration_argument(node(i).children[2], op);
  type(i) = condition_type(false);
  if (!feed || !window) return;
  OperatorUse use;
  use.kind = op.kind;
  use.signal = kNoSignal;
  use.feed = *feed;
  use.window = *window;
  meanings_[i].index = number_of(i, use);
}

// The number of the condition among the rule's feeds; identical ones are one.
std::optional<std::uint32_t> Checker::feed_of(NodeIndex i, const Operator& op) {
  const std::size_t before = scope_.diagnostics.size();
  visit(i);
  if (!agreement_.need_condition(i, op.name)) return std::nullopt;
  if (type(i).constant) {
    report(node(i).at,
           "this condition reads no signal; expected one on a signal of the model: " + std::string(op.usage));
  }
  if (node(i).broken || scope_.diagnostics.size() > before) return std::nullopt;
  Program program = emit(syntax_, meanings_, i);
  if (stack_need(program) > kDeepestStack) {
    report(node(i).at, "this condition holds more than " + std::to_string(kDeepestStack) +
                           " values at once; split the rule in two");
    return std::nullopt;
  }
  const auto found = std::find(scope_.feeds.begin(), scope_.feeds.end(), program);
  if (found != scope_.feeds.end()) return static_cast<std::uint32_t>(found - scope_.feeds.begin());
  scope_.feeds.push_back(std::move(program));
  return static_cast<std::uint32_t>(scope_.feeds.size() - 1);
}

// ---- operators on signals
// ----------------------------------------------------------------------------------------------

void Checker::visit_signal_operator(NodeIndex i, const Operator& op) {
  OperatorUse use;
  const auto signal = signal_argument(node(i).children[0], op);
  if (signal) {
    use.signal = *signal;
    if (!fits(i, op, scope_.vocabulary.signals[use.signal])) return;
  }
  if (!read_arguments(i, op, use) || !signal) return;
  apply_operator(i, op, use);
}

// Those behind the signal. What they must agree with is known only where the signal is.
bool Checker::read_arguments(NodeIndex i, const Operator& op, OperatorUse& use) {
  const auto& children = node(i).children;
  const NodeIndex signal = children[0];
  const bool known = type(signal).form != Form::broken;
  const Type point = type(signal);
  Type difference = point;
  difference.unit = difference_of(point.unit);
  difference.role = Role::difference;
  bool fine = true;
  const auto read_window = [&](std::size_t child, std::int64_t& duration, std::int64_t least = kShortestWindow) {
    const auto read = duration_argument(children[child], op, least);
    if (read) duration = *read;
    fine = fine && read;
  };
  switch (op.arguments) {
    case Arguments::signal_share_window: {
      const auto percent = percentage_argument(children[1], op);
      if (percent) meanings_[children[1]].constant = percent;
      fine = percent.has_value();
      read_window(2, use.window);
      break;
    }
    case Arguments::signal_limit_window:
      fine = !known || constant_argument(children[1], signal, op, point);
      read_window(2, use.window);
      break;
    case Arguments::signal_slack_limit: {
      if (!known) break;
      const auto slack = setting_argument(children[1], signal, op, point);
      if (slack) use.slack = *slack;
      fine = constant_argument(children[2], signal, op, difference) && slack;
      break;
    }
    case Arguments::signal_step:
      fine = !known || constant_argument(children[1], signal, op, difference);
      if (fine && known && meanings_[children[1]].constant && !(*meanings_[children[1]].constant > 0.0)) {
        report(node(children[1]).at, "expected a step above 0: " + std::string(op.usage));
        fine = false;
      }
      break;
    default:
      if (children.size() > 1) read_window(1, use.window);
      if (children.size() > 2) read_window(2, use.lag, 0);
      return fine;
  }
  const bool second_is_argument = op.arguments != Arguments::signal_slack_limit;
  meanings_[i].code = Code::operate_with;
  meanings_[i].argument = children[second_is_argument ? 1 : 2];
  return fine;
}

std::optional<SignalIndex> Checker::signal_argument(NodeIndex i, const Operator& op) {
  if (node(i).broken) return std::nullopt;
  if (node(i).kind != NodeKind::name) {
    report(node(i).at, "expected the name of a signal: " + std::string(op.usage));
    return std::nullopt;
  }
  if (find_parameter(i) != nullptr) {
    report(node(i).at,
           "'" + std::string(node(i).text) + "' is a parameter; expected a signal: " + std::string(op.usage));
    return std::nullopt;
  }
  const auto signal = find_signal(i);
  if (signal) type(i) = type_of(operator_of(OperatorKind::last), scope_.vocabulary.signals[*signal]);
  return signal;
}

// A duration in whole seconds, up to a year, not below `least` milliseconds; a quantity of time stands for one too.
std::optional<std::int64_t> Checker::duration_argument(NodeIndex i, const Operator& op, std::int64_t least) {
  if (node(i).broken) return std::nullopt;
  const std::string expected = "expected a duration such as 24h or 1h30m: " + std::string(op.usage);
  std::int64_t ms = 0;
  if (node(i).kind == NodeKind::duration) {
    ms = node(i).duration.count();
  } else if (node(i).kind == NodeKind::number && node(i).unit) {
    if (!commensurable(*node(i).unit, second())) {
      report(node(i).at, expected + ", found a number in " + std::string(node(i).unit_text));
      return std::nullopt;
    }
    const double seconds = convert(node(i).number, *node(i).unit, second());
    const double limit = std::chrono::duration<double>(kLongestDuration).count();
    ms = std::llround(std::clamp(seconds, -1.0, limit + 1.0) * 1000.0);
  } else {
    report(node(i).at, expected);
    return std::nullopt;
  }
  if (ms % 1000 != 0 || ms < least || Duration(ms) > kLongestDuration) {
    report(node(i).at, "expected whole seconds, at least " + duration_text(Duration(least)) + " and at most " +
                           duration_text(kLongestDuration));
    return std::nullopt;
  }
  return ms;
}

// 95 or 95 %.
std::optional<double> Checker::percentage_argument(NodeIndex i, const Operator& op) {
  if (node(i).broken) return std::nullopt;
  const bool number = node(i).kind == NodeKind::number && (!node(i).unit || node(i).unit_text == "%");
  if (number && node(i).number >= 0.0 && node(i).number <= 100.0) return node(i).number;
  report(node(i).at, "expected a percentage from 0 to 100 as a number: " + std::string(op.usage));
  return std::nullopt;
}

// A constant or a parameter, converted to what `like` is; `signal` is the node that lends its place for the comparison.
bool Checker::constant_argument(NodeIndex i, NodeIndex signal, const Operator& op, const Type& like) {
  visit(i);
  if (type(i).form == Form::broken) return false;
  if (!type(i).constant) {
    report(node(i).at, "expected a constant or a parameter: " + std::string(op.usage));
    return false;
  }
  type(signal) = like;
  return agreement_.comparable(signal, i, TokenKind::less, op.name);
}

// The same for what an operator's state depends on.
std::optional<Setting> Checker::setting_argument(NodeIndex i, NodeIndex signal, const Operator& op, const Type& like) {
  if (!constant_argument(i, signal, op, like)) return std::nullopt;
  const Meaning& meaning = meanings_[i];
  if (meaning.constant) return Setting{0.0, *meaning.constant, 0};
  if (node(i).kind == NodeKind::name) return Setting{meaning.scale, meaning.shift, meaning.index};
  report(node(i).at, "expected a number or the name of a parameter, not an expression: " + std::string(op.usage));
  return std::nullopt;
}

bool Checker::fits(NodeIndex i, const Operator& op, const SignalDecl& signal) {
  const std::string name = std::string(op.name) + "()";
  const std::string subject = "'" + signal.name + "' is ";
  const bool is_state = signal.kind == SignalKind::state;
  const bool is_register = signal.kind == SignalKind::reg;
  const bool is_event = signal.kind == SignalKind::event;
  const std::string found = is_state      ? subject + "a state"
                            : is_register ? subject + "a register, which only grows"
                            : is_event    ? subject + "an event signal, whose values do not last"
                                          : subject + "a gauge";
  if (op.over == Over::quantities && (is_state || is_register)) {
    report(node(i).at, name + " needs a gauge or an event signal; " + found);
    return false;
  }
  if (op.over == Over::gauges && signal.kind != SignalKind::gauge) {
    report(node(i).at, name + " needs a gauge; " + found);
    return false;
  }
  if (op.over == Over::registers && !is_register) {
    report(node(i).at, name + " needs a register; " + found);
    return false;
  }
  if (op.kind == OperatorKind::sum && signal.unit.offset != 0.0) {
    report(node(i).at, "temperatures in " + signal.unit_text + " cannot be added up; mean() says what they come to");
    return false;
  }
  return true;
}

void Checker::apply_operator(NodeIndex i, const Operator& op, OperatorUse use) {
  const SignalDecl& signal = scope_.vocabulary.signals[use.signal];
  use.kind = op.kind;
  use.signal_kind = signal.kind;
  const Memory memory = memory_of(op.kind);
  const bool has_panes = memory == Memory::panes || memory == Memory::tally || memory == Memory::edges;
  if (has_panes && !cut_window(i, use)) return;
  type(i) = type_of(op, signal);
  meanings_[i].index = number_of(i, use);
}

bool Checker::cut_window(NodeIndex i, OperatorUse& use) {
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

// Identical operators share one state.
std::uint32_t Checker::number_of(NodeIndex i, const OperatorUse& use) {
  const auto found = std::find(scope_.uses.begin(), scope_.uses.end(), use);
  if (found != scope_.uses.end()) return static_cast<std::uint32_t>(found - scope_.uses.begin());
  if (scope_.uses.size() == kMostOperators) {
    report(node(i).at, "this is one operator too many; a rule has at most " + std::to_string(kMostOperators) +
                           " different ones, bare signals included");
  }
  scope_.uses.push_back(use);
  return static_cast<std::uint32_t>(scope_.uses.size() - 1);
}

}  // namespace fettle::rules
