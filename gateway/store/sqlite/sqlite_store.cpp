#include "gateway/store/sqlite/sqlite_store.h"

#include "gateway/store/sqlite/guarded.h"
#include "gateway/store/sqlite/migrations.h"
#include "gateway/store/sqlite/queries.h"

namespace fettle::store {
namespace {

using engine::Effects;
using engine::Sequence;
using engine::StoreError;
using engine::StoreResult;

// When the write-ahead log is copied is LogKeeper's affair. A log that a long reader made grow is cut to 64 MiB after.
constexpr const char* kSettings =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA wal_autocheckpoint = 0;"
    "PRAGMA journal_size_limit = 67108864;"
    "PRAGMA cache_size = -8192;"   // KiB
    "PRAGMA secure_delete = OFF;"  // Debian's default zeroes what is deleted: writes for nothing
    "PRAGMA temp_store = MEMORY;";

int note_log(void* keeper, sqlite3* connection, const char* /*schema*/, int pages) {
  static_cast<LogKeeper*>(keeper)->note(connection, pages);
  return SQLITE_OK;
}

// For its lifetime, each commit of the connection is synced before it returns.
class SyncedCommits {
 public:
  explicit SyncedCommits(Database& database) : database_(database) { database_.execute("PRAGMA synchronous = FULL"); }
  ~SyncedCommits() {
    // Failing here leaves FULL on: slower and no less safe.
    sqlite3_exec(database_.handle(), "PRAGMA synchronous = NORMAL", nullptr, nullptr, nullptr);
  }
  SyncedCommits(const SyncedCommits&) = delete;
  SyncedCommits& operator=(const SyncedCommits&) = delete;

 private:
  Database& database_;
};

[[noreturn]] void refuse(const Database& database, const std::string& why) {
  throw DatabaseError(SQLITE_CONSTRAINT, "cannot commit to " + database.file().string() + ": " + why +
                                             ". Nothing was written; please report it.");
}

}  // namespace

StoreResult<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& file, Durability durability,
                                                            const MergeDue& due) {
  return guarded([&] { return std::unique_ptr<SqliteStore>(new SqliteStore(file, durability, due)); });
}

SqliteStore::~SqliteStore() = default;

SqliteStore::SqliteStore(const std::filesystem::path& file, Durability durability, const MergeDue& due)
    : durability_(durability),
      merges_(std::make_shared<MergeExchange>(due)),
      log_(std::make_shared<LogKeeper>()),
      database_(std::make_unique<Database>(file, Access::create)) {
  Database& database = *database_;
  database.execute(kSettings);
  sqlite3_wal_hook(database.handle(), note_log, log_.get());
  database.execute(durability == Durability::power ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  migrate(database);
  committed_ = load_committed(database);
  writer_ = std::make_unique<EffectWriter>(database);
  writer_->forget_unfinished();
  merge_writer_ = std::make_unique<MergeWriter>(database);
  merge_writer_->forget_unfinished();
  lookup_ = std::make_unique<ReadingLookup>(database);
  usage_by_key_ = std::make_unique<Statement>(
      database, std::string("SELECT ") + kUsageColumns +
                    " FROM usage_record WHERE asset = ?1 AND meter = ?2 AND start = ?3 AND band = ?4");
  posted_ = std::make_unique<Statement>(
      database,
      "SELECT subscription, charge, asset, band, line.period_start, line.period_end, sum(posted_quantity), sum(amount) "
      "FROM invoice_line AS line JOIN invoice ON invoice.id = line.invoice WHERE subscription = ?1 AND final = 1 "
      "GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 2, 3, 5, 6, 4");
  last_number_ = std::make_unique<Statement>(
      database,
      "SELECT coalesce(max(number_index), 0) FROM invoice WHERE final = 1 AND seller = ?1 AND number_year = ?2");
  note_backlog(load_now(database));
}

// ---- commit --------------------------------------------------------------------------------------------------------

StoreResult<void> SqliteStore::commit(const Effects& effects) {
  auto done = guarded([&] {
    const Placement placed = placement(effects);
    const BlockEncoder::Encoded* block = nullptr;
    if (placed != Placement::none) {
      const auto encoded = encoder_.encode(compressor_, effects);
      if (!encoded) refuse(*database_, encoded.error().message);
      block = *encoded;
    }
    std::optional<SyncedCommits> synced;
    if (effects.checkpoint && durability_ == Durability::process) synced.emplace(*database_);
    Transaction transaction(*database_, Transaction::Kind::write);
    if (block != nullptr) writer_->write_block(*block);
    writer_->write(effects);
    transaction.commit();

    committed_ = effects.committed;
    if (placed == Placement::appended) lookup_->append(block->summary);
    if (placed == Placement::replaced) lookup_->replace_last(block->summary);
    note_backlog(effects.now);
  });
  if (done) return done;
  // What was counted of rows that were rolled back.
  const auto recounted = guarded([&] { writer_->recount(); });
  return recounted ? done : StoreError{done.error().message + " Then: " + recounted.error().message};
}

// A batch given again begins where its block does. Any other overlap would store readings twice.
SqliteStore::Placement SqliteStore::placement(const Effects& effects) const {
  if (effects.readings.empty()) return Placement::none;
  if (effects.first <= lookup_->state().merged) return Placement::none;  // a batch given again after it was merged
  const BlockDirectory& directory = lookup_->directory();
  if (effects.first > directory.last_sequence()) return Placement::appended;
  if (effects.first == directory.last_first_sequence()) return Placement::replaced;
  refuse(*database_, "the batch of records " + std::to_string(effects.first) + " to " +
                         std::to_string(effects.committed) + " overlaps readings that are stored up to record " +
                         std::to_string(directory.last_sequence()));
}

void SqliteStore::note_backlog(engine::Time now) {
  now_ = now;
  const StoreSizes unmerged = sizes();
  merges_->note({unmerged.unmerged_readings, unmerged.unmerged_blocks, now});
}

StoreSizes SqliteStore::sizes() const {
  return {lookup_->directory().readings(), lookup_->directory().size()};
}

// What no longer counts goes first, so that the file does not grow while merges follow each other.
StoreResult<bool> SqliteStore::apply_merge() {
  return guarded([&] {
    if (garbage_) {
      garbage_ = merge_writer_->collect();
      if (garbage_) return true;
    }
    const std::shared_ptr<const MergePiece> piece = merges_->front();
    if (piece == nullptr) return false;
    merge_writer_->apply(*piece);
    if (piece->finishes) {
      garbage_ = true;
      lookup_->merged({piece->merge, piece->merged, piece->last_chunk});
    }
    lookup_->forget_chunks(piece->cut);
    note_backlog(now_);
    merges_->taken();
    return true;
  });
}

StoreResult<void> SqliteStore::limit_size(std::uint64_t bytes) {
  return guarded([&] {
    const std::int64_t page = database_->integer("PRAGMA page_size");
    const std::int64_t pages = static_cast<std::int64_t>(bytes) / page;
    database_->integer("PRAGMA max_page_count = " + std::to_string(pages > 0 ? pages : 1));
  });
}

// ---- what the engine asks ------------------------------------------------------------------------------------------

StoreResult<Sequence> SqliteStore::checkpointed() {
  return guarded([&] { return load_checkpoint_sequence(*database_); });
}

StoreResult<void> SqliteStore::load_parts(const std::function<bool(engine::CheckpointPart)>& take) {
  return guarded([&] { store::load_parts(*database_, compressor_, take); });
}

StoreResult<std::vector<engine::CatalogRow>> SqliteStore::load_catalog(Sequence as_of) {
  return guarded([&] { return store::load_catalog(*database_, as_of); });
}

StoreResult<std::vector<engine::SeriesRow>> SqliteStore::load_series() {
  return guarded([&] { return store::load_series(*database_); });
}

StoreResult<std::vector<engine::StoredReading>> SqliteStore::readings(engine::SeriesId series, engine::Time from,
                                                                      engine::Time to, Sequence before) {
  return guarded([&] { return lookup_->find(series, from, to, before); });
}

StoreResult<std::optional<engine::UsageRow>> SqliteStore::usage(const engine::UsageKey& key) {
  return guarded([&] {
    std::optional<engine::UsageRow> usage;
    usage_by_key_->each([&](Row& row) { usage = take_usage(row); }, key.asset, key.meter, key.start, key.band);
    return usage;
  });
}

StoreResult<std::vector<engine::UsageRow>> SqliteStore::usage(const std::string& asset, const std::string& meter,
                                                              engine::Time from, engine::Time to) {
  return guarded([&] { return load_usage(*database_, asset, meter, from, to); });
}

StoreResult<std::vector<engine::PostedLine>> SqliteStore::posted(const std::string& subscription) {
  return guarded([&] {
    std::vector<engine::PostedLine> lines;
    posted_->each(
        [&](Row& row) {
          engine::PostedLine& line = lines.emplace_back();
          row.into(line.subscription, line.charge, line.asset, line.band, line.period_start, line.period_end,
                   line.quantity, line.amount);
        },
        subscription);
    return lines;
  });
}

StoreResult<std::uint32_t> SqliteStore::last_invoice_number(const std::string& seller, int year) {
  return guarded([&] {
    std::uint32_t last = 0;
    last_number_->each([&](Row& row) { row.into(last); }, seller, year);
    return last;
  });
}

}  // namespace fettle::store
