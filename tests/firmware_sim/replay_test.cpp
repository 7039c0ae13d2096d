// Order, repetition and clock messages of a replay, and the files it comes from.

#include "firmware-sim/replay.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "firmware-sim/clocked_source.h"
#include "firmware-sim/recording_file.h"

namespace fettle::sim {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::vector<Message> numbered(int count, int millis_apart) {
  std::vector<Message> messages;
  for (int i = 0; i < count; ++i) {
    messages.push_back(
        {MessageKind::kTelemetry, "t", std::to_string(i), EventTime(milliseconds(std::int64_t{i} * millis_apart))});
  }
  return messages;
}

std::vector<std::string> payloads(MessageSource& source) {
  std::vector<std::string> texts;
  while (const auto message = source.next()) texts.push_back(message->payload);
  return texts;
}

std::vector<std::string> payloads(std::vector<Message> messages) {
  ListedMessages listed(std::move(messages));
  return payloads(listed);
}

TEST(Arrange, ShufflingIsAPermutation) {
  auto shuffled = payloads(arrange(numbered(1000, 1), ReplayOrder::kShuffled, Repeats::kOnce, 42));
  auto recorded = payloads(numbered(1000, 1));
  EXPECT_NE(shuffled, recorded);
  std::ranges::sort(shuffled);
  std::ranges::sort(recorded);
  EXPECT_EQ(shuffled, recorded);
}

TEST(Arrange, TheSameSeedGivesTheSameOrderEverywhere) {
  const auto shuffled = [](std::uint64_t seed) {
    return payloads(arrange(numbered(8, 1), ReplayOrder::kShuffled, Repeats::kOnce, seed));
  };
  // Computed once by an independent Fisher-Yates over MT19937-64; a change of this order breaks reproducible runs.
  EXPECT_EQ(shuffled(7), (std::vector<std::string>{"2", "3", "5", "6", "1", "0", "4", "7"}));
  EXPECT_NE(shuffled(7), shuffled(8));
}

TEST(Arrange, TwiceMeansTwiceInARow) {
  EXPECT_EQ(payloads(arrange(numbered(3, 1), ReplayOrder::kRecorded, Repeats::kTwice, 1)),
            (std::vector<std::string>{"0", "0", "1", "1", "2", "2"}));
}

TEST(ClockedSource, TheClockMovesWhenEventTimeHasAdvancedAMinute) {
  ListedMessages listed(numbered(5, 25'000));
  ClockedSource source(listed);
  EXPECT_EQ(payloads(source), (std::vector<std::string>{R"({"now":0})", "0", "1", "2", R"({"now":75000})", "3", "4"}));
}

TEST(ClockedSource, TheClockNeverGoesBackNorAheadOfWhatWasPublished) {
  auto messages = numbered(3, 60'000);
  messages.push_back({MessageKind::kTelemetry, "t", "behind", EventTime(milliseconds(-3'600'000))});
  messages.push_back({MessageKind::kTelemetry, "t", "ahead", EventTime(milliseconds(180'000))});
  ListedMessages listed(std::move(messages));
  ClockedSource source(listed);
  EXPECT_EQ(payloads(source),
            (std::vector<std::string>{R"({"now":0})", "0", R"({"now":60000})", "1", R"({"now":120000})", "2", "behind",
                                      R"({"now":180000})", "ahead"}));
}

TEST(ClockedSource, ShuffledMessagesHaveTheEndFirstAndNoOtherClock) {
  ListedMessages listed(numbered(3, 600'000));
  ClockedSource source(listed, EventTime(milliseconds(1'200'000)));
  EXPECT_EQ(payloads(source), (std::vector<std::string>{R"({"now":1200000})", "0", "1", "2"}));
}

TEST(ClockedSource, ClockMessagesGoToTheClockTopic) {
  const Message message = clock_message(EventTime(milliseconds(5)));
  EXPECT_EQ(message.topic, "fettle/v1/clock");
  EXPECT_EQ(message.kind, MessageKind::kClock);
}

class RecordingFolder : public testing::Test {
 protected:
  RecordingFolder() {
    std::string name = (fs::temp_directory_path() / "fettle-sim-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    fs::create_directory(folder_ / "nab");
    fs::create_directory(folder_ / "battery");
  }
  ~RecordingFolder() override { fs::remove_all(folder_); }

  void write(const fs::path& name, const std::string& text) const { std::ofstream(folder_ / name) << text; }

  void write_gzip(const fs::path& name, const std::string& text) const {
    gzFile out = gzopen((folder_ / name).c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
  }

  std::string problem(Dataset dataset) const {
    const auto messages = load_recording(dataset, folder_, {});
    return messages ? "none" : messages.error().text;
  }

  fs::path folder_;
};

const std::string kNabText = "timestamp,value\n2014-01-01 10:00:00,1.5\n2014-01-01 10:05:00,1.6\n";

TEST_F(RecordingFolder, PlainAndGzipFilesReadTheSame) {
  write("nab/m.csv", kNabText);
  const auto plain = load_recording(Dataset::kNab, folder_, {});
  fs::remove(folder_ / "nab/m.csv");
  write_gzip("nab/m.csv.gz", kNabText);
  const auto packed = load_recording(Dataset::kNab, folder_, {});
  ASSERT_TRUE(plain && packed);
  EXPECT_EQ(plain->size(), 2u);
  EXPECT_EQ(*plain, *packed);
}

TEST_F(RecordingFolder, ATruncatedGzipFileIsDamaged) {
  std::string text = "timestamp,value\n";
  for (int i = 0; i < 5000; ++i) text += "2014-01-01 10:00:00," + std::to_string(i * 7919 % 10007) + "\n";
  write_gzip("nab/m.csv.gz", text);
  fs::resize_file(folder_ / "nab/m.csv.gz", fs::file_size(folder_ / "nab/m.csv.gz") / 2);
  EXPECT_NE(problem(Dataset::kNab).find("the file is damaged or incomplete"), std::string::npos)
      << problem(Dataset::kNab);
}

TEST_F(RecordingFolder, MissingOrDoubledFilesAreNamed) {
  EXPECT_NE(problem(Dataset::kSteel).find("steel: cannot be read: No such file or directory"), std::string::npos);
  EXPECT_NE(problem(Dataset::kNab).find("nab: holds no .csv or .csv.gz file"), std::string::npos);
  write("nab/a.csv", kNabText);
  write("nab/b.csv", kNabText);
  EXPECT_NE(problem(Dataset::kNab).find("holds both a.csv and b.csv"), std::string::npos);
  write("battery/B1_discharge.csv",
        "cycle_num,ambient_temperature,cycle_time_start,Capacity,Voltage_measured,Current_measured,"
        "Temperature_measured,Current_load,Voltage_load,Time\n");
  write("battery/B1_discharge.csv.gz", "");
  EXPECT_NE(problem(Dataset::kBattery).find("cell B1 is there twice"), std::string::npos) << problem(Dataset::kBattery);
}

}  // namespace
}  // namespace fettle::sim
