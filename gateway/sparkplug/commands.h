#pragma once
// Commands a host sends to edge nodes (NCMD) and devices (DCMD): topic and payload. Sending is the adapter's; whether
// equipment may be written to at all is the configuration's. Pure.

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "gateway/sparkplug/encode.h"
#include "gateway/sparkplug/host_source.h"

namespace fettle::sparkplug {

// Asks an edge node for its births. By name: this metric never has an alias.
inline constexpr std::string_view kRebirthMetric = "Node Control/Rebirth";

// Always QoS 0, not retained and without a sequence number (specification 3.0, 6.4.25 and 6.4.26).
struct CommandMessage {
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retain = false;
};

// NCMD with Node Control/Rebirth = true. `now`: when it is sent.
CommandMessage rebirth_command(std::string_view group, std::string_view node, Time now);

struct MetricWrite {
  std::string metric;  // its name in the source's birth
  Scalar value;
  std::optional<Time> timestamp;  // of the value, where it has one
};

// NCMD for a node, DCMD for a device, that writes these metrics; those with an alias are named by it alone, and the
// data type is left to the birth. reason: offline (the source is), nothing_to_write, unknown_metric (its birth has none
// of that name), wrong_type (the value fits not the type in the birth, or the metric is not of a basic type).
Result<CommandMessage> write_command(const Source& source, std::span<const MetricWrite> writes, Time now);

}  // namespace fettle::sparkplug
