#pragma once
// One MQTT 3.1.1 connection at a time to one broker, on Paho's async_client, clean session, QoS 1.
//
// Paho calls back on its own threads while it holds a mutex that all clients of the process share. So the callbacks
// only note what happened in a queue, never publish and never throw; the publisher's thread takes the events out. Every
// connection has its own Paho client: nothing that an old one still had queued can slip in between the messages of the
// next. The price: Paho C 1.3.12 leaks what was in flight when a connection is lost and its client destroyed, at most
// `inflight` messages each time.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "firmware-sim/broker_address.h"
#include "firmware-sim/delivery.h"
#include "firmware-sim/message.h"

namespace fettle::sim {

struct Connected {};
struct ConnectFailed {
  Refusal refusal;
  std::string why;
};
struct ConnectionLost {
  std::string why;
};
struct Acknowledged {
  Sequence sequence;
};
using LinkEvent = std::variant<Connected, ConnectFailed, ConnectionLost, Acknowledged>;

class PahoLink {
 public:
  // `inflight`: how many publications the caller may leave unacknowledged.
  PahoLink(BrokerAddress address, std::size_t inflight);
  ~PahoLink();

  // Begins a new connection, after dropping the one there was. Connected or ConnectFailed follows as an event.
  void open();

  // Hands a message to Paho. False: it was not taken, the connection is of no use any more.
  [[nodiscard]] bool publish(Sequence sequence, const Message& message);

  // Drops the connection without ceremony. Acknowledgements already received remain to be taken.
  void drop();

  // Takes leave of the broker, waiting for it at most `patience`, and drops the connection.
  void leave(std::chrono::milliseconds patience);

  // What happened, oldest first; waits until something has or the time is come.
  std::vector<LinkEvent> take(Instant until);

 private:
  class EventQueue;
  class Session;

  BrokerAddress address_;
  std::size_t inflight_;
  std::unique_ptr<EventQueue> events_;  // outlives the session, whose callbacks write to it
  std::unique_ptr<Session> session_;
};

}  // namespace fettle::sim
