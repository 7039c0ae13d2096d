#include "rules/tally_state.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "rules/pane_state.h"

namespace fettle::rules {
namespace {

class Tally {
 public:
  Tally(const OperatorUse& use, std::byte* state)
      : use_(use),
        state_(*reinterpret_cast<TallyState*>(state)),
        kept_(kept_panes(use)),
        totals_(reinterpret_cast<double*>(state + sizeof(TallyState))) {}

  void start() {
    state_ = {kNever, kNever, 0, kUnknown, kUnknown, 0.0, 0.0, 0.0, 0};
    std::fill_n(totals_, kept_, 0.0);
  }

  void take(const OperatorReading& reading) {
    if (reading.event < state_.reading) return;
    if (state_.reading == kNever) state_.pane = number_of(reading.event);
    // A condition is what it is at each evaluation, one after another; a reading is what was heard last of its time.
    if (reading.event > state_.reading || use_.kind == OperatorKind::count_within) {
      settle();
      state_.before = state_.value;
    } else {
      state_.part = 0.0;
      state_.value = state_.before;
    }
    roll_to(number_of(reading.event));
    state_.reading = reading.event;
    state_.known = std::isnan(reading.value) ? 0 : 1;
    if (state_.known == 0) return;
    if (state_.first == kNever) state_.first = reading.event;
    state_.part = part_of(reading.value);
    state_.value = reading.value;
  }

  double value(std::int64_t event) {
    if (state_.known == 0) return kUnknown;
    roll_to(number_of(event));
    if (2 * (std::max(event, state_.reading) - state_.first) < use_.window) return kUnknown;
    if (std::isnan(state_.closed)) state_.closed = std::accumulate(totals_, totals_ + kept_, 0.0);
    const bool newest_counts = number_of(state_.reading) + static_cast<std::int64_t>(kept_) >= state_.pane;
    return state_.closed + state_.total + (newest_counts ? state_.part : 0.0);
  }

 private:
  std::int64_t number_of(std::int64_t event) const { return pane_at(event, state_.pane, use_.pane); }

  double part_of(double value) const {
    switch (use_.kind) {
      case OperatorKind::sum:
        return value;
      case OperatorKind::count:
        return 1.0;
      case OperatorKind::increase:  // a step back is a reset: what was counted before is kept
        return std::isnan(state_.before) ? 0.0 : std::max(value - state_.before, 0.0);
      default:
        return state_.before == 0.0 && value == 1.0 ? 1.0 : 0.0;
    }
  }

  // The newest reading's part goes into its pane.
  void settle() {
    const double part = state_.part;
    state_.part = 0.0;
    if (part == 0.0) return;
    const std::int64_t pane = number_of(state_.reading);
    if (pane == state_.pane) {
      state_.total += part;
    } else if (pane + static_cast<std::int64_t>(kept_) >= state_.pane) {
      totals_[place_of(pane, kept_)] += part;
      state_.closed = kUnknown;
    }
  }

  void roll_to(std::int64_t pane) {
    if (pane <= state_.pane) return;
    if (kept_ > 0) {
      totals_[place_of(state_.pane, kept_)] = state_.total;
      const std::int64_t skipped = std::min(pane - state_.pane - 1, static_cast<std::int64_t>(kept_));
      for (std::int64_t n = 1; n <= skipped; ++n) totals_[place_of(state_.pane + n, kept_)] = 0.0;
    }
    state_.pane = pane;
    state_.total = 0.0;
    state_.closed = kUnknown;
  }

  const OperatorUse& use_;
  TallyState& state_;
  std::size_t kept_;
  double* totals_;
};

class Edges {
 public:
  Edges(const OperatorUse& use, std::byte* state)
      : use_(use),
        state_(*reinterpret_cast<EdgeState*>(state)),
        count_(use.panes),
        values_(reinterpret_cast<double*>(state + sizeof(EdgeState))) {}

  void start() {
    state_ = {kNever, kNever, kUnknown, 0};
    std::fill_n(values_, count_, kUnknown);
  }

  void take(const OperatorReading& reading, std::int64_t max_gap) {
    if (reading.event < state_.reading) return;
    if (state_.reading == kNever) state_.pane = number_of(reading.event);
    roll_to(number_of(reading.event));
    state_.reading = reading.event;
    state_.held = reading.value;
    state_.held_until = reading.event + max_gap;
    // The begins that it was held at: its own, and those that another signal has moved the asset past already.
    const std::int64_t oldest = state_.pane - static_cast<std::int64_t>(count_) + 1;
    std::int64_t pane = std::max(number_of(reading.event), oldest);
    if (pane * use_.pane < reading.event) ++pane;
    for (; pane <= state_.pane; ++pane) values_[place_of(pane, count_)] = held_at(pane * use_.pane);
  }

  void roll_to(std::int64_t pane) {
    const std::int64_t oldest = pane - static_cast<std::int64_t>(count_) + 1;
    for (std::int64_t next = std::max(state_.pane + 1, oldest); next <= pane; ++next) {
      values_[place_of(next, count_)] = held_at(next * use_.pane);
    }
    state_.pane = std::max(state_.pane, pane);
  }

  void lose(std::int64_t event) {
    if (state_.reading == kNever) return;
    roll_to(number_of(event));
    state_.held = kUnknown;
  }

  double value(std::int64_t event) {
    if (std::isnan(state_.held)) return kUnknown;
    roll_to(number_of(event));
    const std::int64_t begin = state_.pane - static_cast<std::int64_t>(count_) + 1;
    const double since = static_cast<double>(event - begin * use_.pane) / 1000.0;
    return (state_.held - values_[place_of(begin, count_)]) / since;
  }

 private:
  std::int64_t number_of(std::int64_t event) const { return pane_at(event, state_.pane, use_.pane); }
  double held_at(std::int64_t time) const {
    return time < state_.held_until || time == state_.reading ? state_.held : kUnknown;
  }

  const OperatorUse& use_;
  EdgeState& state_;
  std::size_t count_;
  double* values_;
};

}  // namespace

std::size_t bytes_of_tally(const OperatorUse& use) {
  return sizeof(TallyState) + kept_panes(use) * sizeof(double);
}

void start_tally(const OperatorUse& use, std::byte* state) {
  Tally(use, state).start();
}

void take_in_tally(const OperatorUse& use, std::byte* state, const OperatorReading& reading) {
  Tally(use, state).take(reading);
}

void lose_tally(std::byte* state) {
  reinterpret_cast<TallyState*>(state)->known = 0;
}

double value_of_tally(const OperatorUse& use, std::byte* state, std::int64_t event) {
  return Tally(use, state).value(event);
}

std::size_t bytes_of_edges(const OperatorUse& use) {
  return sizeof(EdgeState) + use.panes * sizeof(double);
}

void start_edges(const OperatorUse& use, std::byte* state) {
  Edges(use, state).start();
}

void take_in_edges(const OperatorUse& use, std::byte* state, const OperatorReading& reading, std::int64_t max_gap) {
  Edges(use, state).take(reading, max_gap);
}

void lose_edges(const OperatorUse& use, std::byte* state, std::int64_t event) {
  Edges(use, state).lose(event);
}

double value_of_edges(const OperatorUse& use, std::byte* state, std::int64_t event) {
  return Edges(use, state).value(event);
}

}  // namespace fettle::rules
