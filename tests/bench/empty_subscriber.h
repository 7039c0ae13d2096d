#pragma once
// The yardstick: Paho with the gateway's session (MQTT 3.1.1, durable, QoS 1, the same topics, nothing persisted by the
// client) and a callback that counts. What a gateway built on Paho could reach if it did nothing.

#include <cstdint>
#include <string>

namespace fettle::bench {

// What it prints, each on a line of its own.
inline constexpr const char* kSubscribed = "subscribed";
inline constexpr const char* kSeenAll = "seen all";

// Subscribes, prints kSubscribed, counts, prints kSeenAll after `messages`; then waits to be ended by a signal. Returns
// where the broker refuses.
int run_empty_subscriber(const std::string& broker, const std::string& client_id, std::uint64_t messages);

}  // namespace fettle::bench
