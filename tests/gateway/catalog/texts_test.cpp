#include "gateway/catalog/texts.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/catalog/suggestion.h"

namespace fettle::catalog {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year;

TEST(Duration, IsASumOfUnitsLargerOnesFirst) {
  const std::vector<std::pair<const char*, milliseconds>> table = {
      {"0", milliseconds(0)},       {"0s", milliseconds(0)},
      {"500ms", milliseconds(500)}, {"90s", seconds(90)},
      {"15m", minutes(15)},         {"24h", hours(24)},
      {"7d", hours(168)},           {"2w", hours(336)},
      {"1h30m", minutes(90)},       {"1d2h3m4s5ms", hours(26) + minutes(3) + seconds(4) + milliseconds(5)},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(parse_duration(text), expected) << text;
}

TEST(Duration, IsNothingElse) {
  for (const char* text : {"", "15", "m", "1.5h", "-1h", "30m1h", "1h1h", "1 h", "1y", "1h ", "99999999999999999d",
                           "40000d", "10000000000000ms0"}) {
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
  }
}

std::optional<Time> instant(const char* text) {
  const auto reading = parse_date(text);
  if (!reading.date || !std::holds_alternative<Time>(*reading.date)) return std::nullopt;
  return std::get<Time>(*reading.date);
}

TEST(DateText, ATimeCountsInItsZone) {
  const Time noon = sys_days{year{2026} / 1 / 31} + hours(12);
  for (const char* text :
       {"2026-01-31T12:00Z", "2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000Z", "2026-01-31T13:00:00+01:00",
        "2026-01-31T21:00:00+0900", "2026-01-31T08:30:00-03:30", "2026-01-31 12:00:00Z"}) {
    EXPECT_EQ(instant(text), noon) << text;
  }
  EXPECT_EQ(instant("2026-01-31T12:00:00.25Z"), noon + milliseconds(250));
}

TEST(DateText, ABareDateIsADay) {
  const auto reading = parse_date("2024-02-29");
  ASSERT_TRUE(reading.date);
  EXPECT_EQ(std::get<std::chrono::year_month_day>(*reading.date), year{2024} / 2 / 29);
}

TEST(DateText, SaysWhatIsWrong) {
  const std::string form =
      "; expected a date such as 2026-01-31, or a time with its zone such as 2026-01-31T06:00:00Z or ...+01:00";
  EXPECT_EQ(parse_date("31.01.2026").fault, "\"31.01.2026\" is no date" + form);
  EXPECT_EQ(parse_date("2026-02-29").fault, "\"2026-02-29\" names a day that the calendar does not have");
  EXPECT_EQ(parse_date("2026-13-01").fault, "\"2026-13-01\" names a day that the calendar does not have");
  EXPECT_EQ(parse_date("1899-12-31").fault, "\"1899-12-31\" lies outside the years 1900 to 2100");
  EXPECT_EQ(parse_date("2026-01-31T12:00:00").fault,
            "\"2026-01-31T12:00:00\" has a time of day but no zone; append Z or an offset such as +01:00");
  for (const char* text :
       {"", "2026", "2026-01", "2026-1-31", "2026-01-31T24:00Z", "2026-01-31T12:60Z", "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00.1234Z", "2026-01-31T12:00:00Zx", "2026-01-31T12:00:00+25:00", "2026-01-31x"}) {
    EXPECT_FALSE(parse_date(text).date) << text;
    EXPECT_FALSE(parse_date(text).fault.empty()) << text;
  }
}

TEST(DateText, IsWrittenAsItIsRead) {
  for (const char* text : {"2026-01-31T06:00:00Z", "1905-12-31T23:59:59Z", "1970-01-01T00:00:00Z"}) {
    EXPECT_EQ(to_text(*instant(text)), text);
  }
}

TEST(Ids, HaveOneToSixtyFourOfTheirCharacters) {
  for (const std::string& text :
       {std::string("a"), std::string("lift/gen2"), std::string("B0005.x_y-z"), std::string(64, 'a')}) {
    EXPECT_TRUE(valid_id(text)) << text;
  }
  for (const std::string& text : {std::string(), std::string("a b"), std::string("a+b"), std::string("#"),
                                  std::string("m:n"), std::string("\xC3\xA9"), std::string(65, 'a')}) {
    EXPECT_FALSE(valid_id(text)) << text;
  }
  EXPECT_TRUE(valid_name("motor_temperature2"));
  for (const char* text : {"", "2nd", "_x", "Mode", "a-b"}) EXPECT_FALSE(valid_name(text)) << text;
}

TEST(DecimalTexts, MultiplesAreExact) {
  const auto of = [](const char* text) { return *billing::Decimal::parse(text); };
  EXPECT_TRUE(multiple_of(of("100000"), of("0.01")));
  EXPECT_TRUE(multiple_of(of("0.3"), of("0.1")));
  EXPECT_TRUE(multiple_of(of("9223372036854775807"), of("0.000000001")));
  EXPECT_FALSE(multiple_of(of("0.005"), of("0.01")));
  EXPECT_FALSE(multiple_of(of("15"), of("10")));
  EXPECT_EQ(billing::to_string(shortest(of("0.0100"))), "0.01");
  EXPECT_EQ(billing::to_string(shortest(of("10"))), "10");
}

TEST(Countries, AreThoseOfIso3166) {
  for (const char* code : {"DE", "US", "KR", "NO", "AD", "ZW"}) EXPECT_TRUE(known_country(code)) << code;
  for (const char* code : {"", "de", "UK", "XX", "DEU", "D ", " D", "E "}) EXPECT_FALSE(known_country(code)) << code;
}

TEST(Suggestion, IsTheNearestWordOrNone) {
  const std::vector<std::string> known = {"customer", "commissioned", "site", "serial"};
  EXPECT_EQ(nearest("custommer", known), "customer");
  EXPECT_EQ(nearest("stie", known), "site");
  EXPECT_EQ(nearest("Serial", known), "serial");
  EXPECT_EQ(nearest("colour", known), "");
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
  EXPECT_EQ(edit_distance("abc", "acb"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

}  // namespace
}  // namespace fettle::catalog
