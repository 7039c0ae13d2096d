// The thread between journal and engine: nothing lost with several writers, answers delivered, a full disk waited out,
// a checkpoint at the end.

#include "gateway/app/engine_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "gateway/store/memory/memory_store.h"
#include "tests/gateway/engine/tape.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::app {
namespace {

using engine::trial::kStart;

// A store in memory that a test's thread may tell to refuse writes.
class Disk : public store::MemoryStore {
 public:
  std::atomic<bool> full{false};
  std::atomic<int> refused{0};
  std::atomic<bool> unreadable{false};

  engine::StoreResult<void> commit(const engine::Effects& effects) override {
    if (auto done = room(); !done) return done;
    return MemoryStore::commit(effects);
  }
  engine::StoreResult<std::vector<engine::StoredReading>> readings(engine::SeriesId series, engine::Time from,
                                                                   engine::Time to, engine::Sequence before) override {
    if (unreadable) return engine::StoreError{"the disk is gone"};
    return MemoryStore::readings(series, from, to, before);
  }

 private:
  engine::StoreResult<void> room() {
    if (!full) return {};
    ++refused;
    refused.notify_all();
    return engine::StoreError{"no space left on the disk"};
  }
};

class EngineLoopTest : public testing::Test {
 public:
  EngineLoopTest() { open(); }
  ~EngineLoopTest() override {
    if (thread.joinable()) stop();
  }
  EngineLoopTest(const EngineLoopTest&) = delete;
  EngineLoopTest& operator=(const EngineLoopTest&) = delete;

 protected:
  void open() {
    journal = journal::Journal::open({folder.path()}, disk.committed()).value();
    engine = std::make_unique<engine::Engine>(disk, engine::trial::lookups());
    engine->start().value();
    const auto hear = [this](const std::string& message) {
      const std::scoped_lock lock(log_mutex);
      log.push_back(message);
    };
    // No checkpoint but those that a test is about.
    const EngineLoop::Options options{std::chrono::hours(1), 64U << 20U, {}};
    loop = std::make_unique<EngineLoop>(*engine, *journal, hear, options);
  }
  void run() {
    thread = std::thread([this] { problem = loop->run(); });
  }
  void stop() {
    loop->stop();
    thread.join();
  }
  void reopen() {
    if (thread.joinable()) stop();
    loop.reset();
    engine.reset();
    journal.reset();
    open();
  }

  journal::Sequence append(const journal::Record& record) {
    return journal->append(record.kind, record.received, record.body).value();
  }
  journal::Sequence append_last(const engine::trial::Tape& tape) { return append(tape.record(tape.last())); }
  journal::Sequence declare() {
    engine::trial::Tape tape;
    tape.catalog(kStart, engine::trial::whole_plant());
    return append_last(tape);
  }
  journal::Sequence reading(int number) {
    engine::trial::Tape tape;
    tape.reading(kStart + std::chrono::milliseconds(number), number % 2 == 0 ? "a" : "b", "pulse", "0.1");
    return append_last(tape);
  }

  test::TemporaryFolder folder;
  Disk disk;
  std::mutex log_mutex;
  std::vector<std::string> log;
  std::unique_ptr<journal::Journal> journal;
  std::unique_ptr<engine::Engine> engine;
  std::unique_ptr<EngineLoop> loop;
  std::optional<std::string> problem;
  std::thread thread;
};

TEST_F(EngineLoopTest, FoldsWhatSeveralThreadsAppend) {
  constexpr int kWriters = 4;
  constexpr int kEach = 500;
  declare();
  run();
  std::vector<std::thread> writers;
  std::atomic<journal::Sequence> newest{0};
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < kEach; ++i) {
        const journal::Sequence mine = reading(writer * kEach + i);
        journal::Sequence seen = newest;
        while (seen < mine && !newest.compare_exchange_weak(seen, mine)) {
        }
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_TRUE(loop->wait_committed(newest));
  stop();
  EXPECT_EQ(problem, std::nullopt);
  EXPECT_EQ(disk.reading_count(), static_cast<std::size_t>(kWriters * kEach));
  EXPECT_EQ(disk.counters().messages, static_cast<std::uint64_t>(kWriters * kEach));
}

TEST_F(EngineLoopTest, GivesEachAskerItsOwnAnswer) {
  run();
  std::vector<std::thread> askers;
  std::atomic<int> right{0};
  for (int asker = 0; asker < 8; ++asker) {
    askers.emplace_back([&, asker] {
      engine::trial::Tape tape;
      tape.close_order(kStart, "WO-" + std::to_string(asker));
      const auto outcome = loop->wait_answer(append_last(tape));
      if (outcome && !outcome->ok && outcome->text.find("WO-" + std::to_string(asker)) != std::string::npos) ++right;
    });
  }
  for (std::thread& asker : askers) asker.join();
  EXPECT_EQ(right, 8);
}

TEST_F(EngineLoopTest, AnsweredMeansCommitted) {
  run();
  const auto outcome = loop->wait_answer(declare());
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->ok);
  stop();
  EXPECT_FALSE(disk.load_catalog(1).value().empty());
}

TEST_F(EngineLoopTest, AFullDiskIsWaitedOut) {
  declare();
  disk.full = true;
  run();
  const journal::Sequence last = reading(1);
  disk.refused.wait(0);
  disk.full = false;
  EXPECT_TRUE(loop->wait_committed(last));
  EXPECT_TRUE(loop->writing());
  stop();
  EXPECT_EQ(disk.reading_count(), 1U);
  const std::scoped_lock lock(log_mutex);
  ASSERT_EQ(log.size(), 2U);
  EXPECT_EQ(log[0], "cannot commit: no space left on the disk; trying again every second");
  EXPECT_EQ(log[1], "the store takes writes again");
}

TEST_F(EngineLoopTest, AFullDiskDoesNotKeepItFromStopping) {
  declare();
  disk.full = true;
  run();
  disk.refused.wait(0);
  stop();
  EXPECT_EQ(problem, std::nullopt);
  EXPECT_EQ(disk.committed(), 0U);
  EXPECT_FALSE(loop->wait_committed(1));
  EXPECT_EQ(loop->wait_answer(1), std::nullopt);

  disk.full = false;
  reopen();
  run();
  EXPECT_TRUE(loop->wait_committed(1)) << "what was not committed is folded at the next start";
}

TEST_F(EngineLoopTest, StoppingMakesACheckpoint) {
  declare();
  run();
  const journal::Sequence last = reading(1);
  EXPECT_TRUE(loop->wait_committed(last));
  stop();
  EXPECT_EQ(disk.checkpointed().value(), last);
  EXPECT_FALSE(disk.all_usage().empty());
}

TEST_F(EngineLoopTest, FoldsWhatIsStillInTheJournalWhenAskedToStop) {
  declare();
  for (int i = 0; i < 50; ++i) reading(i);
  loop->stop();
  run();
  thread.join();
  EXPECT_EQ(disk.reading_count(), 50U);
  EXPECT_EQ(disk.checkpointed().value(), 51U);
}

TEST_F(EngineLoopTest, AfterARestartWhatWasCommittedBeforeIsKnownAtOnce) {
  declare();
  run();
  const journal::Sequence last = reading(1);
  EXPECT_TRUE(loop->wait_committed(last));
  reopen();
  run();
  EXPECT_TRUE(loop->wait_committed(last)) << "with nothing new to fold";
}

TEST_F(EngineLoopTest, AnInvoiceRunStandsBetweenCheckpoints) {
  declare();
  run();
  reading(1);
  engine::trial::Tape tape;
  const auto later = kStart + std::chrono::days(60);
  tape.run_invoices(later, later);
  const journal::Sequence billed = append_last(tape);
  const auto outcome = loop->wait_answer(billed);
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(outcome->ok) << outcome->text;
  stop();
  EXPECT_FALSE(disk.invoices().empty());
  bool usage_billed = false;
  for (const auto& [id, invoice] : disk.invoices()) {
    for (const engine::InvoiceLineRow& line : invoice.lines) usage_billed |= !line.usage.empty();
  }
  EXPECT_TRUE(usage_billed);
}

TEST_F(EngineLoopTest, AStoreThatCannotBeReadEndsTheFoldAndSaysWhy) {
  declare();
  run();
  EXPECT_TRUE(loop->wait_committed(reading(10)));
  disk.unreadable = true;
  EXPECT_FALSE(loop->wait_committed(reading(2))) << "what came before it must be looked up";
  thread.join();
  EXPECT_EQ(problem, "the disk is gone");
}

TEST_F(EngineLoopTest, ACheckpointInTheMakingEndsWhileNothingElseComesIn) {
  loop.reset();
  std::mutex mutex;
  std::condition_variable changed;
  Progress told;  // with the newest commit
  EngineLoop::Options options;
  options.checkpoint_every = std::chrono::milliseconds(0);
  options.on_commit = [&](const Progress& progress) {
    const std::scoped_lock lock(mutex);
    told = progress;
    changed.notify_all();
  };
  loop = std::make_unique<EngineLoop>(
      *engine, *journal, [](const std::string&) {}, options);
  run();
  declare();
  const journal::Sequence last = reading(1);
  {
    std::unique_lock lock(mutex);
    EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(60), [&] { return told.checkpointed >= last; }));
  }
  stop();
  EXPECT_EQ(told.folded, last);
  EXPECT_EQ(told.counters.readings, 1U);
  EXPECT_GE(told.checkpoints, 1U);
  EXPECT_GT(told.checkpoint_bytes, 0U);
  EXPECT_FALSE(told.replaying);
  EXPECT_EQ(loop->progress().folded, last);
}

TEST_F(EngineLoopTest, FiguresOfABatchAreThoseOfThatBatch) {
  loop.reset();
  std::uint64_t records = 0;
  std::uint64_t readings = 0;
  EngineLoop::Options options;
  options.on_commit = [&](const Progress& progress) {
    records += progress.batch_records;
    readings += progress.batch_readings;
  };
  loop = std::make_unique<EngineLoop>(
      *engine, *journal, [](const std::string&) {}, options);
  declare();
  for (int i = 0; i < 50; ++i) reading(i);
  loop->stop();
  run();
  thread.join();
  EXPECT_EQ(records, 51U);
  EXPECT_EQ(readings, 50U);
}

TEST_F(EngineLoopTest, ItCatchesUpUntilAllIsFoldedThatWasThereWhenItBegan) {
  loop.reset();
  std::vector<bool> catching_up;  // commit by commit
  EngineLoop::Options options;
  options.on_commit = [&](const Progress& progress) { catching_up.push_back(progress.catching_up); };
  loop = std::make_unique<EngineLoop>(
      *engine, *journal, [](const std::string&) {}, options);
  declare();
  for (std::size_t i = 0; i < engine::Engine::kBatchRecords; ++i) reading(static_cast<int>(i));
  loop->stop();
  run();
  thread.join();
  ASSERT_GE(catching_up.size(), 3U) << "the start's own and two batches";
  EXPECT_TRUE(catching_up[0]);
  EXPECT_TRUE(catching_up[1]);
  EXPECT_FALSE(catching_up.back());
}

}  // namespace
}  // namespace fettle::app
