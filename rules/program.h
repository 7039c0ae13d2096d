#pragma once
// A compiled rule: three flat programs for a stack machine (when, clear, suppress_when), the operators whose states
// they read, the conditions that feed some of these, and the rule's delays. Immutable; shared by all assets of a model
// and by threads.
//
// Values on the stack are doubles: quantities in the unit the compiler chose, states as their index, conditions as 1
// and 0, and NaN for unknown. Every arithmetic result that is not finite becomes NaN.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "rules/check.h"
#include "rules/instruction.h"
#include "rules/operators.h"
#include "rules/rule.h"

namespace fettle::rules {

// A condition that an operator watches (time_in, count_within, then). It is evaluated whenever the rule is, before the
// rule's own expressions, and its value handed to the operator as a reading. One within another comes before it.
struct Feed {
  Program program;
  std::uint32_t use = 0;  // the operator's place in CompiledRule::uses
};

class CompiledRule {
 public:
  std::string id;
  Program when;
  Program clear;
  Program suppress_when;
  std::vector<OperatorUse> uses;
  std::vector<Feed> feeds;  // a use's `feed` is a place here
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

// The code of a checked tree, from the node `root` on. Pre: it has no broken part.
Program emit(const Syntax& syntax, const std::vector<Meaning>& meanings, NodeIndex root);

// The slots that the program needs on the stack. run() takes programs of at most kDeepestStack.
std::size_t stack_need(const Program& program);

// The bytes that one instance of the rule keeps at rest, operators and life cycle.
std::size_t state_bytes_of(const CompiledRule& rule);

}  // namespace fettle::rules
