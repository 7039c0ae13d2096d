#pragma once
// The address of a broker, taken apart: "mqtts://broker.example:8883". Pure values; any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fettle::mqtt_adapter {

inline constexpr std::uint16_t kPlainPort = 1883;  // registered with IANA as "mqtt"
inline constexpr std::uint16_t kTlsPort = 8883;    // registered with IANA as "secure-mqtt"

inline constexpr const char* kBrokerForm =
    "tcp://host:port or mqtt://host:port, with TLS mqtts://host:port (without a port 1883, with TLS 8883)";

struct BrokerUri {
  bool tls = false;
  std::string host;  // a name or an address; one of IPv6 without its brackets
  std::uint16_t port = kPlainPort;

  // As Paho takes it: "ssl://[::1]:8883".
  std::string for_paho() const;
};

// Nothing where the text is not of that form (kBrokerForm). Schemes: tcp, mqtt; ssl, mqtts.
std::optional<BrokerUri> parse_broker_uri(std::string_view text);

}  // namespace fettle::mqtt_adapter
