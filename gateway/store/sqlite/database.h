#pragma once
// SQLite with destructors: a connection, its prepared statements and its transactions. Nothing here knows a table.
//
// Every return code is looked at; what fails throws DatabaseError, whose text names the file, SQLite's message and what
// to do. The classes above (SqliteStore, Reader) turn it into a StoreError. A Database and all that was made from it
// belong to one thread, and the Database lives longest.

#include <sqlite3.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace fettle::store {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }  // SQLite's primary result code, SQLITE_FULL for instance

 private:
  int code_;
};

enum class Access : std::uint8_t {
  read_only,   // the file must be there
  read_write,  // the file must be there
  create,      // made if it is not there
};

class Database {
 public:
  Database(const std::filesystem::path& file, Access access);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements that return no rows that anyone wants.
  void execute(const std::string& sql);
  std::int64_t changes() const { return sqlite3_changes64(handle_); }
  bool in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
  // A statement of one integer: pragmas and counts.
  std::int64_t integer(const std::string& sql);

  const std::filesystem::path& file() const { return file_; }
  sqlite3* handle() { return handle_; }

  // Throws for `code`; `doing` completes "cannot ... <file>".
  [[noreturn]] void fail(int code, std::string_view doing) const;

 private:
  sqlite3* handle_ = nullptr;
  std::filesystem::path file_;
};

// Bytes that are not text, for a BLOB column.
struct Blob {
  std::string_view bytes;
};

// The columns of the current row, taken from left to right. Strings take TEXT and BLOB alike.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}

  template <typename... Fields>
  void into(Fields&... fields) {
    (take(fields), ...);
  }
  // Valid until the next step of the statement.
  std::string_view bytes();

 private:
  template <typename Integer>
  requires(std::integral<Integer> && !std::same_as<Integer, bool>) void take(Integer& field) {
    field = static_cast<Integer>(sqlite3_column_int64(statement_, column_++));
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void take(Enum& field) { field = static_cast<Enum>(sqlite3_column_int64(statement_, column_++)); }
  void take(bool& field) { field = sqlite3_column_int64(statement_, column_++) != 0; }
  void take(double& field);  // NULL is not-a-number, which SQLite cannot store
  void take(Time& field) { field = Time(std::chrono::milliseconds(sqlite3_column_int64(statement_, column_++))); }
  void take(std::optional<Time>& field);
  void take(std::string& field) { field = bytes(); }

  sqlite3_stmt* statement_;
  int column_ = 0;
};

// A prepared statement; reset after every use, so that it holds no lock in between.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Binds the values to ?1, ?2 ... and runs to the end. Texts and blobs are not copied.
  template <typename... Values>
  void run(const Values&... values) {
    each([](Row&) {}, values...);
  }

  // The same, with f(Row&) for every row. Pre: f does not use this statement.
  template <typename OnRow, typename... Values>
  void each(OnRow&& f, const Values&... values) {
    const Reset reset{statement_};
    int index = 1;
    (bind(index++, values), ...);
    while (step()) {
      Row row(statement_);
      f(row);
    }
  }

 private:
  struct Reset {
    sqlite3_stmt* statement;
    ~Reset() { sqlite3_reset(statement); }  // repeats the error that step() has thrown already
  };

  template <typename Integer>
  requires std::integral<Integer>
  void bind(int index, Integer value) {
    check(sqlite3_bind_int64(statement_, index, static_cast<sqlite3_int64>(value)));
  }
  template <typename Enum>
  requires std::is_enum_v<Enum>
  void bind(int index, Enum value) { bind(index, static_cast<std::int64_t>(value)); }
  void bind(int index, double value) { check(sqlite3_bind_double(statement_, index, value)); }
  void bind(int index, Time value) { bind(index, value.time_since_epoch().count()); }
  void bind(int index, const std::optional<Time>& value);
  void bind(int index, std::string_view value);
  void bind(int index, Blob value);
  bool step();
  void check(int code);

  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

// Rolled back on destruction unless committed.
class Transaction {
 public:
  enum class Kind : std::uint8_t { read, write };
  Transaction(Database& database, Kind kind);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace fettle::store
