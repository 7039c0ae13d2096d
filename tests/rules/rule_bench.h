#pragma once
// What the tests of rules share: a few units, the signals of a made-up model, rules from text, readings by the minute.

#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/asset_rules.h"
#include "rules/rule.h"

namespace fettle::rules {

// Knows 1 % m mm s min h d bar Pa K degC degF A.h V mm/s m/s.
std::optional<Unit> test_units(std::string_view text);

// 0 pressure (bar gauge), 1 temperature (degC gauge), 2 speed (m/s gauge), 3 level (% gauge), 4 mode (state: normal,
// inspection, fire), 5 capacity (A.h event), 6 hours (h register), 7 ambient (degF gauge), 8 ratio (plain gauge).
const Vocabulary& test_vocabulary();

enum Signals : SignalIndex { kPressure, kTemperature, kSpeed, kLevel, kMode, kCapacity, kHours, kAmbient, kRatio };

// A rule whose only expression is `when`.
RuleSource rule_when(std::string when);

// The compiled rule; a rule that does not compile fails the test with its diagnostics.
std::shared_ptr<const CompiledRule> compiled(const RuleSource& source);

// What compile() says against it; empty where it compiles.
Diagnostics errors_of(const RuleSource& source);

// 2026-01-05T00:00Z, a Monday, and `after` it.
Time at(Duration after);

SignalReading reading(SignalIndex signal, double value, Quality quality = Quality::good);

// "raised 02:00 since 00:00" ... one per transition, relative to at(0), rule number first where it is not 0.
std::vector<std::string> shown(const std::vector<Transition>& transitions);

// One asset with one rule, or some.
class RuleBench {
 public:
  explicit RuleBench(const RuleSource& source, Duration max_gap = std::chrono::minutes(15));
  explicit RuleBench(const std::vector<RuleSource>& sources, Duration max_gap = std::chrono::minutes(15));

  // Readings of one event time; the tick is the same.
  void read(Duration after, std::initializer_list<SignalReading> readings);
  void advance(Duration after);

  AssetRules& rules() { return rules_; }
  const std::vector<Transition>& transitions() const { return out_; }
  std::vector<Transition>& out() { return out_; }
  std::vector<std::string> log() const { return shown(out_); }

 private:
  AssetRules rules_;
  std::vector<Transition> out_;
};

}  // namespace fettle::rules
