#pragma once
// Decimals as integers, written for the tests alone, so that an amount is not checked with the arithmetic that made it.

#include <cstdint>
#include <string>

namespace fettle::e2e {

// "12.3" with scale 2 is 1230. Throws where the text is no decimal, has more decimals, or does not fit.
std::int64_t scaled(const std::string& text, int scale);

// value / 10^places, a half away from zero.
std::int64_t rounded(std::int64_t value, int places);

// Throws where it does not fit.
std::int64_t product(std::int64_t a, std::int64_t b);

}  // namespace fettle::e2e
