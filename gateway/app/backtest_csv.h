#pragma once
// The texts of a CSV: lines, stamps, numbers. Pure functions.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"

namespace fettle::app {

// The longest line that is taken for one of a CSV, bytes.
inline constexpr std::size_t kMaxCsvLine = 64U << 10U;

inline constexpr const char* kStampForm = "ISO 8601 (UTC where it names no zone) or milliseconds since 1970";

// The fields of one line of RFC 4180 without line breaks in fields. Never empty.
std::vector<std::string> split_csv(std::string_view line);

// The same for the first line of a file, which may begin with UTF-8's byte order mark.
std::vector<std::string> split_csv_header(std::string_view line);

// A time in kStampForm, at most 100,000,000 days (the range of ECMAScript's Date) from 1970: sums of times do not
// overflow.
std::optional<engine::Time> parse_stamp(const std::string& text);

// The whole text as a JSON number: the text itself where it is one, so that it means what it means in the file, else
// the same number written otherwise (".5"). Nothing where it is no finite decimal number.
std::optional<std::string> json_number(const std::string& text);

}  // namespace fettle::app
