#pragma once
// Durations as rules write them: `24h`, `14d`, `30m`, `15s`, `500ms`, and larger before smaller, `1h30m`.
//
// Each unit at most once, in falling order, whole numbers, no spaces. `m` is minutes here; a length is a quantity ("3
// m").

#include <optional>
#include <string>
#include <string_view>

#include "rules/rule.h"

namespace fettle::rules {

inline constexpr Duration kLongestDuration = std::chrono::days(366);

// The duration that the whole text names; nothing where it names none or one beyond kLongestDuration.
std::optional<Duration> read_duration(std::string_view text);

// The number of leading characters of `text` that have the shape of a duration, 0 for none.
std::size_t duration_length(std::string_view text);

// The shortest way to write it: "1h30m".
std::string duration_text(Duration duration);

}  // namespace fettle::rules
