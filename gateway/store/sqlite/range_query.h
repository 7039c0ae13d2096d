#pragma once
// A signal over a range of time, for a plot: readings where they are few, else spans with least, mean and largest
// value.
//
// Reads both levels and the roll-ups; a reading is in one of them, so sums are right at every resolution. Works in
// pages of whole spans, each from one state of the store. One thread, that of its Database. Throws DatabaseError.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/reading_lookup.h"
#include "gateway/store/sqlite/rollup.h"

namespace fettle::store {

// A point of a plot: one reading, or what the readings of a span have in common.
struct RangePoint {
  engine::Time start;  // of the span; a reading's own time where the span is one
  double least = 0;
  double mean = 0;
  double largest = 0;
  std::uint64_t readings = 0;
  bool operator==(const RangePoint&) const = default;
};

struct SignalRange {
  std::chrono::milliseconds span{0};  // of a point; 0: points are readings
  std::vector<RangePoint> points;     // ascending; spans without readings have none
};

class RangeQuery {
 public:
  RangeQuery(Database& database, ReadingLookup& lookup, engine::SeriesId series, engine::Time from, engine::Time to,
             std::size_t max_points);

  SignalRange run(std::uint64_t page_readings);

 private:
  struct Extent {                // what there is in the range, from the rows' columns alone
    std::uint64_t readings = 0;  // of chunks and blocks that touch it
    bool rollups = false;
  };

  Extent extent();
  std::int64_t width(const Extent& extent) const;
  bool readings_if_few(SignalRange& range);
  // Adds what lies in from <= time < to to the buckets.
  void add_page(std::int64_t from, std::int64_t to, std::int64_t width);
  void add_rollups(std::int64_t from, std::int64_t to, std::int64_t width);

  Database& database_;
  ReadingLookup& lookup_;
  engine::SeriesId series_;
  std::int64_t from_;
  std::int64_t to_;
  std::size_t max_points_;
  RollupCodec codec_;
  Buckets buckets_;
};

}  // namespace fettle::store
