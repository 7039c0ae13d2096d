#pragma once
// Publishes with QoS 1 what was encoded before the clock started: a raw MQTT 3.1.1 connection, so that the publisher
// takes as little as possible of a machine that it shares with what is measured.

#include <atomic>
#include <cstddef>
#include <string>
#include <vector>

#include "tests/bench/workload.h"

namespace fettle::bench {

// PUBLISH packets, one after the other.
class Packets {
 public:
  explicit Packets(const std::vector<Outgoing>& messages);
  std::size_t count() const { return ends_.size(); }
  // Bytes of the first `messages` packets.
  std::size_t bytes_of(std::size_t messages) const { return messages == 0 ? 0 : ends_[messages - 1]; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

class Publisher {
 public:
  // Connects to 127.0.0.1. Throws where the broker does not answer.
  Publisher(int port, const std::string& client_id);
  Publisher(const Publisher&) = delete;
  Publisher& operator=(const Publisher&) = delete;
  ~Publisher();

  // Returns when the broker has acknowledged them all; throws where the connection ends before. At most kWindow
  // messages wait for their acknowledgement.
  void publish(const Packets& packets);
  // Another thread's publish() returns soon.
  void cancel() { cancelled_ = true; }

  static constexpr std::size_t kWindow = 4096;

 private:
  int socket_ = -1;
  std::atomic<bool> cancelled_{false};
};

// Makes the broker forget a durable session, so that it does not queue the next run's messages for it.
void forget_session(int port, const std::string& client_id);

}  // namespace fettle::bench
