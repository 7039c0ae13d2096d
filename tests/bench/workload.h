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

struct Workload {
  std::size_t readings_per_message = 0;
  std::string catalog;  // YAML, for `fettle apply`
  std::vector<Outgoing> messages;

  // What a gateway must have made of it.
  std::uint64_t readings = 0;
  std::uint64_t episodes = 0;
  std::int64_t metered = 0;  // sum over all meters, in hundredths of a kWh
};

// As many readings a message as fit into `payload` bytes, at least one. Event times are in the past at `now`, since a
// gateway refuses the future.
Workload make_workload(std::size_t messages, std::size_t payload, std::chrono::sys_time<std::chrono::milliseconds> now);

}  // namespace fettle::bench
