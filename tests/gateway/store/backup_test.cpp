#include "gateway/store/sqlite/backup.h"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "gateway/store/sqlite/reader.h"
#include "gateway/store/sqlite/verify.h"
#include "tests/contract/store_rows.h"
#include "tests/gateway/store/merge_steps.h"
#include "tests/gateway/store/scratch.h"

namespace fettle::store {
namespace {

using engine::Sequence;
using engine::contract::at;
using engine::contract::checkpoint_of;
using engine::contract::hour;
using engine::contract::message;
using engine::contract::readings_at;
using engine::contract::text;
using engine::contract::with_checkpoint;

std::vector<TailRecord> records(Sequence after, Sequence last) {
  std::vector<TailRecord> tail;
  for (Sequence sequence = after + 1; sequence <= last; ++sequence) {
    tail.push_back({sequence, 1, at(static_cast<std::int64_t>(sequence)), "body " + std::to_string(sequence)});
  }
  return tail;
}

engine::StoreResult<std::vector<TailRecord>> whole_tail(Sequence checkpoint, Sequence committed) {
  return records(checkpoint, committed);
}

class BackupTest : public testing::Test {
 protected:
  std::filesystem::path live() const { return folder_.file("store.db"); }
  std::filesystem::path target() const { return folder_.file("backup.db"); }
  void fill() {
    engine::Effects effects = readings_at(1, 100, 0);
    effects.series = {{0, "press-1", "force"}};
    ASSERT_TRUE(store_->commit(with_checkpoint(effects, "state", {hour(0, 100)})));
    ASSERT_TRUE(store_->commit(readings_at(101, 20, 0)));
  }

  ScratchFolder folder_;
  std::unique_ptr<SqliteStore> store_ = open_store(live());
};

TEST_F(BackupTest, IsOneFileThatHoldsTheStoreAndTheTail) {
  fill();
  const auto done = backup(live(), target(), whole_tail);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_FALSE(std::filesystem::exists(target().string() + "-wal"));
  EXPECT_FALSE(std::filesystem::exists(target().string() + ".partial"));
  std::string header(20, '\0');
  std::ifstream(target(), std::ios::binary).read(header.data(), 20);
  EXPECT_EQ(header.substr(18), "\x01\x01");  // not in WAL mode, which a folder that is only read would not allow
  EXPECT_EQ(read_journal_tail(target()).value(), records(100, 120));
  EXPECT_TRUE(verify(target()).value().empty());
  const auto reader = Reader::open(target()).value();
  EXPECT_EQ(reader->position().value().committed, 120U);
  EXPECT_EQ(reader->find_readings("press-1", "force", at(0), at(1'000)).value().size(), 120U);
}

TEST_F(BackupTest, CanBeOpenedAsAStoreAndGoOn) {
  fill();
  ASSERT_TRUE(backup(live(), target(), whole_tail));
  ASSERT_TRUE(clear_journal_tail(target()));
  EXPECT_TRUE(read_journal_tail(target()).value().empty());
  const auto restored = open_store(target());
  EXPECT_EQ(restored->committed(), 120U);
  EXPECT_EQ(text(checkpoint_of(*restored)), "engine=state");
  ASSERT_TRUE(restored->commit(readings_at(121, 5, 0)));
  EXPECT_EQ(restored->readings(0, at(0), at(1'000), 1'000).value().size(), 125U);
}

TEST_F(BackupTest, HoldsBothLevels) {
  fill();
  ASSERT_TRUE(Steps().merge(*store_, live()));
  ASSERT_TRUE(store_->commit(readings_at(121, 5, 0)));
  ASSERT_TRUE(backup(live(), target(), whole_tail));
  EXPECT_TRUE(verify(target()).value().empty());
  const auto found = Reader::open(target()).value()->find_readings("press-1", "force", at(0), at(1'000)).value();
  ASSERT_EQ(found.size(), 125U);
  EXPECT_EQ(found[3].message.topic, message(4).topic);
}

TEST_F(BackupTest, ReplacesNothing) {
  fill();
  ASSERT_TRUE(backup(live(), target(), whole_tail));
  const auto again = backup(live(), target(), whole_tail);
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message.find("it exists"), std::string::npos) << again.error().message;
  EXPECT_EQ(read_journal_tail(target()).value().size(), 20U);
}

TEST_F(BackupTest, WithoutItsTailLeavesNoFile) {
  fill();
  const auto short_tail = backup(
      live(), target(), [](Sequence checkpoint, Sequence committed) { return whole_tail(checkpoint + 1, committed); });
  ASSERT_FALSE(short_tail);
  EXPECT_NE(short_tail.error().message.find("101 to 120"), std::string::npos) << short_tail.error().message;
  const auto wrong_tail = backup(live(), target(), [](Sequence checkpoint, Sequence committed) {
    return whole_tail(checkpoint + 1, committed + 1);
  });
  EXPECT_FALSE(wrong_tail);
  const auto failing = backup(live(), target(), [](Sequence, Sequence) -> engine::StoreResult<std::vector<TailRecord>> {
    return engine::StoreError{"journal is gone"};
  });
  ASSERT_FALSE(failing);
  EXPECT_EQ(failing.error().message, "journal is gone");
  EXPECT_FALSE(std::filesystem::exists(target()));
  EXPECT_FALSE(std::filesystem::exists(target().string() + ".partial"));
}

TEST_F(BackupTest, IntoAFolderThatIsNotThereIsAnError) {
  fill();
  const auto done = backup(live(), folder_.file("none") / "backup.db", whole_tail);
  ASSERT_FALSE(done);
  EXPECT_NE(done.error().message.find("none/backup.db"), std::string::npos) << done.error().message;
}

TEST_F(BackupTest, TailIsKeptBySequence) {
  Database database(live(), Access::read_write);
  ASSERT_TRUE(append_journal_tail(database, records(0, 3)));
  ASSERT_TRUE(append_journal_tail(database, records(2, 5)));
  EXPECT_EQ(read_journal_tail(database).value(), records(0, 5));
  ASSERT_TRUE(append_journal_tail(live(), records(5, 6)));
  EXPECT_EQ(read_journal_tail(live()).value(), records(0, 6));
  ASSERT_TRUE(clear_journal_tail(database));
  EXPECT_TRUE(read_journal_tail(database).value().empty());
}

// Ten backups while another thread commits all the time: each is whole, and holds one moment.
TEST_F(BackupTest, OfALiveStoreHoldsOneMoment) {
  std::atomic<bool> stop = false;
  std::atomic<Sequence> committed = 0;
  std::string failure;
  std::thread writer([&] {
    for (Sequence sequence = 1; !stop; sequence += 10) {
      engine::Effects effects = readings_at(sequence, 10, 0);
      effects.series = {{0, "press-1", "force"}};
      effects.counters.readings = effects.committed;
      if (sequence % 30 == 1) effects = with_checkpoint(effects, std::string(5'000, 's'));
      const auto done = store_->commit(effects);
      if (!done) {
        failure = done.error().message;
        break;
      }
      committed = effects.committed;
    }
  });
  while (committed == 0 && failure.empty()) std::this_thread::yield();
  for (int i = 0; i < 10; ++i) {
    const Sequence before = committed;
    const std::filesystem::path copy = folder_.file("backup" + std::to_string(i) + ".db");
    const auto done = backup(live(), copy, whole_tail);
    EXPECT_TRUE(done) << (done ? "" : done.error().message);
    if (!done) break;
    EXPECT_EQ(verify(copy).value(), std::vector<std::string>{});
    const auto reader = Reader::open(copy).value();
    const StorePosition position = reader->position().value();
    EXPECT_GE(position.committed, before);
    EXPECT_EQ(reader->counters().value().counters.readings, position.committed);
    EXPECT_EQ(reader->find_readings("press-1", "force", at(0), at(1LL << 40)).value().size(), position.committed);
    EXPECT_EQ(read_journal_tail(copy).value().size(), position.committed - position.checkpoint);
  }
  stop = true;
  writer.join();
  EXPECT_EQ(failure, "");
}

}  // namespace
}  // namespace fettle::store
