// The columns of level 1: what goes in comes out, bit for bit; what is no column is refused; how long they are.

#include "gateway/store/sqlite/chunk.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

#include "gateway/store/sqlite/message_block.h"
#include "gateway/store/sqlite/rollup.h"

namespace fettle::store {
namespace {

using Numbers = std::vector<std::int64_t>;

constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

std::string written(IntColumns& columns, const Numbers& numbers, IntColumns::Kind kind = IntColumns::Kind::numbers) {
  std::string bytes;
  columns.append(bytes, numbers, kind);
  return bytes;
}

std::vector<std::uint64_t> bits(const std::vector<double>& values) {
  std::vector<std::uint64_t> all;
  for (const double value : values) all.push_back(std::bit_cast<std::uint64_t>(value));
  return all;
}

void expect_same(const Points& a, const Points& b) {
  ASSERT_EQ(a.times, b.times);
  ASSERT_EQ(bits(a.values), bits(b.values));
  ASSERT_EQ(a.flags, b.flags);
}

// ---- whole numbers
// ---------------------------------------------------------------------------------------------------

TEST(IntColumns, ComeBackWhateverTheyAre) {
  std::mt19937_64 random(1);
  IntColumns columns;
  std::vector<Numbers> cases = {{}, {0}, {kLeast}, {kMost, kLeast, kMost}, {1, 1, 1}, {5, 4, 3, 2}, Numbers(1'000, 7)};
  for (int round = 0; round < 400; ++round) {
    Numbers numbers(random() % 700);
    const unsigned width = static_cast<unsigned>(random() % 65);
    const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
    std::int64_t at = static_cast<std::int64_t>(random());
    for (std::int64_t& number : numbers) {
      const auto step = static_cast<std::int64_t>(random() & mask);
      at = round % 3 == 0 ? step
                          : wrapping_sum(at, round % 3 == 1 ? step : step / 2 - static_cast<std::int64_t>(mask / 4));
      if (random() % 200 == 0) at = static_cast<std::int64_t>(random());
      number = at;
    }
    cases.push_back(numbers);
  }
  for (const Numbers& numbers : cases) {
    for (const auto kind : {IntColumns::Kind::numbers, IntColumns::Kind::bits}) {
      const std::string bytes = written(columns, numbers, kind);
      Numbers back(numbers.size());
      ByteReader in(bytes);
      ASSERT_TRUE(columns.take(in, back));
      ASSERT_TRUE(in.at_end());
      ASSERT_EQ(back, numbers);
    }
  }
}

TEST(IntColumns, ARegularGridTakesNextToNothing) {
  IntColumns columns;
  Numbers grid;
  for (int i = 0; i < 8'192; ++i) grid.push_back(1'514'764'800'000 + i * 900'000LL);
  EXPECT_LT(written(columns, grid).size(), 160U);
}

TEST(IntColumns, DamageIsRefusedOrAnotherColumnAndNothingElse) {
  std::mt19937_64 random(2);
  IntColumns columns;
  int refused = 0;
  for (int round = 0; round < 3'000; ++round) {
    Numbers numbers(1 + random() % 300);
    for (std::int64_t& number : numbers) number = static_cast<std::int64_t>(random() >> (round % 64));
    std::string bytes = written(columns, numbers);
    if (round % 2 == 0) bytes.resize(random() % bytes.size());
    for (int change = round % 4; change > 0 && !bytes.empty(); --change) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    const std::string exact(bytes.begin(), bytes.end());
    ByteReader in(exact);
    if (!columns.take(in, numbers)) ++refused;
  }
  EXPECT_GT(refused, 1'000);
}

// ---- chunks
// ----------------------------------------------------------------------------------------------------------

Points points_of(const std::vector<double>& values) {
  Points points;
  for (std::size_t i = 0; i < values.size(); ++i) {
    points.times.push_back(1'700'000'000'000 + static_cast<std::int64_t>(i) * 1'000);
    points.flags.push_back(0);
  }
  points.values = values;
  return points;
}

double odd_value(std::mt19937_64& random) {
  switch (random() % 7) {
    case 0:
      return std::bit_cast<double>(random());
    case 1:
      return std::bit_cast<double>(0x7ff0000000000001ULL | (random() >> 12U));  // not a number, any payload
    case 2:
      return -0.0;
    case 3:
      return random() % 2 == 0 ? -INFINITY : INFINITY;
    case 4:
      return std::numeric_limits<double>::denorm_min() * static_cast<double>(random() % 3);
    case 5:
      return 9007199254740992.0 + static_cast<double>(random() % 5) * (random() % 2 == 0 ? 2 : -2);
    default:
      return std::nextafter(static_cast<double>(random() % 10'000) / 100, 1e9);
  }
}

TEST(Chunk, ComesBackBitForBit) {
  std::mt19937_64 random(3);
  ChunkCodec codec;
  for (int round = 0; round < 400; ++round) {
    std::vector<double> values(1 + random() % 500);
    const auto decimals = static_cast<double>(std::pow(10, round % 9));
    for (double& value : values) {
      const double tame = static_cast<double>(static_cast<std::int64_t>(random() % 100'000) - 50'000) / decimals;
      value = round % 5 == 4 || random() % 20 == 0 ? odd_value(random) : tame;
      if (round % 5 == 3) value = static_cast<double>(static_cast<float>(tame));
    }
    Points points = points_of(values);
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (random() % 5 == 0) points.times[i] += static_cast<std::int64_t>(random() % 100'000);
      if (random() % 9 == 0) points.flags[i] = static_cast<std::uint8_t>(random());
    }
    Points back;
    ASSERT_TRUE(codec.decode(codec.encode(points).value(), points.size(), back));
    expect_same(back, points);
  }
}

TEST(Chunk, OriginsComeBack) {
  ChunkCodec codec;
  Origins origins;
  for (int i = 0; i < 300; ++i) {
    origins.sequences.push_back(1'000'000 + i * 3);
    origins.ordinals.push_back(i % 50 == 0 ? 1 : 0);
  }
  Origins back;
  ASSERT_TRUE(codec.decode(codec.encode(origins).value(), 300, back));
  EXPECT_EQ(back, origins);
}

// What a device that sends floats means by them is a decimal as well.
TEST(Chunk, FloatsThatAreDecimalsTakeAsLittleAsDoubles) {
  std::mt19937_64 random(4);
  std::vector<double> doubles;
  std::vector<double> floats;
  int whole = 2'000;
  for (int i = 0; i < 4'000; ++i) {
    whole += static_cast<int>(random() % 21) - 10;
    doubles.push_back(whole / 100.0);
    floats.push_back(static_cast<double>(static_cast<float>(whole) / 100.0F));
  }
  ChunkCodec codec;
  const auto size_of = [&](const std::vector<double>& values) {
    return codec.encode(points_of(values)).value().size();
  };
  EXPECT_LT(size_of(doubles), 3'000U);
  EXPECT_LT(size_of(floats), 3'100U);
}

// One odd value costs itself, not its neighbours.
TEST(Chunk, AFewOddValuesCostLittle) {
  std::vector<double> values;
  for (int i = 0; i < 4'000; ++i) values.push_back((i * 37 % 100) / 100.0);
  ChunkCodec codec;
  const std::size_t before = codec.encode(points_of(values)).value().size();
  values[7] = std::nan("");
  values[2'000] = -0.0;
  values[3'999] = 1.0 / 3;
  EXPECT_LT(codec.encode(points_of(values)).value().size(), before + 60);
}

TEST(Chunk, EveryTruncationAndFlippedBitIsAnError) {
  std::mt19937_64 random(5);
  ChunkCodec codec;
  Points points = points_of({1.5, 2.5, -0.0, 1.0 / 3, 7});
  for (int i = 0; i < 60; ++i) {
    points.times.push_back(static_cast<std::int64_t>(random() % 1'000));
    points.values.push_back(static_cast<double>(random() % 1'000));
    points.flags.push_back(0);
  }
  const std::string whole = codec.encode(points).value();
  Points back;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ASSERT_FALSE(codec.decode(whole.substr(0, size), points.size(), back)) << size;
  }
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(codec.decode(damaged, points.size(), back)) << bit;
  }
  EXPECT_FALSE(codec.decode(whole, points.size() + 1, back));
}

// Damage that carries a good checksum: a decoder stays within the bytes whatever they say.
TEST(Chunk, SealedNonsenseIsDecodedOrRefusedAndNothingElse) {
  std::mt19937_64 random(6);
  ChunkCodec codec;
  Compressor compressor;
  int refused = 0;
  for (int round = 0; round < 3'000; ++round) {
    std::vector<double> values(1 + random() % 200);
    for (double& value : values) value = round % 2 == 0 ? odd_value(random) : static_cast<double>(random() % 500) / 10;
    std::string raw = compressor.open(kPointsKind, codec.encode(points_of(values)).value()).value();
    for (std::uint64_t change = random() % 4; change < 4; ++change) {
      const std::size_t where = random() % raw.size();
      if (random() % 4 == 0)
        raw.resize(where + 1);
      else
        raw[where] = static_cast<char>(random());
    }
    Points back;
    if (!codec.decode(compressor.seal(kPointsKind, raw).value(), values.size(), back)) ++refused;
  }
  EXPECT_GT(refused, 1'000);
}

// ---- messages and roll-ups
// -------------------------------------------------------------------------------------------

TEST(MessageBlock, ComesBackAndFindsByRecordAndPlace) {
  MessageBlock block;
  block.topics = {"a", "b"};
  for (std::uint32_t i = 0; i < 200; ++i) {
    block.messages.push_back({100 + i / 3 * 2, 50 + i / 3, engine::Time(std::chrono::milliseconds(1'000 * i)), i % 2,
                              0x0123456789abcdefULL * (i + 1)});
  }
  MessageCodec codec;
  const std::string bytes = codec.encode(block).value();
  const MessageBlock back = codec.decode(bytes).value();
  EXPECT_EQ(back.topics, block.topics);
  ASSERT_EQ(back.messages.size(), block.messages.size());
  for (std::uint32_t i = 0; i < 200; ++i) {
    const BlockMessage* found = back.find(block.messages[i].sequence, i % 3);
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->hash, block.messages[i].hash);
    ASSERT_EQ(found->arrived, block.messages[i].arrived);
    ASSERT_EQ(found->received, block.messages[i].received);
    ASSERT_EQ(found->topic, block.messages[i].topic);
  }
  EXPECT_EQ(back.find(101, 0), nullptr);
  EXPECT_EQ(back.find(100, 3), nullptr);
  EXPECT_EQ(back.find(99, 0), nullptr);
  for (std::size_t size = 0; size < bytes.size(); ++size) ASSERT_FALSE(codec.decode(bytes.substr(0, size))) << size;
}

TEST(Rollup, ComesBackAndAddsUp) {
  Buckets buckets;
  for (int i = 0; i < 500; ++i) {
    const std::int64_t start = floor_to(-200 * 60'000 + i * 60'000 + 59'999, 60'000);
    buckets[start].add(i / 10.0);
    buckets[start].add(-i);
  }
  RollupCodec codec;
  const std::string bytes = codec.encode(buckets, 60'000).value();
  EXPECT_EQ(codec.decode(bytes, 60'000).value(), buckets);
  EXPECT_EQ(buckets.begin()->second.count, 2U);
  EXPECT_EQ(buckets.rbegin()->second.least, -499);
  EXPECT_EQ(buckets.rbegin()->second.largest, 49.9);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    ASSERT_FALSE(codec.decode(bytes.substr(0, size), 60'000)) << size;
}

TEST(Rollup, ASpanBeginsAtOrBeforeItsTimes) {
  EXPECT_EQ(floor_to(0, 10), 0);
  EXPECT_EQ(floor_to(9, 10), 0);
  EXPECT_EQ(floor_to(-1, 10), -10);
  EXPECT_EQ(floor_to(-10, 10), -10);
}

}  // namespace
}  // namespace fettle::store
