#pragma once
// Invoices as rows: written, read back, and compared by their content. All throw DatabaseError.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/frame.h"

namespace fettle::store {

// XXH3-64 over every field with its lines, frozen usage and VAT. Kept with the invoice: a final that is given again is
// known by it, and one that was changed behind the program's back is found by it.
std::uint64_t content_hash(const engine::InvoiceRow& invoice);

// Pre: within the caller's write transaction.
class InvoiceWriter {
 public:
  explicit InvoiceWriter(Database& database);

  // A draft replaces the draft of its id. A final that stands already with the same content is left alone; with other
  // content it is an error, as is a draft under the id of a final.
  void write(const engine::InvoiceRow& invoice);
  // Nothing happens where there is no such draft. Error: it is a final.
  void remove_draft(const std::string& id);

 private:
  void write_line(const engine::InvoiceRow& invoice, const engine::InvoiceLineRow& line);

  Database& database_;
  Compressor compressor_;
  Statement existing_;
  Statement remove_;
  Statement insert_;
  Statement insert_line_;
  Statement insert_usage_;
  Statement insert_vat_;
  Statement finalise_;
};

// Without lines and VAT, as a list shows them.
std::vector<engine::InvoiceRow> load_invoices(Database& database);

struct StoredInvoice {
  engine::InvoiceRow invoice;
  std::uint64_t content_hash = 0;  // as it was written
};
// Whole.
std::optional<StoredInvoice> load_invoice(Database& database, Compressor& compressor, const std::string& id);
// One line with its frozen usage.
std::optional<engine::InvoiceLineRow> load_invoice_line(Database& database, Compressor& compressor,
                                                        const std::string& invoice, std::uint32_t number);

}  // namespace fettle::store
