#pragma once
// Invoice generation as a function: (subscriptions with their plan, usage, what was posted, until when) -> what to
// post.
//
//   charge = meter x scope x window x price function;   bill = f(window to date) - already posted
//
// Everything is that one difference: running a period twice posts nothing, late usage after a final invoice comes out
// as a line of the period it belongs to on the next one, a changed quantity as its difference. Nothing here knows how
// usage was counted, where anything is stored, or what day it is.

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "billing/decimal.h"
#include "billing/money.h"
#include "billing/zone.h"

namespace fettle::billing {

// quantity x price of the usage's band.
struct StandardCharge {
  std::string meter;                      // "model:meter"
  std::uint8_t quantity_scale = 0;        // decimals of the meter's quantity, as printed
  std::string unit;                       // as printed
  std::map<std::string, Decimal> prices;  // band -> price; key "" is the price of bands without their own
};

// An amount per asset and calendar month, in arrears; part of a month by its days: amount * days / days of the month.
// The day in which a term begins counts, the day in which it ends does not (unless the term ends with it).
struct FixedCharge {
  Decimal amount;
};

struct Charge {
  std::string id;     // unique in the plan
  std::string title;  // printed on the line
  std::variant<StandardCharge, FixedCharge> price;
};

struct Subscription {
  std::string id;
  std::string title;  // the plan's, printed
  Period term;        // end = Time::max() where open-ended
  std::vector<std::string> assets;
  std::vector<Charge> charges;
};

// Usage of one (asset, meter, band) within one period, which lies in one month of the customer's zone. Quantity in the
// meter's resolution (10^-quantity_scale unit). May be given in parts: they are summed by month. The asset is one of
// the subscription's, the period touches its term; a meter that no charge names costs nothing.
struct UsageTotal {
  std::string subscription;
  std::string asset;
  std::string meter;
  std::string band;
  Period period;
  std::int64_t quantity = 0;
};

// What a line bills; unique within all lines ever posted of one seller, so posted amounts are found by it. Where a term
// was shortened after the fact, what was posted for the longer part of the same month is found as well.
struct LineKey {
  std::string subscription;
  std::string charge;
  std::string asset;
  std::string band;  // empty where the meter has no dimension
  Period period;     // the billing period that the service belongs to (a month, cut by the subscription's term)
  auto operator<=>(const LineKey& other) const = default;
};

struct Posted {
  std::int64_t quantity = 0;  // in the meter's resolution; for fixed charges in days
  Money amount;
};

struct Line {
  LineKey key;
  std::string title;
  Decimal quantity;    // as printed; 1 for a month or, with the title saying "n of m days", a part of one
  std::string unit;    // "kWh", "month"
  Decimal unit_price;  // >= 0 (EN 16931 BR-27): a credit has a negative quantity
  // Net: owed - posted. Where nothing was posted before it is quantity x unit_price, rounded. A correction of the
  // quantity alone is that within one minor unit; any other (the price changed, a fixed charge) is 1 or -1 x the
  // amount.
  Money amount;
  std::int64_t posted_quantity = 0;  // what this line adds to Posted::quantity
  bool correction = false;           // the key had been posted before: this is a difference
};

struct VatDecision {
  std::string category;  // UNCL5305
  Decimal percent;
};

struct VatSubtotal {
  VatDecision vat;
  Money base;
  Money tax;
};

struct Proposal {
  Period period;                 // the billing period that the invoice closes
  std::vector<Line> lines;       // in order of subscription, asset, charge, band (each by its id), period
  std::vector<VatSubtotal> vat;  // per (category, rate), on the summed base
  Money net;
  Money tax;
  Money gross;
};

struct ProposalInput {
  Currency currency;
  Zone zone;                                // the customer's, the same as when `posted` was
  Period period;                            // a calendar month of that zone: the newest one to bill
  std::vector<Subscription> subscriptions;  // of one bill-to and currency
  // Of `period` and of every earlier period that `posted` has lines of: a posted key without usage is owed nothing.
  // What lies after `period`, here or in `posted`, is left alone.
  std::vector<UsageTotal> usage;
  std::map<LineKey, Posted> posted;  // sums of all final lines of those subscriptions
  VatDecision vat;
};

// The invoice that brings what is posted to what is owed, or a Proposal without lines where nothing is.
// Errors: missing (a band without a price: names plan, meter and band), overflow, invalid (the input contradicts
// itself: usage outside of the term or of an asset not subscribed, a price below 0, two currencies, a period that is
// not a month of the zone ...).
Result<Proposal> propose(const ProposalInput& input);

}  // namespace fettle::billing
