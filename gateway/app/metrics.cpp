#include "gateway/app/metrics.h"

#include <algorithm>
#include <numeric>

namespace fettle::app {
namespace {

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

engine::Counters difference(const engine::Counters& now, const engine::Counters& before) {
  // A sum that lies before where counting began is none of this process's.
  const auto since = [](std::uint64_t later, std::uint64_t earlier) { return later > earlier ? later - earlier : 0; };
  engine::Counters out;
  out.messages = since(now.messages, before.messages);
  out.readings = since(now.readings, before.readings);
  out.duplicates = since(now.duplicates, before.duplicates);
  out.conflicts = since(now.conflicts, before.conflicts);
  out.late = since(now.late, before.late);
  out.quarantined = since(now.quarantined, before.quarantined);
  return out;
}

}  // namespace

void Histogram::record(double value) {
  const auto range = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
  ++counts_.at(static_cast<std::size_t>(range));
  sum_ += value;
}

std::uint64_t Histogram::count() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

void Metrics::begin(const engine::Counters& counters) {
  const std::scoped_lock lock(mutex_);
  before_ = counters;
  newest_ = counters;
}

void Metrics::committed(std::size_t records, std::chrono::nanoseconds took, const engine::Counters& counters,
                        Phase phase) {
  const std::scoped_lock lock(mutex_);
  const std::uint64_t readings = counters.readings - std::min(counters.readings, newest_.readings);
  newest_ = counters;
  if (phase == Phase::replay) {
    before_ = counters;
    return;
  }
  recorded_.commit_seconds.record(seconds(took));
  recorded_.commit_records.record(static_cast<double>(records));
  recorded_.commit_readings.record(static_cast<double>(readings));
}

void Metrics::commit_failed() {
  const std::scoped_lock lock(mutex_);
  ++recorded_.commit_failures;
}

void Metrics::checkpointed(std::uint64_t bytes, std::chrono::nanoseconds took,
                           std::chrono::steady_clock::time_point at) {
  const std::scoped_lock lock(mutex_);
  recorded_.checkpoint_seconds.record(seconds(took));
  recorded_.checkpoint_bytes = bytes;
  checkpoint_at_ = at;
}

void Metrics::quarantined(std::string_view reason, std::uint64_t items) {
  const std::scoped_lock lock(mutex_);
  auto found = recorded_.quarantined.find(reason);
  if (found == recorded_.quarantined.end()) {
    const bool room = recorded_.quarantined.size() < kMaxReasons;
    found = recorded_.quarantined.try_emplace(room ? std::string(reason) : "other", 0).first;
  }
  found->second += items;
}

Recorded Metrics::recorded(std::chrono::steady_clock::time_point now) const {
  const std::scoped_lock lock(mutex_);
  Recorded out = recorded_;
  out.fold = difference(newest_, before_);
  if (checkpoint_at_) {
    out.checkpoint_age = std::chrono::duration_cast<std::chrono::milliseconds>(now - *checkpoint_at_);
  }
  return out;
}

}  // namespace fettle::app
