#include "gateway/sparkplug/host_nodes.h"

#include <algorithm>

#include "gateway/sparkplug/compressed.h"
#include "gateway/sparkplug/host_current.h"

namespace fettle::sparkplug {

HostNodes::HostNodes(const HostOptions& options) : options_(options) {}
HostNodes::~HostNodes() = default;
HostNodes::HostNodes(HostNodes&&) noexcept = default;
HostNodes& HostNodes::operator=(HostNodes&&) noexcept = default;

Event& HostNodes::add_event(Output& out, EventKind kind, SourceId source, Time at) {
  Event& event = out.events.emplace_back();
  event.kind = kind;
  event.source = source;
  event.at = at;
  return event;
}

void HostNodes::refuse(const Current& current, std::string_view reason, std::string detail, Output& out) {
  ++counters_.refused;
  Event& event = add_event(out, EventKind::refused, current.source, current.now);
  event.origin = current.origin;
  event.broker = *brokers_[current.broker];
  event.reason = out.kept.emplace_back(reason);
  event.detail = out.kept.emplace_back(std::move(detail));
}

void HostNodes::touch(const HostNode& node, Part part) const {
  if (changing_) changing_({node_index_[node.source], part});
}

std::uint16_t HostNodes::broker_index(std::string_view broker) {
  for (std::size_t i = 0; i < brokers_.size(); ++i) {
    if (*brokers_[i] == broker) return static_cast<std::uint16_t>(i);
  }
  brokers_.push_back(std::make_unique<std::string>(broker));
  return static_cast<std::uint16_t>(brokers_.size() - 1);
}

// ---- from topics to sources

SourceId HostNodes::find_source(std::string_view path) const {
  return by_path_.find(std::hash<std::string_view>()(path),
                       [&](std::uint32_t entry) { return sources_[entry]->path == path; });
}

SourceId HostNodes::add_source(std::string_view group, std::string_view node, std::string_view device) {
  const auto id = static_cast<SourceId>(sources_.size());
  auto source = std::make_unique<Source>();
  source->id = id;
  source->path.append(group).append(1, '/').append(node);
  source->group = group;
  source->node_name = node;
  source->device = device;
  source->node = device.empty() ? id : find_source(source->path);
  if (!device.empty()) {
    source->path.append(1, '/').append(device);
    touch(node_of(*source), Part::tables);
    touch(node_of(*source), Part::session);
  }
  by_path_.insert(std::hash<std::string_view>()(source->path), id);
  sources_.push_back(std::move(source));
  node_index_.push_back(0);
  if (device.empty()) {
    node_index_[id] = static_cast<std::uint32_t>(nodes_.size());
    nodes_.emplace_back().source = id;
    touch(nodes_.back(), Part::tables);
    touch(nodes_.back(), Part::session);
  } else {
    ++devices_;
    node_of(*sources_[id]).devices.push_back(id);
  }
  return id;
}

// The source of a topic, which is made where it is new; kNoSource where there is no room.
SourceId HostNodes::discover(const Topic& topic, bool device, const Arrival& arrival, Output& out) {
  std::string path;
  path.append(topic.group).append(1, '/').append(topic.node);
  if (device) path.append(1, '/').append(topic.device);
  const SourceId known = find_source(path);
  if (known != kNoSource) return known;
  const std::size_t limit = device ? options_.max_devices : options_.max_nodes;
  if ((device ? devices_ : nodes_.size()) >= limit) {
    Current current;
    current.origin = {arrival.sequence, arrival.received, arrival.topic, arrival.hash};
    current.now = arrival.received;
    current.broker = broker_index(arrival.broker);
    refuse(current, device ? "too_many_devices" : "too_many_nodes",
           path + " would be one more than the " + std::to_string(limit) + (device ? " devices" : " edge nodes") +
               " this gateway keeps",
           out);
    return kNoSource;
  }
  const SourceId id = add_source(topic.group, topic.node, device ? topic.device : std::string_view());
  Event& event = add_event(out, EventKind::discovered, id, arrival.received);
  event.origin = {arrival.sequence, arrival.received, arrival.topic, arrival.hash};
  event.broker = *brokers_[broker_index(arrival.broker)];
  return id;
}

const HostNodes::Route* HostNodes::route(const Arrival& arrival, Output& out) {
  const std::uint64_t hash = std::hash<std::string_view>()(arrival.topic);
  const std::uint32_t known =
      by_topic_.find(hash, [&](std::uint32_t entry) { return routes_[entry].topic == arrival.topic; });
  if (known != PlaceIndex::kNone) return &routes_[known];
  return new_route(arrival, hash, out);
}

const HostNodes::Route* HostNodes::new_route(const Arrival& arrival, std::uint64_t hash, Output& out) {
  const auto topic = parse_topic(arrival.topic);
  if (!topic) {
    Current current;
    current.origin = {arrival.sequence, arrival.received, arrival.topic, arrival.hash};
    current.now = arrival.received;
    current.broker = broker_index(arrival.broker);
    refuse(current, topic.error().reason, topic.error().detail, out);
    return nullptr;
  }
  if (topic->type == MessageType::state || topic->type == MessageType::ncmd || topic->type == MessageType::dcmd) {
    ++counters_.foreign_hosts;
    return nullptr;
  }
  const SourceId node = discover(*topic, false, arrival, out);
  if (node == kNoSource) return nullptr;
  SourceId source = node;
  if (has_device(topic->type)) {
    source = discover(*topic, true, arrival, out);
    if (source == kNoSource) return nullptr;
  }
  const auto entry = static_cast<std::uint32_t>(routes_.size());
  routes_.push_back({std::string(arrival.topic), topic->type, node_index_[node], source});
  by_topic_.insert(hash, entry);
  return &routes_.back();
}

// ---- messages and time

void HostNodes::message(const Arrival& arrival, Output& out) {
  ++counters_.messages;
  first_event_ = out.events.size();
  run_due(arrival.received, out);
  const Route* const found = route(arrival, out);
  if (found == nullptr) return;

  HostNode& node = nodes_[found->node];
  Current current;
  current.origin = {arrival.sequence, arrival.received, arrival.topic, arrival.hash};
  current.bytes = arrival.payload;
  current.type = found->type;
  current.source = found->source;
  current.broker = broker_index(arrival.broker);
  current.payload = &payload_;
  current.now = arrival.received;
  if (node.session && current.broker != node.broker && current.type != MessageType::nbirth) {
    ++counters_.foreign_broker;
    return;
  }
  touch(node, Part::session);
  auto problem = decode(arrival.payload, payload_);
  if (!problem && is_compressed(payload_)) {
    std::string& inflated = out.kept.emplace_back();
    problem = unwrap(payload_, options_.max_payload, inflated);
    current.bytes = inflated;  // what has to wait waits inflated
  }
  if (problem) {
    refuse(current, problem->reason, std::move(problem->detail), out);
    if (current.type != MessageType::ndeath) want_rebirth(node, current.broker, "malformed", current.now, out);
    return;
  }
  switch (current.type) {
    case MessageType::nbirth:
      return node_birth(node, current, out);
    case MessageType::ndeath:
      return node_death(node, current, out);
    default:
      return sequenced(node, current, out);
  }
}

std::optional<Time> HostNodes::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

void HostNodes::tick(Time now, Output& out) {
  first_event_ = out.events.size();
  run_due(now, out);
}

void HostNodes::run_due(Time now, Output& out) {
  while (!due_.empty() && due_.begin()->first <= now) {
    HostNode& node = nodes_[due_.begin()->second];
    touch(node, Part::session);
    if (node.gap_deadline && *node.gap_deadline <= now) {
      lose_gap(node, now, out);
      want_rebirth(node, node.broker, "gap", now, out);
    } else {
      request_rebirth(node, now, out);
    }
    schedule(node);
  }
}

void HostNodes::broker_down(std::string_view broker, Time now, Output& out) {
  first_event_ = out.events.size();
  const std::uint16_t index = broker_index(broker);
  for (HostNode& node : nodes_) {
    if (!node.session || node.broker != index) continue;
    touch(node, Part::session);
    end_session(node, EventKind::stale, nullptr, now, out);
  }
}

void HostNodes::broker_up(std::string_view broker, Time now) {
  const std::uint16_t index = broker_index(broker);
  for (HostNode& node : nodes_) {
    const Source& source = *sources_[node.source];
    if (node.session || node.broker != index || !source.appeared || source.dead) continue;
    touch(node, Part::session);
    node.rebirth_reason = "rejoin";
    node.ask_broker = index;
    // Most edge nodes see our STATE return and are born by themselves: they get the first interval to do so.
    const auto spread = static_cast<std::uint64_t>(options_.rejoin_spread.count()) + 1;
    node.rebirth_due = now + options_.rebirth_interval +
                       std::chrono::milliseconds(static_cast<std::int64_t>(stable_hash(source.path) % spread));
    schedule(node);
  }
}

}  // namespace fettle::sparkplug
