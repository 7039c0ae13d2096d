#pragma once
// The small notations of a catalog: ids, durations, dates, decimals, countries. Pure functions of their text.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "billing/decimal.h"

namespace fettle::catalog {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

inline constexpr const char* kDurationForm = "a duration such as 90s, 15m, 24h, 7d or 1h30m";
inline constexpr const char* kDateForm =
    "a date such as 2026-01-31, or a time with its zone such as 2026-01-31T06:00:00Z or ...+01:00";

// 1 to 64 of [A-Za-z0-9._/-].
bool valid_id(std::string_view text);

// [a-z][a-z0-9_]*, at most 64: names of signals and parameters.
bool valid_name(std::string_view text);

// Whole numbers with the units w d h m s ms, each at most once, larger ones first: "1h30m". Also "0". At most 100
// years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// A calendar day of a zone that the reader knows, or an instant.
using Date = std::variant<std::chrono::year_month_day, Time>;

struct DateReading {
  std::optional<Date> date;
  std::string fault;  // where there is none: what is wrong
};

// ISO 8601, years 1900 to 2100; a time of day needs a zone (Z or an offset), to the millisecond at most.
DateReading parse_date(std::string_view text);

// An instant as ISO 8601 in UTC: "2026-01-31T05:00:00Z".
std::string to_text(Time time);

// Without trailing zeros after the point: 0.10 -> {1, 1}.
billing::Decimal shortest(const billing::Decimal& value);

// Whether `value` is a whole multiple of `step`. Pre: step > 0.
bool multiple_of(const billing::Decimal& value, const billing::Decimal& step);

// ISO 3166-1 alpha-2.
bool known_country(std::string_view code);

}  // namespace fettle::catalog
