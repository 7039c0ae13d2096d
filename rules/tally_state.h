#pragma once
// The states of operators that add something up per reading (sum, count, increase, count_within), and of rate, which
// compares the newest value with the one at the window's begin. Plain bytes, saved as they are.
//
// A reading counts in the pane of its event time, also where another signal has moved the asset's time on meanwhile.
// Of readings of one event time the one heard last counts alone. All times are ms since 1970-01-01T00:00Z. NaN stands
// for unknown. Not thread-safe.

#include <cstddef>
#include <cstdint>

#include "rules/operator_state.h"

namespace fettle::rules {

// Followed by the finished panes' totals, a ring of kept_panes() doubles indexed by pane number.
struct TallyState {
  std::int64_t reading;  // event time of the newest reading
  std::int64_t first;    // event time of the first good one
  std::int64_t pane;     // number of the current one: time / pane length
  double value;          // the newest good value
  double before;         // the good value of an earlier event time, which `value` is compared with
  double part;           // what the newest reading adds: not in any pane yet, so that a better one can replace it
  double total;          // of the current pane
  double closed;         // of the finished panes together; NaN: to be computed again
  std::int64_t known;    // 1: the newest reading is good, its session was not lost
};

std::size_t bytes_of_tally(const OperatorUse& use);
void start_tally(const OperatorUse& use, std::byte* state);
void take_in_tally(const OperatorUse& use, std::byte* state, const OperatorReading& reading);
void lose_tally(std::byte* state);
double value_of_tally(const OperatorUse& use, std::byte* state, std::int64_t event);

// Followed by the values held at the begins of the window's panes, the current one included: a ring of use.panes
// doubles indexed by pane number; NaN where none was held.
struct EdgeState {
  std::int64_t reading;     // event time of the newest reading
  std::int64_t held_until;  // `held` counts until then
  double held;              // the newest value; NaN: unknown
  std::int64_t pane;        // number of the current one
};

std::size_t bytes_of_edges(const OperatorUse& use);
void start_edges(const OperatorUse& use, std::byte* state);
void take_in_edges(const OperatorUse& use, std::byte* state, const OperatorReading& reading, std::int64_t max_gap);
void lose_edges(const OperatorUse& use, std::byte* state, std::int64_t event);
double value_of_edges(const OperatorUse& use, std::byte* state, std::int64_t event);

}  // namespace fettle::rules
