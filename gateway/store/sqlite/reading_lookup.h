#pragma once
// Finds stored readings, in level 0 and level 1: what is decoded last is kept. One thread, that of its Database.
//
// Throws DatabaseError for SQLite's failures and for a block or chunk that does not decode; the message names it.
// Memory: about 12 MiB of readings at most, but the newest block stays, whatever its size.

#include <cstddef>
#include <list>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/store/sqlite/block_directory.h"
#include "gateway/store/sqlite/chunk_rows.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/message_rows.h"
#include "gateway/store/sqlite/reading_block.h"

namespace fettle::store {

// A stored reading with the message it came in.
struct FoundReading {
  engine::StoredReading reading;
  engine::MessageRow message;
};

// The decoded things used last, bounded by the readings in them. The one used last stays.
template <typename Key, typename Value>
class DecodedCache {
 public:
  explicit DecodedCache(std::size_t most_readings) : most_readings_(most_readings) {}

  const Value* find(Key key) {
    const auto at = places_.find(key);
    if (at == places_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, at->second);
    return &entries_.front().value;
  }
  const Value* keep(Key key, Value value, std::size_t readings) {
    forget(key);
    entries_.push_front({key, readings, std::move(value)});
    places_[key] = entries_.begin();
    readings_ += readings;
    while (readings_ > most_readings_ && entries_.size() > 1) forget(entries_.back().key);
    return &entries_.front().value;
  }
  void forget(Key key) {
    const auto at = places_.find(key);
    if (at == places_.end()) return;
    readings_ -= at->second->readings;
    entries_.erase(at->second);
    places_.erase(at);
  }
  template <typename Condition>
  void forget_if(Condition&& condition) {
    std::vector<Key> keys;
    for (const Entry& entry : entries_) {
      if (condition(entry.key)) keys.push_back(entry.key);
    }
    for (const Key key : keys) forget(key);
  }

 private:
  struct Entry {
    Key key;
    std::size_t readings;
    Value value;
  };
  std::size_t most_readings_;
  std::size_t readings_ = 0;
  std::list<Entry> entries_;  // most recently used first
  std::unordered_map<Key, typename std::list<Entry>::iterator> places_;
};

class ReadingLookup {
 public:
  explicit ReadingLookup(Database& database);

  // Takes in what was written and merged since the last time. Within the caller's snapshot, if it has one.
  void refresh();
  // The block was written by this process and is committed.
  void append(const BlockSummary& block) { directory_.append(block); }
  // The newest block was written again by this process and is committed.
  void replace_last(const BlockSummary& block);
  // A merge was finished by this process.
  void merged(const MergeState& state);
  void forget_chunks(std::span<const ChunkKey> cut);
  const BlockDirectory& directory() const { return directory_; }
  const MergeState& state() const { return state_; }

  // from <= time < to, stored by records before `before`, ordered by (time, sequence), then arrival.
  std::vector<engine::StoredReading> find(engine::SeriesId series, engine::Time from, engine::Time to,
                                          engine::Sequence before);
  std::vector<FoundReading> find_with_messages(engine::SeriesId series, engine::Time from, engine::Time to);

  // Calls f(Points&) for the readings of level 0 and then for each chunk of the series that touch from <= time < to,
  // each sorted by time; what lies outside may be among them. Nothing is kept.
  template <typename F>
  void each_points(engine::SeriesId series, engine::Time from, engine::Time to, F&& f) {
    Points points = level0_points(series, from, to);
    if (points.size() > 0) f(points);
    for (const ChunkEntry& entry : chunks(series, from, to)) {
      chunk_rows_.load(entry, points);
      f(points);
    }
  }
  // Chunks that can hold such readings.
  std::vector<ChunkEntry> chunks(engine::SeriesId series, engine::Time from, engine::Time to);

 private:
  static constexpr std::size_t kCachedOfLevel0 = 256U << 10U;  // readings of some 32 bytes
  static constexpr std::size_t kCachedOfChunks = 64U << 10U;   // readings of some 33 bytes

  struct DecodedChunk {
    Points points;
    Origins origins;
  };

  // Those readings of a block (sorted by series and time) that match.
  static std::span<const engine::ReadingRow> matches(const ReadingBlock& block, engine::SeriesId series,
                                                     engine::Time from, engine::Time to);
  // Places of those readings of a chunk that match: first, one past the last.
  static std::pair<std::size_t, std::size_t> matches(const Points& points, engine::Time from, engine::Time to);
  // Null where the block does not hold the series and so was not decoded. Valid until the next call.
  const ReadingBlock* decoded(engine::Sequence first_sequence, engine::SeriesId series);
  const DecodedChunk& decoded(const ChunkEntry& entry);
  void find_in_level0(engine::SeriesId series, engine::Time from, engine::Time to, engine::Sequence before,
                      std::vector<engine::StoredReading>& found);
  Points level0_points(engine::SeriesId series, engine::Time from, engine::Time to);

  Database& database_;
  Statement summaries_;
  Statement block_;
  MessageRows messages_;
  ChunkRows chunk_rows_;
  Compressor compressor_;
  MergeState state_;
  BlockDirectory directory_;
  DecodedCache<engine::Sequence, ReadingBlock> blocks_{kCachedOfLevel0};
  DecodedCache<std::uint64_t, DecodedChunk> decoded_chunks_{kCachedOfChunks};
};

}  // namespace fettle::store
