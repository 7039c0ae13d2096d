#include "gateway/catalog/posix_rule.h"

#include <algorithm>
#include <cctype>

namespace fettle::catalog {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_days;

// Reads from the front of a text. Every function leaves the text alone where it returns nothing.
class Scanner {
 public:
  explicit Scanner(std::string_view rest) : rest_(rest) {}

  bool done() const { return rest_.empty(); }

  bool skip(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  // "CET" or "<+0330>".
  bool skip_name() {
    std::size_t end = 0;
    if (!rest_.empty() && rest_.front() == '<') {
      end = rest_.find('>');
      if (end == std::string_view::npos) return false;
      ++end;
    } else {
      while (end < rest_.size() && std::isalpha(static_cast<unsigned char>(rest_[end])) != 0) ++end;
      if (end < 3) return false;
    }
    rest_.remove_prefix(end);
    return true;
  }

  std::optional<unsigned> number(unsigned most) {
    std::size_t end = 0;
    unsigned value = 0;
    while (end < rest_.size() && end < 4 && std::isdigit(static_cast<unsigned char>(rest_[end])) != 0) {
      value = value * 10 + static_cast<unsigned>(rest_[end++] - '0');
    }
    if (end == 0 || value > most) return std::nullopt;
    rest_.remove_prefix(end);
    return value;
  }

  // [+-]h[:mm[:ss]]
  std::optional<seconds> time() {
    const bool negative = skip('-');
    if (!negative) skip('+');
    const auto hour = number(167);
    if (!hour) return std::nullopt;
    seconds result = hours(*hour);
    if (skip(':')) {
      const auto minute = number(59);
      if (!minute) return std::nullopt;
      result += minutes(*minute);
      if (skip(':')) {
        const auto second = number(59);
        if (!second) return std::nullopt;
        result += seconds(*second);
      }
    }
    return negative ? -result : result;
  }

 private:
  std::string_view rest_;
};

std::optional<ChangeRule> change_rule(Scanner& scanner) {
  ChangeRule rule;
  if (scanner.skip('M')) {
    const auto month = scanner.number(12);
    if (!month || *month == 0 || !scanner.skip('.')) return std::nullopt;
    const auto week = scanner.number(5);
    if (!week || *week == 0 || !scanner.skip('.')) return std::nullopt;
    const auto day = scanner.number(6);
    if (!day) return std::nullopt;
    rule.month = *month;
    rule.week = *week;
    rule.day = *day;
  } else {
    rule.form = scanner.skip('J') ? ChangeRule::Form::julian_day : ChangeRule::Form::zero_based_day;
    const auto day = scanner.number(365);
    if (!day || (rule.form == ChangeRule::Form::julian_day && *day == 0)) return std::nullopt;
    rule.day = *day;
  }
  if (scanner.skip('/')) {
    const auto time = scanner.time();
    if (!time) return std::nullopt;
    rule.time = *time;
  }
  return rule;
}

sys_days day_of(const ChangeRule& rule, std::chrono::year year) {
  const sys_days first = year / std::chrono::January / 1;
  switch (rule.form) {
    case ChangeRule::Form::zero_based_day:
      return first + days(rule.day);
    case ChangeRule::Form::julian_day:  // 29 February is not counted
      return first + days(rule.day - 1 + (year.is_leap() && rule.day >= 60 ? 1 : 0));
    case ChangeRule::Form::month_week_day:
      break;
  }
  const auto month = year / std::chrono::month(rule.month);
  const std::chrono::weekday weekday(rule.day);
  if (rule.week == 5) return month / weekday[std::chrono::last];
  return month / weekday[rule.week];
}

}  // namespace

std::optional<PosixRule> PosixRule::parse(std::string_view text) {
  Scanner scanner(text);
  PosixRule rule;
  if (!scanner.skip_name()) return std::nullopt;
  const auto west = scanner.time();  // POSIX counts hours west of Greenwich
  if (!west) return std::nullopt;
  rule.standard = -*west;
  if (scanner.done()) return rule;
  if (!scanner.skip_name()) return std::nullopt;
  Daylight daylight;
  daylight.offset = rule.standard + hours(1);
  if (!scanner.skip(',')) {
    const auto daylight_west = scanner.time();
    if (!daylight_west || !scanner.skip(',')) return std::nullopt;
    daylight.offset = -*daylight_west;
  }
  const auto begins = change_rule(scanner);
  if (!begins || !scanner.skip(',')) return std::nullopt;
  const auto ends = change_rule(scanner);
  if (!ends || !scanner.done()) return std::nullopt;
  daylight.begins = *begins;
  daylight.ends = *ends;
  rule.daylight = daylight;
  return rule;
}

std::vector<billing::Zone::Change> PosixRule::changes(std::chrono::year first, std::chrono::year last) const {
  std::vector<billing::Zone::Change> result;
  if (!daylight) return result;
  for (auto year = first; year <= last; ++year) {
    const auto begins = day_of(daylight->begins, year) + daylight->begins.time - standard;
    const auto ends = day_of(daylight->ends, year) + daylight->ends.time - daylight->offset;
    result.push_back({begins, daylight->offset});
    result.push_back({ends, standard});
  }
  std::sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.from < b.from; });
  return result;
}

}  // namespace fettle::catalog
