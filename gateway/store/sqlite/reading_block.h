#pragma once
// A level-0 block: the readings of one batch with the messages they came in, as columns. Pure; any thread.
//
// Made for the engine's thread: one pass, nothing compressed, since the merge soon writes the readings again. Times,
// sequences and indices are differences and runs, values whole multiples of a power of ten where the series allows it
// without loss. docs/reference/storage-format.md gives the bytes. Writing is BlockEncoder's (block_encoder.h).

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/frame.h"

namespace fettle::store {

inline constexpr char kBlockKind = 'R';

// A message as a block keeps it: its topic is an index into the block's topics.
struct BlockMessage {
  engine::Sequence sequence = 0;
  engine::Sequence arrived = 0;
  engine::Time received;
  std::uint32_t topic = 0;
  std::uint64_t hash = 0;
};

struct ReadingBlock {
  std::vector<std::string> topics;
  std::vector<BlockMessage> messages;
  std::vector<engine::ReadingRow> readings;  // in order of arrival; ReadingRow::message indexes `messages`
};

// What a reader must know of a block without decoding it; columns of its row.
struct BlockSummary {
  engine::Sequence first_sequence = 0;  // of the batch's records
  engine::Sequence last_sequence = 0;
  engine::Time min_time;
  engine::Time max_time;
  std::uint64_t readings = 0;
  std::vector<engine::SeriesId> series;  // sorted, each once
  bool operator==(const BlockSummary&) const = default;
};

// Of a block that was decoded; the batch's records are what the row says. Errors: no readings, a message out of order
// or of another batch.
FormatResult<BlockSummary> summarise(const ReadingBlock& block, engine::Sequence first, engine::Sequence last);

// Bit for bit what was encoded, or why the bytes are no block. Never reads past them, whatever they are.
FormatResult<ReadingBlock> decode_block(Compressor& compressor, std::string_view bytes);

// The summary's series as their column: runs of ids that follow each other.
std::string encode_series(std::span<const engine::SeriesId> series);
FormatResult<std::vector<engine::SeriesId>> decode_series(std::string_view bytes);

}  // namespace fettle::store
