#include <gtest/gtest.h>
#include <sqlite3.h>

#include <map>

#include "tests/contract/store_rows.h"
#include "tests/gateway/store/scratch.h"

// When the store syncs: counted in SQLite's file layer, by a file system that is the machine's but for xSync.

namespace fettle::store {
namespace {

using namespace engine::contract;

int syncs = 0;
sqlite3_vfs* machine = nullptr;

// SQLite has several tables of methods, one per kind of locking; each gets its counting twin.
std::map<const sqlite3_io_methods*, sqlite3_io_methods> twins;

int counted_sync(sqlite3_file* file, int flags) {
  ++syncs;
  for (const auto& [original, twin] : twins) {
    if (file->pMethods == &twin) return original->xSync(file, flags);
  }
  return SQLITE_IOERR;
}

int counted_open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const int code = machine->xOpen(machine, name, file, flags, out_flags);
  if (code != SQLITE_OK) return code;
  sqlite3_io_methods& counting = twins[file->pMethods];
  counting = *file->pMethods;
  counting.xSync = counted_sync;
  file->pMethods = &counting;
  return code;
}

class SyncTest : public testing::Test {
 protected:
  SyncTest() {
    machine = sqlite3_vfs_find(nullptr);
    counting_ = *machine;
    counting_.zName = "counting";
    counting_.xOpen = counted_open;
    sqlite3_vfs_register(&counting_, 1);  // 1: the default from now on
  }
  ~SyncTest() override { sqlite3_vfs_unregister(&counting_); }

  // Syncs of one commit of a store that has seen some, so that its files are there.
  static int syncs_of(SqliteStore& store, const engine::Effects& effects) {
    syncs = 0;
    const auto done = store.commit(effects);
    EXPECT_TRUE(done) << done.error().message;
    return syncs;
  }

  ScratchFolder folder_;
  sqlite3_vfs counting_{};
};

TEST_F(SyncTest, ACommitIsSyncedIfItHasACheckpoint) {
  const auto store = SqliteStore::open(folder_.file("store.db"), Durability::process).value();
  syncs_of(*store, effects_at(1));
  EXPECT_EQ(syncs_of(*store, effects_at(2)), 0);
  EXPECT_GT(syncs_of(*store, with_checkpoint(effects_at(3), "state")), 0);
  EXPECT_EQ(syncs_of(*store, effects_at(4)), 0);
}

TEST_F(SyncTest, EveryCommitIsSyncedWithDurabilityPower) {
  const auto store = SqliteStore::open(folder_.file("store.db"), Durability::power).value();
  syncs_of(*store, effects_at(1));
  EXPECT_GT(syncs_of(*store, effects_at(2)), 0);
  EXPECT_GT(syncs_of(*store, with_checkpoint(effects_at(3), "state")), 0);
  EXPECT_GT(syncs_of(*store, effects_at(4)), 0);
}

}  // namespace
}  // namespace fettle::store
