#include "gateway/engine/sessions.h"

#include <algorithm>

namespace fettle::engine {

std::uint32_t Sessions::index_of(std::string_view name) {
  const auto found =
      std::find_if(clocks_.begin(), clocks_.end(), [&](const SessionClock& clock) { return clock.name == name; });
  if (found != clocks_.end()) return static_cast<std::uint32_t>(found - clocks_.begin());
  if (clocks_.size() < kMost) clocks_.push_back({std::string(name), false, Time(), rules::Duration(0)});
  return static_cast<std::uint32_t>(clocks_.size() - 1);
}

void Sessions::take_down(SessionClock& clock, Time now) {
  if (clock.down) return;
  clock.down = true;
  clock.down_since = now;
}

void Sessions::change(std::string_view name, Time now, bool up) {
  if (name == kStart) {
    if (up) return;
    for (SessionClock& clock : clocks_) take_down(clock, now);
    return;
  }
  SessionClock& clock = clocks_[index_of(name)];
  if (!up) {
    take_down(clock, now);
  } else if (clock.down) {
    clock.down_total += now - clock.down_since;
    clock.down = false;
  }
}

}  // namespace fettle::engine
