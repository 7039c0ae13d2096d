#include "gateway/store/sqlite/migrations.h"

#include <algorithm>
#include <array>
#include <string>

namespace fettle::store {
namespace {

constexpr std::int64_t kApplicationId = 0x4674746c;  // "Fttl"

// The schema began at 2: what wrote schema 1 was never released, and its checkpoint means nothing to this engine.
constexpr std::int64_t kFirstVersion = 2;

// Times are milliseconds since 1970 in UTC; money is in minor units; sequences are the journal's.
constexpr const char* kFirst = R"sql(
CREATE TABLE series (
  id     INTEGER PRIMARY KEY,
  asset  TEXT NOT NULL,
  signal TEXT NOT NULL,
  UNIQUE (asset, signal)
) STRICT;
CREATE TRIGGER series_never_changes BEFORE UPDATE ON series
WHEN new.id <> old.id OR new.asset <> old.asset OR new.signal <> old.signal
BEGIN SELECT RAISE(ABORT, 'a series never changes'); END;

-- Level 0: what a batch of records stored, as it came. Small columns first: the directory of blocks is read without
-- touching the pages of the blocks.
CREATE TABLE reading_block (
  first_sequence INTEGER PRIMARY KEY,
  last_sequence  INTEGER NOT NULL,
  min_time       INTEGER NOT NULL,
  max_time       INTEGER NOT NULL,
  readings       INTEGER NOT NULL,
  series         BLOB NOT NULL,
  block          BLOB NOT NULL,
  CHECK (first_sequence <= last_sequence AND min_time <= max_time AND readings > 0)
) STRICT;

-- Level 1: the readings of one series, which the merge took out of level 0. A chunk counts once its id is not beyond
-- merge_state.last_chunk, and until it is replaced by a merge that is finished.
CREATE TABLE chunk (
  series         INTEGER NOT NULL,
  min_time       INTEGER NOT NULL,
  id             INTEGER NOT NULL,
  max_time       INTEGER NOT NULL,
  first_sequence INTEGER NOT NULL,
  last_sequence  INTEGER NOT NULL,
  readings       INTEGER NOT NULL,
  PRIMARY KEY (series, min_time, id),
  CHECK (first_sequence <= last_sequence AND min_time <= max_time AND readings > 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE chunk_body (
  id       INTEGER PRIMARY KEY,
  series   INTEGER NOT NULL,
  min_time INTEGER NOT NULL,
  points   BLOB NOT NULL,
  origins  BLOB NOT NULL
) STRICT;

-- Replaced chunks are removed some time after the merge that replaced them.
CREATE TABLE chunk_replaced (
  id       INTEGER PRIMARY KEY,
  series   INTEGER NOT NULL,
  min_time INTEGER NOT NULL,
  merge    INTEGER NOT NULL
) STRICT;

-- The messages that readings of level 1 came in. A block counts if it is not beyond merge_state.merged.
CREATE TABLE message_block (
  first_sequence INTEGER PRIMARY KEY,
  last_sequence  INTEGER NOT NULL,
  messages       INTEGER NOT NULL,
  block          BLOB NOT NULL,
  CHECK (first_sequence <= last_sequence AND messages > 0)
) STRICT;

-- What is left of readings that were older than their signal's retention.
CREATE TABLE rollup (
  series     INTEGER NOT NULL,
  resolution INTEGER NOT NULL,  -- milliseconds of a bucket
  start      INTEGER NOT NULL,
  buckets    BLOB NOT NULL,
  PRIMARY KEY (series, resolution, start)
) STRICT;

CREATE TABLE usage_record (
  asset         TEXT NOT NULL,
  meter         TEXT NOT NULL,
  start         INTEGER NOT NULL,
  band          TEXT NOT NULL,
  end           INTEGER NOT NULL,
  quantity      INTEGER NOT NULL,
  readings      INTEGER NOT NULL,
  first_reading INTEGER NOT NULL,
  last_reading  INTEGER NOT NULL,
  quality       INTEGER NOT NULL,
  revision      INTEGER NOT NULL,
  PRIMARY KEY (asset, meter, start, band)
) STRICT, WITHOUT ROWID;

CREATE TABLE work_order (
  id           TEXT PRIMARY KEY,
  asset        TEXT NOT NULL,
  customer     TEXT NOT NULL,
  site         TEXT NOT NULL,
  pack         TEXT NOT NULL,
  rule         TEXT NOT NULL,
  state        TEXT NOT NULL,
  priority     TEXT NOT NULL,
  title        TEXT NOT NULL,
  action       TEXT NOT NULL,
  failure_mode TEXT NOT NULL,
  details      TEXT NOT NULL,
  raised_at    INTEGER NOT NULL,
  due_at       INTEGER,
  closed_at    INTEGER,
  occurrences  INTEGER NOT NULL,
  entitlement  TEXT NOT NULL
) STRICT;
CREATE INDEX work_order_by_state ON work_order (state, raised_at);

CREATE TABLE work_order_event (
  work_order  TEXT NOT NULL REFERENCES work_order (id) DEFERRABLE INITIALLY DEFERRED,
  number      INTEGER NOT NULL,
  from_state  TEXT NOT NULL,
  to_state    TEXT NOT NULL,
  at          INTEGER NOT NULL,
  recorded_at INTEGER NOT NULL,
  actor       TEXT NOT NULL,
  reason      TEXT NOT NULL,
  PRIMARY KEY (work_order, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE episode (
  id              TEXT PRIMARY KEY,
  asset           TEXT NOT NULL,
  pack            TEXT NOT NULL,
  pack_version    INTEGER NOT NULL,
  rule            TEXT NOT NULL,
  title           TEXT NOT NULL,
  condition       TEXT NOT NULL,
  parameters      TEXT NOT NULL,
  since           INTEGER NOT NULL,
  raised_at       INTEGER NOT NULL,
  raised_sequence INTEGER NOT NULL,
  cleared_at      INTEGER,
  clear_reason    TEXT NOT NULL,
  work_order      TEXT REFERENCES work_order (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX episode_by_asset ON episode (asset, raised_at);
CREATE INDEX episode_by_work_order ON episode (work_order) WHERE work_order IS NOT NULL;

CREATE TABLE evidence (
  episode TEXT NOT NULL REFERENCES episode (id) DEFERRABLE INITIALLY DEFERRED,
  number  INTEGER NOT NULL,
  signal  TEXT NOT NULL,
  time    INTEGER NOT NULL,
  value   REAL,  -- NULL: not a number
  state   TEXT NOT NULL,
  PRIMARY KEY (episode, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE invoice (
  id                TEXT PRIMARY KEY,
  final             INTEGER NOT NULL CHECK (final IN (0, 1)),
  content_hash      INTEGER NOT NULL,
  number_year       INTEGER NOT NULL,
  number_index      INTEGER NOT NULL,
  seller            TEXT NOT NULL,
  seller_snapshot   TEXT NOT NULL,
  customer          TEXT NOT NULL,
  customer_snapshot TEXT NOT NULL,
  currency          TEXT NOT NULL,
  exponent          INTEGER NOT NULL,
  period_start      INTEGER NOT NULL,
  period_end        INTEGER NOT NULL,
  zone              TEXT NOT NULL,
  issued_at         INTEGER NOT NULL,
  net               INTEGER NOT NULL,
  tax               INTEGER NOT NULL,
  gross             INTEGER NOT NULL,
  waiting_for       TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX invoice_number ON invoice (seller, number_year, number_index) WHERE final = 1;

CREATE TABLE invoice_line (
  invoice         TEXT NOT NULL REFERENCES invoice (id) ON DELETE CASCADE,
  number          INTEGER NOT NULL,
  subscription    TEXT NOT NULL,
  charge          TEXT NOT NULL,
  asset           TEXT NOT NULL,
  meter           TEXT NOT NULL,
  band            TEXT NOT NULL,
  period_start    INTEGER NOT NULL,
  period_end      INTEGER NOT NULL,
  title           TEXT NOT NULL,
  quantity        TEXT NOT NULL,
  unit            TEXT NOT NULL,
  unit_price      TEXT NOT NULL,
  amount          INTEGER NOT NULL,
  posted_quantity INTEGER NOT NULL,
  correction      INTEGER NOT NULL CHECK (correction IN (0, 1)),
  PRIMARY KEY (invoice, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX invoice_line_by_subscription ON invoice_line (subscription);

CREATE TABLE invoice_line_usage (
  invoice TEXT NOT NULL,
  number  INTEGER NOT NULL,
  usage   BLOB NOT NULL,
  PRIMARY KEY (invoice, number),
  FOREIGN KEY (invoice, number) REFERENCES invoice_line (invoice, number) ON DELETE CASCADE
) STRICT;

CREATE TABLE invoice_vat (
  invoice  TEXT NOT NULL REFERENCES invoice (id) ON DELETE CASCADE,
  number   INTEGER NOT NULL,
  category TEXT NOT NULL,
  percent  TEXT NOT NULL,
  base     INTEGER NOT NULL,
  tax      INTEGER NOT NULL,
  PRIMARY KEY (invoice, number)
) STRICT, WITHOUT ROWID;

-- A final invoice is written as a draft and made final last; from then on these hold.
CREATE TRIGGER final_is_not_updated BEFORE UPDATE ON invoice WHEN old.final = 1
BEGIN SELECT RAISE(ABORT, 'a final invoice never changes'); END;
CREATE TRIGGER final_is_not_deleted BEFORE DELETE ON invoice WHEN old.final = 1
BEGIN SELECT RAISE(ABORT, 'a final invoice never changes'); END;
)sql";

// The same three triggers for each table that belongs to an invoice.
std::string triggers_of_part(const std::string& table) {
  std::string sql;
  struct Event {
    const char* name;
    const char* condition;
  };
  constexpr std::array<Event, 3> kEvents = {{
      {"INSERT", "(SELECT final FROM invoice WHERE id = new.invoice) = 1"},
      {"UPDATE", "EXISTS (SELECT 1 FROM invoice WHERE id IN (old.invoice, new.invoice) AND final = 1)"},
      {"DELETE", "(SELECT final FROM invoice WHERE id = old.invoice) = 1"},
  }};
  for (const Event& event : kEvents) {
    sql += "CREATE TRIGGER " + table + "_of_final_" + event.name + " BEFORE " + event.name + " ON " + table + " WHEN " +
           event.condition + " BEGIN SELECT RAISE(ABORT, 'a final invoice never changes'); END;\n";
  }
  return sql;
}

constexpr const char* kFirstRest = R"sql(
CREATE TABLE quarantine (
  sequence    INTEGER NOT NULL,
  item        INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  received    INTEGER NOT NULL,
  topic       TEXT NOT NULL,
  detail      TEXT NOT NULL,
  first_bytes BLOB NOT NULL,
  PRIMARY KEY (sequence, item, reason)
) STRICT, WITHOUT ROWID;

CREATE TABLE catalog_entry (
  kind     TEXT NOT NULL,
  id       TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  body     BLOB NOT NULL,
  PRIMARY KEY (kind, id, sequence)
) STRICT;
CREATE TRIGGER catalog_keeps_everything BEFORE DELETE ON catalog_entry
BEGIN SELECT RAISE(ABORT, 'a catalog entry is never removed'); END;

-- The engine's working state. Of a key at most two: as of the checkpoint that counts or an earlier one, and as of one in
-- the making, beyond checkpoint.sequence.
CREATE TABLE checkpoint_part (
  key   TEXT NOT NULL,
  as_of INTEGER NOT NULL,
  state BLOB NOT NULL,
  PRIMARY KEY (key, as_of)
) STRICT;

CREATE TABLE outbox (
  id      INTEGER PRIMARY KEY,
  at      INTEGER NOT NULL,
  kind    TEXT NOT NULL,
  subject TEXT NOT NULL,
  body    TEXT NOT NULL
) STRICT;

CREATE TABLE discovered (
  source     TEXT NOT NULL,
  name       TEXT NOT NULL,
  asset      TEXT NOT NULL,
  type       TEXT NOT NULL,
  sample     TEXT NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen  INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  kept       INTEGER NOT NULL,
  dropped    INTEGER NOT NULL,
  PRIMARY KEY (source, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE loss (
  node      TEXT NOT NULL,
  number    INTEGER NOT NULL,
  kind      TEXT NOT NULL,
  state     TEXT NOT NULL,
  from_time INTEGER NOT NULL,
  to_time   INTEGER NOT NULL,
  messages  INTEGER NOT NULL,
  refilled  INTEGER NOT NULL,
  PRIMARY KEY (node, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX loss_by_time ON loss (from_time);

CREATE TABLE loss_refill (
  node     TEXT NOT NULL,
  number   INTEGER NOT NULL,
  asset    TEXT NOT NULL,
  signal   TEXT NOT NULL,
  readings INTEGER NOT NULL,
  PRIMARY KEY (node, number, asset, signal)
) STRICT, WITHOUT ROWID;

-- Tables of one row.
CREATE TABLE checkpoint (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  sequence INTEGER NOT NULL
) STRICT;
INSERT INTO checkpoint VALUES (1, 0);

-- Level 0 counts from behind `merged` on, chunks up to `last_chunk`.
CREATE TABLE merge_state (
  id         INTEGER PRIMARY KEY CHECK (id = 1),
  finished   INTEGER NOT NULL,
  merged     INTEGER NOT NULL,
  last_chunk INTEGER NOT NULL
) STRICT;
INSERT INTO merge_state VALUES (1, 0, 0, 0);

CREATE TABLE committed (
  id       INTEGER PRIMARY KEY CHECK (id = 1),
  sequence INTEGER NOT NULL,
  now      INTEGER NOT NULL
) STRICT;
INSERT INTO committed VALUES (1, 0, 0);

CREATE TABLE counters (
  id                 INTEGER PRIMARY KEY CHECK (id = 1),
  messages           INTEGER NOT NULL,
  readings           INTEGER NOT NULL,
  duplicates         INTEGER NOT NULL,
  conflicts          INTEGER NOT NULL,
  late               INTEGER NOT NULL,
  quarantined        INTEGER NOT NULL,
  quarantine_removed INTEGER NOT NULL
) STRICT;
INSERT INTO counters VALUES (1, 0, 0, 0, 0, 0, 0, 0);

-- In a backup: the journal's records between its checkpoint and its committed sequence. Empty in a live store.
CREATE TABLE journal_tail (
  sequence INTEGER PRIMARY KEY,
  kind     INTEGER NOT NULL,
  received INTEGER NOT NULL,
  body     BLOB NOT NULL
) STRICT;
)sql";

std::string first() {
  std::string sql = kFirst;
  for (const char* table : {"invoice_line", "invoice_line_usage", "invoice_vat"}) sql += triggers_of_part(table);
  return sql + kFirstRest;
}

using Step = std::string (*)();
// kSteps[i] leads to version kFirstVersion + i.
constexpr std::array<Step, 1> kSteps = {first};

std::int64_t version_of(Database& database) {
  return database.integer("PRAGMA user_version");
}

void require_ours(Database& database) {
  if (database.integer("PRAGMA application_id") == kApplicationId) return;
  throw DatabaseError(SQLITE_NOTADB, database.file().string() +
                                         " is a database of another program. Name Fettle's own store, or a file that "
                                         "does not exist yet.");
}

void refuse_newer(Database& database, std::int64_t version) {
  if (version <= schema_version()) return;
  throw DatabaseError(SQLITE_ERROR,
                      database.file().string() + " has schema " + std::to_string(version) +
                          ", written by a newer Fettle; this one knows schemas up to " +
                          std::to_string(schema_version()) +
                          ". Run the newer program, or restore a backup that was made before the update.");
}

void refuse_older(Database& database, std::int64_t version) {
  if (version == 0 || version >= kFirstVersion) return;
  throw DatabaseError(SQLITE_ERROR, database.file().string() + " has schema " + std::to_string(version) +
                                        ", of a Fettle before its first release; no step leads from there to schema " +
                                        std::to_string(schema_version()) +
                                        ". Keep the file for the program that wrote it, and begin with a new folder.");
}

bool is_empty(Database& database) {
  return version_of(database) == 0 && database.integer("SELECT count(*) FROM sqlite_schema") == 0;
}

}  // namespace

int schema_version() {
  return static_cast<int>(kFirstVersion) + static_cast<int>(kSteps.size()) - 1;
}

void migrate(Database& database) {
  if (!is_empty(database)) require_ours(database);
  refuse_newer(database, version_of(database));
  refuse_older(database, version_of(database));
  for (std::int64_t next = std::max(version_of(database) + 1, kFirstVersion); next <= schema_version(); ++next) {
    Transaction transaction(database, Transaction::Kind::write);
    database.execute("PRAGMA application_id = " + std::to_string(kApplicationId));
    database.execute(kSteps.at(static_cast<std::size_t>(next - kFirstVersion))());
    database.execute("PRAGMA user_version = " + std::to_string(next));
    transaction.commit();
  }
}

void require_schema(Database& database) {
  require_ours(database);
  const std::int64_t version = version_of(database);
  refuse_newer(database, version);
  refuse_older(database, version);
  if (version == schema_version()) return;
  throw DatabaseError(SQLITE_ERROR, database.file().string() + " has schema " + std::to_string(version) +
                                        ", this Fettle reads schema " + std::to_string(schema_version()) +
                                        ". Start the gateway on it once: that brings it up to date.");
}

}  // namespace fettle::store
