#pragma once
// The operators of the rule language: one table, one row per operator. Everything that the checker, the documentation
// and the memory bill need to know about one stands in its row; what it computes is in operator_state.cpp, one case per
// operator. A new operator is a row and a case.
//
// Panes. A sliding window is a row of panes, aligned to 1970-01-01T00:00Z, at most kMostPanes of them; the window at
// time t *is* these panes, so it begins at a pane's boundary and is between (n-1)/n and n/n of its nominal length.
// `mean min max stddev` look at the current, unfinished pane and the n-1 before it; `zscore` and `baseline` compare
// with finished panes only: the n before the current one, for baseline moved back by the lag.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "rules/rule.h"

namespace fettle::rules {

inline constexpr std::size_t kMostPanes = 64;          // window and lag together
inline constexpr std::size_t kMostOperators = 32;      // different ones in a rule
inline constexpr std::size_t kStateOfOperator = 2048;  // bytes; no operator's state is larger

enum class OperatorKind : std::uint8_t { last, mean, min, max, stddev, zscore, baseline, absent };

enum class Arguments : std::uint8_t {
  signal,             // s
  signal_window,      // s, window
  signal_window_lag,  // s, window[, lag]
  signal_silence,     // s, d
};

enum class Result : std::uint8_t {
  of_signal,   // what the signal is: a quantity in its unit, or its state
  difference,  // a quantity in the signal's unit, of differences (degC becomes a difference in degC)
  plain,       // a number without unit
  condition,   // true, false
};

enum class Over : std::uint8_t { any_signal, quantities };  // quantities: gauges and events

struct Operator {
  OperatorKind kind;
  std::string_view name;
  std::string_view usage;    // "mean(signal, window)"
  std::string_view meaning;  // one sentence
  Arguments arguments;
  Result result;
  Over over;
  bool closed_panes_only;        // the current pane is not part of the window
  std::uint8_t values_per_pane;  // doubles kept per finished pane, beside its weight; 0: keeps no panes
};

std::span<const Operator> operators();
const Operator& operator_of(OperatorKind kind);
const Operator* find_operator(std::string_view name);  // null: there is none

// An operator with its arguments, as a compiled rule holds it.
struct OperatorUse {
  OperatorKind kind = OperatorKind::last;
  SignalKind signal_kind = SignalKind::gauge;
  std::uint8_t panes = 0;  // of the window
  std::uint8_t lag_panes = 0;
  SignalIndex signal = 0;
  std::int64_t window = 0;   // ms; absent: the silence
  std::int64_t lag = 0;      // ms
  std::int64_t pane = 0;     // ms; 0: keeps no panes
  std::uint32_t offset = 0;  // of its state in the rule's, bytes
  bool operator==(const OperatorUse&) const = default;
};

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
std::size_t kept_panes(const OperatorUse& use);

// The bytes of a use's state: a multiple of 8, at most kStateOfOperator.
std::size_t state_bytes(const OperatorUse& use);

}  // namespace fettle::rules
