#include "gateway/store/sqlite/range_query.h"

#include <algorithm>
#include <string>

namespace fettle::store {
namespace {

engine::Time time_of(std::int64_t milliseconds) {
  return engine::Time(engine::Time::duration(milliseconds));
}

[[noreturn]] void refuse(const std::string& why) {
  throw DatabaseError(SQLITE_MISUSE, "cannot answer for this range: " + why);
}

// Ten thousand years: what lies beyond is no time of a plot, and sums of it would overflow.
constexpr std::int64_t kLongest = 10'000LL * 366 * 86'400'000;

}  // namespace

RangeQuery::RangeQuery(Database& database, ReadingLookup& lookup, engine::SeriesId series, engine::Time from,
                       engine::Time to, std::size_t max_points)
    : database_(database),
      lookup_(lookup),
      series_(series),
      from_(from.time_since_epoch().count()),
      to_(to.time_since_epoch().count()),
      max_points_(max_points) {
  if (max_points < 2) refuse("at least two points must be asked for");
  if (from_ >= to_) refuse("it ends before it begins");
  if (from_ < -kLongest || to_ > kLongest) refuse("name a first and a last time within ten thousand years");
}

SignalRange RangeQuery::run(std::uint64_t page_readings) {
  SignalRange range;
  Extent extent;
  {
    Transaction snapshot(database_, Transaction::Kind::read);
    lookup_.refresh();
    extent = this->extent();
    const bool perhaps_few = extent.readings <= 4 * max_points_ + 8 * kChunkReadings;  // chunks reach beyond the range
    if (!extent.rollups && perhaps_few && readings_if_few(range)) return range;
  }
  const std::int64_t width = this->width(extent);
  range.span = std::chrono::milliseconds(width);
  // Pages of whole spans, as many as keep each short where readings are spread evenly.
  const auto pages = static_cast<std::int64_t>(extent.readings / page_readings + 1);
  const std::int64_t spans = (to_ - floor_to(from_, width) + width - 1) / width;
  const std::int64_t page = (spans + pages - 1) / pages * width;
  for (std::int64_t begin = floor_to(from_, width); begin < to_; begin += page) {
    Transaction snapshot(database_, Transaction::Kind::read);
    lookup_.refresh();
    add_page(std::max(begin, from_), std::min(begin + page, to_), width);
  }
  for (const auto& [start, bucket] : buckets_) {
    range.points.push_back(
        {time_of(start), bucket.least, bucket.sum / static_cast<double>(bucket.count), bucket.largest, bucket.count});
  }
  return range;
}

RangeQuery::Extent RangeQuery::extent() {
  Extent extent;
  for (const ChunkEntry& entry : lookup_.chunks(series_, time_of(from_), time_of(to_)))
    extent.readings += entry.readings;
  Statement(database_,
            "SELECT EXISTS (SELECT 1 FROM rollup WHERE series = ?1 AND resolution = ?2 AND start > ?3 AND start < ?4)")
      .each([&](Row& row) { row.into(extent.rollups); }, series_, kResolutions[0].count(),
            from_ - kResolutions[0].count() * kBucketsPerRow, to_);
  return extent;
}

// So that at most max_points spans touch the range; of whole minutes, hours or days where there are roll-ups of them.
std::int64_t RangeQuery::width(const Extent& extent) const {
  const auto points = static_cast<std::int64_t>(std::min<std::size_t>(max_points_, kLongest));
  // One span more than fits into the range may touch it.
  const std::int64_t parts = points - 1;
  const std::int64_t least = std::max<std::int64_t>(1, (to_ - from_ + parts - 1) / parts);
  const std::int64_t unit = [&] {
    if (!extent.rollups) return std::int64_t{1};
    std::int64_t largest = kResolutions[0].count();
    for (const auto resolution : kResolutions) {
      if (resolution.count() <= least) largest = resolution.count();
    }
    return largest;
  }();
  return (least + unit - 1) / unit * unit;
}

bool RangeQuery::readings_if_few(SignalRange& range) {
  bool few = true;
  lookup_.each_points(series_, time_of(from_), time_of(to_), [&](const Points& points) {
    if (!few) return;
    each_good(points, [&](std::int64_t time, double value) {
      if (time < from_ || time >= to_) return;
      buckets_[time].add(value);
    });
    few = buckets_.size() <= max_points_;
  });
  if (few) {
    for (const auto& [time, bucket] : buckets_) {
      range.points.push_back({time_of(time), bucket.largest, bucket.largest, bucket.largest, 1});
    }
  }
  buckets_.clear();
  return few;
}

void RangeQuery::add_page(std::int64_t from, std::int64_t to, std::int64_t width) {
  lookup_.each_points(series_, time_of(from), time_of(to), [&](const Points& points) {
    Bucket* bucket = nullptr;
    std::int64_t end = from;
    each_good(points, [&](std::int64_t time, double value) {
      if (time < from || time >= to) return;
      if (bucket == nullptr || time >= end) {
        const std::int64_t start = floor_to(time, width);
        bucket = &buckets_[start];
        end = start + width;
      }
      bucket->add(value);
    });
  });
  add_rollups(from, to, width);
}

void RangeQuery::add_rollups(std::int64_t from, std::int64_t to, std::int64_t width) {
  std::int64_t resolution = 0;
  for (const auto candidate : kResolutions) {
    if (width % candidate.count() == 0) resolution = candidate.count();
  }
  if (resolution == 0) return;  // spans that are no whole minutes: there were no roll-ups when they were chosen
  Statement select(
      database_,
      "SELECT start, buckets FROM rollup WHERE series = ?1 AND resolution = ?2 AND start > ?3 AND start < ?4");
  select.each(
      [&](Row& row) {
        std::int64_t start = 0;
        row.into(start);
        const auto decoded = codec_.decode(row.bytes(), resolution);
        if (!decoded) {
          throw DatabaseError(SQLITE_CORRUPT, database_.file().string() + ": roll-up of series " +
                                                  std::to_string(series_) + " " + decoded.error().message +
                                                  ". Keep a copy of the file and restore the newest backup.");
        }
        for (const auto& [time, bucket] : *decoded) {
          // The bucket that `from` lies in is taken whole; in a later page's range it was taken by the one before.
          const std::int64_t first = from == from_ ? floor_to(from, resolution) : from;
          if (time >= first && time < to) buckets_[floor_to(time, width)].add(bucket);
        }
      },
      series_, resolution, from - resolution * kBucketsPerRow, to);
}

}  // namespace fettle::store
