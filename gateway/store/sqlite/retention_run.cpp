#include "gateway/store/sqlite/retention_run.h"

#include <algorithm>
#include <string>
#include <utility>

#include "gateway/store/sqlite/merge_writer.h"

namespace fettle::store {
namespace {

// Of one series in one run, so that a piece stays short: a chunk has a row in two tables and a body of some pages to
// free; a row of roll-ups some kilobytes. A chunk of a reading a day alone spans more rows than that.
constexpr std::size_t kCutChunks = 32;
constexpr std::size_t kRollupRows = 24;

}  // namespace

Buckets load_buckets(Statement& select, RollupCodec& codec, engine::SeriesId series, std::int64_t resolution,
                     std::int64_t start, const Database& database) {
  Buckets buckets;
  select.each(
      [&](Row& row) {
        auto decoded = codec.decode(row.bytes(), resolution);
        if (!decoded) {
          throw DatabaseError(SQLITE_CORRUPT, database.file().string() + ": roll-up of series " +
                                                  std::to_string(series) + " at " + std::to_string(start) + " " +
                                                  decoded.error().message +
                                                  ". Keep a copy of the file and restore the newest backup.");
        }
        buckets = std::move(*decoded);
      },
      series, resolution, start);
  return buckets;
}

RetentionRun::RetentionRun(Database& database, PieceSink sink)
    : database_(database), sink_(std::move(sink)), chunks_(database), rollup_(database, kSelectBuckets) {}

bool RetentionRun::run(const std::vector<RetentionRule>& rules, engine::Time now) {
  state_ = load_merge_state(database_);
  more_ = false;
  return std::all_of(rules.begin(), rules.end(),
                     [&](const RetentionRule& rule) { return rule.metered || cut_series(rule, now - rule.keep); });
}

bool RetentionRun::cut_series(const RetentionRule& rule, engine::Time before) {
  rows_.clear();
  piece_ = {};
  Points points;
  for (const ChunkEntry& entry :
       chunks_.list(state_, rule.series, engine::Time::min(), before, static_cast<engine::Sequence>(-1))) {
    if (entry.max_time >= before) continue;
    chunks_.load(entry, points);
    add(rule.series, points);
    piece_.cut.push_back(entry.key);
    if (piece_.cut.size() < kCutChunks && rows_.size() < kRollupRows) continue;
    more_ = true;  // roll-ups are read from the database, so the next chunks wait until these are there
    break;
  }
  return piece_.cut.empty() || emit(rule.series);
}

void RetentionRun::add(engine::SeriesId series, const Points& points) {
  for (const std::chrono::milliseconds resolution : kResolutions) {
    const std::int64_t width = resolution.count();
    Buckets* buckets = nullptr;
    std::int64_t row_start = 0;
    each_good(points, [&](std::int64_t time, double value) {
      const std::int64_t start = floor_to(time, width * kBucketsPerRow);
      if (buckets == nullptr || start != row_start) {
        buckets = &row(series, width, start);
        row_start = start;
      }
      (*buckets)[floor_to(time, width)].add(value);
    });
  }
}

Buckets& RetentionRun::row(engine::SeriesId series, std::int64_t resolution, std::int64_t start) {
  const auto [at, added] = rows_.try_emplace({resolution, start});
  if (added) at->second = load_buckets(rollup_, codec_, series, resolution, start, database_);
  return at->second;
}

bool RetentionRun::emit(engine::SeriesId series) {
  for (const auto& [key, buckets] : rows_) {
    if (buckets.empty()) continue;
    auto bytes = codec_.encode(buckets, key.first);
    if (!bytes)
      throw DatabaseError(SQLITE_TOOBIG, "roll-up of series " + std::to_string(series) + ": " + bytes.error().message);
    piece_.rollups.push_back({series, key.first, engine::Time(engine::Time::duration(key.second)), std::move(*bytes)});
  }
  return sink_(std::exchange(piece_, {}));
}

}  // namespace fettle::store
