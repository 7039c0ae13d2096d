// Chattering, fleeting, stale, averages and floods, in tables of seconds.

#include "gateway/app/hygiene.h"

#include <gtest/gtest.h>

namespace fettle::app {
namespace {

using engine::EpisodeRow;
using engine::Time;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Time kBegin{hours(100'000)};  // a full ten minutes
constexpr int kOpen = -1;

// An episode raised `at` seconds after kBegin that cleared `after` seconds later.
EpisodeRow episode(int at, int after, std::string rule = "slow", std::string asset = "lift-1",
                   std::string pack = "doors") {
  EpisodeRow row;
  row.id = pack + rule + asset + std::to_string(at);
  row.asset = std::move(asset);
  row.pack = std::move(pack);
  row.rule = std::move(rule);
  row.raised_at = kBegin + seconds(at);
  if (after != kOpen) row.cleared_at = row.raised_at + seconds(after);
  return row;
}

// Two days from kBegin, looked at from their end.
const HygieneOptions kTwoDays{kBegin, kBegin + hours(48), kBegin + hours(48), 1};

struct Row {
  const char* says;
  std::vector<EpisodeRow> episodes;
  std::size_t chattering = 0;
  std::size_t fleeting = 0;
  std::size_t stale = 0;
  std::size_t stale_now = 0;
};

TEST(Hygiene, NamesWhatAnEpisodeIs) {
  const int day = 86'400;
  const std::vector<Row> rows = {
      {"an hour of an episode is none of these", {episode(0, 3600)}},
      {"gone within the minute", {episode(0, 60)}, 0, 1},
      {"gone a second later", {episode(0, 61)}},
      {"twice in a minute does not chatter", {episode(0, 5), episode(30, 5)}, 0, 2},
      {"three times in a minute does, and is not fleeting as well", {episode(0, 5), episode(30, 5), episode(60, 5)}, 3},
      {"three times in 61 seconds does not", {episode(0, 5), episode(30, 5), episode(61, 5)}, 0, 3},
      {"a fourth, later one is no part of it", {episode(0, 5), episode(10, 5), episode(20, 5), episode(90, 5)}, 3, 1},
      {"five in a row, each three within a minute",
       {episode(0, 5), episode(30, 5), episode(60, 5), episode(90, 5), episode(120, 5)},
       5},
      {"three assets at once do not chatter",
       {episode(0, 100, "slow", "a"), episode(1, 100, "slow", "b"), episode(2, 100, "slow", "c")}},
      {"nor do three rules", {episode(0, 100, "x"), episode(1, 100, "y"), episode(2, 100, "z")}},
      {"24 hours are not stale", {episode(0, day)}},
      {"a second more is", {episode(0, day + 1)}, 0, 0, 1},
      {"open since the day before yesterday is stale now", {episode(0, kOpen)}, 0, 0, 1, 1},
      {"open for a day, not longer", {episode(day, kOpen)}},
      {"open for a moment is not fleeting: it has not cleared", {episode(2 * day - 1, kOpen)}},
      {"in any order of rows", {episode(60, 5), episode(0, 5), episode(30, 5)}, 3},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.says);
    const std::vector<HygieneRow> report = hygiene_of(row.episodes, kTwoDays);
    const HygieneRow& all = report.front();
    EXPECT_EQ(all.episodes, row.episodes.size());
    EXPECT_EQ(all.chattering, row.chattering);
    EXPECT_EQ(all.fleeting, row.fleeting);
    EXPECT_EQ(all.stale, row.stale);
    EXPECT_EQ(all.stale_now, row.stale_now);
  }
}

// `count` episodes of as many assets within one ten minutes that begin `at` seconds after kBegin.
void burst(std::vector<EpisodeRow>& episodes, int at, int count) {
  for (int i = 0; i < count; ++i) episodes.push_back(episode(at + i, 3600, "slow", "lift-" + std::to_string(i)));
}

TEST(Hygiene, FloodsAreTenMinutesWithMoreThanTen) {
  std::vector<EpisodeRow> episodes;
  burst(episodes, 0, 10);     // not more than ten
  burst(episodes, 600, 11);   // a flood
  burst(episodes, 1195, 11);  // five in that one's span as well, six in the next
  const HygieneRow all = hygiene_of(episodes, {kBegin, kBegin + hours(1), kBegin + hours(1), 1}).front();
  EXPECT_EQ(all.floods, 1U);
  EXPECT_EQ(all.busiest, 16U);
  EXPECT_DOUBLE_EQ(all.flood_share, 1.0 / 6.0);
}

TEST(Hygiene, TheShareCountsEveryTenMinutesThatThePeriodTouches) {
  std::vector<EpisodeRow> episodes;
  burst(episodes, 300, 11);
  const auto share = [&](int from, int until) {
    return hygiene_of(episodes, {kBegin + seconds(from), kBegin + seconds(until), kBegin + hours(1), 1})
        .front()
        .flood_share;
  };
  EXPECT_DOUBLE_EQ(share(0, 600), 1.0);
  EXPECT_DOUBLE_EQ(share(0, 601), 0.5);
  EXPECT_DOUBLE_EQ(share(-1, 600), 0.5);
  EXPECT_DOUBLE_EQ(share(299, 400), 1.0);
}

TEST(Hygiene, TheAverageIsATenMinutesAndOperatorPosition) {
  std::vector<EpisodeRow> episodes;
  for (int i = 0; i < 7; ++i) episodes.push_back(episode(600 * i, 300));
  const auto row = [&](int span_minutes, std::size_t positions) {
    const Time until = kBegin + minutes(span_minutes);
    return hygiene_of(episodes, {kBegin, until, until, positions}).front();
  };
  EXPECT_DOUBLE_EQ(row(70, 1).average, 1.0);
  EXPECT_TRUE(row(70, 1).acceptable());
  EXPECT_DOUBLE_EQ(row(61, 1).average, 7.0 / 6.1);
  EXPECT_FALSE(row(61, 1).acceptable());
  EXPECT_TRUE(row(61, 2).acceptable());
}

TEST(Hygiene, CountsWhatWasRaisedFromAndBefore) {
  const std::vector<EpisodeRow> episodes = {episode(-1, 100), episode(0, 100), episode(599, 100), episode(600, 100)};
  const HygieneRow all = hygiene_of(episodes, {kBegin, kBegin + seconds(600), kBegin + hours(1), 1}).front();
  EXPECT_EQ(all.episodes, 2U);
}

TEST(Hygiene, HasARowForAllThenForEachPackAndItsRules) {
  const std::vector<EpisodeRow> episodes = {episode(0, 100, "z", "a", "doors"), episode(1, 100, "b", "a", "doors"),
                                            episode(2, 100, "x", "a", "air"), episode(3, 100, "z", "b", "doors")};
  std::string names;
  std::size_t of_rules = 0;
  for (const HygieneRow& row : hygiene_of(episodes, kTwoDays)) {
    names += '[' + row.pack + '/' + row.rule + ':' + std::to_string(row.episodes) + ']';
    if (!row.rule.empty()) of_rules += row.episodes;
  }
  EXPECT_EQ(names, "[/:4][air/:1][air/x:1][doors/:3][doors/b:1][doors/z:2]");
  EXPECT_EQ(of_rules, episodes.size());
}

TEST(Hygiene, OfNothingIsNothing) {
  const std::vector<HygieneRow> report = hygiene_of({}, kTwoDays);
  ASSERT_EQ(report.size(), 1U);
  EXPECT_EQ(report.front().episodes, 0U);
  EXPECT_DOUBLE_EQ(report.front().average, 0.0);
  EXPECT_DOUBLE_EQ(report.front().flood_share, 0.0);
}

}  // namespace
}  // namespace fettle::app
