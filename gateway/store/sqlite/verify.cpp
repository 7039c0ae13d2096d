#include "gateway/store/sqlite/verify.h"

#include "gateway/store/sqlite/effect_writer.h"
#include "gateway/store/sqlite/guarded.h"
#include "gateway/store/sqlite/invoice_rows.h"
#include "gateway/store/sqlite/migrations.h"
#include "gateway/store/sqlite/part_writer.h"
#include "gateway/store/sqlite/queries.h"
#include "gateway/store/sqlite/verify_readings.h"

namespace fettle::store {
namespace {

using engine::InvoiceLineRow;
using engine::InvoiceRow;

// ---- the file
// --------------------------------------------------------------------------------------------------------

void check_file(Database& database, Findings& findings) {
  Statement(database, "PRAGMA integrity_check(100)").each([&](Row& row) {
    std::string text;
    row.into(text);
    if (text != "ok") findings.add("file: " + text);
  });
  Statement(database, "PRAGMA foreign_key_check").each([&](Row& row) {
    std::string table;
    std::int64_t rowid = 0;
    std::string parent;
    row.into(table, rowid, parent);
    findings.add("table " + table + ", row " + number(rowid) + ": refers to a row of " + parent + " that is not there");
  });
  const auto checkpoint = database.integer("SELECT sequence FROM checkpoint");
  const auto committed = database.integer("SELECT sequence FROM committed");
  if (checkpoint > committed) {
    findings.add("checkpoint is of sequence " + number(checkpoint) + ", beyond the committed " + number(committed));
  }
}

void check_parts(Database& database, Compressor& compressor, Findings& findings) {
  Statement(database, "SELECT key, as_of, state FROM checkpoint_part").each([&](Row& row) {
    std::string key;
    std::int64_t as_of = 0;
    row.into(key, as_of);
    const std::string_view state = row.bytes();
    if (state.empty()) return;  // says that the part is gone
    const auto opened = compressor.open(kPartKind, state);
    if (!opened)
      findings.add("part " + key + " of the checkpoint as of " + number(as_of) + " " + opened.error().message);
  });
}

// ---- invoices
// --------------------------------------------------------------------------------------------------------

void expect_equal(const std::string& what, std::int64_t is, const std::string& of, std::int64_t expected,
                  Findings& findings) {
  if (is != expected) findings.add(what + " is " + number(is) + ", " + of + " " + number(expected));
}

void check_line(const InvoiceRow& invoice, const InvoiceLineRow& line, Findings& findings) {
  // A fixed fee rests on no usage; a correction posts the difference to what was posted before.
  if (line.meter.empty() || line.correction) return;
  std::int64_t quantity = 0;
  for (const engine::FrozenUsage& usage : line.usage) quantity += usage.quantity;
  expect_equal("posted quantity of invoice line " + invoice.id + "/" + std::to_string(line.number),
               line.posted_quantity, "the sum of its usage", quantity, findings);
}

void check_invoice(const StoredInvoice& stored, Findings& findings) {
  const InvoiceRow& invoice = stored.invoice;
  const std::string name = "invoice " + invoice.id;
  if (content_hash(invoice) != stored.content_hash) findings.add(name + " was changed after it was written");
  std::int64_t amount = 0;
  for (const InvoiceLineRow& line : invoice.lines) {
    amount += line.amount;
    check_line(invoice, line, findings);
  }
  expect_equal("net of " + name, invoice.net, "the sum of its lines", amount, findings);
  expect_equal("gross of " + name, invoice.gross, "net and tax are", invoice.net + invoice.tax, findings);
  if (invoice.vat.empty() && !invoice.final) return;  // a draft may wait for what its VAT rests on
  std::int64_t base = 0;
  std::int64_t tax = 0;
  for (const engine::VatRow& vat : invoice.vat) {
    base += vat.base;
    tax += vat.tax;
  }
  expect_equal("net of " + name, invoice.net, "the sum of its VAT bases", base, findings);
  expect_equal("tax of " + name, invoice.tax, "the sum of its VAT", tax, findings);
}

void check_invoices(Database& database, Compressor& compressor, Findings& findings) {
  for (const InvoiceRow& listed : load_invoices(database)) {
    try {
      const auto stored = load_invoice(database, compressor, listed.id);
      if (stored) check_invoice(*stored, findings);
    } catch (const DatabaseError& error) {
      findings.add(error.what());
    }
  }
  Statement(database,
            "SELECT seller, number_year, count(*), max(number_index) FROM invoice WHERE final = 1 "
            "GROUP BY seller, number_year HAVING min(number_index) <> 1 OR max(number_index) <> count(*)")
      .each([&](Row& row) {
        std::string seller;
        std::int64_t year = 0;
        std::int64_t count = 0;
        std::int64_t last = 0;
        row.into(seller, year, count, last);
        findings.add("invoice numbers of seller " + seller + ", " + number(year) + ", have a gap: " + number(count) +
                     " invoices, the last number is " + number(last));
      });
}

// ---- the rest
// --------------------------------------------------------------------------------------------------------

void check_bounds(Database& database, Findings& findings) {
  Statement(database, "SELECT episode, signal, count(*) FROM evidence GROUP BY episode, signal HAVING count(*) > ?1")
      .each(
          [&](Row& row) {
            std::string episode;
            std::string signal;
            std::int64_t count = 0;
            row.into(episode, signal, count);
            findings.add("episode " + episode + " has " + number(count) + " points of evidence of signal " + signal +
                         ", at most " + std::to_string(kEvidencePerSignal) + " are kept");
          },
          kEvidencePerSignal);
  const std::int64_t quarantined = database.integer("SELECT count(*) FROM quarantine");
  if (quarantined > kQuarantineRows) {
    findings.add("quarantine has " + number(quarantined) + " rows, at most " + number(kQuarantineRows) + " are kept");
  }
}

std::vector<std::string> all_findings(Database& database) {
  Transaction snapshot(database, Transaction::Kind::read);
  Findings findings;
  Compressor compressor;
  check_file(database, findings);
  check_readings(database, findings);
  check_parts(database, compressor, findings);
  check_invoices(database, compressor, findings);
  check_bounds(database, findings);
  return findings.take();
}

}  // namespace

engine::StoreResult<std::vector<std::string>> verify(Database& database) {
  return guarded([&] { return all_findings(database); });
}

engine::StoreResult<std::vector<std::string>> verify(const std::filesystem::path& file) {
  return guarded([&] {
    Database database(file, Access::read_only);
    require_schema(database);
    return all_findings(database);
  });
}

}  // namespace fettle::store
