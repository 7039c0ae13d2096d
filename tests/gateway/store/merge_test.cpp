#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <random>
#include <thread>

#include "gateway/store/memory/memory_store.h"
#include "gateway/store/sqlite/merger.h"
#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/verify.h"
#include "tests/contract/store_rows.h"
#include "tests/gateway/store/merge_steps.h"
#include "tests/gateway/store/scratch.h"

namespace fettle::store {
namespace {

using engine::Effects;
using engine::Sequence;
using engine::SeriesId;
using engine::StoredReading;
using engine::Time;
using namespace engine::contract;

constexpr SeriesId kSeries = 40;
constexpr Sequence kAll = ~Sequence{0};

// Readings as they come: mostly in order of time, some late, some twice, some from messages that had to wait.
class History {
 public:
  explicit History(unsigned seed) : random_(seed) {}

  Effects next() {
    Effects effects;
    effects.first = sequence_ + 1;
    for (int messages = roll(1, 8); messages > 0; --messages) {
      if (effects.messages.empty() || roll(0, 3) > 0) sequence_ += static_cast<Sequence>(roll(1, 3));
      engine::MessageRow row = message(sequence_);
      row.arrived = sequence_ - static_cast<Sequence>(roll(0, 2) == 0 ? roll(0, static_cast<int>(sequence_ - 1)) : 0);
      row.topic = "fettle/v1/press-" + std::to_string(roll(0, 3)) + "/telemetry";
      row.hash = random_();
      effects.messages.push_back(row);
      for (int readings = roll(1, 5); readings > 0; --readings) add_reading(effects);
    }
    effects.committed = sequence_ + static_cast<Sequence>(roll(0, 1));
    sequence_ = effects.committed;
    effects.now = at(clock_);
    if (!named_) {
      for (SeriesId id = 0; id < kSeries; ++id) effects.series.push_back({id, "press", "signal-" + std::to_string(id)});
      named_ = true;
    }
    return effects;
  }
  int roll(int from, int to) { return std::uniform_int_distribution<int>(from, to)(random_); }
  SeriesId any_series() { return static_cast<SeriesId>(roll(0, 1) == 0 ? 0 : roll(0, static_cast<int>(kSeries) - 1)); }
  Sequence last() const { return sequence_; }
  std::int64_t clock() const { return clock_; }

 private:
  void add_reading(Effects& effects) {
    clock_ += roll(0, 20);
    const bool late = roll(0, 9) == 0;
    const Time time = at(late ? roll(0, static_cast<int>(clock_)) : clock_);
    double value = static_cast<double>(roll(-5'000, 5'000)) / 100;
    if (roll(0, 30) == 0) value = std::bit_cast<double>(std::uint64_t{random_()} << 32U | random_());
    // Flags first bits stand for what the engine found; any byte must survive.
    effects.readings.push_back({any_series(), time, value, static_cast<std::uint8_t>(roll(0, 6) == 0 ? roll(0, 31) : 0),
                                static_cast<std::uint32_t>(effects.messages.size() - 1)});
    if (roll(0, 15) == 0) effects.readings.push_back(effects.readings.back());
  }

  std::mt19937 random_;
  Sequence sequence_ = 0;
  std::int64_t clock_ = 0;
  bool named_ = false;
};

auto bits(const StoredReading& reading) {
  return std::tuple(reading.time, std::bit_cast<std::uint64_t>(reading.value), reading.flags, reading.sequence);
}

class MergeTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.file("store.db"); }
  void reopen() {
    store_.reset();
    store_ = open_store(file());
  }
  void begin_again() {
    store_.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(file().string() + suffix);
    store_ = open_store(file());
    model_ = {};
    messages_.clear();
  }
  void commit(const Effects& effects) {
    const auto done = store_->commit(effects);
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_TRUE(model_.commit(effects));
    for (const engine::ReadingRow& reading : effects.readings) {
      messages_.emplace(std::pair(reading.series, reading.time), effects.messages[reading.message]);
    }
  }

  // Every series whole, and some questions with bounds.
  void expect_equal(History& history) {
    for (SeriesId series = 0; series < kSeries; ++series) expect_equal(series, Time::min(), Time::max(), kAll);
    for (int question = 0; question < 40; ++question) {
      const Time from = at(history.roll(0, static_cast<int>(history.clock())));
      expect_equal(history.any_series(), from, from + std::chrono::milliseconds(history.roll(0, 2'000)),
                   static_cast<Sequence>(history.roll(0, static_cast<int>(history.last()) + 2)));
    }
  }
  void expect_equal(SeriesId series, Time from, Time to, Sequence before) {
    const auto found = store_->readings(series, from, to, before).value();
    const auto expected = model_.readings(series, from, to, before).value();
    ASSERT_EQ(found.size(), expected.size()) << "series " << series;
    for (std::size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(bits(found[i]), bits(expected[i])) << "series " << series << " reading " << i;
    }
  }
  // Each reading's message is one that brought a reading of that series at that time, with every field.
  void expect_evidence() {
    const auto reader = Reader::open(file()).value();
    for (SeriesId series = 0; series < kSeries; ++series) {
      const auto found = reader->find_readings("press", "signal-" + std::to_string(series), Time::min(), Time::max());
      ASSERT_TRUE(found) << found.error().message;
      ASSERT_EQ(found->size(), model_.readings(series, Time::min(), Time::max(), kAll).value().size());
      for (const FoundReading& one : *found) {
        const auto [begin, end] = messages_.equal_range(std::pair(series, one.reading.time));
        ASSERT_TRUE(std::any_of(begin, end,
                                [&](const auto& entry) {
                                  const engine::MessageRow& row = entry.second;
                                  return row.sequence == one.message.sequence && row.sequence == one.reading.sequence &&
                                         row.arrived == one.message.arrived && row.received == one.message.received &&
                                         row.topic == one.message.topic && row.hash == one.message.hash;
                                }))
            << "series " << series;
      }
    }
  }
  void expect_sound() { EXPECT_EQ(verify(file()).value(), std::vector<std::string>{}); }

  ScratchFolder folder_;
  std::unique_ptr<SqliteStore> store_ = open_store(file());
  MemoryStore model_;
  std::multimap<std::pair<SeriesId, Time>, engine::MessageRow> messages_;
};

TEST_F(MergeTest, AMergedStoreAnswersAsOneThatNeverWas) {
  for (unsigned seed = 0; seed < 4; ++seed) {
    SCOPED_TRACE(seed);
    begin_again();
    History history(seed);
    for (int batch = 0; batch < 250; ++batch) {
      commit(history.next());
      if (history.roll(0, 12) == 0) Steps().merge(*store_, file(), tiny_limits());
      if (history.roll(0, 60) == 0) reopen();
      if (batch % 40 == 20) expect_equal(history);
      if (HasFatalFailure()) return;
    }
    while (Steps().merge(*store_, file(), tiny_limits())) {
    }
    EXPECT_EQ(store_->sizes().unmerged_blocks, 0U);
    expect_equal(history);
    expect_evidence();
    expect_sound();
  }
}

// A merge that ends after any step, with the process or without: nothing is twice or missing, and the next one works.
TEST_F(MergeTest, AMergeMayEndAfterEveryStep) {
  History history(11);
  for (int batch = 0; batch < 40; ++batch) commit(history.next());
  Steps().merge(*store_, file(), tiny_limits());
  std::size_t ended = 0;
  for (std::size_t steps = 0; !HasFatalFailure(); ++steps) {
    for (int batch = 0; batch < 12; ++batch) commit(history.next());
    Steps some;
    some.stop_after = steps;
    const bool whole = some.merge(*store_, file(), tiny_limits()) && some.done < steps;
    expect_equal(history);
    if (steps % 2 == 0) {
      reopen();  // as a start after the end of the process
    } else {
      store_->merges()->close();  // as a Merger that was ended
    }
    expect_equal(history);
    ended += whole ? 0U : 1U;
    if (steps % 4 == 0) {
      expect_evidence();
      expect_sound();
    }
    if (steps > 60) break;
  }
  EXPECT_GT(ended, 10U);
  while (Steps().merge(*store_, file(), tiny_limits())) {
  }
  expect_equal(history);
  expect_evidence();
  expect_sound();
}

// The same with a process that is killed: what it had applied is in the file, and a store opened on it is whole.
TEST_F(MergeTest, AProcessKilledWithinAMergeLosesNothing) {
  History history(12);
  for (int batch = 0; batch < 60; ++batch) commit(history.next());
  for (std::size_t steps = 1; steps < 12; ++steps) {
    store_.reset();
    const pid_t child = ::fork();
    if (child == 0) {
      const auto store = open_store(file());
      Steps some;
      some.stop_after = steps;
      some.merge(*store, file(), tiny_limits());
      ::_exit(0);  // no destructor runs
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_EQ(status, 0);
    store_ = open_store(file());
    expect_equal(history);
    expect_evidence();
    expect_sound();
    if (HasFatalFailure()) return;
    for (int batch = 0; batch < 5; ++batch) commit(history.next());
  }
}

TEST_F(MergeTest, ReadersSeeEveryReadingOnceAtEveryStep) {
  History history(13);
  for (int batch = 0; batch < 80; ++batch) commit(history.next());
  const auto reader = Reader::open(file()).value();
  Steps steps;
  steps.after_each = [&] {
    expect_equal(history);
    for (const SeriesId series : {0U, 7U, 39U}) {
      const auto found = reader->find_readings("press", "signal-" + std::to_string(series), Time::min(), Time::max());
      ASSERT_EQ(found.value().size(), model_.readings(series, Time::min(), Time::max(), kAll).value().size());
    }
  };
  while (steps.merge(*store_, file(), tiny_limits())) {
  }
  EXPECT_GT(steps.done, 20U);
}

TEST_F(MergeTest, ABatchGivenAgainAfterItWasMergedChangesNothing) {
  History history(14);
  for (int batch = 0; batch < 10; ++batch) commit(history.next());
  const Effects again = history.next();
  commit(again);
  ASSERT_TRUE(store_->commit(again));
  expect_equal(history);
  Steps().merge(*store_, file());
  ASSERT_TRUE(store_->commit(again));
  expect_equal(history);
  commit(history.next());
  expect_equal(history);
}

// However a series' readings arrive, it has few chunks for its length.
TEST_F(MergeTest, ShortChunksArePutTogether) {
  for (Sequence i = 1; i <= 400; ++i) {
    Effects effects = readings_at(i, 1, 0);
    if (i == 1) effects.series = {{0, "press", "signal-0"}};
    commit(effects);
    ASSERT_TRUE(Steps().merge(*store_, file()));
  }
  Database database(file(), Access::read_only);
  EXPECT_LT(database.integer("SELECT count(*) FROM chunk"), 24);
  EXPECT_EQ(database.integer("SELECT sum(readings) FROM chunk"), 400);
  EXPECT_EQ(database.integer("SELECT count(*) FROM chunk"), database.integer("SELECT count(*) FROM chunk_body"));
  expect_equal(0, Time::min(), Time::max(), kAll);
}

TEST_F(MergeTest, ChunksThatOverlapArePutTogether) {
  MergeLimits limits;
  limits.chunk_readings = 64;
  std::mt19937 random(5);
  for (Sequence round = 0; round < 60; ++round) {
    Effects effects = readings_at(round * 64 + 1, 64, 0);
    if (round == 0) effects.series = {{0, "press", "signal-0"}};
    for (auto& reading : effects.readings) reading.time = at(static_cast<std::int64_t>(random() % 100'000));
    commit(effects);
    ASSERT_TRUE(Steps().merge(*store_, file(), limits));
  }
  // Chunks that hold the middle: what a question for one moment must decode.
  Database database(file(), Access::read_only);
  EXPECT_LE(database.integer("SELECT count(*) FROM chunk WHERE min_time <= 50000 AND max_time >= 50000"), 6);
  expect_equal(0, Time::min(), Time::max(), kAll);
}

// Invariant 8: whatever is merged, no transaction of the engine's thread carries more than a piece.
TEST_F(MergeTest, NoPieceIsLargerThanItsBound) {
  std::mt19937_64 random(6);
  Sequence sequence = 0;
  for (int batch = 0; batch < 40; ++batch) {
    Effects effects = effects_at(sequence + 500);
    effects.first = sequence + 1;
    for (std::uint32_t i = 0; i < 500; ++i) {
      effects.messages.push_back(message(++sequence));
      effects.messages.back().topic += std::to_string(i);
      effects.messages.back().hash = random();
      for (SeriesId signal = 0; signal < 20; ++signal) {
        effects.readings.push_back(
            {i * 20 + signal, at(static_cast<std::int64_t>(sequence)), std::bit_cast<double>(random()), 0, i});
      }
    }
    ASSERT_TRUE(store_->commit(effects));
  }
  Steps steps;
  while (steps.merge(*store_, file())) {
  }
  EXPECT_GT(steps.done, 20U);
  EXPECT_GT(steps.largest_piece, kPieceBytes / 2);
  EXPECT_LT(steps.largest_piece, kPieceBytes + (96U << 10U));  // of 64 bytes a chunk for its rows' keys
}

TEST_F(MergeTest, AFullDiskFailsAPieceWhichIsAppliedLater) {
  History history(15);
  for (int batch = 0; batch < 300; ++batch) commit(history.next());
  const auto pages = std::filesystem::file_size(file()) + std::filesystem::file_size(file().string() + "-wal");
  ASSERT_TRUE(store_->limit_size(1));  // as it is: no page more
  Database database(file(), Access::read_only);
  bool failed = false;
  MergeRun(database, {}, [&](MergePiece piece) {
    store_->merges()->open();
    EXPECT_TRUE(store_->merges()->push(std::move(piece)));
    while (store_->merges()->front() != nullptr) {
      const auto applied = store_->apply_merge();
      if (applied) continue;
      failed = true;
      EXPECT_NE(applied.error().message.find("full"), std::string::npos) << applied.error().message;
      expect_equal(history);
      EXPECT_TRUE(store_->limit_size(pages * 10));
    }
    return true;
  }).run();
  EXPECT_TRUE(failed);
  EXPECT_EQ(store_->sizes().unmerged_blocks, 0U);
  expect_equal(history);
  expect_evidence();
}

// The thread itself: whatever it merges while commits go on, the answers are those of a store without one.
TEST_F(MergeTest, AMergerWorksBesideCommits) {
  store_.reset();
  MergeDue due;
  due.blocks = 20;
  store_ = SqliteStore::open(file(), Durability::process, due).value();
  History history(16);
  {
    const Merger merger(file(), store_->merges(), tiny_limits());
    std::size_t applied = 0;
    for (int batch = 0; batch < 600 && !HasFatalFailure(); ++batch) {
      commit(history.next());
      while (*store_->apply_merge()) ++applied;
      if (batch % 100 == 0) expect_equal(history);
    }
    while (store_->sizes().unmerged_blocks >= due.blocks) {
      if (*store_->apply_merge()) ++applied;
      std::this_thread::yield();
      ASSERT_EQ(store_->merges()->problem(), "");
    }
    EXPECT_GT(applied, 10U);
  }
  expect_equal(history);
  reopen();
  expect_equal(history);
  expect_evidence();
  expect_sound();
}

}  // namespace
}  // namespace fettle::store
