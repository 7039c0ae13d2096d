#include "gateway/store/sqlite/reading_block.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "gateway/store/sqlite/bytes.h"

namespace fettle::store {
namespace {

using engine::MessageRow;
using engine::ReadingRow;
using engine::SeriesId;
using engine::Time;

constexpr char kBlockKind = 'R';

// ---- values
// ----------------------------------------------------------------------------------------------------------

// Powers of ten that a double holds exactly and that sensors have as decimals.
constexpr std::array<double, 7> kPowers = {1, 10, 100, 1e3, 1e4, 1e5, 1e6};
constexpr std::uint8_t kRawScale = 255;             // values as differences (XOR) of their bits
constexpr double kLargestExact = 9007199254740992;  // 2^53

// value * 10^scale, where dividing that by 10^scale gives the very same bits again.
std::optional<std::int64_t> as_decimal(double value, std::uint8_t scale) {
  const double scaled = value * kPowers[scale];
  if (!(std::abs(scaled) < kLargestExact)) return std::nullopt;  // too large, infinite or not a number
  const std::int64_t whole = std::llround(scaled);
  const double back = static_cast<double>(whole) / kPowers[scale];
  if (std::bit_cast<std::uint64_t>(back) != std::bit_cast<std::uint64_t>(value)) return std::nullopt;  // -0.0 too
  return whole;
}

// The smallest scale that holds `value` and is no smaller than `scale`. Division rounds correctly, so what a scale
// holds a larger one holds as well, and one pass over the values finds the scale of a series.
std::uint8_t widen(std::uint8_t scale, double value) {
  while (scale < kPowers.size() && !as_decimal(value, scale)) ++scale;
  return scale < kPowers.size() ? scale : kRawScale;
}

// Per series of a block: how its values are written, and the value before.
struct ValueColumn {
  std::uint8_t scale = 0;
  std::int64_t previous = 0;        // decimal
  std::uint64_t previous_bits = 0;  // raw
};

void put_value(ByteWriter& out, ValueColumn& column, double value) {
  if (column.scale == kRawScale) {
    const auto bits = std::bit_cast<std::uint64_t>(value);
    out.fixed(bits ^ column.previous_bits);
    column.previous_bits = bits;
    return;
  }
  const std::int64_t whole = std::llround(value * kPowers[column.scale]);
  out.signed_varint(wrapping_difference(column.previous, whole));
  column.previous = whole;
}

double take_value(ByteReader& in, ValueColumn& column) {
  if (column.scale == kRawScale) {
    column.previous_bits ^= in.fixed<std::uint64_t>();
    return std::bit_cast<double>(column.previous_bits);
  }
  column.previous = wrapping_sum(column.previous, in.signed_varint());
  return static_cast<double>(column.previous) / kPowers[column.scale];
}

// ---- encoding
// --------------------------------------------------------------------------------------------------------

// Each topic once, in order of first use.
void put_topics(ByteWriter& out, std::span<const MessageRow> messages, std::vector<std::uint32_t>& topic_of) {
  std::unordered_map<std::string_view, std::uint32_t> index;
  std::vector<std::string_view> topics;
  topic_of.reserve(messages.size());
  for (const MessageRow& message : messages) {
    const auto [at, added] = index.try_emplace(message.topic, static_cast<std::uint32_t>(topics.size()));
    if (added) topics.push_back(message.topic);
    topic_of.push_back(at->second);
  }
  out.varint(topics.size());
  for (const std::string_view topic : topics) out.text(topic);
}

void put_messages(ByteWriter& out, std::span<const MessageRow> messages) {
  std::vector<std::uint32_t> topic_of;
  put_topics(out, messages, topic_of);
  out.varint(messages.size());
  engine::Sequence sequence = 0;
  for (const MessageRow& message : messages) {
    out.varint(message.sequence - sequence);
    sequence = message.sequence;
  }
  std::int64_t received = 0;
  for (const MessageRow& message : messages) {
    const std::int64_t at = message.received.time_since_epoch().count();
    out.signed_varint(wrapping_difference(received, at));
    received = at;
  }
  for (const std::uint32_t topic : topic_of) out.varint(topic);
  for (const MessageRow& message : messages) out.fixed(message.hash);
}

// Runs of equal flags: nearly always one run of zeros.
void put_flags(ByteWriter& out, std::span<const ReadingRow> readings) {
  for (std::size_t at = 0; at < readings.size();) {
    std::size_t end = at;
    while (end < readings.size() && readings[end].flags == readings[at].flags) ++end;
    out.varint(end - at);
    out.fixed(readings[at].flags);
    at = end;
  }
}

void put_readings(ByteWriter& out, const BlockSummary& summary, std::span<const MessageRow> messages,
                  std::span<const ReadingRow> readings) {
  std::vector<std::uint32_t> column_of;
  std::vector<ValueColumn> columns(summary.series.size());
  column_of.reserve(readings.size());
  for (const ReadingRow& reading : readings) {
    const auto at = std::lower_bound(summary.series.begin(), summary.series.end(), reading.series);
    const auto column = static_cast<std::uint32_t>(at - summary.series.begin());
    column_of.push_back(column);
    columns[column].scale = widen(columns[column].scale, reading.value);
  }

  out.text(encode_series(summary.series));
  for (const ValueColumn& column : columns) out.fixed(column.scale);
  out.varint(readings.size());
  std::int64_t message = 0;
  for (const ReadingRow& reading : readings) {
    out.signed_varint(std::int64_t{reading.message} - message);
    message = reading.message;
  }
  for (const std::uint32_t column : column_of) out.varint(column);
  std::int64_t time = messages.front().received.time_since_epoch().count();
  for (const ReadingRow& reading : readings) {
    const std::int64_t at = reading.time.time_since_epoch().count();
    out.signed_varint(wrapping_difference(time, at));
    time = at;
  }
  put_flags(out, readings);
  for (std::size_t i = 0; i < readings.size(); ++i) put_value(out, columns[column_of[i]], readings[i].value);
}

// ---- decoding
// --------------------------------------------------------------------------------------------------------

// The least that one of them takes: sequence, received, topic, hash; and message, series, time, value.
constexpr std::size_t kMessageBytes = 1 + 1 + 1 + 8;
constexpr std::size_t kReadingBytes = 1 + 1 + 1 + 1;

bool take_messages(ByteReader& in, ReadingBlock& block) {
  const std::size_t topics = in.count(1);
  block.topics.reserve(topics);
  for (std::size_t i = 0; i < topics; ++i) block.topics.emplace_back(in.text());

  block.messages.resize(in.count(kMessageBytes));
  engine::Sequence sequence = 0;
  for (BlockMessage& message : block.messages) message.sequence = sequence += in.varint();
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

bool take_flags(ByteReader& in, std::vector<ReadingRow>& readings) {
  for (std::size_t at = 0; at < readings.size();) {
    const std::uint64_t run = in.varint();
    const auto flags = in.fixed<std::uint8_t>();
    if (run == 0 || run > readings.size() - at) return false;
    for (const std::size_t end = at + run; at < end; ++at) readings[at].flags = flags;
  }
  return true;
}

// `columns_of` gets the index of each reading's series.
bool take_series(ByteReader& in, const std::vector<SeriesId>& series, std::vector<ReadingRow>& readings,
                 std::vector<std::uint32_t>& column_of) {
  column_of.reserve(readings.size());
  for (ReadingRow& reading : readings) {
    const std::uint64_t column = in.varint();
    if (column >= series.size()) return false;
    reading.series = series[column];
    column_of.push_back(static_cast<std::uint32_t>(column));
  }
  return true;
}

bool take_readings(ByteReader& in, ReadingBlock& block) {
  const auto series = decode_series(in.text());
  if (!series) return false;
  std::vector<ValueColumn> columns(series->size());
  for (ValueColumn& column : columns) {
    column.scale = in.fixed<std::uint8_t>();
    if (column.scale >= kPowers.size() && column.scale != kRawScale) return false;
  }
  block.readings.resize(in.count(kReadingBytes));
  std::int64_t message = 0;
  for (ReadingRow& reading : block.readings) {
    message = wrapping_sum(message, in.signed_varint());
    if (message < 0 || static_cast<std::uint64_t>(message) >= block.messages.size()) return false;
    reading.message = static_cast<std::uint32_t>(message);
  }
  std::vector<std::uint32_t> column_of;
  if (!take_series(in, *series, block.readings, column_of)) return false;
  std::int64_t time = block.messages.empty() ? 0 : block.messages.front().received.time_since_epoch().count();
  for (ReadingRow& reading : block.readings) {
    time = wrapping_sum(time, in.signed_varint());
    reading.time = Time(Time::duration(time));
  }
  if (!take_flags(in, block.readings)) return false;
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

template <typename Message>
FormatResult<BlockSummary> summary_of(std::span<const Message> messages, std::span<const ReadingRow> readings) {
  if (messages.empty() || readings.empty()) return FormatError{"a block has at least one message and one reading"};
  for (std::size_t i = 1; i < messages.size(); ++i) {
    if (messages[i - 1].sequence >= messages[i].sequence) {
      return FormatError{"message " + std::to_string(messages[i].sequence) + " comes after " +
                         std::to_string(messages[i - 1].sequence) + " within a batch"};
    }
  }
  BlockSummary summary;
  summary.first_sequence = messages.front().sequence;
  summary.last_sequence = messages.back().sequence;
  summary.min_time = Time::max();
  summary.max_time = Time::min();
  for (const ReadingRow& reading : readings) {
    if (reading.message >= messages.size()) {
      return FormatError{"a reading names message " + std::to_string(reading.message) + " of " +
                         std::to_string(messages.size())};
    }
    summary.min_time = std::min(summary.min_time, reading.time);
    summary.max_time = std::max(summary.max_time, reading.time);
  }
  summary.readings = readings.size();
  summary.series = series_in(readings);
  return summary;
}

}  // namespace

FormatResult<BlockSummary> summarise(std::span<const MessageRow> messages, std::span<const ReadingRow> readings) {
  return summary_of(messages, readings);
}

FormatResult<BlockSummary> summarise(const ReadingBlock& block) {
  return summary_of(std::span<const BlockMessage>(block.messages), std::span<const ReadingRow>(block.readings));
}

FormatResult<std::string> encode_block(Compressor& compressor, const BlockSummary& summary,
                                       std::span<const MessageRow> messages, std::span<const ReadingRow> readings) {
  std::string raw;
  raw.reserve(messages.size() * 16 + readings.size() * 12 + 256);
  ByteWriter out(raw);
  put_messages(out, messages);
  put_readings(out, summary, messages, readings);
  return compressor.seal(kBlockKind, raw);
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
  SeriesId before = 0;
  for (const SeriesId id : series) {
    out.varint(id - before);
    before = id;
  }
  return bytes;
}

FormatResult<std::vector<SeriesId>> decode_series(std::string_view bytes) {
  ByteReader in(bytes);
  std::vector<SeriesId> series;
  std::uint64_t id = 0;
  bool ascending = true;
  while (!in.rest().empty() && ascending) {
    const std::uint64_t difference = in.varint();
    ascending = (series.empty() || difference > 0) && difference <= std::numeric_limits<SeriesId>::max() - id;
    id += difference;
    series.push_back(static_cast<SeriesId>(id));
  }
  if (in.failed() || !ascending || series.empty()) return FormatError{"names its series wrongly"};
  return series;
}

}  // namespace fettle::store
