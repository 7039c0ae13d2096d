#pragma once
// What a merge hands to the engine's thread: rows to write, in pieces that are one short transaction each. Values only.
//
// A merge takes whole level-0 blocks, oldest first, and gives chunks and message blocks. Nothing of it counts before
// its last piece is applied: until then readers see level 0 and the chunks that the merge replaces. So a merge may end
// anywhere, by a crash as well, and leaves nothing visible twice or missing.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "gateway/engine/ports.h"

namespace fettle::store {

// Bytes of blobs in one piece; a single row may exceed it (a chunk has at most some 200 KiB).
inline constexpr std::size_t kPieceBytes = 256U << 10U;

struct ChunkKey {
  engine::SeriesId series = 0;
  engine::Time min_time;
  std::uint64_t id = 0;  // ascending in order of being made
};

struct ChunkRow {
  ChunkKey key;
  engine::Time max_time;
  engine::Sequence first_sequence = 0;
  engine::Sequence last_sequence = 0;
  std::uint64_t readings = 0;
  std::string points;
  std::string origins;
};

struct MessageBlockRow {
  engine::Sequence first_sequence = 0;
  engine::Sequence last_sequence = 0;
  std::uint64_t messages = 0;
  std::string block;
};

struct RollupRow {
  engine::SeriesId series = 0;
  std::int64_t resolution = 0;  // milliseconds of a bucket
  engine::Time start;           // of the window that the row holds
  std::string buckets;
};

struct MergePiece {
  std::uint64_t merge = 0;  // its number: that of the merge before and one; 0: retention, which is no merge
  bool begins = false;      // the first of the merge: what one that was given up has left behind goes
  std::vector<MessageBlockRow> messages;
  std::vector<ChunkRow> chunks;
  std::vector<ChunkKey> replaced;
  bool finishes = false;         // the last: from here on the merge counts
  engine::Sequence merged = 0;   // finishes: level 0 is merged up to this sequence
  std::uint64_t last_chunk = 0;  // finishes: chunks count up to this id

  // Retention: chunks that go, and what is left of their readings. Counts at once.
  std::vector<ChunkKey> cut;
  std::vector<RollupRow> rollups;

  std::size_t bytes() const;
  bool empty() const {
    return messages.empty() && chunks.empty() && replaced.empty() && cut.empty() && rollups.empty();
  }
};

// Row of table merge_state.
struct MergeState {
  std::uint64_t finished = 0;    // merges
  engine::Sequence merged = 0;   // level 0 up to here does not count any more
  std::uint64_t last_chunk = 0;  // chunks beyond do not count yet
  bool operator==(const MergeState&) const = default;
};

}  // namespace fettle::store
