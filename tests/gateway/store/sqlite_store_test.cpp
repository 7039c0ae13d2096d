#include "gateway/store/sqlite/sqlite_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "gateway/store/sqlite/reader.h"
#include "tests/contract/store_rows.h"
#include "tests/gateway/store/scratch.h"

// What is SQLite's own: full disks, failing writes, bounds, and what the schema refuses to anybody. What every store
// does is in tests/contract/store_contract.h.

namespace fettle::store {
namespace {

using engine::Effects;
using namespace engine::contract;

class SqliteStoreTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return folder_.file("store.db"); }
  void reopen() {
    store_.reset();
    store_ = open_store(file());
  }
  void commit(const Effects& effects) {
    const auto done = store_->commit(effects);
    ASSERT_TRUE(done) << done.error().message;
  }

  ScratchFolder folder_;
  std::unique_ptr<SqliteStore> store_ = open_store(file());
};

Effects with_body(engine::Sequence sequence, std::size_t bytes) {
  Effects effects = readings_at(sequence, 1, 0);
  effects.series = {{0, "press-1", "force"}};
  effects.catalog = {{"asset", "press-1", sequence, std::string(bytes, 'x')}};
  return effects;
}

TEST_F(SqliteStoreTest, AFullDiskFailsTheCommitAndNothingElse) {
  commit(with_body(1, 10));
  ASSERT_TRUE(store_->limit_size(400'000));
  const auto failed = store_->commit(with_body(2, 1'000'000));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("full"), std::string::npos) << failed.error().message;
  EXPECT_NE(failed.error().message.find("Free space"), std::string::npos) << failed.error().message;
  EXPECT_NE(failed.error().message.find(file().string()), std::string::npos) << failed.error().message;
  EXPECT_EQ(store_->committed(), 1U);
  EXPECT_EQ(store_->readings(0, engine::Time::min(), engine::Time::max(), 100).value().size(), 1U);

  commit(with_body(2, 1'000));  // fits
  ASSERT_TRUE(store_->limit_size(100'000'000));
  commit(with_body(3, 1'000'000));
  reopen();
  EXPECT_EQ(store_->committed(), 3U);
  EXPECT_EQ(store_->load_catalog(3).value().at(0).body.size(), 1'000'000U);
  EXPECT_EQ(store_->readings(0, engine::Time::min(), engine::Time::max(), 100).value().size(), 3U);
}

TEST_F(SqliteStoreTest, AWriteThatTheSystemRefusesFailsTheCommitAndNothingElse) {
  commit(with_body(1, 10));
  std::signal(SIGXFSZ, SIG_IGN);  // so that write() returns an error beyond the limit
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit tight = before;
  tight.rlim_cur = 600'000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &tight), 0);
  const auto failed = store_->commit(with_body(2, 2'000'000));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, SIG_DFL);

  ASSERT_FALSE(failed);
  EXPECT_EQ(store_->committed(), 1U);
  commit(with_body(2, 2'000'000));
  reopen();
  EXPECT_EQ(store_->committed(), 2U);
  EXPECT_EQ(store_->load_catalog(2).value().at(0).body.size(), 2'000'000U);
}

TEST_F(SqliteStoreTest, ReadingsThatOverlapOthersAreRefused) {
  commit(readings_at(10, 5, 0));
  const auto failed = store_->commit(readings_at(12, 5, 0));
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("overlap"), std::string::npos) << failed.error().message;
  commit(readings_at(15, 5, 0));
  EXPECT_EQ(store_->readings(0, engine::Time::min(), engine::Time::max(), 100).value().size(), 10U);
}

TEST_F(SqliteStoreTest, ABatchGivenAgainReplacesWhatWasRead) {
  commit(readings_at(1, 3, 0));
  EXPECT_EQ(store_->readings(0, at(2), at(3), 100).value().at(0).value, 2.0);
  Effects again = readings_at(1, 3, 0);
  again.readings[1].value = 99;
  commit(again);
  EXPECT_EQ(store_->readings(0, at(2), at(3), 100).value().at(0).value, 99.0);
}

TEST_F(SqliteStoreTest, FinalInvoicesAreImmutableToAnybodyWithSql) {
  Effects effects = effects_at(1);
  effects.invoices = {final_invoice(1), draft()};
  commit(effects);
  Database database(file(), Access::read_write);
  for (const char* sql : {
           "UPDATE invoice SET net = 1 WHERE final = 1",
           "UPDATE invoice SET final = 0 WHERE final = 1",
           "DELETE FROM invoice WHERE final = 1",
           "UPDATE invoice_line SET amount = 1 WHERE invoice = 'F-2018-1'",
           "UPDATE invoice_line SET invoice = 'F-2018-1', number = 2 WHERE invoice LIKE 'draft%'",
           "DELETE FROM invoice_line WHERE invoice = 'F-2018-1'",
           "INSERT INTO invoice_line SELECT 'F-2018-1', 2, subscription, charge, asset, meter, band, period_start, "
           "period_end, title, quantity, unit, unit_price, amount, posted_quantity, correction FROM invoice_line",
           "UPDATE invoice_line_usage SET usage = x'' WHERE invoice = 'F-2018-1'",
           "DELETE FROM invoice_line_usage WHERE invoice = 'F-2018-1'",
           "UPDATE invoice_vat SET tax = 0 WHERE invoice = 'F-2018-1'",
           "DELETE FROM invoice_vat WHERE invoice = 'F-2018-1'",
           "INSERT INTO invoice_vat VALUES ('F-2018-1', 2, 'S', '7', 0, 0)",
       }) {
    try {
      database.execute(sql);
      ADD_FAILURE() << "was allowed: " << sql;
    } catch (const DatabaseError& error) {
      EXPECT_NE(std::string(error.what()).find("a final invoice never changes"), std::string::npos) << error.what();
    }
  }
  EXPECT_NO_THROW(database.execute("UPDATE invoice SET net = 1 WHERE final = 0"));
}

TEST_F(SqliteStoreTest, TheQuarantineKeepsTheNewestAndCountsTheRest) {
  const auto quarantined = [](engine::Sequence first, std::int64_t count) {
    Effects effects = effects_at(first + static_cast<engine::Sequence>(count));
    for (std::int64_t i = 0; i < count; ++i) {
      effects.quarantine.push_back({first + static_cast<engine::Sequence>(i), 0, at(i), "t", "malformed", "d", "b"});
    }
    return effects;
  };
  commit(quarantined(1, kQuarantineRows - 10));
  reopen();
  Effects failing = quarantined(1'000'000, 100);                                   // rolled back, so not counted
  failing.work_order_events = {{"WO-none", 1, "", "open", at(1), at(1), "", ""}};  // found out at the very end
  ASSERT_FALSE(store_->commit(failing));
  commit(quarantined(2'000'000, 25));
  commit(quarantined(3'000'000, 5));

  const auto reader = Reader::open(file()).value();
  EXPECT_EQ(reader->counters().value().quarantine_removed, 20U);
  const auto rows = reader->quarantine(200'000).value();
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(kQuarantineRows));
  EXPECT_EQ(rows.front().sequence, 3'000'004U);
  EXPECT_EQ(rows.back().sequence, 21U);
}

TEST_F(SqliteStoreTest, ReadingsOfOneMessageAndTimeStayInOrderOfArrival) {
  Effects effects = readings_at(1, 1, 0);
  effects.readings.clear();
  for (int i = 0; i < 200; ++i) effects.readings.push_back({0, at(i % 2), static_cast<double>(i * 37 % 200), 0, 0});
  commit(effects);
  const auto found = store_->readings(0, at(1), at(2), 100).value();
  ASSERT_EQ(found.size(), 100U);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].value, effects.readings[2 * i + 1].value);
}

TEST_F(SqliteStoreTest, ABlockThatIsDamagedIsNamed) {
  commit(readings_at(7, 3, 0));
  store_.reset();
  Database(file(), Access::read_write).execute("UPDATE reading_block SET block = substr(block, 1, 40)");
  reopen();
  const auto readings = store_->readings(0, engine::Time::min(), engine::Time::max(), 100);
  ASSERT_FALSE(readings);
  EXPECT_NE(readings.error().message.find("reading block 7"), std::string::npos) << readings.error().message;
}

TEST_F(SqliteStoreTest, AFolderThatIsNotThereIsAnError) {
  const auto store = SqliteStore::open(folder_.file("none") / "store.db", Durability::process);
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message.find("none/store.db"), std::string::npos) << store.error().message;
}

}  // namespace
}  // namespace fettle::store
