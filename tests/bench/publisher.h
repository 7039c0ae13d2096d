#pragma once
// Publishes with QoS 1 what was encoded before the clock started: a raw MQTT 3.1.1 connection, so that the publisher
// takes as little as possible of a machine that it shares with what is measured.

#include <cstddef>
#include <string>
#include <vector>

#include "tests/bench/feed.h"
#include "tests/bench/wire.h"
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

// At most kWindow messages wait for the broker's acknowledgement; how far the subscriber is, the broker knows.
class AcknowledgedFeed : public Feed {
 public:
  // `packets` must live as long. Throws where the broker does not answer.
  AcknowledgedFeed(const Packets& packets, int port);

  void publish(const Progress& progress) override;
  std::uint64_t messages() const override { return packets_.count(); }

  static constexpr std::size_t kWindow = 4096;

 private:
  const Packets& packets_;
  Connection connection_;
};

// Makes the broker forget a durable session, so that it does not queue the next run's messages for it.
void forget_session(int port, const std::string& client_id);

}  // namespace fettle::bench
