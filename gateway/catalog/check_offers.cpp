#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gateway/catalog/checks.h"
#include "gateway/catalog/suggestion.h"
#include "gateway/catalog/texts.h"

namespace fettle::catalog {
namespace {

// ---- plans
// -----------------------------------------------------------------------------------------------------------

// The bands that usage of a meter can have; empty for a meter without dimension.
std::vector<std::string> bands_of(const Model& model, const Meter& meter) {
  for (const Signal& signal : model.signals()) {
    if (signal.name() == meter.dimension()) return {signal.states().begin(), signal.states().end()};
  }
  return {};
}

void check_bands(const Whole& whole, const Item& item, int index, const Model& model, const Meter& meter) {
  const Charge& charge = item.entry->plan().charges(index);
  const Item* cause = whole.find(Entry::kModel, model.id());
  const std::string name = "charge " + charge.id();
  const auto bands = bands_of(model, meter);
  if (bands.empty() && !meter.dimension().empty()) return;  // the dimension itself was reported
  std::set<std::string> priced;
  for (const BandPrice& price : charge.prices()) {
    priced.insert(price.band());
    if (price.band().empty() || std::find(bands.begin(), bands.end(), price.band()) != bands.end()) continue;
    if (meter.dimension().empty()) {
      whole.report(item, {"charges", index, "prices", price.band()},
                   name + " has a price for the band " + price.band() + ", but meter " + charge.meter() +
                       " has no dimension; write one price: instead of prices",
                   cause, At::key);
      continue;
    }
    const std::string near = nearest(price.band(), bands);
    whole.report(item, {"charges", index, "prices", price.band()},
                 name + " has a price for the band " + price.band() + ", which is no state of " + meter.dimension() +
                     (near.empty() ? "" : "; did you mean " + near + "?"),
                 cause, At::key);
  }
  if (priced.contains("") || charge.prices_size() == 0) return;
  for (const std::string& band : bands) {
    if (priced.contains(band)) continue;
    whole.report(item, {"charges", index, "prices"},
                 name + " has no price for the band " + band + "; add it, or price: for all bands without their own",
                 cause);
  }
}

void check_charge(const Whole& whole, const Item& item, int index) {
  const Charge& charge = item.entry->plan().charges(index);
  if (charge.kind() != STANDARD || charge.meter().empty()) return;
  const Path place = {"charges", index, "meter"};
  const std::size_t colon = charge.meter().rfind(':');
  if (colon == std::string::npos) {
    whole.report(item, place,
                 "charge " + charge.id() + ": \"meter\" is " + charge.meter() +
                     "; expected model:meter, such as lift/gen2:energy");
    return;
  }
  const std::string model_id = charge.meter().substr(0, colon);
  const std::string meter_id = charge.meter().substr(colon + 1);
  if (!whole.refers(item, place, Entry::kModel, model_id)) return;
  const Model& model = *whole.model(model_id);
  std::vector<std::string> known;
  for (const Meter& meter : model.meters()) {
    known.push_back(meter.id());
    if (meter.id() != meter_id) continue;
    check_bands(whole, item, index, model, meter);
    return;
  }
  const std::string near = nearest(meter_id, known);
  whole.report(item, place,
               "charge " + charge.id() + ": model " + model_id + " has no meter " + meter_id +
                   (near.empty() ? "; declare it under the model's meters" : "; did you mean " + near + "?"),
               whole.find(Entry::kModel, model_id));
}

void check_plan(const Whole& whole, const Item& item) {
  const Plan& plan = item.entry->plan();
  whole.refers(item, {"seller"}, Entry::kSeller, plan.seller());
  for (int i = 0; i < plan.packs_size(); ++i) whole.refers(item, {"packs", i}, Entry::kPack, plan.packs(i));
  for (int i = 0; i < plan.charges_size(); ++i) check_charge(whole, item, i);
}

// ---- subscriptions
// ---------------------------------------------------------------------------------------------------

void check_money(const Whole& whole, const Item& item, const Plan& plan, const Customer& customer) {
  const Item* plan_item = whole.find(Entry::kPlan, plan.id());
  const Item* customer_item = whole.find(Entry::kCustomer, customer.id());
  // Whichever of the two is declared now.
  const Item* cause = customer_item->declared != nullptr ? customer_item : plan_item;
  if (!plan.currency().empty() && !customer.currency().empty() && plan.currency() != customer.currency()) {
    whole.report(item, {"plan"},
                 "plan " + plan.id() + " is priced in " + plan.currency() + ", but customer " + customer.id() +
                     " is invoiced in " + customer.currency() + "; give them one currency, or take another plan",
                 cause);
  }
  const Seller* seller = whole.seller(plan.seller());
  if (seller == nullptr || customer.country().empty()) return;
  for (const VatRate& rate : seller->vat_rates()) {
    if (rate.country() == customer.country()) return;
  }
  const Item* seller_item = whole.find(Entry::kSeller, seller->id());
  whole.report(item, {"customer"},
               "seller " + seller->id() + " has no VAT rate for " + customer.country() + ", the country of customer " +
                   customer.id() + "; add {country: " + customer.country() +
                   ", category: S, percent: ...} to the seller's vat_rates",
               seller_item->declared != nullptr ? seller_item : cause);
}

void check_term(const Whole& whole, const Item& item) {
  const Subscription& subscription = item.entry->subscription();
  const Time start{std::chrono::milliseconds(subscription.start_ms())};
  // Zones are known from 1990 on.
  constexpr Time kFirst = std::chrono::sys_days(std::chrono::year{1990} / 1 / 2);
  if (start < kFirst) whole.report(item, {"start"}, "\"start\" lies before 1990-01-02; expected a later day");
  if (subscription.end_ms() != 0 && subscription.end_ms() <= subscription.start_ms()) {
    whole.report(item, {"end"},
                 "ends at " + to_text(Time(std::chrono::milliseconds(subscription.end_ms()))) +
                     ", not after its start " + to_text(start) +
                     "; \"end\" is the first day that is no longer covered");
  }
}

void check_subscription(const Whole& whole, const Item& item) {
  const Subscription& subscription = item.entry->subscription();
  const bool customer = whole.refers(item, {"customer"}, Entry::kCustomer, subscription.customer());
  const bool plan = whole.refers(item, {"plan"}, Entry::kPlan, subscription.plan());
  for (int i = 0; i < subscription.assets_size(); ++i) {
    whole.refers(item, {"assets", i}, Entry::kAsset, subscription.assets(i));
  }
  if (customer && plan)
    check_money(whole, item, *whole.plan(subscription.plan()), *whole.customer(subscription.customer()));
  if (subscription.start_ms() != 0) check_term(whole, item);
}

// ---- what an asset's subscriptions are to one another
// ------------------------------------------------------------------

// A subscription's claim on one asset.
struct Claim {
  const Item* item = nullptr;
  int index = 0;  // in the subscription's assets
  std::int64_t start = 0;
  std::int64_t end = 0;
};

std::map<std::string, std::vector<Claim>> claims_of(const Whole& whole) {
  std::map<std::string, std::vector<Claim>> claims;
  for (const auto& [id, item] : whole.of(Entry::kSubscription)) {
    const Subscription& subscription = item.entry->subscription();
    if (subscription.start_ms() == 0) continue;  // its date was reported
    const std::int64_t end =
        subscription.end_ms() == 0 ? std::numeric_limits<std::int64_t>::max() : subscription.end_ms();
    if (end <= subscription.start_ms()) continue;  // reported
    for (int i = 0; i < subscription.assets_size(); ++i) {
      claims[subscription.assets(i)].push_back({&item, i, subscription.start_ms(), end});
    }
  }
  for (auto& [asset, list] : claims) {
    std::stable_sort(list.begin(), list.end(), [](const Claim& a, const Claim& b) { return a.start < b.start; });
  }
  return claims;
}

std::string term_text(const Claim& claim) {
  const auto text = [](std::int64_t ms) { return to_text(Time(std::chrono::milliseconds(ms))); };
  return "from " + text(claim.start) +
         (claim.end == std::numeric_limits<std::int64_t>::max() ? " on" : " to " + text(claim.end));
}

void check_overlap(const Whole& whole, const std::string& asset, const std::vector<Claim>& claims) {
  const Claim* longest = nullptr;  // the one that reaches farthest so far
  for (const Claim& claim : claims) {
    // One subscription that names an asset twice was reported.
    if (longest != nullptr && claim.start < longest->end && claim.item != longest->item) {
      const bool later_is_declared = claim.item->declared != nullptr;
      const Claim& at = later_is_declared ? claim : *longest;
      const Claim& other = later_is_declared ? *longest : claim;
      const std::string other_id = other.item->entry->subscription().id();
      whole.report(*at.item, {"assets", at.index},
                   "asset " + asset + " is covered " + term_text(at) + ", but subscription " + other_id +
                       " covers it " + term_text(other) +
                       "; an asset has one subscription at a time: end one before the other starts",
                   other.item);
    }
    if (longest == nullptr || claim.end > longest->end) longest = &claim;
  }
}

// An asset may have been sold: only its latest subscription has to be its owner's.
void check_owner(const Whole& whole, const Asset& asset, const Claim& latest) {
  const Subscription& subscription = latest.item->entry->subscription();
  if (subscription.customer().empty() || asset.customer() == subscription.customer()) return;
  if (whole.customer(subscription.customer()) == nullptr) return;  // reported
  if (!asset.customer().empty() && whole.customer(asset.customer()) == nullptr) return;
  whole.report(*latest.item, {"assets", latest.index},
               "asset " + asset.id() + " belongs to " +
                   (asset.customer().empty() ? "no customer" : "customer " + asset.customer()) + ", not to customer " +
                   subscription.customer() +
                   "; correct the asset's customer, or end the subscription in favour of one of its owner",
               whole.find(Entry::kAsset, asset.id()));
}

}  // namespace

void check_offers(const Whole& whole) {
  for (const auto& [id, item] : whole.of(Entry::kPlan)) check_plan(whole, item);
  for (const auto& [id, item] : whole.of(Entry::kSubscription)) check_subscription(whole, item);
  for (const auto& [id, claims] : claims_of(whole)) {
    const Asset* asset = whole.asset(id);
    if (asset == nullptr) continue;  // reported
    check_overlap(whole, id, claims);
    check_owner(whole, *asset, claims.back());
  }
}

}  // namespace fettle::catalog
