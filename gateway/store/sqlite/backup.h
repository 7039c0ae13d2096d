#pragma once
// A backup of a store while it is written, and the journal records that make it complete.
//
// A store alone lacks the working state between its checkpoint and its committed sequence: the engine folds it from the
// journal. So a backup carries those records in its table journal_tail; whoever restores it puts them into a fresh
// journal and clears the table.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/database.h"

namespace fettle::store {

// A record of the journal, as bytes: what `kind` and `body` mean is the journal's affair.
struct TailRecord {
  engine::Sequence sequence = 0;
  std::uint8_t kind = 0;
  engine::Time received;
  std::string body;
  bool operator==(const TailRecord&) const = default;
};

// The records with checkpoint < sequence <= committed, in order. Asked for after the copy has been made.
using TailSource = std::function<engine::StoreResult<std::vector<TailRecord>>(engine::Sequence checkpoint,
                                                                              engine::Sequence committed)>;

// Copies the store as of one moment into `target`, one file, synced, that needs no other. Made under `target`.partial
// and renamed when it is whole, so a target that exists is a good backup. Errors: the target exists; the disk; records
// missing from the tail. The writer goes on meanwhile.
engine::StoreResult<void> backup(Database& source, const std::filesystem::path& target, const TailSource& tail);
// The same by path, and without a tail (which append_journal_tail may add).
engine::StoreResult<void> backup(const std::filesystem::path& source, const std::filesystem::path& target,
                                 const TailSource& tail);
engine::StoreResult<void> backup(Database& source, const std::filesystem::path& target);

// The table alone; each in one transaction. A record given again is replaced.
engine::StoreResult<void> append_journal_tail(Database& database, std::span<const TailRecord> records);
engine::StoreResult<std::vector<TailRecord>> read_journal_tail(Database& database);
engine::StoreResult<void> clear_journal_tail(Database& database);
engine::StoreResult<void> append_journal_tail(const std::filesystem::path& file, std::span<const TailRecord> records);
engine::StoreResult<std::vector<TailRecord>> read_journal_tail(const std::filesystem::path& file);
engine::StoreResult<void> clear_journal_tail(const std::filesystem::path& file);

}  // namespace fettle::store
