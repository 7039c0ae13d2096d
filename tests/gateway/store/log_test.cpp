// The write-ahead log stays short, with a thread of its own and without, and what it holds reaches the file.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "gateway/store/sqlite/wal_checkpointer.h"
#include "tests/contract/store_rows.h"
#include "tests/gateway/store/scratch.h"

namespace fettle::store {
namespace {

using engine::Sequence;
using engine::contract::effects_at;

class LogTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.file("store.db"); }
  // Some 400 KiB a commit.
  void commit() {
    engine::Effects effects = effects_at(++sequence_);
    effects.parts_as_of = sequence_;
    for (int i = 0; i < 4; ++i) {
      std::string state(100'000, '\0');
      for (char& byte : state) byte = static_cast<char>(random_());
      effects.parts.push_back({"part/" + std::to_string(sequence_ % 8) + "/" + std::to_string(i), state});
    }
    effects.checkpoint = true;
    const auto done = store_->commit(effects);
    ASSERT_TRUE(done) << done.error().message;
    longest_ = std::max(longest_, store_->log()->pages());
  }

  ScratchFolder folder_;
  std::unique_ptr<SqliteStore> store_ = open_store(file());
  std::minstd_rand random_{1};
  Sequence sequence_ = 0;
  int longest_ = 0;  // pages
};

TEST_F(LogTest, WithoutAThreadTheCommittingOneCopies) {
  for (int i = 0; i < 150; ++i) commit();
  EXPECT_LT(longest_, LogKeeper::kBegin + 1'000);
  EXPECT_GT(store_->log()->copies_while_committing(), 1U);
}

TEST_F(LogTest, WithAThreadTheLogBeginsAgainAndAgain) {
  {
    const WalCheckpointer checkpointer(file(), store_->log());
    for (int i = 0; i < 400; ++i) commit();
  }
  EXPECT_LT(longest_, LogKeeper::kMost + LogKeeper::kBegin + 1'000);
  store_.reset();
  store_ = open_store(file());
  EXPECT_EQ(store_->committed(), sequence_);
  EXPECT_EQ(engine::contract::checkpoint_of(*store_).parts.size(), 32U);
}

// A reader that holds an old state keeps the log from beginning again; the log is copied all the same, and begins again
// once the reader is gone.
TEST_F(LogTest, AReaderThatHoldsAnOldStateDoesNotStopCommits) {
  const WalCheckpointer checkpointer(file(), store_->log());
  commit();
  {
    Database database(file(), Access::read_only);
    Transaction snapshot(database, Transaction::Kind::read);
    EXPECT_EQ(database.integer("SELECT sequence FROM committed"), 1);
    for (int i = 0; i < 60; ++i) commit();
    EXPECT_EQ(database.integer("SELECT sequence FROM committed"), 1);
  }
  int shortest = store_->log()->pages();
  for (int i = 0; i < 400; ++i) {
    commit();
    shortest = std::min(shortest, store_->log()->pages());
  }
  EXPECT_LT(shortest, 1'000);
}

}  // namespace
}  // namespace fettle::store
