#include "gateway/store/sqlite/backup.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "gateway/store/sqlite/guarded.h"
#include "gateway/store/sqlite/migrations.h"
#include "gateway/store/sqlite/queries.h"

namespace fettle::store {
namespace {

using engine::Sequence;
using engine::StoreError;
using engine::StoreResult;
using std::filesystem::path;

[[noreturn]] void fail(const path& file, const std::string& doing, int error) {
  throw DatabaseError(SQLITE_IOERR, "cannot " + doing + " " + file.string() + ": " + std::strerror(error) +
                                        ". Check the folder's permissions and space; no backup was made.");
}

void sync(const path& file, int flags) {
  const int descriptor = ::open(file.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0) fail(file, "open", errno);
  const int error = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (error != 0) fail(file, "sync", error);
}

// Removes the unfinished file, also one of an earlier attempt that was killed.
class Unfinished {
 public:
  explicit Unfinished(path file) : file_(std::move(file)) { remove(); }
  ~Unfinished() { remove(); }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  const path& file() const { return file_; }

 private:
  void remove() const {
    std::error_code ignored;  // not being there is the usual case; anything else shows when the file is opened
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
      std::filesystem::remove(path(file_.string() + suffix), ignored);
    }
  }
  path file_;
};

void copy(Database& source, Database& target) {
  sqlite3_backup* copying = sqlite3_backup_init(target.handle(), "main", source.handle(), "main");
  if (copying == nullptr) target.fail(sqlite3_errcode(target.handle()), "back up to");
  const int stepped = sqlite3_backup_step(copying, -1);
  const int finished = sqlite3_backup_finish(copying);
  if (stepped != SQLITE_DONE) target.fail(stepped, "back up to");
  if (finished != SQLITE_OK) target.fail(finished, "back up to");
  // A file in WAL mode cannot be read from a folder that cannot be written.
  target.execute("PRAGMA journal_mode = DELETE");
}

void insert_tail(Database& database, std::span<const TailRecord> records) {
  Transaction transaction(database, Transaction::Kind::write);
  Statement insert(database,
                   "INSERT OR REPLACE INTO journal_tail (sequence, kind, received, body) VALUES (?1, ?2, ?3, ?4)");
  for (const TailRecord& record : records) {
    insert.run(record.sequence, record.kind, record.received, Blob{record.body});
  }
  transaction.commit();
}

std::vector<TailRecord> select_tail(Database& database) {
  std::vector<TailRecord> records;
  Statement(database, "SELECT sequence, kind, received, body FROM journal_tail ORDER BY sequence").each([&](Row& row) {
    TailRecord& record = records.emplace_back();
    row.into(record.sequence, record.kind, record.received, record.body);
  });
  return records;
}

void add_tail(Database& target, const TailSource& tail) {
  const Sequence checkpoint = load_checkpoint_sequence(target);
  const Sequence committed = load_committed(target);
  const auto records = tail(checkpoint, committed);
  if (!records) throw DatabaseError(SQLITE_ERROR, records.error().message);
  Sequence expected = checkpoint;
  for (const TailRecord& record : *records) {
    if (record.sequence == expected + 1) ++expected;
  }
  if (expected != committed || records->size() != committed - checkpoint) {
    throw DatabaseError(SQLITE_ERROR, "cannot back up " + target.file().string() + ": the journal gave " +
                                          std::to_string(records->size()) + " records where those from " +
                                          std::to_string(checkpoint + 1) + " to " + std::to_string(committed) +
                                          " are needed. Try again; if it stays, verify the journal.");
  }
  insert_tail(target, *records);
}

// Gives the finished file its name unless somebody else took it meanwhile.
void publish(const path& unfinished, const path& target) {
  int done = ::renameat2(AT_FDCWD, unfinished.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
  if (done != 0 && errno == EINVAL) done = ::rename(unfinished.c_str(), target.c_str());  // not every file system can
  if (done != 0) fail(target, "name the finished backup", errno);
  const path folder = target.parent_path();
  sync(folder.empty() ? path(".") : folder, O_RDONLY | O_DIRECTORY);
}

void make_backup(Database& source, const path& target, const TailSource* tail) {
  if (std::filesystem::exists(target)) {
    throw DatabaseError(SQLITE_CANTOPEN,
                        "cannot back up to " + target.string() +
                            ": it exists, and a backup replaces nothing. Name another file or remove it.");
  }
  const Unfinished unfinished(path(target.string() + ".partial"));
  {
    Database copied(unfinished.file(), Access::create);
    copied.execute("PRAGMA synchronous = OFF");  // synced once, whole, below
    copy(source, copied);
    if (tail != nullptr) add_tail(copied, *tail);
  }
  sync(unfinished.file(), O_RDWR);
  publish(unfinished.file(), target);
}

}  // namespace

StoreResult<void> backup(Database& source, const path& target, const TailSource& tail) {
  return guarded([&] { make_backup(source, target, &tail); });
}

StoreResult<void> backup(const path& source, const path& target, const TailSource& tail) {
  return guarded([&] {
    Database opened(source, Access::read_only);
    require_schema(opened);
    make_backup(opened, target, &tail);
  });
}

StoreResult<void> backup(Database& source, const path& target) {
  return guarded([&] { make_backup(source, target, nullptr); });
}

StoreResult<void> append_journal_tail(Database& database, std::span<const TailRecord> records) {
  return guarded([&] { insert_tail(database, records); });
}

StoreResult<std::vector<TailRecord>> read_journal_tail(Database& database) {
  return guarded([&] { return select_tail(database); });
}

StoreResult<void> clear_journal_tail(Database& database) {
  return guarded([&] { database.execute("DELETE FROM journal_tail"); });
}

StoreResult<void> append_journal_tail(const path& file, std::span<const TailRecord> records) {
  return guarded([&] {
    Database database(file, Access::read_write);
    require_schema(database);
    insert_tail(database, records);
  });
}

StoreResult<std::vector<TailRecord>> read_journal_tail(const path& file) {
  return guarded([&] {
    Database database(file, Access::read_only);
    require_schema(database);
    return select_tail(database);
  });
}

StoreResult<void> clear_journal_tail(const path& file) {
  return guarded([&] {
    Database database(file, Access::read_write);
    require_schema(database);
    database.execute("DELETE FROM journal_tail");
  });
}

}  // namespace fettle::store
