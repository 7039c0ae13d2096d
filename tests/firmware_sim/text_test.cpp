// Numbers, times and durations as text, and when a message is due.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "firmware-sim/json_text.h"
#include "firmware-sim/pace.h"
#include "firmware-sim/stamp.h"

namespace fettle::sim {
namespace {

using std::chrono::milliseconds;

EventTime at_millis(std::int64_t millis) {
  return EventTime(milliseconds(millis));
}

TEST(JsonText, OnlyNumbersOfTheGrammarMayBeCopied) {
  for (const char* good : {"0", "-0.0", "3.17", "74.93588199999998", "2.125117981080765e-05", "1E9", "100", "-4e+2"})
    EXPECT_TRUE(is_json_number(good)) << good;
  for (const char* bad : {"", "-", ".5", "5.", "01", "+1", "1e", "1e+", "nan", "inf", "0x10", "1 ", " 1", "1,5", "--1"})
    EXPECT_FALSE(is_json_number(bad)) << bad;
}

TEST(JsonText, FieldsKeepTheOrderOfTheCalls) {
  JsonObject object;
  object.number("ts", "12").text("mode", "normal").null("until");
  EXPECT_EQ(std::move(object).finish(), R"({"ts":12,"mode":"normal","until":null})");
  EXPECT_EQ(JsonObject().finish(), "{}");
}

TEST(JsonText, FixedTextHasItsDecimalsAndNoNegativeZero) {
  EXPECT_EQ(fixed_text(2.0, 3), "2.000");
  EXPECT_EQ(fixed_text(-0.04, 1), "0.0");
  EXPECT_EQ(fixed_text(-0.06, 1), "-0.1");
  EXPECT_EQ(fixed_text(1e21, 0), "1000000000000000000000");
}

TEST(JsonText, HundredthsAreExact) {
  EXPECT_EQ(hundredths_text(0), "0.00");
  EXPECT_EQ(hundredths_text(5), "0.05");
  EXPECT_EQ(hundredths_text(1234), "12.34");
  EXPECT_EQ(hundredths_text(9'007'199'254'740'993), "90071992547409.93");
}

TEST(Stamp, YearFirstStampsAreUtc) {
  EXPECT_EQ(parse_year_first_stamp("1970-01-01 00:00:01"), at_millis(1000));
  EXPECT_EQ(parse_year_first_stamp("2013-12-02 21:15:00"), at_millis(1'386'018'900'000));
  for (const char* bad : {"2013-12-02T21:15:00", "2013-12-02 21:15", "2013-02-30 00:00:00", "2013-12-02 24:00:00",
                          "2013-12-02 21:15:00 ", "02/12/2013 21:15", ""})
    EXPECT_FALSE(parse_year_first_stamp(bad)) << bad;
}

TEST(Stamp, DayFirstStampsAreLocalTimeOfAFixedOffset) {
  EXPECT_EQ(parse_day_first_stamp("01/01/1970 09:00", std::chrono::hours(9)), at_millis(0));
  EXPECT_EQ(parse_day_first_stamp("01/01/2018 00:15", std::chrono::hours(9)), at_millis(1'514'733'300'000));
  EXPECT_FALSE(parse_day_first_stamp("13/13/2018 00:15", std::chrono::hours(9)));
  EXPECT_FALSE(parse_day_first_stamp("1/1/2018 00:15", std::chrono::hours(9)));
}

TEST(Stamp, Iso8601NeedsAZoneOrIsADay) {
  EXPECT_EQ(parse_iso8601("1970-01-01"), at_millis(0));
  EXPECT_EQ(parse_iso8601("1970-01-01T00:00:00.250Z"), at_millis(250));
  EXPECT_EQ(parse_iso8601("1970-01-01T09:00:00+09:00"), at_millis(0));
  EXPECT_EQ(parse_iso8601("1969-12-31T19:00:00-05:00"), at_millis(0));
  EXPECT_FALSE(parse_iso8601("1970-01-01T00:00:00"));
  EXPECT_FALSE(parse_iso8601("yesterday"));
}

TEST(Stamp, Iso8601IsWrittenAsItIsRead) {
  EXPECT_EQ(iso8601_text(at_millis(0)), "1970-01-01T00:00:00.000Z");
  const EventTime time = at_millis(1'386'018'900'007);
  EXPECT_EQ(parse_iso8601(iso8601_text(time)), time);
}

TEST(Stamp, DurationsAddTheirParts) {
  EXPECT_EQ(parse_duration("35d"), milliseconds(35LL * 86'400'000));
  EXPECT_EQ(parse_duration("1d12h"), milliseconds(36LL * 3'600'000));
  EXPECT_EQ(parse_duration("5m"), milliseconds(300'000));
  EXPECT_EQ(parse_duration("250ms"), milliseconds(250));
  for (const char* bad : {"", "d", "5", "5 m", "-5m", "5w", "99999999999s", "999999d"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

TEST(Pace, EventTimeIsDividedByTheSpeed) {
  Pace pace = Pace::of(60.0);
  const Instant start{};
  EXPECT_EQ(pace.due(at_millis(0), start), start);
  EXPECT_EQ(pace.due(at_millis(120'000), start), start + std::chrono::seconds(2));
}

TEST(Pace, AMessageBehindTheNewestIsDueWithIt) {
  Pace pace = Pace::of(1.0);
  const Instant start{};
  pace.due(at_millis(0), start);
  pace.due(at_millis(60'000), start);
  EXPECT_EQ(pace.due(at_millis(5'000), start), start + std::chrono::seconds(60));
}

TEST(Pace, WithoutALimitEverythingIsDueNow) {
  Pace pace = Pace::unlimited();
  const Instant now = Instant() + std::chrono::hours(1);
  EXPECT_EQ(pace.due(at_millis(0), now), now);
  EXPECT_EQ(pace.due(at_millis(1'000'000'000), now), now);
}

}  // namespace
}  // namespace fettle::sim
