#include "gateway/catalog/units.h"

#include <udunits2.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>

namespace fettle::catalog {
namespace {

constexpr std::size_t kLongestUnit = 128;

struct FreeUnit {
  void operator()(ut_unit* unit) const { ut_free(unit); }
};
using OwnedUnit = std::unique_ptr<ut_unit, FreeUnit>;

struct FreeSystem {
  void operator()(ut_system* system) const { ut_free_system(system); }
};
using OwnedSystem = std::unique_ptr<ut_system, FreeSystem>;

// In the order of rules::Unit::powers.
constexpr std::array<const char*, rules::kBaseUnits> kBaseNames = {"meter",  "kilogram", "second",  "ampere",
                                                                   "kelvin", "mole",     "candela", "radian"};

struct FieldUnit {
  const char* symbol;      // takes SI prefixes in front
  const char* definition;  // in words that UDUNITS knows, or that stand above
};
constexpr std::array kFieldUnits = {
    FieldUnit{"Wh", "W.h"},     FieldUnit{"Ah", "A.h"},  FieldUnit{"VAh", "V.A.h"},      FieldUnit{"var", "V.A"},
    FieldUnit{"VAr", "V.A"},    FieldUnit{"Var", "V.A"}, FieldUnit{"varh", "V.A.h"},     FieldUnit{"VArh", "V.A.h"},
    FieldUnit{"Varh", "V.A.h"}, FieldUnit{"Nm", "N.m"},  FieldUnit{"rev", "revolution"}, FieldUnit{"deg", "degree"},
    FieldUnit{"trip", "1"},     FieldUnit{"each", "1"},
};

// The unit database, once per process.
class Database {
 public:
  Database() {
    ut_set_error_message_handler(ut_ignore);
    system_.reset(ut_read_xml(nullptr));
    if (!system_) {
      throw std::runtime_error(
          "the unit database of UDUNITS-2 cannot be read; install the package libudunits2-data, or let "
          "UDUNITS2_XML_PATH name its udunits2.xml");
    }
    for (const FieldUnit& field : kFieldUnits) {
      const OwnedUnit unit(ut_parse(system_.get(), field.definition, UT_UTF8));
      // A database that already has the symbol keeps its own meaning, which is then the same one.
      if (unit) ut_map_symbol_to_unit(field.symbol, UT_UTF8, unit.get());
    }
    for (std::size_t i = 0; i < kBaseNames.size(); ++i) {
      bases_[i].reset(ut_get_unit_by_name(system_.get(), kBaseNames[i]));
      if (!bases_[i]) throw std::runtime_error(std::string("the unit database lacks the base unit ") + kBaseNames[i]);
    }
  }

  std::optional<rules::Unit> parse(const std::string& text) {
    const std::lock_guard lock(mutex_);
    const OwnedUnit unit(ut_parse(system_.get(), text.c_str(), UT_UTF8));
    if (!unit) return std::nullopt;
    Reading reading{*this, {}};
    if (ut_accept_visitor(unit.get(), &kVisitor, &reading) != UT_SUCCESS) return std::nullopt;
    const rules::Unit& result = reading.unit;
    if (!std::isfinite(result.scale) || result.scale <= 0 || !std::isfinite(result.offset)) return std::nullopt;
    return result;
  }

 private:
  // What a visitor's functions are handed.
  struct Reading {
    const Database& database;
    rules::Unit unit;
  };

  ut_status add_power(rules::Unit& unit, const ut_unit* basic, int power) const {
    for (std::size_t i = 0; i < bases_.size(); ++i) {
      if (ut_compare(bases_[i].get(), basic) != 0) continue;
      if (power < std::numeric_limits<std::int8_t>::min() || power > std::numeric_limits<std::int8_t>::max()) {
        return UT_VISIT_ERROR;
      }
      unit.powers[i] = static_cast<std::int8_t>(power);
      return UT_SUCCESS;
    }
    return UT_VISIT_ERROR;
  }

  static ut_status visit_basic(const ut_unit* unit, void* arg) {
    auto* reading = static_cast<Reading*>(arg);
    return reading->database.add_power(reading->unit, unit, 1);
  }

  static ut_status visit_product(const ut_unit*, int count, const ut_unit* const* basics, const int* powers,
                                 void* arg) {
    auto* reading = static_cast<Reading*>(arg);
    for (int i = 0; i < count; ++i) {
      if (reading->database.add_power(reading->unit, basics[i], powers[i]) != UT_SUCCESS) return UT_VISIT_ERROR;
    }
    return UT_SUCCESS;
  }

  // UDUNITS counts the offset in the Galilean unit itself: underlying = scale * (value + offset).
  static ut_status visit_galilean(const ut_unit*, double scale, const ut_unit* underlying, double offset, void* arg) {
    if (ut_accept_visitor(underlying, &kVisitor, arg) != UT_SUCCESS) return UT_VISIT_ERROR;
    auto* reading = static_cast<Reading*>(arg);
    reading->unit.offset += reading->unit.scale * scale * offset;
    reading->unit.scale *= scale;
    return UT_SUCCESS;
  }

  static ut_status visit_timestamp(const ut_unit*, const ut_unit*, double, void*) { return UT_VISIT_ERROR; }
  static ut_status visit_logarithmic(const ut_unit*, double, const ut_unit*, void*) { return UT_VISIT_ERROR; }

  static const ut_visitor kVisitor;

  std::mutex mutex_;
  OwnedSystem system_;
  std::array<OwnedUnit, rules::kBaseUnits> bases_;  // after system_: freed before it
};

const ut_visitor Database::kVisitor = {visit_basic, visit_product, visit_galilean, visit_timestamp, visit_logarithmic};

bool digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// UDUNITS reads more than units of measure: "5 mm" (a unit of that length), "m@3" (an origin), and "m^0.5" as m^0
// times 5.
bool plain_unit_text(std::string_view text) {
  if (text.empty() || text.size() > kLongestUnit || text.find('@') != std::string_view::npos) return false;
  if (text.front() == ' ' || text.back() == ' ' || text.front() == '-' || text.front() == '+') return false;
  if (text.find('\0') != std::string_view::npos) return false;
  if (digit(text.front()) && text != "1" && !text.starts_with("1/")) return false;
  for (std::size_t dot = text.find('.'); dot != std::string_view::npos; dot = text.find('.', dot + 1)) {
    if (dot > 0 && dot + 1 < text.size() && digit(text[dot - 1]) && digit(text[dot + 1])) return false;
  }
  return true;
}

}  // namespace

std::optional<rules::Unit> parse_unit(std::string_view text) {
  if (!plain_unit_text(text)) return std::nullopt;
  static Database database;
  return database.parse(std::string(text));
}

rules::UnitParser unit_parser() {
  return [](std::string_view text) { return parse_unit(text); };
}

}  // namespace fettle::catalog
