#pragma once
// All that a Sparkplug host knows of edge nodes: who is online, which metrics they have, what their messages say.
//
// A deterministic fold: messages and time go in, events and samples come out (host_output.h); the same input gives the
// same output, also when the state is saved and loaded in between. No I/O; one thread, the engine's.
//
// Rules, beyond those of the specification (3.0, chapters 5 and 6):
// - An edge node is its (group, node), whichever broker it speaks over. Its session is on the broker of its last
// NBIRTH;
//   what arrives from it over another one is out of date: ignored and counted.
// - Sequence numbers run over NBIRTH, DBIRTH, NDATA, DDATA and DDEATH of a node. A message out of order waits, within
//   bounds, at most reorder_timeout. Then the gap is lost: what waited is applied in order, its values marked
//   historical, and a rebirth is asked for. A message of the lost gap that comes after all is history, too.
// - Until a birth comes, rebirth requests repeat at growing intervals; the first goes out at once.
// - After an NBIRTH in the same session (same bdSeq), data whose payload timestamp is before the birth's can only have
//   been overtaken; within reorder_timeout it is taken as history and does not count as the next in order.
// - Names: a member of a template is "<metric>/<member>", its parameter "<metric>/<parameter>", an element of an array
//   "<metric>[<index>]", a cell of a data set "<metric>[<row>]/<column>"; templates nest. Each is a metric of its own;
//   the composed one is in the table as well and gives no samples. Definitions of templates give none either.
// - Aliases are looked up within the source whose topic the message has, so that nodes which number each device's
//   aliases anew are understood as well.
// - A payload may be compressed (compressed.h): what is inside is taken for the message.
// - bdSeq and what begins with "Node Control/" or "Device Control/" is in the table and gives no samples.
// - Metrics that cannot be used (no name, unknown data type, unknown alias) are refused one by one; one event names the
//   first of a message and how many there are.

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/sparkplug/host_node.h"
#include "gateway/sparkplug/host_output.h"
#include "gateway/sparkplug/host_source.h"
#include "gateway/sparkplug/payload.h"
#include "gateway/sparkplug/topic.h"

namespace fettle::sparkplug {

namespace state {
class NodePart;
}

struct HostOptions {
  std::chrono::milliseconds reorder_timeout{2'000};  // 0: a gap is lost at once
  std::size_t max_waiting_messages = 256;            // of one node, in its reorder buffer
  std::size_t max_waiting_bytes = 1U << 20U;         // of one node
  std::size_t max_waiting_bytes_all = 64U << 20U;
  std::chrono::milliseconds rebirth_interval{5'000};        // between two requests to a node; doubles ...
  std::chrono::milliseconds max_rebirth_interval{300'000};  // ... up to this; each with up to half as much added
  std::chrono::milliseconds rejoin_spread{10'000};          // after a broker is back, requests are spread over this
  std::size_t max_nodes = 10'000;
  std::size_t max_devices = 100'000;
  std::size_t max_metrics = 10'000;     // of one source, flattened ones included
  std::size_t max_payload = 1U << 20U;  // bytes of a compressed payload when inflated; also kMaxInflatedBytes
};

// Since construction; not saved.
struct HostCounters {
  std::uint64_t messages = 0;
  std::uint64_t samples = 0;
  std::uint64_t duplicates = 0;      // the same message again
  std::uint64_t foreign_broker = 0;  // from another broker than the node's session
  std::uint64_t ignored_deaths = 0;  // NDEATH of a session that is not the last one, or the second of one
  std::uint64_t foreign_hosts = 0;   // STATE, NCMD and DCMD that other hosts (or we) sent
  std::uint64_t reordered = 0;       // messages that waited and were applied in order
  std::uint64_t gaps_lost = 0;
  std::uint64_t messages_lost = 0;  // in those gaps
  std::uint64_t rebirth_requests = 0;
  std::uint64_t refused = 0;  // events
};

class HostNodes {
 public:
  explicit HostNodes(const HostOptions& options = {});
  ~HostNodes();
  HostNodes(HostNodes&&) noexcept;
  HostNodes& operator=(HostNodes&&) noexcept;
  HostNodes(const HostNodes&) = delete;
  HostNodes& operator=(const HostNodes&) = delete;

  // Applies one message. Times of arrivals, ticks and broker changes never go back. Appends to `out`.
  void message(const Arrival& arrival, Output& out);

  // What is due at `now`: waits that are over, requests to repeat. Costs nothing while now < next_due().
  void tick(Time now, Output& out);
  std::optional<Time> next_due() const;

  // The connection to a broker is lost: everything that was online over it is stale until it is born again.
  void broker_down(std::string_view broker, Time now, Output& out);
  // It is back: nodes that are not born again by themselves are asked to, spread over rejoin_spread.
  void broker_up(std::string_view broker, Time now);

  const Source& source(SourceId id) const { return *sources_[id]; }
  std::size_t sources() const { return sources_.size(); }
  const HostCounters& counters() const { return counters_; }
  std::size_t waiting_bytes() const { return waiting_bytes_; }

  // ---- state, in parts, for checkpoints

  // Of one edge node: its and its devices' tables, which change with births only; and its session, which changes with
  // every message and is small.
  enum class Part : std::uint8_t { tables, session };
  struct Changed {
    std::uint32_t node = 0;  // 0 ... nodes() - 1, in order of first sight
    Part part = Part::tables;
    auto operator<=>(const Changed&) const = default;
  };
  std::size_t nodes() const { return nodes_.size(); }
  std::uint32_t node_number(SourceId id) const { return node_index_[sources_[id]->node]; }
  SourceId source_of_node(std::uint32_t number) const { return nodes_[number].source; }
  // `changing` is told of each change of a part before it is made, so that the part can still be saved as it was; of a
  // new node's parts when they have come to be. Called with every message: it should cost next to nothing.
  void before_changes(std::function<void(Changed)> changing) { changing_ = std::move(changing); }
  // A name for the part that stays the same: "<group>/<node>/tables", "<group>/<node>/session".
  std::string key(Changed part) const;
  std::string save(Changed part) const;  // fettle.sparkplug.state.NodePart of host_state.proto
  // Takes a saved part into a HostNodes that has seen no message; all tables before the first session. Says why not.
  std::optional<Malformed> load(std::string_view saved);

 private:
  struct Route;    // what a topic stands for
  struct Current;  // the message being applied

  // routing (host_nodes.cpp)
  const Route* route(const Arrival& arrival, Output& out);
  const Route* new_route(const Arrival& arrival, std::uint64_t hash, Output& out);
  SourceId find_source(std::string_view path) const;
  SourceId discover(const Topic& topic, bool device, const Arrival& arrival, Output& out);
  SourceId add_source(std::string_view group, std::string_view node, std::string_view device);
  std::uint16_t broker_index(std::string_view broker);
  HostNode& node_of(const Source& source) { return nodes_[node_index_[source.node]]; }
  void touch(const HostNode& node, Part part) const;
  void run_due(Time now, Output& out);
  void refuse(const Current& current, std::string_view reason, std::string detail, Output& out);
  static Event& add_event(Output& out, EventKind kind, SourceId source, Time at);

  // order (host_order.cpp)
  void sequenced(HostNode& node, const Current& current, Output& out);
  void late(HostNode& node, const Current& current, Output& out);
  void wait(HostNode& node, const Current& current, Output& out);
  void drain(HostNode& node, Time now, Output& out);
  void lose_gap(HostNode& node, Time now, Output& out);
  void apply_waiting(HostNode& node, Waiting&& message, bool historical, Time now, Output& out);
  void open_gap(HostNode& node, Time now, Output& out);
  void gap_event(const HostNode& node, GapState state, Time now, Output& out);
  void want_rebirth(HostNode& node, std::uint16_t broker, std::string_view reason, Time now, Output& out);
  void request_rebirth(HostNode& node, Time now, Output& out);
  void forget_rebirth(HostNode& node);
  void schedule(HostNode& node);

  // births, deaths, data (host_sessions.cpp)
  void apply(HostNode& node, const Current& current, Output& out);
  void node_birth(HostNode& node, const Current& current, Output& out);
  void device_birth(HostNode& node, const Current& current, Output& out);
  void node_death(HostNode& node, const Current& current, Output& out);
  void device_death(HostNode& node, const Current& current, Output& out);
  void end_session(HostNode& node, EventKind kind, const Current* current, Time now, Output& out);

  // samples (host_samples.cpp)
  class Samples;
  bool make_room(Source& source, const Current& current, const Output& out) const;
  void birth_samples(HostNode& node, Source& source, const Current& current, Output& out);
  void data_samples(HostNode& node, Source& source, const Current& current, Output& out);

  // state (host_state.cpp)
  std::optional<Malformed> load_tables(const state::NodePart& in);
  std::optional<Malformed> load_session(const state::NodePart& in);

  HostOptions options_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<std::uint32_t> node_index_;  // by the source of a node: its place in nodes_
  PlaceIndex by_path_;                     // sources_
  std::vector<HostNode> nodes_;
  std::vector<std::unique_ptr<std::string>> brokers_;
  std::vector<Route> routes_;
  PlaceIndex by_topic_;
  std::set<std::pair<Time, std::uint32_t>> due_;  // (when, node)
  std::function<void(Changed)> changing_;
  HostCounters counters_;
  std::size_t devices_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t first_event_ = 0;  // of the call that runs, in its Output
  Payload payload_;              // of the arrival
  Payload waiting_payload_;      // of what waited
};

}  // namespace fettle::sparkplug
