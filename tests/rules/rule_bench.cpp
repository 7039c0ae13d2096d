#include "tests/rules/rule_bench.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <ostream>
#include <utility>

namespace fettle::rules {
namespace {

Unit unit(std::initializer_list<std::pair<int, int>> powers, double scale = 1.0, double offset = 0.0) {
  Unit u;
  for (const auto& [base, power] : powers) u.powers[static_cast<std::size_t>(base)] = static_cast<std::int8_t>(power);
  u.scale = scale;
  u.offset = offset;
  return u;
}

constexpr int kM = 0;
constexpr int kKg = 1;
constexpr int kS = 2;
constexpr int kA = 3;
constexpr int kK = 4;

SignalDecl signal(std::string name, SignalKind kind, const std::string& unit_text) {
  return {std::move(name), kind, test_units(unit_text).value(), unit_text, {}};
}

std::vector<RuleInstance> instances(const std::vector<RuleSource>& sources) {
  std::vector<RuleInstance> all;
  for (const RuleSource& source : sources) all.push_back({compiled(source), {}});
  return all;
}

std::string clock_text(Time time) {
  const auto minutes = std::chrono::duration_cast<std::chrono::milliseconds>(time - at(Duration(0))).count();
  std::array<char, 64> text{};
  const long long seconds = minutes / 1000;
  std::snprintf(text.data(), text.size(), "%02lld:%02lld", seconds / 3600, seconds / 60 % 60);
  std::string shown = text.data();
  if (seconds % 60 != 0) shown += ":" + std::to_string(seconds % 60);
  if (minutes % 1000 != 0) shown += "." + std::to_string(minutes % 1000);
  return shown;
}

}  // namespace

std::optional<Unit> test_units(std::string_view text) {
  static const std::vector<std::pair<std::string_view, Unit>> known = {
      {"1", unit({})},
      {"%", unit({}, 0.01)},
      {"m", unit({{kM, 1}})},
      {"mm", unit({{kM, 1}}, 1e-3)},
      {"s", unit({{kS, 1}})},
      {"min", unit({{kS, 1}}, 60.0)},
      {"h", unit({{kS, 1}}, 3600.0)},
      {"d", unit({{kS, 1}}, 86400.0)},
      {"Pa", unit({{kKg, 1}, {kM, -1}, {kS, -2}})},
      {"bar", unit({{kKg, 1}, {kM, -1}, {kS, -2}}, 1e5)},
      {"K", unit({{kK, 1}})},
      {"degC", unit({{kK, 1}}, 1.0, 273.15)},
      {"degF", unit({{kK, 1}}, 5.0 / 9.0, 459.67 * 5.0 / 9.0)},
      {"A.h", unit({{kA, 1}, {kS, 1}}, 3600.0)},
      {"V", unit({{kKg, 1}, {kM, 2}, {kS, -3}, {kA, -1}})},
      {"mm/s", unit({{kM, 1}, {kS, -1}}, 1e-3)},
      {"m/s", unit({{kM, 1}, {kS, -1}})},
  };
  for (const auto& [name, value] : known) {
    if (name == text) return value;
  }
  return std::nullopt;
}

const Vocabulary& test_vocabulary() {
  static const Vocabulary vocabulary{{
                                         signal("pressure", SignalKind::gauge, "bar"),
                                         signal("temperature", SignalKind::gauge, "degC"),
                                         signal("speed", SignalKind::gauge, "m/s"),
                                         signal("level", SignalKind::gauge, "%"),
                                         {"mode", SignalKind::state, Unit{}, "1", {"normal", "inspection", "fire"}},
                                         signal("capacity", SignalKind::event, "A.h"),
                                         signal("hours", SignalKind::reg, "h"),
                                         signal("ambient", SignalKind::gauge, "degF"),
                                         signal("ratio", SignalKind::gauge, "1"),
                                     },
                                     std::chrono::minutes(15)};
  return vocabulary;
}

RuleSource rule_when(std::string when) {
  RuleSource source;
  source.id = "rule";
  source.when = {std::move(when), {1, 1}};
  return source;
}

std::shared_ptr<const CompiledRule> compiled(const RuleSource& source) {
  const auto result = compile(source, test_vocabulary(), test_units);
  if (result) return *result;
  for (const Diagnostic& error : result.error()) {
    ADD_FAILURE() << source.when.text << "\n" << error.at.line << ":" << error.at.column << ": " << error.message;
  }
  throw std::runtime_error("the rule does not compile");
}

Diagnostics errors_of(const RuleSource& source) {
  const auto result = compile(source, test_vocabulary(), test_units);
  return result ? Diagnostics{} : result.error();
}

Time at(Duration after) {
  return Time(std::chrono::sys_days(std::chrono::year(2026) / 1 / 5)) + after;
}

SignalReading reading(SignalIndex signal, double value, Quality quality) {
  return {signal, value, quality};
}

std::vector<std::string> shown(const std::vector<Transition>& transitions) {
  std::vector<std::string> all;
  for (const Transition& t : transitions) {
    std::string text = t.rule == 0 ? "" : std::to_string(t.rule) + " ";
    if (t.kind == TransitionKind::raised) {
      text += "raised " + clock_text(t.at) + " since " + clock_text(t.since);
    } else {
      text += "cleared " + clock_text(t.at) + (t.reason == ClearReason::not_entitled ? " not entitled" : "");
    }
    all.push_back(text);
  }
  return all;
}

RuleBench::RuleBench(const RuleSource& source, Duration max_gap) : RuleBench(std::vector{source}, max_gap) {}

RuleBench::RuleBench(const std::vector<RuleSource>& sources, Duration max_gap)
    : rules_(instances(sources), test_vocabulary().signals.size(), max_gap) {}

void RuleBench::read(Duration after, std::initializer_list<SignalReading> readings) {
  rules_.apply(at(after), at(after), std::vector<SignalReading>(readings), out_);
}

void RuleBench::advance(Duration after) {
  rules_.advance(at(after), at(after), out_);
}

}  // namespace fettle::rules
