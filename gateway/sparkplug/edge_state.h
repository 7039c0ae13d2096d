#pragma once
// What a host says about itself on spBv1.0/STATE/<host> (Sparkplug 3.0, 5.6): {"online": bool, "timestamp": ms}. Pure.

#include <optional>
#include <string_view>

#include "gateway/sparkplug/value.h"

namespace fettle::sparkplug::edge {

inline constexpr std::size_t kLongestState = 1'024;  // bytes; an honest one has about 45

struct HostState {
  bool online = false;
  Time timestamp;
};

// Absent where the text is anything else: no JSON object, a key missing or of another type, a time beyond reason.
std::optional<HostState> parse_state(std::string_view payload);

}  // namespace fettle::sparkplug::edge
