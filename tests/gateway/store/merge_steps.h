#pragma once
// Merges and retention in the test's own thread, step by step, so that a test can look or stop in between.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "gateway/store/sqlite/merge_run.h"
#include "gateway/store/sqlite/retention_run.h"
#include "gateway/store/sqlite/sqlite_store.h"

namespace fettle::store {

struct Steps {
  std::size_t stop_after = std::numeric_limits<std::size_t>::max();  // applied pieces and collections
  std::function<void()> after_each = [] {};
  std::size_t done = 0;
  std::size_t largest_piece = 0;  // bytes of blobs

  // One call of apply_merge(); false where the steps are used up or nothing waits.
  bool apply(SqliteStore& store) {
    if (done >= stop_after) return false;
    const auto applied = store.apply_merge();
    EXPECT_TRUE(applied) << applied.error().message;
    if (!applied || !*applied) return false;
    ++done;
    after_each();
    return true;
  }
  // Hands a piece over as a Merger does and applies it.
  bool hand_over(SqliteStore& store, MergePiece piece) {
    largest_piece = std::max(largest_piece, piece.bytes());
    store.merges()->open();
    EXPECT_TRUE(store.merges()->push(std::move(piece)));
    while (store.merges()->front() != nullptr) {
      if (!apply(store)) return false;
    }
    return true;
  }
  // False where there was nothing to merge, or the steps were used up.
  bool merge(SqliteStore& store, const std::filesystem::path& file, const MergeLimits& limits = {}) {
    Database database(file, Access::read_only);
    const bool merged =
        MergeRun(database, limits, [&](MergePiece piece) { return hand_over(store, std::move(piece)); }).run();
    while (merged && apply(store)) {
    }
    return merged;
  }
  bool retain(SqliteStore& store, const std::filesystem::path& file, const std::vector<RetentionRule>& rules,
              engine::Time now) {
    Database database(file, Access::read_only);
    RetentionRun run(database, [&](MergePiece piece) { return hand_over(store, std::move(piece)); });
    do {
      if (!run.run(rules, now)) return false;
    } while (run.more());
    while (apply(store)) {
    }
    return true;
  }
};

// So small that a few readings make many passes, chunks and pieces of each kind.
inline MergeLimits tiny_limits() {
  MergeLimits limits;
  limits.merge_readings = 400;
  limits.pass_readings = 60;
  limits.chunk_readings = 16;
  limits.message_block = 10;
  limits.piece_bytes = 600;
  limits.alike = 3;
  limits.rewritten = 64;
  return limits;
}

}  // namespace fettle::store
