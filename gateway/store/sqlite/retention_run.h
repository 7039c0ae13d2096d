#pragma once
// Cuts chunks that are older than their signal's retention and gives what is left of them: roll-ups. Writes nothing
// itself.
//
// Like a MergeRun: on a read connection, in any thread, pieces to a sink. Each piece counts at once and is whole: the
// chunks that it cuts are in the roll-ups that it brings. A chunk is cut when its newest reading is too old, so some
// older ones stay with it for a while; readings of level 0 are merged first.

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "gateway/store/sqlite/chunk_rows.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/merge_exchange.h"
#include "gateway/store/sqlite/merge_piece.h"
#include "gateway/store/sqlite/merge_run.h"
#include "gateway/store/sqlite/rollup.h"

namespace fettle::store {

class RetentionRun {
 public:
  RetentionRun(Database& database, PieceSink sink);

  // Pre: all pieces of merges before were applied. False where the sink ended it.
  bool run(const std::vector<RetentionRule>& rules, engine::Time now);
  // Whether the run left something for another, once all its pieces are applied.
  bool more() const { return more_; }

 private:
  using RowKey = std::pair<std::int64_t, std::int64_t>;  // resolution, start of the row

  bool cut_series(const RetentionRule& rule, engine::Time before);
  void add(engine::SeriesId series, const Points& points);
  Buckets& row(engine::SeriesId series, std::int64_t resolution, std::int64_t start);
  bool emit(engine::SeriesId series);

  Database& database_;
  PieceSink sink_;
  ChunkRows chunks_;
  Statement rollup_;
  RollupCodec codec_;
  MergeState state_;
  MergePiece piece_;
  bool more_ = false;
  std::map<RowKey, Buckets> rows_;  // of the series at hand, as they are after the chunks that are cut
};

// One row of table rollup; empty where there is none. Throws DatabaseError.
Buckets load_buckets(Statement& select, RollupCodec& codec, engine::SeriesId series, std::int64_t resolution,
                     std::int64_t start, const Database& database);
inline constexpr const char* kSelectBuckets =
    "SELECT buckets FROM rollup WHERE series = ?1 AND resolution = ?2 AND start = ?3";

}  // namespace fettle::store
