#include "gateway/store/sqlite/verify.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/contract/store_rows.h"
#include "tests/gateway/store/merge_steps.h"
#include "tests/gateway/store/scratch.h"

namespace fettle::store {
namespace {

using namespace engine::contract;

// A store with something of everything; each test spoils one thing with SQL, as no program of Fettle's would.
class VerifyTest : public testing::Test {
 protected:
  VerifyTest() {
    engine::Effects effects = readings_at(1, 50, 0);
    effects.series = {{0, "press-1", "force"}};
    effects.work_orders = {open_order()};
    effects.work_order_events = {{"WO-1", 1, "", "open", at(1), at(1), "rule", ""}};
    effects.episodes = {raised_episode()};
    effects.invoices = {final_invoice(1), final_invoice(2), draft()};
    engine::InvoiceLineRow& correction = effects.invoices[1].lines[0];
    correction.correction = true;  // posts a difference, so not the sum of its usage
    correction.posted_quantity = 10;
    engine::InvoiceLineRow fee = correction;
    fee.number = 2;
    fee.correction = false;
    fee.meter.clear();  // and this posts months
    fee.usage.clear();
    fee.posted_quantity = 1;
    fee.amount = 0;
    effects.invoices[1].lines.push_back(fee);
    const auto done = open_store(file())->commit(with_checkpoint(effects, "state", {hour(0, 100)}));
    if (!done) throw std::runtime_error(done.error().message);
  }

  std::filesystem::path file() const { return folder_.file("store.db"); }

  // The triggers and foreign keys are put out of the way first.
  std::vector<std::string> findings_after(const std::string& sql) {
    Database database(file(), Access::read_write);
    database.execute(
        "PRAGMA foreign_keys = OFF; DROP TRIGGER final_is_not_updated; DROP TRIGGER final_is_not_deleted;"
        "DROP TRIGGER invoice_line_of_final_UPDATE; DROP TRIGGER invoice_vat_of_final_UPDATE;"
        "DROP TRIGGER invoice_line_usage_of_final_UPDATE; DROP TRIGGER series_never_changes");
    database.execute(sql);
    return verify(database).value();
  }

  void expect_finding(const std::string& sql, const std::string& part) {
    const auto findings = findings_after(sql);
    bool found = false;
    std::string all;
    for (const std::string& finding : findings) {
      found = found || finding.find(part) != std::string::npos;
      all += finding + "\n";
    }
    EXPECT_TRUE(found) << "expected: " << part << "\nfound:\n" << all;
  }

  ScratchFolder folder_;
};

TEST_F(VerifyTest, ASoundStoreHasNoFindings) {
  EXPECT_EQ(findings_after("SELECT 1"), std::vector<std::string>{});
}

TEST_F(VerifyTest, FindsABlockThatIsCut) {
  expect_finding("UPDATE reading_block SET block = substr(block, 1, 40)",
                 "reading block 1 does not match its checksum");
}

TEST_F(VerifyTest, FindsARowThatDisagreesWithItsBlock) {
  expect_finding("UPDATE reading_block SET readings = 49", "reading block 1 holds 50 readings");
}

TEST_F(VerifyTest, FindsARowWithOtherTimes) {
  expect_finding("UPDATE reading_block SET max_time = max_time + 1", "not what its row says");
}

TEST_F(VerifyTest, FindsBlocksThatOverlap) {
  expect_finding(
      "INSERT INTO reading_block SELECT 20, 50, min_time, max_time, readings, series, block FROM reading_block",
      "reading block 20 overlaps");
}

// ---- level 1
// ----------------------------------------------------------------------------------------------------------

class VerifyMergedTest : public VerifyTest {
 protected:
  VerifyMergedTest() {
    const auto store = open_store(file());
    EXPECT_TRUE(Steps().merge(*store, file()));
    EXPECT_TRUE(store->commit(readings_at(51, 5, 0)));
  }
};

TEST_F(VerifyMergedTest, ASoundStoreHasNoFindings) {
  EXPECT_EQ(findings_after("SELECT 1"), std::vector<std::string>{});
}

TEST_F(VerifyMergedTest, FindsAChunkThatIsCut) {
  expect_finding("UPDATE chunk_body SET points = substr(points, 1, 20)", "chunk 1 of series 0");
}

TEST_F(VerifyMergedTest, FindsOriginsThatAreCut) {
  expect_finding("UPDATE chunk_body SET origins = substr(origins, 1, 20)", "chunk 1 of series 0 of origins");
}

TEST_F(VerifyMergedTest, FindsARowThatDisagreesWithItsChunk) {
  expect_finding("UPDATE chunk SET max_time = max_time + 1", "than its row says");
}

TEST_F(VerifyMergedTest, FindsAnotherNumberOfReadings) {
  expect_finding("UPDATE chunk SET readings = 49", "holds another number of readings");
}

TEST_F(VerifyMergedTest, FindsAChunkOfAnUnknownSeries) {
  expect_finding("UPDATE chunk SET series = 9; UPDATE chunk_body SET series = 9", "series 9, which is not known");
}

TEST_F(VerifyMergedTest, FindsMessagesThatAreMissing) {
  expect_finding("DELETE FROM message_block", "message 1 is missing");
}

TEST_F(VerifyMergedTest, FindsMessagesThatAreDamaged) {
  expect_finding("UPDATE message_block SET block = substr(block, 1, 30)", "message 1 lies in a block that");
}

TEST_F(VerifyMergedTest, FindsColumnsWithoutARow) {
  expect_finding("DELETE FROM chunk", "1 chunks have columns and no row");
}

TEST_F(VerifyMergedTest, FindsARollUpThatIsDamaged) {
  expect_finding("INSERT INTO rollup VALUES (0, 60000, 0, x'0102')", "roll-up of series 0 at 0");
}

TEST_F(VerifyTest, FindsAPartOfTheCheckpointThatIsDamaged) {
  expect_finding("UPDATE checkpoint_part SET state = substr(state, 1, 9)", "part engine of the checkpoint as of 50");
}

TEST_F(VerifyTest, FindsReadingsOfAnUnknownSeries) {
  expect_finding("UPDATE series SET id = 1", "has readings of series 0, which is not known");
}

TEST_F(VerifyTest, FindsReadingsBeyondWhatIsCommitted) {
  expect_finding("UPDATE committed SET sequence = 49", "beyond the committed 49");
}

TEST_F(VerifyTest, FindsANetThatIsNotTheSumOfTheLines) {
  expect_finding("UPDATE invoice SET net = 301 WHERE id = 'F-2018-1'",
                 "net of invoice F-2018-1 is 301, the sum of its lines 300");
}

TEST_F(VerifyTest, FindsAVatBaseThatIsNotTheNet) {
  expect_finding("UPDATE invoice_vat SET base = 299 WHERE invoice = 'F-2018-1'", "the sum of its VAT bases 299");
}

TEST_F(VerifyTest, FindsATaxThatIsNotTheSumOfTheVat) {
  expect_finding("UPDATE invoice_vat SET tax = 58 WHERE invoice = 'F-2018-1'", "the sum of its VAT 58");
}

TEST_F(VerifyTest, FindsAGrossThatIsNotNetAndTax) {
  expect_finding("UPDATE invoice SET gross = 1 WHERE id = 'F-2018-1'",
                 "gross of invoice F-2018-1 is 1, net and tax are 357");
}

TEST_F(VerifyTest, FindsAQuantityThatIsNotTheSumOfItsUsage) {
  expect_finding("UPDATE invoice_line SET posted_quantity = 299 WHERE invoice = 'F-2018-1'",
                 "posted quantity of invoice line F-2018-1/1 is 299, the sum of its usage 300");
}

TEST_F(VerifyTest, FindsATextThatWasChanged) {
  expect_finding("UPDATE invoice SET customer_snapshot = '{}' WHERE id = 'F-2018-1'",
                 "invoice F-2018-1 was changed after it was written");
}

TEST_F(VerifyTest, FindsFrozenUsageThatIsDamaged) {
  expect_finding("UPDATE invoice_line_usage SET usage = substr(usage, 1, 12) WHERE invoice = 'F-2018-1'",
                 "frozen usage of invoice line F-2018-1/1");
}

TEST_F(VerifyTest, FindsAGapInTheNumbers) {
  expect_finding("UPDATE invoice SET number_index = 3 WHERE id = 'F-2018-2'", "seller seller-1, 2018, have a gap");
}

TEST_F(VerifyTest, FindsARowThatRefersToNothing) {
  expect_finding("DELETE FROM work_order", "refers to a row of work_order that is not there");
}

TEST_F(VerifyTest, FindsTooMuchEvidence) {
  expect_finding(
      "WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 400) "
      "INSERT INTO evidence SELECT 'EP-1', i, 'close_time', i, 1.0, '' FROM n",
      "episode EP-1 has 302 points of evidence of signal close_time");
}

TEST_F(VerifyTest, FindsACheckpointFromTheFuture) {
  expect_finding("UPDATE checkpoint SET sequence = 51", "checkpoint is of sequence 51");
}

TEST_F(VerifyTest, FindsPagesThatAreOverwritten) {
  Database(file(), Access::read_write).execute("PRAGMA journal_mode = DELETE");
  const auto size = std::filesystem::file_size(file());
  int spoiled = 0;
  for (std::uintmax_t page = 1; page * 4'096 < size; ++page) {
    const std::filesystem::path copy = folder_.file("copy.db");
    std::filesystem::copy_file(file(), copy, std::filesystem::copy_options::overwrite_existing);
    std::fstream stream(copy, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(page * 4'096));
    stream << std::string(4'096, '\x55');
    stream.close();
    const auto findings = verify(copy);  // an error will do: the file cannot be read
    if (!findings || !findings->empty()) ++spoiled;
  }
  EXPECT_EQ(static_cast<std::uintmax_t>(spoiled), size / 4'096 - 1);
}

}  // namespace
}  // namespace fettle::store
