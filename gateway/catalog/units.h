#pragma once
// Reading the text of a unit of measure ("mm/s", "degF", "kWh") with UDUNITS-2.
//
// Beyond UDUNITS' own database it knows the names that nameplates use: Wh Ah VA VAr var VArh varh VAh (all with SI
// prefixes: kWh, mAh, kVarh), Nm, rev, deg, trip, each. Not units here: logarithmic scales (dB), dates, and quantities
// with a number in front ("5 mm"). Note what UDUNITS means by C (coulomb), F (farad) and a (are): write degC, degF,
// year.
//
// Safe to call from several threads: UDUNITS keeps global state, so calls take turns.

#include <optional>
#include <string_view>

#include "rules/unit.h"

namespace fettle::catalog {

// The unit that the text names, or nothing. The same text gives the same unit in every process that has the same unit
// database (Debian package libudunits2-data). Throws std::runtime_error where that database cannot be read at all.
std::optional<rules::Unit> parse_unit(std::string_view text);

// parse_unit for those who are handed a parser.
rules::UnitParser unit_parser();

}  // namespace fettle::catalog
