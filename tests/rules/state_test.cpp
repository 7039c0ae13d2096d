// What must not matter: that the state was saved and loaded in between, and that ticks came between the readings.
#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "rules/program.h"
#include "tests/rules/rule_bench.h"

namespace fettle::rules {
namespace {

using namespace std::chrono_literals;

bool same(const Transition& a, const Transition& b) {
  return a.rule == b.rule && a.kind == b.kind && a.at == b.at && a.since == b.since && a.reason == b.reason;
}

std::vector<RuleSource> many_rules() {
  const auto rule = [](std::string when, Duration on, Duration off, Duration cooldown, std::string clear = {},
                       std::string suppress = {}) {
    RuleSource source = rule_when(std::move(when));
    source.for_ = on;
    source.keep_for = off;
    source.cooldown = cooldown;
    source.clear = {std::move(clear), {2, 1}};
    source.suppress_when = {std::move(suppress), {3, 1}};
    return source;
  };
  return {
      rule("ratio > 1.2", 0s, 0s, 0s),
      rule("ratio > 0.5", 7min, 5min, 0s),
      rule("mean(ratio, 1h) > 0.1", 20min, 0s, 2h),
      rule("mean(ratio, 30m) - baseline(ratio, 4h, 30m) > 0.3", 3min, 10min, 1h, "mean(ratio, 30m) < 0"),
      rule("zscore(ratio, 2h) > 1.5 || zscore(pressure, 2h) > 1.5", 0s, 1min, 0s),
      rule("stddev(ratio, 1h) > 0.95", 5min, 5min, 0s, "stddev(ratio, 1h) < 0.9", "mode == \"inspection\""),
      rule("max(ratio, 1h) - min(ratio, 1h) > 4", 1min, 0s, 30min),
      rule("mean(capacity, 6h) > 1 A.h", 10min, 10min, 0s),
      rule("ratio > 0 && pressure > 0 bar", 11min, 3min, 0s, "", "mode != \"normal\""),
      rule("median(ratio, 1h) > 0.1 && percentile(ratio, 90, 2h) > 0.5", 2min, 0s, 0s),
      rule("slope(ratio, 2h) > 0.5 / 1 h || time_to(ratio, 3, 4h) < 1 h", 0s, 0s, 0s, "rate(ratio, 1h) < 0 / 1 s"),
      rule("sum(ratio, 1h) > 3 && count(pressure, 1h) > 1", 0s, 1min, 0s),
      rule("ewma(ratio, 30m) > 0.3 && age(pressure) < 20 min", 1min, 0s, 0s),
      rule("cusum(ratio, 0.2, 1) && prev(ratio) > 0", 0s, 0s, 0s),
      rule("changed(mode) && ratio > 0", 0s, 2min, 0s),
      rule("every(hours, 5 h) || increase(hours, 6h) > 4 h", 0s, 0s, 0s),
      rule("time_in(ratio > 0.5, 2h) > 40 min", 0s, 0s, 0s, "count_within(ratio > 0.5, 2h) < 2"),
      rule("ratio > 1 then pressure > 0.5 bar within 20m", 0s, 0s, 0s),
      rule("count_within(mean(ratio, 20m) > 0.3 then ratio < 0 within 20m, 6h) > 1", 0s, 0s, 0s),
  };
}

std::vector<RuleInstance> instances(const std::vector<RuleSource>& sources) {
  std::vector<RuleInstance> all;
  for (const RuleSource& source : sources) all.push_back({compiled(source), {}});
  return all;
}

constexpr Duration kMaxGap = 15min;

AssetRules asset(const std::vector<RuleInstance>& rules) {
  return AssetRules(rules, test_vocabulary().signals.size(), kMaxGap);
}

struct Step {
  Duration after{0};
  std::vector<SignalReading> readings;
  std::vector<SignalIndex> lost;  // before the readings
  std::optional<bool> entitled;   // of rule 1, before the readings
};

// Slow random walks with gaps, bad readings, modes, lost sessions.
std::vector<Step> random_steps(std::mt19937& random, int count) {
  const auto chance = [&](double p) { return std::bernoulli_distribution(p)(random); };
  std::normal_distribution<double> noise(0.0, 1.0);
  std::vector<Step> steps;
  Duration now = 0s;
  double drift = 0.0;
  for (int i = 0; i < count; ++i) {
    now += std::chrono::seconds(std::uniform_int_distribution<int>(20, 400)(random)) + Duration(i % 7);
    if (chance(0.01)) now += std::chrono::hours(std::uniform_int_distribution<int>(1, 40)(random));
    drift += 0.1 * noise(random);
    drift *= 0.995;
    Step step;
    step.after = now;
    if (chance(0.9))
      step.readings.push_back(reading(kRatio, drift + noise(random), chance(0.02) ? Quality::bad : Quality::good));
    if (chance(0.3)) step.readings.push_back(reading(kPressure, drift + noise(random)));
    if (chance(0.1)) step.readings.push_back(reading(kCapacity, 1 + drift + noise(random)));
    if (chance(0.3)) step.readings.push_back(reading(kHours, i * 0.1 - (i > count / 2 ? 40.0 : 0.0)));
    if (chance(0.05)) step.readings.push_back(reading(kMode, chance(0.6) ? 0 : 1));
    if (chance(0.01)) step.lost = {kRatio, kPressure};
    if (chance(0.02)) step.entitled = chance(0.5);
    steps.push_back(step);
  }
  return steps;
}

enum class Ticks { none, some };

// Between two readings time goes on by ticks; the tick runs a fixed skew behind event time.
void tick_on(AssetRules& rules, Duration from, Duration to, Duration skew, std::mt19937& random,
             std::vector<Transition>& out) {
  for (Duration now = from;;) {
    now += std::chrono::seconds(std::uniform_int_distribution<int>(1, 90)(random));
    if (now > to || now > from + 40h) return;
    rules.advance(at(std::min(now, from + kMaxGap)), at(now + skew), out);
  }
}

std::vector<Transition> play(AssetRules& rules, const std::vector<Step>& steps, Ticks ticks, Duration skew = 0s) {
  std::mt19937 random(99);
  std::vector<Transition> out;
  std::optional<Duration> before;
  for (const Step& step : steps) {
    if (before && ticks != Ticks::none) tick_on(rules, *before, step.after, skew, random, out);
    if (step.entitled) rules.set_entitled(1, *step.entitled, at(step.after), out);
    if (!step.lost.empty()) {
      rules.advance(at(before ? std::min(step.after, *before + kMaxGap) : step.after), at(step.after + skew), out);
      rules.mark_stale(step.lost, at(step.after + skew));
    }
    rules.apply(at(step.after), at(step.after + skew), step.readings, out);
    before = step.after;
  }
  return out;
}

void expect_same(const std::vector<Transition>& a, const std::vector<Transition>& b) {
  ASSERT_EQ(shown(a), shown(b));
  for (std::size_t i = 0; i < a.size(); ++i) ASSERT_TRUE(same(a[i], b[i])) << i;
}

TEST(SavingAndLoading, ChangesNoTransitionNorAnyBitOfState) {
  const auto rules = instances(many_rules());
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const std::vector<Step> steps = random_steps(random, 1500);
    AssetRules whole = asset(rules);
    AssetRules restarted = asset(rules);
    std::vector<Transition> transitions_whole;
    std::vector<Transition> transitions_restarted;
    for (std::size_t begin = 0; begin < steps.size(); begin += 250) {
      const std::vector<Step> part(steps.begin() + static_cast<std::ptrdiff_t>(begin),
                                   steps.begin() + static_cast<std::ptrdiff_t>(begin) + 250);
      for (const Transition& t : play(whole, part, Ticks::none)) transitions_whole.push_back(t);
      for (const Transition& t : play(restarted, part, Ticks::none)) transitions_restarted.push_back(t);
      AssetRules fresh = asset(rules);
      for (std::size_t r = 0; r < rules.size(); ++r) {
        std::string expected;
        std::string bytes;
        whole.save(r, expected);
        restarted.save(r, bytes);
        ASSERT_EQ(bytes, expected) << "rule " << r;
        ASSERT_TRUE(fresh.load(r, bytes));
        ASSERT_EQ(fresh.raised(r), whole.raised(r));
      }
      // A due time may be early but never late.
      ASSERT_LE(whole.next_asset_due(), fresh.next_asset_due());
      restarted = std::move(fresh);
    }
    ASSERT_NO_FATAL_FAILURE(expect_same(transitions_whole, transitions_restarted)) << "seed " << seed;
    EXPECT_GT(transitions_whole.size(), 200U);
  }
}

TEST(Ticks, ChangeNoTransition) {
  std::vector<RuleSource> sources = many_rules();
  sources.push_back(rule_when("absent(pressure, 20m)"));
  sources.push_back(rule_when("ratio > 0 && !absent(capacity, 45m)"));
  sources.back().for_ = 9min;
  const auto rules = instances(sources);
  std::vector<std::size_t> raised(rules.size(), 0);
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random(seed);
    const std::vector<Step> steps = random_steps(random, 1000);
    AssetRules quiet = asset(rules);
    AssetRules ticked = asset(rules);
    const auto transitions = play(quiet, steps, Ticks::none);
    ASSERT_NO_FATAL_FAILURE(expect_same(transitions, play(ticked, steps, Ticks::some)));
    AssetRules skewed = asset(rules);
    ASSERT_NO_FATAL_FAILURE(expect_same(transitions, play(skewed, steps, Ticks::some, 26h)));
    for (const Transition& t : transitions) ++raised[t.rule];
  }
  for (std::size_t r = 0; r < raised.size(); ++r) EXPECT_GT(raised[r], 10U) << "rule " << r << " does not take part";
}

TEST(SavedState, OfAnotherSignatureOrLengthOrDamagedIsRefused) {
  const auto load = [](const std::string& when, std::string bytes) {
    AssetRules rules = asset(instances({rule_when(when)}));
    const bool loaded = rules.load(0, bytes);
    std::string after;
    std::string neutral;
    rules.save(0, after);
    asset(instances({rule_when(when)})).save(0, neutral);
    EXPECT_EQ(after, loaded ? bytes : neutral);
    return loaded;
  };
  RuleBench bench(rule_when("mean(ratio, 1h) > 1"));
  for (int minute = 0; minute < 120; minute += 5) bench.read(std::chrono::minutes(minute), {reading(kRatio, 2)});
  std::string bytes;
  bench.rules().save(0, bytes);
  EXPECT_TRUE(load("mean(ratio, 1h) > 1", bytes));
  EXPECT_TRUE(load("mean(ratio, 1h) > 3 && mean(ratio, 1h) < 9", bytes));
  EXPECT_FALSE(load("max(ratio, 1h) > 1", bytes));
  EXPECT_FALSE(load("mean(level, 1h) > 1 %", bytes));
  EXPECT_FALSE(load("mean(ratio, 2h) > 1", bytes));
  EXPECT_FALSE(load("mean(ratio, 1h) > 1", ""));
  EXPECT_FALSE(load("mean(ratio, 1h) > 1", bytes + "x"));
  EXPECT_FALSE(load("mean(ratio, 1h) > 1", bytes.substr(0, bytes.size() - 1)));
  for (const std::size_t i : {std::size_t{0}, std::size_t{20}, bytes.size() / 2, bytes.size() - 1}) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(load("mean(ratio, 1h) > 1", damaged)) << i;
  }
}

TEST(SavedState, IsAppendedToWhatIsThere) {
  RuleBench bench(rule_when("ratio > 1"));
  std::string bytes = "before";
  bench.rules().save(0, bytes);
  EXPECT_TRUE(bytes.starts_with("before"));
  EXPECT_TRUE(bench.rules().load(0, std::string_view(bytes).substr(6)));
}

TEST(StateAtRest, OfARuleIsWithinItsBudget) {
  EXPECT_LE(state_bytes_of(*compiled(rule_when("ratio > 1"))), 128U);
  EXPECT_LE(state_bytes_of(*compiled(rule_when("mean(ratio, 24h) > 1"))), 1024U);
  EXPECT_LE(state_bytes_of(*compiled(rule_when("mean(ratio, 24h) - baseline(ratio, 7d, 1d) > 1"))), 2048U);
}

}  // namespace
}  // namespace fettle::rules
