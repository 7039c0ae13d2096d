// The life cycle of episodes, as tables: what is set, what is heard, what comes of it.
#include <gtest/gtest.h>

#include <functional>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include "tests/rules/rule_bench.h"

namespace fettle::rules {
namespace {

using namespace std::chrono_literals;

// A story is words separated by blanks; times are minutes.
//   10=2        a reading of `ratio` at minute 10
//   0..60/10=2  one every 10 minutes from 0 to 60
//   10=bad      a bad one
//   10:mode=1   of another signal (mode, level)
//   t90         time goes on to minute 90
//   stale       the session is lost (ratio)
//   -entitled90 / +entitled90   the entitlement ends, begins, at minute 90
struct Story {
  std::string name;
  std::function<void(RuleSource&)> set;
  std::string text;
  std::vector<std::string> expected;
};

void PrintTo(const Story& story, std::ostream* out) {
  *out << story.name;
}

SignalIndex signal_named(const std::string& name) {
  if (name == "mode") return kMode;
  if (name == "level") return kLevel;
  return kRatio;
}

void play_reading(RuleBench& bench, const std::string& word) {
  const std::size_t equals = word.find('=');
  std::string when = word.substr(0, equals);
  const std::string value = word.substr(equals + 1);
  std::string signal;
  if (const std::size_t colon = when.find(':'); colon != std::string::npos) {
    signal = when.substr(colon + 1);
    when = when.substr(0, colon);
  }
  const std::size_t dots = when.find("..");
  const int first = std::stoi(when);
  const int last = dots == std::string::npos ? first : std::stoi(when.substr(dots + 2));
  const int step = dots == std::string::npos ? 1 : std::stoi(when.substr(when.find('/') + 1));
  for (int minute = first; minute <= last; minute += step) {
    const SignalReading heard = value == "bad" ? reading(signal_named(signal), 0, Quality::bad)
                                               : reading(signal_named(signal), std::stod(value));
    bench.read(std::chrono::minutes(minute), {heard});
  }
}

std::vector<std::string> play(const RuleSource& source, const std::string& text) {
  RuleBench bench(source);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == "stale") {
      const std::vector<SignalIndex> lost = {kRatio};
      bench.rules().mark_stale(lost, at(0s));
    } else if (word[0] == 't') {
      bench.advance(std::chrono::minutes(std::stoi(word.substr(1))));
    } else if (word[0] == '-' || word[0] == '+') {
      bench.rules().set_entitled(0, word[0] == '+', at(std::chrono::minutes(std::stoi(word.substr(9)))), bench.out());
    } else {
      play_reading(bench, word);
    }
  }
  return bench.log();
}

class LifeCycle : public testing::TestWithParam<Story> {};

TEST_P(LifeCycle, Is) {
  RuleSource source = rule_when("ratio > 1");
  GetParam().set(source);
  EXPECT_EQ(play(source, GetParam().text), GetParam().expected) << GetParam().text;
}

using Log = std::vector<std::string>;
void plain(RuleSource&) {}
void for_1h(RuleSource& s) {
  s.for_ = 1h;
}
void keep_for_1h(RuleSource& s) {
  s.keep_for = 1h;
}
void cooldown_2h(RuleSource& s) {
  s.cooldown = 2h;
}
void cooldown_and_for(RuleSource& s) {
  s.cooldown = 2h, s.for_ = 1h;
}
void clear_below_half(RuleSource& s) {
  s.clear = {"ratio < 0.5", {2, 1}};
}
void never_clear(RuleSource& s) {
  s.clear = {"false", {2, 1}};
}
void suppressed(RuleSource& s) {
  s.suppress_when = {"mode in [\"inspection\", \"fire\"]", {2, 1}};
}
void suppressed_for_1h(RuleSource& s) {
  suppressed(s), s.for_ = 1h;
}
void silent_1h(RuleSource& s) {
  s.when = {"absent(ratio, 1h)", {1, 1}};
}

INSTANTIATE_TEST_SUITE_P(
    WithoutDelays, LifeCycle,
    testing::Values(Story{"raised and cleared with the condition", plain, "0=0 1=2 2=2 3=1 4=2",
                          Log{"raised 00:01 since 00:01", "cleared 00:03", "raised 00:04 since 00:04"}},
                    Story{"unknown neither raises nor clears", plain, "0=bad 1=2 2=bad 3=bad 4=2 5=bad 6=0",
                          Log{"raised 00:01 since 00:01", "cleared 00:06"}},
                    Story{"another signal does not matter", plain, "0=2 1:level=3 2=0",
                          Log{"raised 00:00 since 00:00", "cleared 00:02"}}));

INSTANTIATE_TEST_SUITE_P(
    OnDelay, LifeCycle,
    testing::Values(
        Story{"raises when it is over, dated by itself", for_1h, "0..70/10=2", Log{"raised 01:00 since 00:00"}},
        Story{"fires at its own moment before a reading looks", for_1h, "0..55/11=2 64=0",
              Log{"raised 01:00 since 00:00", "cleared 01:04"}},
        Story{"that ends exactly with a false reading has ended", for_1h, "0..50/10=2 60=0",
              Log{"raised 01:00 since 00:00", "cleared 01:00"}},
        Story{"begins anew with the condition", for_1h, "0..50/10=2 55=0 60..110/10=2 115=2 120=2",
              Log{"raised 02:00 since 01:00"}},
        Story{"fires by time alone", for_1h, "0..50/10=2 t59 t60 t61", Log{"raised 01:00 since 00:00"}},
        Story{"does not run beyond max_gap without readings", for_1h, "0..40/10=2 t300", Log{}},
        Story{"counts at most max_gap of a gap", for_1h, "0..40/10=2 100=2 105=2 106=2",
              Log{"raised 01:45 since 00:00"}},  // 40 + 15 of the gap, 5 more from 1:40
        Story{"is carried by the asset's other signals", for_1h, "0=2 10..70/10:level=1",
              Log{"raised 01:00 since 00:00"}},
        Story{"pauses while unknown", for_1h, "0..30/10=2 40=bad 50=bad 60..90/10=2", Log{"raised 01:20 since 00:00"}},
        Story{"pauses when the session is lost", for_1h, "0..30/10=2 t35 stale t45 90..130/10=2",
              Log{"raised 01:55 since 00:00"}},  // 35 counted; 25 from 1:30
        Story{"begins anew after a day of unknown", for_1h, "0..50/10=2 55=bad 1495=2 1500..1560/10=2",
              Log{"raised 25:55 since 24:55"}},
        Story{"goes on after a little less", for_1h, "0..50/10=2 55=bad 1494=2 1499=2 1500=2",
              Log{"raised 24:59 since 00:00"}},
        Story{"begins anew after a day without data", for_1h, "0..40/10=2 1495=2 1505..1555/10=2",
              Log{"raised 25:55 since 24:55"}},
        Story{"survives a gap that is a little shorter", for_1h, "0..30/10=2 1480=2 1490..1500/10=2",
              Log{"raised 24:55 since 00:00"}}));  // 30 + 15 of the gap, 15 from 24:40

INSTANTIATE_TEST_SUITE_P(
    OffDelay, LifeCycle,
    testing::Values(Story{"clears when it is over", keep_for_1h, "0=2 10..80/10=0",
                          Log{"raised 00:00 since 00:00", "cleared 01:10"}},
                    Story{"begins anew when the condition returns", keep_for_1h, "0=2 10..50/10=0 60=2 70..140/10=0",
                          Log{"raised 00:00 since 00:00", "cleared 02:10"}},
                    Story{"fires by time alone", keep_for_1h, "0=2 10..60/10=0 t75",
                          Log{"raised 00:00 since 00:00", "cleared 01:10"}},
                    Story{"pauses while unknown", keep_for_1h, "0=2 10..30/10=0 40=bad 50..90/10=0",
                          Log{"raised 00:00 since 00:00", "cleared 01:20"}}));

INSTANTIATE_TEST_SUITE_P(ClearCondition, LifeCycle,
                         testing::Values(Story{"has its own threshold", clear_below_half,
                                               "0=2 1=0.8 2=2 3=0.8 4=0.4 5=0.8",
                                               Log{"raised 00:00 since 00:00", "cleared 00:04"}},
                                         Story{"false keeps an episode open for good", never_clear, "0=2 1=0 2=2 3=0",
                                               Log{"raised 00:00 since 00:00"}},
                                         Story{"does not clear while the condition holds",
                                               [](RuleSource& s) {
                                                 s.clear = {"ratio > 0", {2, 1}};
                                               },
                                               "0=2 1=3 2=0.5", Log{"raised 00:00 since 00:00", "cleared 00:02"}}));

INSTANTIATE_TEST_SUITE_P(
    Cooldown, LifeCycle,
    testing::Values(Story{"raises nothing before it is over", cooldown_2h, "0=2 10=0 20=2 30=0 140=2",
                          Log{"raised 00:00 since 00:00", "cleared 00:10", "raised 02:20 since 02:20"}},
                    Story{"raises what still holds when it is over", cooldown_2h, "0=2 10=0 20..140/10=2",
                          Log{"raised 00:00 since 00:00", "cleared 00:10", "raised 02:10 since 00:20"}},
                    Story{"raises by time alone", cooldown_2h, "0=2 10=0 20..120/10=2 t135",
                          Log{"raised 00:00 since 00:00", "cleared 00:10", "raised 02:10 since 00:20"}},
                    Story{"that ended in a gap raises at the next reading", cooldown_2h, "0=2 10=0 20=2 600=2",
                          Log{"raised 00:00 since 00:00", "cleared 00:10", "raised 10:00 since 00:20"}},
                    Story{"that ended in a gap raises with another signal's reading", cooldown_2h,
                          "0=2 10=0 20=2 600:level=2",
                          Log{"raised 00:00 since 00:00", "cleared 00:10", "raised 10:00 since 00:20"}},
                    Story{"lets the on-delay run", cooldown_and_for, "0..60/10=2 65=0 70..200/10=2",
                          Log{"raised 01:00 since 00:00", "cleared 01:05", "raised 03:05 since 01:10"}},
                    Story{"waits for the on-delay", cooldown_and_for, "0..60/10=2 65=0 180..300/10=2",
                          Log{"raised 01:00 since 00:00", "cleared 01:05", "raised 04:00 since 03:00"}}));

INSTANTIATE_TEST_SUITE_P(
    Suppression, LifeCycle,
    testing::Values(
        Story{"raises nothing", suppressed, "0:mode=1 1=2 2=2", Log{}},
        Story{"ends with the mode", suppressed, "0:mode=1 1=2 2:mode=0", Log{"raised 00:02 since 00:02"}},
        Story{"does not clear", suppressed, "0:mode=0 1=2 2:mode=2 3=2 4=0",
              Log{"raised 00:01 since 00:01", "cleared 00:04"}},
        Story{"resets the on-delay", suppressed_for_1h, "0:mode=0 1..31/10=2 35:mode=1 36:mode=0 41..101/10=2",
              Log{"raised 01:36 since 00:36"}},
        Story{"that is unknown raises nothing", suppressed, "0=2 1=2 2:mode=0", Log{"raised 00:02 since 00:02"}},
        Story{"that is unknown pauses the on-delay", suppressed_for_1h,
              "0:mode=0 0..30/10=2 30:mode=bad 40=2 50:mode=0 60..90/10=2", Log{"raised 01:20 since 00:00"}}));

INSTANTIATE_TEST_SUITE_P(
    Entitled, LifeCycle,
    testing::Values(Story{"no longer: an open episode is cleared", plain, "0=2 1=2 -entitled2 3=2",
                          Log{"raised 00:00 since 00:00", "cleared 00:02 not entitled"}},
                    Story{"no longer: nothing is raised", plain, "0=0 -entitled1 2=2 3=2", Log{}},
                    Story{"again: raised at the next reading", plain, "0=2 -entitled2 3=2 +entitled4 5=2",
                          Log{"raised 00:00 since 00:00", "cleared 00:02 not entitled", "raised 00:05 since 00:05"}},
                    Story{"no longer: the on-delay is forgotten", for_1h,
                          "0..50/10=2 -entitled55 +entitled57 60..130/10=2", Log{"raised 02:00 since 01:00"}},
                    Story{"until after the on-delay was over: raised and cleared", for_1h, "0..50/10=2 -entitled62",
                          Log{"raised 01:00 since 00:00", "cleared 01:02 not entitled"}},
                    Story{"twice told is once told", plain, "0=2 -entitled2 -entitled3 4=0",
                          Log{"raised 00:00 since 00:00", "cleared 00:02 not entitled"}}));

INSTANTIATE_TEST_SUITE_P(
    Silence, LifeCycle,
    testing::Values(Story{"raises at its own moment", silent_1h, "0=2 10=2 t71 80=2",
                          Log{"raised 01:10 since 01:10", "cleared 01:20"}},
                    Story{"is noticed by the reading that ends it", silent_1h, "0=2 10=2 80=2",
                          Log{"raised 01:10 since 01:10", "cleared 01:20"}},
                    Story{"is not ended by another signal", silent_1h, "0=2 30:level=1 60:level=1 90=2",
                          Log{"raised 01:00 since 01:00", "cleared 01:30"}},
                    Story{"of a session that was lost raises still", silent_1h, "0=2 t10 stale t100",
                          Log{"raised 01:00 since 01:00"}},
                    Story{"of what was never heard is unknown", silent_1h, "t10 t1000 1000:level=1 t2000", Log{}}));

// ---- several rules, and when to wake
// -----------------------------------------------------------------------------------

TEST(TimersOfSeveralRules, FireInTheOrderOfTheirDates) {
  std::vector<RuleSource> sources = {rule_when("ratio > 1"), rule_when("ratio > 1"), rule_when("absent(ratio, 5m)")};
  sources[0].for_ = 10min;
  sources[1].for_ = 3min;
  RuleBench bench(sources);
  bench.read(0min, {reading(kRatio, 2)});
  bench.read(12min, {reading(kRatio, 0)});
  EXPECT_EQ(bench.log(), (Log{"1 raised 00:03 since 00:00", "2 raised 00:05 since 00:05", "raised 00:10 since 00:00",
                              "cleared 00:12", "1 cleared 00:12", "2 cleared 00:12"}));
}

TEST(ASilence, EndsAnOnDelayAtItsOwnMoment) {
  RuleSource source = rule_when("ratio > 1 && !absent(ratio, 5m)");
  source.for_ = 10min;
  RuleBench ticked(source);
  RuleBench quiet(source);
  for (RuleBench* bench : {&ticked, &quiet}) {
    bench->read(0min, {reading(kRatio, 2)});
    if (bench == &ticked) {
      for (int minute = 1; minute < 12; ++minute) bench->advance(std::chrono::minutes(minute));
    }
    bench->read(12min, {reading(kRatio, 2)});
    EXPECT_EQ(bench->log(), Log{});
  }
}

TEST(NextDue, IsWhenTimeAloneCouldRaiseOrClear) {
  RuleSource source = rule_when("ratio > 1");
  source.for_ = 10min;
  source.keep_for = 5min;
  RuleBench bench(source);
  EXPECT_EQ(bench.rules().next_asset_due(), Time::max());
  bench.read(0min, {reading(kRatio, 2)});
  EXPECT_EQ(bench.rules().next_asset_due(), at(10min));
  bench.advance(10min);
  EXPECT_TRUE(bench.rules().raised(0));
  EXPECT_EQ(bench.rules().next_asset_due(), Time::max());
  bench.read(11min, {reading(kRatio, 0)});
  EXPECT_EQ(bench.rules().next_asset_due(), at(16min));
  bench.advance(16min);
  EXPECT_FALSE(bench.rules().raised(0));
  EXPECT_EQ(bench.rules().next_asset_due(), Time::max());
}

TEST(NextDue, IsNeverWhereOnlyReadingsCouldBringIt) {
  RuleSource source = rule_when("ratio > 1");
  source.for_ = 1h;  // longer than max_gap
  RuleBench bench(source);
  bench.read(0min, {reading(kRatio, 2)});
  EXPECT_EQ(bench.rules().next_asset_due(), Time::max());
  for (int minute = 10; minute <= 50; minute += 10) bench.read(std::chrono::minutes(minute), {reading(kRatio, 2)});
  EXPECT_EQ(bench.rules().next_asset_due(), at(1h));
}

TEST(NextDue, OfASilenceIsATick) {
  RuleBench bench(rule_when("absent(ratio, 1h)"));
  EXPECT_EQ(bench.rules().next_tick_due(), Time::max());
  // A device whose clock is a day behind.
  bench.rules().apply(at(0min), at(24h), std::vector{reading(kRatio, 2)}, bench.out());
  EXPECT_EQ(bench.rules().next_tick_due(), at(25h));
  bench.rules().advance(at(15min), at(25h), bench.out());
  EXPECT_EQ(bench.log(), Log{"raised 01:00 since 01:00"});  // by the device's clock
  EXPECT_EQ(bench.rules().next_tick_due(), Time::max());
}

TEST(NextDue, IsReachedByWakingThenOnly) {
  RuleSource delayed = rule_when("ratio > 1");
  delayed.for_ = 10min;
  RuleBench bench(std::vector<RuleSource>{delayed, rule_when("absent(ratio, 20m)")});
  bench.read(0min, {reading(kRatio, 2)});
  bench.read(5min, {reading(kRatio, 0)});  // resets the delay and puts the silence off
  int woken = 0;
  for (Time due = Time::min(); woken < 10; ++woken) {
    due = std::min(bench.rules().next_asset_due(), bench.rules().next_tick_due());
    if (due == Time::max()) break;
    bench.advance(std::chrono::duration_cast<Duration>(due - at(0s)));
  }
  EXPECT_LE(woken, 3);
  EXPECT_EQ(bench.log(), Log{"1 raised 00:25 since 00:25"});
}

TEST(ReadingsOfOneMoment, AreAppliedTogether) {
  RuleBench bench(rule_when("ratio > 1 && level < 50 %"));
  bench.read(0min, {reading(kRatio, 2), reading(kLevel, 80)});
  bench.read(1min, {reading(kRatio, 0), reading(kLevel, 20)});
  EXPECT_EQ(bench.log(), Log{});
  bench.read(2min, {reading(kLevel, 10), reading(kRatio, 2)});
  EXPECT_EQ(bench.log(), Log{"raised 00:02 since 00:02"});
}

TEST(AReadingOlderThanTheNewest, NeverMovesTheClockBack) {
  RuleBench bench(rule_when("ratio > 1"));
  bench.read(10min, {reading(kLevel, 1)});
  bench.read(5min, {reading(kRatio, 2)});  // the first of its signal
  bench.read(4min, {reading(kRatio, 0)});  // older than the newest of its signal
  EXPECT_EQ(bench.log(), Log{"raised 00:10 since 00:10"});
}

TEST(AReadingOfAnUnknownSignal, IsIgnored) {
  RuleBench bench(rule_when("ratio > 1"));
  bench.read(0min, {reading(1000, 2), reading(std::numeric_limits<SignalIndex>::max(), 2)});
  EXPECT_EQ(bench.log(), Log{});
}

TEST(Overrides, ReplaceTheParametersOfOneAsset) {
  RuleSource source = rule_when("ratio > limit && ratio < ceiling");
  source.parameters = {{"limit", {"1", {1, 1}}}, {"ceiling", {"9", {1, 1}}}};
  const auto rule = compiled(source);
  AssetRules rules({{rule, {}}, {rule, {5.0, std::nullopt}}}, test_vocabulary().signals.size(), 15min);
  std::vector<Transition> out;
  rules.apply(at(0s), at(0s), std::vector{reading(kRatio, 2)}, out);
  rules.apply(at(1min), at(1min), std::vector{reading(kRatio, 6)}, out);
  rules.apply(at(2min), at(2min), std::vector{reading(kRatio, 9)}, out);
  EXPECT_EQ(shown(out),
            (Log{"raised 00:00 since 00:00", "1 raised 00:01 since 00:01", "cleared 00:02", "1 cleared 00:02"}));
}

}  // namespace
}  // namespace fettle::rules
