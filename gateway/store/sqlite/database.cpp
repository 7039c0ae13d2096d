#include "gateway/store/sqlite/database.h"

#include <limits>

namespace fettle::store {
namespace {

// How long a statement waits for another process's lock. Readers never wait for the writer in WAL mode; this is for
// recovery after a crash and for a command line at work on the same file.
constexpr int kBusyTimeout = 5'000;  // milliseconds

std::string_view advice(int code) {
  switch (code) {
    case SQLITE_FULL:
      return "Free space on its file system, or raise the store's bound; nothing was written and it can be tried "
             "again.";
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "Another process holds it: look for a second gateway or a command at work on the same file.";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "The file is damaged or no database: keep a copy of it and restore the newest backup.";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
    case SQLITE_AUTH:
      return "Check that the file and its folder exist and that this user may read and write both.";
    case SQLITE_IOERR:
      return "The file system refused: see the system log for the disk; it can be tried again.";
    case SQLITE_CONSTRAINT:
      return "Nothing was written. What was given contradicts what is stored; please report it with this message.";
    default:
      return "Nothing was written.";
  }
}

}  // namespace

// ---- Database ------------------------------------------------------------------------------------------------------

Database::Database(const std::filesystem::path& file, Access access) : file_(file) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  switch (access) {
    case Access::read_only:
      flags |= SQLITE_OPEN_READONLY;
      break;
    case Access::read_write:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case Access::create:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
      break;
  }
  try {
    const int opened = sqlite3_open_v2(file.c_str(), &handle_, flags, nullptr);
    if (opened != SQLITE_OK) fail(opened, "open");
    const int timed = sqlite3_busy_timeout(handle_, kBusyTimeout);
    if (timed != SQLITE_OK) fail(timed, "configure");
    execute("PRAGMA foreign_keys = ON");
  } catch (...) {
    sqlite3_close_v2(handle_);
    throw;
  }
}

Database::~Database() {
  sqlite3_close_v2(handle_);
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "work on");
}

std::int64_t Database::integer(const std::string& sql) {
  std::int64_t value = 0;
  Statement(*this, sql).each([&](Row& row) { row.into(value); });
  return value;
}

void Database::fail(int code, std::string_view doing) const {
  const int primary = code & 0xff;
  std::string message = "cannot ";
  message += doing;
  message += ' ';
  message += file_.string();
  message += ": ";
  message += handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  message += ". ";
  message += advice(primary);
  throw DatabaseError(primary, message);
}

// ---- Row -----------------------------------------------------------------------------------------------------------

std::string_view Row::bytes() {
  const int column = column_++;
  const void* bytes = sqlite3_column_blob(statement_, column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(bytes), size);
}

void Row::take(double& field) {
  const int column = column_++;
  field = sqlite3_column_type(statement_, column) == SQLITE_NULL ? std::numeric_limits<double>::quiet_NaN()
                                                                 : sqlite3_column_double(statement_, column);
}

void Row::take(std::optional<Time>& field) {
  if (sqlite3_column_type(statement_, column_) == SQLITE_NULL) {
    field.reset();
    ++column_;
    return;
  }
  take(field.emplace());
}

// ---- Statement -----------------------------------------------------------------------------------------------------

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  const int code = sqlite3_prepare_v3(database.handle(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code != SQLITE_OK) database.fail(code, "work on");
}

void Statement::bind(int index, const std::optional<Time>& value) {
  if (value) {
    bind(index, *value);
  } else {
    check(sqlite3_bind_null(statement_, index));
  }
}

// A null pointer would bind NULL, so an empty view gets another.
void Statement::bind(int index, std::string_view value) {
  check(sqlite3_bind_text64(statement_, index, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC,
                            SQLITE_UTF8));
}

void Statement::bind(int index, Blob value) {
  check(sqlite3_bind_blob64(statement_, index, value.bytes.empty() ? "" : value.bytes.data(), value.bytes.size(),
                            SQLITE_STATIC));
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code != SQLITE_DONE) {
    database_.fail(code, sqlite3_stmt_readonly(statement_) != 0 ? "read" : "write to");
  }
  return false;
}

void Statement::check(int code) {
  if (code != SQLITE_OK) database_.fail(code, "work on");
}

// ---- Transaction ---------------------------------------------------------------------------------------------------

Transaction::Transaction(Database& database, Kind kind) : database_(database) {
  database.execute(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN DEFERRED");
}

Transaction::~Transaction() {
  // A full disk or an I/O error may have rolled back already; a failing rollback leaves nothing else to do.
  if (open_ && database_.in_transaction()) {
    sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace fettle::store
