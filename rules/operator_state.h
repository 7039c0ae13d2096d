#pragma once
// What the operators compute: their states, as plain bytes of fixed size, and the four things that happen to one. The
// formulas are those of docs/reference/rule-language.md; the states are in point_state.h, pane_state.h, tally_state.h.
//
// All times are milliseconds since 1970-01-01T00:00Z. NaN stands for unknown, 1 and 0 for true and false. Nothing here
// allocates. A state lies in memory aligned to 8, of state_bytes(use) bytes. An operator that watches a condition is
// handed its value at each evaluation as a reading.

#include <cstddef>
#include <cstdint>
#include <limits>

#include "rules/operators.h"

namespace fettle::rules {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

// A state that has seen nothing.
void start(const OperatorUse& use, std::byte* state);

struct OperatorReading {
  std::int64_t event;
  std::int64_t tick;
  double value;                  // NaN: a bad one
  std::int64_t newest = kNever;  // the asset's newest event time, this reading included; kNever: this one's
};

// A reading of the use's signal. One older than the newest of its signal changes nothing. `parameters` are those of the
// instance, for a use whose Setting names one.
void take(const OperatorUse& use, std::byte* state, const OperatorReading& reading, std::int64_t max_gap,
          const double* parameters = nullptr);

// The signal, or condition, is unknown from the asset's time `event` on, until its next good reading.
void lose(const OperatorUse& use, std::byte* state, std::int64_t event, std::int64_t max_gap);

// The operator's value at the asset's time `event` and the gateway's `tick`. Brings the panes up to `event`, which is
// why it takes the state to write. `argument` is what the operator's state does not depend on: the percentage, the
// limit, h, n. Always finite or NaN.
double value_of(const OperatorUse& use, std::byte* state, std::int64_t event, std::int64_t tick,
                double argument = kUnknown);

}  // namespace fettle::rules
