// The operators that watch a condition: time_in, count_within, then. A rule is run over a random series; what its
// condition should have been at each reading follows from the truth of the inner condition at all readings so far.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "rules/operator_state.h"
#include "rules/program.h"
#include "tests/rules/naive.h"
#include "tests/rules/rule_bench.h"

namespace fettle::rules {
namespace {

using namespace std::chrono_literals;

constexpr Duration kMaxGap = 15min;

// A condition's value at the readings so far: 1, 0 or NaN.
struct Truths {
  std::vector<Heard> a;
  std::vector<Heard> b;
};

std::int64_t window_begin(std::int64_t now, std::int64_t window, std::int64_t pane) {
  return floor_to(now, pane) + pane - window;
}

double naive_time_in(const std::vector<Heard>& a, std::int64_t window) {
  const std::int64_t now = a.back().at;
  if (std::isnan(a.back().value)) return kUnknown;
  const std::int64_t from = window_begin(now, window, panes_of(window, 0)->pane);
  std::int64_t known = 0;
  std::int64_t held = 0;
  for (std::size_t i = 0; i + 1 < a.size(); ++i) {
    const std::int64_t end = std::min(a[i + 1].at, a[i].at + kMaxGap.count());
    const std::int64_t lasted = std::max<std::int64_t>(end - std::max(a[i].at, from), 0);
    if (!std::isnan(a[i].value)) known += lasted;
    if (a[i].value == 1.0) held += lasted;
  }
  return known > 0 && 2 * known >= window ? static_cast<double>(held) / 1000.0 : kUnknown;
}

double naive_count(const std::vector<Heard>& a, std::int64_t window) {
  const std::int64_t now = a.back().at;
  if (std::isnan(a.back().value)) return kUnknown;
  const std::int64_t from = window_begin(now, window, panes_of(window, 0)->pane);
  double count = 0.0;
  double before = kUnknown;
  std::int64_t first = kNever;
  for (const Heard& h : a) {
    if (std::isnan(h.value)) continue;
    if (first == kNever) first = h.at;
    if (before == 0.0 && h.value == 1.0 && h.at >= from) count += 1.0;
    before = h.value;
  }
  return 2 * (now - first) >= window ? count : kUnknown;
}

double naive_then(const Truths& truths, std::int64_t within) {
  const std::vector<Heard>& a = truths.a;
  const std::int64_t now = a.back().at;
  bool recent = a.back().value == 1.0;
  for (std::size_t i = 0; i + 1 < a.size(); ++i) {
    const std::int64_t until = std::min(a[i + 1].at, a[i].at + kMaxGap.count());
    if (a[i].value == 1.0 && now - until <= within) recent = true;
  }
  const double first = recent ? 1.0 : std::isnan(a.back().value) ? kUnknown : 0.0;
  const double second = truths.b.back().value;
  if (first == 0.0 || second == 0.0) return 0.0;
  return std::isnan(first) || std::isnan(second) ? kUnknown : 1.0;
}

double truth(double value, double limit) {
  return std::isnan(value) ? kUnknown : value > limit ? 1.0 : 0.0;
}

// The clear condition is the negation of `when`, and nothing is delayed: a rule is raised from where its condition is
// known to be true until where it is known to be false.
struct Law {
  std::string when;
  std::function<double(const Truths&)> naive;
};

const std::vector<Law>& laws() {
  constexpr std::int64_t kWindow = 2 * kHour;
  static const std::vector<Law> all = {
      {"time_in(ratio > 0.5, 2h) >= 20 min",
       [](const Truths& t) {
         const double seconds = naive_time_in(t.a, kWindow);
         return std::isnan(seconds) ? kUnknown : seconds >= 1200.0 ? 1.0 : 0.0;
       }},
      {"count_within(ratio > 0.5, 2h) > 3", [](const Truths& t) { return truth(naive_count(t.a, kWindow), 3.0); }},
      {"ratio > 0.5 then pressure > 0.5 bar within 4m", [](const Truths& t) { return naive_then(t, 4 * kMinute); }},
  };
  return all;
}

TEST(EveryWatchingOperator, EqualsTheNaiveModelOnAThousandRandomSeries) {
  std::vector<RuleSource> sources;
  for (const Law& law : laws()) sources.push_back(rule_when(law.when));
  std::vector<RuleInstance> instances;
  for (const RuleSource& source : sources) instances.push_back({compiled(source), {}});
  std::vector<std::size_t> raised(laws().size(), 0);
  for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
    std::mt19937 random(seed);
    const auto chance = [&](double p) { return std::bernoulli_distribution(p)(random); };
    std::normal_distribution<double> noise(0.0, 1.0);
    AssetRules rules(instances, test_vocabulary().signals.size(), kMaxGap);
    std::vector<bool> expected(laws().size(), false);
    Truths truths;
    std::vector<Transition> out;
    Duration now = 0s;
    double ratio = 0.0;
    for (int i = 0; i < 60; ++i) {
      now += std::chrono::milliseconds(std::uniform_int_distribution<int>(1, 400'000)(random));
      if (chance(0.03)) now += std::chrono::minutes(std::uniform_int_distribution<int>(1, 300)(random));
      ratio = chance(0.5) ? noise(random) : ratio;
      const double heard = chance(0.04) ? kUnknown : ratio;
      const double pressure = noise(random);
      const auto quality = std::isnan(heard) ? Quality::bad : Quality::good;
      const std::vector<SignalReading> readings = {reading(kRatio, std::isnan(heard) ? 0.0 : heard, quality),
                                                   reading(kPressure, pressure)};
      rules.apply(at(now), at(now), readings, out);
      if (chance(0.1)) rules.apply(at(now), at(now), readings, out);  // twice
      if (chance(0.1)) {                                              // late: older than what is known of the signal
        const SignalReading late = reading(kRatio, 9.0);
        rules.apply(at(now - 1ms), at(now), {&late, 1}, out);
      }
      truths.a.push_back({at(now).time_since_epoch().count(), truth(heard, 0.5)});
      truths.b.push_back({at(now).time_since_epoch().count(), truth(pressure, 0.5)});
      for (std::size_t r = 0; r < laws().size(); ++r) {
        const double condition = laws()[r].naive(truths);
        if (!std::isnan(condition)) expected[r] = condition == 1.0;
        ASSERT_EQ(rules.raised(r), expected[r]) << "seed " << seed << ", reading " << i << ": " << laws()[r].when;
        raised[r] += expected[r] ? 1 : 0;
      }
    }
  }
  for (std::size_t r = 0; r < raised.size(); ++r) {
    EXPECT_GT(raised[r], 1500U) << laws()[r].when;
    EXPECT_LT(raised[r], 50'000U) << laws()[r].when;
  }
}

// ---- one by one
// --------------------------------------------------------------------------------------------------------

struct WatchCase {
  std::string name;
  std::string when;
  std::vector<std::pair<Duration, double>> ratio;  // NaN: bad
  std::vector<std::string> expected;
};

void PrintTo(const WatchCase& c, std::ostream* out) {
  *out << c.name;
}

class Watch : public testing::TestWithParam<WatchCase> {};

TEST_P(Watch, Raises) {
  RuleBench bench(rule_when(GetParam().when), 1h);
  for (const auto& [after, value] : GetParam().ratio) {
    const bool bad = std::isnan(value);
    bench.read(after, {reading(kRatio, bad ? 0.0 : value, bad ? Quality::bad : Quality::good)});
  }
  EXPECT_EQ(bench.log(), GetParam().expected);
}

using Log = std::vector<std::string>;
const double kBad = kUnknown;

INSTANTIATE_TEST_SUITE_P(
    Table, Watch,
    testing::Values(WatchCase{"time_in adds up what was true",
                              "time_in(ratio > 1, 2h) >= 40 min",
                              {{0min, 2}, {20min, 0}, {50min, 2}, {60min, 2}, {70min, 0}, {71min, 0}},
                              Log{"raised 01:10 since 01:10"}},
                    WatchCase{"time_in forgets what left the window",
                              "time_in(ratio > 1, 2h) >= 40 min",
                              {{0min, 2}, {40min, 0}, {80min, 0}, {125min, 0}},
                              Log{"raised 01:20 since 01:20", "cleared 02:05"}},
                    WatchCase{"time_in is unknown where less than half is known",
                              "time_in(ratio > 1, 2h) < 1 min",
                              {{0min, 0}, {40min, kBad}, {60min, kBad}, {90min, 0}, {109min, 0}, {110min, 0}},
                              Log{"raised 01:50 since 01:50"}},
                    WatchCase{"count_within counts how often it became true",
                              "count_within(ratio > 1, 1h) >= 2",
                              {{0min, 0}, {10min, 2}, {20min, 2}, {30min, 0}, {40min, 2}},
                              Log{"raised 00:40 since 00:40"}},
                    WatchCase{"what was true from the start did not become so",
                              "count_within(ratio > 1, 1h) >= 1",
                              {{0min, 2}, {30min, 2}, {40min, 0}, {50min, 2}},
                              Log{"raised 00:50 since 00:50"}},
                    WatchCase{"what was true before and after a bad reading did not become so",
                              "count_within(ratio > 1, 1h) >= 1",
                              {{0min, 0}, {10min, 2}, {40min, 2}, {50min, kBad}, {100min, 2}, {105min, 2}},
                              Log{"raised 00:40 since 00:40", "cleared 01:40"}},
                    WatchCase{"then needs the first before the second",
                              "ratio > 2 then ratio < 1 within 10m",
                              {{0min, 0}, {5min, 3}, {10min, 0}},
                              Log{"raised 00:10 since 00:10"}},
                    WatchCase{"then looks back from the end of the first",
                              "ratio > 2 then ratio < 1 within 10m",
                              {{0min, 3}, {30min, 1.5}, {40min, 0}, {41min, 0}},
                              Log{"raised 00:40 since 00:40", "cleared 00:41"}},
                    WatchCase{"then at one time counts",
                              "ratio > 2 then ratio > 1 within 10m",
                              {{0min, 3}},
                              Log{"raised 00:00 since 00:00"}},
                    WatchCase{"then is unknown while its first is and was not lately",
                              "!(ratio > 2 then true within 10m)",
                              {{0min, kBad}, {1min, 0}},
                              Log{"raised 00:01 since 00:01"}},
                    WatchCase{"one sequence in another",
                              "(ratio > 3 then ratio < 1 within 10m) then ratio > 2 within 10m",
                              {{0min, 4}, {5min, 0}, {10min, 2.5}},
                              Log{"raised 00:10 since 00:10"}},
                    WatchCase{"a count of a mean",
                              "count_within(mean(ratio, 10m) > 1, 1h) >= 1",
                              {{0min, 0}, {10min, 0}, {20min, 0}, {30min, 0}, {40min, 9}, {50min, 9}},
                              Log{"raised 00:50 since 00:50"}}));

TEST(AWatchedCondition, IsWatchedWithoutEntitlementToo) {
  RuleBench bench(rule_when("count_within(ratio > 1, 1h) >= 2"));
  bench.rules().set_entitled(0, false, at(0s), bench.out());
  for (int minute = 0; minute < 40; minute += 5) {
    bench.read(std::chrono::minutes(minute), {reading(kRatio, minute % 10 == 0 ? 0 : 2)});
  }
  EXPECT_TRUE(bench.log().empty());
  bench.rules().set_entitled(0, true, at(36min), bench.out());
  bench.read(40min, {reading(kRatio, 0)});
  EXPECT_EQ(bench.log(), Log{"raised 00:40 since 00:40"});
}

TEST(AWatchedCondition, OfALostSessionIsUnknownFromThenOn) {
  RuleBench bench(rule_when("time_in(ratio > 1, 1h) > 25 min"), 1h);
  bench.read(0min, {reading(kRatio, 2)});
  bench.advance(20min);
  const std::vector<SignalIndex> lost = {kRatio};
  bench.rules().mark_stale(lost, at(20min));
  bench.read(40min, {reading(kRatio, 2)});  // 20 min are known
  bench.read(44min, {reading(kRatio, 2)});
  EXPECT_TRUE(bench.log().empty());
  bench.read(50min, {reading(kRatio, 2)});
  EXPECT_EQ(bench.log(), Log{"raised 00:50 since 00:50"});
}

TEST(AWatchedCondition, MayBeASilence) {
  RuleBench bench(rule_when("count_within(absent(ratio, 10m), 3h) >= 2"), 1h);
  for (const int minute : {0, 5, 100, 105, 110, 150}) {
    bench.read(std::chrono::minutes(minute), {reading(kRatio, 1)});
    bench.read(std::chrono::minutes(minute), {reading(kRatio, 1)});
  }
  EXPECT_EQ(bench.log(), Log{"raised 02:00 since 02:00"});
}

TEST(AWatchedCondition, ThatTwoOperatorsWatchIsCompiledOnce) {
  const auto rule = compiled(rule_when("time_in(ratio > 1, 1h) > 5 min && time_in(ratio > 1, 1h) < 9 min"));
  EXPECT_EQ(rule->feeds.size(), 1U);
  EXPECT_EQ(rule->uses.size(), 2U);
}

TEST(AWatchedCondition, IsPartOfTheSignature) {
  const auto signature = [](const std::string& when) { return signature_of(*compiled(rule_when(when))); };
  const std::uint64_t rule = signature("time_in(ratio > 1, 1h) > 5 min && count_within(ratio > 2, 1h) > 1");
  EXPECT_EQ(rule, signature("count_within(ratio > 2, 1h) > 7 || time_in(ratio > 1, 1h) > 9 min"));
  EXPECT_NE(rule, signature("time_in(ratio > 2, 1h) > 5 min && count_within(ratio > 1, 1h) > 1"));
  EXPECT_NE(rule, signature("time_in(ratio > 1.5, 1h) > 5 min && count_within(ratio > 2, 1h) > 1"));
  EXPECT_NE(signature("time_in(ratio > 1, 1h) > 5 min && time_in(ratio > 2, 1h) > 5 min"),
            signature("time_in(ratio > 1, 1h) > 5 min && time_in(ratio > 3, 1h) > 5 min"));
}

TEST(AWatchedCondition, FindsItsStateInARewrittenRule) {
  RuleBench bench(rule_when("count_within(ratio > 2, 1h) > 1 || count_within(ratio > 1, 1h) > 500"));
  for (int minute = 0; minute < 50; ++minute) {
    bench.read(std::chrono::minutes(minute), {reading(kRatio, minute % 2 == 0 ? 0 : minute % 3)});
  }
  std::string bytes;
  bench.rules().save(0, bytes);
  RuleBench rewritten(rule_when("count_within(ratio > 1, 1h) > 500 || count_within(ratio > 2, 1h) == 0"));
  ASSERT_TRUE(rewritten.rules().load(0, bytes));
  rewritten.read(51min, {reading(kRatio, 0)});
  EXPECT_EQ(rewritten.log(), Log{"raised 00:51 since 00:51"});  // never above 2, though 8 times above 1
}

}  // namespace
}  // namespace fettle::rules
