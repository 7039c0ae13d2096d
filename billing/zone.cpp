#include "billing/zone.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace fettle::billing {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::year_month_day;
using Local = std::chrono::local_time<Duration>;

// No zone has ever been further than this from UTC.
constexpr std::chrono::seconds kLargestOffset = hours{24};

Local to_local(Time t, std::chrono::seconds offset) {
  return Local((t + offset).time_since_epoch());
}

Time to_utc(Local local, std::chrono::seconds offset) {
  return Time(local.time_since_epoch()) - offset;
}

std::vector<Zone::Change> without_repetitions(const std::vector<Zone::Change>& changes) {
  std::vector<Zone::Change> kept;
  for (const Zone::Change& change : changes) {
    if (kept.empty() || kept.back().offset != change.offset) kept.push_back(change);
  }
  return kept;
}

}  // namespace

Zone::Zone() : changes_{{Time{}, std::chrono::seconds{0}}} {}

Zone::Zone(std::vector<Change> changes) {
  if (changes.empty()) throw std::invalid_argument("a time zone without a change: expected at least one offset");
  for (std::size_t i = 0; i < changes.size(); ++i) {
    if (i > 0 && changes[i].from <= changes[i - 1].from) {
      throw std::invalid_argument("a time zone whose changes are not in ascending order of time");
    }
    if (changes[i].offset > kLargestOffset || changes[i].offset < -kLargestOffset) {
      throw std::invalid_argument("a time zone more than 24 hours away from UTC");
    }
  }
  changes_ = without_repetitions(changes);
}

std::size_t Zone::index_at(Time t) const {
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), t,
                                      [](Time time, const Change& change) { return time < change.from; });
  return after == changes_.begin() ? 0 : static_cast<std::size_t>(after - changes_.begin()) - 1;
}

std::chrono::seconds Zone::offset_at(Time t) const {
  return changes_[index_at(t)].offset;
}

Time Zone::day_start(year_month_day local_day) const {
  // The first instant whose wall clock shows midnight or later. What ends before `earliest` shows less in any offset.
  const Local midnight = std::chrono::local_days(local_day);
  const Time earliest = to_utc(midnight, kLargestOffset);
  std::size_t i = index_at(earliest);
  while (i + 1 < changes_.size() && to_local(changes_[i + 1].from, changes_[i].offset) <= midnight) ++i;
  const Time start = to_utc(midnight, changes_[i].offset);
  return i == 0 ? start : std::max(start, changes_[i].from);
}

year_month_day Zone::local_day(Time t) const {
  auto day = std::chrono::floor<days>(to_local(t, offset_at(t)));
  while (day_start(year_month_day(day + days{1})) <= t) day += days{1};
  return year_month_day(day);
}

Period Zone::hour_of(Time t) const {
  const std::size_t i = index_at(t);
  const std::chrono::seconds offset = changes_[i].offset;
  const Time start = to_utc(std::chrono::floor<hours>(to_local(t, offset)), offset);
  Period hour{start, start + hours{1}};
  if (i > 0) hour.start = std::max(hour.start, changes_[i].from);
  if (i + 1 < changes_.size()) hour.end = std::min(hour.end, changes_[i + 1].from);
  return hour;
}

Period Zone::month_of(Time t) const {
  const year_month_day day = local_day(t);
  const std::chrono::year_month month = day.year() / day.month();
  const std::chrono::year_month next = month + std::chrono::months{1};
  return {day_start(month / 1), day_start(next / 1)};
}

}  // namespace fettle::billing
