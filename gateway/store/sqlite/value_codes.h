#pragma once
// How the values of a series are written in a level-0 block, as a byte: docs/reference/storage-format.md. Pure.

#include <cstddef>
#include <cstdint>

namespace fettle::store {

inline constexpr std::uint8_t kDecimalCodes = 7;  // 0 to 6: value * 10^code is whole
inline constexpr std::uint8_t kFloatCode = 254;   // bits of a float
inline constexpr std::uint8_t kRawCode = 255;     // bits of the double

// Ids of series are dense; one beyond this is damage and no reason to allocate.
inline constexpr std::size_t kMaxSeries = std::size_t{1} << 24U;

}  // namespace fettle::store
