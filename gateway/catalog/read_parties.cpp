// Sellers, customers and sites.

#include <array>
#include <set>

#include "billing/money.h"
#include "gateway/catalog/entries.h"
#include "gateway/catalog/zones.h"

namespace fettle::catalog {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;

constexpr milliseconds kDefaultLongestGrace = days(30);
constexpr std::int64_t kDefaultPaymentDays = 30;

// UNCL5305, as far as EN 16931 uses it.
constexpr std::array<std::string_view, 7> kVatCategories = {"S", "Z", "E", "AE", "K", "G", "O"};

std::string read_zone(Fields& fields) {
  const YamlNode* node = fields.scalar("zone", Need::required, "an IANA time zone such as Europe/Berlin");
  if (node == nullptr) return {};
  const std::string fault = zone_fault(node->text);
  if (fault.empty()) return node->text;
  fields.report(node->at, "\"zone\": " + fault);
  return {};
}

VatRate read_vat_rate(const Source& source, const YamlNode& node, const std::string& seller) {
  Fields fields(source, node, seller + ", VAT rate");
  VatRate rate;
  rate.set_country(fields.country("country"));
  const std::string category =
      fields.text("category", Need::required, "one of S, Z, E, AE, K, G, O (S is the standard rate)");
  bool known = false;
  for (const std::string_view each : kVatCategories) known = known || each == category;
  if (known) {
    rate.set_category(category);
  } else if (!category.empty()) {
    fields.report("category", "\"category\" is \"" + category + "\"; expected one of S, Z, E, AE, K, G, O (UNCL5305)");
  }
  const auto percent = fields.decimal("percent", Need::required, "a percentage from 0 to 100, such as 19");
  if (percent) {
    const bool in_range = percent->units >= 0 && billing::compare(*percent, billing::Decimal{100, 0}) <= 0;
    if (!in_range) {
      fields.report("percent", "\"percent\" is " + billing::to_string(*percent) + "; expected 0 to 100");
    } else if (known && (category == "S") != (percent->units > 0)) {
      // EN 16931 BR-S-05, BR-Z-05, BR-E-05 and their like.
      fields.report("percent", category == "S" ? "the standard rate (S) is above 0; for 0 use another category"
                                               : "category " + category + " means a rate of 0; for more use S");
    }
    rate.set_percent(billing::to_string(shortest(*percent)));
  }
  fields.finish();
  return rate;
}

}  // namespace

Seller read_seller(const Source& source, const YamlNode& node) {
  Fields fields(source, node, entry_label("seller", node));
  Seller seller;
  seller.set_id(fields.id("id", Need::required, "the seller's id"));
  seller.set_name(fields.text("name", Need::required, "the legal name as printed on invoices"));
  seller.set_vat_id(fields.text("vat_id", Need::optional, "the VAT id"));
  seller.set_country(fields.country("country"));
  seller.set_address(fields.text("address", Need::optional, "the address as printed"));
  seller.set_invoice_prefix(
      fields.text("invoice_prefix", Need::required, "what invoice numbers begin with, such as FD"));
  if (!seller.invoice_prefix().empty() && (!valid_id(seller.invoice_prefix()) || seller.invoice_prefix().size() > 16)) {
    fields.report("invoice_prefix", "\"invoice_prefix\" has at most 16 characters out of A-Z a-z 0-9 . _ / -");
  }
  std::set<std::string> countries;
  fields.list("vat_rates", Need::optional, "a list of {country, category, percent}", [&](const YamlNode& item) {
    *seller.add_vat_rates() = read_vat_rate(source, item, fields.what());
    const std::string& country = seller.vat_rates(seller.vat_rates_size() - 1).country();
    if (!country.empty() && !countries.insert(country).second) {
      fields.report(item.at, "a second VAT rate for " + country + "; expected one per country of customers");
    }
  });
  const milliseconds grace = fields.duration("grace", milliseconds(0));
  const milliseconds longest = fields.duration("longest_grace", std::max(grace, kDefaultLongestGrace));
  if (longest < grace)
    fields.report("longest_grace", "\"longest_grace\" is shorter than \"grace\"; expected at least it");
  seller.set_grace_ms(grace.count());
  seller.set_longest_grace_ms(longest.count());
  fields.finish();
  return seller;
}

Customer read_customer(const Source& source, const YamlNode& node) {
  Fields fields(source, node, entry_label("customer", node));
  Customer customer;
  customer.set_id(fields.id("id", Need::required, "the customer's id"));
  customer.set_name(fields.text("name", Need::required, "the name as printed on invoices"));
  customer.set_vat_id(fields.text("vat_id", Need::optional, "the VAT id"));
  customer.set_country(fields.country("country"));
  customer.set_address(fields.text("address", Need::optional, "the address as printed"));
  customer.set_zone(read_zone(fields));
  const std::string currency = fields.text("currency", Need::required, "a currency of ISO 4217 such as EUR");
  if (!currency.empty()) {
    const auto known = billing::Currency::of(currency);
    if (known.has_value()) {
      customer.set_currency(currency);
    } else {
      fields.report("currency", "\"currency\": " + known.error().message);
    }
  }
  const auto payment_days = fields.whole("payment_days", Need::optional, 0, 365);
  customer.set_payment_days(static_cast<std::int32_t>(payment_days.value_or(kDefaultPaymentDays)));
  fields.finish();
  return customer;
}

Site read_site(const Source& source, const YamlNode& node) {
  Fields fields(source, node, entry_label("site", node));
  Site site;
  site.set_id(fields.id("id", Need::required, "the site's id"));
  site.set_customer(fields.text("customer", Need::required, "the id of a customer"));
  site.set_name(fields.text("name", Need::optional, "a name"));
  site.set_country(fields.country("country"));
  site.set_zone(read_zone(fields));
  site.set_address(fields.text("address", Need::optional, "the address"));
  fields.finish();
  return site;
}

}  // namespace fettle::catalog
