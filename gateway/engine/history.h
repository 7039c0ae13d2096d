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
#include <limits>
#include <memory>
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

// The UTC days on which a series has readings, as runs. Most series have one, which takes no memory of its own.
class Days {
 public:
  struct Run {
    std::int32_t first = 0;
    std::int32_t last = -1;
  };
  bool empty() const { return newest_.last < newest_.first; }
  bool contains(std::int32_t day) const;
  void add(std::int32_t day) {
    if (day == newest_.last && !empty()) return;  // the usual case
    insert(day);
  }
  // The nearest day with readings at or before (at or after) `day`.
  std::optional<std::int32_t> at_or_before(std::int32_t day) const;
  std::optional<std::int32_t> at_or_after(std::int32_t day) const;
  // Ascending, not touching.
  std::vector<Run> runs() const;
  void restore(std::vector<Run> runs);

 private:
  void insert(std::int32_t day);

  Run newest_;
  std::unique_ptr<std::vector<Run>> older_;  // ascending; null: none
};

// The working state of one (asset, signal).
struct Series {
  static constexpr SeriesId kNone = std::numeric_limits<SeriesId>::max();

  SeriesId id = kNone;           // given with the first reading
  std::uint32_t loaded = 0;      // History: the generation in which days of it were loaded
  Time head;                     // newest event time; meaningless unless spoken()
  double head_value = 0;         // the canonical (largest) value there
  Time evaluated = Time::min();  // newest event time that rules have seen; Time::min(): none
  Days days;
  std::uint32_t batch = 0;           // History: the batch that `newest_pending` is of
  std::uint32_t newest_pending = 0;  // History: its newest reading of that batch

  bool known() const { return id != kNone; }
  // It has a reading that counts: one that the device itself calls bad does not.
  bool spoken() const { return !days.empty(); }
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
  std::vector<Point> at(Series& series, Time time);
  // The canonical reading next before `time` (strictly), and at or after it: of several values at one time the largest.
  std::optional<Point> before(Series& series, Time time);
  std::optional<Point> at_or_after(Series& series, Time time);
  // All readings with from <= time < to, by (time, value).
  std::vector<Point> range(Series& series, Time from, Time to);

 private:
  using DayKey = std::uint64_t;
  struct Pending {
    Point point;
    std::uint32_t previous = 0;  // of the same series in this batch, 1 + its place; 0: none
  };
  static DayKey key(SeriesId series, std::int32_t day);
  std::vector<Point>& day(Series& series, std::int32_t day);
  void add_to_loaded(Series& series, std::int32_t day, const Point& point);

  Store& store_;
  Sequence batch_first_ = 1;
  std::uint32_t batch_ = 1;       // counts batches, round and round; 0 is none
  std::uint32_t generation_ = 1;  // counts how often the loaded days were dropped
  std::vector<Pending> pending_;
  std::unordered_map<DayKey, std::vector<Point>> days_;
  std::size_t points_ = 0;
};

}  // namespace fettle::engine
