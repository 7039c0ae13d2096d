#include "gateway/store/sqlite/chunk_rows.h"

#include <algorithm>
#include <limits>

namespace fettle::store {

ChunkRows::ChunkRows(Database& database)
    : database_(database),
      list_(database,
            "SELECT series, min_time, id, max_time, first_sequence, last_sequence, readings FROM chunk "
            "WHERE series = ?1 AND min_time < ?2 AND max_time >= ?3 AND first_sequence < ?4 AND id <= ?5 "
            "AND NOT EXISTS (SELECT 1 FROM chunk_replaced WHERE chunk_replaced.id = chunk.id AND merge <= ?6)"),
      points_(database, "SELECT points FROM chunk_body WHERE id = ?1"),
      origins_(database, "SELECT origins FROM chunk_body WHERE id = ?1") {}

std::vector<ChunkEntry> ChunkRows::list(const MergeState& state, engine::SeriesId series, engine::Time from,
                                        engine::Time to, engine::Sequence before) {
  std::vector<ChunkEntry> entries;
  constexpr auto kLargest = static_cast<engine::Sequence>(std::numeric_limits<std::int64_t>::max());
  list_.each(
      [&](Row& row) {
        ChunkEntry& entry = entries.emplace_back();
        row.into(entry.key.series, entry.key.min_time, entry.key.id, entry.max_time, entry.first_sequence,
                 entry.last_sequence, entry.readings);
      },
      series, to, from, std::min(before, kLargest), state.last_chunk, state.finished);
  std::sort(entries.begin(), entries.end(),
            [](const ChunkEntry& a, const ChunkEntry& b) { return a.key.id < b.key.id; });
  return entries;
}

void ChunkRows::load(const ChunkEntry& entry, Points& points) {
  bool present = false;
  points_.each(
      [&](Row& row) {
        present = true;
        const auto done = codec_.decode(row.bytes(), entry.readings, points);
        if (!done) damaged(entry, done.error().message);
      },
      entry.key.id);
  if (!present) damaged(entry, "is missing");
}

void ChunkRows::load(const ChunkEntry& entry, Origins& origins) {
  bool present = false;
  origins_.each(
      [&](Row& row) {
        present = true;
        const auto done = codec_.decode(row.bytes(), entry.readings, origins);
        if (!done) damaged(entry, "of origins " + done.error().message);
      },
      entry.key.id);
  if (!present) damaged(entry, "is missing");
}

void ChunkRows::damaged(const ChunkEntry& entry, const std::string& how) const {
  throw DatabaseError(SQLITE_CORRUPT, database_.file().string() + ": chunk " + std::to_string(entry.key.id) +
                                          " of series " + std::to_string(entry.key.series) + " " + how +
                                          ". Keep a copy of the file and restore the newest backup.");
}

}  // namespace fettle::store
