#include "gateway/store/sqlite/reading_lookup.h"

#include <algorithm>
#include <limits>
#include <tuple>

namespace fettle::store {
namespace {

[[noreturn]] void damaged(const Database& database, engine::Sequence block, const std::string& how) {
  throw DatabaseError(SQLITE_CORRUPT, database.file().string() + ": reading block " + std::to_string(block) + " " +
                                          how + ". Keep a copy of the file and restore the newest backup.");
}

bool by_series_and_time(const engine::ReadingRow& a, const engine::ReadingRow& b) {
  return std::tie(a.series, a.time) < std::tie(b.series, b.time);
}

}  // namespace

ReadingLookup::ReadingLookup(Database& database)
    : database_(database),
      summaries_(database,
                 "SELECT first_sequence, last_sequence, min_time, max_time, series FROM reading_block "
                 "WHERE first_sequence > ?1 ORDER BY first_sequence"),
      block_(database, "SELECT series, block FROM reading_block WHERE first_sequence = ?1") {
  refresh();
}

void ReadingLookup::refresh() {
  summaries_.each(
      [&](Row& row) {
        BlockSummary summary;
        row.into(summary.first_sequence, summary.last_sequence, summary.min_time, summary.max_time);
        auto series = decode_series(row.bytes());
        if (!series) damaged(database_, summary.first_sequence, series.error().message);
        summary.series = std::move(*series);
        directory_.append(summary);
      },
      directory_.last_sequence());
}

void ReadingLookup::forget(engine::Sequence first_sequence) {
  const auto at = cached_.find(first_sequence);
  if (at == cached_.end()) return;
  cached_readings_ -= at->second->block.readings.size();
  cache_.erase(at->second);
  cached_.erase(at);
}

std::vector<engine::StoredReading> ReadingLookup::find(engine::SeriesId series, engine::Time from, engine::Time to,
                                                       engine::Sequence before) {
  std::vector<engine::StoredReading> found;
  for (const engine::Sequence first : directory_.candidates(series, from, to, before)) {
    const Decoded* decoded = this->decoded(first, series);
    if (decoded == nullptr) continue;
    for (const engine::ReadingRow& row : matches(*decoded, series, from, to)) {
      const engine::Sequence sequence = decoded->block.messages[row.message].sequence;
      if (sequence < before) found.push_back({row.time, row.value, row.flags, sequence});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.time, a.sequence) < std::tie(b.time, b.sequence);
  });
  return found;
}

std::vector<FoundReading> ReadingLookup::find_with_messages(engine::SeriesId series, engine::Time from,
                                                            engine::Time to) {
  std::vector<FoundReading> found;
  for (const engine::Sequence first :
       directory_.candidates(series, from, to, std::numeric_limits<engine::Sequence>::max())) {
    const Decoded* decoded = this->decoded(first, series);
    if (decoded == nullptr) continue;
    for (const engine::ReadingRow& row : matches(*decoded, series, from, to)) {
      const BlockMessage& message = decoded->block.messages[row.message];
      found.push_back({{row.time, row.value, row.flags, message.sequence},
                       {message.sequence, message.received, decoded->block.topics[message.topic], message.hash}});
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
    return std::tie(a.reading.time, a.reading.sequence) < std::tie(b.reading.time, b.reading.sequence);
  });
  return found;
}

std::span<const engine::ReadingRow> ReadingLookup::matches(const Decoded& decoded, engine::SeriesId series,
                                                           engine::Time from, engine::Time to) const {
  const auto& rows = decoded.block.readings;
  const auto begin = std::lower_bound(rows.begin(), rows.end(), engine::ReadingRow{series, from}, by_series_and_time);
  auto end = begin;
  while (end != rows.end() && end->series == series && end->time < to) ++end;
  return {begin, end};
}

const ReadingLookup::Decoded* ReadingLookup::decoded(engine::Sequence first_sequence, engine::SeriesId series) {
  if (const auto at = cached_.find(first_sequence); at != cached_.end()) {
    cache_.splice(cache_.begin(), cache_, at->second);
    return &cache_.front();
  }
  const Decoded* result = nullptr;
  bool present = false;
  block_.each(
      [&](Row& row) {
        present = true;
        const auto ids = decode_series(row.bytes());
        if (!ids) damaged(database_, first_sequence, ids.error().message);
        if (!std::binary_search(ids->begin(), ids->end(), series)) return;
        auto block = decode_block(compressor_, row.bytes());
        if (!block) damaged(database_, first_sequence, block.error().message);
        std::stable_sort(block->readings.begin(), block->readings.end(), by_series_and_time);
        result = keep({first_sequence, std::move(*block)});
      },
      first_sequence);
  if (!present) damaged(database_, first_sequence, "is missing");
  return result;
}

const ReadingLookup::Decoded* ReadingLookup::keep(Decoded decoded) {
  cached_readings_ += decoded.block.readings.size();
  const engine::Sequence first_sequence = decoded.first_sequence;
  cache_.push_front(std::move(decoded));
  cached_[first_sequence] = cache_.begin();
  while (cached_readings_ > kCachedReadings && cache_.size() > 1) forget(cache_.back().first_sequence);
  return &cache_.front();
}

}  // namespace fettle::store
