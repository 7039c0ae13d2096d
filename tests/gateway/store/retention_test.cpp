#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/verify.h"
#include "tests/contract/store_rows.h"
#include "tests/gateway/store/merge_steps.h"
#include "tests/gateway/store/scratch.h"

namespace fettle::store {
namespace {

using engine::Effects;
using engine::Sequence;
using engine::SeriesId;
using engine::Time;
using namespace engine::contract;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

class RetentionTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.file("store.db"); }

  // Readings of signal "s" (series 0) and "metered" (series 1), in one batch, and the same in `all_`.
  void add(const std::vector<std::pair<std::int64_t, double>>& readings, std::uint8_t flags = 0) {
    Effects effects = effects_at(++sequence_);
    if (sequence_ == 1) effects.series = {{0, "press", "s"}, {1, "press", "metered"}};
    effects.messages = {message(sequence_)};
    for (const auto& [time, value] : readings) {
      for (const SeriesId series : {0U, 1U}) effects.readings.push_back({series, at(time), value, flags, 0});
      if ((flags & engine::kBad) == 0) all_.emplace(time, value);
    }
    ASSERT_TRUE(store_->commit(effects));
  }
  void merge() {
    while (Steps().merge(*store_, file(), limits_)) {
    }
  }
  void retain(std::int64_t now, milliseconds keep) {
    Steps().retain(*store_, file(), {{0, keep, false}, {1, keep, true}}, at(now));
  }
  std::size_t raw(const std::string& signal) {
    return reader_->find_readings("press", signal, at(-kDay * 10'000), at(kDay * 10'000)).value().size();
  }
  SignalRange range(std::int64_t from, std::int64_t to, std::size_t points, const std::string& signal = "s") {
    return reader_->range("press", signal, at(from), at(to), points).value();
  }
  // What the points must be, from all readings that ever were.
  void expect_points(const SignalRange& found, std::int64_t from, std::int64_t to) {
    const std::int64_t span = found.span.count();
    std::map<std::int64_t, std::vector<double>> expected;
    for (auto it = all_.lower_bound(from); it != all_.end() && it->first < to; ++it) {
      expected[span == 0 ? it->first : floor_to(it->first, span)].push_back(it->second);
    }
    ASSERT_EQ(found.points.size(), expected.size());
    std::size_t i = 0;
    for (const auto& [start, values] : expected) {
      const RangePoint& point = found.points[i++];
      double sum = 0;
      for (const double value : values) sum += value;
      ASSERT_EQ(point.start, at(start));
      ASSERT_EQ(point.readings, values.size());
      ASSERT_EQ(point.least, *std::min_element(values.begin(), values.end()));
      ASSERT_EQ(point.largest, *std::max_element(values.begin(), values.end()));
      ASSERT_NEAR(point.mean, sum / static_cast<double>(values.size()), 1e-9);
    }
  }

  ScratchFolder folder_;
  std::unique_ptr<SqliteStore> store_ = open_store(file());
  std::unique_ptr<Reader> reader_ = Reader::open(file()).value();
  MergeLimits limits_;
  Sequence sequence_ = 0;
  std::multimap<std::int64_t, double> all_;  // of "s", that are good
};

std::vector<std::pair<std::int64_t, double>> regular(std::int64_t from, std::int64_t to, std::int64_t step) {
  std::vector<std::pair<std::int64_t, double>> readings;
  for (std::int64_t time = from; time < to; time += step) {
    readings.emplace_back(time, static_cast<double>((time / step * 7919) % 1'000) / 10);
  }
  return readings;
}

TEST_F(RetentionTest, OldReadingsGoRollUpsStayAndMeteredOnesAreNeverCut) {
  limits_.chunk_readings = 100;
  add(regular(0, 10 * kDay, 5 * kMinute));
  merge();
  const std::size_t before = raw("s");
  retain(10 * kDay, hours(48));
  // The chunks of the last two days, and no more than one that reaches further back.
  EXPECT_GE(raw("s"), 2U * 288);
  EXPECT_LE(raw("s"), 2U * 288 + 100);
  EXPECT_EQ(raw("metered"), before);
  EXPECT_TRUE(verify(file()).value().empty());
  expect_points(range(0, 10 * kDay, 400), 0, 10 * kDay);
  expect_points(range(0, 10 * kDay, 50), 0, 10 * kDay);
  expect_points(range(0, 10 * kDay, 2), 0, 10 * kDay);
  EXPECT_EQ(range(0, 10 * kDay, 50).span % hours(1), milliseconds(0));
  expect_points(range(3 * kDay, 9 * kDay + kHour, 1'000), 3 * kDay, 9 * kDay + kHour);
}

TEST_F(RetentionTest, WhatIsLateAndCutLaterIsAddedToTheSameBucket) {
  limits_.chunk_readings = 50;
  add(regular(0, 4 * kDay, kHour / 4));
  merge();
  retain(100 * kDay, hours(24));
  EXPECT_EQ(raw("s"), 0U);
  expect_points(range(0, 4 * kDay, 1'000), 0, 4 * kDay);
  add({{kHour + 1, 1'000'000}, {kHour + 2, -1'000'000}, {3 * kDay, 77}});
  EXPECT_EQ(raw("s"), 3U);
  expect_points(range(0, 4 * kDay, 1'000), 0, 4 * kDay);  // in level 0
  merge();
  expect_points(range(0, 4 * kDay, 1'000), 0, 4 * kDay);  // in a chunk
  retain(100 * kDay, hours(24));
  EXPECT_EQ(raw("s"), 0U);
  expect_points(range(0, 4 * kDay, 1'000), 0, 4 * kDay);
  expect_points(range(0, 4 * kDay, 3), 0, 4 * kDay);
}

// Retention that is interrupted anywhere cuts nothing that is not in the roll-ups, and goes on later.
TEST_F(RetentionTest, MayEndAfterEveryStep) {
  limits_.chunk_readings = 20;
  add(regular(0, 30 * kDay, kHour / 2));
  merge();
  for (std::size_t steps = 0;; ++steps) {
    Steps some;
    some.stop_after = steps % 3;
    const bool whole = some.retain(*store_, file(), {{0, hours(24), false}}, at(200 * kDay)) && raw("s") == 0;
    if (steps % 2 == 0) {
      store_.reset();
      store_ = open_store(file());
    }
    expect_points(range(0, 30 * kDay, 900), 0, 30 * kDay);
    if (HasFatalFailure()) return;
    if (whole) break;
    ASSERT_LT(steps, 200U);
  }
  EXPECT_TRUE(verify(file()).value().empty());
}

TEST_F(RetentionTest, TimesBefore1970FallIntoTheirOwnBuckets) {
  limits_.chunk_readings = 30;
  add(regular(-3 * kDay, 3 * kDay, 7 * kMinute));
  merge();
  expect_points(range(-3 * kDay, 3 * kDay, 100), -3 * kDay, 3 * kDay);
  retain(100 * kDay, hours(1));
  expect_points(range(-3 * kDay, 3 * kDay, 100), -3 * kDay, 3 * kDay);
}

// ---- ranges
// ----------------------------------------------------------------------------------------------------------

TEST_F(RetentionTest, FewReadingsAreGivenAsTheyAre) {
  add({{10, 1.5}, {20, 2.5}, {30, -7}});
  const SignalRange found = range(10, 30, 2);
  EXPECT_EQ(found.span, milliseconds(0));
  ASSERT_EQ(found.points.size(), 2U);
  EXPECT_EQ(found.points[1], (RangePoint{at(20), 2.5, 2.5, 2.5, 1}));
}

TEST_F(RetentionTest, ManyReadingsAreGivenAsAtMostSoManySpans) {
  std::mt19937 random(9);
  for (int batch = 0; batch < 30; ++batch) {
    std::vector<std::pair<std::int64_t, double>> readings;
    std::int64_t time = batch * 10'000;
    for (int i = 0; i < 50; ++i) readings.emplace_back(time += 1 + random() % 300, static_cast<double>(random() % 100));
    add(readings);
    if (batch % 7 == 3) merge();
  }
  for (const std::size_t points : {2U, 3U, 10U, 100U, 999U}) {
    for (int question = 0; question < 20; ++question) {
      const auto from = static_cast<std::int64_t>(random() % 200'000);
      const std::int64_t to = from + 1 + static_cast<std::int64_t>(random() % 100'000);
      const SignalRange found = range(from, to, points);
      ASSERT_LE(found.points.size(), points);
      expect_points(found, from, to);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(RetentionTest, BadReadingsAndWhatIsNoNumberDoNotCount) {
  add({{10, 1}, {20, 2}});
  add({{15, 100}}, engine::kBad);
  Effects effects = effects_at(++sequence_);
  effects.messages = {message(sequence_)};
  effects.readings = {{0, at(17), std::nan(""), 0, 0}, {0, at(18), INFINITY, 0, 0}};
  ASSERT_TRUE(store_->commit(effects));
  expect_points(range(0, 100, 10), 0, 100);
  merge();
  expect_points(range(0, 100, 10), 0, 100);
}

TEST_F(RetentionTest, ARangeThatCannotBeIsRefused) {
  add({{10, 1}});
  EXPECT_FALSE(reader_->range("press", "s", at(10), at(10), 10));
  EXPECT_FALSE(reader_->range("press", "s", at(0), at(10), 1));
  EXPECT_FALSE(reader_->range("press", "s", Time::min(), Time::max(), 10));
  EXPECT_TRUE(reader_->range("press", "none", at(0), at(10), 10).value().points.empty());
}

}  // namespace
}  // namespace fettle::store
