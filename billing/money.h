#pragma once
// Money: integer minor units of a currency, rounded half away from zero, so that a credit mirrors its charge.

#include <cstdint>
#include <string>
#include <string_view>

#include "billing/decimal.h"

namespace fettle::billing {

// An ISO 4217 code with its exponent (EUR 2, JPY 0, KWD 3).
class Currency {
 public:
  // Errors: syntax (not three capitals), missing (not in the table).
  static Result<Currency> of(std::string_view code);
  std::string_view code() const { return {code_, 3}; }
  std::uint8_t exponent() const { return exponent_; }
  bool operator==(const Currency&) const = default;

 private:
  char code_[3] = {};
  std::uint8_t exponent_ = 0;
};

struct Money {
  std::int64_t minor = 0;
  Currency currency;
  bool operator==(const Money&) const = default;
};

std::string to_string(const Money& amount);    // "1234.50 EUR"
std::string amount_text(const Money& amount);  // "1234.50"

// Pre: one currency. Error: overflow, invalid (currencies differ).
Result<Money> add(const Money& a, const Money& b);
Result<Money> subtract(const Money& a, const Money& b);

// quantity * unit price, exact in 128 bits, then rounded half away from zero to the currency's exponent.
Result<Money> multiply(const Decimal& quantity, const Decimal& unit_price, const Currency& currency);

// base * percent / 100, rounded the same way. For VAT on a summed base.
Result<Money> percentage_of(const Money& base, const Decimal& percent);

// amount * numerator / denominator, rounded the same way. For proration. Pre: denominator > 0.
Result<Money> prorate(const Money& amount, std::int64_t numerator, std::int64_t denominator);

// The same of an amount that may have more decimals than the currency: rounded once, at the end.
Result<Money> prorate(const Decimal& amount, std::int64_t numerator, std::int64_t denominator,
                      const Currency& currency);

}  // namespace fettle::billing
