#include "billing/decimal.h"

#include <algorithm>

#include "billing/exact.h"

namespace fettle::billing {
namespace {

Error syntax(std::string_view text, std::string_view expected) {
  return {Error::Code::syntax,
          "\"" + std::string(text) + "\" is not a decimal number: expected " + std::string(expected) + ", like -12.50"};
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Beyond this many places even 1 * 10^-places against the largest units decides by sign alone.
constexpr unsigned kDecisivePlaces = 19;

std::strong_ordering sign_of(std::int64_t units) {
  return units <=> std::int64_t{0};
}

}  // namespace

Result<Decimal> Decimal::parse(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  const std::size_t point = rest.find('.');
  const std::string_view whole = rest.substr(0, point);
  const std::string_view part = point == std::string_view::npos ? std::string_view() : rest.substr(point + 1);
  if (whole.empty() || !std::all_of(whole.begin(), whole.end(), is_digit)) {
    return syntax(text, "an optional sign and digits");
  }
  if (point != std::string_view::npos && (part.empty() || !std::all_of(part.begin(), part.end(), is_digit))) {
    return syntax(text, "digits after the point");
  }
  if (part.size() > kMaxScale) return syntax(text, "at most 12 decimals");

  Int128 units = 0;
  for (const std::string_view digits : {whole, part}) {
    for (const char c : digits) {
      units = units * 10 + (negative ? '0' - c : c - '0');
      const auto fits =
          narrow(units, [&] { return "\"" + std::string(text) + "\", counted in units of its last decimal,"; });
      if (fits.has_error()) return fits.error();
    }
  }
  return Decimal{static_cast<std::int64_t>(units), static_cast<std::uint8_t>(part.size())};
}

std::string to_string(const Decimal& value) {
  const auto bits = static_cast<std::uint64_t>(value.units);
  const std::uint64_t magnitude = value.units < 0 ? 0 - bits : bits;
  std::string digits = std::to_string(magnitude);
  if (digits.size() <= value.scale) digits.insert(0, value.scale + 1 - digits.size(), '0');
  if (value.scale > 0) digits.insert(digits.size() - value.scale, 1, '.');
  if (value.units < 0) digits.insert(0, 1, '-');
  return digits;
}

std::strong_ordering compare(const Decimal& a, const Decimal& b) {
  if (a.scale > b.scale) return 0 <=> compare(b, a);
  const auto places = static_cast<unsigned>(b.scale - a.scale);
  if (places > kDecisivePlaces && a.units != 0) return sign_of(a.units);
  if (a.units == 0) return std::int64_t{0} <=> b.units;
  const Int128 left = Int128{a.units} * power_of_ten(places);
  if (left == b.units) return std::strong_ordering::equal;
  return left < b.units ? std::strong_ordering::less : std::strong_ordering::greater;
}

}  // namespace fettle::billing
