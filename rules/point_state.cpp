#include "rules/point_state.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace fettle::rules {

// ---- prev, changed, every
// ----------------------------------------------------------------------------------------------

void start(StepState& state) {
  state = {kUnknown, kUnknown, kNever, kNever, 0};
}

void take(StepState& state, const OperatorReading& reading) {
  if (reading.event < state.reading) return;
  if (reading.event > state.reading && !std::isnan(state.value)) state.before = state.value;
  state.value = reading.value;
  state.reading = reading.event;
  state.came = std::max(reading.event, reading.newest);
  state.lost = 0;
}

double value_of(const StepState& state, OperatorKind kind, std::int64_t event, double n) {
  if (state.lost != 0 || std::isnan(state.value) || std::isnan(state.before)) return kUnknown;
  if (kind == OperatorKind::prev) return state.before;
  if (kind == OperatorKind::every && !(n > 0.0)) return kUnknown;
  if (event != state.came) return 0.0;
  if (kind == OperatorKind::changed) return state.value != state.before ? 1.0 : 0.0;
  return std::floor(state.value / n) > std::floor(state.before / n) ? 1.0 : 0.0;
}

// ---- ewma
// --------------------------------------------------------------------------------------------------------------

void start(DecayState& state) {
  state = {0.0, 0.0, kUnknown, kNever, kNever, kNever};
}

namespace {

// In this form equal values give exactly that mean.
void add(DecayState& state, double value, double weight) {
  state.weight += weight;
  if (state.weight == weight) {
    state.mean = value;
  } else {
    state.mean += (value - state.mean) * (weight / state.weight);
  }
}

}  // namespace

void bring_to(const OperatorUse& use, DecayState& state, std::int64_t event) {
  if (state.accounted == kNever || event <= state.accounted) return;
  const double half_life = static_cast<double>(use.window);
  const std::int64_t held_to = use.signal_kind == SignalKind::event || std::isnan(state.held)
                                   ? state.accounted
                                   : std::clamp(state.held_until, state.accounted, event);
  const double held = static_cast<double>(held_to - state.accounted) / half_life;
  const double since = static_cast<double>(event - held_to) / half_life;
  state.weight *= std::exp2(-(held + since));
  if (held > 0.0) add(state, state.held, -std::expm1(-held * std::numbers::ln2) * std::exp2(-since));
  state.accounted = event;
}

void take(const OperatorUse& use, DecayState& state, const OperatorReading& reading, std::int64_t max_gap) {
  if (reading.event < state.reading) return;
  if (state.accounted == kNever) state.accounted = reading.event;
  bring_to(use, state, reading.event);
  state.reading = reading.event;
  state.held = reading.value;
  state.held_until = reading.event + max_gap;
  if (use.signal_kind == SignalKind::event && !std::isnan(reading.value)) add(state, reading.value, 1.0);
}

double value_of(const DecayState& state) {
  if (std::isnan(state.held)) return kUnknown;
  return state.weight > 0.0 ? state.mean : state.held;  // of no weight yet: the first value has just come
}

// ---- cusum
// -------------------------------------------------------------------------------------------------------------

void start(PageState& state) {
  state = {0.0, 0.0, kNever, 0};
}

void take(PageState& state, const OperatorReading& reading, double slack) {
  if (reading.event < state.reading) return;
  if (reading.event > state.reading) state.settled = state.sum;
  state.reading = reading.event;
  state.sum = state.settled;
  state.known = std::isnan(reading.value) ? 0 : 1;
  if (state.known == 0) return;
  // Readings may be as large as numbers are; the sum stays one.
  const double sum = state.settled + (reading.value - slack);
  state.sum = std::clamp(sum, 0.0, std::numeric_limits<double>::max());
}

// ---- then
// --------------------------------------------------------------------------------------------------------------

void start(RecentState& state) {
  state = {kNever, kNever, kUnknown};
}

void take(RecentState& state, const OperatorReading& reading, std::int64_t max_gap) {
  if (state.held == 1.0) state.newest = std::max(state.newest, std::min(reading.event, state.observed + max_gap));
  state.observed = reading.event;
  state.held = reading.value;
  if (reading.value == 1.0) state.newest = std::max(state.newest, reading.event);
}

double value_of(const RecentState& state, std::int64_t within, std::int64_t event) {
  if (state.newest != kNever && event - state.newest <= within) return 1.0;
  return std::isnan(state.held) ? kUnknown : 0.0;
}

}  // namespace fettle::rules
