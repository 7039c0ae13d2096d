#include "rules/zones.h"

#include <cmath>

namespace fettle::rules {

Unit zone_unit() {
  Unit unit;
  unit.powers[0] = 1;   // m
  unit.powers[2] = -1;  // s
  unit.scale = 1e-3;
  return unit;
}

const std::vector<std::string>& zones() {
  static const std::vector<std::string> names = {"A", "B", "C", "D"};
  return names;
}

double zone_of(const ZoneTable& table, double value) {
  if (std::isnan(value)) return value;
  double zone = 0.0;
  for (const double limit : table.limits) {
    if (value > limit) zone += 1.0;
  }
  return zone;
}

}  // namespace fettle::rules
