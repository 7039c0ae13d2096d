#pragma once
// The integer arithmetic under money and registers: 128 bits in between, one rounding rule, and a refusal where a
// result does not fit in 64. Internal to billing/.

#include <cstdint>
#include <limits>
#include <string_view>

#include "billing/error.h"

namespace fettle::billing {

__extension__ typedef __int128 Int128;

inline constexpr std::uint8_t kMaxScale = 12;  // of a Decimal

// Pre: exponent <= 38.
Int128 power_of_ten(unsigned exponent);

// Error overflow; `what` begins its message: "250.00 EUR * 3 / 4".
Error overflow(std::string_view what);

// numerator / denominator, rounded half away from zero. Pre: denominator > 0.
Int128 quotient(Int128 numerator, Int128 denominator);

// The value in 64 bits, or Error overflow. `what` is a function that returns the text, called only where it is needed:
// these run once per usage record.
template <typename What>
Result<std::int64_t> narrow(Int128 value, What what) {
  if (value < std::numeric_limits<std::int64_t>::min() || value > std::numeric_limits<std::int64_t>::max()) {
    return overflow(what());
  }
  return static_cast<std::int64_t>(value);
}

// a * b in 128 bits, or Error overflow.
template <typename What>
Result<Int128> product(Int128 a, Int128 b, What what) {
  Int128 result = 0;
  if (__builtin_mul_overflow(a, b, &result)) return overflow(what());
  return result;
}

}  // namespace fettle::billing
