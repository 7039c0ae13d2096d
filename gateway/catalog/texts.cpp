#include "gateway/catalog/texts.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

namespace fettle::catalog {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kLongestId = 64;
__extension__ using Wide = __int128;

bool digit(char c) {
  return c >= '0' && c <= '9';
}

bool id_character(char c) {
  return digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '.' || c == '_' || c == '/' || c == '-';
}

// Exactly `count` digits from the front.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// hh:mm[:ss[.f]] with f of one to three digits.
std::optional<milliseconds> take_time_of_day(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  milliseconds result = std::chrono::hours(*hour) + std::chrono::minutes(*minute);
  if (!take(text, ':')) return result;
  const auto second = take_digits(text, 2);
  if (!second || *second > 59) return std::nullopt;
  result += std::chrono::seconds(*second);
  if (!take(text, '.')) return result;
  int weight = 100;
  if (text.empty() || !digit(text.front())) return std::nullopt;
  while (!text.empty() && digit(text.front())) {
    if (weight == 0) return std::nullopt;
    result += milliseconds(weight * (text.front() - '0'));
    weight /= 10;
    text.remove_prefix(1);
  }
  return result;
}

// Z, +hh:mm or +hhmm.
std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
  if (take(text, 'Z')) return std::chrono::minutes(0);
  const bool west = take(text, '-');
  if (!west && !take(text, '+')) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 14) return std::nullopt;
  take(text, ':');
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const std::chrono::minutes east = std::chrono::hours(*hour) + std::chrono::minutes(*minute);
  return west ? -east : east;
}

}  // namespace

bool valid_id(std::string_view text) {
  return !text.empty() && text.size() <= kLongestId && std::all_of(text.begin(), text.end(), id_character);
}

bool valid_name(std::string_view text) {
  if (text.empty() || text.size() > kLongestId || text.front() < 'a' || text.front() > 'z') return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return digit(c) || c == '_' || (c >= 'a' && c <= 'z'); });
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  struct UnitOfTime {
    std::string_view name;
    std::int64_t ms;
  };
  static constexpr std::array kUnits = {
      UnitOfTime{"w", 604'800'000}, UnitOfTime{"d", 86'400'000}, UnitOfTime{"h", 3'600'000},
      UnitOfTime{"m", 60'000},      UnitOfTime{"s", 1'000},      UnitOfTime{"ms", 1},
  };
  static constexpr std::int64_t kLongest = std::int64_t{36'525} * 86'400'000;
  if (text == "0") return milliseconds(0);
  if (text.empty()) return std::nullopt;
  std::int64_t total = 0;
  std::size_t next_unit = 0;  // units before it may not come any more
  while (!text.empty()) {
    std::size_t digits = 0;
    while (digits < text.size() && digit(text[digits])) ++digits;
    if (digits == 0 || digits > 13) return std::nullopt;
    std::int64_t count = 0;
    for (const char c : text.substr(0, digits)) count = count * 10 + (c - '0');
    text.remove_prefix(digits);
    std::size_t letters = 0;
    while (letters < text.size() && !digit(text[letters])) ++letters;
    const std::string_view name = text.substr(0, letters);
    while (next_unit < kUnits.size() && kUnits[next_unit].name != name) ++next_unit;
    if (next_unit == kUnits.size()) return std::nullopt;
    if (count > kLongest / kUnits[next_unit].ms) return std::nullopt;
    total += count * kUnits[next_unit].ms;
    if (total > kLongest) return std::nullopt;
    ++next_unit;
    text.remove_prefix(letters);
  }
  return milliseconds(total);
}

DateReading parse_date(std::string_view text) {
  const std::string quoted = "\"" + std::string(text) + "\"";
  const std::string form = quoted + " is no date; expected " + kDateForm;
  const auto year = take_digits(text, 4);
  if (!year || !take(text, '-')) return {std::nullopt, form};
  const auto month = take_digits(text, 2);
  if (!month || !take(text, '-')) return {std::nullopt, form};
  const auto day = take_digits(text, 2);
  if (!day) return {std::nullopt, form};
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return {std::nullopt, quoted + " names a day that the calendar does not have"};
  if (*year < 1900 || *year > 2100) return {std::nullopt, quoted + " lies outside the years 1900 to 2100"};
  if (text.empty()) return {Date(date), {}};
  if (!take(text, 'T') && !take(text, ' ')) return {std::nullopt, form};
  const auto time = take_time_of_day(text);
  if (!time) return {std::nullopt, form};
  if (text.empty()) {
    return {std::nullopt, quoted + " has a time of day but no zone; append Z or an offset such as +01:00"};
  }
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return {std::nullopt, form};
  return {Date(Time(std::chrono::sys_days(date)) + *time - *offset), {}};
}

std::string to_text(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  std::array<char, 40> out{};
  std::snprintf(out.data(), out.size(), "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return out.data();
}

billing::Decimal shortest(const billing::Decimal& value) {
  billing::Decimal result = value;
  while (result.scale > 0 && result.units % 10 == 0) {
    result.units /= 10;
    --result.scale;
  }
  return result;
}

bool multiple_of(const billing::Decimal& value, const billing::Decimal& step) {
  Wide left = value.units;
  Wide right = step.units;
  for (int scale = value.scale; scale < step.scale; ++scale) left *= 10;
  for (int scale = step.scale; scale < value.scale; ++scale) right *= 10;
  return left % right == 0;
}

bool known_country(std::string_view code) {
  static constexpr std::string_view kCountries =
      "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ "
      "CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO "
      "FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE "
      "JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO "
      "MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW "
      "PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM "
      "TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";
  if (code.size() != 2 || code.find(' ') != std::string_view::npos) return false;
  for (std::size_t at = 0; at < kCountries.size(); at += 3) {
    if (kCountries.substr(at, 2) == code) return true;
  }
  return false;
}

}  // namespace fettle::catalog
