#pragma once
// Subscribes to a topic filter over a raw connection and hands out what comes the moment it comes: no client library
// that sleeps takes part in what is measured. One thread.

#include <chrono>
#include <optional>
#include <string>

#include "tests/bench/wire.h"

namespace fettle::bench {

struct Heard {
  std::string topic;
  std::string payload;
};

class EventListener {
 public:
  // Subscribed with QoS 0 when it returns. Throws where the broker does not answer.
  EventListener(int port, const std::string& client_id, const std::string& filter);

  // The next message, or nothing where none comes in that time. Throws where the connection ends.
  std::optional<Heard> next(std::chrono::milliseconds at_most);

 private:
  std::optional<Heard> take();

  Connection connection_;
  std::string received_;  // bytes that make no whole packet yet
};

}  // namespace fettle::bench
