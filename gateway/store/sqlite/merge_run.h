#pragma once
// One merge: reads level 0, oldest blocks first, and gives it as chunks and message blocks. Writes nothing itself.
//
// Runs on a read connection of its own, in any thread; the pieces go to a sink in order, and the engine's thread
// applies them (merge_writer.h). Each statement sees its own state of the store and holds it no longer: what is merged
// does not change meanwhile. Any committed block may be merged, whatever a replay still asks for: readings keep the
// sequence of the record that stored them.
//
// Memory: about 40 bytes for each of MergeLimits::pass_readings, the largest level-0 block, and 8 bytes per series.
// Level 0 is decoded once for every pass_readings that it holds, and once to count.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "gateway/store/sqlite/chunk_rows.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/merge_piece.h"
#include "gateway/store/sqlite/message_block.h"
#include "gateway/store/sqlite/reading_block.h"

namespace fettle::store {

struct MergeLimits {
  std::uint64_t merge_readings = 4U << 20U;  // of level 0 in one merge, and a block more
  std::size_t pass_readings = 256U << 10U;   // held in memory at once
  std::size_t chunk_readings = kChunkReadings;
  std::size_t message_block = 8'192;  // messages
  std::size_t piece_bytes = kPieceBytes;
  std::size_t piece_chunks = 512;  // short ones have few bytes, but two rows each
  // Chunks of a series that are shorter than a full one are put together once so many are of about the same length;
  // longer ones once more than so many overlap what is merged.
  std::size_t alike = 4;
  std::uint64_t rewritten = 64U << 10U;  // readings of older chunks that one series' merge takes in, at most
};

// False: the merge is to end, nobody applies what it gives.
using PieceSink = std::function<bool(MergePiece)>;

class MergeRun {
 public:
  MergeRun(Database& database, const MergeLimits& limits, PieceSink sink);

  // Pre: all pieces of merges before were applied. False where there was nothing to merge or the sink ended it.
  bool run();

 private:
  struct Block {
    engine::Sequence first_sequence = 0;
    engine::Sequence last_sequence = 0;
  };
  // Which readings a pass is about: series first..last. A series that is too long for one pass has passes of its own,
  // each going on at a sequence.
  struct Pass {
    engine::SeriesId first = 0;
    engine::SeriesId last = 0;
    engine::Sequence from = 0;
  };
  struct Gathered {  // of one pass, in order of arrival
    std::vector<engine::SeriesId> series;
    Points points;
    Origins origins;
    engine::Sequence next = 0;  // where the series goes on in another pass; 0: it does not
    void clear();
    void reserve(std::size_t readings);
  };

  // A series of several passes takes older chunks in with the first of them only.
  enum class Older : std::uint8_t { may_be_absorbed, stay };

  bool plan();
  bool count();
  bool count_block(const Block& block);
  bool keep_messages(const ReadingBlock& block);
  bool flush_messages();
  std::vector<Pass> passes() const;
  bool run_pass(Pass pass);
  void gather(const Pass& pass);
  bool gather_block(const Block& block, const Pass& pass);
  bool merge_series(engine::SeriesId series, std::vector<std::uint32_t>::const_iterator begin,
                    std::vector<std::uint32_t>::const_iterator end, Older older);
  std::vector<ChunkEntry> absorbed(engine::SeriesId series, engine::Time from, engine::Time to, std::size_t readings);
  bool write_chunks(engine::SeriesId series);
  bool emit_if_full(std::size_t more);
  bool emit();
  ReadingBlock load(const Block& block, const Pass* pass);

  Database& database_;
  MergeLimits limits_;
  PieceSink sink_;
  Statement blocks_;
  Statement block_;
  ChunkRows rows_;
  ChunkCodec codec_;
  MessageCodec message_codec_;
  Compressor compressor_;

  MergeState state_;
  std::vector<Block> plan_;
  std::vector<std::uint32_t> counts_;  // readings, by series
  MergePiece piece_;
  std::size_t piece_bytes_ = 0;
  std::uint64_t next_chunk_ = 0;
  MessageBlock messages_;
  std::map<std::string, std::uint32_t> topics_;
  std::size_t message_bytes_ = 0;
  Gathered gathered_;
  Points points_;  // of the series at hand, sorted
  Origins origins_;
};

// A reading's place among the messages of its record, for each message of a block in order.
std::vector<std::uint32_t> ordinals_of(const std::vector<BlockMessage>& messages);

}  // namespace fettle::store
