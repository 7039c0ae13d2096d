#pragma once
// Finds stored readings: the directory of blocks and the blocks decoded last. One thread, that of its Database.
//
// Throws DatabaseError for SQLite's failures and for a block that does not decode; the message names the block.

#include <cstddef>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "gateway/store/sqlite/block_directory.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/reading_block.h"

namespace fettle::store {

// A stored reading with the message it came in.
struct FoundReading {
  engine::StoredReading reading;
  engine::MessageRow message;
};

class ReadingLookup {
 public:
  explicit ReadingLookup(Database& database);

  // Takes in the blocks that were written since the last time. Blocks are only ever appended.
  void refresh();
  // The block was written by this process and is committed.
  void append(const BlockSummary& block) { directory_.append(block); }
  // The block was written again: what was decoded of it is forgotten.
  void forget(engine::Sequence first_sequence);
  const BlockDirectory& directory() const { return directory_; }

  // from <= time < to, messages before `before`, ordered by (time, sequence), then arrival.
  std::vector<engine::StoredReading> find(engine::SeriesId series, engine::Time from, engine::Time to,
                                          engine::Sequence before);
  std::vector<FoundReading> find_with_messages(engine::SeriesId series, engine::Time from, engine::Time to);

 private:
  // About 32 MiB of readings; the newest block stays, whatever its size.
  static constexpr std::size_t kCachedReadings = 1U << 20U;

  struct Decoded {
    engine::Sequence first_sequence = 0;
    ReadingBlock block;  // its readings sorted by (series, time), arrival decides between equals
  };

  // Those readings of a block that match; empty where it does not hold the series.
  std::span<const engine::ReadingRow> matches(const Decoded& decoded, engine::SeriesId series, engine::Time from,
                                              engine::Time to) const;
  // Null where the block does not hold the series and so was not decoded. Valid until the next call.
  const Decoded* decoded(engine::Sequence first_sequence, engine::SeriesId series);
  const Decoded* keep(Decoded decoded);

  Database& database_;
  Statement summaries_;
  Statement block_;
  Compressor compressor_;
  BlockDirectory directory_;
  std::list<Decoded> cache_;  // most recently used first
  std::unordered_map<engine::Sequence, std::list<Decoded>::iterator> cached_;
  std::size_t cached_readings_ = 0;
};

}  // namespace fettle::store
