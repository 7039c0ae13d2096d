// What a series has said: days as runs, and lookups over the store and what is not yet in it.

#include "gateway/engine/history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "gateway/store/memory/memory_store.h"
#include "tests/gateway/engine/plant.h"

namespace fettle::engine {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using trial::kStart;

class ADays : public testing::TestWithParam<std::uint32_t> {};

TEST_P(ADays, AreWhatASetOfDaysWouldBe) {
  std::mt19937 random(GetParam());
  std::uniform_int_distribution<std::int32_t> any_day(-40, 40);
  Days days;
  std::set<std::int32_t> naive;
  for (int i = 0; i < 90; ++i) {
    const std::int32_t added = any_day(random);
    days.add(added);
    naive.insert(added);
    for (std::int32_t day = -42; day <= 42; ++day) {
      ASSERT_EQ(days.contains(day), naive.contains(day));
      const auto after = naive.lower_bound(day);
      const auto beyond = naive.upper_bound(day);
      ASSERT_EQ(days.at_or_after(day), after == naive.end() ? std::nullopt : std::optional(*after));
      ASSERT_EQ(days.at_or_before(day), beyond == naive.begin() ? std::nullopt : std::optional(*std::prev(beyond)));
    }
    for (std::size_t run = 1; run < days.runs().size(); ++run) {
      ASSERT_GT(days.runs()[run].first, days.runs()[run - 1].last + 1) << "runs that touch are one";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, ADays, testing::Range(0U, 25U));

// Readings as they stand, sorted; the naive model of a History.
struct Naive {
  std::vector<Point> points;

  void add(const Point& point) {
    points.push_back(point);
    std::sort(points.begin(), points.end(),
              [](const Point& a, const Point& b) { return std::pair(a.time, a.value) < std::pair(b.time, b.value); });
  }
  std::vector<Point> range(Time from, Time to) const {
    std::vector<Point> found;
    std::copy_if(points.begin(), points.end(), std::back_inserter(found),
                 [&](const Point& p) { return p.time >= from && p.time < to; });
    return found;
  }
  std::optional<Point> before(Time time) const {
    const auto found = range(Time::min(), time);
    return found.empty() ? std::nullopt : std::optional(found.back());
  }
  std::optional<Point> at_or_after(Time time) const {
    const auto found = range(time, Time::max());
    if (found.empty()) return std::nullopt;
    return range(found.front().time, found.front().time + milliseconds(1)).back();
  }
};

bool same(const std::optional<Point>& a, const std::optional<Point>& b) {
  return a.has_value() == b.has_value() && (!a || (a->time == b->time && a->value == b->value));
}
bool same(const std::vector<Point>& a, const std::vector<Point>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Point& x, const Point& y) { return same(x, y); });
}

// Random readings of one series over some days, on few different instants so that conflicts are common.
std::vector<Point> random_points(std::mt19937& random, std::size_t count) {
  std::uniform_int_distribution<int> slot(0, 60);
  std::uniform_int_distribution<int> value(0, 9);
  std::set<std::pair<Time, double>> seen;
  std::vector<Point> points;
  while (points.size() < count) {
    const Point point{kStart + slot(random) * hours(4) - milliseconds(slot(random) % 2), 1.0 * value(random), 0};
    if (seen.emplace(point.time, point.value).second) points.push_back(point);
  }
  return points;
}

Effects effects_of(Sequence sequence, const Point& point) {
  Effects effects;
  effects.first = effects.committed = sequence;
  effects.messages.push_back({sequence, sequence, point.time, "topic", 0});
  effects.readings.push_back({0, point.time, point.value, 0, 0});
  return effects;
}

void expect_same_lookups(History& history, Series& series, const Naive& naive, std::mt19937& random) {
  std::uniform_int_distribution<int> slot(-1, 61);
  for (int i = 0; i < 12; ++i) {
    const Time time = kStart + slot(random) * hours(4) - milliseconds(slot(random) % 2);
    const Time to = time + hours(slot(random));
    EXPECT_TRUE(same(history.before(series, time), naive.before(time)));
    EXPECT_TRUE(same(history.at_or_after(series, time), naive.at_or_after(time)));
    EXPECT_TRUE(same(history.at(series, time), naive.range(time, time + milliseconds(1))));
    EXPECT_TRUE(same(history.range(series, time, to), naive.range(time, to)));
  }
}

class AHistory : public testing::TestWithParam<std::uint32_t> {};

TEST_P(AHistory, LooksUpWhatASortedListWould) {
  std::mt19937 random(GetParam());
  store::MemoryStore store;
  History history(store);
  history.begin_batch(1);
  Series series;
  series.id = 0;
  Naive naive;
  Sequence sequence = 0;
  std::vector<Effects> uncommitted;
  for (const Point& point : random_points(random, 80)) {
    ++sequence;
    history.add(series, point);
    naive.add(point);
    uncommitted.push_back(effects_of(sequence, point));
    expect_same_lookups(history, series, naive, random);
    if (random() % 4 == 0) {
      for (const Effects& effects : uncommitted) ASSERT_TRUE(store.commit(effects));
      uncommitted.clear();
      history.begin_batch(sequence + 1);
    }
  }
}

TEST_P(AHistory, NeverShowsReadingsOfLaterRecordsWhileReplaying) {
  std::mt19937 random(GetParam());
  store::MemoryStore store;
  const std::vector<Point> points = random_points(random, 80);
  for (std::size_t i = 0; i < points.size(); ++i) ASSERT_TRUE(store.commit(effects_of(i + 1, points[i])));

  History history(store);
  history.begin_batch(1);
  Series series;
  series.id = 0;
  Naive naive;
  for (std::size_t i = 0; i < points.size(); ++i) {
    history.add(series, points[i]);
    naive.add(points[i]);
    expect_same_lookups(history, series, naive, random);
    if (random() % 5 == 0) history.begin_batch(i + 2);
  }
}

TEST_P(AHistory, GoesOnAfterARestartWithTheDaysItHad) {
  std::mt19937 random(GetParam());
  store::MemoryStore store;
  Series series;
  series.id = 0;
  Naive naive;
  const std::vector<Point> points = random_points(random, 60);
  for (std::size_t i = 0; i < points.size(); ++i) {
    History history(store);            // nothing loaded, each time
    series.loaded = series.batch = 0;  // as a checkpoint gives it back
    history.begin_batch(i + 1);
    history.add(series, points[i]);
    naive.add(points[i]);
    expect_same_lookups(history, series, naive, random);
    ASSERT_TRUE(store.commit(effects_of(i + 1, points[i])));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, AHistory, testing::Range(0U, 20U));

TEST(HistoryOfASilentSeries, HasNothing) {
  store::MemoryStore store;
  History history(store);
  Series silent;
  EXPECT_FALSE(history.before(silent, kStart));
  EXPECT_FALSE(history.at_or_after(silent, kStart));
  EXPECT_TRUE(history.range(silent, kStart, kStart + hours(1)).empty());
}

// A store that cannot be read.
class Unreadable : public store::MemoryStore {
 public:
  StoreResult<std::vector<StoredReading>> readings(SeriesId, Time, Time, Sequence) override {
    if (broken) return StoreError{"the disk is gone"};
    return std::vector<StoredReading>();
  }
  bool broken = true;
};

TEST(HistoryOfAnUnreadableStore, ThrowsAndKeepsNoHalfReadDay) {
  Unreadable store;
  History history(store);
  history.begin_batch(1);
  Series series;
  series.id = 0;
  history.add(series, {kStart, 1, 0});
  EXPECT_THROW(history.range(series, kStart, kStart + hours(1)), StoreFailure);
  store.broken = false;
  EXPECT_EQ(history.range(series, kStart, kStart + hours(1)).size(), 1U);
}

}  // namespace
}  // namespace fettle::engine
