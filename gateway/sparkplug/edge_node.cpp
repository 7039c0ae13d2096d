#include "gateway/sparkplug/edge_node.h"

#include <algorithm>

#include "gateway/sparkplug/edge_encode.h"
#include "gateway/sparkplug/edge_state.h"
#include "gateway/sparkplug/payload.pb.h"
#include "gateway/sparkplug/topic.h"

namespace fettle::sparkplug::edge {
namespace {

constexpr int kAtMostOnce = 0;
constexpr int kAtLeastOnce = 1;
constexpr std::uint8_t kDisconnectWithWill = 0x04;  // MQTT 5.0, 3.14.2.1

// Data are split so that no message passes the bound a gateway sets (payload.h, kMaxMetrics), with room to spare.
constexpr std::size_t kMostReadingsPerMessage = 5'000;

std::uint64_t millis(Time time) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(time.time_since_epoch().count(), 0));
}

std::int32_t quality_number(Quality quality) {
  switch (quality) {
    case Quality::bad:
      return static_cast<std::int32_t>(kQualityBad);
    case Quality::stale:
      return static_cast<std::int32_t>(kQualityStale);
    case Quality::good:
      break;
  }
  return static_cast<std::int32_t>(kQualityGood);
}

const TemplateDefinition* find_template(const EdgeConfig& config, std::string_view name) {
  const auto at = std::ranges::find(config.templates, name, &TemplateDefinition::name);
  return at == config.templates.end() ? nullptr : &*at;
}

// bdSeq is an Int64 by the text of the specification (6.4.7); no alias, so that every host can read it.
void add_session_number(wire::Payload& payload, std::uint8_t session, Time now) {
  auto& metric = *payload.add_metrics();
  metric.set_name(std::string(kSessionMetric));
  metric.set_timestamp(millis(now));
  metric.set_datatype(static_cast<std::uint32_t>(DataType::int64));
  metric.set_long_value(session);
}

void add_rebirth_command(wire::Payload& payload, Time now) {
  auto& metric = *payload.add_metrics();
  metric.set_name(std::string(kRebirthMetric));
  metric.set_timestamp(millis(now));
  metric.set_datatype(static_cast<std::uint32_t>(DataType::boolean));
  metric.set_boolean_value(false);
}

bool asks_for_rebirth(const wire::Metric& metric) {
  return metric.name() == kRebirthMetric && metric.boolean_value();
}

// What a host wrote, by the type that the birth gave the metric; null where the field is of another kind.
Value written_value(DataType type, const wire::Metric& metric) {
  const auto signed_of = [&]() -> std::int64_t {
    switch (type) {
      case DataType::int8:
        return static_cast<std::int8_t>(metric.int_value());
      case DataType::int16:
        return static_cast<std::int16_t>(metric.int_value());
      case DataType::int32:
        return static_cast<std::int32_t>(metric.int_value());
      default:
        return static_cast<std::int64_t>(metric.long_value());
    }
  };
  const bool is_signed = type >= DataType::int8 && type <= DataType::int64;
  switch (metric.value_case()) {
    case wire::Metric::kIntValue:
    case wire::Metric::kLongValue:
      if (is_signed) return signed_of();
      return metric.has_int_value() ? std::uint64_t{metric.int_value()} : metric.long_value();
    case wire::Metric::kFloatValue:
      return static_cast<double>(metric.float_value());
    case wire::Metric::kDoubleValue:
      return metric.double_value();
    case wire::Metric::kBooleanValue:
      return metric.boolean_value();
    case wire::Metric::kStringValue:
      return metric.string_value();
    case wire::Metric::kBytesValue:
      return metric.bytes_value();
    default:
      return std::monostate();
  }
}

}  // namespace

EdgeNode::EdgeNode(EdgeConfig config)
    : config_(std::move(config)), next_session_(config_.first_session), backoff_(config_.first_backoff) {
  std::uint64_t next_alias = 1;
  const auto prepare = [&](Source& prepared, std::vector<MetricDefinition>& metrics) {
    for (auto& definition : metrics) {
      Metric metric;
      if (const auto* instance = std::get_if<Instance>(&definition.value)) {
        definition.value = completed(*find_template(config_, instance->definition), nullptr, *instance);
      }
      metric.value = definition.value;
      if (config_.aliases == Aliases::every_metric) metric.alias = next_alias++;
      prepared.metrics.push_back(std::move(metric));
    }
  };
  prepare(node_, config_.metrics);
  devices_.resize(config_.devices.size());
  for (std::size_t i = 0; i < devices_.size(); ++i) prepare(devices_[i], config_.devices[i].metrics);
}

std::vector<Action> EdgeNode::take_actions() {
  return std::exchange(actions_, {});
}

void EdgeNode::start(Time now) {
  if (state_ == State::stopped) connect(now);
}

void EdgeNode::connect(Time now) {
  session_ = next_session_++;
  newest_state_.reset();
  newest_online_.reset();
  state_ = State::connecting;
  Connect action;
  action.server = server_;
  action.protocol = config_.protocol;
  if (config_.protocol == Protocol::mqtt5) action.session_expiry_seconds = 0;
  action.session = session_;
  action.will = {format_topic(MessageType::ndeath, config_.group, config_.node), death_payload(now), kAtLeastOnce,
                 false};
  actions_.emplace_back(std::move(action));
}

void EdgeNode::connected(Time now) {
  if (state_ != State::connecting) return;
  ++counts_.sessions;
  subscribe();
  if (config_.primary_host) {
    state_ = State::waiting_for_host;
    due_ = now + config_.state_patience;
  } else {
    publish_births(now);
  }
}

void EdgeNode::subscribe() {
  Subscribe action;
  action.filters.push_back({format_topic(MessageType::ncmd, config_.group, config_.node), kAtLeastOnce});
  for (const auto& device : config_.devices) {
    const bool writable = std::ranges::any_of(
        device.metrics, [](const MetricDefinition& metric) { return metric.access == Access::writable; });
    if (writable) {
      action.filters.push_back({format_topic(MessageType::dcmd, config_.group, config_.node, device.id), kAtLeastOnce});
    }
  }
  if (config_.primary_host) action.filters.push_back({state_topic(*config_.primary_host), kAtLeastOnce});
  actions_.emplace_back(std::move(action));
}

void EdgeNode::disconnected(Time now) {
  if (state_ == State::stopped || state_ == State::disconnected) return;
  if (online()) actions_.emplace_back(Doubt{});
  server_ = (server_ + 1) % config_.servers;
  schedule_retry(now);
}

void EdgeNode::schedule_retry(Time now) {
  state_ = State::disconnected;
  due_ = now + backoff_;
  backoff_ = std::min(backoff_ * 2, config_.longest_backoff);
}

void EdgeNode::tick(Time now) {
  const auto due = next_due();
  if (!due || now < *due) return;
  if (state_ == State::disconnected) {
    connect(now);
  } else {
    walk(now);
  }
}

std::optional<Time> EdgeNode::next_due() const {
  if (state_ == State::disconnected) return due_;
  if (state_ == State::waiting_for_host && config_.servers > 1) return due_;
  return std::nullopt;
}

// Leaves this server in good order and goes on to the next.
void EdgeNode::walk(Time now) {
  leave(now);
  server_ = (server_ + 1) % config_.servers;
  schedule_retry(now);
}

void EdgeNode::leave(Time now) {
  publish_node_death(now);
  Disconnect action;
  if (config_.protocol == Protocol::mqtt5) action.reason = kDisconnectWithWill;
  actions_.emplace_back(action);
}

void EdgeNode::stop(Time now) {
  if (state_ == State::waiting_for_host || state_ == State::online) {
    leave(now);
  } else if (state_ == State::connecting) {
    actions_.emplace_back(Disconnect{});
  }
  state_ = State::stopped;
}

// ---- what comes in --------------------------------------------------------------------------------------------------

void EdgeNode::message(std::string_view topic, std::string_view payload, Time now) {
  if (state_ != State::waiting_for_host && state_ != State::online) return;
  const auto parsed = parse_topic(topic);
  if (parsed && parsed->type == MessageType::state) {
    if (config_.primary_host && parsed->host == *config_.primary_host) take_state(payload, now);
    return;
  }
  const bool ours = parsed && parsed->group == config_.group && parsed->node == config_.node;
  if (ours && parsed->type == MessageType::ncmd) {
    take_command(std::nullopt, payload, now);
    return;
  }
  if (ours && parsed->type == MessageType::dcmd) {
    const auto device = std::ranges::find(config_.devices, parsed->device, &DeviceDefinition::id);
    if (device != config_.devices.end()) {
      take_command(static_cast<std::size_t>(device - config_.devices.begin()), payload, now);
      return;
    }
  }
  ++counts_.refused;
}

// Sparkplug 3.0, 5.4: a STATE counts if its time is not before that of the STATE before it, the first one always; a
// node that is online leaves only for an offline that is not older than the last online.
void EdgeNode::take_state(std::string_view payload, Time now) {
  const auto state = parse_state(payload);
  if (!state) {
    ++counts_.refused;
    return;
  }
  if (newest_state_ && state->timestamp < *newest_state_) return;
  newest_state_ = state->timestamp;
  if (state->online) {
    newest_online_ = state->timestamp;
    if (state_ == State::waiting_for_host) publish_births(now);
    return;
  }
  if (state_ == State::online) {
    ++counts_.host_absences;
    actions_.emplace_back(Doubt{});
    walk(now);
  } else if (config_.servers > 1) {
    walk(now);
  }
}

void EdgeNode::take_command(std::optional<std::size_t> device, std::string_view payload, Time now) {
  wire::Payload command;
  if (payload.size() > kMaxPayloadBytes || !command.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    ++counts_.refused;
    return;
  }
  if (state_ != State::online) return;  // births come anyway, with the host
  const auto& metrics = definitions(device);
  for (const auto& metric : command.metrics()) {
    if (!device && asks_for_rebirth(metric)) {
      ++counts_.rebirths;
      publish_births(now);
      actions_.emplace_back(Doubt{});
      continue;
    }
    const auto& states = source(device).metrics;
    std::size_t index = 0;
    while (index < metrics.size() && !(metric.has_name() ? metrics[index].name == metric.name()
                                                         : metric.has_alias() && states[index].alias == metric.alias()))
      ++index;
    if (index == metrics.size() || metrics[index].access != Access::writable) {
      ++counts_.refused;
      continue;
    }
    Value value = metric.is_null() ? Value() : written_value(metrics[index].type, metric);
    if (mismatch(metrics[index].type, value, config_.templates)) {
      ++counts_.refused;
    } else {
      actions_.emplace_back(Command{device, index, std::move(value)});
    }
  }
}

// ---- certificates ---------------------------------------------------------------------------------------------------

std::string EdgeNode::death_payload(Time now) const {
  wire::Payload payload;
  payload.set_timestamp(millis(now));
  add_session_number(payload, session_, now);
  return payload.SerializeAsString();
}

void EdgeNode::publish_node_death(Time now) {
  actions_.emplace_back(
      Publish{format_topic(MessageType::ndeath, config_.group, config_.node), death_payload(now), kAtLeastOnce, false});
}

void EdgeNode::publish_births(Time now) {
  state_ = State::online;
  backoff_ = config_.first_backoff;
  next_seq_ = 0;
  publish_node_birth(now);
  for (std::size_t i = 0; i < devices_.size(); ++i) {
    if (devices_[i].up) publish_device_birth(i, now);
  }
}

void EdgeNode::add_birth_metrics(std::optional<std::size_t> device, wire::Payload& payload, Time now) {
  const auto& metrics = definitions(device);
  auto& states = source(device).metrics;
  // In the order of their times, as readings are in data.
  std::vector<std::size_t> order(metrics.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto time_shown = [&](std::size_t i) { return states[i].at.value_or(now); };
  std::ranges::stable_sort(order, {}, time_shown);
  for (const std::size_t i : order) {
    auto& metric = *payload.add_metrics();
    metric.set_name(metrics[i].name);
    if (states[i].alias) metric.set_alias(*states[i].alias);
    metric.set_timestamp(millis(time_shown(i)));
    metric.set_datatype(static_cast<std::uint32_t>(metrics[i].type));
    encode_value(metrics[i].type, states[i].value, Role::birth, metric);
    if (!metrics[i].properties.empty()) encode_properties(metrics[i].properties, *metric.mutable_properties());
    if (states[i].quality != Quality::good)
      encode_quality(quality_number(states[i].quality), *metric.mutable_properties());
    states[i].reported_quality = states[i].quality;
  }
}

void EdgeNode::publish_node_birth(Time now) {
  ++counts_.births;
  wire::Payload payload;
  payload.set_timestamp(millis(now));
  payload.set_seq(next_seq_++);
  for (const auto& definition : config_.templates) {
    auto& metric = *payload.add_metrics();
    encode_definition(definition, metric);
    metric.set_timestamp(millis(now));
  }
  add_birth_metrics(std::nullopt, payload, now);
  add_session_number(payload, session_, now);
  add_rebirth_command(payload, now);
  actions_.emplace_back(Publish{format_topic(MessageType::nbirth, config_.group, config_.node),
                                payload.SerializeAsString(), kAtMostOnce, false});
}

void EdgeNode::publish_device_birth(std::size_t device, Time now) {
  wire::Payload payload;
  payload.set_timestamp(millis(now));
  payload.set_seq(next_seq_++);
  add_birth_metrics(device, payload, now);
  actions_.emplace_back(
      Publish{format_topic(MessageType::dbirth, config_.group, config_.node, config_.devices[device].id),
              payload.SerializeAsString(), kAtMostOnce, false});
}

void EdgeNode::device_down(std::size_t device, Time now) {
  if (device >= devices_.size() || !std::exchange(devices_[device].up, false) || !online()) return;
  wire::Payload payload;
  payload.set_timestamp(millis(now));
  payload.set_seq(next_seq_++);
  actions_.emplace_back(
      Publish{format_topic(MessageType::ddeath, config_.group, config_.node, config_.devices[device].id),
              payload.SerializeAsString(), kAtMostOnce, false});
}

void EdgeNode::device_up(std::size_t device, Time now) {
  if (device >= devices_.size() || std::exchange(devices_[device].up, true) || !online()) return;
  publish_device_birth(device, now);
}

// ---- readings -------------------------------------------------------------------------------------------------------

const std::vector<MetricDefinition>& EdgeNode::definitions(std::optional<std::size_t> device) const {
  return device ? config_.devices[*device].metrics : config_.metrics;
}

EdgeNode::Source& EdgeNode::source(std::optional<std::size_t> device) {
  return device ? devices_[*device] : node_;
}

bool EdgeNode::acceptable(std::optional<std::size_t> device, std::span<const Reading> readings) const {
  if (device && *device >= devices_.size()) return false;
  const auto& metrics = definitions(device);
  return std::ranges::all_of(readings, [&](const Reading& reading) {
    if (reading.metric >= metrics.size()) return false;
    const auto& metric = metrics[reading.metric];
    if (const auto* instance = std::get_if<Instance>(&reading.value)) {
      const auto* announced = std::get_if<Instance>(&metric.value);
      if (announced == nullptr || announced->definition != instance->definition) return false;
    }
    return !mismatch(metric.type, reading.value, config_.templates);
  });
}

// Keeps the newest reading of each metric, and says whether it is news to a host: births and data have shown it all
// that is kept here, so anything equal is not. What is older than that is news of the past.
bool EdgeNode::remember(std::optional<std::size_t> device, const Reading& reading) {
  auto& known = source(device).metrics[reading.metric];
  if (known.at && reading.at < *known.at) return true;
  Value value = reading.value;
  if (const auto* update = std::get_if<Instance>(&value))
    value = completed(*find_template(config_, update->definition), std::get_if<Instance>(&known.value), *update);
  const bool same = known.quality == reading.quality && equal(known.value, value);
  known.value = std::move(value);
  known.quality = reading.quality;
  known.at = reading.at;
  return !same;
}

Written EdgeNode::write(std::optional<std::size_t> device, std::vector<Reading> readings, Time now) {
  if (!acceptable(device, readings)) return Written::not_allowed;
  std::ranges::stable_sort(readings, {}, &Reading::at);
  const auto& metrics = definitions(device);
  const bool flows = online() && source(device).up;
  const auto left_out = std::erase_if(readings, [&](const Reading& reading) {
    const bool news = remember(device, reading);
    return !news && flows && metrics[reading.metric].reporting == Reporting::on_change;
  });
  counts_.unchanged += left_out;
  if (!flows) return Written::not_online;
  if (readings.empty()) return Written::unchanged;
  publish_data(device, readings, Flow::live, now);
  return Written::published;
}

Written EdgeNode::write_history(std::optional<std::size_t> device, std::span<const Reading> readings, Time now) {
  if (!acceptable(device, readings)) return Written::not_allowed;
  if (!online() || !source(device).up) return Written::not_online;
  publish_data(device, readings, Flow::history, now);
  return Written::published;
}

void EdgeNode::publish_data(std::optional<std::size_t> device, std::span<const Reading> readings, Flow flow, Time now) {
  (flow == Flow::live ? counts_.live : counts_.historical) += readings.size();
  const auto& metrics = definitions(device);
  auto& states = source(device).metrics;
  while (!readings.empty()) {
    const auto part = readings.first(std::min(readings.size(), kMostReadingsPerMessage));
    readings = readings.subspan(part.size());
    wire::Payload payload;
    payload.set_timestamp(millis(now));
    payload.set_seq(next_seq_++);
    for (const auto& reading : part) {
      auto& metric = *payload.add_metrics();
      auto& state = states[reading.metric];
      if (state.alias) {
        metric.set_alias(*state.alias);
      } else {
        metric.set_name(metrics[reading.metric].name);
      }
      metric.set_timestamp(millis(reading.at));
      encode_value(metrics[reading.metric].type, reading.value, Role::data, metric);
      if (flow == Flow::history) metric.set_is_historical(true);
      // Absent means good, so a value that is good again must say so once.
      const bool tells = reading.quality != Quality::good || state.reported_quality != Quality::good;
      if (tells) encode_quality(quality_number(reading.quality), *metric.mutable_properties());
      if (flow == Flow::live) state.reported_quality = reading.quality;
    }
    actions_.emplace_back(
        Publish{device ? format_topic(MessageType::ddata, config_.group, config_.node, config_.devices[*device].id)
                       : format_topic(MessageType::ndata, config_.group, config_.node),
                payload.SerializeAsString(), kAtMostOnce, false});
  }
}

}  // namespace fettle::sparkplug::edge
