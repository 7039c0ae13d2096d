#include "gateway/store/sqlite/part_writer.h"

#include <algorithm>

namespace fettle::store {
namespace {

using engine::Sequence;

[[noreturn]] void refuse(const Database& database, const std::string& why) {
  throw DatabaseError(SQLITE_CONSTRAINT, "cannot commit to " + database.file().string() + ": " + why +
                                             ". Nothing was written; please report it.");
}

}  // namespace

PartWriter::PartWriter(Database& database)
    : database_(database),
      forget_older_(database,
                    "DELETE FROM checkpoint_part WHERE key = ?1 AND as_of <> ?2 AND as_of <> "
                    "(SELECT max(as_of) FROM checkpoint_part WHERE key = ?1 AND as_of <= ?3)"),
      insert_(database, "INSERT OR REPLACE INTO checkpoint_part (key, as_of, state) VALUES (?1, ?2, ?3)"),
      remove_key_(database, "DELETE FROM checkpoint_part WHERE key = ?1"),
      forget_beyond_(database, "DELETE FROM checkpoint_part WHERE as_of > ?1"),
      count_(database, "UPDATE checkpoint SET sequence = ?1") {}

void PartWriter::reload() {
  counting_ = static_cast<Sequence>(database_.integer("SELECT sequence FROM checkpoint"));
  unfinished_ =
      static_cast<Sequence>(database_.integer("SELECT coalesce(max(as_of), 0) FROM checkpoint_part "
                                              "WHERE as_of > (SELECT sequence FROM checkpoint)"));
  gone_.clear();
  Statement(database_, "SELECT key FROM checkpoint_part WHERE as_of > ?1 AND length(state) = 0")
      .each([&](Row& row) { row.into(gone_.emplace_back()); }, counting_);
}

void PartWriter::forget_unfinished() {
  if (unfinished_ != 0) forget_beyond_.run(counting_);
  unfinished_ = 0;
  gone_.clear();
}

void PartWriter::write(const engine::Effects& effects) {
  const Sequence as_of = effects.parts_as_of;
  if (as_of == 0) {
    if (effects.checkpoint || !effects.parts.empty()) refuse(database_, "a checkpoint says not what it is as of");
    return;
  }
  if (as_of < counting_ || as_of > effects.committed) {
    refuse(database_, "parts are of a checkpoint as of " + std::to_string(as_of) +
                          ", which is not between the one of " + std::to_string(counting_) + " and the batch's end " +
                          std::to_string(effects.committed));
  }
  if (as_of != unfinished_ && as_of != counting_) {
    forget_unfinished();
    unfinished_ = as_of;
  }
  for (const engine::CheckpointPart& part : effects.parts) write_part(part, as_of);
  if (effects.checkpoint) count(as_of);
}

void PartWriter::write_part(const engine::CheckpointPart& part, Sequence as_of) {
  forget_older_.run(part.key, as_of, counting_);
  if (part.state.empty()) {
    gone_.push_back(part.key);
    insert_.run(part.key, as_of, Blob{});
    return;
  }
  std::erase(gone_, part.key);
  const auto state = compressor_.seal(kPartKind, part.state);
  if (!state) refuse(database_, "part " + part.key + " of the checkpoint has " + state.error().message);
  insert_.run(part.key, as_of, Blob{*state});
}

void PartWriter::count(Sequence as_of) {
  for (const std::string& key : gone_) remove_key_.run(key);
  gone_.clear();
  count_.run(as_of);
  counting_ = as_of;
  unfinished_ = 0;
}

}  // namespace fettle::store
