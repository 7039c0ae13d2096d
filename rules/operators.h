#pragma once
// The operators of the rule language: one table, one row per operator. Everything that the checker, the documentation
// and the memory bill need to know about one stands in its row; what it computes is in the file of its Memory. A new
// operator is a row and a case.
//
// Panes. A sliding window is a row of panes, aligned to 1970-01-01T00:00Z, at most kMostPanes of them; the window at
// time t *is* these panes, so it begins at a pane's boundary and is between (n-1)/n and n/n of its nominal length.
// All but two look at the current, unfinished pane and the n-1 before it; `zscore` and `baseline` compare
// with finished panes only: the n before the current one, for baseline moved back by the lag.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

#include "rules/rule.h"

namespace fettle::rules {

inline constexpr std::size_t kMostPanes = 64;          // window and lag together
inline constexpr std::size_t kMostOperators = 32;      // different ones in a rule
inline constexpr std::size_t kStateOfOperator = 2048;  // bytes; no operator's state is larger

enum class OperatorKind : std::uint8_t {
  last,
  prev,
  changed,
  age,
  mean,
  min,
  max,
  sum,
  count,
  stddev,
  median,
  percentile,
  rate,
  slope,
  time_to,
  zscore,
  baseline,
  ewma,
  cusum,
  increase,
  every,
  time_in,
  count_within,
  then,
  absent,
  bit,
  zone,
  abs,
};

// What an operator keeps of the past; one struct each, in point_state.h, pane_state.h and tally_state.h.
enum class Memory : std::uint8_t {
  none,     // nothing: a function of its argument
  newest,   // LastState
  moment,   // MomentState
  silence,  // SilenceState
  steps,    // StepState
  decay,    // DecayState
  page,     // PageState
  recent,   // RecentState
  panes,    // WindowState and its panes
  tally,    // TallyState and its panes
  edges,    // EdgeState and its panes
};

constexpr Memory memory_of(OperatorKind kind) {
  switch (kind) {
    case OperatorKind::last:
      return Memory::newest;
    case OperatorKind::prev:
    case OperatorKind::changed:
    case OperatorKind::every:
      return Memory::steps;
    case OperatorKind::age:
      return Memory::moment;
    case OperatorKind::absent:
      return Memory::silence;
    case OperatorKind::ewma:
      return Memory::decay;
    case OperatorKind::cusum:
      return Memory::page;
    case OperatorKind::then:
      return Memory::recent;
    case OperatorKind::sum:
    case OperatorKind::count:
    case OperatorKind::increase:
    case OperatorKind::count_within:
      return Memory::tally;
    case OperatorKind::rate:
      return Memory::edges;
    case OperatorKind::bit:
    case OperatorKind::zone:
    case OperatorKind::abs:
      return Memory::none;
    default:
      return Memory::panes;
  }
}

// Whether its window consists of finished panes only: what is judged is not part of the measure.
constexpr bool judges_finished_panes(OperatorKind kind) {
  return kind == OperatorKind::zscore || kind == OperatorKind::baseline;
}
// Whether it keeps each pane's sum of squared deviations.
constexpr bool keeps_squares(OperatorKind kind) {
  return kind == OperatorKind::stddev || kind == OperatorKind::zscore;
}
// Whether it keeps the order of its panes by their means.
constexpr bool keeps_order(OperatorKind kind) {
  return kind == OperatorKind::median || kind == OperatorKind::percentile;
}
// Whether it fits a line through its panes.
constexpr bool keeps_fit(OperatorKind kind) {
  return kind == OperatorKind::slope || kind == OperatorKind::time_to;
}

enum class Arguments : std::uint8_t {
  signal,               // s
  signal_window,        // s, window
  signal_window_lag,    // s, window[, lag]
  signal_silence,       // s, d
  signal_half_life,     // s, d
  signal_share_window,  // s, p, window
  signal_limit_window,  // s, limit, window
  signal_slack_limit,   // s, k, h
  signal_step,          // s, n
  condition_window,     // c, window
  sequence,             // a then b within d
  word_bit,             // x, n
  table_quantity,       // "table", x
  quantity,             // x
};

enum class Result : std::uint8_t {
  of_signal,   // what the signal is: a quantity in its unit, or its state
  difference,  // a quantity in the signal's unit, of differences (degC becomes a difference in degC)
  per_second,  // such a difference per second
  seconds,     // a time in s
  plain,       // a number without unit
  condition,   // true, false
  grade,       // a state of its own: the zones of a table
};

enum class Over : std::uint8_t { any_signal, quantities, gauges, registers };  // quantities: gauges and events

struct Operator {
  OperatorKind kind;
  std::string_view name;
  std::string_view usage;    // "mean(signal, window)"
  std::string_view meaning;  // one sentence
  Arguments arguments;
  Result result;
  Over over;  // what its signal must be, where it reads one
};

std::span<const Operator> operators();
const Operator& operator_of(OperatorKind kind);
const Operator* find_operator(std::string_view name);  // null: there is none

// The signal of an operator that watches a condition instead (time_in, count_within, then).
inline constexpr SignalIndex kNoSignal = std::numeric_limits<SignalIndex>::max();

// A number that is the rule's or the asset's: scale * parameter + shift. Scale 0: the constant `shift`.
struct Setting {
  double scale = 0.0;
  double shift = 0.0;
  std::uint32_t parameter = 0;
  bool operator==(const Setting&) const = default;
};

// An operator with its arguments, as a compiled rule holds it. Arguments that leave its state as it is are not here:
// value_of() is given them (the p of percentile, the limit of time_to, the h of cusum, the n of every).
struct OperatorUse {
  OperatorKind kind = OperatorKind::last;
  SignalKind signal_kind = SignalKind::gauge;
  std::uint8_t panes = 0;  // of the window
  std::uint8_t lag_panes = 0;
  SignalIndex signal = 0;
  std::int64_t window = 0;   // ms; absent: the silence; ewma: the half-life; then: how long it looks back
  std::int64_t lag = 0;      // ms
  std::int64_t pane = 0;     // ms; 0: keeps no panes
  std::uint32_t offset = 0;  // of its state in the rule's, bytes
  std::uint32_t feed = 0;    // number of the condition that it watches, where signal is kNoSignal
  Setting slack;             // the k of cusum, in the signal's unit
  bool operator==(const OperatorUse&) const = default;
};

// A condition that operators watch (CompiledRule::feeds) is to them a signal of 1 and 0.
constexpr bool watches_condition(const OperatorUse& use) {
  return use.signal == kNoSignal;
}

// How a window is cut: the finest pane that divides it, from 1-2-5 steps people know (1 s, 2 s, 5 s ... 30 m, 1 h, 3
// h), with which window and lag (rounded up to whole panes) are at most kMostPanes panes. Where no such step divides
// it, a 50th of it, or less fine. Pre: window is whole seconds and > 0, lag >= 0. Nothing where the lag is more than 15
// windows.
struct Panes {
  std::int64_t pane = 0;  // ms
  std::uint8_t of_window = 0;
  std::uint8_t of_lag = 0;
};
std::optional<Panes> panes_of(std::int64_t window, std::int64_t lag);

// The finished panes that a use keeps.
constexpr std::size_t kept_panes(const OperatorUse& use) {
  if (use.pane == 0) return 0;
  const std::size_t panes = std::size_t{use.panes} + use.lag_panes;
  return judges_finished_panes(use.kind) ? panes : panes - 1;
}

// The bytes of a use's state: a multiple of 8, at most kStateOfOperator.
std::size_t state_bytes(const OperatorUse& use);

}  // namespace fettle::rules
