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
  if (!empty() && day >= newest_.first) return day <= newest_.last;
  const auto found = at_or_before(day);
  return found && *found == day;
}

std::vector<Days::Run> Days::runs() const {
  std::vector<Run> runs;
  if (older_) runs = *older_;
  if (!empty()) runs.push_back(newest_);
  return runs;
}

void Days::restore(std::vector<Run> runs) {
  newest_ = Run();
  older_.reset();
  if (runs.empty()) return;
  newest_ = runs.back();
  runs.pop_back();
  if (!runs.empty()) older_ = std::make_unique<std::vector<Run>>(std::move(runs));
}

void Days::insert(std::int32_t day) {
  if (empty()) {
    newest_ = {day, day};
    return;
  }
  if (day >= newest_.first && day <= newest_.last + 1) {
    newest_.last = std::max(newest_.last, day);
    return;
  }
  std::vector<Run> runs = this->runs();
  auto next = std::upper_bound(runs.begin(), runs.end(), day, [](std::int32_t d, const Run& r) { return d < r.first; });
  if (next != runs.begin() && day <= std::prev(next)->last) return;
  const bool joins_previous = next != runs.begin() && std::prev(next)->last + 1 == day;
  const bool joins_next = next != runs.end() && next->first == day + 1;
  if (joins_previous && joins_next) {
    std::prev(next)->last = next->last;
    runs.erase(next);
  } else if (joins_previous) {
    std::prev(next)->last = day;
  } else if (joins_next) {
    next->first = day;
  } else {
    runs.insert(next, {day, day});
  }
  restore(std::move(runs));
}

std::optional<std::int32_t> Days::at_or_before(std::int32_t day) const {
  if (!empty() && day >= newest_.first) return std::min(day, newest_.last);
  if (!older_) return std::nullopt;
  auto next =
      std::upper_bound(older_->begin(), older_->end(), day, [](std::int32_t d, const Run& r) { return d < r.first; });
  if (next == older_->begin()) return std::nullopt;
  return std::min(day, std::prev(next)->last);
}

std::optional<std::int32_t> Days::at_or_after(std::int32_t day) const {
  if (older_) {
    auto found =
        std::lower_bound(older_->begin(), older_->end(), day, [](const Run& r, std::int32_t d) { return r.last < d; });
    if (found != older_->end()) return std::max(day, found->first);
  }
  if (empty() || day > newest_.last) return std::nullopt;
  return std::max(day, newest_.first);
}

History::DayKey History::key(SeriesId series, std::int32_t day) {
  return (DayKey{series} << 32U) | static_cast<std::uint32_t>(day);
}

void History::begin_batch(Sequence first) {
  batch_first_ = first;
  if (++batch_ == 0) ++batch_;
  pending_.clear();
  if (points_ > kMaxPoints) {
    days_.clear();
    points_ = 0;
    if (++generation_ == 0) ++generation_;
  }
}

void History::add(Series& series, const Point& point) {
  const bool newest = !series.spoken() || point.time > series.head;
  if (newest) {
    series.head = point.time;
    series.head_value = point.value;
  } else if (point.time == series.head) {
    series.head_value = std::max(series.head_value, point.value);
  }
  const std::int32_t day = day_of(point.time);
  if (!newest && !series.days.contains(day)) {
    // The first reading of a day in the past: there is nothing to load, and more of that day may well follow.
    days_.try_emplace(key(series.id, day));
    series.loaded = generation_;
  }
  if (series.loaded == generation_) add_to_loaded(series, day, point);
  series.days.add(day);
  pending_.push_back({point, series.batch == batch_ ? series.newest_pending + 1 : 0});
  series.batch = batch_;
  series.newest_pending = static_cast<std::uint32_t>(pending_.size() - 1);
}

void History::add_to_loaded(Series& series, std::int32_t day, const Point& point) {
  const auto loaded = days_.find(key(series.id, day));
  if (loaded == days_.end()) return;
  auto& points = loaded->second;
  points.insert(std::upper_bound(points.begin(), points.end(), point, earlier), point);
  ++points_;
}

std::vector<Point>& History::day(Series& series, std::int32_t day) {
  const auto [entry, made] = days_.try_emplace(key(series.id, day));
  std::vector<Point>& points = entry->second;
  series.loaded = generation_;
  if (!made) return points;
  auto stored = store_.readings(series.id, start_of(day), start_of(day + 1), batch_first_);
  if (!stored) {
    days_.erase(entry);
    throw StoreFailure(stored.error().message);
  }
  for (const StoredReading& reading : *stored) {
    if ((reading.flags & kBad) == 0) points.push_back({reading.time, reading.value, reading.flags});
  }
  std::uint32_t next = series.batch == batch_ ? series.newest_pending + 1 : 0;
  for (; next != 0; next = pending_[next - 1].previous) {
    const Point& point = pending_[next - 1].point;
    if (day_of(point.time) == day) points.push_back(point);
  }
  std::sort(points.begin(), points.end(), earlier);
  points_ += points.size();
  return points;
}

std::vector<Point> History::at(Series& series, Time time) {
  return range(series, time, time + std::chrono::milliseconds(1));
}

std::optional<Point> History::before(Series& series, Time time) {
  if (!series.spoken()) return std::nullopt;
  if (time > series.head) return Point{series.head, series.head_value, 0};
  for (auto wanted = series.days.at_or_before(day_of(time)); wanted; wanted = series.days.at_or_before(*wanted - 1)) {
    const auto& points = day(series, *wanted);
    const auto found =
        std::lower_bound(points.begin(), points.end(), time, [](const Point& p, Time t) { return p.time < t; });
    if (found != points.begin()) return *std::prev(found);
  }
  return std::nullopt;
}

std::optional<Point> History::at_or_after(Series& series, Time time) {
  if (!series.spoken() || time > series.head) return std::nullopt;
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

std::vector<Point> History::range(Series& series, Time from, Time to) {
  std::vector<Point> out;
  if (!series.spoken() || from >= to) return out;
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
