#include "billing/invoice.h"

#include <limits>
#include <utility>

#include "billing/exact.h"
#include "billing/owed.h"

namespace fettle::billing {
namespace {

// A difference of two rounded amounts and the rounded difference are at most this many minor units apart.
constexpr std::int64_t kRoundingSlack = 1;

Result<void> check(const ProposalInput& input) {
  if (input.zone.month_of(input.period.start) != input.period) {
    return Error{Error::Code::invalid, "the period to bill is not a calendar month of the customer's time zone"};
  }
  if (input.vat.percent.units < 0) {
    return Error{Error::Code::invalid,
                 "a VAT rate of " + to_string(input.vat.percent) + " %: expected 0 or more percent"};
  }
  return {};
}

Result<std::map<Slot, PostedSum>> posted_by_slot(const ProposalInput& input) {
  std::map<Slot, PostedSum> sums;
  for (const auto& [key, posted] : input.posted) {
    PostedSum& sum =
        sums.try_emplace(slot_of(key, input.zone), PostedSum{key.period, 0, {0, input.currency}}).first->second;
    const auto quantity = narrow(Int128{sum.quantity} + posted.quantity, [&, &of = key] {
      return "the quantity posted for subscription " + of.subscription + ", charge " + of.charge;
    });
    if (quantity.has_error()) return quantity.error();
    const auto amount = add(sum.amount, posted.amount);
    if (amount.has_error()) return amount.error();
    sum = {key.period, *quantity, *amount};
  }
  return sums;
}

Line first_line(const Slot& slot, const Owed& owed) {
  return {key_of(slot, owed.part), owed.title,  owed.printed,  owed.unit,
          owed.unit_price,         owed.amount, owed.quantity, false};
}

// Whether a difference reads as quantity * unit price. It does not where the price itself changed, or for fixed
// charges.
Result<bool> reads_as_product(const Owed& owed, std::int64_t quantity, const Money& amount) {
  if (!owed.quantity_scale) return false;
  const auto priced = multiply({quantity, *owed.quantity_scale}, owed.unit_price, amount.currency);
  if (priced.has_error()) return priced.error();
  const Int128 apart = Int128{priced->minor} - amount.minor;
  return apart >= -kRoundingSlack && apart <= kRoundingSlack;
}

// Brings what was posted to what is owed.
Result<Line> correction(const Slot& slot, const Owed& owed, std::int64_t quantity, const Money& amount) {
  Line line{key_of(slot, owed.part), owed.title + ", correction", {}, owed.unit, {}, amount, quantity, true};
  const auto product = reads_as_product(owed, quantity, amount);
  if (product.has_error()) return product.error();
  if (*product) {
    line.quantity = {quantity, *owed.quantity_scale};
    line.unit_price = owed.unit_price;
    return line;
  }
  // Once, or minus once, the difference: prices are never negative (EN 16931 BR-27).
  const bool credit = amount.minor < 0 || (amount.minor == 0 && quantity < 0);
  const auto size =
      narrow(credit ? -Int128{amount.minor} : Int128{amount.minor}, [&] { return to_string(amount) + " as a credit"; });
  if (size.has_error()) return size.error();
  line.quantity = {credit ? -1 : 1, 0};
  line.unit_price = {*size, amount.currency.exponent()};
  return line;
}

Result<std::optional<Line>> line_of(const Slot& slot, const Owed& owed, const std::map<Slot, PostedSum>& posted) {
  const auto found = posted.find(slot);
  if (found == posted.end()) {
    if (owed.quantity == 0) return std::optional<Line>();
    return std::optional<Line>(first_line(slot, owed));
  }
  const auto quantity = narrow(Int128{owed.quantity} - found->second.quantity,
                               [&] { return "the quantity to correct for subscription " + slot.subscription; });
  if (quantity.has_error()) return quantity.error();
  const auto amount = subtract(owed.amount, found->second.amount);
  if (amount.has_error()) return amount.error();
  if (*quantity == 0 && amount->minor == 0) return std::optional<Line>();
  auto line = correction(slot, owed, *quantity, *amount);
  if (line.has_error()) return line.error();
  return std::optional<Line>(std::move(*line));
}

Result<void> total(const VatDecision& vat, Proposal& proposal) {
  for (const Line& line : proposal.lines) {
    const auto net = add(proposal.net, line.amount);
    if (net.has_error()) return net.error();
    proposal.net = *net;
  }
  if (proposal.lines.empty()) return {};
  const auto tax = percentage_of(proposal.net, vat.percent);
  if (tax.has_error()) return tax.error();
  const auto gross = add(proposal.net, *tax);
  if (gross.has_error()) return gross.error();
  proposal.vat.push_back({vat, proposal.net, *tax});
  proposal.tax = *tax;
  proposal.gross = *gross;
  return {};
}

}  // namespace

Result<Proposal> propose(const ProposalInput& input) {
  if (const auto checked = check(input); checked.has_error()) return checked.error();
  const auto posted = posted_by_slot(input);
  if (posted.has_error()) return posted.error();
  const auto owes = owed(input, *posted);
  if (owes.has_error()) return owes.error();

  const Money zero{0, input.currency};
  Proposal proposal{input.period, {}, {}, zero, zero, zero};
  for (const auto& [slot, what] : *owes) {
    auto line = line_of(slot, what, *posted);
    if (line.has_error()) return line.error();
    if (*line) proposal.lines.push_back(std::move(**line));
  }
  if (const auto summed = total(input.vat, proposal); summed.has_error()) return summed.error();
  return proposal;
}

}  // namespace fettle::billing
