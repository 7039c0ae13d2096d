#pragma once
// What tests of the host's session share: a session, times, and "exactly this one action".

#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "gateway/sparkplug/host_session.h"

namespace fettle::sparkplug::testing {

inline HostSession::Time at(std::int64_t ms) {
  return HostSession::Time(std::chrono::milliseconds(ms));
}

inline HostSession session(std::vector<std::string> groups = {}) {
  HostSessionOptions options;
  options.host_id = "fettle";
  options.groups = std::move(groups);
  return *HostSession::make(std::move(options));
}

// Connected, subscribed and born at `ms`.
inline HostSession online_session(std::int64_t ms) {
  HostSession host = session();
  host.start(at(ms));
  host.connected();
  host.subscribed(Granted::all);
  return host;
}

// The one action there is, which must be an A.
template <typename A>
A only(const SessionActions& actions) {
  EXPECT_EQ(actions.size(), 1U);
  if (actions.size() != 1) return A{};
  const A* action = std::get_if<A>(&actions.front());
  EXPECT_NE(action, nullptr) << "another action, of index " << actions.front().index();
  return action == nullptr ? A{} : *action;
}

}  // namespace fettle::sparkplug::testing
