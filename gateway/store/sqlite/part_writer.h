#pragma once
// Writes the parts of checkpoints: the one that counts stays whole while the next is written slice by slice.
//
// A part is kept under (key, as_of). Of a key there are at most two: the newest that is not beyond the checkpoint that
// counts, and the one of the checkpoint in the making. Within the caller's transactions; one thread, that of its
// Database. Throws DatabaseError.

#include <string>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/frame.h"

namespace fettle::store {

inline constexpr char kPartKind = 'C';

class PartWriter {
 public:
  explicit PartWriter(Database& database);

  // The slice that `effects` carries, if any. Refused: parts of a checkpoint that counts no longer, or beyond the
  // batch.
  void write(const engine::Effects& effects);
  // After a rollback: which checkpoint counts and which is in the making, from the file.
  void reload();
  // Removes the parts of a checkpoint that never became whole: at start, when nobody can go on with it.
  void forget_unfinished();

 private:
  void write_part(const engine::CheckpointPart& part, engine::Sequence as_of);
  void count(engine::Sequence as_of);

  Database& database_;
  Statement forget_older_;
  Statement insert_;
  Statement remove_key_;
  Statement forget_beyond_;
  Statement count_;
  Compressor compressor_;
  engine::Sequence counting_ = 0;
  engine::Sequence unfinished_ = 0;  // the checkpoint in the making; 0: none
  std::vector<std::string> gone_;    // keys that it removes
};

}  // namespace fettle::store
