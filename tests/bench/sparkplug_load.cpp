#include "tests/bench/sparkplug_load.h"

#include <poll.h>

#include <algorithm>
#include <cstring>

#include "gateway/sparkplug/payload.pb.h"

namespace fettle::bench {
namespace {

// Protobuf's varints, base 128 (encoding guide). A time in ms since 1970 takes six bytes from 2^35 to 2^42: 1971 to
// 2109.
constexpr std::size_t kTimeBytes = 6;
constexpr char kPayloadTime = 0x08;    // field 1, varint
constexpr char kPayloadMetric = 0x12;  // field 2, length-delimited
constexpr char kPayloadSeq = 0x18;     // field 3, varint
constexpr char kMetricAlias = 0x10;
constexpr char kMetricTime = 0x18;
constexpr char kMetricDouble = 0x69;                  // field 13, fixed 64 bits
constexpr std::size_t kValueBehind = kTimeBytes + 1;  // bytes from a metric's time to its value
constexpr std::uint32_t kInt64 = 4;                   // data types of Sparkplug 3.0
constexpr std::uint32_t kDouble = 10;
constexpr std::uint32_t kBoolean = 11;
constexpr std::size_t kSlice = 64U << 10U;  // bytes that one node has waiting at most
constexpr int kPatience = 10'000;           // milliseconds in which the broker takes nothing

void put_varint(std::string& out, std::uint64_t value) {
  while (value >= 128) {
    out += static_cast<char>((value & 127U) | 128U);
    value >>= 7U;
  }
  out += static_cast<char>(value);
}

void patch_time(char* at, std::uint64_t time) {
  for (std::size_t i = 0; i + 1 < kTimeBytes; ++i) at[i] = static_cast<char>(((time >> (7 * i)) & 127U) | 128U);
  at[kTimeBytes - 1] = static_cast<char>(time >> (7 * (kTimeBytes - 1)));
}

std::uint64_t alias_of(const SparkplugShape& shape, std::size_t asset, std::size_t signal) {
  return asset / shape.nodes * shape.signals + signal;
}

std::string topic_of(const char* type, std::size_t asset, std::size_t nodes, bool device) {
  const std::string node = std::string("spBv1.0/") + kGroup + '/' + type + '/' + node_name(asset, nodes);
  return device ? node + '/' + asset_name(asset) : node;
}

void put_publish(std::string& out, const std::string& topic, const std::string& payload, const std::string& rest) {
  put_head(out, kPublishQos0, 2 + topic.size() + payload.size() + rest.size());
  put_text(out, topic);
  out += payload;
  out += rest;
}

std::string seq_field(unsigned seq) {
  std::string field(1, kPayloadSeq);
  put_varint(field, seq);
  return field;
}

unsigned next(unsigned& seq) {
  const unsigned now = seq;
  seq = (seq + 1) % 256;
  return now;
}

}  // namespace

SparkplugLoad::SparkplugLoad(const SparkplugShape& shape, std::chrono::sys_time<std::chrono::milliseconds> now)
    : shape_(shape), catalog_(make_catalog(shape.assets, shape.signals, shape.condition, shape.nodes)) {
  const auto span = static_cast<std::int64_t>(shape.rounds) * kInterval;
  start_ = static_cast<std::uint64_t>((now - span).time_since_epoch().count());
  expected_.readings = shape.assets * shape.signals * (shape.rounds + 1);
  expected_.episodes = shape.signals;
  for (std::size_t round = 0; round <= shape.rounds; ++round) {
    for (std::size_t asset = 0; asset < shape.assets; ++asset) {
      for (std::size_t signal = 0; signal < shape.signals; ++signal) {
        expected_.metered += value_of(asset, round, signal);
      }
    }
  }
  payloads_.resize(shape.assets);
  for (std::size_t asset = 0; asset < shape.assets; ++asset) {
    Payload& payload = payloads_[asset];
    payload.topic = topic_of("DDATA", asset, shape.nodes, true);
    payload.bytes += kPayloadTime;
    payload.bytes.append(kTimeBytes, '\0');
    std::string metric;
    for (std::size_t signal = 0; signal < shape.signals; ++signal) {
      metric.assign(1, kMetricAlias);
      put_varint(metric, alias_of(shape, asset, signal));
      metric += kMetricTime;
      const std::size_t time_in_metric = metric.size();
      metric.append(kTimeBytes, '\0');
      metric += kMetricDouble;
      metric.append(sizeof(double), '\0');
      payload.bytes += kPayloadMetric;
      put_varint(payload.bytes, metric.size());
      payload.at.push_back(static_cast<std::uint32_t>(payload.bytes.size() + time_in_metric));
      payload.bytes += metric;
    }
  }
}

std::size_t SparkplugLoad::bytes_of_message() const {
  return payloads_.front().bytes.size() + seq_field(255).size();
}

std::uint64_t SparkplugLoad::time_of(std::size_t round) const {
  return start_ + round * static_cast<std::uint64_t>(std::chrono::milliseconds(kInterval).count());
}

void SparkplugLoad::put_node_birth(std::size_t node, std::string& out) const {
  sparkplug::wire::Payload birth;
  birth.set_timestamp(time_of(0));
  birth.set_seq(0);
  sparkplug::wire::Metric& death = *birth.add_metrics();
  death.set_name("bdSeq");
  death.set_timestamp(time_of(0));
  death.set_datatype(kInt64);
  death.set_long_value(0);
  sparkplug::wire::Metric& rebirth = *birth.add_metrics();
  rebirth.set_name("Node Control/Rebirth");
  rebirth.set_timestamp(time_of(0));
  rebirth.set_datatype(kBoolean);
  rebirth.set_boolean_value(false);
  put_publish(out, topic_of("NBIRTH", node, shape_.nodes, false), birth.SerializeAsString(), {});
}

void SparkplugLoad::put_device_birth(std::size_t asset, unsigned seq, std::string& out) const {
  sparkplug::wire::Payload birth;
  birth.set_timestamp(time_of(0));
  birth.set_seq(seq);
  for (std::size_t signal = 0; signal < shape_.signals; ++signal) {
    sparkplug::wire::Metric& metric = *birth.add_metrics();
    metric.set_name(signal_name(signal));
    metric.set_alias(alias_of(shape_, asset, signal));
    metric.set_timestamp(time_of(0));
    metric.set_datatype(kDouble);
    metric.set_double_value(static_cast<double>(value_of(asset, 0, signal)) / 100);
  }
  put_publish(out, topic_of("DBIRTH", asset, shape_.nodes, true), birth.SerializeAsString(), {});
}

void SparkplugLoad::put_data(std::size_t asset, std::size_t round, unsigned seq, std::string& out) {
  Payload& payload = payloads_[asset];
  const std::uint64_t time = time_of(round);
  patch_time(payload.bytes.data() + 1, time);
  for (std::size_t signal = 0; signal < shape_.signals; ++signal) {
    char* at = payload.bytes.data() + payload.at[signal];
    patch_time(at, time);
    const double value = static_cast<double>(value_of(asset, round, signal)) / 100;
    std::memcpy(at + kValueBehind, &value, sizeof value);  // little endian, as the wire
  }
  put_publish(out, payload.topic, payload.bytes, seq_field(seq));
}

SparkplugFeed::SparkplugFeed(SparkplugLoad& load, int port, std::size_t window, std::size_t rate)
    : load_(load), window_(window), rate_(rate) {
  nodes_.reserve(load.shape().nodes);
  for (std::size_t node = 0; node < load.shape().nodes; ++node) {
    nodes_.push_back({Connection(port, "bench-" + node_name(node, load.shape().nodes)), {}, 0, 0});
  }
}

void SparkplugFeed::prepare() {
  const SparkplugShape& shape = load_.shape();
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    Node& node = nodes_[i];
    next(node.seq);
    load_.put_node_birth(i, node.pending);
    for (std::size_t asset = i; asset < shape.assets; asset += nodes_.size()) {
      load_.put_device_birth(asset, next(node.seq), node.pending);
    }
    for (std::size_t asset = i; asset < shape.assets; asset += nodes_.size()) {
      load_.put_data(asset, 0, next(node.seq), node.pending);
    }
    node.connection.send_all(node.pending);
    node.pending.clear();
  }
}

std::uint64_t SparkplugFeed::prepared_messages() const {
  return nodes_.size() + 2 * load_.shape().assets;
}

std::uint64_t SparkplugFeed::prepared_readings() const {
  return load_.shape().assets * load_.shape().signals;
}

std::uint64_t SparkplugFeed::messages() const {
  return load_.shape().assets * load_.shape().rounds;
}

void SparkplugFeed::put_next(Node& node, std::size_t message) {
  const std::size_t assets = load_.shape().assets;
  load_.put_data(message % assets, 1 + message / assets, next(node.seq), node.pending);
}

// Whether anything is left to send.
bool SparkplugFeed::send_pending() {
  bool left = false;
  for (Node& node : nodes_) {
    if (node.pending.empty()) continue;
    node.sent += node.connection.send_some(std::string_view(node.pending).substr(node.sent));
    if (node.sent == node.pending.size()) {
      node.pending.clear();
      node.sent = 0;
    } else {
      left = true;
    }
  }
  return left;
}

void SparkplugFeed::wait_for_room() {
  std::vector<pollfd> full;
  for (const Node& node : nodes_) {
    if (!node.pending.empty()) full.push_back({node.connection.socket(), POLLOUT, 0});
  }
  if (::poll(full.data(), full.size(), kPatience) == 0) fail_to_publish("the broker takes nothing any more");
}

void SparkplugFeed::publish(const Progress& progress) {
  using std::chrono::steady_clock;
  const auto begin = steady_clock::now();
  const std::size_t all = messages();
  const auto due = [&](std::size_t message) {  // when the rate allows it
    return begin + std::chrono::nanoseconds(rate_ == 0 ? 0 : message * 1'000'000'000ULL / rate_);
  };
  std::size_t published = 0;
  std::uint64_t arrived = 0;
  for (;;) {
    const auto now = steady_clock::now();
    const std::size_t may = std::min<std::size_t>(all, arrived + window_);
    bool full = false;
    while (published < may && !full && due(published) <= now) {
      Node& node = nodes_[published % load_.shape().assets % nodes_.size()];
      full = node.pending.size() >= kSlice;
      if (!full) put_next(node, published++);
    }
    const bool left = send_pending();
    if (published == all && !left) return;
    if (left) {
      if (full || published == may) wait_for_room();
      arrived = progress.arrived();
      continue;
    }
    const bool windowed = published == may;
    const auto until = windowed ? now + std::chrono::seconds(1) : due(published);
    const auto known = progress.wait_beyond(windowed ? arrived : all, until);
    if (!known) return;
    arrived = *known;
  }
}

}  // namespace fettle::bench
