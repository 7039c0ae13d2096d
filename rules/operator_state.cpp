#include "rules/operator_state.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace fettle::rules {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kPaneBytes = sizeof(double) + sizeof(std::uint32_t);  // of a finished pane, at least

// State is memory that a caller allocated as bytes; the structs are implicit-lifetime types.
template <typename T>
T& as(std::byte* state) {
  return *reinterpret_cast<T*>(state);
}

double finite_or_unknown(double value) {
  return std::isfinite(value) ? value : kUnknown;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

bool keeps_squares(const OperatorUse& use) {
  return operator_of(use.kind).values_per_pane == 2;
}

// A window's state with its ring of finished panes.
class Window {
 public:
  Window(const OperatorUse& use, std::byte* state)
      : use_(use),
        state_(as<WindowState>(state)),
        kept_(kept_panes(use)),
        values_(reinterpret_cast<double*>(state + sizeof(WindowState))),
        squares_(values_ + kept_),
        weights_(reinterpret_cast<std::uint32_t*>(keeps_squares(use) ? squares_ + kept_ : squares_)) {}

  void start();
  void take(const OperatorReading& reading, std::int64_t max_gap);
  void bring_to(std::int64_t event);
  double value();

  void lose(std::int64_t event) {
    bring_to(event);
    state_.held = kUnknown;
  }

 private:
  void empty_current(std::int64_t pane);
  void add(double value, double weight);
  void roll_to(std::int64_t pane);
  void sum_closed();
  void sum_extremes();
  bool filled(double weight, std::size_t panes) const;
  bool filled_events(double weight) const;

  // Mostly an event lies in the current pane or the next one: multiplications are cheaper than a division.
  std::int64_t pane_at(std::int64_t event) const {
    const std::int64_t into = event - state_.pane * use_.pane;
    if (into >= 0 && into < use_.pane) return state_.pane;
    if (into >= use_.pane && into < 2 * use_.pane) return state_.pane + 1;
    return floor_div(event, use_.pane);
  }
  std::size_t slot(std::int64_t pane) const {
    const auto count = static_cast<std::int64_t>(kept_);
    const std::int64_t rest = pane % count;
    return static_cast<std::size_t>(rest < 0 ? rest + count : rest);
  }
  // The slot of the pane after the one in this slot.
  std::size_t after(std::size_t slot) const { return slot + 1 == kept_ ? 0 : slot + 1; }

  const OperatorUse& use_;
  WindowState& state_;
  std::size_t kept_;
  double* values_;
  double* squares_;
  std::uint32_t* weights_;
};

void Window::start() {
  state_ = {};
  state_.reading = state_.first = state_.accounted = state_.held_until = kNever;
  state_.held = kUnknown;
  state_.closed_weight = kUnknown;
  std::fill_n(values_, kept_, 0.0);
  if (keeps_squares(use_)) std::fill_n(squares_, kept_, 0.0);
  std::fill_n(weights_, kept_, 0U);
}

void Window::empty_current(std::int64_t pane) {
  state_.pane = pane;
  state_.weight = state_.squares = 0.0;
  // An extreme of nothing; a mean starts wherever the first value puts it.
  state_.value = use_.kind == OperatorKind::min   ? std::numeric_limits<double>::infinity()
                 : use_.kind == OperatorKind::max ? -std::numeric_limits<double>::infinity()
                                                  : 0.0;
}

// Incremental forms (West 1979): equal values give exactly that mean and exactly no deviation.
void Window::add(double value, double weight) {
  state_.weight += weight;
  switch (use_.kind) {
    case OperatorKind::min:
      state_.value = std::min(state_.value, value);
      return;
    case OperatorKind::max:
      state_.value = std::max(state_.value, value);
      return;
    default:
      break;
  }
  if (weight <= 0.0) return;
  const double deviation = value - state_.value;
  if (state_.weight == weight) {
    state_.value = value;
    return;
  }
  state_.value += deviation * (weight / state_.weight);
  state_.squares += weight * deviation * (value - state_.value);
}

// Finishes the current pane and begins `pane`; those between are empty.
void Window::roll_to(std::int64_t pane) {
  if (pane <= state_.pane) return;
  if (kept_ > 0) {
    const std::size_t closing = slot(state_.pane);
    values_[closing] = state_.value;
    if (keeps_squares(use_)) squares_[closing] = state_.squares;
    weights_[closing] = static_cast<std::uint32_t>(std::min(state_.weight, 4294967295.0));
    const std::int64_t skipped = std::min(pane - state_.pane - 1, static_cast<std::int64_t>(kept_));
    std::size_t empty = closing;
    for (std::int64_t count = 0; count < skipped; ++count) {
      // With more skipped than kept all of them are emptied, from wherever it begins.
      empty = after(empty);
      weights_[empty] = 0;
    }
  }
  empty_current(pane);
  state_.closed_weight = kUnknown;
}

void Window::bring_to(std::int64_t event) {
  if (state_.accounted == kNever || event <= state_.accounted) return;
  if (use_.signal_kind == SignalKind::event) {
    roll_to(pane_at(event));
    state_.accounted = event;
    return;
  }
  const std::int64_t held_to = std::isnan(state_.held) ? kNever : std::min(event, state_.held_until);
  // Panes that will have left the ring need no accounting: the loop below runs at most kept_ + 2 times.
  const std::int64_t oldest = pane_at(event) - static_cast<std::int64_t>(kept_) - 1;
  std::int64_t at = state_.accounted;
  if (state_.pane < oldest) {
    roll_to(oldest);
    at = std::max(at, oldest * use_.pane);
  }
  while (at < held_to) {
    const std::int64_t end = std::min(held_to, (state_.pane + 1) * use_.pane);
    if (end > at) add(state_.held, static_cast<double>(end - at));
    at = end;
    if (at < held_to) roll_to(state_.pane + 1);
  }
  roll_to(pane_at(event));
  state_.accounted = event;
}

void Window::take(const OperatorReading& reading, std::int64_t max_gap) {
  if (reading.event < state_.reading) return;
  if (state_.accounted == kNever) {
    state_.accounted = reading.event;
    empty_current(pane_at(reading.event));
  }
  bring_to(reading.event);
  state_.reading = reading.event;
  state_.held = reading.value;
  // Where another signal has already moved the panes on, the value counts from there.
  state_.held_until = reading.event + max_gap;
  if (std::isnan(reading.value)) return;
  if (state_.first == kNever) state_.first = reading.event;
  add(reading.value, use_.signal_kind == SignalKind::event ? 1.0 : 0.0);
}

// The finished panes of the window as one. Pane numbers [from, to) of the ring count, from the oldest to the newest.
void Window::sum_closed() {
  if (use_.kind == OperatorKind::min || use_.kind == OperatorKind::max) {
    sum_extremes();
    return;
  }
  const std::int64_t oldest = state_.pane - static_cast<std::int64_t>(kept_);
  const std::size_t count = kept_ - use_.lag_panes;
  const std::size_t first = kept_ == 0 ? 0 : slot(oldest);
  double weight = 0.0;
  double about = 0.0;  // the first pane's value: sums of differences from it lose nothing where all are equal
  double sum = 0.0;
  std::size_t i = first;
  for (std::size_t n = 0; n < count; ++n, i = after(i)) {
    if (weights_[i] == 0) continue;
    const double pane_weight = weights_[i];
    if (weight == 0.0) about = values_[i];
    sum += pane_weight * (values_[i] - about);
    weight += pane_weight;
  }
  state_.closed_weight = weight;
  state_.closed_squares = 0.0;
  state_.closed_value = weight > 0.0 ? about + sum / weight : 0.0;
  if (!keeps_squares(use_)) return;
  i = first;
  for (std::size_t n = 0; n < count; ++n, i = after(i)) {
    if (weights_[i] == 0) continue;
    const double deviation = values_[i] - state_.closed_value;
    state_.closed_squares += squares_[i] + weights_[i] * deviation * deviation;
  }
}

void Window::sum_extremes() {
  const bool smallest = use_.kind == OperatorKind::min;
  double weight = 0.0;
  double extreme = smallest ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
  const std::size_t count = kept_ - use_.lag_panes;
  std::size_t i = kept_ == 0 ? 0 : slot(state_.pane - static_cast<std::int64_t>(kept_));
  for (std::size_t n = 0; n < count; ++n, i = after(i)) {
    if (weights_[i] == 0) continue;
    extreme = smallest ? std::min(extreme, values_[i]) : std::max(extreme, values_[i]);
    weight += weights_[i];
  }
  state_.closed_weight = weight;
  state_.closed_squares = 0.0;
  state_.closed_value = extreme;
}

bool Window::filled(double weight, std::size_t panes) const {
  if (use_.signal_kind == SignalKind::event) return filled_events(weight);
  return weight > 0.0 && 2.0 * weight >= static_cast<double>(use_.pane) * static_cast<double>(panes);
}

// Readings of an event signal do not last, so a window of them is filled when half of it has been lived through.
bool Window::filled_events(double weight) const {
  const double fewest = keeps_squares(use_) ? 2.0 : 1.0;
  return weight >= fewest && 2 * (state_.accounted - state_.first - use_.lag) >= use_.window;
}

double Window::value() {
  if (std::isnan(state_.held) || state_.first == kNever) return kUnknown;
  if (std::isnan(state_.closed_weight)) sum_closed();
  const std::size_t panes = use_.panes;
  const double closed = state_.closed_weight;
  const double weight = closed + state_.weight;
  const double share = weight > 0.0 ? state_.weight / weight : 0.0;
  const double apart = state_.value - state_.closed_value;
  switch (use_.kind) {
    case OperatorKind::mean:
      if (!filled(weight, panes)) return kUnknown;
      if (closed == 0.0) return state_.value;
      return state_.weight > 0.0 ? state_.closed_value + apart * share : state_.closed_value;
    case OperatorKind::min:
      return filled(weight, panes) ? std::min(state_.closed_value, state_.value) : kUnknown;
    case OperatorKind::max:
      return filled(weight, panes) ? std::max(state_.closed_value, state_.value) : kUnknown;
    case OperatorKind::stddev: {
      if (!filled(weight, panes)) return kUnknown;
      if (closed == 0.0) return std::sqrt(state_.squares / weight);
      if (state_.weight == 0.0) return std::sqrt(state_.closed_squares / weight);
      return std::sqrt((state_.closed_squares + state_.squares + apart * apart * closed * share) / weight);
    }
    case OperatorKind::zscore: {
      if (!filled(closed, panes) || !(state_.closed_squares > 0.0)) return kUnknown;
      return (state_.held - state_.closed_value) / std::sqrt(state_.closed_squares / closed);
    }
    case OperatorKind::baseline:
      return filled(closed, panes) ? state_.closed_value : kUnknown;
    case OperatorKind::last:
    case OperatorKind::absent:
      break;
  }
  return kUnknown;
}

}  // namespace

void start(const OperatorUse& use, std::byte* state) {
  if (use.kind == OperatorKind::absent) {
    as<SilenceState>(state) = {kNever};
  } else if (use.pane == 0) {
    as<LastState>(state) = {kUnknown, kNever};
  } else {
    Window(use, state).start();
  }
}

void take(const OperatorUse& use, std::byte* state, const OperatorReading& reading, std::int64_t max_gap) {
  if (use.kind == OperatorKind::absent) {
    SilenceState& silence = as<SilenceState>(state);
    silence.heard = std::max(silence.heard, reading.tick);
  } else if (use.pane == 0) {
    LastState& last = as<LastState>(state);
    if (reading.event >= last.reading) last = {reading.value, reading.event};
  } else {
    // The panes are wanted when the rule is evaluated, after the readings of all other signals were taken.
    for (std::size_t at = sizeof(WindowState); at < sizeof(WindowState) + kept_panes(use) * kPaneBytes;
         at += kCacheLine) {
      __builtin_prefetch(state + at);
    }
    Window(use, state).take(reading, max_gap);
  }
}

void lose(const OperatorUse& use, std::byte* state, std::int64_t event) {
  if (use.kind == OperatorKind::absent) return;  // silence is what it is there to notice
  if (use.pane == 0) {
    as<LastState>(state).value = kUnknown;
  } else {
    Window(use, state).lose(event);
  }
}

double value_of(const OperatorUse& use, std::byte* state, std::int64_t event, std::int64_t tick) {
  if (use.kind == OperatorKind::absent) {
    const std::int64_t heard = as<SilenceState>(state).heard;
    if (heard == kNever) return kUnknown;
    return tick - heard >= use.window ? 1.0 : 0.0;
  }
  if (use.pane == 0) return as<LastState>(state).value;
  Window window(use, state);
  window.bring_to(event);
  return finite_or_unknown(window.value());
}

}  // namespace fettle::rules
