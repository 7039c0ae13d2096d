#include "gateway/engine/invoicing.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <set>
#include <utility>

namespace fettle::engine {
namespace {

Time time_of(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}
std::int64_t ms(Time time) {
  return time.time_since_epoch().count();
}

// "model:meter" of a charge.
std::pair<std::string, std::string> split_meter(const std::string& meter) {
  const std::size_t colon = meter.rfind(':');
  if (colon == std::string::npos) return {std::string(), meter};
  return {meter.substr(0, colon), meter.substr(colon + 1)};
}

struct MeterForm {
  std::uint8_t scale = 0;
  std::string unit;
};

// How a meter's quantity is printed: its register's decimals and unit.
MeterForm form_of(const Registry& registry, const std::string& charge_meter) {
  const auto [model_id, meter_id] = split_meter(charge_meter);
  const auto model = registry.models().find(model_id);
  if (model == registry.models().end()) return {};
  for (const catalog::Meter& meter : model->second.meters()) {
    if (meter.id() != meter_id) continue;
    if (meter.kind() == catalog::COUNT) return {0, "count"};
    for (const catalog::Signal& signal : model->second.signals()) {
      if (signal.name() != meter.signal()) continue;
      const auto resolution = billing::Decimal::parse(signal.resolution());
      return {resolution ? resolution->scale : std::uint8_t{0}, signal.unit()};
    }
  }
  return {};
}

billing::Result<billing::Charge> charge_of(const Registry& registry, const catalog::Charge& charge) {
  billing::Charge out;
  out.id = charge.id();
  out.title = charge.title();
  if (charge.kind() == catalog::FIXED) {
    const auto amount = billing::Decimal::parse(charge.amount());
    if (!amount) return amount.error();
    out.price = billing::FixedCharge{*amount};
    return out;
  }
  const MeterForm form = form_of(registry, charge.meter());
  billing::StandardCharge standard{charge.meter(), form.scale, form.unit, {}};
  for (const catalog::BandPrice& price : charge.prices()) {
    const auto amount = billing::Decimal::parse(price.price());
    if (!amount) return amount.error();
    standard.prices[price.band()] = *amount;
  }
  out.price = std::move(standard);
  return out;
}

billing::Period term_of(const catalog::Subscription& subscription) {
  return {time_of(subscription.start_ms()), subscription.end_ms() == 0 ? Time::max() : time_of(subscription.end_ms())};
}

billing::Result<billing::Subscription> subscription_of(const Registry& registry, const catalog::Plan& plan,
                                                       const catalog::Subscription& subscription) {
  billing::Subscription out;
  out.id = subscription.id();
  out.title = plan.title();
  out.term = term_of(subscription);
  out.assets.assign(subscription.assets().begin(), subscription.assets().end());
  for (const catalog::Charge& charge : plan.charges()) {
    auto converted = charge_of(registry, charge);
    if (!converted) return converted.error();
    out.charges.push_back(std::move(*converted));
  }
  return out;
}

std::set<std::string> meters_of(const catalog::Plan& plan) {
  std::set<std::string> meters;
  for (const catalog::Charge& charge : plan.charges()) {
    if (charge.kind() == catalog::STANDARD) meters.insert(charge.meter());
  }
  return meters;
}

std::optional<billing::VatDecision> vat_of(const catalog::Seller& seller, const catalog::Customer& customer) {
  for (const catalog::VatRate& rate : seller.vat_rates()) {
    if (rate.country() != customer.country()) continue;
    const auto percent = billing::Decimal::parse(rate.percent());
    if (percent) return billing::VatDecision{rate.category(), *percent};
  }
  return std::nullopt;
}

std::string snapshot(const std::string& id, const std::string& name, const std::string& address,
                     const std::string& country, const std::string& vat_id) {
  return boost::json::serialize(
      boost::json::object{{"id", id}, {"name", name}, {"address", address}, {"country", country}, {"vat_id", vat_id}});
}

std::string date_text(std::chrono::year_month_day day) {
  char text[16];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                static_cast<unsigned>(day.day()));
  return text;
}

std::string number_text(const std::string& prefix, int year, std::uint32_t index) {
  char text[32];
  std::snprintf(text, sizeof text, "-%04d-%06u", year, index);
  return prefix + text;
}

// Of a draft; of a final it is the number.
std::string draft_id(const InvoiceRow& invoice, std::chrono::year_month_day first_day) {
  return "draft/" + invoice.seller + '/' + invoice.customer + '/' + invoice.currency + '/' + date_text(first_day);
}

billing::LineKey key_of(const InvoiceLineRow& line) {
  return {line.subscription, line.charge, line.asset, line.band, {line.period_start, line.period_end}};
}

}  // namespace

std::vector<Invoicing::Book> Invoicing::books() const {
  std::map<Account, Book> found;
  for (const auto& [id, subscription] : registry_.subscriptions()) {
    const auto plan = registry_.plans().find(subscription.plan());
    if (plan == registry_.plans().end()) continue;
    const Account account{plan->second.seller(), subscription.customer(), plan->second.currency()};
    Book& book = found[account];
    book.account = account;
    book.subscriptions.push_back(&subscription);
  }
  std::vector<Book> all;
  for (auto& [account, book] : found) all.push_back(std::move(book));
  return all;
}

Outcome Invoicing::run(Time until, Time now, const LastReading& last_reading, Effects& effects) {
  numbers_.clear();
  std::vector<InvoiceRow> made;
  boost::json::array problems;
  for (const Book& book : books()) {
    if (const auto problem = bill(book, until, now, last_reading, effects, made)) {
      problems.emplace_back("customer " + std::get<1>(book.account) + ": " + problem->message);
    }
  }
  boost::json::array invoices;
  for (const InvoiceRow& invoice : made) {
    invoices.push_back(boost::json::object{{"id", invoice.id},
                                           {"final", invoice.final},
                                           {"customer", invoice.customer},
                                           {"currency", invoice.currency},
                                           {"gross_minor", invoice.gross},
                                           {"lines", invoice.lines.size()},
                                           {"waiting_for", invoice.waiting_for}});
    effects.invoices.push_back(invoice);
  }
  const bool ok = problems.empty();
  boost::json::object result{{"invoices", std::move(invoices)}, {"problems", std::move(problems)}};
  return {ok, boost::json::serialize(result)};
}

std::string Invoicing::waiting_for(const Book& book, const billing::Period& month, Time until,
                                   const LastReading& last_reading) const {
  const catalog::Seller& seller = registry_.sellers().at(std::get<0>(book.account));
  if (until < month.end + std::chrono::milliseconds(seller.grace_ms())) return "the end of the grace for late readings";
  if (until >= month.end + std::chrono::milliseconds(std::max(seller.grace_ms(), seller.longest_grace_ms()))) return {};
  for (const catalog::Subscription* subscription : book.subscriptions) {
    const billing::Period term = term_of(*subscription);
    if (term.start >= month.end || term.end <= month.start) continue;
    for (const std::string& charge_meter : meters_of(registry_.plans().at(subscription->plan()))) {
      const auto [model, meter] = split_meter(charge_meter);
      for (const std::string& asset : subscription->assets()) {
        const auto index = registry_.asset_index(asset);
        if (!index || registry_.assets()[*index].model->id != model) continue;
        const auto meters = registry_.models().at(model).meters();
        const auto found = std::find_if(meters.begin(), meters.end(), [&](const auto& m) { return m.id() == meter; });
        if (found == meters.end() || found->kind() != catalog::DIFFERENCE) continue;
        const auto last = last_reading(asset, meter);
        if (!last || *last < std::min(month.end, term.end)) {
          return "a reading of meter " + meter + " of asset " + asset + " past the period's end";
        }
      }
    }
  }
  return {};
}

std::optional<Invoicing::Problem> Invoicing::open(const Book& book, Time until, Ledger& ledger) const {
  const auto& [seller_id, customer_id, currency_code] = book.account;
  const auto seller = registry_.sellers().find(seller_id);
  const auto customer = registry_.customers().find(customer_id);
  const billing::Zone* zone = registry_.zone_of_customer(customer_id);
  if (seller == registry_.sellers().end() || customer == registry_.customers().end() || zone == nullptr) {
    return Problem{"the seller or the customer is not in the catalog; apply them first"};
  }
  const auto currency = billing::Currency::of(currency_code);
  if (!currency) return Problem{currency.error().message};
  const auto vat = vat_of(seller->second, customer->second);
  if (!vat) {
    return Problem{"seller " + seller_id + " has no VAT rate for country " + customer->second.country() +
                   "; add one to its vat_rates"};
  }
  ledger.seller = &seller->second;
  ledger.customer = &customer->second;
  ledger.input.currency = *currency;
  ledger.input.zone = *zone;
  ledger.input.vat = *vat;
  for (const catalog::Subscription* subscription : book.subscriptions) {
    const catalog::Plan& plan = registry_.plans().at(subscription->plan());
    auto converted = subscription_of(registry_, plan, *subscription);
    if (!converted) return Problem{converted.error().message};
    load(plan, *converted, until, ledger);
    ledger.first = std::min(ledger.first, converted->term.start);
    ledger.input.subscriptions.push_back(std::move(*converted));
  }
  return std::nullopt;
}

void Invoicing::load(const catalog::Plan& plan, const billing::Subscription& subscription, Time until,
                     Ledger& ledger) const {
  for (const std::string& charge_meter : meters_of(plan)) {
    const auto [model, meter] = split_meter(charge_meter);
    for (const std::string& asset : subscription.assets) {
      const auto index = registry_.asset_index(asset);
      if (!index || registry_.assets()[*index].model->id != model) continue;
      auto rows = store_.usage(asset, meter, subscription.term.start, std::min(subscription.term.end, until));
      if (!rows) throw StoreFailure(rows.error().message);
      ledger.hours[{subscription.id, asset, charge_meter}] = std::move(*rows);
    }
  }
  auto posted = store_.posted(subscription.id);
  if (!posted) throw StoreFailure(posted.error().message);
  for (const PostedLine& line : *posted) {
    ledger.input.posted[{line.subscription, line.charge, line.asset, line.band, {line.period_start, line.period_end}}] =
        {line.quantity, {line.amount, ledger.input.currency}};
  }
}

// Per month and band.
std::vector<billing::UsageTotal> Invoicing::totals(const Ledger& ledger) {
  std::vector<billing::UsageTotal> totals;
  const billing::Zone& zone = ledger.input.zone;
  for (const billing::Subscription& subscription : ledger.input.subscriptions) {
    for (const auto& [place, rows] : ledger.hours) {
      const auto& [subscription_id, asset, meter] = place;
      if (subscription_id != subscription.id) continue;
      std::map<std::pair<billing::Period, std::string>, std::int64_t> sums;  // by month and band
      billing::Period month{Time::min(), Time::min()};
      for (const UsageRow& row : rows) {  // ascending, so that a month is looked up once
        if (row.key.start >= month.end) month = zone.month_of(row.key.start);
        sums[{month, row.key.band}] += row.quantity;
      }
      for (const auto& [month_and_band, quantity] : sums) {
        const auto& [whole, band] = month_and_band;
        const billing::Period part{std::max(whole.start, subscription.term.start),
                                   std::min(whole.end, subscription.term.end)};
        totals.push_back({subscription.id, asset, meter, band, part, quantity});
      }
    }
  }
  return totals;
}

InvoiceRow Invoicing::invoice_of(const Ledger& ledger, const billing::Proposal& proposal, Time now) {
  const catalog::Seller& seller = *ledger.seller;
  const catalog::Customer& customer = *ledger.customer;
  InvoiceRow invoice;
  invoice.seller = seller.id();
  invoice.seller_snapshot = snapshot(seller.id(), seller.name(), seller.address(), seller.country(), seller.vat_id());
  invoice.customer = customer.id();
  invoice.customer_snapshot =
      snapshot(customer.id(), customer.name(), customer.address(), customer.country(), customer.vat_id());
  invoice.currency = ledger.input.currency.code();
  invoice.exponent = ledger.input.currency.exponent();
  invoice.period_start = proposal.period.start;
  invoice.period_end = proposal.period.end;
  invoice.zone = customer.zone();
  invoice.issued_at = now;
  invoice.net = proposal.net.minor;
  invoice.tax = proposal.tax.minor;
  invoice.gross = proposal.gross.minor;
  for (const billing::VatSubtotal& subtotal : proposal.vat) {
    invoice.vat.push_back(
        {subtotal.vat.category, billing::to_string(subtotal.vat.percent), subtotal.base.minor, subtotal.tax.minor});
  }
  for (const billing::Line& line : proposal.lines) {
    invoice.lines.push_back(line_of(ledger, line));
    invoice.lines.back().number = static_cast<std::uint32_t>(invoice.lines.size());
  }
  invoice.id = draft_id(invoice, ledger.input.zone.local_day(proposal.period.start));
  return invoice;
}

InvoiceLineRow Invoicing::line_of(const Ledger& ledger, const billing::Line& line) {
  InvoiceLineRow row;
  row.subscription = line.key.subscription;
  row.charge = line.key.charge;
  row.asset = line.key.asset;
  row.band = line.key.band;
  row.period_start = line.key.period.start;
  row.period_end = line.key.period.end;
  row.title = line.title;
  row.quantity = billing::to_string(line.quantity);
  row.unit = line.unit;
  row.unit_price = billing::to_string(line.unit_price);
  row.amount = line.amount.minor;
  row.posted_quantity = line.posted_quantity;
  row.correction = line.correction;
  const auto subscription = std::find_if(ledger.input.subscriptions.begin(), ledger.input.subscriptions.end(),
                                         [&](const auto& s) { return s.id == line.key.subscription; });
  for (const billing::Charge& charge : subscription->charges) {
    const auto* standard = std::get_if<billing::StandardCharge>(&charge.price);
    if (charge.id != line.key.charge || standard == nullptr) continue;
    row.meter = split_meter(standard->meter).second;
    const auto hours = ledger.hours.find({line.key.subscription, line.key.asset, standard->meter});
    if (hours != ledger.hours.end()) freeze(hours->second, row);
  }
  return row;
}

// The usage records that a line's quantity rests on, as they are now.
void Invoicing::freeze(const std::vector<UsageRow>& hours, InvoiceLineRow& row) {
  for (const UsageRow& hour : hours) {
    const bool of_line =
        hour.key.band == row.band && hour.key.start >= row.period_start && hour.key.start < row.period_end;
    if (!of_line || hour.readings == 0) continue;
    row.usage.push_back(
        {hour.key.start, hour.end, hour.quantity, hour.revision, hour.first_reading, hour.last_reading});
  }
}

void Invoicing::make_final(const Ledger& ledger, InvoiceRow& invoice) {
  invoice.final = true;
  invoice.number_year = static_cast<int>(ledger.input.zone.local_day(invoice.issued_at).year());
  const std::pair<std::string, int> series{invoice.seller, invoice.number_year};
  if (!numbers_.contains(series)) {
    auto last = store_.last_invoice_number(invoice.seller, invoice.number_year);
    if (!last) throw StoreFailure(last.error().message);
    numbers_[series] = *last;
  }
  invoice.number_index = ++numbers_[series];
  invoice.id = number_text(ledger.seller->invoice_prefix(), invoice.number_year, invoice.number_index);
}

void Invoicing::post(const InvoiceRow& invoice, Ledger& ledger) {
  for (const InvoiceLineRow& line : invoice.lines) {
    billing::Posted& sum = ledger.input.posted[key_of(line)];
    sum.quantity += line.posted_quantity;
    sum.amount = {sum.amount.minor + line.amount, ledger.input.currency};
  }
}

std::optional<Invoicing::Problem> Invoicing::bill(const Book& book, Time until, Time now,
                                                  const LastReading& last_reading, Effects& effects,
                                                  std::vector<InvoiceRow>& made) {
  Ledger ledger;
  auto problem = open(book, until, ledger);
  if (problem) return problem;
  ledger.input.usage = totals(ledger);
  const billing::Zone& zone = ledger.input.zone;
  const auto already = billed_until_.find(book.account);
  const Time from = already == billed_until_.end() ? ledger.first : std::max(ledger.first, already->second);
  std::optional<InvoiceRow> carried;  // its credits outweigh its charges: the next month's invoice takes them in
  for (billing::Period month = zone.month_of(from); month.end <= until; month = zone.month_of(month.end)) {
    ledger.input.period = month;
    const auto proposal = billing::propose(ledger.input);
    if (!proposal) {
      problem = Problem{proposal.error().message};
      break;
    }
    InvoiceRow invoice = invoice_of(ledger, *proposal, now);
    invoice.waiting_for = waiting_for(book, month, until, last_reading);
    if (carried) effects.removed_drafts.push_back(std::exchange(carried, std::nullopt)->id);
    if (invoice.lines.empty() || invoice.waiting_for.empty()) effects.removed_drafts.push_back(invoice.id);
    if (!invoice.waiting_for.empty()) {
      if (!invoice.lines.empty()) made.push_back(std::move(invoice));
      break;
    }
    if (invoice.gross < 0) {
      invoice.waiting_for = "charges that outweigh its credits";
      carried = std::move(invoice);
      continue;
    }
    billed_until_[book.account] = month.end;
    if (invoice.lines.empty()) continue;
    make_final(ledger, invoice);
    post(invoice, ledger);
    made.push_back(std::move(invoice));
  }
  if (carried) made.push_back(std::move(*carried));
  return problem;
}

void Invoicing::save(EnginePart& out) const {
  for (const auto& [account, until] : billed_until_) {
    BilledUntil& billed = *out.add_billed();
    billed.set_seller(std::get<0>(account));
    billed.set_customer(std::get<1>(account));
    billed.set_currency(std::get<2>(account));
    billed.set_until_ms(ms(until));
  }
}

void Invoicing::load(const EnginePart& in) {
  billed_until_.clear();
  for (const BilledUntil& billed : in.billed()) {
    billed_until_[{billed.seller(), billed.customer(), billed.currency()}] = time_of(billed.until_ms());
  }
}

}  // namespace fettle::engine
