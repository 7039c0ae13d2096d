#include "rules/unit.h"

namespace fettle::rules {

bool commensurable(const Unit& a, const Unit& b) {
  return a.powers == b.powers;
}

double convert(double value, const Unit& from, const Unit& to) {
  if (from == to) return value;  // exact: 1.4 A.h stays 1.4, whatever the scale
  return ((value * from.scale + from.offset) - to.offset) / to.scale;
}

Unit operator*(const Unit& a, const Unit& b) {
  Unit product;
  for (std::size_t i = 0; i < product.powers.size(); ++i) {
    product.powers[i] = static_cast<std::int8_t>(a.powers[i] + b.powers[i]);
  }
  product.scale = a.scale * b.scale;
  return product;
}

Unit operator/(const Unit& a, const Unit& b) {
  Unit quotient;
  for (std::size_t i = 0; i < quotient.powers.size(); ++i) {
    quotient.powers[i] = static_cast<std::int8_t>(a.powers[i] - b.powers[i]);
  }
  quotient.scale = a.scale / b.scale;
  return quotient;
}

Unit difference_of(const Unit& unit) {
  Unit difference = unit;
  difference.offset = 0.0;
  return difference;
}

}  // namespace fettle::rules
