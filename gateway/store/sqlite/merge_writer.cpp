#include "gateway/store/sqlite/merge_writer.h"

namespace fettle::store {
namespace {

// Rows that one call of collect() looks at; their blobs are bounded by kPieceBytes.
constexpr int kCollectRows = 256;

}  // namespace

std::size_t MergePiece::bytes() const {
  std::size_t sum = 0;
  for (const MessageBlockRow& row : messages) sum += row.block.size();
  for (const ChunkRow& row : chunks) sum += row.points.size() + row.origins.size();
  for (const RollupRow& row : rollups) sum += row.buckets.size();
  // A key's row takes some 30 bytes in each of two tables; removing a chunk touches the pages of its body.
  constexpr std::size_t kKeyBytes = 64;
  return sum + kKeyBytes * (chunks.size() + replaced.size() + cut.size());
}

MergeState load_merge_state(Database& database) {
  MergeState state;
  Statement(database, "SELECT finished, merged, last_chunk FROM merge_state").each([&](Row& row) {
    row.into(state.finished, state.merged, state.last_chunk);
  });
  return state;
}

MergeWriter::MergeWriter(Database& database)
    : database_(database),
      message_block_(database,
                     "INSERT INTO message_block (first_sequence, last_sequence, messages, block) VALUES (?1, ?2, ?3, "
                     "?4)"),
      chunk_(database,
             "INSERT INTO chunk (series, min_time, id, max_time, first_sequence, last_sequence, readings) VALUES (?1, "
             "?2, ?3, ?4, ?5, ?6, ?7)"),
      body_(database, "INSERT INTO chunk_body (id, series, min_time, points, origins) VALUES (?1, ?2, ?3, ?4, ?5)"),
      replaced_(database, "INSERT INTO chunk_replaced (id, series, min_time, merge) VALUES (?1, ?2, ?3, ?4)"),
      finish_(database, "UPDATE merge_state SET finished = ?1, merged = ?2, last_chunk = ?3"),
      rollup_(database, "INSERT OR REPLACE INTO rollup (series, resolution, start, buckets) VALUES (?1, ?2, ?3, ?4)"),
      remove_chunk_(database, "DELETE FROM chunk WHERE series = ?1 AND min_time = ?2 AND id = ?3"),
      remove_body_(database, "DELETE FROM chunk_body WHERE id = ?1"),
      merged_blocks_(database,
                     "SELECT first_sequence, length(block) FROM reading_block WHERE last_sequence <= (SELECT merged "
                     "FROM merge_state) AND first_sequence <= (SELECT merged FROM merge_state) "
                     "ORDER BY first_sequence LIMIT ?1"),
      remove_block_(database, "DELETE FROM reading_block WHERE first_sequence = ?1"),
      garbage_(database,
               "SELECT id, series, min_time FROM chunk_replaced WHERE merge <= (SELECT finished FROM merge_state) "
               "ORDER BY id LIMIT ?1"),
      forget_replaced_(database, "DELETE FROM chunk_replaced WHERE id = ?1") {}

void MergeWriter::apply(const MergePiece& piece) {
  Transaction transaction(database_, Transaction::Kind::write);
  if (piece.begins) remove_unfinished();
  write(piece);
  if (piece.finishes) finish_.run(piece.merge, piece.merged, piece.last_chunk);
  transaction.commit();
}

void MergeWriter::write(const MergePiece& piece) {
  for (const MessageBlockRow& row : piece.messages) {
    message_block_.run(row.first_sequence, row.last_sequence, row.messages, Blob{row.block});
  }
  for (const ChunkRow& row : piece.chunks) {
    chunk_.run(row.key.series, row.key.min_time, row.key.id, row.max_time, row.first_sequence, row.last_sequence,
               row.readings);
    body_.run(row.key.id, row.key.series, row.key.min_time, Blob{row.points}, Blob{row.origins});
  }
  for (const ChunkKey& key : piece.replaced) replaced_.run(key.id, key.series, key.min_time, piece.merge);
  for (const RollupRow& row : piece.rollups) rollup_.run(row.series, row.resolution, row.start, Blob{row.buckets});
  for (const ChunkKey& key : piece.cut) remove(key);
}

void MergeWriter::remove(const ChunkKey& key) {
  remove_chunk_.run(key.series, key.min_time, key.id);
  remove_body_.run(key.id);
}

bool MergeWriter::collect() {
  std::vector<engine::Sequence> blocks;
  std::size_t bytes = 0;
  merged_blocks_.each(
      [&](Row& row) {
        engine::Sequence first = 0;
        std::size_t size = 0;
        row.into(first, size);
        if (!blocks.empty() && bytes + size > kPieceBytes) return;
        bytes += size;
        blocks.push_back(first);
      },
      kCollectRows);
  std::vector<ChunkKey> chunks;
  if (blocks.empty()) {
    garbage_.each(
        [&](Row& row) {
          ChunkKey& key = chunks.emplace_back();
          row.into(key.id, key.series, key.min_time);
        },
        kCollectRows / 8);  // a chunk that is replaced is a small one, mostly
  }
  if (blocks.empty() && chunks.empty()) return false;
  Transaction transaction(database_, Transaction::Kind::write);
  for (const engine::Sequence first : blocks) remove_block_.run(first);
  for (const ChunkKey& key : chunks) {
    remove(key);
    forget_replaced_.run(key.id);
  }
  transaction.commit();
  return true;
}

void MergeWriter::forget_unfinished() {
  Transaction transaction(database_, Transaction::Kind::write);
  remove_unfinished();
  transaction.commit();
}

// Nearly always there is nothing: each of these looks at one end of an index.
void MergeWriter::remove_unfinished() {
  const MergeState state = load_merge_state(database_);
  std::vector<ChunkKey> chunks;
  Statement(database_, "SELECT id, series, min_time FROM chunk_body WHERE id > ?1")
      .each(
          [&](Row& row) {
            ChunkKey& key = chunks.emplace_back();
            row.into(key.id, key.series, key.min_time);
          },
          state.last_chunk);
  for (const ChunkKey& key : chunks) remove(key);
  Statement(database_, "DELETE FROM message_block WHERE first_sequence > ?1").run(state.merged);
  Statement(database_, "DELETE FROM chunk_replaced WHERE merge > ?1").run(state.finished);
}

}  // namespace fettle::store
