#pragma once
// The rule at the end of a time-zone file: what holds after its last recorded change, written as POSIX writes the TZ
// variable ("CET-1CEST,M3.5.0,M10.5.0/3"; IEEE 1003.1, chapter 8.3, with the wider hours of RFC 8536, -167 to 167).
//
// The tz library reads the recorded changes only, and Debian records them up to 2037.

#include <chrono>
#include <optional>
#include <string_view>
#include <vector>

#include "billing/zone.h"

namespace fettle::catalog {

// When a year's clock changes, in local time of the offset that holds before.
struct ChangeRule {
  enum class Form { month_week_day, julian_day, zero_based_day };
  Form form = Form::month_week_day;
  unsigned month = 1;  // month_week_day: 1 to 12
  unsigned week = 1;   // 1 to 5; 5 is the last one
  unsigned day = 0;    // weekday, 0 Sunday; or the day of the year: 1 to 365 without 29 February, or 0 to 365 with it
  std::chrono::seconds time{std::chrono::hours(2)};
};

struct PosixRule {
  std::chrono::seconds standard{0};  // local = UTC + standard
  struct Daylight {
    std::chrono::seconds offset{0};
    ChangeRule begins;
    ChangeRule ends;
  };
  std::optional<Daylight> daylight;

  // Nothing where the text is not of this form.
  static std::optional<PosixRule> parse(std::string_view text);

  // The changes of the years `first` to `last`, ascending. Empty without daylight time.
  std::vector<billing::Zone::Change> changes(std::chrono::year first, std::chrono::year last) const;
};

}  // namespace fettle::catalog
