#pragma once
// Why a broker cannot be reached, in words a person can act upon. Paho says "TCP/TLS connect failure" to an unknown
// host, a closed port, an expired certificate and one of another authority alike; this looks again, with OpenSSL, and
// tells.
//
// It makes a connection of its own, says nothing over it and closes it. It blocks: for a session's own thread, after a
// connection has failed, never for a Paho callback.

#include <chrono>
#include <optional>
#include <string>

#include "gateway/mqtt/broker_access.h"

namespace fettle::mqtt_adapter {

// At most this long, besides what the resolver of names takes.
inline constexpr std::chrono::milliseconds kDiagnosisTime{5'000};

// "what is wrong; how to mend it"; nothing where a connection (and TLS handshake) succeeds, or TLS ends in a way that
// says nothing.
std::optional<std::string> diagnose(const BrokerAccess& access);

}  // namespace fettle::mqtt_adapter
