// The operators that keep a few numbers, and the functions that keep none: against naive models, and one by one.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "rules/program.h"
#include "rules/zones.h"
#include "tests/rules/naive.h"
#include "tests/rules/rule_bench.h"

namespace fettle::rules {
namespace {

using namespace std::chrono_literals;
using enum OperatorKind;

constexpr SignalKind kGauge = SignalKind::gauge;
constexpr SignalKind kEvent = SignalKind::event;
constexpr double kNothing = kUnknown;

// ---- the naive models
// --------------------------------------------------------------------------------------------------

constexpr double kSlack = 0.25;

std::vector<Heard> last_of_each_time(const std::vector<Heard>& heard) {
  std::map<std::int64_t, double> by_time;
  for (const Heard& h : heard) by_time[h.at] = h.value;
  std::vector<Heard> all;
  for (const auto& [at, value] : by_time) all.push_back({at, value});
  return all;
}

double naive_step(OperatorKind kind, const std::vector<Heard>& heard, std::int64_t now, double n) {
  const std::vector<Heard> all = last_of_each_time(heard);
  double before = kUnknown;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    if (!std::isnan(all[i].value)) before = all[i].value;
  }
  if (std::isnan(all.back().value) || std::isnan(before)) return kUnknown;
  if (kind == prev) return before;
  const bool just_came = now == all.back().at;
  if (kind == changed) return just_came && all.back().value != before ? 1.0 : 0.0;
  return just_came && std::floor(all.back().value / n) > std::floor(before / n) ? 1.0 : 0.0;
}

// 2^(-age / half-life), integrated over what held.
double naive_ewma(const OperatorUse& use, const std::vector<Heard>& heard, std::int64_t now, std::int64_t max_gap) {
  if (std::isnan(heard.back().value)) return kUnknown;
  const auto decayed = [&](std::int64_t at) {
    return std::exp2(-static_cast<double>(now - at) / static_cast<double>(use.window));
  };
  double weight = 0.0;
  double sum = 0.0;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    if (std::isnan(heard[i].value)) continue;
    const std::int64_t next = i + 1 < heard.size() ? heard[i + 1].at : now;
    const std::int64_t end = std::min({next, heard[i].at + max_gap, now});
    const double w = use.signal_kind == kEvent ? decayed(heard[i].at) : decayed(end) - decayed(heard[i].at);
    weight += w;
    sum += w * heard[i].value;
  }
  return weight > 0.0 ? sum / weight : heard.back().value;
}

double naive_cusum(const std::vector<Heard>& heard, double h) {
  double sum = 0.0;
  for (const Heard& reading : last_of_each_time(heard)) {
    if (!std::isnan(reading.value)) sum = std::max(0.0, sum + reading.value - kSlack);
  }
  return std::isnan(heard.back().value) ? kUnknown : sum > h ? 1.0 : 0.0;
}

double naive(const OperatorUse& use, const std::vector<Heard>& heard, std::int64_t now, std::int64_t max_gap,
             double argument) {
  if (use.kind == ewma) return naive_ewma(use, heard, now, max_gap);
  if (use.kind == cusum) return naive_cusum(heard, argument);
  if (use.kind != age) return naive_step(use.kind, heard, now, argument);
  double seconds = kUnknown;
  for (const Heard& h : heard) {
    if (!std::isnan(h.value)) seconds = static_cast<double>(now - h.at) / 1000.0;
  }
  return seconds;
}

// ---- the law
// -----------------------------------------------------------------------------------------------------------

TEST(EveryPointOperator, EqualsTheNaiveModelOnAThousandRandomSeries) {
  std::map<OperatorKind, std::array<std::size_t, 3>> seen;  // unknown, zero, anything else
  for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
    std::mt19937 random(seed);
    Series series = random_series(random);
    series.heard.resize(60);
    const bool whole = seed % 2 == 0;  // values that repeat, so that some readings change nothing
    const bool rounded = std::fabs(series.heard[0].value) < 1e3;
    for (Heard& h : series.heard) {
      if (whole) h.value = std::floor(h.value);
      if (!rounded) h.value -= 1e6;
    }
    std::vector<OperatorUse> uses;
    for (const OperatorKind kind : {prev, changed, age, ewma, cusum, every}) {
      uses.push_back(use_of(kind, kind == every ? SignalKind::reg : series.kind,
                            series.step * static_cast<std::int64_t>(1 + random() % 50)));
      uses.back().slack = {0.0, kSlack, 0};
    }
    std::vector<Operating> operating;
    for (const OperatorUse& use : uses) operating.emplace_back(use, series.max_gap);
    std::vector<Heard> so_far;
    for (std::size_t i = 0; i < series.heard.size(); ++i) {
      std::vector<Heard> arriving = {series.heard[i]};
      if (random() % 15 == 0) arriving.push_back(series.heard[i]);                                       // twice
      if (random() % 15 == 0) arriving.insert(arriving.begin(), {series.heard[i].at, 1.0});              // corrected
      if (random() % 15 == 0 && i > 0) arriving.push_back({series.heard[i].at - 1 - series.step, 9.0});  // late
      for (const Heard& h : arriving) {
        if (so_far.empty() || h.at >= so_far.back().at) so_far.push_back(h);
        for (Operating& o : operating) o.take(h.at, h.value);
      }
      const std::int64_t next = i + 1 < series.heard.size() ? series.heard[i + 1].at : series.heard[i].at + 5;
      const std::int64_t now = random() % 4 == 0 ? next - 1 : so_far.back().at;
      for (std::size_t u = 0; u < uses.size(); ++u) {
        const double value = operating[u].value(now, 1.5);
        const double expected = naive(uses[u], so_far, now, series.max_gap, 1.5);
        ++seen[uses[u].kind][std::isnan(expected) ? 0 : expected == 0.0 ? 1 : 2];
        ASSERT_NO_FATAL_FAILURE(expect_near(value, expected, 1e3,
                                            "seed " + std::to_string(seed) + ", " +
                                                std::string(operator_of(uses[u].kind).name) + ", reading " +
                                                std::to_string(i)));
      }
    }
  }
  for (const auto& [kind, counts] : seen) {
    EXPECT_GT(counts[0], 10U) << operator_of(kind).name;
    EXPECT_GT(counts[1] + counts[2], 20'000U) << operator_of(kind).name;
    EXPECT_GT(counts[2], 3'000U) << operator_of(kind).name;
  }
  EXPECT_EQ(seen.size(), 6U);
}

// ---- one by one
// --------------------------------------------------------------------------------------------------------

struct PointCase {
  std::string name;
  OperatorUse use;
  std::vector<Heard> heard;  // after kStart
  std::int64_t now;
  double argument;
  double expected;
};

void PrintTo(const PointCase& c, std::ostream* out) {
  *out << c.name;
}

class PointOperator : public testing::TestWithParam<PointCase> {};

TEST_P(PointOperator, Is) {
  const PointCase& c = GetParam();
  Operating operating(c.use, kHour);
  for (const Heard& h : c.heard) operating.take(kStart + h.at, h.value);
  const double value = operating.value(kStart + c.now, c.argument);
  if (std::isnan(c.expected)) {
    EXPECT_TRUE(std::isnan(value)) << value;
  } else {
    EXPECT_DOUBLE_EQ(value, c.expected);
  }
}

OperatorUse point(OperatorKind kind, SignalKind signal = kGauge, std::int64_t window = 0) {
  OperatorUse use = use_of(kind, signal, window);
  use.slack = {0.0, 2.0, 0};
  return use;
}

INSTANTIATE_TEST_SUITE_P(
    PrevChangedAge, PointOperator,
    testing::Values(
        PointCase{"prev is the value before the newest", point(prev), {{0, 1}, {9, 2}, {20, 5}}, 20, kNothing, 2},
        PointCase{"prev of a single reading is unknown", point(prev), {{0, 1}}, 0, kNothing, kUnknown},
        PointCase{"prev steps over a bad reading", point(prev), {{0, 1}, {9, kUnknown}, {20, 5}}, 20, kNothing, 1},
        PointCase{"prev is unknown while the newest is bad",
                  point(prev),
                  {{0, 1}, {9, 2}, {20, kUnknown}},
                  20,
                  kNothing,
                  kUnknown},
        PointCase{
            "a reading heard twice is not its own predecessor", point(prev), {{0, 1}, {9, 2}, {9, 2}}, 9, kNothing, 1},
        PointCase{"a late reading is no predecessor", point(prev), {{0, 1}, {9, 2}, {5, 7}}, 9, kNothing, 1},
        PointCase{"changed at the reading that changes", point(changed), {{0, 1}, {9, 2}}, 9, kNothing, 1},
        PointCase{"changed no more once the asset's time went on", point(changed), {{0, 1}, {9, 2}}, 10, kNothing, 0},
        PointCase{"not changed by an equal reading", point(changed), {{0, 1}, {9, 1}}, 9, kNothing, 0},
        PointCase{"changed is unknown at the first reading", point(changed), {{0, 1}}, 0, kNothing, kUnknown},
        PointCase{"age counts from the newest good reading",
                  point(age),
                  {{0, 1}, {kMinute, kUnknown}},
                  2 * kMinute,
                  kNothing,
                  120},
        PointCase{"age before the first reading is unknown", point(age), {}, 5, kNothing, kUnknown}));

INSTANTIATE_TEST_SUITE_P(
    EwmaCusumEvery, PointOperator,
    testing::Values(
        PointCase{"ewma of the first reading is that", point(ewma, kGauge, kHour), {{0, 7}}, 0, kNothing, 7},
        PointCase{"ewma of equal values is exactly that",
                  point(ewma, kGauge, kHour),
                  {{0, 0.1}, {99, 0.1}, {kHour, 0.1}},
                  kHour,
                  kNothing,
                  0.1},
        PointCase{"ewma halves the weight of a time with each half-life since",
                  point(ewma, kGauge, kHour / 2),
                  {{-kHour, 0}, {-kHour / 2, 0}, {0, 0}, {kHour / 2, 3}},
                  kHour,
                  kNothing,
                  3 * 0.5 / (1.0 - 0.0625)},
        PointCase{"ewma of an event signal halves each reading's weight with its age",
                  point(ewma, kEvent, kHour),
                  {{0, 1}, {kHour, 4}},
                  kHour,
                  kNothing,
                  3},
        PointCase{"a gap beyond max_gap adds no weight",
                  point(ewma, kGauge, kHour),
                  {{0, 1}, {kHour, kUnknown}, {90 * kHour, 9}},
                  90 * kHour,
                  kNothing,
                  1},
        PointCase{"cusum adds the excess over k", point(cusum), {{0, 3}, {1, 3}, {2, 3}}, 2, 2.5, 1},
        PointCase{"cusum has to exceed h", point(cusum), {{0, 3}, {1, 3}, {2, 3}}, 2, 3, 0},
        PointCase{"cusum never falls below zero", point(cusum), {{0, -900}, {1, 3}, {2, 4}}, 2, 2.5, 1},
        PointCase{"cusum takes a corrected reading back", point(cusum), {{0, 3}, {1, 500}, {1, 3}}, 1, 2, 0},
        PointCase{"cusum keeps its sum over a bad reading", point(cusum), {{0, 5}, {1, kUnknown}, {2, 2}}, 2, 2.9, 1},
        PointCase{"cusum is unknown while the newest is bad", point(cusum), {{0, 5}, {1, kUnknown}}, 1, 1, kUnknown},
        PointCase{"every at the reading that reaches a multiple", point(every), {{0, 99}, {9, 100}}, 9, 50, 1},
        PointCase{"every where several multiples are passed at once", point(every), {{0, 99}, {9, 301}}, 9, 50, 1},
        PointCase{"not every between two multiples", point(every), {{0, 101}, {9, 149}}, 9, 50, 0},
        PointCase{"not every at a reset", point(every), {{0, 99}, {9, 0}}, 9, 50, 0},
        PointCase{"every is over once the asset's time went on", point(every), {{0, 99}, {9, 100}}, 10, 50, 0},
        PointCase{"every 0 is unknown", point(every), {{0, 99}, {9, 100}}, 9, 0, kUnknown}));

TEST(LostSession, KeepsWhatARegisterHadReached) {
  Operating mark(point(every), kHour);
  mark.take(kStart, 99.0);
  mark.lose(kStart + kMinute);
  EXPECT_TRUE(std::isnan(mark.value(kStart + kMinute, 50.0)));
  mark.take(kStart + kHour, 120.0);
  EXPECT_EQ(mark.value(kStart + kHour, 50.0), 1.0);
}

TEST(LostSession, MakesAnEwmaUnknownAndHoldsNothing) {
  Operating mean(point(ewma, kGauge, kHour), 10 * kHour);
  mean.take(kStart, 1.0);
  mean.lose(kStart + kHour);
  EXPECT_TRUE(std::isnan(mean.value(kStart + 2 * kHour)));
  mean.take(kStart + 5 * kHour, 3.0);
  EXPECT_DOUBLE_EQ(mean.value(kStart + 5 * kHour), 1.0);
}

// A reading that is late against other signals of the asset, but not against its own, still has just come.
TEST(Every, SeesAReadingThatCameBehindOthers) {
  RuleBench bench(rule_when("every(hours, 50 h)"));
  bench.read(0s, {reading(kHours, 49)});
  bench.read(10min, {reading(kPressure, 1)});
  bench.read(5min, {reading(kHours, 51)});
  EXPECT_EQ(bench.log().size(), 1U);
}

// ---- in rules
// ----------------------------------------------------------------------------------------------------------

TEST(Cusum, TakesItsSlackFromTheAsset) {
  RuleSource source = rule_when("cusum(pressure, slack, 0.5 bar)");
  source.parameters = {{"slack", {"100000 Pa", {1, 1}}}};  // 1 bar
  const auto rule = compiled(source);
  std::vector<AssetRules> assets;
  assets.emplace_back(std::vector<RuleInstance>{{rule, {}}}, test_vocabulary().signals.size(), 15min);
  assets.emplace_back(std::vector<RuleInstance>{{rule, {200'000.0}}}, test_vocabulary().signals.size(), 15min);
  for (std::size_t i = 0; i < assets.size(); ++i) {
    std::vector<Transition> out;
    const SignalReading high = reading(kPressure, 1.3);
    for (const Duration after : {0min, 1min, 2min}) assets[i].apply(at(after), at(after), {&high, 1}, out);
    EXPECT_EQ(assets[i].raised(0), i == 0);
  }
}

struct FunctionCase {
  std::string when;
  double value;
  std::string expected;
};

void PrintTo(const FunctionCase& c, std::ostream* out) {
  *out << c.when << " of " << c.value;
}

class Function : public testing::TestWithParam<FunctionCase> {};

// The condition on ratio, speed in m/s and pressure in bar, all of one value.
TEST_P(Function, Is) {
  const auto rule = compiled(rule_when(GetParam().when));
  std::vector<std::uint64_t> memory(rule->state_bytes / 8 + 1);
  std::byte* const states = reinterpret_cast<std::byte*>(memory.data());
  for (const OperatorUse& use : rule->uses) {
    start(use, states + use.offset);
    take(use, states + use.offset, {kStart, kStart, GetParam().value}, kHour);
  }
  const double value = run(rule->when, {rule->uses, states, nullptr, kStart, kStart});
  EXPECT_EQ(std::isnan(value) ? "unknown" : value == 1.0 ? "true" : "false", GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Bit, Function,
                         testing::Values(FunctionCase{"bit(ratio, 0)", 5, "true"},
                                         FunctionCase{"bit(ratio, 1)", 5, "false"},
                                         FunctionCase{"bit(ratio, 2)", 5, "true"},
                                         FunctionCase{"bit(ratio, 52)", 4503599627370496.0, "true"},
                                         FunctionCase{"bit(ratio, 52)", 4503599627370495.0, "false"},
                                         FunctionCase{"bit(ratio, 0)", 5.5, "unknown"},
                                         FunctionCase{"bit(ratio, 0)", -1, "unknown"},
                                         FunctionCase{"bit(ratio, 0)", 9007199254740992.0, "unknown"},
                                         FunctionCase{"bit(ratio, 0)", kUnknown, "unknown"},
                                         FunctionCase{"!bit(ratio, 3) && bit(ratio + 1, 3)", 7, "true"}));

INSTANTIATE_TEST_SUITE_P(
    Zone, Function,
    testing::Values(FunctionCase{"zone(\"iso10816-3/1/rigid\", speed) == \"A\"", 0.0023, "true"},
                    FunctionCase{"zone(\"iso10816-3/1/rigid\", speed) == \"B\"", 0.00231, "true"},
                    FunctionCase{"zone(\"iso10816-3/1/rigid\", speed) == \"C\"", 0.007, "true"},
                    FunctionCase{"zone(\"iso10816-3/1/rigid\", speed) == \"D\"", 0.0072, "true"},
                    FunctionCase{"zone(\"iso10816-3/1/flexible\", speed) == \"C\"", 0.0072, "true"},
                    FunctionCase{"zone(\"iso10816-3/2/rigid\", speed) == \"B\"", 0.0028, "true"},
                    FunctionCase{"zone(\"iso10816-3/2/flexible\", speed) in [\"C\", \"D\"]", 0.0044, "false"},
                    FunctionCase{"zone(\"iso10816-3/2/flexible\", speed) in [\"C\", \"D\"]", 0.0046, "true"},
                    FunctionCase{"zone(\"iso10816-3/2/flexible\", speed) != \"A\"", kUnknown, "unknown"},
                    FunctionCase{"zone(\"iso10816-3/2/flexible\", 2 * speed + 0.1 mm/s) == \"B\"", 0.0012, "true"},
                    FunctionCase{"zone(\"iso10816-3/1/rigid\", speed) == zone(\"iso10816-3/2/rigid\", speed)", 0.0001,
                                 "true"}));

INSTANTIATE_TEST_SUITE_P(Abs, Function,
                         testing::Values(FunctionCase{"abs(ratio) > 2", -3, "true"},
                                         FunctionCase{"abs(ratio) > 2", 3, "true"},
                                         FunctionCase{"abs(ratio - 3) < 0.5", 3.2, "true"},
                                         FunctionCase{"abs(temperature - ambient) < 1 K", 1, "false"},
                                         FunctionCase{"abs(ratio) >= 0", kUnknown, "unknown"}));

TEST(ZoneTables, RiseFromZoneToZoneAndHaveNamesOfTheirOwn) {
  for (std::size_t i = 0; i < kZoneTables.size(); ++i) {
    EXPECT_TRUE(std::is_sorted(kZoneTables[i].limits.begin(), kZoneTables[i].limits.end()));
    for (std::size_t k = 0; k < i; ++k) EXPECT_NE(kZoneTables[i].name, kZoneTables[k].name);
    for (std::size_t limit = 0; limit < 3; ++limit) {
      const double at_limit = kZoneTables[i].limits[limit];
      EXPECT_EQ(zone_of(kZoneTables[i], at_limit), static_cast<double>(limit));
      EXPECT_EQ(zone_of(kZoneTables[i], std::nextafter(at_limit, 99.0)), static_cast<double>(limit + 1));
    }
  }
}

}  // namespace
}  // namespace fettle::rules
