// A second reader, written from docs/reference/storage-format.md and in another language, finds what was written.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <fstream>
#include <random>
#include <sstream>

#include "gateway/store/sqlite/block_encoder.h"
#include "tests/contract/store_rows.h"
#include "tests/gateway/store/merge_steps.h"
#include "tests/gateway/store/scratch.h"

namespace fettle::store {
namespace {

using engine::Effects;
using engine::Sequence;
using namespace engine::contract;

std::string line_of(const engine::ReadingRow& reading, const engine::MessageRow& message) {
  std::array<char, 256> text{};
  std::snprintf(text.data(), text.size(), "%u %lld %016llx %u %llu %llu %lld %s %016llx", reading.series,
                static_cast<long long>(reading.time.time_since_epoch().count()),
                static_cast<unsigned long long>(std::bit_cast<std::uint64_t>(reading.value)), reading.flags,
                static_cast<unsigned long long>(message.sequence), static_cast<unsigned long long>(message.arrived),
                static_cast<long long>(message.received.time_since_epoch().count()), message.topic.c_str(),
                static_cast<unsigned long long>(message.hash));
  return text.data();
}

// What a program prints. Fails the test where the program does.
std::string output_of(const std::string& command) {
  std::string text;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  std::array<char, 4096> buffer{};
  for (std::size_t read = 0; (read = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    text.append(buffer.data(), read);
  }
  EXPECT_EQ(::pclose(pipe), 0) << command;
  return text;
}

class IndependentReaderTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.file("store.db"); }

  // Series of each kind: decimals, floats, any bits, a counter that hardly changes, one that is nothing but odd values.
  double value(engine::SeriesId series) {
    switch (series) {
      case 0:
        return static_cast<double>(static_cast<int>(random_() % 4'000) - 2'000) / 100;
      case 1:
        return static_cast<double>(static_cast<float>(random_() % 1'000) / 10.0F);
      case 2:
        return std::bit_cast<double>(static_cast<std::uint64_t>(random_()) << 32U | random_());
      case 3:
        return 17;
      case 4:
        return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(random_() % 0x7f000000U)));
      default:
        return random_() % 5 == 0 ? -0.0 : static_cast<double>(random_() % 100'000) / 1e4;
    }
  }
  void commit_batch() {
    Effects effects = effects_at(sequence_);
    effects.first = sequence_ + 1;
    for (std::uint32_t i = 0; i < 30; ++i) {
      sequence_ += i % 4 == 0 ? 0 : 1;
      if (i == 0) ++sequence_;
      engine::MessageRow row = message(sequence_);
      row.arrived = sequence_ - random_() % std::min<Sequence>(sequence_, 3);
      row.hash = static_cast<std::uint64_t>(random_()) << 32U | random_();
      row.topic = "fettle/v1/press-" + std::to_string(random_() % 3) + "/telemetry";
      effects.messages.push_back(row);
      for (engine::SeriesId series = 0; series < 6; ++series) {
        if (random_() % 3 == 0) continue;
        const auto time = static_cast<std::int64_t>(sequence_ * 1'000 + (random_() % 10 == 0 ? random_() % 50'000 : 0));
        effects.readings.push_back({series, at(series == 3 ? static_cast<std::int64_t>(sequence_) * 60'000 : time),
                                    value(series), static_cast<std::uint8_t>(random_() % 8 == 0 ? random_() % 32 : 0),
                                    i});
        lines_.push_back(line_of(effects.readings.back(), effects.messages.back()));
      }
    }
    effects.committed = sequence_;
    ASSERT_TRUE(store_->commit(effects));
  }
  void expect_all() {
    std::sort(lines_.begin(), lines_.end());
    std::string expected;
    for (const std::string& line : lines_) expected += line + "\n";
    EXPECT_EQ(output_of("python3 " FETTLE_SOURCE_DIR "/tests/gateway/store/read_store.py " + file().string()),
              expected);
  }

  ScratchFolder folder_;
  std::unique_ptr<SqliteStore> store_ = open_store(file());
  std::mt19937 random_{20};
  Sequence sequence_ = 0;
  std::vector<std::string> lines_;
};

TEST_F(IndependentReaderTest, FindsEveryReadingInBothLevels) {
  for (int batch = 0; batch < 12; ++batch) commit_batch();
  expect_all();
  MergeLimits limits;
  limits.chunk_readings = 300;
  limits.message_block = 200;
  ASSERT_TRUE(Steps().merge(*store_, file(), limits));
  expect_all();
  for (int batch = 0; batch < 3; ++batch) commit_batch();
  expect_all();
  Steps some;  // a merge that is not finished, and one that is but not tidied up after
  some.stop_after = 1;
  limits.piece_bytes = 500;
  some.merge(*store_, file(), limits);
  expect_all();
}

// ---- the examples in the document
// ------------------------------------------------------------------------------------

std::string hexadecimal(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    std::array<char, 3> two{};
    std::snprintf(two.data(), two.size(), "%02x", static_cast<unsigned>(static_cast<unsigned char>(byte)));
    text += two.data();
  }
  return text;
}

// The bytes of each example: pairs of hexadecimal digits at the beginnings of lines of the code block under its
// heading.
std::vector<std::string> documented() {
  std::ifstream document(FETTLE_SOURCE_DIR "/docs/reference/storage-format.md");
  std::vector<std::string> examples;
  bool heading = false;
  bool code = false;
  for (std::string line; std::getline(document, line);) {
    if (line == "### Example") {
      heading = true;
      examples.emplace_back();
    } else if (line == "```") {
      code = heading && !code;
      if (!code) heading = heading && examples.back().empty();
    } else if (code) {
      std::istringstream words(line);
      for (std::string word; words >> word;) {
        const bool is_byte = word.size() == 2 && word.find_first_not_of("0123456789abcdef") == std::string::npos;
        if (!is_byte) break;
        examples.back() += word;
      }
    }
  }
  return examples;
}

TEST(StorageFormat, TheExamplesInTheDocumentAreWhatIsWritten) {
  const auto examples = documented();
  ASSERT_EQ(examples.size(), 2U);

  Compressor compressor;
  BlockEncoder encoder;
  Effects effects;
  effects.first = effects.committed = 7;
  effects.messages = {{7, 7, at(1'000), "a", 0x1122334455667788}};
  effects.readings = {{3, at(990), 21.57, 0, 0}, {3, at(995), 21.6, 0, 0}};
  EXPECT_EQ(hexadecimal(encoder.encode(compressor, effects).value()->block), examples[0]);

  ChunkCodec codec;
  const Points points{{1'000, 2'000, 3'000}, {21.5, 21.6, 21.7}, {0, 0, 0}};
  EXPECT_EQ(hexadecimal(codec.encode(points).value()), examples[1]);
}

}  // namespace
}  // namespace fettle::store
