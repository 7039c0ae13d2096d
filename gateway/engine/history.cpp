#include "gateway/engine/history.h"

#include <algorithm>
#include <chrono>

namespace fettle::engine {
namespace {

bool earlier(const Point& a, const Point& b) {
  return a.time != b.time ? a.time < b.time : a.value < b.value;
}

Time start_of(std::int32_t day) {
  return Time(std::chrono::days(day));
}

}  // namespace

std::int32_t day_of(Time time) {
  return static_cast<std::int32_t>(std::chrono::floor<std::chrono::days>(time).time_since_epoch().count());
}

bool Days::contains(std::int32_t day) const {
  const auto found = at_or_before(day);
  return found && *found == day;
}

void Days::add(std::int32_t day) {
  // The usual case: the same day as ever, or the next one.
  if (!runs_.empty() && day >= runs_.back().first) {
    if (day <= runs_.back().last) return;
    if (day == runs_.back().last + 1) {
      runs_.back().last = day;
      return;
    }
  }
  auto next =
      std::upper_bound(runs_.begin(), runs_.end(), day, [](std::int32_t d, const Run& r) { return d < r.first; });
  if (next != runs_.begin() && day <= std::prev(next)->last) return;
  const bool joins_previous = next != runs_.begin() && std::prev(next)->last + 1 == day;
  const bool joins_next = next != runs_.end() && next->first == day + 1;
  if (joins_previous && joins_next) {
    std::prev(next)->last = next->last;
    runs_.erase(next);
  } else if (joins_previous) {
    std::prev(next)->last = day;
  } else if (joins_next) {
    next->first = day;
  } else {
    runs_.insert(next, {day, day});
  }
}

std::optional<std::int32_t> Days::at_or_before(std::int32_t day) const {
  auto next =
      std::upper_bound(runs_.begin(), runs_.end(), day, [](std::int32_t d, const Run& r) { return d < r.first; });
  if (next == runs_.begin()) return std::nullopt;
  return std::min(day, std::prev(next)->last);
}

std::optional<std::int32_t> Days::at_or_after(std::int32_t day) const {
  auto found =
      std::lower_bound(runs_.begin(), runs_.end(), day, [](const Run& r, std::int32_t d) { return r.last < d; });
  if (found == runs_.end()) return std::nullopt;
  return std::max(day, found->first);
}

History::DayKey History::key(SeriesId series, std::int32_t day) {
  return (DayKey{series} << 32U) | static_cast<std::uint32_t>(day);
}

void History::begin_batch(Sequence first) {
  batch_first_ = first;
  pending_.clear();
  if (points_ > kMaxPoints) {
    days_.clear();
    points_ = 0;
  }
}

void History::add(Series& series, const Point& point) {
  const bool newest = series.days.runs().empty() || point.time > series.head;
  if (newest) {
    series.head = point.time;
    series.head_value = point.value;
  } else if (point.time == series.head) {
    series.head_value = std::max(series.head_value, point.value);
  }
  const std::int32_t day = day_of(point.time);
  auto loaded = days_.find(key(*series.id, day));
  if (loaded == days_.end() && !series.days.contains(day) && !newest) {
    // The first reading of a day in the past: there is nothing to load, and more of that day may well follow.
    loaded = days_.emplace(key(*series.id, day), std::vector<Point>()).first;
  }
  if (loaded != days_.end()) {
    auto& points = loaded->second;
    points.insert(std::upper_bound(points.begin(), points.end(), point, earlier), point);
    ++points_;
  }
  series.days.add(day);
  pending_.push_back({*series.id, point});
}

std::vector<Point>& History::day(const Series& series, std::int32_t day) {
  const auto [entry, made] = days_.try_emplace(key(*series.id, day));
  std::vector<Point>& points = entry->second;
  if (!made) return points;
  auto stored = store_.readings(*series.id, start_of(day), start_of(day + 1), batch_first_);
  if (!stored) {
    days_.erase(entry);
    throw StoreFailure(stored.error().message);
  }
  for (const StoredReading& reading : *stored) points.push_back({reading.time, reading.value, reading.flags});
  for (const Pending& pending : pending_) {
    if (pending.series == *series.id && day_of(pending.point.time) == day) points.push_back(pending.point);
  }
  std::sort(points.begin(), points.end(), earlier);
  points_ += points.size();
  return points;
}

std::vector<Point> History::at(const Series& series, Time time) {
  return range(series, time, time + std::chrono::milliseconds(1));
}

std::optional<Point> History::before(const Series& series, Time time) {
  if (!series.id) return std::nullopt;
  if (time > series.head) return Point{series.head, series.head_value, 0};
  for (auto wanted = series.days.at_or_before(day_of(time)); wanted; wanted = series.days.at_or_before(*wanted - 1)) {
    const auto& points = day(series, *wanted);
    const auto found =
        std::lower_bound(points.begin(), points.end(), time, [](const Point& p, Time t) { return p.time < t; });
    if (found != points.begin()) return *std::prev(found);
  }
  return std::nullopt;
}

std::optional<Point> History::at_or_after(const Series& series, Time time) {
  if (!series.id || time > series.head) return std::nullopt;
  if (time == series.head) return Point{series.head, series.head_value, 0};
  for (auto wanted = series.days.at_or_after(day_of(time)); wanted; wanted = series.days.at_or_after(*wanted + 1)) {
    const auto& points = day(series, *wanted);
    auto found =
        std::lower_bound(points.begin(), points.end(), time, [](const Point& p, Time t) { return p.time < t; });
    if (found == points.end()) continue;
    while (std::next(found) != points.end() && std::next(found)->time == found->time) ++found;
    return *found;
  }
  return std::nullopt;
}

std::vector<Point> History::range(const Series& series, Time from, Time to) {
  std::vector<Point> out;
  if (!series.id || from >= to) return out;
  const std::int32_t last = day_of(to - std::chrono::milliseconds(1));
  for (auto wanted = series.days.at_or_after(day_of(from)); wanted && *wanted <= last;
       wanted = series.days.at_or_after(*wanted + 1)) {
    for (const Point& point : day(series, *wanted)) {
      if (point.time >= from && point.time < to) out.push_back(point);
    }
  }
  return out;
}

}  // namespace fettle::engine
