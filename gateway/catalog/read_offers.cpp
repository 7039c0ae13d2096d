// Plans with their charges, and subscriptions.

#include <array>
#include <set>

#include "billing/money.h"
#include "gateway/catalog/entries.h"

namespace fettle::catalog {
namespace {

constexpr std::array kChargeKinds = {Word{"standard", STANDARD}, Word{"fixed", FIXED}};

// EN 16931 BR-27: an item's price is not negative.
constexpr std::string_view kPrice = "a price of 0 or more, such as 0.2950";

void add_price(const Fields& fields, const YamlNode& node, const std::string& band, Charge& charge) {
  BandPrice& price = *charge.add_prices();
  price.set_band(band);
  const std::string name = band.empty() ? "\"price\"" : "the price of " + band;
  if (!fields.is_text(node, name, kPrice)) return;
  const auto read = billing::Decimal::parse(node.text);
  if (read.has_value() && read->units >= 0) {
    price.set_price(billing::to_string(*read));
  } else {
    fields.report(node.at, name + " is \"" + node.text + "\"; expected " + std::string(kPrice));
  }
}

void read_standard(Fields& fields, Charge& charge) {
  charge.set_meter(fields.text("meter", Need::required, "a meter as model:meter, such as lift/gen2:energy"));
  if (const YamlNode* price = fields.value("price", Need::optional, kPrice)) add_price(fields, *price, "", charge);
  fields.map("prices", "a map of band: price",
             [&](const YamlNode::Member& member) { add_price(fields, *member.value, member.key, charge); });
  if (charge.prices_size() == 0) {
    fields.report("meter", "has no price; expected \"price\", or \"prices\" with one for each band of the meter");
  }
}

void read_fixed(Fields& fields, const std::string& currency, Charge& charge) {
  constexpr std::string_view kExpected = "an amount per asset and month of 0 or more, such as 49.00";
  const auto amount = fields.decimal("amount", Need::required, kExpected);
  if (!amount) return;
  charge.set_amount(billing::to_string(*amount));
  if (amount->units < 0) {
    fields.report("amount", "\"amount\" is " + charge.amount() + "; expected " + std::string(kExpected));
    return;
  }
  const auto known = billing::Currency::of(currency);
  if (known.has_value() && shortest(*amount).scale > known->exponent()) {
    fields.report("amount", "\"amount\" is " + charge.amount() + "; " + currency + " has " +
                                std::to_string(known->exponent()) + " decimals");
  }
}

Charge read_charge(const Source& source, const YamlNode& node, const Plan& plan, const std::string& label) {
  Fields fields(source, node, label + ", " + entry_label("charge", node));
  Charge charge;
  charge.set_id(fields.id("id", Need::required, "the charge's id"));
  charge.set_title(fields.text("title", Need::optional, "a title as printed on invoice lines"));
  if (charge.title().empty()) charge.set_title(charge.id());
  charge.set_kind(static_cast<ChargeKind>(fields.word("kind", Need::required, kChargeKinds, CHARGE_KIND_UNSPECIFIED)));
  if (charge.kind() == STANDARD) read_standard(fields, charge);
  if (charge.kind() == FIXED) read_fixed(fields, plan.currency(), charge);
  // Without a known kind nobody can say which keys belong here.
  if (charge.kind() != CHARGE_KIND_UNSPECIFIED) fields.finish();
  return charge;
}

}  // namespace

Plan read_plan(const Source& source, const YamlNode& node) {
  Fields fields(source, node, entry_label("plan", node));
  Plan plan;
  plan.set_id(fields.id("id", Need::required, "the plan's id"));
  plan.set_title(fields.text("title", Need::optional, "a title as printed"));
  if (plan.title().empty()) plan.set_title(plan.id());
  plan.set_seller(fields.text("seller", Need::required, "the id of a seller"));
  const std::string currency = fields.text("currency", Need::required, "a currency of ISO 4217 such as EUR");
  if (!currency.empty()) {
    const auto known = billing::Currency::of(currency);
    if (known.has_value()) {
      plan.set_currency(currency);
    } else {
      fields.report("currency", "\"currency\": " + known.error().message);
    }
  }
  for (std::string& pack : fields.ids("packs", Need::optional, "a list of rule packs' ids")) {
    plan.add_packs(std::move(pack));
  }
  std::set<std::string> ids;
  fields.list("charges", Need::optional, "a list of charges, each with id and kind", [&](const YamlNode& item) {
    *plan.add_charges() = read_charge(source, item, plan, fields.what());
    const std::string& id = plan.charges(plan.charges_size() - 1).id();
    if (!id.empty() && !ids.insert(id).second) {
      fields.report(item.at, "the charge " + id + " is declared twice; remove or rename one of the two");
    }
  });
  fields.finish();
  return plan;
}

void read_subscription(const Source& source, const YamlNode& node, Declared& out) {
  Fields fields(source, node, entry_label("subscription", node));
  Subscription& subscription = *out.entry.mutable_subscription();
  subscription.set_id(fields.id("id", Need::required, "the subscription's id"));
  subscription.set_customer(fields.text("customer", Need::required, "the id of a customer"));
  subscription.set_plan(fields.text("plan", Need::required, "the id of a plan"));
  for (std::string& asset : fields.ids("assets", Need::required, "a list of assets' ids")) {
    subscription.add_assets(std::move(asset));
  }
  if (const auto start = fields.date("start", Need::required)) {
    if (const auto* day = std::get_if<std::chrono::year_month_day>(&*start)) {
      out.start_day = *day;
    } else {
      subscription.set_start_ms(std::get<Time>(*start).time_since_epoch().count());
    }
  }
  if (const auto end = fields.date("end", Need::optional)) {
    if (const auto* day = std::get_if<std::chrono::year_month_day>(&*end)) {
      out.end_day = *day;
    } else {
      subscription.set_end_ms(std::get<Time>(*end).time_since_epoch().count());
    }
  }
  fields.finish();
}

}  // namespace fettle::catalog
