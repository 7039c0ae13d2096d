#include "billing/money.h"

#include <algorithm>
#include <array>
#include <optional>

#include "billing/exact.h"

namespace fettle::billing {
namespace {

// ISO 4217, active codes by exponent. Metals and test codes have no exponent and are left out. ANG and BGN were
// withdrawn in 2025 and 2026: invoices written in them must stay readable.
struct Exponent {
  std::uint8_t digits;
  std::string_view codes;  // three letters and a blank each
};
constexpr std::array<Exponent, 4> kExponents = {{
    {2,
     "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
     "CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF "
     "IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN "
     "MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS "
     "SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW "
     "ZWG "},
    {0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF "},
    {3, "BHD IQD JOD KWD LYD OMR TND "},
    {4, "CLF UYW "},
}};

std::optional<std::uint8_t> exponent_of(std::string_view code) {
  for (const Exponent& exponent : kExponents) {
    for (std::size_t at = 0; at + 3 <= exponent.codes.size(); at += 4) {
      if (exponent.codes.substr(at, 3) == code) return exponent.digits;
    }
  }
  return std::nullopt;
}

template <typename What>
Result<Money> rounded(Int128 numerator, Int128 denominator, const Currency& currency, What what) {
  const auto minor = narrow(quotient(numerator, denominator), what);
  if (minor.has_error()) return minor.error();
  return Money{*minor, currency};
}

// value * 10^-scale of the currency's unit, times 1 / denominator, rounded to minor units.
template <typename What>
Result<Money> scaled(Int128 value, unsigned scale, Int128 denominator, const Currency& currency, What what) {
  if (scale >= currency.exponent()) {
    return rounded(value, power_of_ten(scale - currency.exponent()) * denominator, currency, what);
  }
  const auto minor = product(value, power_of_ten(currency.exponent() - scale), what);
  if (minor.has_error()) return minor.error();
  return rounded(*minor, denominator, currency, what);
}

Result<void> check_scale(const Decimal& value) {
  if (value.scale <= kMaxScale) return {};
  return Error{Error::Code::invalid,
               "a decimal number with " + std::to_string(value.scale) + " decimals: expected at most 12"};
}

Result<void> check_denominator(std::int64_t denominator) {
  if (denominator > 0) return {};
  return Error{Error::Code::invalid,
               "a share of " + std::to_string(denominator) + " parts: expected a number of parts above 0"};
}

Result<void> check_same(const Money& a, const Money& b) {
  if (a.currency == b.currency) return {};
  return Error{Error::Code::invalid,
               to_string(a) + " and " + to_string(b) + " are of two currencies: expected one and the same"};
}

std::string share_text(std::string_view amount, std::int64_t numerator, std::int64_t denominator) {
  return std::string(amount) + " * " + std::to_string(numerator) + " / " + std::to_string(denominator);
}

}  // namespace

Result<Currency> Currency::of(std::string_view code) {
  const bool capitals =
      code.size() == 3 && std::all_of(code.begin(), code.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  if (!capitals) {
    return Error{Error::Code::syntax,
                 "\"" + std::string(code) + "\" is not a currency code: expected three capitals, like EUR"};
  }
  const auto exponent = exponent_of(code);
  if (!exponent) {
    return Error{Error::Code::missing, "currency " + std::string(code) + " is not an active code of ISO 4217"};
  }
  Currency currency;
  std::copy(code.begin(), code.end(), currency.code_);
  currency.exponent_ = *exponent;
  return currency;
}

std::string amount_text(const Money& amount) {
  return to_string(Decimal{amount.minor, amount.currency.exponent()});
}

std::string to_string(const Money& amount) {
  return amount_text(amount) + " " + std::string(amount.currency.code());
}

Result<Money> add(const Money& a, const Money& b) {
  if (const auto same = check_same(a, b); same.has_error()) return same.error();
  return rounded(Int128{a.minor} + b.minor, 1, a.currency, [&] { return to_string(a) + " + " + to_string(b); });
}

Result<Money> subtract(const Money& a, const Money& b) {
  if (const auto same = check_same(a, b); same.has_error()) return same.error();
  return rounded(Int128{a.minor} - b.minor, 1, a.currency, [&] { return to_string(a) + " - " + to_string(b); });
}

Result<Money> multiply(const Decimal& quantity, const Decimal& unit_price, const Currency& currency) {
  for (const Decimal& factor : {quantity, unit_price}) {
    if (const auto scale = check_scale(factor); scale.has_error()) return scale.error();
  }
  const auto scale = static_cast<unsigned>(quantity.scale + unit_price.scale);
  return scaled(Int128{quantity.units} * unit_price.units, scale, 1, currency, [&] {
    return to_string(quantity) + " * " + to_string(unit_price) + " " + std::string(currency.code());
  });
}

Result<Money> percentage_of(const Money& base, const Decimal& percent) {
  if (const auto scale = check_scale(percent); scale.has_error()) return scale.error();
  return rounded(Int128{base.minor} * percent.units, power_of_ten(percent.scale + 2U), base.currency,
                 [&] { return to_string(percent) + " % of " + to_string(base); });
}

Result<Money> prorate(const Money& amount, std::int64_t numerator, std::int64_t denominator) {
  if (const auto parts = check_denominator(denominator); parts.has_error()) return parts.error();
  return rounded(Int128{amount.minor} * numerator, denominator, amount.currency,
                 [&] { return share_text(to_string(amount), numerator, denominator); });
}

Result<Money> prorate(const Decimal& amount, std::int64_t numerator, std::int64_t denominator,
                      const Currency& currency) {
  if (const auto parts = check_denominator(denominator); parts.has_error()) return parts.error();
  if (const auto scale = check_scale(amount); scale.has_error()) return scale.error();
  return scaled(Int128{amount.units} * numerator, amount.scale, denominator, currency, [&] {
    return share_text(to_string(amount) + " " + std::string(currency.code()), numerator, denominator);
  });
}

}  // namespace fettle::billing
