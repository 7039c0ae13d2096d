#pragma once
// One edge node of the simulator: the state machine of gateway/sparkplug, its connection, and the readings it keeps
// until the host has them. What it may not publish now it keeps and sends as history later. Used by one thread.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "firmware-sim/broker_address.h"
#include "firmware-sim/edge_link.h"
#include "firmware-sim/edge_plan.h"
#include "firmware-sim/outbox.h"
#include "firmware-sim/reading.h"
#include "gateway/sparkplug/edge_node.h"

namespace fettle::sim {

class SimulatedNode {
 public:
  using WallTime = Outbox::SentTime;

  // `servers` are tried in their order. `inbox` must outlive this. Precondition: problem_of(config) finds nothing.
  SimulatedNode(std::size_t number, sparkplug::edge::EdgeConfig config, Outbox outbox,
                std::vector<BrokerAddress> servers, const EdgePlan& plan, EdgeInbox& inbox);

  // Each of these says what failed on the disk, which ends the run.
  [[nodiscard]] std::optional<Problem> start();
  [[nodiscard]] std::optional<Problem> take(const EdgeEvent& event);
  // Reconnects, sends what is pending, lets go of what is out of doubt: whatever is due.
  [[nodiscard]] std::optional<Problem> tick();
  // NDEATH, then DISCONNECT; the destructor waits until they are out.
  [[nodiscard]] std::optional<Problem> stop();

  // Keeps a batch of a device (index) and its place in the source. It is published by publish_kept(), if at all.
  void keep(std::uint32_t device, Batch batch, std::uint64_t position);
  // First onto the disk, then, if the node is online, out.
  [[nodiscard]] std::optional<Problem> publish_kept();

  // What the gateway's clock is to say: said before each NBIRTH from now on, and by publish_clock().
  void set_clock(EventTime now) { clock_ = now; }
  // Not said yet. Each node says it itself: what one sends may overtake what another has sent.
  bool clock_is_behind() const { return connected_ && clock_ != said_; }
  // Moves the gateway's clock, if there is a connection.
  [[nodiscard]] std::optional<Problem> publish_clock();

  bool online() const { return machine_.online(); }
  bool connected() const { return connected_; }
  bool has_room() const;  // for more publications; otherwise the broker is to take some first
  bool settled() const;   // online, and nothing is kept
  bool keeps_nothing() const { return outbox_.empty(); }  // everything is out, and out of doubt
  std::uint64_t position() const { return outbox_.position(); }
  // When tick() has something to do.
  Instant next_due() const;

  // Everything is done: the next run begins at its beginning.
  [[nodiscard]] std::optional<Problem> finish() { return outbox_.finish(); }

  // Everything published, certificates and clock messages included.
  std::uint64_t publications() const { return publications_; }
  const sparkplug::edge::EdgeCounts& edge_counts() const { return machine_.counts(); }
  const OutboxCounts& outbox_counts() const { return outbox_.counts(); }
  std::uint64_t pending() const { return outbox_.pending(); }
  // Of the last attempt, empty when it succeeded.
  const ConnectFailure& failure() const { return failure_; }
  const std::string& name() const { return machine_.config().node; }

 private:
  std::optional<Problem> execute();
  std::optional<Problem> execute(const sparkplug::edge::Connect& action);
  void publish(const sparkplug::edge::Publish& action);
  void say_clock();
  void hand_to_link(const sparkplug::edge::Publish& action);
  void lose();
  std::optional<Problem> flush();
  void publish_batch(const Batch& batch);

  sparkplug::edge::EdgeNode machine_;
  Outbox outbox_;
  std::vector<BrokerAddress> servers_;
  EdgePlan plan_;
  EdgeLink link_;
  std::vector<Batch> kept_;  // added to the outbox as sent, and not yet published
  std::optional<EventTime> clock_;
  std::optional<EventTime> said_;  // the last of these that went out
  bool connected_ = false;
  ConnectFailure failure_;
  Instant next_flush_;
  std::uint64_t publications_ = 0;
};

}  // namespace fettle::sim
