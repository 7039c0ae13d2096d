#pragma once
// Reads chunks of level 1 from the database: which there are of a series, and their columns.
//
// One thread, that of its Database. Throws DatabaseError for SQLite's failures and for a chunk that does not decode.

#include <vector>

#include "gateway/store/sqlite/chunk.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/merge_piece.h"

namespace fettle::store {

struct ChunkEntry {  // a chunk without its columns
  ChunkKey key;
  engine::Time max_time;
  engine::Sequence first_sequence = 0;
  engine::Sequence last_sequence = 0;
  std::uint64_t readings = 0;
};

class ChunkRows {
 public:
  explicit ChunkRows(Database& database);

  // Those that count in `state` and can hold a reading with from <= time < to that a record before `before` stored, in
  // order of their ids.
  std::vector<ChunkEntry> list(const MergeState& state, engine::SeriesId series, engine::Time from, engine::Time to,
                               engine::Sequence before);
  void load(const ChunkEntry& entry, Points& points);
  void load(const ChunkEntry& entry, Origins& origins);

 private:
  [[noreturn]] void damaged(const ChunkEntry& entry, const std::string& how) const;

  Database& database_;
  Statement list_;
  Statement points_;
  Statement origins_;
  ChunkCodec codec_;
};

}  // namespace fettle::store
