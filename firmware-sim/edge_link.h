#pragma once
// One MQTT 3.1.1 connection of an edge node to one broker, on Paho's async_client: clean session, with a Will,
// publishing at QoS 0 or 1 and receiving commands and STATE.
//
// Paho calls back on its own threads while it holds a mutex that all clients of the process share. So the callbacks
// only note what happened in the inbox, which all links of the process write to; they never publish and never throw.
// Every connection has its own Paho client; what an ended one still reports carries its number and is not taken for the
// next.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "firmware-sim/broker_address.h"
#include "firmware-sim/delivery.h"
#include "gateway/sparkplug/edge_node.h"

namespace fettle::sim {

struct EdgeConnected {};
struct EdgeConnectFailed {
  ConnectFailure failure;
};
struct EdgeLost {
  std::string why;
};
struct EdgeMessage {
  std::string topic;
  std::string payload;
};
struct EdgeEvent {
  std::size_t link = 0;
  std::uint64_t connection = 0;
  std::variant<EdgeConnected, EdgeConnectFailed, EdgeLost, EdgeMessage> what;
};

// Written by Paho's threads, read by the one that runs the nodes.
class EdgeInbox {
 public:
  // Out of memory is the only failure there is; the process could not go on anyway, and must not throw into C code.
  void add(EdgeEvent event) noexcept;

  // Something went out to the broker: whoever waits may have room again.
  void stir() noexcept;

  // What happened, oldest first; waits until something has, stir() was called or the time is come.
  std::vector<EdgeEvent> take(Instant until);

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<EdgeEvent> events_;
  bool stirred_ = false;
  std::atomic<bool> waiting_{false};
};

class EdgeLink {
 public:
  // `number` is what its events are marked with. `inbox` must outlive this.
  EdgeLink(std::size_t number, EdgeInbox& inbox);
  ~EdgeLink();

  // Begins a new connection, after the old one has taken leave or was dropped. An event says what came of it.
  void open(const BrokerAddress& address, const sparkplug::edge::Publish& will);

  // False: not taken, the connection is of no use any more.
  [[nodiscard]] bool publish(const sparkplug::edge::Publish& message);
  [[nodiscard]] bool subscribe(const std::vector<sparkplug::edge::Filter>& filters);

  // Begins to take leave: what was published before still goes out. open() and the destructor wait for it.
  void leave();
  // Lets go of a connection that is of no use any more. (One that still stands would be ended with a DISCONNECT, which
  // makes the broker keep the Will to itself: Paho C 1.3.12 does so when a client is destroyed.)
  void drop();

  // Publications handed to Paho and not yet written to the socket (QoS 0) or acknowledged (QoS 1).
  std::size_t unsent() const;

  // Of the connection opened last; events of others are to be passed over.
  std::uint64_t connection() const { return connection_; }

 private:
  class Session;

  std::size_t number_;
  EdgeInbox& inbox_;
  std::uint64_t connection_ = 0;
  std::unique_ptr<Session> session_;
};

}  // namespace fettle::sim
