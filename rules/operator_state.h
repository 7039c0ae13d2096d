#pragma once
// What the operators compute: their states, as plain bytes of fixed size, and the four things that happen to one. The
// formulas are those of docs/reference/rule-language.md.
//
// All times are milliseconds since 1970-01-01T00:00Z. NaN stands for unknown, 1 and 0 for true and false. Nothing here
// allocates. A state lies in memory aligned to 8, of state_bytes(use) bytes.

#include <cstddef>
#include <cstdint>
#include <limits>

#include "rules/operators.h"

namespace fettle::rules {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
inline constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

struct LastState {
  double value;          // NaN: unknown
  std::int64_t reading;  // event time of the newest reading
};

struct SilenceState {
  std::int64_t heard;  // tick of the newest reading, good or bad
};

// Followed by the finished panes, a ring indexed by pane number: kept_panes() values (the pane's mean, or extreme), for
// stddev and zscore as many sums of squared deviations, then as many 32-bit weights. A weight is milliseconds held
// (gauge) or a count of readings (event signal).
struct WindowState {
  std::int64_t reading;     // event time of the newest reading
  std::int64_t first;       // event time of the first good reading
  std::int64_t accounted;   // up to here the panes are complete
  std::int64_t held_until;  // gauge: `held` counts until then
  double held;              // the newest value; NaN: unknown
  std::int64_t pane;        // number of the current one: time / pane length
  double weight;            // of the current pane, with its value and its squared deviations
  double value;
  double squares;
  double closed_weight;  // of the finished panes in the window together; NaN: to be computed again
  double closed_value;
  double closed_squares;
};

// A state that has seen nothing.
void start(const OperatorUse& use, std::byte* state);

struct OperatorReading {
  std::int64_t event;
  std::int64_t tick;
  double value;  // NaN: a bad one
};

// A reading of the use's signal. One older than the newest of its signal changes nothing.
void take(const OperatorUse& use, std::byte* state, const OperatorReading& reading, std::int64_t max_gap);

// The signal is unknown from the asset's time `event` on, until its next good reading.
void lose(const OperatorUse& use, std::byte* state, std::int64_t event);

// The operator's value at the asset's time `event` and the gateway's `tick`. Brings the panes up to `event`, which is
// why it takes the state to write. Always finite or NaN.
double value_of(const OperatorUse& use, std::byte* state, std::int64_t event, std::int64_t tick);

}  // namespace fettle::rules
