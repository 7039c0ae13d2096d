#pragma once
// How simulated equipment appears as Sparkplug edge nodes: which nodes there are, and which assets are whose devices.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "firmware-sim/outbox.h"
#include "firmware-sim/reading.h"
#include "gateway/sparkplug/edge_config.h"

namespace fettle::sim {

inline constexpr std::size_t kMostNodes = 1'000;
inline constexpr std::size_t kMostPerMessage = 5'000;  // metrics

// What happens when everything measured has been sent.
enum class AtTheEnd { kLeave, kHoldOpen };
// Whether the gateway's clock is moved with the event times, for one that is configured with `clock: recording`.
enum class ClockMessages { kNone, kSent };
// Whether equal values are left out: as each signal says, or everywhere.
enum class ByException { kAsDeclared, kEverywhere };

struct EdgePlan {
  std::string group = "fettle-sim";
  std::string node = "node";  // of several: node-1, node-2 ...
  std::size_t nodes = 1;
  std::optional<std::string> primary_host;
  sparkplug::edge::Aliases aliases = sparkplug::edge::Aliases::none;
  ByException by_exception = ByException::kAsDeclared;
  std::size_t per_message = kMostPerMessage;
  std::optional<std::filesystem::path> buffer;  // of several nodes: <buffer>.node-1 ...; absent: nothing is left behind
  OutboxLimits limits;
  double flush_rate = 50'000;  // historical readings a second, of each node
  AtTheEnd at_the_end = AtTheEnd::kLeave;
  ClockMessages clock = ClockMessages::kNone;
};

// Names of the nodes, in their order.
std::vector<std::string> node_names(const EdgePlan& plan);

// Which node an asset belongs to: contiguous shares, as equal as may be. Precondition: asset < assets.
std::size_t node_of_asset(std::size_t asset, std::size_t assets, const EdgePlan& plan);

// The place of an asset among the devices of its node.
std::size_t device_of_asset(std::size_t asset, std::size_t assets, const EdgePlan& plan);

// "<group>/<node>/<asset>" for each asset: what a gateway's catalog calls its source.
std::vector<std::string> source_paths(const std::vector<Asset>& assets, const EdgePlan& plan);

// One configuration for each node. Whether they may be used is for problem_of() to say.
std::vector<sparkplug::edge::EdgeConfig> edge_configs(const std::vector<Asset>& assets, const EdgePlan& plan,
                                                      std::size_t servers);

}  // namespace fettle::sim
