#include "gateway/store/sqlite/sqlite_store.h"

#include "gateway/store/sqlite/guarded.h"
#include "gateway/store/sqlite/migrations.h"
#include "gateway/store/sqlite/queries.h"

namespace fettle::store {
namespace {

using engine::Checkpoint;
using engine::Effects;
using engine::Sequence;
using engine::StoreError;
using engine::StoreResult;

// The write-ahead log is copied into the file every 16 MiB: seldom enough that a page written by many batches is copied
// once, often enough that a copy takes tens of milliseconds. A log that a long reader made grow is cut to 64 MiB after.
constexpr const char* kSettings =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA wal_autocheckpoint = 4096;"  // pages of 4 KiB
    "PRAGMA journal_size_limit = 67108864;"
    "PRAGMA cache_size = -16384;"  // KiB
    "PRAGMA secure_delete = OFF;"  // Debian's default zeroes what is deleted: writes for nothing
    "PRAGMA temp_store = MEMORY;";

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

StoreResult<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::filesystem::path& file, Durability durability) {
  return guarded([&] { return std::unique_ptr<SqliteStore>(new SqliteStore(file, durability)); });
}

SqliteStore::SqliteStore(const std::filesystem::path& file, Durability durability)
    : durability_(durability), database_(std::make_unique<Database>(file, Access::create)) {
  Database& database = *database_;
  database.execute(kSettings);
  database.execute(durability == Durability::power ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  migrate(database);
  committed_ = load_committed(database);
  writer_ = std::make_unique<EffectWriter>(database);
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
}

// ---- commit --------------------------------------------------------------------------------------------------------

StoreResult<void> SqliteStore::commit(const Effects& effects) {
  return commit(effects, nullptr);
}

StoreResult<void> SqliteStore::commit(const Effects& effects, const Checkpoint& checkpoint) {
  return commit(effects, &checkpoint);
}

StoreResult<void> SqliteStore::commit(const Effects& effects, const Checkpoint* checkpoint) {
  auto done = guarded([&] {
    std::optional<BlockSummary> summary;
    std::string block;
    Placement placed = Placement::appended;
    if (!effects.readings.empty()) {
      auto summarised = summarise(effects.messages, effects.readings);
      if (!summarised) refuse(*database_, summarised.error().message);
      summary = std::move(*summarised);
      placed = placement(*summary);
      auto encoded = encode_block(compressor_, *summary, effects.messages, effects.readings);
      if (!encoded) refuse(*database_, encoded.error().message);
      block = std::move(*encoded);
    }
    std::optional<SyncedCommits> synced;
    if (checkpoint != nullptr && durability_ == Durability::process) synced.emplace(*database_);
    Transaction transaction(*database_, Transaction::Kind::write);
    if (summary) writer_->write_block(*summary, block);
    writer_->write(effects);
    if (checkpoint != nullptr) writer_->write(*checkpoint);
    transaction.commit();

    committed_ = effects.committed;
    if (summary && placed == Placement::appended) lookup_->append(*summary);
    if (summary && placed == Placement::replaced) lookup_->forget(summary->first_sequence);
  });
  if (done) return done;
  // Quarantined rows that were rolled back were counted.
  const auto recounted = guarded([&] { writer_->recount(); });
  return recounted ? done : StoreError{done.error().message + " Then: " + recounted.error().message};
}

// A batch given again has the sequences of its block. Any other overlap would store readings twice.
SqliteStore::Placement SqliteStore::placement(const BlockSummary& summary) const {
  const BlockDirectory& directory = lookup_->directory();
  if (summary.first_sequence > directory.last_sequence()) return Placement::appended;
  if (directory.contains(summary.first_sequence, summary.last_sequence)) return Placement::replaced;
  refuse(*database_, "messages " + std::to_string(summary.first_sequence) + " to " +
                         std::to_string(summary.last_sequence) + " overlap readings that are stored up to message " +
                         std::to_string(directory.last_sequence()));
}

StoreResult<void> SqliteStore::limit_size(std::uint64_t bytes) {
  return guarded([&] {
    const std::int64_t page = database_->integer("PRAGMA page_size");
    const std::int64_t pages = static_cast<std::int64_t>(bytes) / page;
    database_->integer("PRAGMA max_page_count = " + std::to_string(pages > 0 ? pages : 1));
  });
}

// ---- what the engine asks ------------------------------------------------------------------------------------------

StoreResult<Checkpoint> SqliteStore::load_checkpoint() {
  return guarded([&] { return store::load_checkpoint(*database_); });
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
