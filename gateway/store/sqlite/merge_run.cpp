#include "gateway/store/sqlite/merge_run.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <utility>

#include "gateway/store/sqlite/merge_writer.h"

namespace fettle::store {
namespace {

using engine::Sequence;
using engine::SeriesId;
using engine::Time;

// Topics and messages of one message block, raw: well below what a piece may have.
constexpr std::size_t kMessageBlockBytes = 160U << 10U;
// What a message takes beside its topic's text.
constexpr std::size_t kMessageBytes = 14;

Time time_of(std::int64_t milliseconds) {
  return Time(Time::duration(milliseconds));
}

// 0 for 1 to 3 readings, 1 for 4 to 15 ...: chunks of one class are about as long as each other.
unsigned length_class(std::uint64_t readings) {
  return (static_cast<unsigned>(std::bit_width(readings)) - 1) / 2;
}

}  // namespace

std::vector<std::uint32_t> ordinals_of(const std::vector<BlockMessage>& messages) {
  std::vector<std::uint32_t> ordinals(messages.size());
  for (std::size_t i = 1; i < messages.size(); ++i) {
    ordinals[i] = messages[i].sequence == messages[i - 1].sequence ? ordinals[i - 1] + 1 : 0;
  }
  return ordinals;
}

void MergeRun::Gathered::clear() {
  series.clear();
  points.clear();
  origins.clear();
  next = 0;
}

MergeRun::MergeRun(Database& database, const MergeLimits& limits, PieceSink sink)
    : database_(database),
      limits_(limits),
      sink_(std::move(sink)),
      blocks_(database,
              "SELECT first_sequence, last_sequence, readings FROM reading_block WHERE first_sequence > ?1 "
              "ORDER BY first_sequence"),
      block_(database, "SELECT series, block FROM reading_block WHERE first_sequence = ?1"),
      rows_(database) {}

bool MergeRun::run() {
  if (!plan()) return false;
  if (!count() || !flush_messages()) return false;
  for (const Pass& pass : passes()) {
    if (!run_pass(pass)) return false;
  }
  piece_.finishes = true;
  piece_.merged = plan_.back().last_sequence;
  piece_.last_chunk = next_chunk_ - 1;
  return emit();
}

bool MergeRun::plan() {
  state_ = load_merge_state(database_);
  next_chunk_ = state_.last_chunk + 1;
  piece_ = {};
  piece_.merge = state_.finished + 1;
  piece_.begins = true;
  plan_.clear();
  std::uint64_t readings = 0;
  bool full = false;
  blocks_.each(
      [&](Row& row) {
        Block block;
        std::uint64_t of_block = 0;
        row.into(block.first_sequence, block.last_sequence, of_block);
        full = full || (!plan_.empty() && readings + of_block > limits_.merge_readings);
        if (full) return;
        readings += of_block;
        plan_.push_back(block);
      },
      state_.merged);
  return !plan_.empty();
}

// With a pass: empty where the block has none of its series.
ReadingBlock MergeRun::load(const Block& block, const Pass* pass) {
  ReadingBlock loaded;
  block_.each(
      [&](Row& row) {
        const auto series = decode_series(row.bytes());
        if (pass != nullptr && series) {
          const auto at = std::lower_bound(series->begin(), series->end(), pass->first);
          if (at == series->end() || *at > pass->last) return;
        }
        auto decoded = decode_block(compressor_, row.bytes());
        if (!series || !decoded) {
          throw DatabaseError(SQLITE_CORRUPT, database_.file().string() + ": reading block " +
                                                  std::to_string(block.first_sequence) + " " +
                                                  (series ? decoded.error().message : series.error().message) +
                                                  ". Keep a copy of the file and restore the newest backup.");
        }
        loaded = std::move(*decoded);
      },
      block.first_sequence);
  return loaded;
}

// ---- counting and messages
// -------------------------------------------------------------------------------------------

bool MergeRun::count() {
  counts_.clear();
  messages_.clear();
  topics_.clear();
  message_bytes_ = 0;
  return std::all_of(plan_.begin(), plan_.end(), [&](const Block& block) { return count_block(block); });
}

bool MergeRun::count_block(const Block& block) {
  const ReadingBlock loaded = load(block, nullptr);
  for (const engine::ReadingRow& reading : loaded.readings) {
    if (reading.series >= counts_.size()) counts_.resize(reading.series + 1);
    ++counts_[reading.series];
  }
  return keep_messages(loaded);
}

// The messages of one record stay together, so that their places among each other are those in the block.
bool MergeRun::keep_messages(const ReadingBlock& block) {
  for (const BlockMessage& message : block.messages) {
    const bool full = messages_.messages.size() >= limits_.message_block || message_bytes_ >= kMessageBlockBytes;
    if (full && messages_.messages.back().sequence != message.sequence && !flush_messages()) return false;
    const std::string& topic = block.topics[message.topic];
    const auto [at, added] = topics_.try_emplace(topic, static_cast<std::uint32_t>(messages_.topics.size()));
    if (added) {
      messages_.topics.push_back(topic);
      message_bytes_ += topic.size();
    }
    messages_.messages.push_back(message);
    messages_.messages.back().topic = at->second;
    message_bytes_ += kMessageBytes;
  }
  return true;
}

bool MergeRun::flush_messages() {
  if (messages_.messages.empty()) return true;
  auto block = message_codec_.encode(messages_);
  if (!block) throw DatabaseError(SQLITE_TOOBIG, "messages to merge: " + block.error().message);
  if (!emit_if_full(block->size())) return false;
  piece_bytes_ += block->size();
  piece_.messages.push_back({messages_.messages.front().sequence, messages_.messages.back().sequence,
                             messages_.messages.size(), std::move(*block)});
  messages_.clear();
  topics_.clear();
  message_bytes_ = 0;
  return true;
}

// ---- passes
// ----------------------------------------------------------------------------------------------------------

std::vector<MergeRun::Pass> MergeRun::passes() const {
  std::vector<Pass> passes;
  std::size_t readings = 0;
  for (SeriesId series = 0; series < counts_.size(); ++series) {
    if (counts_[series] == 0) continue;
    if (passes.empty() || readings + counts_[series] > limits_.pass_readings) {
      passes.push_back({series, series, 0});
      readings = 0;
    }
    passes.back().last = series;
    readings += counts_[series];
  }
  return passes;
}

bool MergeRun::run_pass(Pass pass) {
  do {
    gather(pass);
    // Grouped by series, in order of arrival within each.
    std::vector<std::uint32_t> places(gathered_.series.size());
    std::iota(places.begin(), places.end(), 0U);
    std::stable_sort(places.begin(), places.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return gathered_.series[a] < gathered_.series[b]; });
    for (auto begin = places.cbegin(); begin != places.cend();) {
      const SeriesId series = gathered_.series[*begin];
      const auto end =
          std::find_if(begin, places.cend(), [&](std::uint32_t i) { return gathered_.series[i] != series; });
      if (!merge_series(series, begin, end, pass.from == 0 ? Older::may_be_absorbed : Older::stay)) return false;
      begin = end;
    }
    pass.from = gathered_.next;
  } while (pass.from != 0);
  return true;
}

void MergeRun::Gathered::reserve(std::size_t readings) {
  series.reserve(readings);
  points.times.reserve(readings);
  points.values.reserve(readings);
  points.flags.reserve(readings);
  origins.sequences.reserve(readings);
  origins.ordinals.reserve(readings);
}

void MergeRun::gather(const Pass& pass) {
  gathered_.clear();
  // At once, since growing by halves would hold much of it twice.
  const std::uint64_t all = std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
  gathered_.reserve(std::min<std::uint64_t>(all, limits_.pass_readings));
  for (const Block& block : plan_) {
    if (block.last_sequence < pass.from) continue;
    if (!gather_block(block, pass)) return;
  }
}

// False once the pass is full: it goes on at gathered_.next. Full between two records only, so that the readings of one
// come into one pass and keep their order.
bool MergeRun::gather_block(const Block& block, const Pass& pass) {
  const ReadingBlock loaded = load(block, &pass);
  const std::vector<std::uint32_t> ordinals = ordinals_of(loaded.messages);
  // In order of the records, if not as they stand: readings of a message may stand anywhere in the batch.
  std::vector<std::uint32_t> order(loaded.readings.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto sequence_of = [&](std::uint32_t i) { return loaded.messages[loaded.readings[i].message].sequence; };
  const auto by_sequence = [&](std::uint32_t a, std::uint32_t b) { return sequence_of(a) < sequence_of(b); };
  if (!std::is_sorted(order.begin(), order.end(), by_sequence)) {
    std::stable_sort(order.begin(), order.end(), by_sequence);
  }
  for (const std::uint32_t i : order) {
    const engine::ReadingRow& reading = loaded.readings[i];
    if (reading.series < pass.first || reading.series > pass.last) continue;
    const Sequence sequence = sequence_of(i);
    if (sequence < pass.from) continue;
    const auto number = static_cast<std::int64_t>(sequence);
    if (gathered_.series.size() >= limits_.pass_readings && gathered_.origins.sequences.back() != number) {
      gathered_.next = sequence;
      return false;
    }
    gathered_.series.push_back(reading.series);
    gathered_.points.times.push_back(reading.time.time_since_epoch().count());
    gathered_.points.values.push_back(reading.value);
    gathered_.points.flags.push_back(reading.flags);
    gathered_.origins.sequences.push_back(number);
    gathered_.origins.ordinals.push_back(ordinals[reading.message]);
  }
  return true;
}

// ---- series
// ----------------------------------------------------------------------------------------------------------

bool MergeRun::merge_series(SeriesId series, std::vector<std::uint32_t>::const_iterator begin,
                            std::vector<std::uint32_t>::const_iterator end, Older older) {
  points_.clear();
  origins_.clear();
  Points old_points;
  Origins old_origins;
  const auto [first, last] = std::minmax_element(begin, end, [&](std::uint32_t a, std::uint32_t b) {
    return gathered_.points.times[a] < gathered_.points.times[b];
  });
  std::vector<ChunkEntry> taken_in;
  if (older == Older::may_be_absorbed) {
    taken_in = absorbed(series, time_of(gathered_.points.times[*first]), time_of(gathered_.points.times[*last]),
                        static_cast<std::size_t>(end - begin));
  }
  for (const ChunkEntry& entry : taken_in) {
    rows_.load(entry, old_points);
    rows_.load(entry, old_origins);
    append(old_points, points_);
    append(old_origins, origins_);
  }
  for (; begin != end; ++begin) {
    points_.times.push_back(gathered_.points.times[*begin]);
    points_.values.push_back(gathered_.points.values[*begin]);
    points_.flags.push_back(gathered_.points.flags[*begin]);
    origins_.sequences.push_back(gathered_.origins.sequences[*begin]);
    origins_.ordinals.push_back(gathered_.origins.ordinals[*begin]);
  }
  if (!write_chunks(series)) return false;
  // With or after the chunks that hold their readings: both count from the last piece on.
  for (const ChunkEntry& entry : taken_in) {
    piece_.replaced.push_back(entry.key);
    piece_bytes_ += sizeof(ChunkKey) * 2;
  }
  return true;
}

// Which older chunks of the series are written again together with the new readings: short ones, once there are enough
// of a length; any, once too many overlap. So a series has few chunks for its length, however its readings arrive, and
// a reading is written again some ten times at most.
std::vector<ChunkEntry> MergeRun::absorbed(SeriesId series, Time from, Time to, std::size_t readings) {
  std::vector<ChunkEntry> entries = rows_.list(state_, series, Time::min(), Time::max(), static_cast<Sequence>(-1));
  const std::uint64_t full = limits_.chunk_readings / 2;
  std::vector<std::size_t> of_class(64);
  std::size_t overlapping = 0;
  const auto overlaps = [&](const ChunkEntry& entry) { return entry.key.min_time <= to && entry.max_time >= from; };
  for (const ChunkEntry& entry : entries) {
    if (entry.readings < full) ++of_class[length_class(entry.readings)];
    if (overlaps(entry)) ++overlapping;
  }
  if (readings < full) ++of_class[length_class(readings)];
  unsigned up_to = 0;  // classes below are put together
  std::size_t shorter = 0;
  for (unsigned i = 0; i < of_class.size(); ++i) {
    shorter += of_class[i];
    if (of_class[i] > 0 && shorter > limits_.alike) up_to = i + 1;
  }
  const bool all_overlapping = overlapping > limits_.alike;
  std::uint64_t sum = 0;
  std::erase_if(entries, [&](const ChunkEntry& entry) {
    const bool is_short = entry.readings < full && length_class(entry.readings) < up_to;
    if (!is_short && !(all_overlapping && overlaps(entry))) return true;
    if (sum + entry.readings > limits_.rewritten) return true;
    sum += entry.readings;
    return false;
  });
  return entries;
}

// Sorted by (time, record), arrival decides between equals; equals are not parted.
bool MergeRun::write_chunks(SeriesId series) {
  sort_readings(points_, origins_);
  const std::size_t count = points_.size();
  const auto equal = [&](std::size_t a, std::size_t b) {
    return points_.times[a] == points_.times[b] && origins_.sequences[a] == origins_.sequences[b];
  };
  // Of equal length, so that the last is not a short one.
  const std::size_t chunks = (count + limits_.chunk_readings - 1) / limits_.chunk_readings;
  const std::size_t length = (count + chunks - 1) / chunks;
  Points points;
  Origins origins;
  for (std::size_t at = 0, end = 0; at < count; at = end) {
    end = std::min(at + length, count);
    while (end < count && equal(end - 1, end)) ++end;
    slice(points_, at, end, points);
    slice(origins_, at, end, origins);
    auto points_bytes = codec_.encode(points);
    auto origins_bytes = codec_.encode(origins);
    if (!points_bytes || !origins_bytes) {
      throw DatabaseError(SQLITE_TOOBIG, "readings of series " + std::to_string(series) + " to merge: " +
                                             (points_bytes ? origins_bytes : points_bytes).error().message);
    }
    const std::size_t bytes = points_bytes->size() + origins_bytes->size();
    if (!emit_if_full(bytes)) return false;
    const auto [first, last] = std::minmax_element(origins.sequences.begin(), origins.sequences.end());
    piece_.chunks.push_back({{series, time_of(points.times.front()), next_chunk_++},
                             time_of(points.times.back()),
                             static_cast<Sequence>(*first),
                             static_cast<Sequence>(*last),
                             points.size(),
                             std::move(*points_bytes),
                             std::move(*origins_bytes)});
    piece_bytes_ += bytes + 2 * sizeof(ChunkKey);
  }
  return true;
}

// ---- pieces
// ----------------------------------------------------------------------------------------------------------

bool MergeRun::emit_if_full(std::size_t more) {
  const bool fits = piece_bytes_ + more <= limits_.piece_bytes && piece_.chunks.size() < limits_.piece_chunks;
  return piece_bytes_ == 0 || fits || emit();
}

bool MergeRun::emit() {
  MergePiece next;
  next.merge = piece_.merge;
  piece_bytes_ = 0;
  return sink_(std::exchange(piece_, std::move(next)));
}

}  // namespace fettle::store
