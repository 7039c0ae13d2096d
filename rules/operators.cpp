#include "rules/operators.h"

#include <algorithm>
#include <array>

#include "rules/pane_state.h"
#include "rules/point_state.h"
#include "rules/tally_state.h"

namespace fettle::rules {
namespace {

using enum OperatorKind;

// In the order of OperatorKind.
constexpr std::array<Operator, 28> kOperators = {{
    {last, "last", "last(signal)", "The newest value. The signal's bare name means the same.", Arguments::signal,
     Result::of_signal, Over::any_signal},
    {prev, "prev", "prev(signal)", "The value before the newest.", Arguments::signal, Result::of_signal,
     Over::any_signal},
    {changed, "changed", "changed(signal)", "Whether the reading that just came has another value than the one before.",
     Arguments::signal, Result::condition, Over::any_signal},
    {age, "age", "age(signal)", "How much older the newest good reading is than the asset's newest reading.",
     Arguments::signal, Result::seconds, Over::any_signal},
    {mean, "mean", "mean(signal, window)", "The mean: of a gauge weighted by time, of an event signal per reading.",
     Arguments::signal_window, Result::of_signal, Over::quantities},
    {min, "min", "min(signal, window)", "The smallest value that held in the window.", Arguments::signal_window,
     Result::of_signal, Over::quantities},
    {max, "max", "max(signal, window)", "The largest value that held in the window.", Arguments::signal_window,
     Result::of_signal, Over::quantities},
    {sum, "sum", "sum(signal, window)", "The sum of the window's readings.", Arguments::signal_window,
     Result::difference, Over::quantities},
    {count, "count", "count(signal, window)", "How many good readings the window has.", Arguments::signal_window,
     Result::plain, Over::any_signal},
    {stddev, "stddev", "stddev(signal, window)", "The population standard deviation, weighted as mean() is.",
     Arguments::signal_window, Result::difference, Over::quantities},
    {median, "median", "median(signal, window)", "The middle one of the panes' means, weighted as mean() is.",
     Arguments::signal_window, Result::of_signal, Over::quantities},
    {percentile, "percentile", "percentile(signal, percent, window)",
     "The smallest of the panes' means that is not exceeded for that share of the window.",
     Arguments::signal_share_window, Result::of_signal, Over::quantities},
    {rate, "rate", "rate(signal, window)", "The change per second from the value at the window's begin to the newest.",
     Arguments::signal_window, Result::per_second, Over::gauges},
    {slope, "slope", "slope(signal, window)", "The slope per second of the line fitted through the panes' means.",
     Arguments::signal_window, Result::per_second, Over::quantities},
    {time_to, "time_to", "time_to(signal, limit, window)",
     "The time until the line fitted through the panes' means reaches the limit.", Arguments::signal_limit_window,
     Result::seconds, Over::quantities},
    {zscore, "zscore", "zscore(signal, window)",
     "How many standard deviations the newest value lies from the mean of the window's finished panes.",
     Arguments::signal_window, Result::plain, Over::quantities},
    {baseline, "baseline", "baseline(signal, window[, lag])",
     "What used to be normal: the mean of the finished panes of a window that ended `lag` ago.",
     Arguments::signal_window_lag, Result::of_signal, Over::quantities},
    {ewma, "ewma", "ewma(signal, half_life)",
     "The mean of all that was, its weight halved with every half-life that has passed since.",
     Arguments::signal_half_life, Result::of_signal, Over::quantities},
    {cusum, "cusum", "cusum(signal, k, h)", "Whether the readings' excess over k has added up to more than h.",
     Arguments::signal_slack_limit, Result::condition, Over::quantities},
    {increase, "increase", "increase(register, window)", "By how much a register has gone up, whatever it was reset.",
     Arguments::signal_window, Result::difference, Over::registers},
    {every, "every", "every(register, n)", "Whether the reading that just came has passed a multiple of n.",
     Arguments::signal_step, Result::condition, Over::registers},
    {time_in, "time_in", "time_in(condition, window)", "How long the condition was true.", Arguments::condition_window,
     Result::seconds, Over::any_signal},
    {count_within, "count_within", "count_within(condition, window)", "How often the condition became true.",
     Arguments::condition_window, Result::plain, Over::any_signal},
    {then, "then", "a then b within d", "Whether b is true and a was at most d before.", Arguments::sequence,
     Result::condition, Over::any_signal},
    {absent, "absent", "absent(signal, silence)", "Whether nothing has come of the signal for that long.",
     Arguments::signal_silence, Result::condition, Over::any_signal},
    {bit, "bit", "bit(word, n)", "Whether bit n of a whole number is set; bit 0 is the lowest.", Arguments::word_bit,
     Result::condition, Over::any_signal},
    {zone, "zone", "zone(\"table\", value)", "The zone of a table that the value lies in.", Arguments::table_quantity,
     Result::grade, Over::any_signal},
    {OperatorKind::abs, "abs", "abs(value)", "The value without its sign.", Arguments::quantity, Result::difference,
     Over::any_signal},
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

std::size_t state_bytes(const OperatorUse& use) {
  switch (memory_of(use.kind)) {
    case Memory::none:
      return 0;
    case Memory::newest:
      return sizeof(LastState);
    case Memory::moment:
      return sizeof(MomentState);
    case Memory::silence:
      return sizeof(SilenceState);
    case Memory::steps:
      return sizeof(StepState);
    case Memory::decay:
      return sizeof(DecayState);
    case Memory::page:
      return sizeof(PageState);
    case Memory::recent:
      return sizeof(RecentState);
    case Memory::panes:
      return bytes_of_window(use);
    case Memory::tally:
      return bytes_of_tally(use);
    case Memory::edges:
      return bytes_of_edges(use);
  }
  return 0;
}

}  // namespace fettle::rules
