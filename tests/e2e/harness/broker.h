#pragma once
// A real Mosquitto on a free port of the loopback interface, with the configuration of the demo. The one that is
// shipped for a plant is PlantBroker's (plant_broker.h).

#include <filesystem>
#include <memory>
#include <string>

#include "tests/e2e/harness/door.h"

namespace fettle::e2e {

class Broker {
 public:
  // Starts it; its sessions are kept in `folder`.
  explicit Broker(const std::filesystem::path& folder);

  // Until it accepts connections. Always on the same port.
  void start();
  // SIGTERM, and its end: it saves its sessions.
  void stop();
  // SIGKILL, and its end: it saves nothing.
  void kill();

  int port() const { return port_; }
  std::string uri() const { return "tcp://127.0.0.1:" + std::to_string(port_); }
  Door door() const { return {uri(), {}, {}}; }

  // One message with mosquitto_pub, QoS 1, which returns when the broker has it. Bytes of any kind.
  void publish(const std::string& topic, const std::string& payload) const;
  // The retained message of a topic; empty where there is none.
  std::string retained(const std::string& topic) const;

 private:
  std::filesystem::path folder_;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace fettle::e2e
