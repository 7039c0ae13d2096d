#include "gateway/store/sqlite/reading_lookup.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "gateway/store/sqlite/merge_writer.h"

namespace fettle::store {
namespace {

using engine::Sequence;

constexpr Sequence kNoBound = std::numeric_limits<Sequence>::max();

[[noreturn]] void damaged(const Database& database, const std::string& what, const std::string& how) {
  throw DatabaseError(SQLITE_CORRUPT, database.file().string() + ": " + what + " " + how +
                                          ". Keep a copy of the file and restore the newest backup.");
}
std::string name_of(Sequence block) {
  return "reading block " + std::to_string(block);
}

bool by_series_and_time(const engine::ReadingRow& a, const engine::ReadingRow& b) {
  return std::tie(a.series, a.time) < std::tie(b.series, b.time);
}

void sort(std::vector<engine::StoredReading>& readings) {
  std::stable_sort(readings.begin(), readings.end(), [](const auto& a, const auto& b) {
    return std::tie(a.time, a.sequence) < std::tie(b.time, b.sequence);
  });
}

engine::StoredReading stored(const Points& points, const Origins& origins, std::size_t i) {
  return {engine::Time(engine::Time::duration(points.times[i])), points.values[i], points.flags[i],
          static_cast<Sequence>(origins.sequences[i])};
}

}  // namespace

ReadingLookup::ReadingLookup(Database& database)
    : database_(database),
      summaries_(database,
                 "SELECT first_sequence, last_sequence, min_time, max_time, readings, series FROM reading_block "
                 "WHERE first_sequence > ?1 ORDER BY first_sequence"),
      block_(database, "SELECT series, block FROM reading_block WHERE first_sequence = ?1"),
      messages_(database),
      chunk_rows_(database) {
  refresh();
}

void ReadingLookup::refresh() {
  const MergeState state = load_merge_state(database_);
  if (state != state_) merged(state);
  summaries_.each(
      [&](Row& row) {
        BlockSummary summary;
        row.into(summary.first_sequence, summary.last_sequence, summary.min_time, summary.max_time, summary.readings);
        auto series = decode_series(row.bytes());
        if (!series) damaged(database_, name_of(summary.first_sequence), series.error().message);
        summary.series = std::move(*series);
        directory_.append(summary);
      },
      std::max(directory_.last_sequence(), state_.merged));
}

void ReadingLookup::replace_last(const BlockSummary& block) {
  blocks_.forget(block.first_sequence);
  directory_.replace_last(block);
}

void ReadingLookup::merged(const MergeState& state) {
  state_ = state;
  directory_.drop(state.merged);
  blocks_.forget_if([&](Sequence first) { return first <= state.merged; });
}

void ReadingLookup::forget_chunks(std::span<const ChunkKey> cut) {
  for (const ChunkKey& key : cut) decoded_chunks_.forget(key.id);
}

// ---- finding
// ---------------------------------------------------------------------------------------------------------

// A record's readings are all of one level, so that sorting keeps their order of arrival.
std::vector<engine::StoredReading> ReadingLookup::find(engine::SeriesId series, engine::Time from, engine::Time to,
                                                       Sequence before) {
  std::vector<engine::StoredReading> found;
  for (const ChunkEntry& entry : chunk_rows_.list(state_, series, from, to, before)) {
    const DecodedChunk& chunk = decoded(entry);
    const auto [begin, end] = matches(chunk.points, from, to);
    for (std::size_t i = begin; i < end; ++i) {
      if (static_cast<Sequence>(chunk.origins.sequences[i]) < before) {
        found.push_back(stored(chunk.points, chunk.origins, i));
      }
    }
  }
  find_in_level0(series, from, to, before, found);
  sort(found);
  return found;
}

void ReadingLookup::find_in_level0(engine::SeriesId series, engine::Time from, engine::Time to, Sequence before,
                                   std::vector<engine::StoredReading>& found) {
  for (const Sequence first : directory_.candidates(series, from, to, before)) {
    const ReadingBlock* block = decoded(first, series);
    if (block == nullptr) continue;
    for (const engine::ReadingRow& row : matches(*block, series, from, to)) {
      const Sequence sequence = block->messages[row.message].sequence;
      if (sequence < before) found.push_back({row.time, row.value, row.flags, sequence});
    }
  }
}

std::vector<FoundReading> ReadingLookup::find_with_messages(engine::SeriesId series, engine::Time from,
                                                            engine::Time to) {
  std::vector<FoundReading> found;
  for (const ChunkEntry& entry : chunks(series, from, to)) {
    const DecodedChunk& chunk = decoded(entry);
    const auto [begin, end] = matches(chunk.points, from, to);
    for (std::size_t i = begin; i < end; ++i) {
      const engine::StoredReading reading = stored(chunk.points, chunk.origins, i);
      found.push_back(
          {reading, messages_.find(reading.sequence, static_cast<std::uint64_t>(chunk.origins.ordinals[i]))});
    }
  }
  for (const Sequence first : directory_.candidates(series, from, to, kNoBound)) {
    const ReadingBlock* block = decoded(first, series);
    if (block == nullptr) continue;
    for (const engine::ReadingRow& row : matches(*block, series, from, to)) {
      const BlockMessage& message = block->messages[row.message];
      found.push_back(
          {{row.time, row.value, row.flags, message.sequence},
           {message.sequence, message.arrived, message.received, block->topics[message.topic], message.hash}});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.reading.time, a.reading.sequence) < std::tie(b.reading.time, b.reading.sequence);
  });
  return found;
}

std::vector<ChunkEntry> ReadingLookup::chunks(engine::SeriesId series, engine::Time from, engine::Time to) {
  return chunk_rows_.list(state_, series, from, to, kNoBound);
}

Points ReadingLookup::level0_points(engine::SeriesId series, engine::Time from, engine::Time to) {
  std::vector<engine::StoredReading> found;
  find_in_level0(series, from, to, kNoBound, found);
  sort(found);
  Points points;
  for (const engine::StoredReading& reading : found) {
    points.times.push_back(reading.time.time_since_epoch().count());
    points.values.push_back(reading.value);
    points.flags.push_back(reading.flags);
  }
  return points;
}

std::span<const engine::ReadingRow> ReadingLookup::matches(const ReadingBlock& block, engine::SeriesId series,
                                                           engine::Time from, engine::Time to) {
  const auto& rows = block.readings;
  const auto begin = std::lower_bound(rows.begin(), rows.end(), engine::ReadingRow{series, from}, by_series_and_time);
  auto end = begin;
  while (end != rows.end() && end->series == series && end->time < to) ++end;
  return {begin, end};
}

std::pair<std::size_t, std::size_t> ReadingLookup::matches(const Points& points, engine::Time from, engine::Time to) {
  const auto& times = points.times;
  const auto place = [&](engine::Time time) {
    return static_cast<std::size_t>(std::lower_bound(times.begin(), times.end(), time.time_since_epoch().count()) -
                                    times.begin());
  };
  return {place(from), place(to)};
}

// ---- decoding
// --------------------------------------------------------------------------------------------------------

const ReadingBlock* ReadingLookup::decoded(Sequence first_sequence, engine::SeriesId series) {
  if (const ReadingBlock* block = blocks_.find(first_sequence)) return block;
  const ReadingBlock* result = nullptr;
  bool present = false;
  block_.each(
      [&](Row& row) {
        present = true;
        const auto ids = decode_series(row.bytes());
        if (!ids) damaged(database_, name_of(first_sequence), ids.error().message);
        if (!std::binary_search(ids->begin(), ids->end(), series)) return;
        auto block = decode_block(compressor_, row.bytes());
        if (!block) damaged(database_, name_of(first_sequence), block.error().message);
        std::stable_sort(block->readings.begin(), block->readings.end(), by_series_and_time);
        const std::size_t readings = block->readings.size();
        result = blocks_.keep(first_sequence, std::move(*block), readings);
      },
      first_sequence);
  if (!present) damaged(database_, name_of(first_sequence), "is missing");
  return result;
}

const ReadingLookup::DecodedChunk& ReadingLookup::decoded(const ChunkEntry& entry) {
  if (const DecodedChunk* chunk = decoded_chunks_.find(entry.key.id)) return *chunk;
  DecodedChunk chunk;
  chunk_rows_.load(entry, chunk.points);
  chunk_rows_.load(entry, chunk.origins);
  return *decoded_chunks_.keep(entry.key.id, std::move(chunk), entry.readings);
}

}  // namespace fettle::store
