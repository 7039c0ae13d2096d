#pragma once
// What all sessions share in their dealings with Paho: options of a connection and its errors in words. Included by the
// sources of this folder only, so that Paho's headers stay in them.

#include <mqtt/async_client.h>

#include <chrono>
#include <memory>
#include <string>

#include "gateway/mqtt/broker_access.h"

namespace fettle::mqtt_adapter {

inline constexpr std::chrono::seconds kConnectTimeout{10};
inline constexpr std::chrono::milliseconds kAnswerSlice{200};  // between two looks whether an answer is still worth it
inline constexpr std::chrono::milliseconds kFirstRetry{250};
inline constexpr std::chrono::milliseconds kLastRetry{15'000};
inline constexpr std::size_t kKeptOfCut = 1024;  // bytes of an over-long payload that are journaled, for the quarantine

enum class SessionKind : std::uint8_t { clean, durable };

// MQTT 3.1.1, with TLS where the address says so. Pre: open_access() found the address readable.
::mqtt::connect_options options_for(const BrokerAccess& access, SessionKind kind, std::chrono::seconds keep_alive);

// A client without a connection and without Paho's own persistence: what sessions keep is the journal's affair, or the
// outbox's.
std::unique_ptr<::mqtt::async_client> client_for(const BrokerAccess& access, const std::string& client_id);

// Why connect() failed: the broker's own answer, or what diagnose() finds. Blocks; not for callbacks.
std::string why_not_connected(const ::mqtt::exception& error, const BrokerAccess& access, const std::string& client_id);

}  // namespace fettle::mqtt_adapter
