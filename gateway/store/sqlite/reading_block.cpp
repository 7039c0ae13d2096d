#include "gateway/store/sqlite/reading_block.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "gateway/store/sqlite/bytes.h"
#include "gateway/store/sqlite/decimal_values.h"
#include "gateway/store/sqlite/value_codes.h"

namespace fettle::store {
namespace {

using engine::ReadingRow;
using engine::SeriesId;
using engine::Time;

// The least that a message takes: sequence, arrived, received, topic, hash. A reading takes at least its value.
constexpr std::size_t kMessageBytes = 1 + 1 + 1 + 1 + 8;
constexpr std::size_t kReadingBytes = 1;

bool take_messages(ByteReader& in, ReadingBlock& block) {
  const std::size_t topics = in.count(1);
  block.topics.reserve(topics);
  for (std::size_t i = 0; i < topics; ++i) block.topics.emplace_back(in.text());

  block.messages.resize(in.count(kMessageBytes));
  engine::Sequence sequence = 0;
  for (BlockMessage& message : block.messages) message.sequence = sequence += in.varint();
  for (BlockMessage& message : block.messages) message.arrived = message.sequence - in.varint();
  std::int64_t received = 0;
  for (BlockMessage& message : block.messages) {
    received = wrapping_sum(received, in.signed_varint());
    message.received = Time(Time::duration(received));
  }
  for (BlockMessage& message : block.messages) {
    const std::uint64_t topic = in.varint();
    if (topic >= topics) return false;
    message.topic = static_cast<std::uint32_t>(topic);
  }
  for (BlockMessage& message : block.messages) message.hash = in.fixed<std::uint64_t>();
  return !in.failed();
}

// Runs that fill the column exactly; take(begin, end) reads what a run is of and says whether it can be.
template <typename Take>
bool take_runs(ByteReader& in, std::size_t count, Take&& take) {
  for (std::size_t at = 0; at < count;) {
    const std::uint64_t run = in.varint();
    if (run == 0 || run > count - at) return false;
    if (!take(at, at + run)) return false;
    at += run;
  }
  return true;
}

bool take_message_runs(ByteReader& in, ReadingBlock& block) {
  std::int64_t message = 0;
  return take_runs(in, block.readings.size(), [&](std::size_t at, std::size_t end) {
    message = wrapping_sum(message, in.signed_varint());
    if (message < 0 || static_cast<std::uint64_t>(message) >= block.messages.size()) return false;
    for (; at < end; ++at) block.readings[at].message = static_cast<std::uint32_t>(message);
    return true;
  });
}

// `column_of` gets the place of each reading's series in `series`.
bool take_series_runs(ByteReader& in, const std::vector<SeriesId>& series, std::vector<ReadingRow>& readings,
                      std::vector<std::uint32_t>& column_of) {
  column_of.resize(readings.size());
  std::int64_t expected = 0;
  return take_runs(in, readings.size(), [&](std::size_t at, std::size_t end) {
    const std::int64_t first = wrapping_sum(expected, in.signed_varint());
    if (first < 0 || static_cast<std::uint64_t>(first) >= series.size() ||
        end - at > series.size() - static_cast<std::size_t>(first)) {
      return false;
    }
    auto column = static_cast<std::uint32_t>(first);
    for (; at < end; ++at, ++column) {
      column_of[at] = column;
      readings[at].series = series[column];
    }
    expected = column;
    return true;
  });
}

bool take_time_and_flag_runs(ByteReader& in, ReadingBlock& block) {
  std::int64_t time = block.messages.empty() ? 0 : block.messages.front().received.time_since_epoch().count();
  const std::size_t count = block.readings.size();
  const bool times = take_runs(in, count, [&](std::size_t at, std::size_t end) {
    time = wrapping_sum(time, in.signed_varint());
    for (; at < end; ++at) block.readings[at].time = Time(Time::duration(time));
    return true;
  });
  return times && take_runs(in, count, [&](std::size_t at, std::size_t end) {
           const auto flags = in.fixed<std::uint8_t>();
           for (; at < end; ++at) block.readings[at].flags = flags;
           return true;
         });
}

// Per series of a block: how its values are written, and the one before.
struct ValueColumn {
  std::uint8_t code = 0;
  std::int64_t before = 0;
};

double take_value(ByteReader& in, ValueColumn& column) {
  if (column.code == kFloatCode) return static_cast<double>(std::bit_cast<float>(in.fixed<std::uint32_t>()));
  if (column.code == kRawCode) return std::bit_cast<double>(in.fixed<std::uint64_t>());
  column.before = wrapping_sum(column.before, in.signed_varint());
  return from_decimal(column.before, column.code);
}

bool take_readings(ByteReader& in, ReadingBlock& block) {
  const auto series = decode_series(in.text());
  if (!series) return false;
  std::vector<ValueColumn> columns(series->size());
  for (ValueColumn& column : columns) {
    column.code = in.fixed<std::uint8_t>();
    if (column.code >= kDecimalCodes && column.code != kFloatCode && column.code != kRawCode) return false;
  }
  block.readings.resize(in.count(kReadingBytes));
  std::vector<std::uint32_t> column_of;
  if (!take_message_runs(in, block) || !take_series_runs(in, *series, block.readings, column_of) ||
      !take_time_and_flag_runs(in, block)) {
    return false;
  }
  for (std::size_t i = 0; i < block.readings.size(); ++i) {
    block.readings[i].value = take_value(in, columns[column_of[i]]);
  }
  return in.at_end();
}

std::vector<SeriesId> series_in(std::span<const ReadingRow> readings) {
  std::vector<SeriesId> series;
  series.reserve(readings.size());
  for (const ReadingRow& reading : readings) series.push_back(reading.series);
  std::sort(series.begin(), series.end());
  series.erase(std::unique(series.begin(), series.end()), series.end());
  return series;
}

}  // namespace

FormatResult<BlockSummary> summarise(const ReadingBlock& block, engine::Sequence first, engine::Sequence last) {
  if (block.messages.empty() || block.readings.empty()) return FormatError{"has no readings"};
  engine::Sequence before = first;
  for (const BlockMessage& message : block.messages) {
    if (message.sequence < before || message.sequence > last || message.arrived > message.sequence) {
      return FormatError{"holds message " + std::to_string(message.sequence) + ", which is not of the records " +
                         std::to_string(first) + " to " + std::to_string(last) + " or out of order"};
    }
    before = message.sequence;
  }
  BlockSummary summary{first, last, Time::max(), Time::min(), block.readings.size(), series_in(block.readings)};
  for (const ReadingRow& reading : block.readings) {
    summary.min_time = std::min(summary.min_time, reading.time);
    summary.max_time = std::max(summary.max_time, reading.time);
  }
  return summary;
}

FormatResult<ReadingBlock> decode_block(Compressor& compressor, std::string_view bytes) {
  const auto raw = compressor.open(kBlockKind, bytes);
  if (!raw) return raw.error();
  ByteReader in(*raw);
  ReadingBlock block;
  if (!take_messages(in, block)) return FormatError{"is damaged within its messages"};
  if (!take_readings(in, block)) return FormatError{"is damaged within its readings"};
  return block;
}

std::string encode_series(std::span<const SeriesId> series) {
  std::string bytes;
  ByteWriter out(bytes);
  SeriesId expected = 0;
  for (std::size_t i = 0, end = 0; i < series.size(); i = end) {
    end = i + 1;
    while (end < series.size() && series[end] == series[end - 1] + 1) ++end;
    out.varint(series[i] - expected);
    out.varint(end - i);
    expected = series[end - 1] + 1;
  }
  return bytes;
}

FormatResult<std::vector<SeriesId>> decode_series(std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<SeriesId> series;
  std::uint64_t next = 0;
  bool sound = true;
  while (!in.rest().empty() && sound) {
    const std::uint64_t gap = in.varint();
    const std::uint64_t run = in.varint();
    // Runs are as long as they can be, so that a list of series has one form.
    sound = (series.empty() || gap > 0) && run > 0 && gap < kMaxSeries && run <= kMaxSeries &&
            next + gap + run <= kMaxSeries;
    if (!sound) break;
    next += gap;
    for (std::uint64_t i = 0; i < run; ++i) series.push_back(static_cast<SeriesId>(next++));
  }
  if (in.failed() || !sound || series.empty()) return FormatError{"names its series wrongly"};
  return series;
}

}  // namespace fettle::store
