#pragma once
// The clocks of the MQTT sessions: gateway time without the outages of each. They move assets' clocks on between
// readings, and absent() follows them, so that what a broker holds back is not taken for silence.
//
// One clock per session name: "direct", or the name of a Sparkplug broker. Working state; the engine's thread.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"
#include "rules/rule.h"

namespace fettle::engine {

struct SessionClock {
  std::string name;
  bool down = false;
  Time down_since;                // gateway time; while down
  rules::Duration down_total{0};  // of the outages that are over
};

class Sessions {
 public:
  static constexpr std::uint32_t kDirect = 0;  // index of the session named kDirectName, always there
  static constexpr std::string_view kDirectName = "direct";
  static constexpr std::string_view kStart = "start";  // of the record of a gateway's start
  static constexpr std::size_t kMost = 1'000;          // names beyond share the last one's clock

  Sessions() : clocks_{{std::string(kDirectName), false, Time(), rules::Duration(0)}} {}

  // The session of that name; a name seen for the first time gets a clock that runs. Indices stay.
  std::uint32_t index_of(std::string_view name);

  // A session came up or went down at gateway time `now`. kStart going down takes down all that are known: until a
  // session is up again, time does not pass for the assets behind it. Saying what is known already changes nothing.
  void change(std::string_view name, Time now, bool up);

  bool down(std::uint32_t session) const { return clocks_[session].down; }
  Time time(std::uint32_t session, Time now) const {
    const SessionClock& clock = clocks_[session];
    return (clock.down ? clock.down_since : now) - clock.down_total;
  }

  const std::vector<SessionClock>& clocks() const { return clocks_; }
  // Takes saved clocks back; the first must be that of kDirectName.
  void restore(std::vector<SessionClock> clocks) { clocks_ = std::move(clocks); }

 private:
  static void take_down(SessionClock& clock, Time now);

  std::vector<SessionClock> clocks_;
};

}  // namespace fettle::engine
