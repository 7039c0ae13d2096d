#include "billing/exact.h"

#include <string>

namespace fettle::billing {

Error overflow(std::string_view what) {
  return {Error::Code::overflow,
          std::string(what) + " does not fit in 64 bits; expected a magnitude of at most 9223372036854775807"};
}

Int128 power_of_ten(unsigned exponent) {
  Int128 power = 1;
  for (unsigned i = 0; i < exponent; ++i) power *= 10;
  return power;
}

Int128 quotient(Int128 numerator, Int128 denominator) {
  const Int128 whole = numerator / denominator;
  const Int128 rest = numerator % denominator;
  const Int128 size = rest < 0 ? -rest : rest;
  // size * 2 >= denominator, written so that it cannot overflow.
  if (size < denominator - size) return whole;
  return numerator < 0 ? whole - 1 : whole + 1;
}

}  // namespace fettle::billing
