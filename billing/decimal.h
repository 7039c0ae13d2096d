#pragma once
// Exact decimal numbers: prices, rates, resolutions. No floating point here or anywhere in billing/.

#include <boost/system/result.hpp>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "billing/error.h"

namespace fettle::billing {

// units * 10^-scale. Two Decimals with different scales may be equal: compare with equals(), not by member.
struct Decimal {
  std::int64_t units = 0;
  std::uint8_t scale = 0;  // 0 to 12

  // "-12.50" -> {-1250, 2}. Accepts an optional sign, digits, at most one point and 12 decimals; nothing else (no
  // exponent, no blanks, no grouping). Errors: Error::Code::syntax, Error::Code::overflow.
  static Result<Decimal> parse(std::string_view text);
};

// The shortest text that parses back to the same value and scale: {-1250, 2} -> "-12.50".
std::string to_string(const Decimal& value);

std::strong_ordering compare(const Decimal& a, const Decimal& b);
inline bool equals(const Decimal& a, const Decimal& b) {
  return compare(a, b) == 0;
}

}  // namespace fettle::billing
