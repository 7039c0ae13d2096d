#pragma once
// What the words of a rule mean: names are resolved, types and units checked, conversions decided. Every error is
// reported; a part that is wrong is `broken` and causes no further ones.
//
// Temperatures. A unit with an offset (degC, degF) names a point on a scale or a difference of points, and the two
// convert differently. Signals are points; `a - b` of points and stddev() are differences; a literal or parameter in
// such a unit is whatever it is compared with. Points are neither added nor multiplied.

#include <optional>
#include <string>
#include <vector>

#include "rules/instruction.h"
#include "rules/operators.h"
#include "rules/syntax.h"

namespace fettle::rules {

enum class Form : std::uint8_t { condition, quantity, state, text, broken };

enum class Role : std::uint8_t {
  point,       // of a signal: its unit's offset counts
  difference,  // of two points
  free,        // a literal or a parameter: either, as its use asks
};

struct Type {
  Form form = Form::broken;
  Role role = Role::free;
  bool constant = false;  // reads no signal
  Unit unit;
  std::string unit_text;                             // for messages; empty for a plain number
  const std::vector<std::string>* states = nullptr;  // form state: its texts
};

// A parameter of the rule with its value as declared.
struct Parameter {
  enum class State : std::uint8_t { readable, broken };  // broken: reported already
  std::string name;
  double value = 0;
  Unit unit;
  std::string unit_text;
  State state = State::readable;
};

// What is known of a node besides its syntax. After its value is computed it is multiplied by `scale` and increased by
// `shift`, where these are given: the conversion to the unit that its parent works in.
struct Meaning {
  Type type;
  std::optional<double> constant;     // its value, where it is a literal
  Code code = Code::operate;          // of a name or a call
  std::uint32_t index = 0;            // the code's: number of a parameter, of an OperatorUse, of a bit, of a table
  std::optional<NodeIndex> argument;  // of a call: what is computed before the code
  double scale = 1.0;
  double shift = 0.0;
};

// What one checks against and adds to, for all expressions of a rule.
struct RuleScope {
  const Vocabulary& vocabulary;
  const UnitParser& units;
  const std::vector<Parameter>& parameters;
  std::vector<OperatorUse>& uses;  // each different one once
  std::vector<Program>& feeds;     // the conditions that operators watch, each different one once
  Diagnostics& diagnostics;
};

// The meanings of the tree's nodes, by index.
std::vector<Meaning> check(const Syntax& syntax, const RuleScope& scope);

// Reads "0.4 s", "-5 degC", "12": a constant quantity and nothing else. Nothing where it is none: then a diagnostic
// says why.
struct ConstantQuantity {
  double value = 0;
  Unit unit;
  std::string unit_text;
};
std::optional<ConstantQuantity> read_quantity(const Located& text, const UnitParser& units, Diagnostics& diagnostics);

// "a number in bar", "a condition (true or false)": for messages.
std::string described(const Type& type);

}  // namespace fettle::rules
