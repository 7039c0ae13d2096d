#pragma once
// The edge role of Sparkplug 3.0 as a state machine without I/O: what happened goes in, what to do next comes out as
// actions. It opens no connection, reads no clock and keeps no file; an adapter executes the actions and reports back.
//
// It buffers nothing: a reading that cannot be published now is refused, and the caller keeps it and hands it in later
// as history. Sequence numbers run over all messages in the order of the actions, so they must be executed in that
// order. One thread at a time.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/sparkplug/edge_config.h"
#include "gateway/sparkplug/edge_value.h"
#include "gateway/sparkplug/payload.pb.h"
#include "gateway/sparkplug/value.h"

namespace fettle::sparkplug::edge {

// A publication. Certificates and data go out as the specification says: QoS 0, the node's death QoS 1, nothing
// retained.
struct Publish {
  std::string topic;
  std::string payload;
  int qos = 0;
  bool retain = false;
};

// Open a new session, with nothing left of an older one, and this Will. Before that the caller keeps session + 1 (255
// is followed by 0) where the next start finds it, as EdgeConfig::first_session.
struct Connect {
  std::size_t server = 0;  // index into the caller's list
  Protocol protocol = Protocol::mqtt311;
  bool clean_start = true;                              // MQTT 3.1.1: clean session
  std::optional<std::uint32_t> session_expiry_seconds;  // MQTT 5 only, and 0
  std::uint8_t session = 0;                             // bdSeq of this CONNECT
  Publish will;
};

struct Filter {
  std::string topic;
  int qos = 1;
};
struct Subscribe {
  std::vector<Filter> filters;
};

// Take leave of the broker, once everything before it is out.
struct Disconnect {
  std::optional<std::uint8_t> reason;  // MQTT 5: 0x04, disconnect with Will message
};

// A host wants a metric written. The node does not do so by itself: equipment may refuse.
struct Command {
  std::optional<std::size_t> device;  // absent: the node itself
  std::size_t metric = 0;
  Value value;
};

// What was sent lately may not have arrived: the host went away, the connection was lost, or a host asked for a
// rebirth. The caller hands in again, as history, what it sent within the last seconds.
struct Doubt {};

using Action = std::variant<Connect, Subscribe, Publish, Disconnect, Command, Doubt>;

// One value to publish. `metric` is an index into the definition's metrics.
struct Reading {
  std::size_t metric = 0;
  Value value;
  Time at;
  Quality quality = Quality::good;
};

enum class Written {
  published,
  unchanged,    // reported by exception: all are as the host knows them
  not_online,   // births wait for the connection or the host, or the device is down; the caller keeps the readings
  not_allowed,  // an index that is none, or a value that does not fit its metric; see mismatch()
};

struct EdgeCounts {
  std::uint64_t sessions = 0;       // CONNECTs accepted by a broker
  std::uint64_t births = 0;         // NBIRTHs, rebirths included
  std::uint64_t rebirths = 0;       // asked for by a host
  std::uint64_t host_absences = 0;  // times the primary host went offline while this node was online
  std::uint64_t live = 0;           // readings published as live data
  std::uint64_t historical = 0;     // readings published as history
  std::uint64_t unchanged = 0;      // readings left out by exception
  std::uint64_t refused = 0;        // messages and commands that were none
};

class EdgeNode {
 public:
  // Precondition: problem_of(config) finds nothing.
  explicit EdgeNode(EdgeConfig config);

  // What to do, oldest first; empty when there is nothing. The caller takes it after every call of the functions below.
  std::vector<Action> take_actions();

  // Begins to connect. Only before anything else, or after stop().
  void start(Time now);

  // The broker accepted the connection / it was not made, or is gone. What belongs to an older connection must not be
  // reported any more.
  void connected(Time now);
  void disconnected(Time now);

  // A message that arrived by one of the subscriptions.
  void message(std::string_view topic, std::string_view payload, Time now);

  // Time passed: attempts to connect, and patience with a server on which the host is not seen.
  void tick(Time now);
  // When tick() has something to do; absent: only an event will change anything.
  std::optional<Time> next_due() const;

  // Publishes readings of one source (absent: the node itself) as live data, in the order of their times. The newest of
  // each metric is what later births show, whether or not it could be published.
  Written write(std::optional<std::size_t> device, std::vector<Reading> readings, Time now);

  // Publishes readings as history, in the order given. Births do not change, and nothing is left out.
  Written write_history(std::optional<std::size_t> device, std::span<const Reading> readings, Time now);

  // Contact with a device is lost / it is back. Devices are up at first.
  void device_down(std::size_t device, Time now);
  void device_up(std::size_t device, Time now);

  // Dies in good order: NDEATH, then DISCONNECT.
  void stop(Time now);

  // Births are out and the host, where one is named, is online: live data flow.
  bool online() const { return state_ == State::online; }
  bool stopped() const { return state_ == State::stopped; }

  const EdgeConfig& config() const { return config_; }
  const EdgeCounts& counts() const { return counts_; }

 private:
  enum class State { stopped, disconnected, connecting, waiting_for_host, online };

  enum class Flow { live, history };

  // What is to be known of one metric besides its definition.
  struct Metric {
    Value value;
    std::optional<Time> at;  // of the newest reading; absent: none yet, a birth shows its own time
    Quality quality = Quality::good;
    Quality reported_quality = Quality::good;  // as the host knows it
    std::optional<std::uint64_t> alias;
  };
  struct Source {
    std::vector<Metric> metrics;
    bool up = true;
  };

  const std::vector<MetricDefinition>& definitions(std::optional<std::size_t> device) const;
  Source& source(std::optional<std::size_t> device);
  bool acceptable(std::optional<std::size_t> device, std::span<const Reading> readings) const;
  bool remember(std::optional<std::size_t> device, const Reading& reading);

  void connect(Time now);
  void subscribe();
  void add_birth_metrics(std::optional<std::size_t> device, wire::Payload& payload, Time now);
  void publish_births(Time now);
  void publish_node_birth(Time now);
  void publish_device_birth(std::size_t device, Time now);
  void publish_node_death(Time now);
  void publish_data(std::optional<std::size_t> device, std::span<const Reading> readings, Flow flow, Time now);
  void leave(Time now);
  void schedule_retry(Time now);
  void walk(Time now);
  void take_state(std::string_view payload, Time now);
  void take_command(std::optional<std::size_t> device, std::string_view payload, Time now);
  std::string death_payload(Time now) const;

  EdgeConfig config_;
  State state_ = State::stopped;
  std::vector<Action> actions_;
  Source node_;
  std::vector<Source> devices_;
  std::size_t server_ = 0;
  std::uint8_t next_session_;         // bdSeq of the next CONNECT; an unsigned byte wraps as bdSeq does
  std::uint8_t session_ = 0;          // bdSeq of this one
  std::uint8_t next_seq_ = 0;         // of the next message; wraps as seq does
  std::optional<Time> newest_state_;  // timestamp of the newest STATE taken on this connection
  std::optional<Time> newest_online_;
  Time due_;  // retry while disconnected, end of patience while waiting
  std::chrono::milliseconds backoff_;
  EdgeCounts counts_;
};

}  // namespace fettle::sparkplug::edge
