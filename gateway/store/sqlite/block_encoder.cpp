#include "gateway/store/sqlite/block_encoder.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "gateway/store/sqlite/bytes.h"
#include "gateway/store/sqlite/decimal_values.h"
#include "gateway/store/sqlite/value_codes.h"

namespace fettle::store {
namespace {

using engine::Effects;
using engine::MessageRow;
using engine::ReadingRow;
using engine::SeriesId;

// The most that a varint of 64 bits takes.
constexpr std::size_t kVarint = 10;

char* put_varint(char* at, std::uint64_t value) {
  while (value >= 0x80U) {
    *at++ = static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  *at++ = static_cast<char>(value);
  return at;
}
char* put_signed(char* at, std::int64_t value) {
  return put_varint(at, zigzag(value));
}
template <typename T>
char* put_fixed(char* at, T value) {
  std::memcpy(at, &value, sizeof(T));
  return at + sizeof(T);
}
char* put_bytes(char* at, std::string_view bytes) {
  std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}

std::string message_name(const MessageRow& message) {
  return "message " + std::to_string(message.sequence);
}

}  // namespace

FormatResult<const BlockEncoder::Encoded*> BlockEncoder::encode(Compressor& compressor, const Effects& effects) {
  if (auto sound = check(effects); !sound) return sound.error();
  ++batch_;
  list_series(effects);
  choose_codes(effects);
  encoded_.series = encode_series(encoded_.summary.series);
  raw_.clear();
  put_messages(effects);
  put_series(effects);
  put_runs(effects);
  put_values(effects);
  auto block = compressor.seal(kBlockKind, raw_.view(), Effort::none);
  if (!block) return block.error();
  encoded_.block = std::move(*block);
  return &encoded_;
}

FormatResult<void> BlockEncoder::check(const Effects& effects) {
  const auto& messages = effects.messages;
  if (messages.empty() || effects.readings.empty()) {
    return FormatError{"a block has at least one message and one reading"};
  }
  engine::Sequence before = effects.first;
  for (const MessageRow& message : messages) {
    if (message.sequence < before)
      return FormatError{message_name(message) + " comes before " + std::to_string(before)};
    if (message.arrived > message.sequence) return FormatError{message_name(message) + " was stored before it arrived"};
    before = message.sequence;
  }
  if (before > effects.committed) {
    return FormatError{message_name(messages.back()) + " lies beyond its batch, which ends at " +
                       std::to_string(effects.committed)};
  }
  BlockSummary& summary = encoded_.summary;
  summary.first_sequence = effects.first;
  summary.last_sequence = effects.committed;
  summary.readings = effects.readings.size();
  summary.min_time = engine::Time::max();
  summary.max_time = engine::Time::min();
  for (const ReadingRow& reading : effects.readings) {
    if (reading.message >= messages.size()) {
      return FormatError{"a reading names message " + std::to_string(reading.message) + " of " +
                         std::to_string(messages.size())};
    }
    if (reading.series >= kMaxSeries) {
      return FormatError{"a reading is of series " + std::to_string(reading.series) + ", ids are dense and below " +
                         std::to_string(kMaxSeries)};
    }
    summary.min_time = std::min(summary.min_time, reading.time);
    summary.max_time = std::max(summary.max_time, reading.time);
  }
  return {};
}

// Each series once, ascending, and where it stands in that list. Marked in a bitmap and read off: no sorting.
void BlockEncoder::list_series(const Effects& effects) {
  SeriesId largest = 0;
  for (const ReadingRow& reading : effects.readings) largest = std::max(largest, reading.series);
  auto& series = encoded_.summary.series;
  series.clear();
  columns_.clear();
  if (column_of_.size() <= largest) {
    const std::size_t size = (std::size_t{largest} / 64 + 1) * 64;
    present_.resize(size / 64);
    column_of_.resize(size);
    code_hint_.resize(size);
  }
  std::size_t first_word = present_.size();
  std::size_t last_word = 0;
  for (const ReadingRow& reading : effects.readings) {
    const std::size_t word = reading.series / 64;
    present_[word] |= std::uint64_t{1} << (reading.series % 64);
    first_word = std::min(first_word, word);
    last_word = std::max(last_word, word);
  }
  for (std::size_t word = first_word; word <= last_word; ++word) {
    for (std::uint64_t bits = std::exchange(present_[word], 0); bits != 0; bits &= bits - 1) {
      const auto id = static_cast<SeriesId>(word * 64 + static_cast<std::size_t>(std::countr_zero(bits)));
      column_of_[id] = static_cast<std::uint32_t>(series.size());
      series.push_back(id);
    }
  }
  columns_.resize(series.size());
}

// ---- values
// ----------------------------------------------------------------------------------------------------------

namespace {

// The smallest code for decimals that holds `value` and is no smaller than `code`. What a scale holds a larger one
// holds as well, so one pass over the values finds the scale of a series.
std::uint8_t widen(std::uint8_t code, double value) {
  while (code < kDecimalCodes && !as_decimal(value, code)) ++code;
  return code < kDecimalCodes ? code : kRawCode;
}

}  // namespace

// A series' last code is tried first, so that seven divisions for a value that is no decimal are paid once.
void BlockEncoder::choose_codes(const Effects& effects) {
  const auto& series = encoded_.summary.series;
  for (std::size_t i = 0; i < series.size(); ++i) columns_[i].code = code_hint_[series[i]];
  for (const ReadingRow& reading : effects.readings) {
    Column& column = columns_[column_of_[reading.series]];
    if (column.code < kDecimalCodes) column.code = widen(column.code, reading.value);
    column.floats = column.floats && is_float(reading.value);
  }
  for (std::size_t i = 0; i < series.size(); ++i) {
    Column& column = columns_[i];
    if (column.code >= kDecimalCodes) column.code = column.floats ? kFloatCode : kRawCode;
    // A code that holds no decimals is not kept for ever: one odd value must not cost the series its scale.
    code_hint_[series[i]] = column.code < kDecimalCodes || (batch_ + i) % kProbeEvery != 0 ? column.code : 0;
  }
}

void BlockEncoder::put_values(const Effects& effects) {
  char* at = raw_.grow(effects.readings.size() * kVarint);
  for (const ReadingRow& reading : effects.readings) {
    Column& column = columns_[column_of_[reading.series]];
    if (column.code < kDecimalCodes) {
      const std::int64_t whole = rounded(reading.value * kPowersOfTen[column.code]);
      at = put_signed(at, wrapping_difference(column.before, whole));
      column.before = whole;
    } else if (column.code == kFloatCode) {
      at = put_fixed(at, std::bit_cast<std::uint32_t>(static_cast<float>(reading.value)));
    } else {
      at = put_fixed(at, std::bit_cast<std::uint64_t>(reading.value));
    }
  }
  raw_.end(at);
}

// ---- messages
// --------------------------------------------------------------------------------------------------------

// Each topic once, in order of first use.
std::uint32_t BlockEncoder::topic_index(const std::string& topic) {
  const std::uint64_t hash = XXH3_64bits(topic.data(), topic.size());
  if (topics_.size() < 2 * (topic_names_.size() + 1)) {
    topics_.assign(std::max<std::size_t>(1'024, topics_.size() * 2), Topic{});
    for (std::uint32_t i = 0; i < topic_names_.size(); ++i) {
      const std::uint64_t known = XXH3_64bits(topic_names_[i].data(), topic_names_[i].size());
      free_place(known) = {known, batch_, i};
    }
  }
  const std::size_t mask = topics_.size() - 1;
  for (std::size_t place = hash & mask;; place = (place + 1) & mask) {
    Topic& entry = topics_[place];
    if (entry.batch != batch_) {
      entry = {hash, batch_, static_cast<std::uint32_t>(topic_names_.size())};
      topic_names_.push_back(topic);
      return entry.index;
    }
    if (entry.hash == hash && topic_names_[entry.index] == topic) return entry.index;
  }
}

BlockEncoder::Topic& BlockEncoder::free_place(std::uint64_t hash) {
  const std::size_t mask = topics_.size() - 1;
  std::size_t place = hash & mask;
  while (topics_[place].batch == batch_) place = (place + 1) & mask;
  return topics_[place];
}

void BlockEncoder::put_messages(const Effects& effects) {
  const auto& messages = effects.messages;
  topic_names_.clear();
  topic_of_.clear();
  for (const MessageRow& message : messages) topic_of_.push_back(topic_index(message.topic));
  std::size_t text = 0;
  for (const std::string_view topic : topic_names_) text += kVarint + topic.size();
  char* at = raw_.grow(text + 2 * kVarint + messages.size() * (4 * kVarint + 8));
  at = put_varint(at, topic_names_.size());
  for (const std::string_view topic : topic_names_) at = put_bytes(put_varint(at, topic.size()), topic);
  at = put_varint(at, messages.size());
  engine::Sequence sequence = 0;
  for (const MessageRow& message : messages)
    at = put_varint(at, message.sequence - std::exchange(sequence, message.sequence));
  for (const MessageRow& message : messages) at = put_varint(at, message.sequence - message.arrived);
  std::int64_t received = 0;
  for (const MessageRow& message : messages) {
    const std::int64_t time = message.received.time_since_epoch().count();
    at = put_signed(at, wrapping_difference(std::exchange(received, time), time));
  }
  for (const std::uint32_t topic : topic_of_) at = put_varint(at, topic);
  for (const MessageRow& message : messages) at = put_fixed(at, message.hash);
  raw_.end(at);
}

// ---- the other columns
// -----------------------------------------------------------------------------------------------

void BlockEncoder::put_series(const Effects& effects) {
  char* at = raw_.grow(encoded_.series.size() + columns_.size() + 2 * kVarint);
  at = put_bytes(put_varint(at, encoded_.series.size()), encoded_.series);
  for (const Column& column : columns_) at = put_fixed(at, column.code);
  at = put_varint(at, effects.readings.size());
  raw_.end(at);
}

// The readings of a message stand together, mostly of signals in the order in which they became known, and of one time:
// a message is one run in each column.
void BlockEncoder::put_runs(const Effects& effects) {
  const auto& readings = effects.readings;
  const std::size_t count = readings.size();
  char* at = raw_.grow(count * (6 * kVarint + kVarint + 1));
  std::int64_t message = 0;
  for (std::size_t i = 0, end = 0; i < count; i = end) {
    while (end < count && readings[end].message == readings[i].message) ++end;
    at = put_signed(put_varint(at, end - i), std::int64_t{readings[i].message} - message);
    message = readings[i].message;
  }
  std::int64_t expected = 0;
  for (std::size_t i = 0, end = 0; i < count; i = end) {
    const std::int64_t first = column_of_[readings[i].series];
    end = i + 1;
    while (end < count && column_of_[readings[end].series] == column_of_[readings[end - 1].series] + 1) ++end;
    at = put_signed(put_varint(at, end - i), first - expected);
    expected = first + static_cast<std::int64_t>(end - i);
  }
  std::int64_t time = effects.messages.front().received.time_since_epoch().count();
  for (std::size_t i = 0, end = 0; i < count; i = end) {
    while (end < count && readings[end].time == readings[i].time) ++end;
    const std::int64_t next = readings[i].time.time_since_epoch().count();
    at = put_signed(put_varint(at, end - i), wrapping_difference(std::exchange(time, next), next));
  }
  for (std::size_t i = 0, end = 0; i < count; i = end) {
    while (end < count && readings[end].flags == readings[i].flags) ++end;
    at = put_fixed(put_varint(at, end - i), readings[i].flags);
  }
  raw_.end(at);
}

}  // namespace fettle::store
