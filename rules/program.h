#pragma once
// A compiled rule: three flat programs for a stack machine (when, clear, suppress_when), the operators whose states
// they read, and the rule's delays. Immutable; shared by all assets of a model and by threads.
//
// Values on the stack are doubles: quantities in the unit the compiler chose, states as their index, conditions as 1
// and 0, and NaN for unknown. Every arithmetic result that is not finite becomes NaN.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rules/check.h"
#include "rules/operators.h"
#include "rules/rule.h"

namespace fettle::rules {

enum class Code : std::uint8_t {
  constant,   // push number
  parameter,  // push parameter `index`
  operate,    // push the value of operator `index`
  scale,      // top * number
  shift,      // top + number
  negate,
  not_,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  and_,
  or_,
  select,  // condition, yes, no -> one of them
  member,  // value, `index` others -> whether one equals it
};

struct Instruction {
  Code code = Code::constant;
  std::uint32_t index = 0;
  double number = 0;
};

inline constexpr std::size_t kDeepestStack = 192;  // kDeepestNesting, the elements of one list, and room

using Program = std::vector<Instruction>;  // empty: there is no such expression

class CompiledRule {
 public:
  std::string id;
  Program when;
  Program clear;
  Program suppress_when;
  std::vector<OperatorUse> uses;
  std::vector<Parameter> parameters;
  std::vector<SignalIndex> signals;  // ascending, each once
  Duration for_{0};
  Duration keep_for{0};
  Duration cooldown{0};
  Duration lookback{0};
  std::uint64_t signature = 0;
  std::size_t state_bytes = 0;  // of all operators together
};

// What a program runs on.
struct ProgramInputs {
  std::span<const OperatorUse> uses;
  std::byte* states;         // of the operators, each at its use's offset
  const double* parameters;  // of this instance
  std::int64_t event;        // the asset's time, ms
  std::int64_t tick;         // the gateway's time, ms
};

// The program's value: 1, 0 or NaN for a condition. Pre: not empty.
double run(const Program& program, const ProgramInputs& inputs);

// Appends the code of a checked tree. Pre: it has no broken part.
Program emit(const Syntax& syntax, const std::vector<Meaning>& meanings);

// The slots that the program needs on the stack. run() takes programs of at most kDeepestStack.
std::size_t stack_need(const Program& program);

// The bytes that one instance of the rule keeps at rest, operators and life cycle.
std::size_t state_bytes_of(const CompiledRule& rule);

}  // namespace fettle::rules
