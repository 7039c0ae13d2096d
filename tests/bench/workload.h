#pragma once
// What is sent: a hundred smart meters, each a message a minute with the energy of that minute on some registers. Each
// of these signals has one meter (a sum) and one rule (a mean over 15 minutes).
//
// The same for the gateway and for the yardstick. Deterministic, but for the time it begins at.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace fettle::bench {

inline constexpr std::size_t kAssets = 100;
// Enough for the rule's window and delay on the asset that it is raised on.
inline constexpr std::size_t kLeastMessages = 20 * kAssets;

struct Outgoing {
  std::string topic;
  std::string payload;
};

// What a gateway must have made of a run.
struct Expected {
  std::uint64_t readings = 0;
  std::uint64_t episodes = 0;
  std::int64_t metered = 0;  // sum over all meters, in hundredths of a kWh
};

struct Workload {
  std::size_t readings_per_message = 0;
  std::string catalog;  // YAML, for `fettle apply`
  std::vector<Outgoing> messages;
  Expected expected;
};

// The condition of each signal's rule: a mean over 15 minutes, or the value itself.
enum class Condition { window, threshold };

std::string signal_name(std::size_t index);
std::string asset_name(std::size_t index);
// Of the node that has the asset for a device.
std::string node_name(std::size_t asset, std::size_t nodes);
// The catalog of such a fleet: one meter and one rule on each signal. `nodes`: 0 for JSON.
std::string make_catalog(std::size_t assets, std::size_t signals, Condition condition, std::size_t nodes);

// In hundredths: 10.00 to 89.99 kWh, but always 99.99 on the first asset, whose rules therefore raise.
inline std::int64_t value_of(std::size_t asset, std::size_t message, std::size_t signal) {
  if (asset == 0) return 9999;
  const std::uint32_t mixed = static_cast<std::uint32_t>(message * 64 + signal) * 2654435761U;
  return 1000 + static_cast<std::int64_t>((mixed >> 8U) % 8000);
}

inline constexpr std::chrono::minutes kInterval{1};  // between the messages of one asset
inline constexpr const char* kGroup = "bench";       // Sparkplug

// As many readings a message as fit into `payload` bytes, at least one. Event times are in the past at `now`, since a
// gateway refuses the future.
Workload make_workload(std::size_t messages, std::size_t payload, std::chrono::sys_time<std::chrono::milliseconds> now);

}  // namespace fettle::bench
