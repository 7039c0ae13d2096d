#include "firmware-sim/stamp.h"

#include <array>
#include <cstdio>

namespace fettle::sim {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr milliseconds kLongestDuration = days(36525);

// Reads a text from left to right; once something did not fit, it stays failed.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  // Exactly `width` digits.
  int digits(std::size_t width) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) {
      const char c = i < text_.size() ? text_[i] : ' ';
      if (c < '0' || c > '9') {
        failed_ = true;
        return 0;
      }
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(width);
    return value;
  }

  void expect(char c) {
    if (!accept(c)) failed_ = true;
  }

  bool accept(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool at_end() const { return text_.empty(); }
  bool complete() const { return !failed_ && text_.empty(); }

 private:
  std::string_view text_;
  bool failed_ = false;
};

struct CalendarTime {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, millisecond = 0;
};

std::optional<EventTime> to_event_time(const CalendarTime& t) {
  const std::chrono::year_month_day date{std::chrono::year(t.year), std::chrono::month(static_cast<unsigned>(t.month)),
                                         std::chrono::day(static_cast<unsigned>(t.day))};
  if (!date.ok() || t.hour > 23 || t.minute > 59 || t.second > 59) return std::nullopt;
  return EventTime(std::chrono::sys_days(date)) + hours(t.hour) + minutes(t.minute) + seconds(t.second) +
         milliseconds(t.millisecond);
}

void scan_year_first_day(Scanner& in, CalendarTime& t) {
  t.year = in.digits(4);
  in.expect('-');
  t.month = in.digits(2);
  in.expect('-');
  t.day = in.digits(2);
}

void scan_clock(Scanner& in, CalendarTime& t) {
  t.hour = in.digits(2);
  in.expect(':');
  t.minute = in.digits(2);
  in.expect(':');
  t.second = in.digits(2);
}

minutes scan_zone(Scanner& in) {
  if (in.accept('Z')) return minutes(0);
  const int sign = in.accept('-') ? -1 : 1;
  if (sign == 1) in.expect('+');
  const int zone_hours = in.digits(2);
  in.expect(':');
  return sign * (hours(zone_hours) + minutes(in.digits(2)));
}

std::optional<milliseconds> unit_named(std::string_view name) {
  if (name == "ms") return milliseconds(1);
  if (name == "s") return seconds(1);
  if (name == "m") return minutes(1);
  if (name == "h") return hours(1);
  if (name == "d") return days(1);
  return std::nullopt;
}

}  // namespace

std::optional<EventTime> parse_year_first_stamp(std::string_view text) {
  Scanner in(text);
  CalendarTime t;
  scan_year_first_day(in, t);
  in.expect(' ');
  scan_clock(in, t);
  return in.complete() ? to_event_time(t) : std::nullopt;
}

std::optional<EventTime> parse_day_first_stamp(std::string_view text, minutes offset) {
  Scanner in(text);
  CalendarTime t;
  t.day = in.digits(2);
  in.expect('/');
  t.month = in.digits(2);
  in.expect('/');
  t.year = in.digits(4);
  in.expect(' ');
  t.hour = in.digits(2);
  in.expect(':');
  t.minute = in.digits(2);
  if (!in.complete()) return std::nullopt;
  auto local = to_event_time(t);
  if (local) *local -= offset;
  return local;
}

std::optional<EventTime> parse_iso8601(std::string_view text) {
  Scanner in(text);
  CalendarTime t;
  scan_year_first_day(in, t);
  minutes offset{0};
  if (!in.at_end()) {
    in.expect('T');
    scan_clock(in, t);
    if (in.accept('.')) t.millisecond = in.digits(3);
    offset = scan_zone(in);
  }
  if (!in.complete()) return std::nullopt;
  auto local = to_event_time(t);
  if (local) *local -= offset;
  return local;
}

std::string iso8601_text(EventTime time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::array<char, 64> buffer;
  const int length =
      std::snprintf(buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                    static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                    static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                    static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return {buffer.data(), static_cast<std::size_t>(length)};
}

std::optional<milliseconds> parse_duration(std::string_view text) {
  if (text.empty()) return std::nullopt;
  milliseconds total{0};
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || digits > 9) return std::nullopt;
    std::int64_t count = 0;
    for (const char c : text.substr(0, digits)) count = count * 10 + (c - '0');
    text.remove_prefix(digits);
    const std::size_t letters = std::min(text.find_first_of("0123456789"), text.size());
    const auto unit = unit_named(text.substr(0, letters));
    if (!unit) return std::nullopt;
    text.remove_prefix(letters);
    total += count * *unit;
    if (total > kLongestDuration) return std::nullopt;
  }
  return total;
}

}  // namespace fettle::sim
