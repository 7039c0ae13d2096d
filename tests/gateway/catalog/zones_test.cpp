#include "gateway/catalog/zones.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/catalog/posix_rule.h"

namespace fettle::catalog {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;

struct Offset {
  const char* zone;
  int y;
  unsigned m;
  unsigned d;
  seconds expected;
};

class OffsetTable : public testing::TestWithParam<Offset> {};

TEST_P(OffsetTable, IsTheOneOfThatDay) {
  const Offset& each = GetParam();
  const auto zone = load_zone(each.zone);
  ASSERT_TRUE(zone.has_value()) << zone.error().message;
  EXPECT_EQ(zone->offset_at(sys_days{year{each.y} / each.m / each.d}), each.expected) << each.zone << " " << each.y;
}

INSTANTIATE_TEST_SUITE_P(
    Zones, OffsetTable,
    testing::Values(Offset{"UTC", 2026, 7, 1, hours(0)}, Offset{"Etc/UTC", 2026, 7, 1, hours(0)},
                    Offset{"Europe/Berlin", 1990, 1, 1, hours(1)}, Offset{"Europe/Berlin", 1990, 7, 1, hours(2)},
                    Offset{"Europe/Berlin", 2026, 1, 1, hours(1)}, Offset{"Europe/Berlin", 2026, 7, 1, hours(2)},
                    // Debian's files record changes up to 2037; the rule at their end goes on.
                    Offset{"Europe/Berlin", 2037, 7, 1, hours(2)}, Offset{"Europe/Berlin", 2038, 1, 1, hours(1)},
                    Offset{"Europe/Berlin", 2038, 7, 1, hours(2)}, Offset{"Europe/Berlin", 2100, 7, 1, hours(2)},
                    Offset{"Europe/Berlin", 2100, 12, 31, hours(1)}, Offset{"America/New_York", 2060, 7, 1, hours(-4)},
                    Offset{"Australia/Sydney", 2060, 1, 1, hours(11)},
                    Offset{"Australia/Sydney", 2060, 7, 1, hours(10)}, Offset{"Europe/Dublin", 2050, 1, 15, hours(0)},
                    Offset{"Europe/Dublin", 2050, 7, 1, hours(1)}, Offset{"Asia/Seoul", 2018, 1, 1, hours(9)},
                    Offset{"Asia/Seoul", 2099, 7, 1, hours(9)},
                    Offset{"Asia/Kathmandu", 2026, 1, 1, hours(5) + minutes(45)},
                    Offset{"Australia/Lord_Howe", 2050, 1, 1, hours(11)},
                    Offset{"Australia/Lord_Howe", 2050, 7, 1, hours(10) + minutes(30)},
                    Offset{"Pacific/Apia", 2011, 12, 29, hours(-10)}, Offset{"Pacific/Apia", 2012, 1, 1, hours(14)},
                    Offset{"US/Eastern", 2026, 7, 1, hours(-4)}));

TEST(Zones, TheChangesFallOnTheirSecond) {
  const auto zone = load_zone("Europe/Berlin");
  ASSERT_TRUE(zone.has_value());
  for (const auto& [y, day] : {std::pair{2026, 29U}, std::pair{2045, 26U}}) {
    const billing::Time change = sys_days{year{y} / 3 / day} + hours(1);
    EXPECT_EQ(zone->offset_at(change - std::chrono::milliseconds(1)), hours(1)) << y;
    EXPECT_EQ(zone->offset_at(change), hours(2)) << y;
  }
}

TEST(Zones, ADayThatDoesNotExistIsSkipped) {
  const auto zone = load_zone("Pacific/Apia");
  ASSERT_TRUE(zone.has_value());
  // Samoa left out 30 December 2011.
  EXPECT_EQ(zone->day_start(year{2011} / 12 / 31), sys_days{year{2011} / 12 / 30} + hours(10));
}

TEST(Zones, AMisspeltNameIsSuggested) {
  const auto zone = load_zone("Europe/Berln");
  ASSERT_TRUE(zone.has_error());
  EXPECT_EQ(zone.error().code, billing::Error::Code::missing);
  EXPECT_EQ(zone.error().message,
            "there is no time zone \"Europe/Berln\"; expected an IANA name such as Europe/Berlin, did you mean "
            "Europe/Berlin?");
  EXPECT_EQ(zone_fault("Europe/Berln"), zone.error().message);
}

TEST(Zones, WhatIsNoPlaceIsRefused) {
  for (const char* name : {"", "localtime", "posixrules", "../zoneinfo/UTC", "Nowhere/Atall", "europe/berlin"}) {
    EXPECT_NE(zone_fault(name), "") << name;
    EXPECT_TRUE(load_zone(name).has_error()) << name;
  }
  EXPECT_NE(zone_fault("europe/berlin").find("Europe/Berlin?"), std::string::npos);
  EXPECT_EQ(zone_fault("Europe/Berlin"), "");
}

TEST(PosixRule, ReadsTheFormsInUse) {
  for (const char* text : {"UTC0", "<+0545>-5:45", "CET-1CEST,M3.5.0,M10.5.0/3", "IST-1GMT0,M10.5.0,M3.5.0/1",
                           "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "EET-2EEST,M3.4.4/50,M10.4.4/50", "AAA3BBB,J60,J300",
                           "AAA3BBB,59/1:30:15,300"}) {
    EXPECT_TRUE(PosixRule::parse(text)) << text;
  }
}

TEST(PosixRule, RefusesWhatIsNone) {
  for (const char* text :
       {"", "CET", "C1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
        "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5.0,M10.5.0/3x", "CET-1CEST,J0,J10", "CET-168", "<CET-1"}) {
    EXPECT_FALSE(PosixRule::parse(text)) << text;
  }
}

TEST(PosixRule, CountsDaysAsPosixSays) {
  const auto first_of = [](const char* text, int y) {
    const auto changes = PosixRule::parse(text)->changes(year{y}, year{y});
    return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(changes.front().from));
  };
  // J counts no 29 February, the other form does.
  EXPECT_EQ(first_of("AAA0BBB,J60,J300", 2024), year{2024} / 3 / 1);
  EXPECT_EQ(first_of("AAA0BBB,J60,J300", 2025), year{2025} / 3 / 1);
  EXPECT_EQ(first_of("AAA0BBB,59,300", 2024), year{2024} / 2 / 29);
  EXPECT_EQ(first_of("AAA0BBB,59,300", 2025), year{2025} / 3 / 1);
  EXPECT_EQ(first_of("AAA0BBB,M3.2.0,M10.5.0", 2026), year{2026} / 3 / 8);
}

}  // namespace
}  // namespace fettle::catalog
