#include "tests/e2e/harness/decimal.h"

#include <stdexcept>

namespace fettle::e2e {

std::int64_t product(std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  if (__builtin_mul_overflow(a, b, &result)) throw std::overflow_error("a product beyond 64 bits");
  return result;
}

std::int64_t scaled(const std::string& text, int scale) {
  const bool negative = text.starts_with('-');
  std::int64_t value = 0;
  int decimals = -1;  // none seen yet
  bool digits = false;
  for (const char c : text.substr(negative ? 1 : 0)) {
    if (c == '.' && decimals < 0) {
      decimals = 0;
      continue;
    }
    if (c < '0' || c > '9') throw std::invalid_argument("'" + text + "' is no decimal");
    digits = true;
    value = product(value, 10) + (c - '0');
    if (decimals >= 0) ++decimals;
  }
  if (!digits) throw std::invalid_argument("'" + text + "' is no decimal");
  if (decimals < 0) decimals = 0;
  if (decimals > scale) {
    throw std::invalid_argument("'" + text + "' has more than " + std::to_string(scale) + " decimals");
  }
  for (; decimals < scale; ++decimals) value = product(value, 10);
  return negative ? -value : value;
}

std::int64_t rounded(std::int64_t value, int places) {
  std::int64_t divisor = 1;
  for (int i = 0; i < places; ++i) divisor = product(divisor, 10);
  const std::int64_t half = divisor / 2;
  return (value < 0 ? value - half : value + half) / divisor;
}

}  // namespace fettle::e2e
