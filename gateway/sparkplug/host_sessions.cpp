// HostNodes: births, deaths, and what becomes of sources with them.

#include "gateway/sparkplug/host_current.h"

namespace fettle::sparkplug {
namespace {

// bdSeq is an Int64; older edge nodes send it as UInt64, and any integer does.
std::optional<std::int64_t> bd_seq_of(const Payload& payload) {
  for (const Metric& metric : payload.metrics) {
    if (metric.name == kBdSeq) return integer_of(metric.value, DataType::int64);
  }
  return std::nullopt;
}

std::optional<Time> stamp_of(const Payload& payload) {
  if (!payload.timestamp) return std::nullopt;
  return time_of(*payload.timestamp);
}

}  // namespace

// A message whose turn it is.
void HostNodes::apply(HostNode& node, const Current& current, Output& out) {
  switch (current.type) {
    case MessageType::dbirth:
      return device_birth(node, current, out);
    case MessageType::ddeath:
      return device_death(node, current, out);
    default:
      break;
  }
  Source& source = *sources_[current.source];
  if (!source.online) {
    refuse(current, "before_birth",
           "data of " + source.path + ", which was not born since its node was; its birth is asked for", out);
    return want_rebirth(node, current.broker, "before_birth", current.now, out);
  }
  data_samples(node, source, current, out);
}

void HostNodes::node_birth(HostNode& node, const Current& current, Output& out) {
  const Payload& payload = *current.payload;
  if (!payload.seq || *payload.seq > 255) {
    refuse(current, "no_seq", "an NBIRTH without a sequence number from 0 to 255", out);
    return want_rebirth(node, current.broker, "no_seq", current.now, out);
  }
  const auto seq = static_cast<std::uint8_t>(*payload.seq);
  const auto next = static_cast<std::uint8_t>(seq + 1);
  const bool same_broker = node.session && node.broker == current.broker;
  if (same_broker && node.birth_hash == current.origin.hash && node.next_seq == next && node.waiting.empty()) {
    ++counters_.duplicates;
    return;
  }
  lose_gap(node, current.now, out);  // as history of the session that ends here
  const auto bd_seq = bd_seq_of(payload);
  node.rebirth = same_broker && node.bd_seq == bd_seq;
  node.after_absence = !node.rebirth;
  node.session = true;
  node.broker = current.broker;
  node.bd_seq = bd_seq;
  node.birth_stamp = stamp_of(payload);
  node.birth_received = current.now;
  node.birth_hash = current.origin.hash;
  node.next_seq = next;
  node.last_in_order = current.now;
  node.recent.fill(0);
  node.lost_count = 0;
  forget_rebirth(node);

  for (const SourceId id : node.devices) {
    if (!sources_[id]->online) continue;
    sources_[id]->online = false;
    add_event(out, EventKind::stale, id, current.now).origin = current.origin;
  }
  Source& source = *sources_[node.source];
  Event& event = add_event(out, EventKind::born, node.source, current.now);
  event.rebirth = node.rebirth;
  event.after_absence = node.after_absence;
  event.timestamp = node.birth_stamp;
  event.origin = current.origin;
  event.broker = *brokers_[node.broker];
  source.online = true;
  source.appeared = true;
  source.dead = false;
  birth_samples(node, source, current, out);
}

void HostNodes::device_birth(HostNode& node, const Current& current, Output& out) {
  Source& source = *sources_[current.source];
  Event& event = add_event(out, EventKind::born, source.id, current.now);
  event.after_absence = !source.online && (node.after_absence || source.dead || !source.appeared);
  event.rebirth = !event.after_absence;
  event.timestamp = stamp_of(*current.payload);
  event.origin = current.origin;
  event.broker = *brokers_[node.broker];
  source.online = true;
  source.appeared = true;
  source.dead = false;
  birth_samples(node, source, current, out);
}

// By bdSeq alone, never by time: a will registered long ago speaks of the session it was registered with.
void HostNodes::node_death(HostNode& node, const Current& current, Output& out) {
  const auto bd_seq = bd_seq_of(*current.payload);
  if (!node.session || (node.bd_seq && bd_seq != node.bd_seq)) {
    ++counters_.ignored_deaths;
    return;
  }
  lose_gap(node, current.now, out);
  end_session(node, EventKind::died, &current, current.now, out);
}

void HostNodes::device_death(HostNode&, const Current& current, Output& out) {
  Source& source = *sources_[current.source];
  if (!source.online) return;  // it is no news
  source.online = false;
  source.dead = true;
  const auto stamp = stamp_of(*current.payload);
  Event& event = add_event(out, EventKind::died, source.id, stamp.value_or(current.now));
  event.timestamp = stamp;
  event.origin = current.origin;
}

// `kind` died: the node said so, or its broker did for it; stale: nothing is known any more.
void HostNodes::end_session(HostNode& node, EventKind kind, const Current* current, Time now, Output& out) {
  lose_gap(node, now, out);
  node.session = false;
  node.lost_count = 0;
  forget_rebirth(node);
  const auto end = [&](SourceId id) {
    Source& source = *sources_[id];
    // Devices that are stale already (no DBIRTH since the NBIRTH) die with their node all the same.
    const bool concerned = source.online || (kind == EventKind::died && source.appeared && !source.dead);
    source.online = false;
    source.dead = source.dead || kind == EventKind::died;
    if (!concerned) return;
    Event& event = add_event(out, kind, id, now);
    if (current != nullptr) {
      event.origin = current->origin;
      event.timestamp = stamp_of(*current->payload);
    }
  };
  end(node.source);
  for (const SourceId id : node.devices) end(id);
}

}  // namespace fettle::sparkplug
