// Random registers, seeded: 10,000 histories against a meter that counts every minute, and against the formulas written
// out the long way.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "billing/register.h"
#include "tests/billing/zone_tables.h"

namespace fettle::billing {
namespace {

using namespace testing;
using std::chrono::minutes;

constexpr int kHistories = 10'000;

class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  // Both bounds included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool one_in(std::int64_t n) { return between(1, n) == 1; }

 private:
  std::mt19937_64 random_;
};

struct Reading {
  Time at;
  std::int64_t count;
};

// The cells as a naive person finds them: minute by minute, a new one wherever the wall clock's hour or the offset
// changes, or at a cut.
bool cell_begins_at(Time t, const Zone& zone, const std::vector<Time>& cuts) {
  const auto shown = [&](Time at) { return std::chrono::floor<std::chrono::hours>(at + zone.offset_at(at)); };
  return shown(t) != shown(t - minutes(1)) || zone.offset_at(t) != zone.offset_at(t - minutes(1)) ||
         std::binary_search(cuts.begin(), cuts.end(), t);
}

// Times are whole minutes; products stay far below 64 bits.
std::map<Time, std::int64_t> naive_spread(Time from, Time to, std::int64_t increment, const Zone& zone,
                                          const std::vector<Time>& cuts) {
  std::map<Time, std::int64_t> shares;
  Time cell = from;
  while (!cell_begins_at(cell, zone, cuts)) cell -= minutes(1);
  std::int64_t given = 0;
  for (Time t = from; t < to; t += minutes(1)) {
    if (cell_begins_at(t, zone, cuts)) cell = t;
    const std::int64_t until = increment * ((t - from).count() / 60'000 + 1) / ((to - from).count() / 60'000);
    if (until > given) shares[cell] += until - given;
    given = until;
  }
  return shares;
}

Step naive_step(const RegisterSpec& spec, const Reading& older, const Reading& newer) {
  const std::int64_t most = spec.max_rate.value_or(0) * (newer.at - older.at).count() / 3'600'000;
  const bool gap = spec.expected_interval.count() > 0 && newer.at - older.at > spec.expected_interval;
  std::vector<Step> meanings;
  if (newer.count >= older.count) {
    if (!spec.max_rate || newer.count - older.count <= most) {
      meanings.push_back({newer.count - older.count, StepKind::rise, gap});
    }
  } else if (spec.max_rate) {
    if (spec.width && older.count < *spec.width && *spec.width - older.count + newer.count <= most) {
      meanings.push_back({*spec.width - older.count + newer.count, StepKind::rollover, gap});
    }
    if (newer.count <= most) meanings.push_back({newer.count, StepKind::reset, gap});
  }
  meanings.push_back({0, StepKind::disputed, gap});
  return meanings.front();
}

std::vector<Time> random_cuts(Dice& dice, Time from) {
  std::vector<Time> cuts;
  for (std::int64_t n = dice.between(0, 3); n > 0; --n) cuts.push_back(from + minutes(dice.between(-120, 1'500)));
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

std::int64_t random_count(Dice& dice, const RegisterSpec& spec, std::int64_t older) {
  const std::int64_t rise = dice.between(0, 60);
  switch (dice.between(1, 4)) {
    case 1:
      return dice.between(0, 2'000);
    case 2:
      return rise;
    case 3:
      return (older + rise) % spec.width.value_or(1'000);
    default:
      return older + rise;
  }
}

TEST(RegisterHistories, AnyReadingsGiveTheNaiveModelsStepsAndShares) {
  Dice dice(2026);
  const std::vector<Zone> zones = {Zone(), berlin(), kolkata(), kathmandu(), lord_howe()};
  const std::vector<Time> begins = {utc("2025-04-05T10:00"), utc("2025-10-04T09:00"), utc("2025-03-29T20:00"),
                                    utc("2025-10-25T20:00"), utc("2026-01-31T20:00")};
  int of_kind[4] = {};
  for (int history = 0; history < kHistories; ++history) {
    RegisterSpec spec;
    if (!dice.one_in(4)) spec.width = dice.between(1, 2'000);
    if (!dice.one_in(5)) spec.max_rate = dice.between(0, 900);
    if (dice.one_in(2)) spec.expected_interval = minutes(dice.between(1, 120));
    const Zone& zone = zones[static_cast<std::size_t>(dice.between(0, 4))];
    Reading older{begins[static_cast<std::size_t>(dice.between(0, 4))] + minutes(dice.between(0, 600)),
                  dice.between(0, 2'000)};
    const std::vector<Time> cuts = random_cuts(dice, older.at);
    for (int i = 0; i < 5; ++i) {
      const Reading newer{older.at + minutes(dice.between(1, dice.one_in(8) ? 400 : 30)),
                          random_count(dice, spec, older.count)};
      const Step step = step_between(spec, older.at, older.count, newer.at, newer.count);
      ASSERT_EQ(step, naive_step(spec, older, newer)) << "history " << history << ", reading " << i;
      ASSERT_GE(step.increment, 0);
      ++of_kind[static_cast<int>(step.kind)];

      std::map<Time, std::int64_t> shares;
      std::int64_t sum = 0;
      for (const Share& share : spread(older.at, newer.at, step.increment, zone, cuts)) {
        ASSERT_GT(share.quantity, 0);
        ASSERT_TRUE(share.cell.start < newer.at && older.at < share.cell.end);
        shares[share.cell.start] += share.quantity;
        sum += share.quantity;
      }
      ASSERT_EQ(sum, step.increment) << "history " << history << ", reading " << i;
      ASSERT_EQ(shares, naive_spread(older.at, newer.at, step.increment, zone, cuts)) << "history " << history;
      older = newer;
    }
  }
  for (const int count : of_kind) EXPECT_GT(count, 500) << "each kind of step is met often";
}

// A meter that never runs faster than its rate, and is read often enough that it cannot go round half way in between:
// what is billed is what it counted, whatever the register showed.
TEST(RegisterHistories, ARegisterThatRollsOverIsBilledForWhatItCounted) {
  Dice dice(1999);
  for (int history = 0; history < kHistories; ++history) {
    const std::int64_t per_minute = dice.between(1, 50);
    const RegisterSpec spec{dice.between(2, 5) * 60 * per_minute, per_minute * 60, {}};
    std::int64_t counted = dice.between(0, 1'000'000);
    const std::int64_t first = counted;
    Time at = utc("2026-01-01T00:00");
    std::int64_t billed = 0;
    for (int i = 0; i < 20; ++i) {
      const std::int64_t shown = counted % *spec.width;
      const std::int64_t passed = dice.between(1, 60);
      counted += dice.between(0, per_minute * passed);
      const Step step = step_between(spec, at, shown, at + minutes(passed), counted % *spec.width);
      ASSERT_TRUE(step.kind == StepKind::rise || step.kind == StepKind::rollover) << "history " << history;
      billed += step.increment;
      at += minutes(passed);
    }
    ASSERT_EQ(billed, counted - first) << "history " << history;
  }
}

// Replaced or cleared registers begin again from 0: what they counted since is billed, the unknown part before is not.
TEST(RegisterHistories, ARegisterThatIsResetIsBilledForNoMoreThanItCounted) {
  Dice dice(2001);
  for (int history = 0; history < kHistories; ++history) {
    const std::int64_t per_minute = dice.between(1, 50);
    const RegisterSpec spec{std::nullopt, per_minute * 60, {}};
    std::int64_t shown = dice.between(0, 1'000'000);
    std::int64_t counted = 0;
    std::int64_t billed = 0;
    Time at = utc("2026-01-01T00:00");
    for (int i = 0; i < 20; ++i) {
      const Reading older{at, shown};
      for (std::int64_t minute = dice.between(1, 60); minute > 0; --minute) {
        if (dice.one_in(300)) shown = 0;
        const std::int64_t count = dice.between(0, per_minute);
        shown += count;
        counted += count;
        at += minutes(1);
      }
      const Step step = step_between(spec, older.at, older.count, at, shown);
      ASSERT_NE(step.kind, StepKind::disputed) << "history " << history;
      billed += step.increment;
    }
    ASSERT_GE(billed, 0);
    ASSERT_LE(billed, counted) << "history " << history;
  }
}

TEST(RegisterHistories, ReadingsInBetweenAnEvenRiseChangeNoCell) {
  Dice dice(3);
  const Zone zone = berlin();
  for (int history = 0; history < 1'000; ++history) {
    const Time from = utc("2025-10-25T20:00") + minutes(dice.between(0, 59));
    const std::int64_t hours_long = dice.between(2, 20);
    const std::int64_t rate = dice.between(1, 500);  // counts per minute, evenly
    const Time to = from + std::chrono::hours(hours_long);
    std::map<Time, std::int64_t> at_once;
    for (const Share& share : spread(from, to, rate * hours_long * 60, zone, {})) {
      at_once[share.cell.start] += share.quantity;
    }
    std::map<Time, std::int64_t> in_parts;
    for (Time t = from; t < to;) {
      const Time next = std::min(to, t + minutes(dice.between(1, 90)));
      for (const Share& share : spread(t, next, rate * (next - t).count() / 60'000, zone, {})) {
        in_parts[share.cell.start] += share.quantity;
      }
      t = next;
    }
    // Counts that grow by whole numbers per minute: the cells agree exactly, however the time was cut.
    ASSERT_EQ(at_once, in_parts) << "history " << history;
  }
}

}  // namespace
}  // namespace fettle::billing
