#pragma once
// A level-0 block: the readings of one batch with the messages they came in, as columns. Pure; any thread.
//
// Times, sequences and indices are differences, values are whole multiples of a power of ten where the series allows it
// without loss, and the whole is framed and compressed (frame.h). docs/reference/storage-format.md gives the bytes.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/frame.h"

namespace fettle::store {

// A message as a block keeps it: its topic is an index into the block's topics.
struct BlockMessage {
  engine::Sequence sequence = 0;
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
  engine::Sequence first_sequence = 0;
  engine::Sequence last_sequence = 0;
  engine::Time min_time;
  engine::Time max_time;
  std::uint64_t readings = 0;
  std::vector<engine::SeriesId> series;  // sorted, each once
  bool operator==(const BlockSummary&) const = default;
};

// Errors: no readings, a reading that names no message, sequences that do not ascend.
FormatResult<BlockSummary> summarise(std::span<const engine::MessageRow> messages,
                                     std::span<const engine::ReadingRow> readings);
FormatResult<BlockSummary> summarise(const ReadingBlock& block);

// Pre: `summary` is summarise(messages, readings). Error: more than kMaxFrame bytes.
FormatResult<std::string> encode_block(Compressor& compressor, const BlockSummary& summary,
                                       std::span<const engine::MessageRow> messages,
                                       std::span<const engine::ReadingRow> readings);

// Bit for bit what was encoded, or why the bytes are no block. Never reads past them, whatever they are.
FormatResult<ReadingBlock> decode_block(Compressor& compressor, std::string_view bytes);

// The summary's series as their column: differences of ascending ids.
std::string encode_series(std::span<const engine::SeriesId> series);
FormatResult<std::vector<engine::SeriesId>> decode_series(std::string_view bytes);

}  // namespace fettle::store
