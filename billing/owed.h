#pragma once
// What subscriptions owe, month by month: f(window) of the one formula, before what was posted is taken off. Internal
// to billing/; propose() in invoice.h is the way in.

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "billing/invoice.h"

namespace fettle::billing {

// A LineKey without the exact bounds of its part of the month, which move when a term is shortened after the fact. A
// subscription has one term, so there is one part per month, and what was posted under its old bounds is still found.
// Ordered as invoices list their lines.
struct Slot {
  std::string subscription;
  std::string asset;
  std::string charge;
  std::string band;
  Time month;  // its start
  auto operator<=>(const Slot&) const = default;
};

Slot slot_of(const LineKey& key, const Zone& zone);
LineKey key_of(const Slot& slot, const Period& part);

struct PostedSum {
  Period part;  // of the last of the keys that make up the sum
  std::int64_t quantity = 0;
  Money amount;
};

struct Owed {
  Period part;                // the month, cut by the term
  std::int64_t quantity = 0;  // as in Posted::quantity
  Money amount;
  std::string title;
  std::string unit;
  Decimal printed;     // quantity of a line that bills all of it
  Decimal unit_price;  // of that line: printed * unit_price, rounded, is amount
  // Metered charges: decimals of the quantity, so that a difference of quantity can be printed with the unit price.
  // Absent where no such price is known (fixed charges; a band or charge that is no longer in the plan).
  std::optional<std::uint8_t> quantity_scale;
};

// Everything owed up to the end of input.period, and an entry that owes nothing for each slot of `posted` (up to the
// same end) that is owed nothing now. Errors: as propose().
Result<std::map<Slot, Owed>> owed(const ProposalInput& input, const std::map<Slot, PostedSum>& posted);

}  // namespace fettle::billing
