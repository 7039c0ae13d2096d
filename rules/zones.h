#pragma once
// Zone tables: standards that grade a measured value by fixed limits, as data.

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/unit.h"

namespace fettle::rules {

struct ZoneTable {
  std::string_view name;         // as a rule writes it
  std::array<double, 3> limits;  // in mm/s: the most that is still in zone A, B, C
};

// ISO 10816-3:2009, annex A: vibration velocity, RMS, of machines above 15 kW. Group 1: above 300 kW, or a shaft height
// of 315 mm or more; group 2: 15 to 300 kW, or 160 to 315 mm. Rigid and flexible are the foundations.
inline constexpr std::array<ZoneTable, 4> kZoneTables = {{
    {"iso10816-3/1/rigid", {2.3, 4.5, 7.1}},
    {"iso10816-3/1/flexible", {3.5, 7.1, 11.0}},
    {"iso10816-3/2/rigid", {1.4, 2.8, 4.5}},
    {"iso10816-3/2/flexible", {2.3, 4.5, 7.1}},
}};

// mm/s, the unit of all tables.
Unit zone_unit();

// "A" "B" "C" "D": a zone's number is its place here.
const std::vector<std::string>& zones();

// The number of the zone that a value in zone_unit() lies in; a limit belongs to the better zone. NaN stays.
double zone_of(const ZoneTable& table, double value);

}  // namespace fettle::rules
