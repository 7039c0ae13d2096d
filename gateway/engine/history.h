#pragma once
// What one series has said so far: its newest reading in hand, older ones by UTC day from the store.
//
// The engine asks for older readings only when something came late, twice, or must be explained, so days are loaded on
// demand and kept within a bound. A lookup never sees a reading of a record that has not been folded yet, also while
// the journal is replayed over a store that is further on: the store is asked for what came before the batch, and the
// batch's own readings are kept here.
//
// The engine's thread only. A store that cannot be read throws StoreFailure: the fold cannot go on without it.

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <unordered_map>
#include <vector>

#include "gateway/engine/ports.h"

namespace fettle::engine {

class StoreFailure : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Point {
  Time time;
  double value = 0;
  std::uint8_t flags = 0;
};

// The UTC days on which a series has readings, as runs.
class Days {
 public:
  struct Run {
    std::int32_t first = 0;
    std::int32_t last = 0;
  };
  bool contains(std::int32_t day) const;
  void add(std::int32_t day);
  // The nearest day with readings at or before (at or after) `day`.
  std::optional<std::int32_t> at_or_before(std::int32_t day) const;
  std::optional<std::int32_t> at_or_after(std::int32_t day) const;
  const std::vector<Run>& runs() const { return runs_; }
  void restore(std::vector<Run> runs) { runs_ = std::move(runs); }

 private:
  std::vector<Run> runs_;  // ascending, not touching
};

// The working state of one (asset, signal).
struct Series {
  std::optional<SeriesId> id;     // given with the first reading
  Time head;                      // newest event time; meaningless without id
  double head_value = 0;          // the canonical (largest) value there
  std::optional<Time> evaluated;  // newest event time that rules have seen
  Days days;
};

std::int32_t day_of(Time time);

class History {
 public:
  // Readings held in memory beyond which loaded days are dropped between batches; 24 bytes each.
  static constexpr std::size_t kMaxPoints = 2'000'000;

  explicit History(Store& store) : store_(store) {}

  // Everything before `first` is in the store; what is added from now on is kept here until the next call.
  void begin_batch(Sequence first);

  // A reading was admitted to the series. Sets days and head.
  void add(Series& series, const Point& point);

  // Readings at exactly `time`, ascending by value.
  std::vector<Point> at(const Series& series, Time time);
  // The canonical reading next before `time` (strictly), and at or after it: of several values at one time the largest.
  std::optional<Point> before(const Series& series, Time time);
  std::optional<Point> at_or_after(const Series& series, Time time);
  // All readings with from <= time < to, by (time, value).
  std::vector<Point> range(const Series& series, Time from, Time to);

 private:
  using DayKey = std::uint64_t;
  struct Pending {
    SeriesId series = 0;
    Point point;
  };
  static DayKey key(SeriesId series, std::int32_t day);
  std::vector<Point>& day(const Series& series, std::int32_t day);

  Store& store_;
  Sequence batch_first_ = 1;
  std::vector<Pending> pending_;
  std::unordered_map<DayKey, std::vector<Point>> days_;
  std::size_t points_ = 0;
};

}  // namespace fettle::engine
