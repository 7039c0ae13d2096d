#include "gateway/store/sqlite/verify_readings.h"

#include <algorithm>
#include <set>

#include "gateway/store/sqlite/chunk_rows.h"
#include "gateway/store/sqlite/merge_writer.h"
#include "gateway/store/sqlite/message_rows.h"
#include "gateway/store/sqlite/queries.h"
#include "gateway/store/sqlite/reading_block.h"
#include "gateway/store/sqlite/rollup.h"

namespace fettle::store {
namespace {

std::set<engine::SeriesId> known_series(Database& database, Findings& findings) {
  std::set<engine::SeriesId> known;
  for (const engine::SeriesRow& series : load_series(database)) {
    if (series.id != known.size())
      findings.add("series " + std::to_string(series.id) + " does not follow the one before");
    known.insert(series.id);
  }
  return known;
}

// ---- level 0
// ----------------------------------------------------------------------------------------------------------

void check_block(Row& row, Compressor& compressor, engine::Sequence& last, const std::set<engine::SeriesId>& known,
                 Findings& findings) {
  BlockSummary kept;
  row.into(kept.first_sequence, kept.last_sequence, kept.min_time, kept.max_time, kept.readings);
  const std::string name = "reading block " + number(kept.first_sequence);
  if (kept.first_sequence <= last) findings.add(name + " overlaps the one before, which ends at " + number(last));
  last = std::max(last, kept.last_sequence);
  const auto series = decode_series(row.bytes());
  if (!series) {
    findings.add(name + " " + series.error().message);
    return;
  }
  kept.series = *series;
  for (const engine::SeriesId id : kept.series) {
    if (!known.contains(id))
      findings.add(name + " has readings of series " + std::to_string(id) + ", which is not known");
  }
  const auto block = decode_block(compressor, row.bytes());
  if (!block) {
    findings.add(name + " " + block.error().message);
    return;
  }
  const auto found = summarise(*block, kept.first_sequence, kept.last_sequence);
  if (!found) {
    findings.add(name + ": " + found.error().message);
  } else if (*found != kept) {
    findings.add(name + " holds " + number(found->readings) + " readings of messages " + number(found->first_sequence) +
                 " to " + number(found->last_sequence) + ", which is not what its row says (" + number(kept.readings) +
                 " readings up to " + number(kept.last_sequence) + ", or its times or series)");
  }
}

void check_blocks(Database& database, const std::set<engine::SeriesId>& known, const MergeState& state,
                  Findings& findings) {
  Compressor compressor;
  engine::Sequence last = 0;
  Statement(database,
            "SELECT first_sequence, last_sequence, min_time, max_time, readings, series, block FROM reading_block "
            "WHERE first_sequence > ?1 ORDER BY first_sequence")
      .each([&](Row& row) { check_block(row, compressor, last, known, findings); }, state.merged);
  const engine::Sequence committed = load_committed(database);
  last = std::max(last, state.merged);
  if (last > committed) {
    findings.add("readings reach to message " + number(last) + ", beyond the committed " + number(committed));
  }
}

// ---- level 1
// ----------------------------------------------------------------------------------------------------------

class ChunkCheck {
 public:
  ChunkCheck(Database& database, const MergeState& state, Findings& findings)
      : findings_(findings), state_(state), rows_(database), messages_(database) {}

  void check(const ChunkEntry& entry) {
    const std::string name = "chunk " + number(entry.key.id) + " of series " + std::to_string(entry.key.series);
    try {
      rows_.load(entry, points_);
      rows_.load(entry, origins_);
    } catch (const DatabaseError& error) {
      findings_.add(error.what());
      return;
    }
    check_row(entry, name);
    check_messages(name);
  }

 private:
  void check_row(const ChunkEntry& entry, const std::string& name) {
    const auto [first, last] = std::minmax_element(origins_.sequences.begin(), origins_.sequences.end());
    const bool agrees = points_.times.front() == entry.key.min_time.time_since_epoch().count() &&
                        points_.times.back() == entry.max_time.time_since_epoch().count() &&
                        static_cast<engine::Sequence>(*first) == entry.first_sequence &&
                        static_cast<engine::Sequence>(*last) == entry.last_sequence;
    if (!agrees) findings_.add(name + " holds other times or sequences than its row says");
    for (std::size_t i = 1; i < points_.size(); ++i) {
      if (std::pair(points_.times[i], origins_.sequences[i]) >=
          std::pair(points_.times[i - 1], origins_.sequences[i - 1])) {
        continue;
      }
      findings_.add(name + " is not sorted");
      break;
    }
    if (entry.last_sequence > state_.merged) {
      findings_.add(name + " reaches to message " + number(entry.last_sequence) + ", merged is " +
                    number(state_.merged));
    }
  }

  // In order of the messages, so that each block of them is read once a chunk.
  void check_messages(const std::string& name) {
    std::vector<std::pair<std::int64_t, std::int64_t>> wanted;
    for (std::size_t i = 0; i < origins_.sequences.size(); ++i) {
      wanted.emplace_back(origins_.sequences[i], origins_.ordinals[i]);
    }
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    try {
      for (const auto& [sequence, ordinal] : wanted) {
        (void)messages_.find(static_cast<engine::Sequence>(sequence), static_cast<std::uint64_t>(ordinal));
      }
    } catch (const DatabaseError& error) {
      findings_.add(name + ": " + error.what());
    }
  }

  Findings& findings_;
  const MergeState state_;
  ChunkRows rows_;
  MessageRows messages_;
  Points points_;
  Origins origins_;
};

void check_chunks(Database& database, const std::set<engine::SeriesId>& known, const MergeState& state,
                  Findings& findings) {
  ChunkCheck check(database, state, findings);
  Statement(database,
            "SELECT series, min_time, id, max_time, first_sequence, last_sequence, readings FROM chunk WHERE id <= ?1")
      .each(
          [&](Row& row) {
            ChunkEntry entry;
            row.into(entry.key.series, entry.key.min_time, entry.key.id, entry.max_time, entry.first_sequence,
                     entry.last_sequence, entry.readings);
            if (!known.contains(entry.key.series)) {
              findings.add("chunk " + number(entry.key.id) + " is of series " + std::to_string(entry.key.series) +
                           ", which is not known");
            }
            check.check(entry);
          },
          state.last_chunk);
  const std::int64_t strays = database.integer(
      "SELECT count(*) FROM chunk_body WHERE NOT EXISTS (SELECT 1 FROM chunk WHERE chunk.series = chunk_body.series "
      "AND chunk.min_time = chunk_body.min_time AND chunk.id = chunk_body.id)");
  if (strays > 0) findings.add(number(strays) + " chunks have columns and no row of their own");
}

void check_rollups(Database& database, Findings& findings) {
  RollupCodec codec;
  Statement(database, "SELECT series, resolution, start, buckets FROM rollup").each([&](Row& row) {
    engine::SeriesId series = 0;
    std::int64_t resolution = 0;
    std::int64_t start = 0;
    row.into(series, resolution, start);
    const std::string name = "roll-up of series " + std::to_string(series) + " at " + number(start);
    const auto buckets = codec.decode(row.bytes(), resolution);
    if (!buckets) {
      findings.add(name + " " + buckets.error().message);
    } else if (buckets->empty() || buckets->begin()->first < start ||
               buckets->rbegin()->first >= start + resolution * kBucketsPerRow) {
      findings.add(name + " holds buckets of other times");
    }
  });
}

}  // namespace

void check_readings(Database& database, Findings& findings) {
  const std::set<engine::SeriesId> known = known_series(database, findings);
  const MergeState state = load_merge_state(database);
  check_blocks(database, known, state, findings);
  check_chunks(database, known, state, findings);
  check_rollups(database, findings);
}

}  // namespace fettle::store
