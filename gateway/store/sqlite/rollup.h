#pragma once
// Roll-ups: what is left of readings that were cut. Per minute, hour and day the least, mean and largest value.
//
// A reading is either in level 0 or a chunk, or in the roll-ups of all three resolutions, never in both: buckets hold
// exactly the readings that were cut, as sums, so that what was late and is cut later is added to the same bucket.
// Pure. docs/reference/storage-format.md gives the bytes.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/chunk.h"

namespace fettle::store {

inline constexpr char kRollupKind = 'S';

// A minute, an hour, a day of UTC.
inline constexpr std::array<std::chrono::milliseconds, 3> kResolutions = {
    std::chrono::minutes(1), std::chrono::hours(1), std::chrono::hours(24)};
// A row holds so many buckets in a row: a day of minutes, sixty days of hours, four years of days.
inline constexpr std::int64_t kBucketsPerRow = 1'440;

struct Bucket {
  std::uint64_t count = 0;
  double least = 0;
  double sum = 0;
  double largest = 0;

  void add(double value);
  void add(const Bucket& other);
  bool operator==(const Bucket&) const = default;
};

// By start, in milliseconds since 1970.
using Buckets = std::map<std::int64_t, Bucket>;

// The start of the span of `width` milliseconds that the time lies in, also before 1970.
std::int64_t floor_to(std::int64_t time, std::int64_t width);

// Calls f(time, value) for the readings that count in a mean or a plot: not those that their device calls bad, nor what
// is no number; of several at one time the largest. Pre: sorted by time.
template <typename F>
void each_good(const Points& points, F&& f) {
  for (std::size_t i = 0; i < points.size();) {
    bool any = false;
    double value = 0;
    std::size_t end = i;
    for (; end < points.size() && points.times[end] == points.times[i]; ++end) {
      const double here = points.values[end];
      if ((points.flags[end] & engine::kBad) != 0 || !std::isfinite(here)) continue;
      value = any ? std::max(value, here) : here;
      any = true;
    }
    if (any) f(points.times[i], value);
    i = end;
  }
}

class RollupCodec {
 public:
  // Pre: not empty; starts are multiples of the resolution within one row.
  FormatResult<std::string> encode(const Buckets& buckets, std::int64_t resolution);
  FormatResult<Buckets> decode(std::string_view bytes, std::int64_t resolution);

 private:
  Compressor compressor_;
  IntColumns columns_;
  ValueColumns values_{columns_};
};

}  // namespace fettle::store
