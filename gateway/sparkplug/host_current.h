#pragma once
// The message that HostNodes is applying. Part of host_nodes.h; not for use elsewhere.

#include <string_view>

#include "gateway/sparkplug/host_nodes.h"

namespace fettle::sparkplug {

struct HostNodes::Route {
  std::string topic;
  MessageType type = MessageType::ndata;
  std::uint32_t node = 0;
  SourceId source = kNoSource;
};

struct HostNodes::Current {
  Origin origin;
  std::string_view bytes;
  MessageType type = MessageType::ndata;
  SourceId source = kNoSource;
  std::uint16_t broker = 0;
  const Payload* payload = nullptr;
  bool historical = false;  // it waited behind messages that never came
  Time now;                 // when it is applied; origin.received or later
};

inline constexpr std::string_view kBdSeq = "bdSeq";

// A number from a text that is the same on every machine and in every run.
std::uint64_t stable_hash(std::string_view text);

}  // namespace fettle::sparkplug
