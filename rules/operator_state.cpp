// Each of the four things, handed to the operator's kind of memory.
#include "rules/operator_state.h"

#include <algorithm>
#include <cmath>

#include "rules/pane_state.h"
#include "rules/point_state.h"
#include "rules/tally_state.h"

namespace fettle::rules {
namespace {

// State is memory that a caller allocated as bytes; the structs are implicit-lifetime types.
template <typename T>
T& as(std::byte* state) {
  return *reinterpret_cast<T*>(state);
}

double finite_or_unknown(double value) {
  return std::isfinite(value) ? value : kUnknown;
}

double value_of_setting(const Setting& setting, const double* parameters) {
  return setting.scale == 0.0 ? setting.shift : setting.scale * parameters[setting.parameter] + setting.shift;
}

}  // namespace

void start(const OperatorUse& use, std::byte* state) {
  switch (memory_of(use.kind)) {
    case Memory::none:
      return;
    case Memory::newest:
      as<LastState>(state) = {kUnknown, kNever};
      return;
    case Memory::moment:
      as<MomentState>(state) = {kNever, kNever};
      return;
    case Memory::silence:
      as<SilenceState>(state) = {kNever};
      return;
    case Memory::steps:
      return start(as<StepState>(state));
    case Memory::decay:
      return start(as<DecayState>(state));
    case Memory::page:
      return start(as<PageState>(state));
    case Memory::recent:
      return start(as<RecentState>(state));
    case Memory::panes:
      return start_window(use, state);
    case Memory::tally:
      return start_tally(use, state);
    case Memory::edges:
      return start_edges(use, state);
  }
}

void take(const OperatorUse& use, std::byte* state, const OperatorReading& reading, std::int64_t max_gap,
          const double* parameters) {
  switch (memory_of(use.kind)) {
    case Memory::none:
      return;
    case Memory::newest: {
      LastState& last = as<LastState>(state);
      if (reading.event >= last.reading) last = {reading.value, reading.event};
      return;
    }
    case Memory::moment: {
      MomentState& moment = as<MomentState>(state);
      if (reading.event < moment.reading) return;
      moment.reading = reading.event;
      if (!std::isnan(reading.value)) moment.good = reading.event;
      return;
    }
    case Memory::silence: {
      SilenceState& silence = as<SilenceState>(state);
      silence.heard = std::max(silence.heard, reading.tick);
      return;
    }
    case Memory::steps:
      return take(as<StepState>(state), reading);
    case Memory::decay:
      return take(use, as<DecayState>(state), reading, max_gap);
    case Memory::page:
      return take(as<PageState>(state), reading, value_of_setting(use.slack, parameters));
    case Memory::recent:
      return take(as<RecentState>(state), reading, max_gap);
    case Memory::panes:
      return take_in_window(use, state, reading, max_gap);
    case Memory::tally:
      return take_in_tally(use, state, reading);
    case Memory::edges:
      return take_in_edges(use, state, reading, max_gap);
  }
}

void lose(const OperatorUse& use, std::byte* state, std::int64_t event, std::int64_t max_gap) {
  switch (memory_of(use.kind)) {
    case Memory::none:
    case Memory::moment:   // an age goes on growing
    case Memory::silence:  // silence is what it is there to notice
      return;
    case Memory::newest:
      as<LastState>(state).value = kUnknown;
      return;
    case Memory::steps:
      as<StepState>(state).lost = 1;
      return;
    case Memory::decay:
      bring_to(use, as<DecayState>(state), event);
      as<DecayState>(state).held = kUnknown;
      return;
    case Memory::page:
      as<PageState>(state).known = 0;
      return;
    case Memory::recent:
      return take(as<RecentState>(state), {event, event, kUnknown}, max_gap);
    case Memory::panes:
      return lose_window(use, state, event);
    case Memory::tally:
      return lose_tally(state);
    case Memory::edges:
      return lose_edges(use, state, event);
  }
}

double value_of(const OperatorUse& use, std::byte* state, std::int64_t event, std::int64_t tick, double argument) {
  switch (memory_of(use.kind)) {
    case Memory::none:
      return kUnknown;
    case Memory::newest:
      return as<LastState>(state).value;
    case Memory::moment: {
      const std::int64_t good = as<MomentState>(state).good;
      if (good == kNever) return kUnknown;
      return static_cast<double>(std::max<std::int64_t>(event - good, 0)) / 1000.0;
    }
    case Memory::silence: {
      const std::int64_t heard = as<SilenceState>(state).heard;
      if (heard == kNever) return kUnknown;
      return tick - heard >= use.window ? 1.0 : 0.0;
    }
    case Memory::steps:
      return value_of(as<StepState>(state), use.kind, event, argument);
    case Memory::decay:
      bring_to(use, as<DecayState>(state), event);
      return finite_or_unknown(value_of(as<DecayState>(state)));
    case Memory::page: {
      const PageState& page = as<PageState>(state);
      return page.known == 0 || std::isnan(argument) ? kUnknown : page.sum > argument ? 1.0 : 0.0;
    }
    case Memory::recent:
      return value_of(as<RecentState>(state), use.window, event);
    case Memory::panes:
      return finite_or_unknown(value_of_window(use, state, event, argument));
    case Memory::tally:
      return finite_or_unknown(value_of_tally(use, state, event));
    case Memory::edges:
      return finite_or_unknown(value_of_edges(use, state, event));
  }
  return kUnknown;
}

}  // namespace fettle::rules
