#include "billing/zone.h"

#include <gtest/gtest.h>

#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/billing/zone_tables.h"

namespace fettle::billing {
namespace {

using namespace testing;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

constexpr Duration kMoment{1};

struct Named {
  std::string name;
  Zone zone;
  Time from;  // a window with every change of the table in it
  Time to;
};

std::vector<Named> all_zones() {
  return {{"UTC", Zone(), utc("2025-12-30"), utc("2026-01-03")},
          {"Europe/Berlin", berlin(), utc("2025-03-01"), utc("2026-11-03")},
          {"America/New_York", new_york(), utc("2025-03-01"), utc("2026-11-03")},
          {"Australia/Lord_Howe", lord_howe(), utc("2025-03-01"), utc("2026-05-03")},
          {"Asia/Seoul", seoul(), utc("2025-12-01"), utc("2026-02-03")},
          {"Asia/Kolkata", kolkata(), utc("2025-12-01"), utc("2026-02-03")},
          {"Asia/Kathmandu", kathmandu(), utc("2025-12-01"), utc("2026-02-03")},
          {"America/Sao_Paulo", sao_paulo(), utc("2018-10-01"), utc("2019-04-01")},
          {"America/Havana", havana(), utc("2025-10-01"), utc("2025-12-01")},
          {"America/St_Johns", st_johns(), utc("2009-10-01"), utc("2009-12-05")},
          {"Asia/Amman", amman(), utc("2016-03-01"), utc("2016-05-01")},
          {"Pacific/Apia", apia(), utc("2011-12-01"), utc("2012-02-01")}};
}

TEST(Zone, TheOffsetIsThatOfTheLatestChange) {
  const Zone zone = berlin();
  EXPECT_EQ(zone.offset_at(utc("1999-07-01")), hours(1)) << "the first offset also holds before its change";
  EXPECT_EQ(zone.offset_at(utc("2025-03-30T01:00") - kMoment), hours(1));
  EXPECT_EQ(zone.offset_at(utc("2025-03-30T01:00")), hours(2));
  EXPECT_EQ(zone.offset_at(utc("2025-10-26T01:00") - kMoment), hours(2));
  EXPECT_EQ(zone.offset_at(utc("2025-10-26T01:00")), hours(1));
  EXPECT_EQ(zone.offset_at(utc("2099-07-01")), hours(1));
  EXPECT_EQ(Zone().offset_at(utc("2025-03-30T01:00")), hours(0));
}

TEST(Zone, RefusesATableThatIsNotAscendingOrNotOfThisWorld) {
  EXPECT_THROW(Zone(std::vector<Zone::Change>{}), std::invalid_argument);
  EXPECT_THROW(Zone({{utc("2025-01-02"), hours(1)}, {utc("2025-01-01"), hours(2)}}), std::invalid_argument);
  EXPECT_THROW(Zone({{utc("2025-01-01"), hours(1)}, {utc("2025-01-01"), hours(2)}}), std::invalid_argument);
  EXPECT_THROW(Zone({{utc("2025-01-01"), hours(25)}}), std::invalid_argument);
  EXPECT_THROW(Zone({{utc("2025-01-01"), hours(-25)}}), std::invalid_argument);
}

TEST(Zone, AChangeOfNothingButTheNameCutsNoHour) {
  const Zone zone({{utc("2025-01-01"), hours(1)}, {utc("2025-06-01T10:20"), hours(1)}});
  EXPECT_EQ(zone.hour_of(utc("2025-06-01T10:30")), (Period{utc("2025-06-01T10:00"), utc("2025-06-01T11:00")}));
}

TEST(Zone, ADayBeginsAtItsLocalMidnight) {
  struct Row {
    Zone zone;
    std::string day;
    std::string start;
  };
  const std::vector<Row> rows = {
      {Zone(), "2026-02-28", "2026-02-28T00:00"},
      {berlin(), "2025-03-30", "2025-03-29T23:00"},
      {berlin(), "2025-03-31", "2025-03-30T22:00"},
      {berlin(), "2025-10-26", "2025-10-25T22:00"},
      {berlin(), "2025-10-27", "2025-10-26T23:00"},
      {new_york(), "2026-11-01", "2026-11-01T04:00"},
      {new_york(), "2026-11-02", "2026-11-02T05:00"},
      {seoul(), "2026-01-01", "2025-12-31T15:00"},
      {kolkata(), "2026-01-01", "2025-12-31T18:30"},
      {kathmandu(), "2026-01-01", "2025-12-31T18:15"},
      {lord_howe(), "2025-04-06", "2025-04-05T13:00"},
      {lord_howe(), "2025-04-07", "2025-04-06T13:30"},
      {lord_howe(), "2025-10-05", "2025-10-04T13:30"},
      {lord_howe(), "2025-10-06", "2025-10-05T13:00"},
      // No midnight: the first instant after the gap.
      {sao_paulo(), "2018-11-04", "2018-11-04T03:00"},
      {amman(), "2016-04-01", "2016-03-31T22:00"},
      // 23:00 to 24:00 comes twice, midnight once.
      {sao_paulo(), "2019-02-17", "2019-02-17T03:00"},
      // Midnight comes twice: the first.
      {havana(), "2025-11-02", "2025-11-02T04:00"},
      {havana(), "2025-11-03", "2025-11-03T05:00"},
      {st_johns(), "2009-11-01", "2009-11-01T02:30"},
      {st_johns(), "2009-11-02", "2009-11-02T03:30"},
      // A day that never was begins where the next one does.
      {apia(), "2011-12-29", "2011-12-29T10:00"},
      {apia(), "2011-12-30", "2011-12-30T10:00"},
      {apia(), "2011-12-31", "2011-12-30T10:00"},
      {apia(), "2012-01-01", "2011-12-31T10:00"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.zone.day_start(day(row.day)), utc(row.start)) << row.day << " begins " << row.start;
  }
}

TEST(Zone, AnInstantLiesInTheDayThatHasBegun) {
  struct Row {
    Zone zone;
    std::string instant;
    std::string day;
  };
  const std::vector<Row> rows = {
      {berlin(), "2025-12-31T22:59:59.999", "2025-12-31"},
      {berlin(), "2025-12-31T23:00", "2026-01-01"},
      {new_york(), "2026-11-01T03:59:59.999", "2026-10-31"},
      {new_york(), "2026-11-01T04:00", "2026-11-01"},
      {kolkata(), "2025-12-31T18:29:59.999", "2025-12-31"},
      {kolkata(), "2025-12-31T18:30", "2026-01-01"},
      {sao_paulo(), "2018-11-04T02:59:59.999", "2018-11-03"},
      {sao_paulo(), "2018-11-04T03:00", "2018-11-04"},
      {sao_paulo(), "2019-02-17T02:30", "2019-02-16"},
      {sao_paulo(), "2019-02-17T03:00", "2019-02-17"},
      {apia(), "2011-12-30T09:59:59.999", "2011-12-29"},
      {apia(), "2011-12-30T10:00", "2011-12-31"},
      // The clock shows 31 October again, but 1 November has begun.
      {st_johns(), "2009-11-01T02:29:59.999", "2009-10-31"},
      {st_johns(), "2009-11-01T02:30", "2009-11-01"},
      {st_johns(), "2009-11-01T02:31", "2009-11-01"},
      {st_johns(), "2009-11-01T03:30", "2009-11-01"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.zone.local_day(utc(row.instant)), day(row.day)) << row.instant << " lies in " << row.day;
  }
}

TEST(Zone, AnHourIsOneOfTheWallClock) {
  struct Row {
    Zone zone;
    std::string instant;
    std::string start;
    std::string end;
  };
  const std::vector<Row> rows = {
      {Zone(), "2026-01-01T10:59:59.999", "2026-01-01T10:00", "2026-01-01T11:00"},
      {Zone(), "2026-01-01T11:00", "2026-01-01T11:00", "2026-01-01T12:00"},
      {Zone(), "1969-12-31T23:30", "1969-12-31T23:00", "1970-01-01T00:00"},
      {seoul(), "2026-01-01T10:20", "2026-01-01T10:00", "2026-01-01T11:00"},
      {kolkata(), "2026-01-01T10:20", "2026-01-01T09:30", "2026-01-01T10:30"},
      {kolkata(), "2026-01-01T10:30", "2026-01-01T10:30", "2026-01-01T11:30"},
      {kathmandu(), "2026-01-01T10:20", "2026-01-01T10:15", "2026-01-01T11:15"},
      // 02:00 to 03:00 is skipped, then comes twice: whole hours in UTC all the way.
      {berlin(), "2025-03-30T00:30", "2025-03-30T00:00", "2025-03-30T01:00"},
      {berlin(), "2025-03-30T01:30", "2025-03-30T01:00", "2025-03-30T02:00"},
      {berlin(), "2025-10-26T00:30", "2025-10-26T00:00", "2025-10-26T01:00"},
      {berlin(), "2025-10-26T01:30", "2025-10-26T01:00", "2025-10-26T02:00"},
      // Lord Howe back at 02:00 to 01:30: a whole hour, then half of that hour again.
      {lord_howe(), "2025-04-05T14:45", "2025-04-05T14:00", "2025-04-05T15:00"},
      {lord_howe(), "2025-04-05T15:00", "2025-04-05T15:00", "2025-04-05T15:30"},
      {lord_howe(), "2025-04-05T15:30", "2025-04-05T15:30", "2025-04-05T16:30"},
      // Forward at 02:00 to 02:30: that hour has but its second half.
      {lord_howe(), "2025-10-04T15:29", "2025-10-04T14:30", "2025-10-04T15:30"},
      {lord_howe(), "2025-10-04T15:30", "2025-10-04T15:30", "2025-10-04T16:00"},
      {lord_howe(), "2025-10-04T16:00", "2025-10-04T16:00", "2025-10-04T17:00"},
      // St. John's at 00:01: a minute of November, then 59 of what the clock calls October.
      {st_johns(), "2009-11-01T02:30", "2009-11-01T02:30", "2009-11-01T02:31"},
      {st_johns(), "2009-11-01T02:31", "2009-11-01T02:31", "2009-11-01T03:30"},
      {st_johns(), "2009-11-01T03:30", "2009-11-01T03:30", "2009-11-01T04:30"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.zone.hour_of(utc(row.instant)), (Period{utc(row.start), utc(row.end)})) << row.instant;
  }
}

TEST(Zone, AMonthIsOneOfTheLocalCalendar) {
  struct Row {
    Zone zone;
    std::string instant;
    std::string start;
    std::string end;
  };
  const std::vector<Row> rows = {
      {berlin(), "2025-03-15", "2025-02-28T23:00", "2025-03-31T22:00"},
      {berlin(), "2025-10-15", "2025-09-30T22:00", "2025-10-31T23:00"},
      {berlin(), "2025-12-31T23:00", "2025-12-31T23:00", "2026-01-31T23:00"},
      {new_york(), "2026-10-31T12:00", "2026-10-01T04:00", "2026-11-01T04:00"},
      {new_york(), "2026-11-01T05:30", "2026-11-01T04:00", "2026-12-01T05:00"},
      {seoul(), "2026-01-31T14:59:59.999", "2025-12-31T15:00", "2026-01-31T15:00"},
      {seoul(), "2026-01-31T15:00", "2026-01-31T15:00", "2026-02-28T15:00"},
      {kolkata(), "2026-02-28T18:29", "2026-01-31T18:30", "2026-02-28T18:30"},
      {lord_howe(), "2025-04-15", "2025-03-31T13:00", "2025-04-30T13:30"},
      {lord_howe(), "2025-10-15", "2025-09-30T13:30", "2025-10-31T13:00"},
      {amman(), "2016-03-31T21:59", "2016-02-29T22:00", "2016-03-31T22:00"},
      {amman(), "2016-03-31T22:00", "2016-03-31T22:00", "2016-04-30T21:00"},
      {st_johns(), "2009-11-01T03:00", "2009-11-01T02:30", "2009-12-01T03:30"},
      {apia(), "2011-12-31", "2011-12-01T10:00", "2011-12-31T10:00"},
      {Zone(), "2024-02-10", "2024-02-01", "2024-03-01"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.zone.month_of(utc(row.instant)), (Period{utc(row.start), utc(row.end)})) << row.instant;
  }
}

TEST(Zone, HoursNeverOverlapAndLeaveNoHole) {
  for (const Named& named : all_zones()) {
    const Zone& zone = named.zone;
    int count = 0;
    for (Time at = zone.hour_of(named.from).start; at < named.to; ++count) {
      const Period hour = zone.hour_of(at);
      ASSERT_EQ(hour.start, at) << named.name << ", hour " << count;
      ASSERT_LT(hour.start, hour.end);
      ASSERT_LE(hour.end - hour.start, hours(1)) << named.name << ", hour " << count;
      ASSERT_EQ(zone.hour_of(hour.end - kMoment), hour) << named.name << ", hour " << count;
      ASSERT_EQ(zone.offset_at(hour.start), zone.offset_at(hour.end - kMoment)) << named.name << ", hour " << count;
      at = hour.end;
    }
    EXPECT_GE(count, 90) << named.name;
  }
}

TEST(Zone, AnyInstantLiesInItsHourDayAndMonthAndEveryHourInOneDay) {
  std::mt19937_64 random(11);
  for (const Named& named : all_zones()) {
    const Zone& zone = named.zone;
    for (int i = 0; i < 5'000; ++i) {
      const auto width = static_cast<std::uint64_t>((named.to - named.from).count());
      const Time t = named.from + Duration(static_cast<std::int64_t>(random() % width));
      const Period hour = zone.hour_of(t);
      ASSERT_TRUE(hour.start <= t && t < hour.end) << named.name;
      const auto local = zone.local_day(t);
      const auto next = std::chrono::year_month_day(sys_days(local) + std::chrono::days(1));
      ASSERT_TRUE(zone.day_start(local) <= t && t < zone.day_start(next)) << named.name;
      ASSERT_EQ(zone.local_day(hour.start), zone.local_day(hour.end - kMoment)) << named.name;
      const Period month = zone.month_of(t);
      ASSERT_TRUE(month.start <= t && t < month.end) << named.name;
      ASSERT_EQ(zone.month_of(month.start), month) << named.name;
      ASSERT_EQ(zone.month_of(month.end - kMoment), month) << named.name;
      ASSERT_EQ(zone.month_of(month.end).start, month.end) << named.name;
    }
  }
}

// hour_of against the definition: the longest stretch around t in which the offset and the wall clock's hour stay the
// same, found minute by minute.
TEST(Zone, AnHourIsTheStretchInWhichTheWallClockShowsTheSameHour) {
  const auto shown = [](const Zone& zone, Time t) {
    const auto offset = zone.offset_at(t);
    return std::pair(offset, std::chrono::floor<hours>(t + offset));
  };
  std::mt19937_64 random(12);
  for (const Named& named : all_zones()) {
    for (int i = 0; i < 200; ++i) {
      const auto width = static_cast<std::uint64_t>((named.to - named.from).count() / 60'000);
      const Time t = named.from + minutes(static_cast<std::int64_t>(random() % width));
      Time start = t;
      Time end = t + minutes(1);
      while (shown(named.zone, start - minutes(1)) == shown(named.zone, t)) start -= minutes(1);
      while (shown(named.zone, end) == shown(named.zone, t)) end += minutes(1);
      ASSERT_EQ(named.zone.hour_of(t), (Period{start, end})) << named.name;
    }
  }
}

}  // namespace
}  // namespace fettle::billing
