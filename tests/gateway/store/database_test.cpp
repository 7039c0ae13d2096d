#include "gateway/store/sqlite/database.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>

#include "gateway/store/sqlite/migrations.h"
#include "tests/gateway/store/scratch.h"

namespace fettle::store {
namespace {

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const DatabaseError& error) {
    return error.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// ---- the wrapper
// -----------------------------------------------------------------------------------------------------

TEST(Database, ErrorNamesTheFileTheCauseAndWhatToDo) {
  const ScratchFolder folder;
  const std::string message = error_of([&] { Database(folder.file("none.db"), Access::read_only); });
  EXPECT_TRUE(has(message, folder.file("none.db").string())) << message;
  EXPECT_TRUE(has(message, "unable to open database file")) << message;
  EXPECT_TRUE(has(message, "Check that the file and its folder exist")) << message;
}

TEST(Database, AFileThatIsNoDatabaseIsSaidToBeNone) {
  const ScratchFolder folder;
  std::ofstream(folder.file("text.db")) << std::string(5'000, 'x');
  const std::string message = error_of([&] {
    Database database(folder.file("text.db"), Access::read_write);
    migrate(database);
  });
  EXPECT_TRUE(has(message, "file is not a database")) << message;
  EXPECT_TRUE(has(message, "restore the newest backup")) << message;
}

TEST(Database, AReaderCannotWrite) {
  const ScratchFolder folder;
  Database(folder.file("a.db"), Access::create).execute("CREATE TABLE t (x)");
  Database reader(folder.file("a.db"), Access::read_only);
  const std::string message = error_of([&] { reader.execute("INSERT INTO t VALUES (1)"); });
  EXPECT_TRUE(has(message, "readonly")) << message;
}

TEST(Statement, ValuesComeBackAsTheyWereBound) {
  const ScratchFolder folder;
  Database database(folder.file("a.db"), Access::create);
  database.execute("CREATE TABLE t (a INTEGER, b REAL, c TEXT, d BLOB, e INTEGER, f INTEGER, g REAL, h TEXT) STRICT");
  const std::string text("zero\0inside", 11);
  const Time time(std::chrono::milliseconds(-5));
  Statement(database, "INSERT INTO t VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
      .run(std::uint64_t{1} << 62U, 0.1, text, Blob{std::string_view("\0\xff", 2)}, std::optional<Time>(time),
           std::optional<Time>(), std::numeric_limits<double>::quiet_NaN(), std::string_view());
  int rows = 0;
  Statement(database, "SELECT * FROM t").each([&](Row& row) {
    std::uint64_t a = 0;
    double b = 0;
    std::string c;
    std::string d;
    std::optional<Time> e;
    std::optional<Time> f = time;
    double g = 0;
    std::string h = "x";
    row.into(a, b, c, d, e, f, g, h);
    EXPECT_EQ(a, std::uint64_t{1} << 62U);
    EXPECT_EQ(b, 0.1);
    EXPECT_EQ(c, text);
    EXPECT_EQ(d, std::string("\0\xff", 2));
    EXPECT_EQ(e, time);
    EXPECT_FALSE(f);
    EXPECT_TRUE(std::isnan(g));
    EXPECT_EQ(h, "");
    ++rows;
  });
  EXPECT_EQ(rows, 1);
}

TEST(Transaction, IsRolledBackUnlessCommitted) {
  const ScratchFolder folder;
  Database database(folder.file("a.db"), Access::create);
  database.execute("CREATE TABLE t (x)");
  {
    Transaction transaction(database, Transaction::Kind::write);
    database.execute("INSERT INTO t VALUES (1)");
  }
  EXPECT_EQ(database.integer("SELECT count(*) FROM t"), 0);
  {
    Transaction transaction(database, Transaction::Kind::write);
    database.execute("INSERT INTO t VALUES (1)");
    transaction.commit();
  }
  EXPECT_EQ(database.integer("SELECT count(*) FROM t"), 1);
}

// ---- the schema
// ------------------------------------------------------------------------------------------------------

TEST(Migrations, AnEmptyFileGetsTheWholeSchemaOnce) {
  const ScratchFolder folder;
  Database database(folder.file("a.db"), Access::create);
  migrate(database);
  EXPECT_EQ(database.integer("PRAGMA user_version"), schema_version());
  const auto tables = database.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table'");
  EXPECT_EQ(database.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%STRICT%'"), 0);
  migrate(database);
  EXPECT_EQ(database.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), tables);
  EXPECT_EQ(database.integer("SELECT count(*) FROM checkpoint"), 1);
}

TEST(Migrations, ANewerSchemaIsRefusedAndLeftAlone) {
  const ScratchFolder folder;
  open_store(folder.file("a.db")).reset();
  Database(folder.file("a.db"), Access::read_write).execute("PRAGMA user_version = 1000");

  const auto store = SqliteStore::open(folder.file("a.db"), Durability::process);
  ASSERT_FALSE(store);
  EXPECT_TRUE(has(store.error().message, "written by a newer Fettle")) << store.error().message;
  EXPECT_TRUE(has(store.error().message, "a.db")) << store.error().message;
  Database database(folder.file("a.db"), Access::read_only);
  EXPECT_TRUE(has(error_of([&] { require_schema(database); }), "written by a newer Fettle"));
  EXPECT_EQ(database.integer("PRAGMA user_version"), 1'000);
}

TEST(Migrations, AnotherProgramsDatabaseIsRefusedAndLeftAlone) {
  const ScratchFolder folder;
  Database(folder.file("a.db"), Access::create).execute("CREATE TABLE theirs (x)");
  const auto store = SqliteStore::open(folder.file("a.db"), Durability::process);
  ASSERT_FALSE(store);
  EXPECT_TRUE(has(store.error().message, "another program")) << store.error().message;
  Database database(folder.file("a.db"), Access::read_only);
  EXPECT_EQ(database.integer("SELECT count(*) FROM sqlite_schema"), 1);
}

TEST(Migrations, AnOlderSchemaIsNotReadWithoutTheGateway) {
  const ScratchFolder folder;
  open_store(folder.file("a.db")).reset();
  Database database(folder.file("a.db"), Access::read_write);
  database.execute("PRAGMA user_version = 0");
  EXPECT_TRUE(has(error_of([&] { require_schema(database); }), "Start the gateway"));
}

TEST(Migrations, AFileFromBeforeTheFirstReleaseIsRefusedAndLeftAlone) {
  const ScratchFolder folder;
  open_store(folder.file("a.db")).reset();
  Database(folder.file("a.db"), Access::read_write).execute("PRAGMA user_version = 1");
  const auto store = SqliteStore::open(folder.file("a.db"), Durability::process);
  ASSERT_FALSE(store);
  EXPECT_TRUE(has(store.error().message, "before its first release")) << store.error().message;
  Database database(folder.file("a.db"), Access::read_only);
  EXPECT_EQ(database.integer("PRAGMA user_version"), 1);
  EXPECT_TRUE(has(error_of([&] { require_schema(database); }), "begin with a new folder"));
}

TEST(Migrations, AStepThatFailsLeavesTheVersionBefore) {
  const ScratchFolder folder;
  open_store(folder.file("a.db")).reset();
  Database database(folder.file("a.db"), Access::read_write);
  database.execute("PRAGMA user_version = 0");  // so that step 1 runs into its own tables
  EXPECT_NE(error_of([&] { migrate(database); }), "");
  EXPECT_EQ(database.integer("PRAGMA user_version"), 0);
  EXPECT_FALSE(database.in_transaction());
}

}  // namespace
}  // namespace fettle::store
