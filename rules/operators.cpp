#include "rules/operators.h"

#include <algorithm>
#include <array>

#include "rules/operator_state.h"

namespace fettle::rules {
namespace {

using enum OperatorKind;

// In the order of OperatorKind.
constexpr std::array<Operator, 8> kOperators = {{
    {last, "last", "last(signal)", "The newest value. The signal's bare name means the same.", Arguments::signal,
     Result::of_signal, Over::any_signal, false, 0},
    {mean, "mean", "mean(signal, window)", "The mean: of a gauge weighted by time, of an event signal per reading.",
     Arguments::signal_window, Result::of_signal, Over::quantities, false, 1},
    {min, "min", "min(signal, window)", "The smallest value that held in the window.", Arguments::signal_window,
     Result::of_signal, Over::quantities, false, 1},
    {max, "max", "max(signal, window)", "The largest value that held in the window.", Arguments::signal_window,
     Result::of_signal, Over::quantities, false, 1},
    {stddev, "stddev", "stddev(signal, window)", "The population standard deviation, weighted as mean() is.",
     Arguments::signal_window, Result::difference, Over::quantities, false, 2},
    {zscore, "zscore", "zscore(signal, window)",
     "How many standard deviations the newest value lies from the mean of the window's finished panes.",
     Arguments::signal_window, Result::plain, Over::quantities, true, 2},
    {baseline, "baseline", "baseline(signal, window[, lag])",
     "What used to be normal: the mean of the finished panes of a window that ended `lag` ago.",
     Arguments::signal_window_lag, Result::of_signal, Over::quantities, true, 1},
    {absent, "absent", "absent(signal, silence)", "Whether nothing has come of the signal for that long.",
     Arguments::signal_silence, Result::condition, Over::any_signal, false, 0},
}};

constexpr std::array<std::int64_t, 34> kSteps = {
    20,          50,          100,         200,         500,         1'000,       2'000,      5'000,      10'000,
    15'000,      20'000,      30'000,      60'000,      120'000,     300'000,     600'000,    900'000,    1'200'000,
    1'800'000,   3'600'000,   7'200'000,   10'800'000,  14'400'000,  21'600'000,  28'800'000, 43'200'000, 86'400'000,
    172'800'000, 259'200'000, 345'600'000, 432'000'000, 518'400'000, 604'800'000, 864'000'000};

std::optional<Panes> cut(std::int64_t window, std::int64_t lag, std::int64_t pane, std::int64_t fewest) {
  if (window % pane != 0 || window / pane < fewest) return std::nullopt;
  const std::int64_t of_window = window / pane;
  const std::int64_t of_lag = (lag + pane - 1) / pane;
  if (of_window + of_lag > static_cast<std::int64_t>(kMostPanes)) return std::nullopt;
  return Panes{pane, static_cast<std::uint8_t>(of_window), static_cast<std::uint8_t>(of_lag)};
}

}  // namespace

std::span<const Operator> operators() {
  return kOperators;
}

const Operator& operator_of(OperatorKind kind) {
  return kOperators[static_cast<std::size_t>(kind)];
}

const Operator* find_operator(std::string_view name) {
  const auto found =
      std::find_if(kOperators.begin(), kOperators.end(), [&](const Operator& o) { return o.name == name; });
  return found == kOperators.end() ? nullptr : &*found;
}

std::optional<Panes> panes_of(std::int64_t window, std::int64_t lag) {
  constexpr std::int64_t kFewest = 4;  // coarser than a quarter of the window is no sliding window
  for (const std::int64_t step : kSteps) {
    if (const auto panes = cut(window, lag, step, kFewest * 4)) return panes;
  }
  // Whole seconds are thousands of milliseconds, so all of these divide.
  for (const std::int64_t parts : {50, 40, 25, 20, 10, 8, 5, 4}) {
    if (const auto panes = cut(window, lag, window / parts, kFewest)) return panes;
  }
  return std::nullopt;
}

std::size_t kept_panes(const OperatorUse& use) {
  if (use.pane == 0) return 0;
  const std::size_t panes = std::size_t{use.panes} + use.lag_panes;
  return operator_of(use.kind).closed_panes_only ? panes : panes - 1;
}

std::size_t state_bytes(const OperatorUse& use) {
  if (use.kind == absent) return sizeof(SilenceState);
  if (use.pane == 0) return sizeof(LastState);
  const std::size_t values = operator_of(use.kind).values_per_pane;
  const std::size_t bytes = sizeof(WindowState) + kept_panes(use) * (values * sizeof(double) + sizeof(std::uint32_t));
  return (bytes + 7) / 8 * 8;
}

}  // namespace fettle::rules
