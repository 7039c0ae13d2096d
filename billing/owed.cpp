#include "billing/owed.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <string_view>

#include "billing/exact.h"

namespace fettle::billing {
namespace {

// Fixed charges are counted month by month from the term's beginning. A term that began earlier is a mistake.
constexpr std::chrono::days kLongestTerm{36'525};  // 100 years

struct Metered {
  Period part;
  std::int64_t quantity = 0;
};

Error invalid(std::string message) {
  return {Error::Code::invalid, std::move(message)};
}

std::string named(const Subscription& subscription) {
  return "subscription " + subscription.id + " (" + subscription.title + ")";
}

Period common(const Period& a, const Period& b) {
  return {std::max(a.start, b.start), std::min(a.end, b.end)};
}

bool empty(const Period& period) {
  return period.start >= period.end;
}

std::int64_t days_between(Time start, Time end, const Zone& zone) {
  using std::chrono::sys_days;
  return (sys_days(zone.local_day(end)) - sys_days(zone.local_day(start))).count();
}

Result<void> check_price(const Subscription& subscription, const Charge& charge, const Decimal& price) {
  if (price.units >= 0) return {};
  return invalid(named(subscription) + ": charge " + charge.id + " has the price " + to_string(price) +
                 "; expected 0 or more (a credit has a negative quantity, EN 16931 BR-27)");
}

Result<void> check_charge(const Subscription& subscription, const Charge& charge) {
  if (const auto* fixed = std::get_if<FixedCharge>(&charge.price)) {
    return check_price(subscription, charge, fixed->amount);
  }
  for (const auto& [band, price] : std::get<StandardCharge>(charge.price).prices) {
    if (const auto checked = check_price(subscription, charge, price); checked.has_error()) return checked;
  }
  return {};
}

// What a subscription owes, from its own plan and usage.
class Tally {
 public:
  Tally(const ProposalInput& input, std::map<Slot, Owed>& owed) : input_(input), owed_(owed) {}

  Result<void> add_subscriptions();
  Result<void> add_usage();
  Result<void> add_posted(const std::map<Slot, PostedSum>& posted);
  Result<void> price_usage();

 private:
  Result<void> add_fixed(const Subscription& subscription, const Charge& charge, const FixedCharge& fixed);
  Result<Owed> fixed_part(const Charge& charge, const FixedCharge& fixed, const Period& month,
                          const Period& part) const;
  Result<void> add_total(const Subscription& subscription, const UsageTotal& total);
  Result<Period> part_of(const Subscription& subscription, const UsageTotal& total, const Period& month) const;
  Result<Owed> price(const Slot& slot, const Metered& metered) const;
  const Charge* find_charge(const Slot& slot) const;

  const ProposalInput& input_;
  std::map<Slot, Owed>& owed_;
  std::map<Slot, Metered> metered_;
  std::map<std::string_view, const Subscription*> subscriptions_;
};

Result<void> Tally::add_subscriptions() {
  for (const Subscription& subscription : input_.subscriptions) {
    if (!subscriptions_.emplace(subscription.id, &subscription).second) {
      return invalid("subscription " + subscription.id + " is given twice");
    }
    if (subscription.term.start > subscription.term.end) {
      return invalid(named(subscription) + " ends before it begins");
    }
    std::set<std::string_view> ids;
    for (const Charge& charge : subscription.charges) {
      if (!ids.insert(charge.id).second) return invalid(named(subscription) + " has charge " + charge.id + " twice");
      if (const auto checked = check_charge(subscription, charge); checked.has_error()) return checked;
      if (const auto* fixed = std::get_if<FixedCharge>(&charge.price)) {
        if (const auto added = add_fixed(subscription, charge, *fixed); added.has_error()) return added;
      }
    }
  }
  return {};
}

Result<void> Tally::add_fixed(const Subscription& subscription, const Charge& charge, const FixedCharge& fixed) {
  const Period due = common(subscription.term, {subscription.term.start, input_.period.end});
  if (empty(due)) return {};
  // Compared from the later side: the earlier one may be the smallest time there is.
  if (due.start < input_.period.end - kLongestTerm) {
    return invalid(named(subscription) + " began more than 100 years before the period to bill");
  }
  for (Period month = input_.zone.month_of(due.start); month.start < due.end; month = input_.zone.month_of(month.end)) {
    const auto part = fixed_part(charge, fixed, month, common(month, due));
    if (part.has_error()) return part.error();
    for (const std::string& asset : subscription.assets) {
      owed_.insert_or_assign(Slot{subscription.id, asset, charge.id, "", month.start}, *part);
    }
  }
  return {};
}

Result<Owed> Tally::fixed_part(const Charge& charge, const FixedCharge& fixed, const Period& month,
                               const Period& part) const {
  // The day on which a part begins counts, the one in which it ends does not, so that the parts of two terms that meet
  // within a day sum to the month.
  const std::int64_t days = days_between(part.start, part.end, input_.zone);
  const std::int64_t all_days = days_between(month.start, month.end, input_.zone);
  const auto amount = prorate(fixed.amount, days, all_days, input_.currency);
  if (amount.has_error()) return amount.error();
  Owed owed{part, days, *amount, charge.title, "month", {1, 0}, fixed.amount, std::nullopt};
  if (days != all_days) {
    owed.title += ", " + std::to_string(days) + " of " + std::to_string(all_days) + " days";
    owed.unit_price = {amount->minor, amount->currency.exponent()};
  }
  return owed;
}

Result<void> Tally::add_usage() {
  for (const UsageTotal& total : input_.usage) {
    const auto found = subscriptions_.find(total.subscription);
    if (found == subscriptions_.end()) {
      return invalid("usage of asset " + total.asset + ", meter " + total.meter + " names subscription " +
                     total.subscription + ", which is not given");
    }
    if (total.period.start >= input_.period.end) continue;  // not due yet
    if (const auto added = add_total(*found->second, total); added.has_error()) return added;
  }
  return {};
}

Result<void> Tally::add_total(const Subscription& subscription, const UsageTotal& total) {
  const Period month = input_.zone.month_of(total.period.start);
  const auto part = part_of(subscription, total, month);
  if (part.has_error()) return part.error();
  for (const Charge& charge : subscription.charges) {
    const auto* standard = std::get_if<StandardCharge>(&charge.price);
    if (standard == nullptr || standard->meter != total.meter) continue;
    const Slot slot{subscription.id, total.asset, charge.id, total.band, month.start};
    Metered& metered = metered_.try_emplace(slot, Metered{*part, 0}).first->second;
    const auto sum = narrow(Int128{metered.quantity} + total.quantity, [&] {
      return named(subscription) + ": the quantity of meter " + total.meter + ", asset " + total.asset;
    });
    if (sum.has_error()) return sum.error();
    metered.quantity = *sum;
  }
  return {};
}

Result<Period> Tally::part_of(const Subscription& subscription, const UsageTotal& total, const Period& month) const {
  const auto& assets = subscription.assets;
  const auto wrong = [&](std::string_view why) {
    return invalid(named(subscription) + ": usage of asset " + total.asset + ", meter " + total.meter + ": " +
                   std::string(why));
  };
  if (std::find(assets.begin(), assets.end(), total.asset) == assets.end()) {
    return wrong("the asset is not one of the subscription's");
  }
  if (empty(total.period) || total.period.end > month.end) {
    return wrong("its period is empty or reaches into another month of the customer's zone");
  }
  const Period part = common(month, subscription.term);
  if (empty(common(part, total.period))) return wrong("its period is outside of the subscription's term");
  return part;
}

Result<void> Tally::add_posted(const std::map<Slot, PostedSum>& posted) {
  for (const auto& [slot, sum] : posted) {
    if (slot.month >= input_.period.end) continue;  // of a later run; this one does not reach so far
    if (subscriptions_.find(slot.subscription) == subscriptions_.end()) {
      return invalid("a posted line names subscription " + slot.subscription + ", which is not given");
    }
    const Charge* charge = find_charge(slot);
    if (charge != nullptr && std::holds_alternative<StandardCharge>(charge->price)) {
      metered_.try_emplace(slot, Metered{sum.part, 0});
      continue;
    }
    const std::string& title = charge == nullptr ? slot.charge : charge->title;
    const Owed nothing{sum.part, 0, {0, input_.currency}, title, "month", {0, 0}, {0, 0}, std::nullopt};
    owed_.try_emplace(slot, nothing);
  }
  return {};
}

Result<void> Tally::price_usage() {
  for (const auto& [slot, metered] : metered_) {
    auto priced = price(slot, metered);
    if (priced.has_error()) return priced.error();
    owed_.insert_or_assign(slot, std::move(*priced));
  }
  return {};
}

Result<Owed> Tally::price(const Slot& slot, const Metered& metered) const {
  const Charge& charge = *find_charge(slot);
  const auto& standard = std::get<StandardCharge>(charge.price);
  const std::string title = slot.band.empty() ? charge.title : charge.title + " (" + slot.band + ")";
  Owed owed{metered.part, metered.quantity, {0, input_.currency}, title, standard.unit, {}, {}, std::nullopt};
  owed.printed = {metered.quantity, standard.quantity_scale};

  auto price = standard.prices.find(slot.band);
  if (price == standard.prices.end()) price = standard.prices.find("");
  if (price == standard.prices.end()) {
    if (metered.quantity == 0) return owed;
    return Error{Error::Code::missing, named(*subscriptions_.at(slot.subscription)) + ": meter " + standard.meter +
                                           " has no price for band \"" + slot.band + "\"; give charge " + charge.id +
                                           " a price for it, or one for all other bands"};
  }
  const auto amount = multiply(owed.printed, price->second, input_.currency);
  if (amount.has_error()) return amount.error();
  owed.amount = *amount;
  owed.unit_price = price->second;
  owed.quantity_scale = standard.quantity_scale;
  return owed;
}

const Charge* Tally::find_charge(const Slot& slot) const {
  const auto& charges = subscriptions_.at(slot.subscription)->charges;
  const auto found =
      std::find_if(charges.begin(), charges.end(), [&](const Charge& charge) { return charge.id == slot.charge; });
  return found == charges.end() ? nullptr : &*found;
}

}  // namespace

Slot slot_of(const LineKey& key, const Zone& zone) {
  return {key.subscription, key.asset, key.charge, key.band, zone.month_of(key.period.start).start};
}

LineKey key_of(const Slot& slot, const Period& part) {
  return {slot.subscription, slot.charge, slot.asset, slot.band, part};
}

Result<std::map<Slot, Owed>> owed(const ProposalInput& input, const std::map<Slot, PostedSum>& posted) {
  std::map<Slot, Owed> result;
  Tally tally(input, result);
  if (const auto step = tally.add_subscriptions(); step.has_error()) return step.error();
  if (const auto step = tally.add_usage(); step.has_error()) return step.error();
  if (const auto step = tally.add_posted(posted); step.has_error()) return step.error();
  if (const auto step = tally.price_usage(); step.has_error()) return step.error();
  return result;
}

}  // namespace fettle::billing
