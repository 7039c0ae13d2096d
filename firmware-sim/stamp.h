#pragma once
// Times and durations as people and recordings write them.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "firmware-sim/message.h"

namespace fettle::sim {

// "2013-12-02 21:15:00" read as UTC; absent where the text is anything else or no such day exists.
std::optional<EventTime> parse_year_first_stamp(std::string_view text);

// "31/12/2018 23:45", day first, read as local time of a zone that is `offset` ahead of UTC the whole year.
std::optional<EventTime> parse_day_first_stamp(std::string_view text, std::chrono::minutes offset);

// ISO 8601 with a zone ("2026-01-01T00:00:00Z", "2026-01-01T09:00:00.250+09:00") or a day alone, which is its midnight
// UTC.
std::optional<EventTime> parse_iso8601(std::string_view text);

// "2026-01-01T00:00:00.000Z"
std::string iso8601_text(EventTime time);

// "35d", "1d12h", "5m", "90s", "250ms"; never negative, at most 100 years.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

}  // namespace fettle::sim
