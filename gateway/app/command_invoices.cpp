// Invoices as people and programs read them.

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "gateway/app/commands.h"
#include "gateway/app/output.h"

namespace fettle::app {
namespace {

namespace json = boost::json;

json::object head_of(const engine::InvoiceRow& invoice) {
  return {{"id", invoice.id},
          {"final", invoice.final},
          {"seller", json::parse(invoice.seller_snapshot)},
          {"customer", json::parse(invoice.customer_snapshot)},
          {"currency", invoice.currency},
          {"period", {{"start", text_of(invoice.period_start)}, {"end", text_of(invoice.period_end)}}},
          {"issued_at", text_of(invoice.issued_at)},
          {"net", quantity_text(invoice.net, invoice.exponent)},
          {"tax", quantity_text(invoice.tax, invoice.exponent)},
          {"gross", quantity_text(invoice.gross, invoice.exponent)},
          {"waiting_for", invoice.waiting_for}};
}

json::object json_of(const engine::InvoiceRow& invoice) {
  json::object out = head_of(invoice);
  json::array lines;
  for (const engine::InvoiceLineRow& line : invoice.lines) {
    lines.push_back(json::object{{"id", invoice.id + '/' + std::to_string(line.number)},
                                 {"asset", line.asset},
                                 {"charge", line.charge},
                                 {"meter", line.meter},
                                 {"band", line.band},
                                 {"title", line.title},
                                 {"period", {{"start", text_of(line.period_start)}, {"end", text_of(line.period_end)}}},
                                 {"quantity", line.quantity},
                                 {"unit", line.unit},
                                 {"unit_price", line.unit_price},
                                 {"amount", quantity_text(line.amount, invoice.exponent)},
                                 {"correction", line.correction}});
  }
  json::array vat;
  for (const engine::VatRow& row : invoice.vat) {
    vat.push_back(json::object{{"category", row.category},
                               {"percent", row.percent},
                               {"base", quantity_text(row.base, invoice.exponent)},
                               {"tax", quantity_text(row.tax, invoice.exponent)}});
  }
  out["lines"] = std::move(lines);
  out["vat"] = std::move(vat);
  return out;
}

void print_party(const char* role, const std::string& snapshot) {
  const json::value party = json::parse(snapshot);
  const auto text = [&](const char* key) {
    std::string value(party.at(key).as_string());
    std::replace(value.begin(), value.end(), '\n', ' ');  // an address of several lines
    return value;
  };
  std::printf("%-9s %s", role, text("name").c_str());
  if (!text("address").empty()) std::printf(", %s", text("address").c_str());
  std::printf(", %s", text("country").c_str());
  if (!text("vat_id").empty()) std::printf(", VAT id %s", text("vat_id").c_str());
  std::printf("\n");
}

struct Columns {
  std::size_t title = 5;
  std::size_t asset = 5;
  std::size_t quantity = 8;
  std::size_t price = 10;
};

void print_lines(const engine::InvoiceRow& invoice) {
  Columns width;
  for (const engine::InvoiceLineRow& line : invoice.lines) {
    width.title = std::max(width.title, line.title.size());
    width.asset = std::max(width.asset, line.asset.size());
    width.quantity = std::max(width.quantity, grouped(line.quantity).size() + 1 + line.unit.size());
    width.price = std::max(width.price, line.unit_price.size());
  }
  const auto pad = [](std::size_t size) { return static_cast<int>(size); };
  std::printf("  # %-*s %-*s %-10s %-10s %*s %*s %14s\n", pad(width.title), "title", pad(width.asset), "asset", "from",
              "until", pad(width.quantity), "quantity", pad(width.price), "unit price", "amount");
  for (const engine::InvoiceLineRow& line : invoice.lines) {
    const std::string quantity = grouped(line.quantity) + ' ' + line.unit;
    std::printf("%3u %-*s %-*s %-10s %-10s %*s %*s %14s\n", line.number, pad(width.title), line.title.c_str(),
                pad(width.asset), line.asset.c_str(), date_in_zone(line.period_start, invoice.zone).c_str(),
                date_in_zone(line.period_end - std::chrono::milliseconds(1), invoice.zone).c_str(), pad(width.quantity),
                quantity.c_str(), pad(width.price), line.unit_price.c_str(),
                amount_text(line.amount, invoice.exponent).c_str());
  }
}

void print_invoice(const engine::InvoiceRow& invoice) {
  std::printf("%s %s\n", invoice.final ? "Invoice" : "Draft", invoice.id.c_str());
  if (!invoice.final) std::printf("waiting for %s\n", invoice.waiting_for.c_str());
  print_party("Seller", invoice.seller_snapshot);
  print_party("Customer", invoice.customer_snapshot);
  std::printf("%-9s %s to %s (%s)\n", "Period", date_in_zone(invoice.period_start, invoice.zone).c_str(),
              date_in_zone(invoice.period_end - std::chrono::milliseconds(1), invoice.zone).c_str(),
              invoice.zone.c_str());
  std::printf("%-9s %s\n\n", "Issued", date_in_zone(invoice.issued_at, invoice.zone).c_str());
  print_lines(invoice);
  std::printf("\n%-24s %14s %s\n", "Net", amount_text(invoice.net, invoice.exponent).c_str(), invoice.currency.c_str());
  for (const engine::VatRow& vat : invoice.vat) {
    const std::string label =
        "VAT " + vat.category + ' ' + vat.percent + " % on " + amount_text(vat.base, invoice.exponent);
    std::printf("%-24s %14s %s\n", label.c_str(), amount_text(vat.tax, invoice.exponent).c_str(),
                invoice.currency.c_str());
  }
  std::printf("%-24s %14s %s\n", "Total", amount_text(invoice.gross, invoice.exponent).c_str(),
              invoice.currency.c_str());
}

}  // namespace

int list_invoices(const Config& config, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto invoices = value_or_fail(reader->invoices());
  if (!invoices) return 1;
  if (format == Format::json) {
    json::array all;
    for (const engine::InvoiceRow& invoice : *invoices) all.push_back(head_of(invoice));
    std::printf("%s\n", json::serialize(all).c_str());
    return 0;
  }
  if (invoices->empty()) std::printf("no invoices yet; `fettle invoice run --until DATE` makes them\n");
  for (const engine::InvoiceRow& invoice : *invoices) {
    std::printf("%-6s %-28s %-20s %s  %14s %s%s%s\n", invoice.final ? "final" : "draft", invoice.id.c_str(),
                invoice.customer.c_str(), date_in_zone(invoice.period_start, invoice.zone).substr(0, 7).c_str(),
                amount_text(invoice.gross, invoice.exponent).c_str(), invoice.currency.c_str(),
                invoice.final ? "" : "  waiting for ", invoice.waiting_for.c_str());
  }
  return 0;
}

int show_invoice(const Config& config, const std::string& id, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto invoice = value_or_fail(reader->invoice(id));
  if (!invoice) return 1;
  if (!*invoice) return fail("no invoice " + id + "; `fettle invoice list` shows them");
  if (format == Format::json) {
    std::printf("%s\n", json::serialize(json_of(**invoice)).c_str());
  } else {
    print_invoice(**invoice);
  }
  return 0;
}

}  // namespace fettle::app
