#include "billing/register.h"

#include <gtest/gtest.h>

#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include "tests/billing/zone_tables.h"

namespace fettle::billing {

static void PrintTo(const Step& step, std::ostream* out) {
  const char* const kinds[] = {"rise", "rollover", "reset", "disputed"};
  *out << step.increment << ' ' << kinds[static_cast<int>(step.kind)] << (step.interpolated ? " interpolated" : "");
}

namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

struct StepRow {
  std::string name;
  RegisterSpec spec;
  Duration elapsed;
  std::int64_t older;
  std::int64_t newer;
  Step expected;
};

TEST(RegisterStep, IsWhatTheFormulasSay) {
  const std::optional<std::int64_t> none;
  const RegisterSpec open{none, none, {}};
  const RegisterSpec rated{none, 100, {}};
  const RegisterSpec rolling{1'000, 100, {}};
  const std::vector<StepRow> rows = {
      {"no change", open, minutes(15), 500, 500, {0, StepKind::rise}},
      {"any rise without a rate", open, Duration(1), 0, kLargest, {kLargest, StepKind::rise}},
      {"no drop without a rate", open, hours(9), 500, 499, {0, StepKind::disputed}},
      {"a width alone explains no drop", {1'000, none, {}}, hours(9), 999, 0, {0, StepKind::disputed}},
      {"a rise of exactly the rate", rated, hours(1), 500, 600, {100, StepKind::rise}},
      {"a rise of one more", rated, hours(1), 500, 601, {0, StepKind::disputed}},
      {"the rate is not rounded up", rated, minutes(15) - Duration(1), 500, 525, {0, StepKind::disputed}},
      {"a millisecond too fast", {none, 1, {}}, hours(1) - Duration(1), 0, 1, {0, StepKind::disputed}},
      {"nor down", rated, minutes(15), 500, 525, {25, StepKind::rise}},
      {"rollover of exactly the rate", rolling, hours(1), 950, 50, {100, StepKind::rollover}},
      {"rollover from the last count to 0", rolling, hours(1), 999, 0, {1, StepKind::rollover}},
      {"too much for a rollover, a reset", rolling, hours(1), 949, 50, {50, StepKind::reset}},
      {"rollover comes before reset", rolling, hours(1), 990, 10, {20, StepKind::rollover}},
      {"reset to exactly the rate", rolling, hours(1), 500, 100, {100, StepKind::reset}},
      {"too much for a reset", rolling, hours(1), 500, 101, {0, StepKind::disputed}},
      {"reset without a width", rated, hours(1), 500, 0, {0, StepKind::reset}},
      {"reset without a width, too much", rated, hours(1), 500, 200, {0, StepKind::disputed}},
      {"beyond the width no rollover", rolling, hours(1), 1'005, 10, {10, StepKind::reset}},
      {"a rate of 0 lets nothing pass", {1'000, 0, {}}, hours(1), 5, 6, {0, StepKind::disputed}},
      {"a rate of 0 and no change", {1'000, 0, {}}, hours(1), 5, 5, {0, StepKind::rise}},
      {"the largest width", {kLargest, kLargest, {}}, hours(1), kLargest - 1, 7, {8, StepKind::rollover}},
      {"the largest rate for a century", {none, kLargest, {}}, hours(876'000), 0, kLargest, {kLargest, StepKind::rise}},
  };
  const Time at = utc("2026-03-01T12:00");
  for (const StepRow& row : rows) {
    EXPECT_EQ(step_between(row.spec, at, row.older, at + row.elapsed, row.newer), row.expected) << row.name;
  }
}

TEST(RegisterStep, IsInterpolatedBeyondTheExpectedInterval) {
  const RegisterSpec spec{std::nullopt, std::nullopt, minutes(15)};
  const Time at = utc("2026-03-01T12:00");
  EXPECT_FALSE(step_between(spec, at, 1, at + minutes(15), 2).interpolated);
  EXPECT_TRUE(step_between(spec, at, 1, at + minutes(15) + Duration(1), 2).interpolated);
  const RegisterSpec unexpecting{std::nullopt, std::nullopt, Duration(0)};
  EXPECT_FALSE(step_between(unexpecting, at, 1, at + hours(9'000), 2).interpolated);
}

TEST(RegisterStep, IsDisputedAndNeverNegativeWhereThePreconditionIsBroken) {
  const RegisterSpec spec{1'000, 100, {}};
  const Time at = utc("2026-03-01T12:00");
  const Step disputed{0, StepKind::disputed, false};
  EXPECT_EQ(step_between(spec, at, -5, at + hours(1), 5), disputed);
  EXPECT_EQ(step_between(spec, at, 5, at + hours(1), -5), disputed);
  EXPECT_EQ(step_between(spec, at, 5, at, 6), disputed);
  EXPECT_EQ(step_between(spec, at, 5, at - hours(1), 6), disputed);
  EXPECT_EQ(step_between(RegisterSpec{}, at, 5, at, 6), disputed);
}

std::string text_of(const std::vector<Share>& shares) {
  std::string text;
  for (const Share& share : shares) {
    const auto start = share.cell.start - std::chrono::floor<std::chrono::days>(share.cell.start);
    const auto length = std::chrono::duration_cast<minutes>(share.cell.end - share.cell.start);
    const auto start_minutes = std::chrono::duration_cast<minutes>(start).count();
    text += (text.empty() ? "" : " ") + std::to_string(start_minutes / 60) + ":" + std::to_string(start_minutes % 60) +
            "+" + std::to_string(length.count()) + "=" + std::to_string(share.quantity);
  }
  return text;
}

struct SpreadRow {
  std::string name;
  std::string from;
  std::string to;
  std::int64_t increment;
  Zone zone;
  std::vector<std::string> cuts;
  std::string expected;  // "<start in UTC>+<minutes>=<quantity> ..."
};

TEST(RegisterSpread, GivesEachCellItsPartByCumulativeFloor) {
  const std::vector<SpreadRow> rows = {
      {"within an hour", "2026-01-01T10:10", "2026-01-01T10:25", 7, Zone(), {}, "10:0+60=7"},
      {"up to the end of an hour", "2026-01-01T10:45", "2026-01-01T11:00", 7, Zone(), {}, "10:0+60=7"},
      {"two hours, half each", "2026-01-01T10:45", "2026-01-01T11:15", 7, Zone(), {}, "10:0+60=3 11:0+60=4"},
      {"three hours", "2026-01-01T10:30", "2026-01-01T12:30", 100, Zone(), {}, "10:0+60=25 11:0+60=50 12:0+60=25"},
      {"shares of 0 are left out", "2026-01-01T10:00", "2026-01-01T14:00", 2, Zone(), {}, "11:0+60=1 13:0+60=1"},
      {"nothing", "2026-01-01T10:00", "2026-01-01T14:00", 0, Zone(), {}, ""},
      {"an event", "2026-01-01T10:00", "2026-01-01T10:00", 5, Zone(), {}, "10:0+60=5"},
      {"hours at :30", "2026-01-01T10:00", "2026-01-01T11:00", 10, kolkata(), {}, "9:30+60=5 10:30+60=5"},
      {"hours at :45", "2026-01-01T10:00", "2026-01-01T11:00", 8, kathmandu(), {}, "9:15+60=2 10:15+60=6"},
      {"half an hour at Lord Howe",
       "2025-04-05T14:30",
       "2025-04-05T16:00",
       9,
       lord_howe(),
       {},
       "14:0+60=3 15:0+30=3 15:30+60=3"},
      {"a cut within",
       "2026-01-01T10:00",
       "2026-01-01T11:00",
       60,
       Zone(),
       {"2026-01-01T10:20"},
       "10:0+20=20 10:20+40=40"},
      {"a cut before narrows the cell",
       "2026-01-01T10:30",
       "2026-01-01T10:45",
       60,
       Zone(),
       {"2026-01-01T10:20"},
       "10:20+40=60"},
      {"two cuts",
       "2026-01-01T10:00",
       "2026-01-01T11:00",
       60,
       Zone(),
       {"2026-01-01T10:20", "2026-01-01T10:30"},
       "10:0+20=20 10:20+10=10 10:30+30=30"},
      {"a cut at an hour changes nothing",
       "2026-01-01T10:30",
       "2026-01-01T11:30",
       60,
       Zone(),
       {"2026-01-01T11:00"},
       "10:0+60=30 11:0+60=30"},
      {"cuts elsewhere change nothing",
       "2026-01-01T10:30",
       "2026-01-01T11:30",
       60,
       Zone(),
       {"2025-01-01T10:30", "2027-01-01T10:30"},
       "10:0+60=30 11:0+60=30"},
      {"an event at a cut belongs to what follows",
       "2026-01-01T10:20",
       "2026-01-01T10:20",
       5,
       Zone(),
       {"2026-01-01T10:20"},
       "10:20+40=5"},
      {"a huge increment",
       "2026-01-01T10:30",
       "2026-01-01T11:30",
       kLargest,
       Zone(),
       {},
       "10:0+60=4611686018427387903 11:0+60=4611686018427387904"},
  };
  for (const SpreadRow& row : rows) {
    std::vector<Time> cuts;
    for (const std::string& cut : row.cuts) cuts.push_back(utc(cut));
    EXPECT_EQ(text_of(spread(utc(row.from), utc(row.to), row.increment, row.zone, cuts)), row.expected) << row.name;
  }
}

TEST(RegisterSpread, SumsToTheMonthsOnBothSidesOfABoundary) {
  // Two days around the new year in Berlin, which begins at 23:00 UTC; in Kolkata it began at 18:30.
  const Time from = utc("2025-12-31T00:00");
  const Time to = utc("2026-01-02T00:00");
  const auto in_january = [&](const Zone& zone) {
    const Time boundary = zone.day_start(day("2026-01-01"));
    std::int64_t sum = 0;
    for (const Share& share : spread(from, to, 4'800, zone, {})) {
      EXPECT_TRUE(share.cell.end <= boundary || share.cell.start >= boundary);
      if (share.cell.start >= boundary) sum += share.quantity;
    }
    return sum;
  };
  EXPECT_EQ(in_january(Zone()), 2'400);
  EXPECT_EQ(in_january(berlin()), 2'500);
  EXPECT_EQ(in_january(kolkata()), 2'950);
  EXPECT_EQ(in_january(seoul()), 3'300);
  EXPECT_EQ(in_january(new_york()), 1'900);
}

}  // namespace
}  // namespace fettle::billing
