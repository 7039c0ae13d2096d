#pragma once
// The engine's store on SQLite: one file in WAL mode, one writer. Contract: gateway/engine/ports.h.
//
// One thread at a time, as the port says; readers in other threads and processes open a Reader. Durability::process
// survives the death of the process, and a commit with a checkpoint that of the machine as well; Durability::power
// syncs every commit. On disk: docs/reference/storage-format.md.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/effect_writer.h"
#include "gateway/store/sqlite/log_keeper.h"
#include "gateway/store/sqlite/merge_exchange.h"
#include "gateway/store/sqlite/merge_writer.h"
#include "gateway/store/sqlite/reading_lookup.h"

namespace fettle::store {

enum class Durability : std::uint8_t { process, power };

struct StoreSizes {
  std::uint64_t unmerged_readings = 0;
  std::size_t unmerged_blocks = 0;
};

class SqliteStore : public engine::Store {
 public:
  // Makes the file where there is none, brings an older one up to date, refuses a newer one. The folder must exist.
  // Pre: no other SqliteStore has the file open (the gateway holds a lock on its folder).
  static engine::StoreResult<std::unique_ptr<SqliteStore>> open(const std::filesystem::path& file,
                                                                Durability durability, const MergeDue& due = {});
  ~SqliteStore() override;

  engine::StoreResult<void> commit(const engine::Effects& effects) override;

  engine::Sequence committed() override { return committed_; }
  engine::StoreResult<engine::Sequence> checkpointed() override;
  engine::StoreResult<void> load_parts(const std::function<bool(engine::CheckpointPart)>& take) override;
  engine::StoreResult<std::vector<engine::CatalogRow>> load_catalog(engine::Sequence as_of) override;
  engine::StoreResult<std::vector<engine::SeriesRow>> load_series() override;
  engine::StoreResult<std::vector<engine::StoredReading>> readings(engine::SeriesId series, engine::Time from,
                                                                   engine::Time to, engine::Sequence before) override;
  engine::StoreResult<std::optional<engine::UsageRow>> usage(const engine::UsageKey& key) override;
  engine::StoreResult<std::vector<engine::UsageRow>> usage(const std::string& asset, const std::string& meter,
                                                           engine::Time from, engine::Time to) override;
  engine::StoreResult<std::vector<engine::PostedLine>> posted(const std::string& subscription) override;
  engine::StoreResult<std::uint32_t> last_invoice_number(const std::string& seller, int year) override;

  // Does the next short piece of what the merge wants written, one transaction: a piece of at most kPieceBytes, or some
  // of what no longer counts. False: nothing waits. Called between batches, by the engine's thread; an error leaves
  // the store as it was, and the same piece is tried again by the next call.
  engine::StoreResult<bool> apply_merge();
  // What a Merger is made with, and what says whether it works.
  const std::shared_ptr<MergeExchange>& merges() const { return merges_; }
  // What a WalCheckpointer is made with.
  const std::shared_ptr<LogKeeper>& log() const { return log_; }
  // Replaces the rules; series without one are kept for good.
  void set_retention(std::vector<RetentionRule> rules) { merges_->set_retention(std::move(rules)); }
  StoreSizes sizes() const;

  // Bounds the file: a commit that would grow it beyond fails as on a full disk. Rounded down to whole pages, never
  // below what the file has already.
  engine::StoreResult<void> limit_size(std::uint64_t bytes);

 private:
  enum class Placement : std::uint8_t { none, appended, replaced };

  SqliteStore(const std::filesystem::path& file, Durability durability, const MergeDue& due);
  void note_backlog(engine::Time now);
  Placement placement(const engine::Effects& effects) const;

  Durability durability_;
  std::shared_ptr<MergeExchange> merges_;  // with the Merger
  std::shared_ptr<LogKeeper> log_;         // with the WalCheckpointer
  std::unique_ptr<Database> database_;
  std::unique_ptr<EffectWriter> writer_;
  std::unique_ptr<MergeWriter> merge_writer_;
  bool garbage_ = true;  // something that no longer counts may be there to remove
  engine::Time now_;     // of the last batch
  std::unique_ptr<ReadingLookup> lookup_;
  std::unique_ptr<Statement> usage_by_key_;
  std::unique_ptr<Statement> posted_;
  std::unique_ptr<Statement> last_number_;
  BlockEncoder encoder_;
  Compressor compressor_;
  engine::Sequence committed_ = 0;
};

}  // namespace fettle::store
