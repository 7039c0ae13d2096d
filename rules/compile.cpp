// Source -> CompiledRule: parameters, then each expression parsed, checked and emitted, then what is asked of the rule
// as a whole.
#include <algorithm>
#include <bit>
#include <cctype>
#include <numeric>
#include <tuple>
#include <utility>

#include "rules/duration.h"
#include "rules/episode.h"
#include "rules/operator_state.h"
#include "rules/program.h"
#include "rules/rule.h"
#include "rules/spelling.h"

namespace fettle::rules {
namespace {

constexpr Duration kShortestLookback = std::chrono::hours(1);

bool is_identifier(std::string_view name) {
  if (name.empty() || name.size() > 64 || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

std::vector<Parameter> read_parameters(const RuleSource& source, const Vocabulary& vocabulary, const UnitParser& units,
                                       Diagnostics& diagnostics) {
  std::vector<Parameter> parameters;
  for (const auto& [name, text] : source.parameters) {
    const auto same = [&named = name](const auto& other) { return other.name == named; };
    if (!is_identifier(name) || name == "in" || name == "true" || name == "false") {
      diagnostics.push_back({text.at, "'" + name + "' cannot name a parameter; expected letters, digits and '_'"});
    } else if (std::any_of(parameters.begin(), parameters.end(), same)) {
      diagnostics.push_back({text.at, "the parameter '" + name + "' is declared twice"});
    } else if (std::any_of(vocabulary.signals.begin(), vocabulary.signals.end(), same)) {
      diagnostics.push_back({text.at, "'" + name + "' is a signal of the model; the parameter needs another name"});
    }
    const auto quantity = read_quantity(text, units, diagnostics);
    // A parameter that cannot be read keeps its name, so that its uses are not reported as unknown names.
    if (quantity) {
      parameters.push_back({name, quantity->value, quantity->unit, quantity->unit_text, Parameter::State::readable});
    } else {
      parameters.push_back({name, 0.0, Unit{}, "", Parameter::State::broken});
    }
  }
  return parameters;
}

struct Expression {
  Program program;
  std::optional<Type> type;  // nothing: there is no such expression, or it is malformed
};

Expression compile_expression(const Located& source, std::string_view part, const RuleScope& scope) {
  Expression expression;
  const std::size_t before = scope.diagnostics.size();
  const auto syntax = parse(source, scope.units, scope.diagnostics);
  if (!syntax) return expression;
  const std::vector<Meaning> meanings = check(*syntax, scope);
  expression.type = meanings[syntax->root].type;
  const Form form = expression.type->form;
  if (form != Form::condition && form != Form::broken) {
    scope.diagnostics.push_back(
        {syntax->nodes[syntax->root].at,
         "'" + std::string(part) + "' expects a condition (true or false), found " + described(*expression.type)});
  }
  if (scope.diagnostics.size() > before) return expression;  // what is broken has no code
  expression.program = emit(*syntax, meanings, syntax->root);
  if (stack_need(expression.program) > kDeepestStack) {
    scope.diagnostics.push_back({source.at, "'" + std::string(part) + "' holds more than " +
                                                std::to_string(kDeepestStack) +
                                                " values at once; split the rule in two"});
  }
  return expression;
}

void check_delay(Duration delay, std::string_view part, Position at, Diagnostics& diagnostics) {
  if (delay >= Duration(0) && delay <= kLongestDuration) return;
  diagnostics.push_back({at, "'" + std::string(part) + "' is not within 0s and " + duration_text(kLongestDuration)});
}

void check_whole(const RuleSource& source, const Expression& when, std::span<const OperatorUse> uses_of_when,
                 Diagnostics& diagnostics) {
  check_delay(source.for_, "for", source.when.at, diagnostics);
  check_delay(source.keep_for, "keep_for", source.when.at, diagnostics);
  check_delay(source.cooldown, "cooldown", source.when.at, diagnostics);
  if (!when.type || when.type->form != Form::condition) return;
  if (when.type->constant) {
    diagnostics.push_back({source.when.at, "'when' reads no signal; expected a condition on a signal of the model"});
    return;
  }
  const bool only_silence = std::all_of(uses_of_when.begin(), uses_of_when.end(),
                                        [](const OperatorUse& use) { return use.kind == OperatorKind::absent; });
  if (only_silence && !uses_of_when.empty() && source.for_ > Duration(0)) {
    diagnostics.push_back({source.when.at,
                           "'for' runs on the asset's clock, which stands still while the asset is silent, so with "
                           "absent() alone it never ends; leave it out and make the silence in absent() longer"});
  }
}

// FNV-1a, 64 bit.
class Hash {
 public:
  void add(std::string_view text) {
    add_number(static_cast<std::int64_t>(text.size()));
    for (const char c : text) add_byte(static_cast<std::uint8_t>(c));
  }
  void add_number(std::int64_t number) {
    for (int shift = 0; shift < 64; shift += 8) add_byte(static_cast<std::uint8_t>(number >> shift));
  }
  void add_real(double number) { add_number(std::bit_cast<std::int64_t>(number)); }
  std::uint64_t value() const { return value_; }

 private:
  void add_byte(std::uint8_t byte) { value_ = (value_ ^ byte) * 1099511628211ULL; }
  std::uint64_t value_ = 14695981039346656037ULL;
};

// What gives the operators' states their meaning, one hash each: kind, signal, arguments, and of a condition that one
// watches its program, with the hashes of its operators in place of their numbers.
class Fingerprints {
 public:
  Fingerprints(const Vocabulary& vocabulary, const std::vector<Parameter>& parameters,
               const std::vector<OperatorUse>& uses, const std::vector<Program>& feeds)
      : vocabulary_(vocabulary), parameters_(parameters), feeds_(feeds) {
    // A condition's operators were numbered before the one that watches it.
    for (const OperatorUse& use : uses) hashes_.push_back(of(use));
  }
  const std::vector<std::uint64_t>& all() const { return hashes_; }

 private:
  std::uint64_t of(const OperatorUse& use) const {
    Hash hash;
    hash.add(operator_of(use.kind).name);
    for (const std::int64_t number : {use.window, use.lag, use.pane}) hash.add_number(number);
    hash.add_real(use.slack.scale);
    hash.add_real(use.slack.shift);
    if (use.slack.scale != 0.0) hash.add(parameters_[use.slack.parameter].name);
    if (watches_condition(use)) {
      add_program(hash, feeds_[use.feed]);
      return hash.value();
    }
    const SignalDecl& signal = vocabulary_.signals[use.signal];
    hash.add(signal.name);
    hash.add_number(static_cast<std::int64_t>(signal.kind));
    // Two texts for one unit ("A.h", "A h") may compare unequal here: then the state starts anew, which is safe.
    hash.add(signal.unit_text);
    for (const std::string& state : signal.states) hash.add(state);
    return hash.value();
  }

  void add_program(Hash& hash, const Program& program) const {
    for (const Instruction& step : program) {
      hash.add_number(static_cast<std::int64_t>(step.code));
      hash.add_real(step.number);
      if (step.code == Code::parameter) {
        hash.add(parameters_[step.index].name);
      } else if (step.code == Code::operate || step.code == Code::operate_with) {
        hash.add_number(static_cast<std::int64_t>(hashes_[step.index]));
      } else {
        hash.add_number(step.index);
      }
    }
  }

  const Vocabulary& vocabulary_;
  const std::vector<Parameter>& parameters_;
  const std::vector<Program>& feeds_;
  std::vector<std::uint64_t> hashes_;
};

void renumber(Program& program, const std::vector<std::uint32_t>& rank) {
  for (Instruction& step : program) {
    if (step.code == Code::operate || step.code == Code::operate_with) step.index = rank[step.index];
  }
}

// Orders the operators by what they are, so that a rewritten expression finds its state again, and places their states.
// A feed goes to every operator that watches it. The fingerprints in the order of the states.
std::vector<std::uint64_t> place_operators(CompiledRule& rule, const std::vector<OperatorUse>& uses,
                                           const std::vector<Program>& feeds,
                                           const std::vector<std::uint64_t>& fingerprints) {
  std::vector<std::uint32_t> order(uses.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto key = [&](std::uint32_t i) {
    return std::tuple(uses[i].signal, uses[i].kind, uses[i].window, uses[i].lag, fingerprints[i]);
  };
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); });
  std::vector<std::uint32_t> rank(uses.size());
  std::uint32_t offset = 0;
  for (std::uint32_t r = 0; r < order.size(); ++r) {
    rank[order[r]] = r;
    OperatorUse use = uses[order[r]];
    use.offset = offset;
    offset += static_cast<std::uint32_t>(state_bytes(use));
    rule.uses.push_back(use);
    const bool another = rule.signals.empty() || rule.signals.back() != use.signal;
    if (another && !watches_condition(use)) rule.signals.push_back(use.signal);
    rule.lookback = std::max(rule.lookback, Duration(use.window + use.lag));
  }
  rule.state_bytes = offset;
  for (Program* program : {&rule.when, &rule.clear, &rule.suppress_when}) renumber(*program, rank);
  // In the order in which they were numbered, a condition's own operators stand before the one that watches it.
  for (std::uint32_t i = 0; i < uses.size(); ++i) {
    if (!watches_condition(uses[i])) continue;
    Feed feed{feeds[uses[i].feed], rank[i]};
    renumber(feed.program, rank);
    rule.uses[rank[i]].feed = static_cast<std::uint32_t>(rule.feeds.size());
    rule.feeds.push_back(std::move(feed));
  }
  std::vector<std::uint64_t> placed;
  for (const std::uint32_t i : order) placed.push_back(fingerprints[i]);
  return placed;
}

std::uint64_t signature(const CompiledRule& rule, const std::vector<std::uint64_t>& fingerprints) {
  constexpr std::int64_t kStateLayout = 2;  // raised when the layout or meaning of states changes
  Hash hash;
  hash.add_number(kStateLayout);
  for (const std::uint64_t fingerprint : fingerprints) hash.add_number(static_cast<std::int64_t>(fingerprint));
  for (const Parameter& parameter : rule.parameters) hash.add(parameter.name);
  return hash.value();
}

bool before(const Position& a, const Position& b) {
  return std::tie(a.line, a.column) < std::tie(b.line, b.column);
}

}  // namespace

boost::system::result<std::shared_ptr<const CompiledRule>, Diagnostics> compile(const RuleSource& source,
                                                                                const Vocabulary& vocabulary,
                                                                                const UnitParser& units) {
  Diagnostics diagnostics;
  auto rule = std::make_shared<CompiledRule>();
  rule->id = source.id;
  rule->parameters = read_parameters(source, vocabulary, units, diagnostics);
  std::vector<OperatorUse> uses;
  std::vector<Program> feeds;
  const RuleScope scope{vocabulary, units, rule->parameters, uses, feeds, diagnostics};
  Expression when = compile_expression(source.when, "when", scope);
  check_whole(source, when, uses, diagnostics);
  rule->when = std::move(when.program);
  if (!source.clear.text.empty()) rule->clear = compile_expression(source.clear, "clear", scope).program;
  if (!source.suppress_when.text.empty()) {
    rule->suppress_when = compile_expression(source.suppress_when, "suppress_when", scope).program;
  }
  if (!diagnostics.empty()) {
    std::stable_sort(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& a, const Diagnostic& b) { return before(a.at, b.at); });
    return diagnostics;
  }
  rule->for_ = source.for_;
  rule->keep_for = source.keep_for;
  rule->cooldown = source.cooldown;
  rule->lookback = kShortestLookback;
  const Fingerprints fingerprints(vocabulary, rule->parameters, uses, feeds);
  rule->signature = signature(*rule, place_operators(*rule, uses, feeds, fingerprints.all()));
  return std::shared_ptr<const CompiledRule>(std::move(rule));
}

boost::system::result<double, Diagnostics> read_parameter(const CompiledRule& rule, const std::string& name,
                                                          const Located& text, const UnitParser& units) {
  const auto parameter =
      std::find_if(rule.parameters.begin(), rule.parameters.end(), [&](const Parameter& p) { return p.name == name; });
  if (parameter == rule.parameters.end()) {
    std::vector<std::string_view> known;
    for (const Parameter& p : rule.parameters) known.push_back(p.name);
    return Diagnostics{
        {text.at, "the rule '" + rule.id + "' has no parameter '" + name + "'" + did_you_mean(name, known)}};
  }
  Diagnostics diagnostics;
  const auto quantity = read_quantity(text, units, diagnostics);
  if (!quantity) return diagnostics;
  const std::string expected = parameter->unit_text.empty() ? "a plain number" : "a number in " + parameter->unit_text;
  const bool bare = quantity->unit_text.empty() && !parameter->unit_text.empty() && parameter->unit.scale != 1.0;
  if (!commensurable(quantity->unit, parameter->unit) || bare) {
    return Diagnostics{
        {text.at, "the parameter '" + name + "' expects " + expected + " or in a unit that converts to it, found " +
                      (quantity->unit_text.empty() ? "a plain number" : "a number in " + quantity->unit_text)}};
  }
  if (!(quantity->unit == parameter->unit) && (quantity->unit.offset != 0.0 || parameter->unit.offset != 0.0)) {
    return Diagnostics{{text.at, "the parameter '" + name +
                                     "' may be a temperature or a difference, which convert "
                                     "differently; write it in " +
                                     parameter->unit_text}};
  }
  return {boost::system::in_place_value, convert(quantity->value, quantity->unit, parameter->unit)};
}

const std::vector<SignalIndex>& signals_of(const CompiledRule& rule) {
  return rule.signals;
}
Duration lookback_of(const CompiledRule& rule) {
  return rule.lookback;
}
std::uint64_t signature_of(const CompiledRule& rule) {
  return rule.signature;
}

std::vector<ParameterValue> parameters_of(const CompiledRule& rule) {
  std::vector<ParameterValue> values;
  for (const Parameter& parameter : rule.parameters) {
    values.push_back({parameter.name, parameter.value, parameter.unit_text});
  }
  return values;
}

std::size_t state_bytes_of(const CompiledRule& rule) {
  return sizeof(Episode) + rule.parameters.size() * sizeof(double) + rule.state_bytes;
}

}  // namespace fettle::rules
