#include "rules/pane_state.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace fettle::rules {
namespace {

constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kPaneBytes = sizeof(double) + sizeof(std::uint32_t);  // of a finished pane, at least

// Where the ring begins.
std::size_t ring_offset(const OperatorUse& use) {
  return sizeof(WindowState) + (keeps_fit(use.kind) ? sizeof(FitState) : 0);
}

// A window's state with its ring of finished panes.
class Window {
 public:
  Window(const OperatorUse& use, std::byte* state)
      : use_(use),
        state_(*reinterpret_cast<WindowState*>(state)),
        kept_(kept_panes(use)),
        values_(reinterpret_cast<double*>(state + ring_offset(use))),
        squares_(values_ + kept_),
        weights_(reinterpret_cast<std::uint32_t*>(keeps_squares(use.kind) ? squares_ + kept_ : squares_)) {}

  void start();
  void take(const OperatorReading& reading, std::int64_t max_gap);
  void bring_to(std::int64_t event);
  double value(double argument);

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
  void sum_true();
  void sum_fit();
  void order_panes();
  double quantile(double percent) const;
  FitState whole_fit() const;
  double slope() const;
  double time_to(double limit) const;
  bool filled(double weight, std::size_t panes) const;
  bool filled_events(double weight) const;

  std::int64_t pane_at(std::int64_t event) const { return rules::pane_at(event, state_.pane, use_.pane); }
  std::size_t slot(std::int64_t pane) const { return place_of(pane, kept_); }
  // The slot of the pane after the one in this slot.
  std::size_t after(std::size_t slot) const { return slot + 1 == kept_ ? 0 : slot + 1; }

  FitState& fit() const { return *reinterpret_cast<FitState*>(reinterpret_cast<std::byte*>(&state_ + 1)); }
  std::uint8_t* order() const { return reinterpret_cast<std::uint8_t*>(weights_ + kept_); }

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
    case OperatorKind::time_in:
      state_.value += value * weight;  // whole milliseconds: nothing is rounded
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
    if (keeps_squares(use_.kind)) squares_[closing] = state_.squares;
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
  if (use_.kind == OperatorKind::time_in) {
    sum_true();
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
  if (keeps_fit(use_.kind)) sum_fit();
  if (keeps_order(use_.kind)) order_panes();
  if (!keeps_squares(use_.kind)) return;
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

void Window::sum_true() {
  state_.closed_weight = state_.closed_value = 0.0;
  for (std::size_t i = 0; i < kept_; ++i) {
    if (weights_[i] == 0) continue;
    state_.closed_weight += weights_[i];
    state_.closed_value += values_[i];
  }
}

void Window::sum_fit() {
  FitState sums{};
  double x = 0.5 - static_cast<double>(kept_);
  std::size_t i = kept_ == 0 ? 0 : slot(state_.pane - static_cast<std::int64_t>(kept_));
  for (std::size_t n = 0; n < kept_; ++n, i = after(i), x += 1.0) {
    if (weights_[i] == 0) continue;
    if (sums.panes == 0.0) sums.about = values_[i];
    const double weight = weights_[i];
    const double y = values_[i] - sums.about;
    sums.panes += 1.0;
    sums.x += weight * x;
    sums.xx += weight * x * x;
    sums.y += weight * y;
    sums.xy += weight * x * y;
    sums.yy += weight * y * y;
  }
  fit() = sums;
}

void Window::order_panes() {
  std::uint8_t* const places = order();
  std::iota(places, places + kept_, std::uint8_t{0});
  std::sort(places, places + kept_, [&](std::uint8_t a, std::uint8_t b) {
    return values_[a] < values_[b] || (values_[a] == values_[b] && a < b);
  });
}

bool Window::filled(double weight, std::size_t panes) const {
  if (use_.signal_kind == SignalKind::event) return filled_events(weight);
  return weight > 0.0 && 2.0 * weight >= static_cast<double>(use_.pane) * static_cast<double>(panes);
}

// Readings of an event signal do not last, so a window of them is filled when half of it has been lived through.
bool Window::filled_events(double weight) const {
  const double fewest = keeps_squares(use_.kind) ? 2.0 : 1.0;
  return weight >= fewest && 2 * (state_.accounted - state_.first - use_.lag) >= use_.window;
}

// The smallest mean at which the panes up to it have that share of the weight. Weights are whole numbers, so that their
// sums do not depend on the order.
double Window::quantile(double percent) const {
  const double needed = percent * (state_.closed_weight + state_.weight);
  const std::uint8_t* const places = order();
  double reached = 0.0;
  double value = kUnknown;
  bool current = state_.weight > 0.0;
  for (std::size_t n = 0; n < kept_ || current;) {
    const bool closed_next = n < kept_ && !(current && state_.value < values_[places[n]]);
    const double weight = closed_next ? weights_[places[n]] : state_.weight;
    const double mean = closed_next ? values_[places[n]] : state_.value;
    if (closed_next) {
      ++n;
    } else {
      current = false;
    }
    if (weight == 0.0) continue;
    value = mean;
    reached += weight;
    if (100.0 * reached >= needed) break;
  }
  return value;
}

// The finished panes and the current one, whose middle is halfway between its begin and now.
FitState Window::whole_fit() const {
  FitState sums = fit();
  if (state_.weight == 0.0) return sums;
  if (sums.panes == 0.0) sums.about = state_.value;
  const double x =
      0.5 * static_cast<double>(state_.accounted - state_.pane * use_.pane) / static_cast<double>(use_.pane);
  const double y = state_.value - sums.about;
  sums.panes += 1.0;
  sums.x += state_.weight * x;
  sums.xx += state_.weight * x * x;
  sums.y += state_.weight * y;
  sums.xy += state_.weight * x * y;
  sums.yy += state_.weight * y * y;
  return sums;
}

constexpr double kFewestPanesOfAFit = 3.0;   // any two lie on a line
constexpr double kLeastDetermination = 0.5;  // r squared: half of the variation is the line's

double Window::slope() const {
  const FitState sums = whole_fit();
  if (sums.panes < kFewestPanesOfAFit) return kUnknown;
  const double weight = state_.closed_weight + state_.weight;
  const double xx = sums.xx - sums.x * sums.x / weight;
  const double xy = sums.xy - sums.x * sums.y / weight;
  return xy / xx / (static_cast<double>(use_.pane) / 1000.0);
}

double Window::time_to(double limit) const {
  const FitState sums = whole_fit();
  if (sums.panes < kFewestPanesOfAFit || std::isnan(limit)) return kUnknown;
  const double weight = state_.closed_weight + state_.weight;
  const double xx = sums.xx - sums.x * sums.x / weight;
  const double xy = sums.xy - sums.x * sums.y / weight;
  const double yy = sums.yy - sums.y * sums.y / weight;
  if (!(xy * xy >= kLeastDetermination * xx * yy) || xy == 0.0) return kUnknown;
  const double now = static_cast<double>(state_.accounted - state_.pane * use_.pane) / static_cast<double>(use_.pane);
  const double slope = xy / xx;
  const double fitted = sums.about + sums.y / weight + slope * (now - sums.x / weight);
  const double panes = (limit - fitted) / slope;
  return panes >= 0.0 ? panes * (static_cast<double>(use_.pane) / 1000.0) : kUnknown;
}

double Window::value(double argument) {
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
    case OperatorKind::median:
      return filled(weight, panes) ? quantile(50.0) : kUnknown;
    case OperatorKind::percentile:
      return filled(weight, panes) ? quantile(argument) : kUnknown;
    case OperatorKind::slope:
      return filled(weight, panes) ? slope() : kUnknown;
    case OperatorKind::time_to:
      return filled(weight, panes) ? time_to(argument) : kUnknown;
    case OperatorKind::time_in:
      return filled(weight, panes) ? (state_.closed_value + state_.value) / 1000.0 : kUnknown;
    default:
      break;
  }
  return kUnknown;
}

}  // namespace

std::size_t bytes_of_window(const OperatorUse& use) {
  const std::size_t values = keeps_squares(use.kind) ? 2 : 1;
  const std::size_t pane = values * sizeof(double) + sizeof(std::uint32_t) + (keeps_order(use.kind) ? 1 : 0);
  return (ring_offset(use) + kept_panes(use) * pane + 7) / 8 * 8;
}

void start_window(const OperatorUse& use, std::byte* state) {
  std::fill_n(state, bytes_of_window(use), std::byte{0});
  Window(use, state).start();
}

void take_in_window(const OperatorUse& use, std::byte* state, const OperatorReading& reading, std::int64_t max_gap) {
  // The panes are wanted when the rule is evaluated, after the readings of all other signals were taken.
  for (std::size_t at = sizeof(WindowState); at < sizeof(WindowState) + kept_panes(use) * kPaneBytes;
       at += kCacheLine) {
    __builtin_prefetch(state + at);
  }
  Window(use, state).take(reading, max_gap);
}

void lose_window(const OperatorUse& use, std::byte* state, std::int64_t event) {
  Window(use, state).lose(event);
}

double value_of_window(const OperatorUse& use, std::byte* state, std::int64_t event, double argument) {
  Window window(use, state);
  window.bring_to(event);
  return window.value(argument);
}

}  // namespace fettle::rules
