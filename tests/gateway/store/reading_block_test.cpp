#include "gateway/store/sqlite/reading_block.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "gateway/store/sqlite/block_encoder.h"
#include "gateway/store/sqlite/bytes.h"
#include "gateway/store/sqlite/frozen_usage.h"

namespace fettle::store {
namespace {

using engine::MessageRow;
using engine::ReadingRow;
using engine::Time;

Time at(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}

using Batch = engine::Effects;

Batch batch_of(std::vector<MessageRow> messages, std::vector<ReadingRow> readings) {
  Batch batch;
  batch.first = messages.front().sequence;
  batch.committed = messages.back().sequence;
  batch.messages = std::move(messages);
  batch.readings = std::move(readings);
  return batch;
}

BlockEncoder::Encoded both(Compressor& compressor, const Batch& batch) {
  BlockEncoder encoder;
  return *encoder.encode(compressor, batch).value();
}
std::string encoded(Compressor& compressor, const Batch& batch) {
  return both(compressor, batch).block;
}

void expect_same(const ReadingBlock& block, const Batch& batch) {
  ASSERT_EQ(block.messages.size(), batch.messages.size());
  for (std::size_t i = 0; i < batch.messages.size(); ++i) {
    ASSERT_EQ(block.messages[i].sequence, batch.messages[i].sequence);
    ASSERT_EQ(block.messages[i].arrived, batch.messages[i].arrived);
    ASSERT_EQ(block.messages[i].received, batch.messages[i].received);
    ASSERT_EQ(block.messages[i].hash, batch.messages[i].hash);
    ASSERT_EQ(block.topics.at(block.messages[i].topic), batch.messages[i].topic);
  }
  ASSERT_EQ(block.readings.size(), batch.readings.size());
  for (std::size_t i = 0; i < batch.readings.size(); ++i) {
    ASSERT_EQ(block.readings[i].series, batch.readings[i].series);
    ASSERT_EQ(block.readings[i].time, batch.readings[i].time);
    ASSERT_EQ(std::bit_cast<std::uint64_t>(block.readings[i].value),
              std::bit_cast<std::uint64_t>(batch.readings[i].value))
        << batch.readings[i].value;
    ASSERT_EQ(block.readings[i].flags, batch.readings[i].flags);
    ASSERT_EQ(block.readings[i].message, batch.readings[i].message);
  }
}

Batch one_reading() {
  return batch_of(
      {{123'456'789, 123'456'700, at(1'700'000'000'123), "fettle/v1/press-1/telemetry", 0x0123456789abcdef}},
      {{17, at(1'700'000'000'100), 21.57, 0, 0}});
}

// One reading a message, 15 minutes of event time apart in turn over 50 meters, values of two decimals.
Batch steel_like(int count) {
  std::mt19937_64 random(7);
  Batch batch;
  for (int i = 0; i < count; ++i) {
    const auto index = static_cast<std::uint32_t>(i);
    batch.messages.push_back({1'000'000 + index, 1'000'000 + index, at(1'700'000'000'000 + i / 4),
                              "fettle/v1/meter-" + std::to_string(i % 50) + "/telemetry", random()});
    const double value = static_cast<double>(random() % 15'000) / 100.0;
    batch.readings.push_back({index % 50, at(1'514'764'800'000 + (i / 50) * 900'000), value, 0, index});
  }
  batch.first = batch.messages.front().sequence;
  batch.committed = batch.messages.back().sequence;
  return batch;
}

double awkward_value(std::mt19937_64& random) {
  switch (random() % 9) {
    case 0:
      return std::bit_cast<double>(random());  // any bits, not-a-number among them
    case 1:
      return -0.0;
    case 2:
      return std::numeric_limits<double>::infinity();
    case 3:
      return 9007199254740993.0 * (random() % 2 == 0 ? 1 : -1);
    case 4:
      return static_cast<double>(random() % 1'000) / 1e6;
    case 5:
      return std::numeric_limits<double>::denorm_min();
    case 6:
      return static_cast<double>(static_cast<float>(random() % 100'000) / 100.0F);
    default:
      return static_cast<double>(static_cast<std::int64_t>(random() % 200'000) - 100'000) / 100.0;
  }
}

Batch random_batch(std::mt19937_64& random) {
  Batch batch;
  std::uint64_t sequence = random() % 2 == 0 ? 1 : random() % (1ULL << 60U);
  batch.first = sequence;
  const std::uint64_t messages = 1 + random() % 40;
  for (std::uint64_t i = 0; i < messages; ++i) {
    sequence += random() % 5;
    const std::uint64_t arrived = random() % 2 == 0 ? sequence : random() % (sequence + 1);
    batch.messages.push_back({sequence, arrived, at(static_cast<std::int64_t>(random())),
                              std::string(random() % 5, 't') + std::to_string(random() % 3), random()});
  }
  batch.committed = sequence + random() % 3;
  const bool tame = random() % 2 == 0;
  const std::uint64_t readings = 1 + random() % 120;
  for (std::uint64_t i = 0; i < readings; ++i) {
    const auto series = static_cast<engine::SeriesId>(tame ? random() % 4 : random() % 100'000);
    const double value =
        tame && series != 1 ? std::floor(static_cast<double>(random() % 1'000)) / 10 : awkward_value(random);
    const Time time =
        tame ? at(static_cast<std::int64_t>(random() % 100'000)) : at(static_cast<std::int64_t>(random()));
    batch.readings.push_back({series, time, value, static_cast<std::uint8_t>(tame ? 0 : random()),
                              static_cast<std::uint32_t>(random() % messages)});
  }
  return batch;
}

// ---- what goes in comes out
// ------------------------------------------------------------------------------------------

TEST(ReadingBlock, ComesBackBitForBit) {
  std::mt19937_64 random(42);
  Compressor compressor;
  for (int round = 0; round < 500; ++round) {
    const Batch batch = random_batch(random);
    const auto block = decode_block(compressor, encoded(compressor, batch));
    ASSERT_TRUE(block) << block.error().message;
    expect_same(*block, batch);
    EXPECT_EQ(summarise(*block, batch.first, batch.committed).value(), both(compressor, batch).summary);
  }
}

TEST(ReadingBlock, HoldsTheEndsOfTime) {
  Batch batch = one_reading();
  batch.readings = {{0, Time::min(), 1, 0, 0}, {0, Time::max(), 2, 0, 0}, {1, Time::min(), 3, 0, 0}};
  Compressor compressor;
  expect_same(decode_block(compressor, encoded(compressor, batch)).value(), batch);
}

TEST(ReadingBlock, SummaryNamesWhatIsInside) {
  Batch batch = one_reading();
  batch.messages.push_back({123'456'800, 123'456'800, at(5), "other", 1});
  batch.first = 123'456'780;
  batch.committed = 123'456'801;
  batch.readings.push_back({3, at(50), 1, 0, 1});
  batch.readings.push_back({17, at(60), 1, 0, 1});
  Compressor compressor;
  const BlockSummary summary = both(compressor, batch).summary;
  EXPECT_EQ(summary.first_sequence, 123'456'780U);
  EXPECT_EQ(summary.last_sequence, 123'456'801U);
  EXPECT_EQ(summary.min_time, at(50));
  EXPECT_EQ(summary.max_time, at(1'700'000'000'100));
  EXPECT_EQ(summary.readings, 3U);
  EXPECT_EQ(summary.series, (std::vector<engine::SeriesId>{3, 17}));
}

TEST(ReadingBlock, RefusesABatchThatIsNone) {
  struct Case {
    const char* what;
    void (*spoil)(Batch&);
  };
  constexpr Case kCases[] = {
      {"no readings", [](Batch& batch) { batch.readings.clear(); }},
      {"no messages", [](Batch& batch) { batch.messages.clear(); }},
      {"a message before the batch", [](Batch& batch) { batch.first += 1; }},
      {"a message behind the batch", [](Batch& batch) { batch.committed -= 1; }},
      {"messages that descend",
       [](Batch& batch) {
         batch.first -= 1;
         batch.messages.push_back(batch.messages[0]);
         batch.messages.back().sequence -= 1;
         batch.messages.back().arrived -= 1;
       }},
      {"a message that was stored before it arrived", [](Batch& batch) { batch.messages[0].arrived += 100; }},
      {"a reading that names no message", [](Batch& batch) { batch.readings[0].message = 1; }},
      {"an id of a series that is not dense", [](Batch& batch) { batch.readings[0].series = 1U << 24U; }},
  };
  Compressor compressor;
  BlockEncoder encoder;
  for (const Case& refused : kCases) {
    Batch batch = one_reading();
    EXPECT_TRUE(encoder.encode(compressor, batch));
    refused.spoil(batch);
    EXPECT_FALSE(encoder.encode(compressor, batch)) << refused.what;
  }
}

// The encoder remembers how a series was written: whatever it has seen, what comes out is what went in.
TEST(ReadingBlock, AnEncoderThatHasSeenMuchStillComesBackBitForBit) {
  std::mt19937_64 random(43);
  Compressor compressor;
  BlockEncoder encoder;
  for (int round = 0; round < 500; ++round) {
    const Batch batch = random_batch(random);
    const auto* written = encoder.encode(compressor, batch).value();
    expect_same(decode_block(compressor, written->block).value(), batch);
  }
}

// ---- how long it is
// --------------------------------------------------------------------------------------------------

TEST(ReadingBlock, OneReadingTakesLessThan150Bytes) {
  Compressor compressor;
  EXPECT_LT(encoded(compressor, one_reading()).size(), 150U);
}

TEST(ReadingBlock, ALargeBatchOfDecimalsTakesLessThan24BytesAReading) {
  Compressor compressor;
  const Batch batch = steel_like(4'000);
  const std::size_t size = encoded(compressor, batch).size();
  // 8 of them are the message's hash; nothing is compressed here.
  EXPECT_LT(size, 4'000U * 24U);
  EXPECT_GT(size, 4'000U * 8U);
}

// ---- damage
// ----------------------------------------------------------------------------------------------------------

TEST(ReadingBlock, EveryTruncationIsAnError) {
  Compressor compressor;
  for (const Batch& batch : {one_reading(), steel_like(60)}) {
    const std::string whole = encoded(compressor, batch);
    for (std::size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(decode_block(compressor, whole.substr(0, size))) << size;
    }
  }
}

TEST(ReadingBlock, EveryFlippedBitIsAnError) {
  Compressor compressor;
  for (const Batch& batch : {one_reading(), steel_like(60)}) {
    const std::string whole = encoded(compressor, batch);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
      std::string damaged = whole;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_FALSE(decode_block(compressor, damaged)) << bit;
    }
  }
}

// Damage that carries a good checksum: a decoder must stay within the bytes whatever they say. Some of it is a block.
TEST(ReadingBlock, SealedNonsenseIsDecodedOrRefusedAndNothingElse) {
  Compressor compressor;
  std::mt19937_64 random(3);
  int refused = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::string raw =
        compressor.open('R', encoded(compressor, round % 2 == 0 ? one_reading() : random_batch(random))).value();
    for (std::uint64_t change = random() % 4; change < 4; ++change) {
      const std::size_t where = random() % raw.size();
      switch (random() % 3) {
        case 0:
          raw[where] = static_cast<char>(random());
          break;
        case 1:
          raw[where] = static_cast<char>(0xff);
          break;
        default:
          raw.resize(where + 1);
      }
    }
    const auto block = decode_block(compressor, compressor.seal('R', raw).value());
    if (!block) {
      ++refused;
      continue;
    }
    for (const ReadingRow& reading : block->readings) ASSERT_LT(reading.message, block->messages.size());
    for (const BlockMessage& message : block->messages) ASSERT_LT(message.topic, block->topics.size());
  }
  EXPECT_GT(refused, 1'000);
}

TEST(ReadingBlock, AHugeCountIsDamageAndNotAnAllocation) {
  Compressor compressor;
  std::string raw;
  ByteWriter out(raw);
  out.varint(0);
  out.varint(1ULL << 40U);
  EXPECT_FALSE(decode_block(compressor, compressor.seal('R', raw).value()));
}

TEST(ReadingBlock, BytesThatAreLeftOverAreDamage) {
  Compressor compressor;
  const std::string raw = compressor.open('R', encoded(compressor, one_reading())).value();
  EXPECT_TRUE(decode_block(compressor, compressor.seal('R', raw).value()));
  EXPECT_FALSE(decode_block(compressor, compressor.seal('R', raw + '\0').value()));
  EXPECT_TRUE(decode_usage(compressor, compressor.seal('U', std::string(1, '\0')).value()));
  EXPECT_FALSE(decode_usage(compressor, compressor.seal('U', std::string(2, '\0')).value()));
}

TEST(ByteReader, AVarintHasAtMost64Bits) {
  const std::string nine(9, '\xff');
  const std::string largest = nine + '\x01';
  ByteReader good(largest);
  EXPECT_EQ(good.varint(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_TRUE(good.at_end());
  for (const std::string& bytes : {nine + '\x02', nine + '\xff', nine}) {
    ByteReader bad(bytes);
    bad.varint();
    EXPECT_TRUE(bad.failed());
  }
}

TEST(Frame, IsOfOneKind) {
  Compressor compressor;
  const std::string frame = compressor.seal('U', "bytes").value();
  EXPECT_EQ(compressor.open('U', frame).value(), "bytes");
  EXPECT_FALSE(compressor.open('R', frame));
}

// ---- columns of their own
// --------------------------------------------------------------------------------------------

TEST(SeriesColumn, HoldsAscendingIds) {
  for (const std::vector<engine::SeriesId>& ids :
       {std::vector<engine::SeriesId>{0}, {5}, {0, 1, 2}, {7, 8, 9, 300, 70'000, 70'001, (1U << 24U) - 1}}) {
    EXPECT_EQ(decode_series(encode_series(ids)).value(), ids);
  }
}

TEST(SeriesColumn, RefusesWhatIsNotAscending) {
  EXPECT_FALSE(decode_series(""));
  EXPECT_FALSE(decode_series(std::string("\x05\x00", 2)));                      // a run of none
  EXPECT_FALSE(decode_series(std::string("\x05\x01\x00\x01", 4)));              // two runs that are one
  EXPECT_FALSE(decode_series("\x80"));                                          // cut off
  EXPECT_FALSE(decode_series("\x05"));                                          // cut off
  EXPECT_FALSE(decode_series("\x01\xff\xff\xff\x0f"));                          // beyond the largest id
  EXPECT_FALSE(decode_series("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f\x01"));  // beyond 64 bits
}

TEST(FrozenUsage, ComesBackWhole) {
  Compressor compressor;
  std::vector<engine::FrozenUsage> usage;
  for (int i = 0; i < 744; ++i) {
    const Time start = at(1'514'764'800'000 + i * 3'600'000LL);
    usage.push_back({start, start + std::chrono::hours(1), i * 37 % 1'000 - 20, 1U + static_cast<std::uint32_t>(i % 3),
                     start + std::chrono::milliseconds(i), start + std::chrono::milliseconds(3'599'000 + i)});
  }
  usage.push_back({Time::min(), Time::max(), std::numeric_limits<std::int64_t>::min(), 0, at(0), at(1)});
  const std::string bytes = encode_usage(compressor, usage).value();
  const auto back = decode_usage(compressor, bytes).value();
  ASSERT_EQ(back.size(), usage.size());
  for (std::size_t i = 0; i < usage.size(); ++i) {
    EXPECT_EQ(std::tie(back[i].start, back[i].end, back[i].quantity, back[i].revision, back[i].first_reading,
                       back[i].last_reading),
              std::tie(usage[i].start, usage[i].end, usage[i].quantity, usage[i].revision, usage[i].first_reading,
                       usage[i].last_reading));
  }
  for (std::size_t size = 0; size < bytes.size(); size += 7)
    EXPECT_FALSE(decode_usage(compressor, bytes.substr(0, size)));
  EXPECT_LT(bytes.size(), 744U * 13U);
}

}  // namespace
}  // namespace fettle::store
