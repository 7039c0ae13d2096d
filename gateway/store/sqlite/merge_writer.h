#pragma once
// Applies the pieces of merges to the database, on the engine's thread: one short transaction each.
//
// One thread, that of its Database. Begins and ends its own transactions; remembers nothing that a rollback would make
// wrong. Throws DatabaseError; what threw may be given again.

#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/merge_piece.h"

namespace fettle::store {

MergeState load_merge_state(Database& database);

class MergeWriter {
 public:
  explicit MergeWriter(Database& database);

  void apply(const MergePiece& piece);
  // Removes up to about kPieceBytes of what no longer counts: merged level-0 blocks and replaced chunks. False where
  // nothing is left.
  bool collect();
  // Removes what a merge that was never finished has left behind.
  void forget_unfinished();

 private:
  void write(const MergePiece& piece);
  void remove_unfinished();
  void remove(const ChunkKey& key);

  Database& database_;
  Statement message_block_;
  Statement chunk_;
  Statement body_;
  Statement replaced_;
  Statement finish_;
  Statement rollup_;
  Statement remove_chunk_;
  Statement remove_body_;
  Statement merged_blocks_;
  Statement remove_block_;
  Statement garbage_;
  Statement forget_replaced_;
};

}  // namespace fettle::store
