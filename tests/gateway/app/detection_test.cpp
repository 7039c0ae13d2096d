// What counts as found, as right and as false, in tables of hours.

#include "gateway/app/detection.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <random>

namespace fettle::app {
namespace {

using engine::Time;
using std::chrono::hours;

Time at(int hour) {
  return Time(hours(hour));
}

// Hours of one asset, "lift", under one rule, "doors/slow", watched from hour 0 to hour 720: a month.
std::vector<RaisedEpisode> raised(std::initializer_list<int> at_hours) {
  std::vector<RaisedEpisode> episodes;
  for (const int hour : at_hours) episodes.push_back({"lift", "doors/slow", at(hour)});
  return episodes;
}
const std::vector<Watched> kMonthOfLift = {{"lift", at(0), at(720)}};

// Ten hours before a failure; repeats within five are one order.
const JudgeOptions kOptions{hours(10), hours(5), Span{0}};

struct Expected {
  std::size_t found = 0;
  std::size_t right_orders = 0;
  std::size_t false_orders = 0;
};

struct Row {
  const char* says;
  std::vector<RaisedEpisode> episodes;
  std::vector<KnownFailure> failures;
  Expected expected;
};

KnownFailure failure(int start, int end, std::string rule = {}) {
  return {"lift", std::move(rule), at(start), at(end)};
}

TEST(Judge, CountsFailuresFoundAndOrders) {
  const std::vector<Row> rows = {
      {"nothing raised, nothing failed", {}, {}, {0, 0, 0}},
      {"nothing failed: every order is false", raised({100, 200}), {}, {0, 0, 2}},
      {"nothing raised: nothing is found", {}, {failure(100, 110)}, {0, 0, 0}},
      {"before the start", raised({95}), {failure(100, 110)}, {1, 1, 0}},
      {"during the failure", raised({105}), {failure(100, 110)}, {1, 1, 0}},
      {"at the first moment of the window", raised({90}), {failure(100, 110)}, {1, 1, 0}},
      {"just before the window", raised({89}), {failure(100, 110)}, {0, 0, 1}},
      {"at the end of the failure", raised({110}), {failure(100, 110)}, {1, 1, 0}},
      {"just after the failure", raised({111}), {failure(100, 110)}, {0, 0, 1}},
      {"a failure of a moment", raised({90, 100}), {failure(100, 100)}, {1, 2, 0}},
      {"several in one window find it once", raised({91, 93, 97}), {failure(100, 110)}, {1, 2, 0}},
      {"a repeat at the very end of the span is an order of its own", raised({91, 96}), {failure(100, 110)}, {1, 2, 0}},
      {"false repeats are one order", raised({200, 201, 204}), {}, {0, 0, 1}},
      {"repeats count from the last order, not from the last episode", raised({200, 203, 206}), {}, {0, 0, 2}},
      {"one episode in overlapping windows finds both",
       raised({99}),
       {failure(100, 110), failure(105, 120)},
       {2, 1, 0}},
      {"one failure twice in the file is two", raised({99}), {failure(100, 110), failure(100, 110)}, {2, 1, 0}},
      {"right does not swallow false, nor false right", raised({89, 91, 111}), {failure(100, 110)}, {1, 1, 2}},
      {"of another rule", raised({95}), {failure(100, 110, "doors/stuck")}, {0, 0, 1}},
      {"of this rule by its whole name", raised({95}), {failure(100, 110, "doors/slow")}, {1, 1, 0}},
      {"of this rule by its short name", raised({95}), {failure(100, 110, "slow")}, {1, 1, 0}},
      {"in any order of rows", raised({204, 95, 200}), {failure(300, 310), failure(100, 110)}, {1, 1, 1}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.says);
    const Judgement judged = judge(row.episodes, row.failures, kMonthOfLift, kOptions);
    EXPECT_EQ(judged.failures, row.failures.size());
    EXPECT_EQ(judged.episodes, row.episodes.size());
    EXPECT_EQ(judged.found, row.expected.found);
    EXPECT_EQ(judged.right_orders, row.expected.right_orders);
    EXPECT_EQ(judged.false_orders, row.expected.false_orders);
  }
}

TEST(Judge, DividesAsItsFormulasSay) {
  // Two failures, one found; orders: one right, three false, in a month of one asset.
  const Judgement judged =
      judge(raised({95, 200, 300, 400}), std::vector{failure(100, 110), failure(600, 610)}, kMonthOfLift, kOptions);
  EXPECT_DOUBLE_EQ(judged.precision.value(), 0.25);
  EXPECT_DOUBLE_EQ(judged.recall.value(), 0.5);
  EXPECT_DOUBLE_EQ(judged.f1.value(), 2 * 0.25 * 0.5 / 0.75);
  EXPECT_DOUBLE_EQ(judged.asset_months, 1.0);
  EXPECT_DOUBLE_EQ(judged.false_orders_per_asset_month.value(), 3.0);
}

TEST(Judge, LeavesOutFiguresThatHaveNoDivisor) {
  const Judgement quiet = judge({}, {}, kMonthOfLift, kOptions);
  EXPECT_FALSE(quiet.precision);
  EXPECT_FALSE(quiet.recall);
  EXPECT_FALSE(quiet.f1);
  EXPECT_FALSE(quiet.lead);
  EXPECT_DOUBLE_EQ(quiet.false_orders_per_asset_month.value(), 0.0);

  const Judgement missed = judge(raised({200}), std::vector{failure(100, 110)}, kMonthOfLift, kOptions);
  EXPECT_DOUBLE_EQ(missed.precision.value(), 0.0);
  EXPECT_DOUBLE_EQ(missed.recall.value(), 0.0);
  EXPECT_DOUBLE_EQ(missed.f1.value(), 0.0);

  const std::vector<Watched> moment = {{"lift", at(5), at(5)}};
  EXPECT_FALSE(judge({}, {}, moment, kOptions).false_orders_per_asset_month);
}

TEST(Judge, LeadsFromTheFirstEpisodeOfTheWindowToTheStart) {
  struct Case {
    std::vector<RaisedEpisode> episodes;
    LeadTime expected;
  };
  const std::vector<KnownFailure> failures = {failure(100, 110), failure(200, 210), failure(300, 310)};
  const std::vector<Case> cases = {
      {raised({92, 94}), {hours(8), hours(8), hours(8)}},
      {raised({105}), {hours(-5), hours(-5), hours(-5)}},
      {raised({92, 197}), {std::chrono::minutes(330), hours(3), hours(8)}},
      {raised({92, 197, 304}), {hours(3), hours(-4), hours(8)}},
  };
  for (const Case& one : cases) {
    const Judgement judged = judge(one.episodes, failures, kMonthOfLift, kOptions);
    ASSERT_TRUE(judged.lead);
    EXPECT_EQ(judged.lead->median, one.expected.median);
    EXPECT_EQ(judged.lead->least, one.expected.least);
    EXPECT_EQ(judged.lead->most, one.expected.most);
  }
}

TEST(Judge, JudgesOnlyWhatWasWatchedAndNotTheProbation) {
  const JudgeOptions options{hours(10), hours(5), hours(50)};
  const std::vector<KnownFailure> failures = {
      failure(30, 40),                  // over before the probation is
      failure(45, 50),                  // its end is the first moment judged
      failure(730, 740),                // its window opens with the last moment watched
      failure(731, 740),                // its window opens after it
      {"crane", {}, at(100), at(110)},  // nobody watched
  };
  const Judgement judged = judge(raised({20, 50, 720, 721}), failures, kMonthOfLift, options);
  EXPECT_EQ(judged.failures, 2U);
  EXPECT_EQ(judged.not_judged, 3U);
  EXPECT_EQ(judged.found, 2U);
  EXPECT_EQ(judged.episodes, 2U);
  EXPECT_DOUBLE_EQ(judged.asset_months, 670.0 / 720.0);

  const std::vector<Watched> brief = {{"lift", at(0), at(49)}};
  EXPECT_EQ(judge(raised({20}), failures, brief, options).episodes, 0U);
}

TEST(Judge, KeepsAssetsAndRulesApart) {
  const std::vector<Watched> watched = {{"a", at(0), at(720)}, {"b", at(0), at(1440)}};
  const std::vector<RaisedEpisode> episodes = {
      {"a", "p/x", at(95)}, {"a", "p/y", at(95)}, {"b", "p/x", at(95)}, {"b", "p/x", at(500)}, {"c", "p/x", at(95)}};
  const std::vector<KnownFailure> failures = {{"a", {}, at(100), at(110)}};
  const Judgement all = judge(episodes, failures, watched, kOptions);
  EXPECT_EQ(all.right_orders, 2U) << "one by each rule";
  EXPECT_EQ(all.false_orders, 2U) << "the same hour on another asset; the asset that nobody watched does not count";
  EXPECT_DOUBLE_EQ(all.asset_months, 3.0);

  const Judgement only_y = judge_rule("p/y", episodes, failures, watched, kOptions);
  EXPECT_EQ(only_y.right_orders, 1U);
  EXPECT_EQ(only_y.false_orders, 0U);
  EXPECT_EQ(only_y.found, 1U);
  const std::vector<KnownFailure> named = {{"a", "x", at(100), at(110)}};
  EXPECT_EQ(judge_rule("p/y", episodes, named, watched, kOptions).failures, 0U) << "it is not its to find";
}

TEST(Judge, TellsWhichIsBetterByF1ThenLeadThenFalseOrders) {
  const auto with = [](double f1, int lead, std::size_t wrong) {
    Judgement judgement;
    judgement.f1 = f1;
    judgement.lead = LeadTime{hours(lead), hours(lead), hours(lead)};
    judgement.false_orders = wrong;
    return judgement;
  };
  EXPECT_TRUE(better(with(0.8, 1, 9), with(0.7, 5, 0)));
  EXPECT_TRUE(better(with(0.8, 5, 9), with(0.8, 1, 0)));
  EXPECT_TRUE(better(with(0.8, -1, 0), with(0.8, -2, 0)));
  EXPECT_TRUE(better(with(0.8, 5, 0), with(0.8, 5, 1)));
  EXPECT_FALSE(better(with(0.8, 5, 1), with(0.8, 5, 1)));
  EXPECT_TRUE(better(with(0.1, -50, 7), Judgement{})) << "no figure is the worst";
  EXPECT_FALSE(better(Judgement{}, Judgement{}));
}

// A longer horizon never finds less, and what is right and what is false is all there is.
TEST(Judge, HoldsItsLawsOnRandomRows) {
  for (unsigned seed = 0; seed < 1000; ++seed) {
    std::mt19937 random(seed);
    const auto upto = [&](unsigned bound) { return static_cast<int>(random() % bound); };
    std::vector<RaisedEpisode> episodes;
    std::vector<KnownFailure> failures;
    for (int i = upto(20); i > 0; --i) episodes.push_back({upto(2) == 0 ? "lift" : "crane", "p/x", at(upto(720))});
    for (int i = upto(6); i > 0; --i) {
      const int start = upto(720);
      failures.push_back({"lift", {}, at(start), at(start + upto(30))});
    }
    const std::vector<Watched> watched = {{"lift", at(0), at(720)}, {"crane", at(0), at(720)}};
    std::size_t found = 0;
    for (const int horizon : {0, 5, 50, 500}) {
      const Judgement judged = judge(episodes, failures, watched, {hours(horizon), Span{0}, Span{0}});
      ASSERT_GE(judged.found, found) << seed;
      ASSERT_LE(judged.found, judged.failures) << seed;
      ASSERT_EQ(judged.right_orders + judged.false_orders, episodes.size()) << seed << ": no repeat is folded";
      ASSERT_EQ(judged.right_orders, judged.right_episodes) << seed;
      found = judged.found;
    }
    std::shuffle(episodes.begin(), episodes.end(), random);
    const Judgement shuffled = judge(episodes, failures, watched, {hours(500), Span{0}, Span{0}});
    ASSERT_EQ(shuffled.found, found) << seed;
  }
}

}  // namespace
}  // namespace fettle::app
