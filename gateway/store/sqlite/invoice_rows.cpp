#include "gateway/store/sqlite/invoice_rows.h"

#include <xxhash.h>

#include "gateway/store/sqlite/bytes.h"
#include "gateway/store/sqlite/frozen_usage.h"

namespace fettle::store {
namespace {

using engine::FrozenUsage;
using engine::InvoiceLineRow;
using engine::InvoiceRow;
using engine::VatRow;

// ---- content
// ---------------------------------------------------------------------------------------------------------

void add(ByteWriter& out, engine::Time time) {
  out.fixed(time.time_since_epoch().count());
}

void add(ByteWriter& out, const FrozenUsage& usage) {
  add(out, usage.start);
  add(out, usage.end);
  out.fixed(usage.quantity);
  out.fixed(usage.revision);
  add(out, usage.first_reading);
  add(out, usage.last_reading);
}

void add(ByteWriter& out, const InvoiceLineRow& line) {
  out.fixed(line.number);
  for (const std::string* text : {&line.subscription, &line.charge, &line.asset, &line.meter, &line.band, &line.title,
                                  &line.quantity, &line.unit, &line.unit_price}) {
    out.text(*text);
  }
  add(out, line.period_start);
  add(out, line.period_end);
  out.fixed(line.amount);
  out.fixed(line.posted_quantity);
  out.fixed(static_cast<std::uint8_t>(line.correction ? 1 : 0));
  out.varint(line.usage.size());
  for (const FrozenUsage& usage : line.usage) add(out, usage);
}

void add(ByteWriter& out, const VatRow& vat) {
  out.text(vat.category);
  out.text(vat.percent);
  out.fixed(vat.base);
  out.fixed(vat.tax);
}

// ---- loading
// ---------------------------------------------------------------------------------------------------------

constexpr const char* kInvoiceColumns =
    "id, final, number_year, number_index, seller, seller_snapshot, customer, customer_snapshot, currency, exponent, "
    "period_start, period_end, zone, issued_at, net, tax, gross, waiting_for, content_hash";

StoredInvoice take_invoice(Row& row) {
  StoredInvoice stored;
  InvoiceRow& invoice = stored.invoice;
  row.into(invoice.id, invoice.final, invoice.number_year, invoice.number_index, invoice.seller,
           invoice.seller_snapshot, invoice.customer, invoice.customer_snapshot, invoice.currency, invoice.exponent,
           invoice.period_start, invoice.period_end, invoice.zone, invoice.issued_at, invoice.net, invoice.tax,
           invoice.gross, invoice.waiting_for, stored.content_hash);
  return stored;
}

constexpr const char* kLines =
    "SELECT line.number, subscription, charge, asset, meter, band, period_start, period_end, title, quantity, unit, "
    "unit_price, amount, posted_quantity, correction, coalesce(usage, x'') FROM invoice_line AS line "
    "LEFT JOIN invoice_line_usage AS frozen ON frozen.invoice = line.invoice AND frozen.number = line.number "
    "WHERE line.invoice = ?1";

InvoiceLineRow take_line(Row& row, const Database& database, Compressor& compressor, const std::string& invoice) {
  InvoiceLineRow line;
  row.into(line.number, line.subscription, line.charge, line.asset, line.meter, line.band, line.period_start,
           line.period_end, line.title, line.quantity, line.unit, line.unit_price, line.amount, line.posted_quantity,
           line.correction);
  const std::string_view frozen = row.bytes();
  if (frozen.empty()) return line;
  auto usage = decode_usage(compressor, frozen);
  if (!usage) {
    throw DatabaseError(SQLITE_CORRUPT, database.file().string() + ": frozen usage of invoice line " + invoice + "/" +
                                            std::to_string(line.number) + " " + usage.error().message +
                                            ". Keep a copy of the file and restore the newest backup.");
  }
  line.usage = std::move(*usage);
  return line;
}

}  // namespace

std::uint64_t content_hash(const InvoiceRow& invoice) {
  std::string bytes;
  ByteWriter out(bytes);
  for (const std::string* text : {&invoice.id, &invoice.seller, &invoice.seller_snapshot, &invoice.customer,
                                  &invoice.customer_snapshot, &invoice.currency, &invoice.zone, &invoice.waiting_for}) {
    out.text(*text);
  }
  out.fixed(static_cast<std::uint8_t>(invoice.final ? 1 : 0));
  out.fixed(invoice.number_year);
  out.fixed(invoice.number_index);
  out.fixed(invoice.exponent);
  for (const engine::Time time : {invoice.period_start, invoice.period_end, invoice.issued_at}) add(out, time);
  for (const std::int64_t amount : {invoice.net, invoice.tax, invoice.gross}) out.fixed(amount);
  out.varint(invoice.lines.size());
  for (const InvoiceLineRow& line : invoice.lines) add(out, line);
  out.varint(invoice.vat.size());
  for (const VatRow& vat : invoice.vat) add(out, vat);
  return XXH3_64bits(bytes.data(), bytes.size());
}

// ---- InvoiceWriter
// ---------------------------------------------------------------------------------------------------

InvoiceWriter::InvoiceWriter(Database& database)
    : database_(database),
      existing_(database, "SELECT final, content_hash FROM invoice WHERE id = ?1"),
      remove_(database, "DELETE FROM invoice WHERE id = ?1"),
      insert_(database,
              "INSERT INTO invoice (id, final, content_hash, number_year, number_index, seller, seller_snapshot, "
              "customer, customer_snapshot, currency, exponent, period_start, period_end, zone, issued_at, net, tax, "
              "gross, waiting_for) VALUES (?1, 0, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, "
              "?17, ?18)"),
      insert_line_(database,
                   "INSERT INTO invoice_line (invoice, number, subscription, charge, asset, meter, band, period_start, "
                   "period_end, title, quantity, unit, unit_price, amount, posted_quantity, correction) VALUES (?1, "
                   "?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)"),
      insert_usage_(database, "INSERT INTO invoice_line_usage (invoice, number, usage) VALUES (?1, ?2, ?3)"),
      insert_vat_(database,
                  "INSERT INTO invoice_vat (invoice, number, category, percent, base, tax) VALUES (?1, ?2, ?3, ?4, ?5, "
                  "?6)"),
      finalise_(database, "UPDATE invoice SET final = 1 WHERE id = ?1") {}

void InvoiceWriter::write(const InvoiceRow& invoice) {
  const std::uint64_t hash = content_hash(invoice);
  bool stands = false;
  existing_.each(
      [&](Row& row) {
        bool final = false;
        std::uint64_t existing_hash = 0;
        row.into(final, existing_hash);
        if (!final) return;
        stands = invoice.final && existing_hash == hash;
        if (!stands) {
          throw DatabaseError(SQLITE_CONSTRAINT, database_.file().string() + ": invoice " + invoice.id +
                                                     " is final and stands with other content; a final invoice never "
                                                     "changes. Nothing was written; please report it.");
        }
      },
      invoice.id);
  if (stands) return;
  remove_.run(invoice.id);
  insert_.run(invoice.id, hash, invoice.number_year, invoice.number_index, invoice.seller, invoice.seller_snapshot,
              invoice.customer, invoice.customer_snapshot, invoice.currency, invoice.exponent, invoice.period_start,
              invoice.period_end, invoice.zone, invoice.issued_at, invoice.net, invoice.tax, invoice.gross,
              invoice.waiting_for);
  for (const InvoiceLineRow& line : invoice.lines) write_line(invoice, line);
  std::uint32_t number = 0;
  for (const VatRow& vat : invoice.vat) {
    insert_vat_.run(invoice.id, ++number, vat.category, vat.percent, vat.base, vat.tax);
  }
  if (invoice.final) finalise_.run(invoice.id);
}

void InvoiceWriter::write_line(const InvoiceRow& invoice, const InvoiceLineRow& line) {
  insert_line_.run(invoice.id, line.number, line.subscription, line.charge, line.asset, line.meter, line.band,
                   line.period_start, line.period_end, line.title, line.quantity, line.unit, line.unit_price,
                   line.amount, line.posted_quantity, line.correction);
  if (line.usage.empty()) return;
  const auto usage = encode_usage(compressor_, line.usage);
  if (!usage) {
    throw DatabaseError(SQLITE_TOOBIG, "invoice line " + invoice.id + "/" + std::to_string(line.number) +
                                           " rests on too many usage records: " + usage.error().message);
  }
  insert_usage_.run(invoice.id, line.number, Blob{*usage});
}

void InvoiceWriter::remove_draft(const std::string& id) {
  remove_.run(id);
}

// ---- loading
// ---------------------------------------------------------------------------------------------------------

std::vector<InvoiceRow> load_invoices(Database& database) {
  std::vector<InvoiceRow> invoices;
  Statement(database, std::string("SELECT ") + kInvoiceColumns +
                          " FROM invoice ORDER BY final, seller, number_year, number_index, id")
      .each([&](Row& row) { invoices.push_back(take_invoice(row).invoice); });
  return invoices;
}

std::optional<StoredInvoice> load_invoice(Database& database, Compressor& compressor, const std::string& id) {
  std::optional<StoredInvoice> stored;
  Statement(database, std::string("SELECT ") + kInvoiceColumns + " FROM invoice WHERE id = ?1")
      .each([&](Row& row) { stored = take_invoice(row); }, id);
  if (!stored) return stored;
  InvoiceRow& invoice = stored->invoice;
  Statement(database, std::string(kLines) + " ORDER BY line.number")
      .each([&](Row& row) { invoice.lines.push_back(take_line(row, database, compressor, id)); }, id);
  Statement(database, "SELECT category, percent, base, tax FROM invoice_vat WHERE invoice = ?1 ORDER BY number")
      .each(
          [&](Row& row) {
            VatRow& vat = invoice.vat.emplace_back();
            row.into(vat.category, vat.percent, vat.base, vat.tax);
          },
          id);
  return stored;
}

std::optional<InvoiceLineRow> load_invoice_line(Database& database, Compressor& compressor, const std::string& invoice,
                                                std::uint32_t number) {
  std::optional<InvoiceLineRow> line;
  Statement(database, std::string(kLines) + " AND line.number = ?2")
      .each([&](Row& row) { line = take_line(row, database, compressor, invoice); }, invoice, number);
  return line;
}

}  // namespace fettle::store
