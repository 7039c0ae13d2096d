#pragma once
// A level-1 chunk: readings of one series as columns, made by the merge. Pure.
//
// Two frames: `points` holds times, values and flags, which is all that a plot or a rule needs; `origins` says of each
// reading which message it came in. Every double comes back bit for bit, in any order of times, with any duplicates.
// docs/reference/storage-format.md gives the bytes.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/frame.h"
#include "gateway/store/sqlite/int_column.h"
#include "gateway/store/sqlite/value_column.h"

namespace fettle::store {

inline constexpr char kPointsKind = 'P';
inline constexpr char kOriginsKind = 'O';

// Of one chunk. Longer ones are no shorter per reading, and a question for one reading decodes a whole one.
inline constexpr std::size_t kChunkReadings = 8'192;

// Readings of one series, as columns of equal length. What a decoder fills keeps its memory from chunk to chunk.
struct Points {
  std::vector<std::int64_t> times;  // milliseconds since 1970
  std::vector<double> values;
  std::vector<std::uint8_t> flags;

  std::size_t size() const { return times.size(); }
  void clear();
  bool operator==(const Points&) const = default;
};

// The message that each came in: the record that stored it, and which of the messages that this record stored, from 0.
struct Origins {
  std::vector<std::int64_t> sequences;
  std::vector<std::int64_t> ordinals;

  void clear();
  bool operator==(const Origins&) const = default;
};

// Adds all of `more` at the end.
void append(const Points& more, Points& points);
void append(const Origins& more, Origins& origins);
// Replaces `part` by the readings at begin <= place < end.
void slice(const Points& points, std::size_t begin, std::size_t end, Points& part);
void slice(const Origins& origins, std::size_t begin, std::size_t end, Origins& part);
// By (time, sequence); what is equal stays in its order.
void sort_readings(Points& points, Origins& origins);

// One thread. Its scratch memory grows to some 64 bytes per reading of the largest chunk.
class ChunkCodec {
 public:
  // Pre: columns of equal length, not empty, at most kMaxChunkReadings.
  FormatResult<std::string> encode(const Points& points);
  FormatResult<std::string> encode(const Origins& origins);
  // Replaces what is there. Never reads beyond the bytes; `readings`, from the chunk's row, must be what they hold.
  FormatResult<void> decode(std::string_view bytes, std::uint64_t readings, Points& points);
  FormatResult<void> decode(std::string_view bytes, std::uint64_t readings, Origins& origins);

  static constexpr std::uint64_t kMaxChunkReadings = 1U << 20U;

 private:
  Compressor compressor_;
  IntColumns columns_;
  ValueColumns values_{columns_};
};

}  // namespace fettle::store
