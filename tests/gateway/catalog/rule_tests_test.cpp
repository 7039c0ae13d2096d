// What the texts of a rule's test mean, once they are right.

#include "gateway/catalog/rule_tests.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/gateway/catalog/sample_catalog.h"

namespace fettle::catalog {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

Model sample_model() {
  for (const Entry& entry : sample_entries()) {
    if (entry.has_model()) return entry.model();
  }
  return {};
}

RuleTest test_of(const std::string& signal, const std::vector<std::string>& series) {
  RuleTest test;
  TestSignal& readings = *test.add_readings();
  readings.mutable_signal()->set_text(signal);
  for (const std::string& text : series) readings.add_series()->set_text(text);
  return test;
}

struct Laid {
  const char* signal;
  std::vector<std::string> series;
  std::vector<std::pair<milliseconds, double>> readings;
  milliseconds end;
};

class Series : public testing::TestWithParam<Laid> {};

TEST_P(Series, LaysItsReadingsDown) {
  const Laid& laid = GetParam();
  const auto timeline = read_timeline(test_of(laid.signal, laid.series), sample_model());
  ASSERT_TRUE(timeline.has_value()) << timeline.error().front().message;
  ASSERT_EQ(timeline->signals.size(), 1U);
  std::vector<std::pair<milliseconds, double>> found;
  for (const TimedValue& value : timeline->signals[0].values) found.emplace_back(value.at, value.value);
  EXPECT_EQ(found, laid.readings);
  EXPECT_EQ(timeline->end, laid.end);
  EXPECT_EQ(timeline->size(), laid.readings.size());
}

INSTANTIATE_TEST_SUITE_P(
    Table, Series,
    testing::Values(
        Laid{"temperature",
             {"constant(20 degC, 15m, every 5m)"},
             {{minutes(0), 20}, {minutes(5), 20}, {minutes(10), 20}},
             minutes(15)},
        Laid{"temperature",
             {"ramp(20 degC, 23 degC, 15m, every 5m)"},
             {{minutes(0), 20}, {minutes(5), 21}, {minutes(10), 22}},
             minutes(15)},
        Laid{"temperature",
             {"wave(10 degC, 20 degC, 20m, 30m, every 5m)"},
             {{minutes(0), 10},
              {minutes(5), 15},
              {minutes(10), 20},
              {minutes(15), 15},
              {minutes(20), 10},
              {minutes(25), 15}},
             minutes(30)},
        Laid{"temperature", {"steps(1 degC, -2.5 degC, every 1h)"}, {{hours(0), 1}, {hours(1), -2.5}}, hours(2)},
        Laid{"temperature", {"steps([1 degC, 2 degC], every 1h)"}, {{hours(0), 1}, {hours(1), 2}}, hours(2)},
        Laid{"temperature", {"gap(2h)"}, {}, hours(2)},
        // In a row, without meeting; the last interval may be a part of one.
        Laid{"temperature",
             {"constant(20 degC, 7m, every 5m)", "gap(1h)", " constant( 21 degC ,1m,every 5m ) "},
             {{minutes(0), 20}, {minutes(5), 20}, {minutes(67), 21}},
             minutes(68)},
        // Units convert, points on a scale as points.
        Laid{"energy", {"constant(3.6 MJ, 1m, every 1m)"}, {{minutes(0), 1}}, minutes(1)},
        Laid{"temperature", {"constant(300 K, 1m, every 1m)"}, {{minutes(0), 300 - 273.15}}, minutes(1)},
        // States by their texts.
        Laid{"band",
             {"steps(low, \"high\", 'low', every 1m)"},
             {{minutes(0), 0}, {minutes(1), 1}, {minutes(2), 0}},
             minutes(3)}));

TEST(RuleTestReadings, PointsStandAtTheirOwnTimes) {
  RuleTest test = test_of("temperature", {});
  for (const auto& [at, value] : {std::pair("0", "20 degC"), std::pair("90s", "21 degC"), std::pair("1h", "19 degC")}) {
    TestPoint& point = *test.mutable_readings(0)->add_points();
    point.mutable_at()->set_text(at);
    point.mutable_value()->set_text(value);
  }
  const auto timeline = read_timeline(test, sample_model());
  ASSERT_TRUE(timeline.has_value());
  ASSERT_EQ(timeline->size(), 3U);
  EXPECT_EQ(timeline->signals[0].values[1].at, std::chrono::seconds(90));
  EXPECT_EQ(timeline->signals[0].values[2].value, 19);
  EXPECT_EQ(timeline->end, hours(1));
}

TEST(RuleTestReadings, TheLongestSignalIsTheTestsEnd) {
  RuleTest test = test_of("temperature", {"constant(20 degC, 1h, every 5m)"});
  *test.add_readings() = test_of("band", {"constant(low, 1h, every 1h)", "gap(3h)"}).readings(0);
  const auto timeline = read_timeline(test, sample_model());
  ASSERT_TRUE(timeline.has_value());
  EXPECT_EQ(timeline->end, hours(4));
  EXPECT_EQ(timeline->size(), 13U);
}

TEST(RuleTestRange, SaysBothEndsIncluded) {
  struct Case {
    const char* text;
    milliseconds inside;
    milliseconds outside;
  };
  for (const Case& each :
       {Case{">= 30h", hours(30), hours(30) - milliseconds(1)}, Case{"<=30h", hours(30), hours(30) + milliseconds(1)},
        Case{"== 1h30m", minutes(90), minutes(91)}, Case{"28h .. 32h", hours(32), hours(33)},
        Case{" 28h..32h ", hours(28), hours(27)}}) {
    const auto range = read_range(each.text);
    ASSERT_TRUE(range) << each.text;
    EXPECT_TRUE(range->contains(each.inside)) << each.text;
    EXPECT_FALSE(range->contains(each.outside)) << each.text;
  }
  for (const char* text : {"", "30h", "> 30h", "=> 30h", ">= 30", ">= ", "32h .. 28h", "28h ..", "1h .. 2h .. 3h"}) {
    EXPECT_FALSE(read_range(text)) << text;
  }
}

// ---- the bounds of a test
// --------------------------------------------------------------------------------------------

TEST(RuleTestBounds, AllOfItsSignalsShareTheReadings) {
  const std::string half = "constant(20 degC, 125000s, every 1s)";
  const Model model = sample_model();
  RuleTest test = test_of("temperature", {half, half});
  ASSERT_TRUE(read_timeline(test, model).has_value());
  *test.add_readings() = test_of("band", {"constant(low, 1s, every 1s)"}).readings(0);
  const auto refused = read_timeline(test, model);
  ASSERT_TRUE(refused.has_error());
  EXPECT_EQ(refused.error().front().message,
            "signal band: the test would have more than 250000 readings; make it shorter, or let them come less often");
}

TEST(RuleTestBounds, NothingIsLaidDownThatIsTooMuch) {
  const Model model = sample_model();
  EXPECT_TRUE(read_timeline(test_of("temperature", {"constant(20 degC, 366d, every 1ms)"}), model).has_error());
  EXPECT_TRUE(read_timeline(test_of("temperature", {"steps(1 degC, 2 degC, every 36500d)"}), model).has_error());
  EXPECT_TRUE(read_timeline(test_of("temperature", {"gap(36500d)"}), model).has_error());
  EXPECT_TRUE(read_timeline(test_of("temperature", {"gap(366d)"}), model).has_value());
  EXPECT_TRUE(read_timeline(test_of("temperature", {"gap(366d)", "gap(1ms)"}), model).has_error());
}

}  // namespace
}  // namespace fettle::catalog
