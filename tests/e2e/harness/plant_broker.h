#pragma once
// A real Mosquitto with the configuration that is shipped for a plant (gateway/app/broker): TLS, passwords, rights and
// limits. The gateway comes in as its user `gateway`. fettle-sim, which is many devices over one connection, is a user
// with rights of its own, those of a publisher of recordings.

#include <filesystem>
#include <string>

#include "tests/e2e/harness/door.h"
#include "tests/gateway/mqtt/shipped_broker.h"

namespace fettle::e2e {

class PlantBroker {
 public:
  // Starts it; its files are kept in `folder`.
  explicit PlantBroker(const std::filesystem::path& folder);

  // SIGTERM, and its end: it saves its sessions.
  void stop() { shipped_.stop(); }
  // Until it accepts connections. Always on the same ports.
  void start() { shipped_.start(); }

  Door door() const;
  // One message, QoS 1, as fettle-sim's user. Throws where it is not let in.
  void publish(const std::string& topic, const std::string& payload) const;

 private:
  std::filesystem::path folder_;
  mqtt_adapter::testing::ShippedBroker shipped_;
};

}  // namespace fettle::e2e
