// HostNodes: sequence numbers, the reorder buffer, and rebirth requests.

#include <algorithm>

#include "gateway/sparkplug/host_current.h"

namespace fettle::sparkplug {
namespace {

// How far `seq` is ahead of `from`, modulo 256.
std::uint8_t ahead(std::uint8_t seq, std::uint8_t from) {
  return static_cast<std::uint8_t>(seq - from);
}

// From here on a number is taken to be behind rather than ahead, where something speaks for it.
constexpr std::uint8_t kBehind = 128;

// So many numbers on, one of a lost gap is too likely to be a new one.
constexpr std::uint8_t kForgotten = 192;

std::uint32_t low_half(std::uint64_t hash) {
  return static_cast<std::uint32_t>(hash);
}

}  // namespace

// FNV-1a, 64 bits (Fowler, Noll, Vo): the same on every machine and in every run.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

// ---- order

void HostNodes::sequenced(HostNode& node, const Current& current, Output& out) {
  if (!node.session) {
    refuse(current, "before_birth",
           "a message of " + sources_[node.source]->path + ", which was not born since it was last out of reach; its " +
               "births are asked for",
           out);
    return want_rebirth(node, current.broker, "before_birth", current.now, out);
  }
  const Payload& payload = *current.payload;
  if (!payload.seq || *payload.seq > 255) {
    refuse(current, "no_seq", "no sequence number from 0 to 255; every message but NDEATH has one", out);
    return want_rebirth(node, current.broker, "no_seq", current.now, out);
  }
  const auto seq = static_cast<std::uint8_t>(*payload.seq);
  const std::uint8_t distance = ahead(seq, node.next_seq);
  const bool overtaken = node.rebirth && payload.timestamp && node.birth_stamp &&
                         time_of(*payload.timestamp) < node.birth_stamp &&
                         current.now - node.birth_received <= options_.reorder_timeout;
  if (overtaken && options_.reorder_timeout.count() > 0) return late(node, current, out);
  if (distance == 0) {
    node.recent[seq % HostNode::kRecent] = low_half(current.origin.hash);
    ++node.next_seq;
    node.last_in_order = current.now;
    if (ahead(node.next_seq, node.lost_first) > kForgotten) node.lost_count = 0;
    apply(node, current, out);
    if (!node.waiting.empty()) drain(node, current.now, out);
    return;
  }
  const std::uint32_t hash = low_half(current.origin.hash);
  if (distance >= 256 - HostNode::kRecent && node.recent[seq % HostNode::kRecent] == hash) {
    ++counters_.duplicates;
    return;
  }
  if (distance >= kBehind && ahead(seq, node.lost_first) < node.lost_count) return late(node, current, out);
  wait(node, current, out);
}

// What came too late to count: its values are history, its births and deaths are out of date.
void HostNodes::late(HostNode& node, const Current& current, Output& out) {
  Source& source = *sources_[current.source];
  const bool readable = current.type == MessageType::ndata || current.type == MessageType::ddata;
  if (!readable || !source.online || !node.aliases_kept) {
    return refuse(current, "overtaken",
                  "a message that a later one overtook for longer than messages are waited for; what it says is out of "
                  "date or cannot be read any more",
                  out);
  }
  Current history = current;
  history.historical = true;
  data_samples(node, source, history, out);
}

void HostNodes::wait(HostNode& node, const Current& current, Output& out) {
  const auto seq = static_cast<std::uint8_t>(*current.payload->seq);
  const auto place = std::find_if(node.waiting.begin(), node.waiting.end(), [&](const Waiting& other) {
    return ahead(other.seq, node.next_seq) >= ahead(seq, node.next_seq);
  });
  if (place != node.waiting.end() && place->seq == seq) {
    if (place->hash == current.origin.hash) {
      ++counters_.duplicates;
      return;
    }
    // Two messages of one number: 256 lie between them, and the gap is as wide as numbers reach.
    lose_gap(node, current.now, out);
    want_rebirth(node, node.broker, "gap", current.now, out);
    return sequenced(node, current, out);
  }
  const bool first = node.waiting.empty();
  Waiting waiting;
  waiting.seq = seq;
  waiting.type = current.type;
  waiting.source = current.source;
  waiting.sequence = current.origin.sequence;
  waiting.hash = current.origin.hash;
  waiting.received = current.origin.received;
  waiting.topic = current.origin.topic;
  waiting.payload = current.bytes;
  node.waiting_bytes += waiting.bytes();
  waiting_bytes_ += waiting.bytes();
  const bool nearest = place == node.waiting.begin();
  node.waiting.insert(place, std::move(waiting));
  if (first) {
    node.gap_since = node.last_in_order;
    open_gap(node, current.now, out);
  } else if (nearest) {
    node.gap_got = seq;
    node.gap_missing = ahead(seq, node.next_seq);
  }
  if (options_.reorder_timeout.count() == 0 || node.waiting.size() > options_.max_waiting_messages ||
      node.waiting_bytes > options_.max_waiting_bytes || waiting_bytes_ > options_.max_waiting_bytes_all) {
    lose_gap(node, current.now, out);
    want_rebirth(node, node.broker, "gap", current.now, out);
  }
}

void HostNodes::open_gap(HostNode& node, Time now, Output& out) {
  Time oldest = now;
  for (const Waiting& waiting : node.waiting) oldest = std::min(oldest, waiting.received);
  node.gap_deadline = oldest + options_.reorder_timeout;  // nobody waits longer than that, however many gaps there are
  node.gap_expected = node.next_seq;
  node.gap_got = node.waiting.front().seq;
  node.gap_missing = ahead(node.gap_got, node.gap_expected);
  gap_event(node, GapState::opened, now, out);
  schedule(node);
}

void HostNodes::gap_event(const HostNode& node, GapState state, Time now, Output& out) {
  Event& event = add_event(out, EventKind::gap, node.source, now);
  event.gap = state;
  event.expected = node.gap_expected;
  event.got = node.gap_got;
  event.missing = node.gap_missing;
  event.since = node.gap_since;
  event.broker = *brokers_[node.broker];
}

// Applies what is next in order by now.
void HostNodes::drain(HostNode& node, Time now, Output& out) {
  if (node.waiting.front().seq != node.next_seq) return;  // the gap is narrower, and still a gap
  gap_event(node, GapState::healed, now, out);
  while (!node.waiting.empty() && node.waiting.front().seq == node.next_seq) {
    Waiting message = std::move(node.waiting.front());
    node.waiting.erase(node.waiting.begin());
    ++counters_.reordered;
    apply_waiting(node, std::move(message), false, now, out);
  }
  node.gap_deadline.reset();
  if (!node.waiting.empty()) {
    node.gap_since = now;
    open_gap(node, now, out);
  } else {
    schedule(node);
  }
}

// Gives up waiting: what is there is applied in order, as history. Does nothing where nothing waits.
void HostNodes::lose_gap(HostNode& node, Time now, Output& out) {
  if (node.waiting.empty()) return;
  std::vector<Waiting> waiting;
  waiting.swap(node.waiting);
  std::uint16_t missing = 0;
  std::uint8_t next = node.next_seq;
  for (const Waiting& message : waiting) {
    missing = static_cast<std::uint16_t>(missing + ahead(message.seq, next));
    next = static_cast<std::uint8_t>(message.seq + 1);
  }
  node.gap_expected = node.next_seq;
  node.gap_got = waiting.front().seq;
  node.lost_first = node.next_seq;
  node.lost_count = ahead(next, node.next_seq);
  node.gap_missing = missing;
  gap_event(node, GapState::lost, now, out);
  ++counters_.gaps_lost;
  counters_.messages_lost += missing;
  // Where nothing is waited for, the message that shows the gap is no later than any other.
  const bool historical = options_.reorder_timeout.count() > 0;
  for (Waiting& message : waiting) {
    node.next_seq = message.seq;
    apply_waiting(node, std::move(message), historical, now, out);
  }
  node.gap_deadline.reset();
  schedule(node);
}

void HostNodes::apply_waiting(HostNode& node, Waiting&& message, bool historical, Time now, Output& out) {
  node.waiting_bytes -= message.bytes();
  waiting_bytes_ -= message.bytes();
  node.recent[message.seq % HostNode::kRecent] = low_half(message.hash);
  node.next_seq = static_cast<std::uint8_t>(message.seq + 1);
  node.last_in_order = now;
  Current current;
  current.origin = {message.sequence, message.received, out.kept.emplace_back(std::move(message.topic)), message.hash};
  current.bytes = out.kept.emplace_back(std::move(message.payload));
  current.type = message.type;
  current.source = message.source;
  current.broker = node.broker;
  current.payload = &waiting_payload_;
  current.historical = historical;
  current.now = now;
  if (decode(current.bytes, waiting_payload_)) return;  // it was decoded once, on arrival
  apply(node, current, out);
}

// ---- rebirth requests

void HostNodes::want_rebirth(HostNode& node, std::uint16_t broker, std::string_view reason, Time now, Output& out) {
  node.ask_broker = broker;
  if (!node.rebirth_reason.empty() && node.interval.count() > 0 && node.rebirth_due) {
    if (node.rebirth_reason != "rejoin") return;  // asked for already; the timer repeats it
  }
  node.rebirth_reason = reason;
  // Trouble that comes back right after each birth slows the requests down as silence does; old trouble is forgotten.
  if (!node.last_request || now - *node.last_request >= 2 * node.interval) node.interval = options_.rebirth_interval;
  if (node.next_allowed && now < *node.next_allowed) {
    node.rebirth_due = node.next_allowed;
    return schedule(node);
  }
  request_rebirth(node, now, out);
}

void HostNodes::request_rebirth(HostNode& node, Time now, Output& out) {
  constexpr std::chrono::milliseconds kShortest(1);  // time must pass between two, whatever the options say
  if (node.interval.count() == 0) node.interval = options_.rebirth_interval;
  node.interval = std::max(node.interval, kShortest);
  ++counters_.rebirth_requests;
  Event& event = add_event(out, EventKind::rebirth_request, node.source, now);
  event.broker = *brokers_[node.ask_broker];
  event.reason = out.kept.emplace_back(node.rebirth_reason);
  // Nodes that fell into trouble together do not ask together again.
  const auto half = static_cast<std::uint64_t>(node.interval.count() / 2) + 1;
  const std::uint64_t number = stable_hash(sources_[node.source]->path);
  const std::chrono::milliseconds jitter(static_cast<std::int64_t>(number % half));
  node.last_request = now;
  node.next_allowed = now + node.interval + jitter;
  node.rebirth_due = node.next_allowed;
  node.interval = std::min(node.interval * 2, options_.max_rebirth_interval);
  schedule(node);
}

void HostNodes::forget_rebirth(HostNode& node) {
  node.rebirth_reason.clear();
  node.rebirth_due.reset();
  schedule(node);
}

// Keeps due_ in step with the node's own deadlines.
void HostNodes::schedule(HostNode& node) {
  std::optional<Time> due = node.gap_deadline;
  if (node.rebirth_due && (!due || *node.rebirth_due < *due)) due = node.rebirth_due;
  if (due == node.scheduled) return;
  const std::uint32_t index = node_index_[node.source];
  if (node.scheduled) due_.erase({*node.scheduled, index});
  if (due) due_.insert({*due, index});
  node.scheduled = due;
}

}  // namespace fettle::sparkplug
