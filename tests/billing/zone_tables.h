#pragma once
// Time zones written out by hand, as far as the tests need them, and instants read from text. Not the IANA database:
// its adapter has its own tests.

#include <string_view>

#include "billing/zone.h"

namespace fettle::billing::testing {

// "2025-03-30T01:00" or "2025-03-30T01:00:00.250", in UTC.
Time utc(std::string_view text);

// "2025-03-30".
std::chrono::year_month_day day(std::string_view text);

Zone berlin();     // 2024 to 2026; an hour forward at 02:00, back at 03:00
Zone new_york();   // 2024 to 2026; 1 November 2026 is a change
Zone lord_howe();  // 2024 to 2026; half an hour, at 02:00
Zone seoul();      // +9:00 always
Zone kolkata();    // +5:30 always
Zone kathmandu();  // +5:45 always
Zone sao_paulo();  // 2018 to 2019; forward at 00:00, back from 24:00 to 23:00
Zone havana();     // 2025; back from 01:00 to 00:00, so that midnight comes twice
Zone st_johns();   // 2009; back at 00:01 on the first day of November, to 23:01 of October
Zone amman();      // 2016; forward at 00:00 on the first day of April
Zone apia();       // 2011; has no 30 December

}  // namespace fettle::billing::testing
