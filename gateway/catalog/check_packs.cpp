#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/catalog/checks.h"
#include "gateway/catalog/rule_tests.h"
#include "gateway/catalog/suggestion.h"
#include "gateway/catalog/texts.h"
#include "gateway/catalog/units.h"
#include "rules/duration.h"
#include "rules/rule.h"

namespace fettle::catalog {
namespace {

using std::chrono::milliseconds;

rules::SignalKind kind_of(const Signal& signal) {
  switch (signal.kind()) {
    case REGISTER:
      return rules::SignalKind::reg;
    case EVENT:
      return rules::SignalKind::event;
    case STATE:
      return rules::SignalKind::state;
    default:
      return rules::SignalKind::gauge;
  }
}

rules::Vocabulary vocabulary_of(const Model& model) {
  rules::Vocabulary result;
  for (const Signal& signal : model.signals()) {
    rules::SignalDecl decl;
    decl.name = signal.name();
    decl.kind = kind_of(signal);
    decl.unit = parse_unit(signal.unit()).value_or(rules::Unit{});
    decl.unit_text = signal.unit();
    decl.states.assign(signal.states().begin(), signal.states().end());
    result.signals.push_back(std::move(decl));
  }
  result.max_gap = milliseconds(model.max_gap_ms());
  return result;
}

rules::Located located(const Located& text) {
  return {text.text(), {text.line(), text.column()}};
}

rules::RuleSource source_of(const Rule& rule) {
  rules::RuleSource source;
  source.id = rule.id();
  const std::map<std::string, Located> ordered(rule.parameters().begin(), rule.parameters().end());
  for (const auto& [name, text] : ordered) source.parameters.emplace_back(name, located(text));
  source.when = located(rule.when());
  source.clear = located(rule.clear());
  source.suppress_when = located(rule.suppress_when());
  source.for_ = milliseconds(rule.for_ms());
  source.keep_for = milliseconds(rule.keep_for_ms());
  source.cooldown = milliseconds(rule.cooldown_ms());
  return source;
}

using Compiled = std::map<std::pair<std::string, std::string>, std::shared_ptr<const rules::CompiledRule>>;

void each_scalar(const YamlNode& node, const std::function<void(const YamlNode&)>& see) {
  if (node.kind == YamlNode::Kind::scalar) see(node);
  for (const YamlNode* item : node.items) each_scalar(*item, see);
  for (const YamlNode::Member& member : node.members) each_scalar(*member.value, see);
}

// The scalars of a rule that hold expressions, and those of its tests.
void each_expression(const YamlNode& rule, const std::function<void(const YamlNode&)>& see) {
  for (const std::string_view key : {"when", "clear", "suppress_when"}) {
    const YamlNode* node = rule.find(key);
    if (node != nullptr && node->kind == YamlNode::Kind::scalar) see(*node);
  }
  const YamlNode* parameters = rule.find("parameters");
  if (parameters != nullptr) {
    for (const YamlNode::Member& member : parameters->members) {
      if (member.value->kind == YamlNode::Kind::scalar) see(*member.value);
    }
  }
  if (const YamlNode* tests = rule.find("tests")) each_scalar(*tests, see);
}

// The byte of `text` at a place that was counted with the text beginning at `begin`; nothing where it lies outside.
std::optional<std::size_t> offset_in(std::string_view text, rules::Position begin, rules::Position at) {
  if (at.line < begin.line) return std::nullopt;
  std::size_t start = 0;
  for (int line = begin.line; line < at.line; ++line) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string_view::npos) return std::nullopt;
    start = end + 1;
  }
  const int column = at.line == begin.line ? at.column - begin.column : at.column - 1;
  const std::size_t end = std::min(text.find('\n', start), text.size());
  if (column < 0 || start + static_cast<std::size_t>(column) > end) return std::nullopt;
  return start + static_cast<std::size_t>(column);
}

// The compiler sees the text alone: it knows nothing of the indentation of further lines, of folding and of quotes.
rules::Position place_in_file(const YamlFile& file, const YamlNode& rule, rules::Position at) {
  rules::Position result = at;
  bool found = false;
  each_expression(rule, [&](const YamlNode& node) {
    if (found) return;
    const auto offset = offset_in(node.text, node.at, at);
    if (!offset) return;
    result = file.position_in(node, *offset);
    found = true;
  });
  return result;
}

// A model whose signals are themselves at fault would only fault its rules a second time.
bool readable(const Model& model) {
  return std::all_of(model.signals().begin(), model.signals().end(), [](const Signal& signal) {
    return !signal.name().empty() && !signal.unit().empty() && signal.kind() != SIGNAL_KIND_UNSPECIFIED;
  });
}

// Reports what is wrong in a text of the rule at the text's own place.
void report_in_rule(const Whole& whole, const Item& item, int index, const rules::Diagnostic& diagnostic,
                    const std::string& what) {
  const RulePack& pack = item.entry->pack();
  const Rule& rule = pack.rules(index);
  const std::string message = "rule " + rule.id() + what + ": " + diagnostic.message;
  if (item.declared == nullptr) {
    whole.report(item, {},
                 message + " (" + pack.file() + ":" + std::to_string(diagnostic.at.line) + ":" +
                     std::to_string(diagnostic.at.column) + ")",
                 whole.find(Entry::kModel, rule.model()));
    return;
  }
  const YamlNode& node = walk(*item.declared->node, {"rules", index});
  whole.diagnostics().add(item.declared->file->name(), place_in_file(*item.declared->file, node, diagnostic.at),
                          "pack " + pack.id() + ": " + message);
}

// ---- a rule's tests
// ----------------------------------------------------------------------------------------------------

rules::Position place_of(const Located& text) {
  return {text.line(), text.column()};
}

// A bound that lies behind the last reading is never reached.
void check_bound(const Located& text, milliseconds end, rules::Diagnostics& out) {
  const auto range = read_range(text.text());
  if (!range || range->least <= end) return;
  out.push_back({place_of(text), "\"" + text.text() + "\" lies behind the end of the test's readings, " +
                                     rules::duration_text(end) + " after its begin; let them last longer"});
}

rules::Diagnostics faults_of(const RuleTest& test, const Model& model, const rules::CompiledRule& compiled) {
  rules::Diagnostics found;
  const auto timeline = read_timeline(test, model);
  if (timeline.has_error()) {
    found = timeline.error();
  } else {
    for (const TestExpectation& each : test.expect()) {
      check_bound(each.raised_after(), timeline->end, found);
      check_bound(each.cleared_after(), timeline->end, found);
    }
  }
  const std::map<std::string, Located> ordered(test.parameters().begin(), test.parameters().end());
  for (const auto& [name, text] : ordered) {
    const auto value = rules::read_parameter(compiled, name, located(text), unit_parser());
    if (!value.has_error()) continue;
    const rules::Diagnostics faults = value.error();
    found.insert(found.end(), faults.begin(), faults.end());
  }
  return found;
}

// A test that the rule could have: its first signal at rest.
std::string example_test(const Model& model, const rules::CompiledRule& compiled) {
  const auto& signals = rules::signals_of(compiled);
  if (signals.empty() || signals.front() >= static_cast<std::uint32_t>(model.signals_size())) return {};
  const Signal& signal = model.signals(static_cast<int>(signals.front()));
  std::string value = "1";
  if (signal.kind() == STATE) {
    value = signal.states(0);
  } else if (signal.unit() != "1") {
    value += ' ' + signal.unit();
  }
  return "tests: [{name: what is normal raises nothing, readings: {" + signal.name() + ": \"constant(" + value +
         ", 1d, every 5m)\"}, expect: [{none: true}]}]";
}

void check_tests(const Whole& whole, const Item& item, int index, const rules::CompiledRule& compiled,
                 RuleTests wanted) {
  const Rule& rule = item.entry->pack().rules(index);
  const Model& model = *whole.model(rule.model());
  // What was in force with this very model has been checked.
  if (item.declared == nullptr && whole.find(Entry::kModel, model.id())->declared == nullptr) return;
  for (const RuleTest& test : rule.tests()) {
    for (const rules::Diagnostic& fault : faults_of(test, model, compiled)) {
      report_in_rule(whole, item, index, fault, ", test \"" + test.name().text() + "\"");
    }
  }
  if (wanted == RuleTests::optional || item.declared == nullptr || rule.tests_size() > 0) return;
  const YamlNode* written = walk(*item.declared->node, {"rules", index}).find("tests");
  if (written != nullptr && written->kind != YamlNode::Kind::sequence) return;  // reported where it was read
  whole.report(item, {"rules", index},
               "rule " + rule.id() +
                   " has no test, and a rule is taken with one at least; say when it must raise and " +
                   "when not, such as: " + example_test(model, compiled));
}

void compile_rule(const Whole& whole, const Item& item, int index, RuleTests wanted, Compiled& compiled) {
  const RulePack& pack = item.entry->pack();
  const Rule& rule = pack.rules(index);
  if (!whole.refers(item, {"rules", index, "model"}, Entry::kModel, rule.model())) return;
  const Model& model = *whole.model(rule.model());
  if (rule.when().text().empty() || !readable(model)) return;  // reported
  auto result = rules::compile(source_of(rule), vocabulary_of(model), unit_parser());
  if (result.has_value()) {
    compiled[{pack.id(), rule.id()}] = *result;
    check_tests(whole, item, index, **result, wanted);
    return;
  }
  for (const rules::Diagnostic& diagnostic : result.error()) report_in_rule(whole, item, index, diagnostic, "");
}

// ---- an asset's own parameters
// -----------------------------------------------------------------------------------------

struct ParameterName {
  std::string pack;
  std::string rule;
  std::string parameter;
};

std::optional<ParameterName> split(const std::string& text) {
  const std::size_t dot = text.rfind('.');
  const std::size_t slash = dot == std::string::npos ? dot : text.rfind('/', dot);
  if (slash == std::string::npos || slash == 0 || dot == slash + 1 || dot + 1 == text.size()) return std::nullopt;
  return ParameterName{text.substr(0, slash), text.substr(slash + 1, dot - slash - 1), text.substr(dot + 1)};
}

const Rule* rule_of(const RulePack& pack, const std::string& id, std::vector<std::string>& known) {
  for (const Rule& rule : pack.rules()) {
    if (rule.id() == id) return &rule;
    known.push_back(rule.id());
  }
  return nullptr;
}

void check_parameter(const Whole& whole, const Item& item, const std::string& key, const std::string& text,
                     const Compiled& compiled) {
  const Asset& asset = item.entry->asset();
  const Path place = {"parameters", key};
  const auto name = split(key);
  if (!name) {
    whole.report(item, place, "\"" + key + "\" names no parameter; expected pack/rule.parameter", nullptr, At::key);
    return;
  }
  if (!whole.refers(item, place, Entry::kPack, name->pack, At::key)) return;
  const Item* cause = whole.find(Entry::kPack, name->pack);
  std::vector<std::string> known;
  const Rule* rule = rule_of(*whole.pack(name->pack), name->rule, known);
  if (rule == nullptr) {
    const std::string near = nearest(name->rule, known);
    whole.report(
        item, place,
        "pack " + name->pack + " has no rule " + name->rule + (near.empty() ? "" : "; did you mean " + near + "?"),
        cause, At::key);
    return;
  }
  if (rule->model() != asset.model()) {
    whole.report(item, place,
                 "rule " + rule->id() + " watches model " + rule->model() + ", and this asset is of model " +
                     asset.model() + "; remove the parameter",
                 cause, At::key);
    return;
  }
  const auto program = compiled.find({name->pack, name->rule});
  if (program == compiled.end()) return;  // the rule itself was reported
  rules::Located located{text, {1, 1}};
  if (item.declared != nullptr) located.at = walk(*item.declared->node, place).at;
  const auto value = rules::read_parameter(*program->second, name->parameter, located, unit_parser());
  if (value.has_value()) return;
  for (const rules::Diagnostic& diagnostic : value.error()) {
    whole.report(item, place, "parameter " + key + ": " + diagnostic.message, cause);
  }
}

}  // namespace

void check_packs(const Whole& whole, RuleTests wanted) {
  Compiled compiled;
  for (const auto& [id, item] : whole.of(Entry::kPack)) {
    for (int i = 0; i < item.entry->pack().rules_size(); ++i) compile_rule(whole, item, i, wanted, compiled);
  }
  for (const auto& [id, item] : whole.of(Entry::kAsset)) {
    const auto& parameters = item.entry->asset().parameters();
    const std::map<std::string, std::string> ordered(parameters.begin(), parameters.end());
    for (const auto& [key, text] : ordered) check_parameter(whole, item, key, text, compiled);
  }
}

}  // namespace fettle::catalog
