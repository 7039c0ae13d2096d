#pragma once
// Units of measure as values: a vector of powers of the SI base units and the affine map to them.
//
// Pure arithmetic. Reading a unit's text ("mm/s", "degC", "kWh") needs a unit database and is an adapter's business
// (gateway/catalog/units.h, on UDUNITS-2); the rule compiler is handed a UnitParser.

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace fettle::rules {

// The SI base units in this order, and the radian: m, kg, s, A, K, mol, cd, rad.
inline constexpr int kBaseUnits = 8;

struct Unit {
  std::array<std::int8_t, kBaseUnits> powers{};  // all zero: a plain number
  double scale = 1.0;                            // value in SI = value * scale + offset
  double offset = 0.0;                           // not zero only for degC, degF and their like

  bool operator==(const Unit&) const = default;
};

// Whether values of one can be expressed in the other.
bool commensurable(const Unit& a, const Unit& b);

// A value of `from` expressed in `to`. Pre: commensurable(from, to).
double convert(double value, const Unit& from, const Unit& to);

// Product and quotient. Offsets do not survive: 3 degC * 2 is not a temperature, so the result has offset 0.
Unit operator*(const Unit& a, const Unit& b);
Unit operator/(const Unit& a, const Unit& b);

// A difference of two values of this unit: the same without the offset (20 degC - 15 degC = 5 K).
Unit difference_of(const Unit& unit);

// Reads a unit's text; nothing where the text names no unit. Must be a pure function of its argument.
using UnitParser = std::function<std::optional<Unit>(std::string_view text)>;

}  // namespace fettle::rules
