// HostNodes: its state as bytes and back.

#include <algorithm>

#include "gateway/sparkplug/host_current.h"
#include "gateway/sparkplug/host_state.pb.h"

namespace fettle::sparkplug {
namespace {

std::int64_t ms(Time time) {
  return time.time_since_epoch().count();
}
Time time_at(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}

void save_table(const Source& source, state::SourceTable& out) {
  out.set_id(source.id);
  out.set_device(source.device);
  out.set_generation(source.generation);
  for (const MetricEntry& entry : source.metrics) {
    state::MetricRow& row = *out.add_metrics();
    row.set_name(entry.name.get());
    if (entry.alias) row.set_alias(*entry.alias);
    row.set_type(static_cast<std::uint32_t>(entry.type));
    row.set_born(entry.born);
  }
}

void load_table(const state::SourceTable& in, Source& source) {
  source.generation = in.generation();
  source.metrics.clear();
  source.by_name.clear();
  source.reserve(static_cast<std::size_t>(in.metrics_size()));
  for (const state::MetricRow& row : in.metrics()) {
    const std::uint32_t entry = source.add(row.name(), data_type_of(row.type()).value_or(DataType::unknown));
    if (row.has_alias()) source.metrics[entry].alias = row.alias();
    source.metrics[entry].born = row.born();
  }
  source.rebuild_indices();
}

void save_order(const HostNode& node, state::NodeSession& out) {
  out.set_next_seq(node.next_seq);
  out.set_last_in_order(ms(node.last_in_order));
  for (const std::uint32_t hash : node.recent) out.add_recent(hash);
  for (const Waiting& message : node.waiting) {
    state::WaitingMessage& row = *out.add_waiting();
    row.set_seq(message.seq);
    row.set_type(static_cast<std::uint32_t>(message.type));
    row.set_source(message.source);
    row.set_sequence(message.sequence);
    row.set_hash(message.hash);
    row.set_received(ms(message.received));
    row.set_topic(message.topic);
    row.set_payload(message.payload);
  }
  if (node.gap_deadline) out.set_gap_deadline(ms(*node.gap_deadline));
  out.set_gap_since(ms(node.gap_since));
  out.set_gap_expected(node.gap_expected);
  out.set_gap_got(node.gap_got);
  out.set_gap_missing(node.gap_missing);
  out.set_lost_first(node.lost_first);
  out.set_lost_count(node.lost_count);
}

void load_order(const state::NodeSession& in, HostNode& node) {
  node.next_seq = static_cast<std::uint8_t>(in.next_seq());
  node.last_in_order = time_at(in.last_in_order());
  const auto recent = std::min<std::size_t>(static_cast<std::size_t>(in.recent_size()), node.recent.size());
  std::copy_n(in.recent().begin(), recent, node.recent.begin());
  for (const state::WaitingMessage& row : in.waiting()) {
    Waiting& message = node.waiting.emplace_back();
    message.seq = static_cast<std::uint8_t>(row.seq());
    message.type = static_cast<MessageType>(row.type());
    message.source = row.source();
    message.sequence = row.sequence();
    message.hash = row.hash();
    message.received = time_at(row.received());
    message.topic = row.topic();
    message.payload = row.payload();
    node.waiting_bytes += message.bytes();
  }
  if (in.has_gap_deadline()) node.gap_deadline = time_at(in.gap_deadline());
  node.gap_since = time_at(in.gap_since());
  node.gap_expected = static_cast<std::uint8_t>(in.gap_expected());
  node.gap_got = static_cast<std::uint8_t>(in.gap_got());
  node.gap_missing = static_cast<std::uint16_t>(in.gap_missing());
  node.lost_first = static_cast<std::uint8_t>(in.lost_first());
  node.lost_count = static_cast<std::uint16_t>(in.lost_count());
}

void save_birth(const HostNode& node, state::NodeSession& out) {
  out.set_session(node.session);
  if (node.bd_seq) out.set_bd_seq(*node.bd_seq);
  if (node.birth_stamp) out.set_birth_stamp(ms(*node.birth_stamp));
  out.set_birth_received(ms(node.birth_received));
  out.set_birth_hash(node.birth_hash);
  out.set_rebirth(node.rebirth);
  out.set_after_absence(node.after_absence);
  out.set_aliases_kept(node.aliases_kept);
  out.set_rebirth_reason(node.rebirth_reason);
  if (node.rebirth_due) out.set_rebirth_due(ms(*node.rebirth_due));
  if (node.last_request) out.set_last_request(ms(*node.last_request));
  if (node.next_allowed) out.set_next_allowed(ms(*node.next_allowed));
  out.set_interval(node.interval.count());
}

void load_birth(const state::NodeSession& in, std::chrono::milliseconds longest_interval, HostNode& node) {
  node.session = in.session();
  if (in.has_bd_seq()) node.bd_seq = in.bd_seq();
  if (in.has_birth_stamp()) node.birth_stamp = time_at(in.birth_stamp());
  node.birth_received = time_at(in.birth_received());
  node.birth_hash = in.birth_hash();
  node.rebirth = in.rebirth();
  node.after_absence = in.after_absence();
  node.aliases_kept = in.aliases_kept();
  node.rebirth_reason = in.rebirth_reason();
  if (in.has_rebirth_due()) node.rebirth_due = time_at(in.rebirth_due());
  if (in.has_last_request()) node.last_request = time_at(in.last_request());
  if (in.has_next_allowed()) node.next_allowed = time_at(in.next_allowed());
  node.interval = std::clamp(std::chrono::milliseconds(in.interval()), std::chrono::milliseconds(0), longest_interval);
}

// Messages that have a place in the order of sequence numbers, and are no NBIRTH.
bool may_wait(std::uint32_t type) {
  for (const MessageType known : {MessageType::ndata, MessageType::ddata, MessageType::dbirth, MessageType::ddeath}) {
    if (type == static_cast<std::uint32_t>(known)) return true;
  }
  return false;
}

Malformed broken(std::string_view what) {
  return {"bad_state", "saved state of an edge node: " + std::string(what) +
                           "; it is of another version or damaged: start from the journal without it"};
}

}  // namespace

std::string HostNodes::key(Changed part) const {
  return sources_[nodes_[part.node].source]->path + (part.part == Part::tables ? "/tables" : "/session");
}

std::string HostNodes::save(Changed part) const {
  const HostNode& node = nodes_[part.node];
  const Source& own = *sources_[node.source];
  state::NodePart out;
  out.set_number(part.node);
  out.set_group(own.group);
  out.set_node(own.node_name);
  if (part.part == Part::tables) {
    state::NodeTables& tables = *out.mutable_tables();
    save_table(own, *tables.add_sources());
    for (const SourceId id : node.devices) save_table(*sources_[id], *tables.add_sources());
  } else {
    state::NodeSession& session = *out.mutable_session();
    const auto add = [&](SourceId id) {
      state::SourceState& row = *session.add_sources();
      row.set_id(id);
      row.set_online(sources_[id]->online);
      row.set_appeared(sources_[id]->appeared);
      row.set_dead(sources_[id]->dead);
    };
    add(node.source);
    for (const SourceId id : node.devices) add(id);
    // A node is known from a message, and every message came over some broker.
    session.set_broker(*brokers_[node.broker]);
    session.set_ask_broker(*brokers_[node.ask_broker]);
    save_birth(node, session);
    save_order(node, session);
  }
  return out.SerializeAsString();
}

std::optional<Malformed> HostNodes::load(std::string_view saved) {
  state::NodePart in;
  if (!in.ParseFromArray(saved.data(), static_cast<int>(saved.size()))) return broken("the bytes cannot be read");
  if (in.number() >= options_.max_nodes) return broken("more edge nodes than are allowed");
  if (in.has_tables()) return load_tables(in);
  if (in.has_session()) return load_session(in);
  return broken("neither tables nor a session");
}

std::optional<Malformed> HostNodes::load_tables(const state::NodePart& in) {
  const std::size_t limit = options_.max_nodes + options_.max_devices;
  if (in.tables().sources_size() == 0) return broken("no table of the node itself");
  if (nodes_.size() <= in.number()) nodes_.resize(in.number() + 1);
  HostNode& node = nodes_[in.number()];
  const SourceId own = in.tables().sources(0).id();
  for (const state::SourceTable& table : in.tables().sources()) {
    if (table.id() >= limit) return broken("more sources than are allowed");
    while (sources_.size() <= table.id()) {
      sources_.push_back(std::make_unique<Source>());
      node_index_.push_back(0);
    }
    Source& source = *sources_[table.id()];
    if (source.id != kNoSource) return broken("two sources of one number");
    source.id = table.id();
    source.node = own;
    source.group = in.group();
    source.node_name = in.node();
    source.device = table.device();
    source.path = in.group() + '/' + in.node() + (source.device.empty() ? "" : '/' + source.device);
    by_path_.insert(std::hash<std::string_view>()(source.path), source.id);
    load_table(table, source);
    if (source.id == own) {
      node.source = own;
      node_index_[own] = in.number();
    } else {
      node.devices.push_back(source.id);
      ++devices_;
    }
  }
  return std::nullopt;
}

std::optional<Malformed> HostNodes::load_session(const state::NodePart& in) {
  if (in.number() >= nodes_.size() || nodes_[in.number()].source == kNoSource) {
    return broken("a session before the tables it rests on");
  }
  HostNode& node = nodes_[in.number()];
  const state::NodeSession& session = in.session();
  if (!session.has_broker() || !session.has_ask_broker()) return broken("no broker");
  const auto ours = [&](SourceId id) {
    return id < sources_.size() && sources_[id]->id == id && sources_[id]->node == node.source;
  };
  for (const state::SourceState& row : session.sources()) {
    if (!ours(row.id())) return broken("the state of a source without a table");
    Source& source = *sources_[row.id()];
    source.online = row.online();
    source.appeared = row.appeared();
    source.dead = row.dead();
  }
  for (const state::WaitingMessage& row : session.waiting()) {
    if (!ours(row.source()) || !may_wait(row.type())) return broken("a waiting message that cannot wait");
  }
  if (session.has_gap_deadline() != (session.waiting_size() > 0))
    return broken("a wait for nothing, or one without end");
  node.broker = broker_index(session.broker());
  node.ask_broker = broker_index(session.ask_broker());
  load_birth(session, options_.max_rebirth_interval, node);
  load_order(session, node);
  waiting_bytes_ += node.waiting_bytes;
  schedule(node);
  return std::nullopt;
}

}  // namespace fettle::sparkplug
