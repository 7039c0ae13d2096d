#pragma once
// Doubles as whole numbers: k / 10^scale, and the same of a float, wherever that gives back the very same bits. Pure.
//
// Sensors send decimals: 21.57 is 2157 at scale 2. A device that sends floats sends the float nearest to 21.57, which
// as a double is 21.569999694824219; as_float_decimal finds the 2157 in that as well. Powers of ten up to 10^22 are
// doubles exactly and division rounds correctly (IEEE 754), so a value has one k per scale at most.

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <optional>

namespace fettle::store {

inline constexpr std::array<double, 16> kPowersOfTen = {1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                        1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
inline constexpr double kLargestExact = 9007199254740992;  // 2^53: every whole number up to it is a double

// Half away from zero, as llround, without the call. Pre: |value| < 2^53.
inline std::int64_t rounded(double value) {
  return static_cast<std::int64_t>(value + (value < 0 ? -0.5 : 0.5));
}

inline double from_decimal(std::int64_t whole, unsigned scale) {
  return static_cast<double>(whole) / kPowersOfTen[scale];
}
inline double from_float_decimal(std::int64_t whole, unsigned scale) {
  return static_cast<double>(static_cast<float>(from_decimal(whole, scale)));
}

inline bool same_bits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// Absent where no whole number gives the same bits: fractions of another kind, -0.0, what is infinite or no number.
// Pre: scale < kPowersOfTen.size().
inline std::optional<std::int64_t> as_decimal(double value, unsigned scale) {
  const double scaled = value * kPowersOfTen[scale];
  if (!(std::abs(scaled) < kLargestExact)) return std::nullopt;
  const std::int64_t whole = rounded(scaled);
  if (!same_bits(from_decimal(whole, scale), value)) return std::nullopt;
  return whole;
}
inline std::optional<std::int64_t> as_float_decimal(double value, unsigned scale) {
  const double scaled = value * kPowersOfTen[scale];
  if (!(std::abs(scaled) < kLargestExact)) return std::nullopt;
  const std::int64_t whole = rounded(scaled);
  if (!same_bits(from_float_decimal(whole, scale), value)) return std::nullopt;
  return whole;
}

// Whether a float holds the value, every bit of it (but for payloads of not-a-number, which are said not to be).
inline bool is_float(double value) {
  return std::abs(value) <= 3.0e38 && same_bits(static_cast<double>(static_cast<float>(value)), value);
}

}  // namespace fettle::store
