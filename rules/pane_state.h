#pragma once
// The states of operators over the means (or extremes) of panes: mean min max stddev zscore baseline median percentile
// slope time_to time_in. Plain bytes, saved as they are; the window's rule is in operators.h.
//
// All times are ms since 1970-01-01T00:00Z. NaN stands for unknown. Not thread-safe.

#include <cstddef>
#include <cstdint>

#include "rules/operator_state.h"

namespace fettle::rules {

// Followed, for slope and time_to, by FitState; then by the finished panes, a ring indexed by pane number: kept_panes()
// values (the pane's mean, or extreme; time_in: the ms that were true), for stddev and zscore as many sums of squared
// deviations, then as many 32-bit weights, then for median and percentile as many bytes: the ring's places in the order
// of their values. A weight is milliseconds held (gauge) or a count of readings (event signal).
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

// What the finished panes add to a fit, computed with closed_weight: weighted sums of x, xx, y, xy, yy. x is the pane's
// middle counted in panes from the begin of the current one, y its value less `about`.
struct FitState {
  double about;  // the value of the first pane with a weight: sums of differences lose nothing where all are equal
  double panes;  // with a weight
  double x;
  double xx;
  double y;
  double xy;
  double yy;
};

// Of the whole state, a multiple of 8.
std::size_t bytes_of_window(const OperatorUse& use);

void start_window(const OperatorUse& use, std::byte* state);
void take_in_window(const OperatorUse& use, std::byte* state, const OperatorReading& reading, std::int64_t max_gap);
void lose_window(const OperatorUse& use, std::byte* state, std::int64_t event);

// `argument`: the percentage of percentile, the limit of time_to. May be infinite.
double value_of_window(const OperatorUse& use, std::byte* state, std::int64_t event, double argument);

// The number of the pane that `event` lies in, `likely` being one near it: mostly an event lies in that or the next,
// and multiplications are cheaper than a division.
inline std::int64_t pane_at(std::int64_t event, std::int64_t likely, std::int64_t length) {
  const std::int64_t into = event - likely * length;
  if (into >= 0 && into < length) return likely;
  if (into >= length && into < 2 * length) return likely + 1;
  return event / length - (event % length < 0 ? 1 : 0);
}

// The place of a pane in a ring of `count` > 0.
inline std::size_t place_of(std::int64_t pane, std::size_t count) {
  const auto size = static_cast<std::int64_t>(count);
  const std::int64_t rest = pane % size;
  return static_cast<std::size_t>(rest < 0 ? rest + size : rest);
}

}  // namespace fettle::rules
