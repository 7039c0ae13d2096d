// The outbox: what was added and not yet out of doubt is there after whatever ended the process.

#include "firmware-sim/outbox.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "gateway/mqtt/sparkplug_session.h"

namespace fettle::sim {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Sent = Outbox::SentTime;

const Sent kStart{seconds(1'700'000'000)};
constexpr std::uint64_t kRun = 77;

Batch batch(std::uint32_t asset, std::int64_t value) {
  const EventTime at{seconds(1'600'000'000 + value)};
  Batch out{asset, at, {}};
  out.readings.push_back({0, at, static_cast<double>(value) / 4});
  out.readings.push_back({1, at, value});
  out.readings.push_back({2, at, "state " + std::to_string(value)});
  return out;
}

class OutboxFile : public testing::Test {
 public:
  OutboxFile() {
    std::string name = (fs::temp_directory_path() / "fettle-outbox-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    file_ = folder_ / "buffer";
  }
  ~OutboxFile() override { fs::remove_all(folder_); }
  OutboxFile(const OutboxFile&) = delete;
  OutboxFile& operator=(const OutboxFile&) = delete;

 protected:
  Outbox open(const OutboxLimits& limits = {.overlap = seconds(10)}, std::uint64_t run = kRun) const {
    auto box = Outbox::open(file_, run, limits);
    if (!box) throw std::runtime_error(box.error().text);
    return std::move(*box);
  }

  std::string refusal(std::uint64_t run) const {
    const auto box = Outbox::open(file_, run, {});
    return box ? "none" : box.error().text;
  }

  std::string bytes() const {
    std::ifstream in(file_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  void write_bytes(const std::string& text) const { std::ofstream(file_, std::ios::binary) << text; }

  fs::path folder_;
  fs::path file_;
};

void add(Outbox& box, std::int64_t value, std::optional<Sent> sent) {
  box.add(batch(static_cast<std::uint32_t>(value % 3), value), static_cast<std::uint64_t>(value), sent);
  EXPECT_FALSE(box.commit());
}

// All that is pending, as sent at `now`: the values of the second signal.
std::vector<std::int64_t> take_all(Outbox& box, Sent now) {
  std::vector<std::int64_t> values;
  for (;;) {
    const auto taken = box.take_pending(7, now);
    if (!taken) throw std::runtime_error(taken.error().text);
    if (taken->empty()) return values;
    for (const auto& one : *taken) {
      const auto value = std::get<std::int64_t>(one.readings.at(1).value);
      EXPECT_EQ(one, batch(static_cast<std::uint32_t>(value % 3), value));
      values.push_back(value);
    }
  }
}

std::vector<std::int64_t> numbers(std::int64_t from, std::int64_t to) {
  std::vector<std::int64_t> out;
  for (; from <= to; ++from) out.push_back(from);
  return out;
}

TEST_F(OutboxFile, WhatCouldNotBeSentIsPendingInItsOrder) {
  auto box = open();
  for (std::int64_t i = 1; i <= 20; ++i) add(box, i, std::nullopt);
  EXPECT_EQ(box.pending(), 60U) << "readings";
  EXPECT_EQ(take_all(box, kStart), numbers(1, 20));
  EXPECT_EQ(box.pending(), 0U);
  EXPECT_FALSE(box.empty()) << "it may be in doubt yet";
}

TEST_F(OutboxFile, WhatWasSentWithinTheOverlapBeforeALossIsPendingAgain) {
  auto box = open({.overlap = seconds(10)});
  for (std::int64_t i = 1; i <= 30; ++i) add(box, i, kStart + seconds(i));
  EXPECT_EQ(box.pending(), 0U);
  EXPECT_FALSE(box.doubt(kStart + seconds(30)));
  EXPECT_EQ(take_all(box, kStart + seconds(31)), numbers(20, 30));
  // What was sent as history is in doubt as well.
  EXPECT_FALSE(box.doubt(kStart + seconds(40)));
  EXPECT_EQ(take_all(box, kStart + seconds(41)), numbers(20, 30));
  EXPECT_FALSE(box.doubt(kStart + seconds(60)));
  EXPECT_EQ(box.pending(), 0U) << "the host stayed for longer than the overlap";
}

TEST_F(OutboxFile, WithoutAnOverlapNothingIsRepeated) {
  auto box = open({.overlap = milliseconds(0)});
  add(box, 1, kStart);
  EXPECT_FALSE(box.doubt(kStart + milliseconds(1)));
  EXPECT_EQ(box.pending(), 0U);
}

TEST_F(OutboxFile, WhatIsOutOfDoubtIsLetGo) {
  auto box = open({.overlap = seconds(10)});
  add(box, 1, kStart);
  add(box, 2, kStart + seconds(5));
  EXPECT_EQ(box.next_retirement(), kStart + seconds(10) + milliseconds(1));
  EXPECT_FALSE(box.retire(kStart + seconds(10)));
  EXPECT_FALSE(box.empty());
  EXPECT_FALSE(box.retire(kStart + seconds(15) + milliseconds(1)));
  EXPECT_TRUE(box.empty());
  EXPECT_EQ(box.position(), 2U) << "the source goes on behind it all the same";
}

TEST_F(OutboxFile, EverythingIsThereAgainAfterAKill) {
  {
    auto box = open({.overlap = seconds(10)});
    EXPECT_FALSE(box.keep_next_session(5));
    for (std::int64_t i = 1; i <= 10; ++i) add(box, i, kStart + seconds(i * 10));
    for (std::int64_t i = 11; i <= 20; ++i) add(box, i, std::nullopt);
    EXPECT_EQ(box.take_pending(9, kStart + seconds(200))->size(), 3U);
  }
  auto box = open({.overlap = seconds(10)});
  EXPECT_EQ(box.next_session(), 5);
  EXPECT_EQ(box.position(), 20U);
  // 11 to 13 were sent last: what was sent within the overlap before that, too, is in doubt.
  EXPECT_EQ(take_all(box, kStart + seconds(300)), numbers(11, 20));
}

TEST_F(OutboxFile, ALossIsRememberedOverAKill) {
  {
    auto box = open({.overlap = seconds(10)});
    add(box, 1, kStart);
    add(box, 2, kStart + seconds(1));
    EXPECT_FALSE(box.doubt(kStart + seconds(2)));
    add(box, 3, kStart + seconds(60));
  }
  auto box = open({.overlap = seconds(10)});
  EXPECT_EQ(take_all(box, kStart + seconds(61)), numbers(1, 3));
}

TEST_F(OutboxFile, ATornTailIsCutAndHidesNothingBeforeIt) {
  std::vector<std::size_t> ends;  // size of the file after each batch
  {
    auto box = open();
    ends.push_back(bytes().size());
    for (std::int64_t i = 1; i <= 8; ++i) {
      add(box, i, std::nullopt);
      ends.push_back(bytes().size());
    }
  }
  const std::string whole = bytes();
  for (std::size_t size = ends.front(); size <= whole.size(); ++size) {
    write_bytes(whole.substr(0, size));
    auto box = open();
    std::int64_t expected = 0;
    while (static_cast<std::size_t>(expected) + 1 < ends.size() && ends[static_cast<std::size_t>(expected) + 1] <= size)
      ++expected;
    ASSERT_EQ(box.counts().torn_bytes, size - ends[static_cast<std::size_t>(expected)]);
    ASSERT_EQ(take_all(box, kStart), numbers(1, expected));
    add(box, expected + 1, std::nullopt);
    ASSERT_EQ(take_all(box, kStart), numbers(expected + 1, expected + 1));
  }
}

TEST_F(OutboxFile, ADamagedByteEndsTheFileThere) {
  {
    auto box = open();
    for (std::int64_t i = 1; i <= 5; ++i) add(box, i, std::nullopt);
  }
  const std::string whole = bytes();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    std::string spoiled = whole;
    spoiled[at] = static_cast<char>(spoiled[at] ^ 0x20);
    write_bytes(spoiled);
    auto box = Outbox::open(file_, kRun, {});
    if (!box) {
      EXPECT_NE(box.error().text.find("is no buffer of fettle-sim"), std::string::npos);
      continue;
    }
    const auto values = take_all(*box, kStart);
    ASSERT_EQ(values, numbers(1, static_cast<std::int64_t>(values.size())));
    ASSERT_LT(values.size(), 5U);
  }
}

TEST_F(OutboxFile, AFullBufferDropsTheOldestAndCountsIt) {
  const OutboxLimits limits{.bytes = kLeastOutboxBytes, .overlap = seconds(10)};
  auto box = open(limits);
  constexpr std::int64_t kMany = 2'000;
  for (std::int64_t i = 1; i <= kMany; ++i) add(box, i, std::nullopt);
  const auto dropped = static_cast<std::int64_t>(box.counts().dropped / 3);
  EXPECT_GT(dropped, 0);
  EXPECT_EQ(box.pending() + box.counts().dropped, static_cast<std::uint64_t>(kMany) * 3);
  EXPECT_EQ(take_all(box, kStart), numbers(dropped + 1, kMany));
  EXPECT_FALSE(box.retire(kStart));
  EXPECT_LE(bytes().size(), 4 * kLeastOutboxBytes + (1U << 20U));
}

TEST_F(OutboxFile, ItIsRewrittenWithoutWhatIsNoLongerNeeded) {
  std::int64_t value = 0;
  {
    auto box = open({.overlap = seconds(10)});
    EXPECT_FALSE(box.keep_next_session(9));
    std::size_t largest = 0;
    for (int second = 0; second < 400; ++second) {
      const Sent now = kStart + seconds(second);
      for (int i = 0; i < 100; ++i) add(box, ++value, now);
      EXPECT_FALSE(box.retire(now));
      largest = std::max(largest, bytes().size());
    }
    EXPECT_LT(largest, 3U << 20U) << "40,000 batches of more than 100 bytes";
    add(box, ++value, std::nullopt);
  }
  auto box = open({.overlap = seconds(10)});
  EXPECT_EQ(box.next_session(), 9);
  EXPECT_EQ(box.position(), static_cast<std::uint64_t>(value));
  EXPECT_EQ(take_all(box, kStart + seconds(400)), numbers(value - 1'100, value));
}

// A broker takes a silent connection for alive for one and a half keep-alives (MQTT 3.1.1, 3.1.2.10).
TEST_F(OutboxFile, KeepsByItselfWhatIsSentToAGatewayWhoseDeathNobodyNoticedYet) {
  const auto unnoticed = mqtt_adapter::SparkplugOptions{}.keep_alive * 3 / 2;
  auto box = open(OutboxLimits{});
  add(box, 1, kStart);
  EXPECT_FALSE(box.retire(kStart + unnoticed));
  EXPECT_FALSE(box.doubt(kStart + unnoticed));
  EXPECT_EQ(take_all(box, kStart + unnoticed), numbers(1, 1));
}

TEST_F(OutboxFile, AnotherRunsReadingsAreNotTakenForOnesOwn) {
  {
    auto box = open();
    add(box, 1, std::nullopt);
  }
  EXPECT_NE(refusal(kRun + 1).find("holds 3 readings of another run"), std::string::npos) << refusal(kRun + 1);
  {
    auto box = open();
    EXPECT_EQ(take_all(box, kStart), numbers(1, 1));
    EXPECT_FALSE(box.retire(kStart + seconds(60)));
    EXPECT_FALSE(box.keep_next_session(3));
    EXPECT_FALSE(box.finish());
  }
  auto other = open({}, kRun + 1);
  EXPECT_EQ(other.position(), 0U);
  EXPECT_EQ(other.next_session(), 3) << "the node's sessions go on";
}

TEST_F(OutboxFile, AFinishedRunBeginsAtItsBeginning) {
  {
    auto box = open();
    add(box, 1, kStart);
    EXPECT_FALSE(box.retire(kStart + seconds(60)));
    EXPECT_EQ(box.position(), 1U);
    EXPECT_FALSE(box.finish());
  }
  EXPECT_EQ(open().position(), 0U);
}

TEST_F(OutboxFile, OneProcessAtATime) {
  const auto first = open();
  EXPECT_NE(refusal(kRun).find("in use by another fettle-sim"), std::string::npos);
}

TEST_F(OutboxFile, AFileOfSomethingElseIsLeftAlone) {
  write_bytes("timestamp,value\n");
  EXPECT_NE(refusal(kRun).find("is no buffer of fettle-sim"), std::string::npos);
  EXPECT_EQ(bytes(), "timestamp,value\n");
}

TEST_F(OutboxFile, AFolderThatCannotBeWrittenIsNamed) {
  file_ = folder_ / "absent" / "buffer";
  EXPECT_NE(refusal(kRun).find(file_.string() + ": cannot be opened"), std::string::npos) << refusal(kRun);
}

TEST_F(OutboxFile, WithoutAPathItWorksAndLeavesNothingBehind) {
  auto box = Outbox::open(std::nullopt, kRun, {});
  ASSERT_TRUE(box);
  add(*box, 1, std::nullopt);
  EXPECT_EQ(take_all(*box, kStart), numbers(1, 1));
}

// The law: whatever is sent, lost, retired, killed and reopened, no value is forgotten between being added and having
// been sent for longer than the overlap without a loss.
TEST_F(OutboxFile, NothingIsForgottenUnderRandomHistories) {
  for (std::uint64_t seed = 1; seed <= 40 && !HasFailure(); ++seed) {
    std::mt19937_64 random(seed);
    fs::remove(file_);
    std::optional<Outbox> box = open({.overlap = seconds(10)});
    Sent now = kStart;
    std::int64_t added = 0;
    std::vector<std::optional<Sent>> last_sent(1);  // by value; absent: not sent, or in doubt
    for (int step = 0; step < 300; ++step) {
      now += milliseconds(random() % 3'000);
      switch (random() % 8) {
        case 0:
          EXPECT_FALSE(box->doubt(now));
          for (auto& sent : last_sent) {
            if (sent && *sent >= now - seconds(10)) sent.reset();
          }
          break;
        case 1:
          box.reset();
          box.emplace(open({.overlap = seconds(10)}));
          // What may have been on its way is in doubt; more than that may be sent again, less may not.
          break;
        case 2: {
          const auto taken = box->take_pending(1 + random() % 40, now);
          ASSERT_TRUE(taken);
          for (const auto& one : *taken)
            last_sent[static_cast<std::size_t>(std::get<std::int64_t>(one.readings[1].value))] = now;
          break;
        }
        case 3:
          EXPECT_FALSE(box->retire(now));
          break;
        default:
          last_sent.push_back(random() % 2 == 0 ? std::optional(now) : std::nullopt);
          add(*box, ++added, last_sent.back());
      }
    }
    const auto left = take_all(*box, now);
    for (std::int64_t value = 1; value <= added; ++value) {
      if (last_sent[static_cast<std::size_t>(value)]) continue;
      EXPECT_TRUE(std::ranges::find(left, value) != left.end()) << value << " is lost, seed " << seed;
    }
  }
}

}  // namespace
}  // namespace fettle::sim
