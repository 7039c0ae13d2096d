#pragma once
// A real Mosquitto on a free port of the loopback interface, which never outlives the test.

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "tests/firmware_sim/child.h"

namespace fettle::sim {

constexpr std::chrono::seconds kPatience{60};

// Whether the condition holds within the patience; looks every few milliseconds.
bool until(const std::function<bool()>& condition);

class Mosquitto {
 public:
  // Starts it. `settings` are lines of its configuration besides listener and persistence; without any, everybody may
  // come in. Its sessions and retained messages are kept in `folder`.
  explicit Mosquitto(const std::filesystem::path& folder, const std::string& settings = "allow_anonymous true\n");

  // Always on the same port; returns when it accepts connections.
  void start();
  // Ends it as an administrator would; it saves its sessions.
  void stop();

  int port() const { return port_; }
  std::string uri(const std::string& scheme = "tcp", const std::string& host = "127.0.0.1") const {
    return scheme + "://" + host + ":" + std::to_string(port_);
  }

 private:
  std::filesystem::path folder_;
  int port_;
  std::unique_ptr<Child> process_;
};

}  // namespace fettle::sim
