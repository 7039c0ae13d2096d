#include "gateway/app/links.h"

#include "gateway/engine/command.pb.h"
#include "gateway/mqtt/broker_access.h"
#include "gateway/sparkplug/commands.h"

namespace fettle::app {
namespace {

using mqtt_adapter::BrokerAccess;

Result<BrokerAccess> access_of(const BrokerConfig& config, const Log& log) {
  BrokerAccess access;
  access.broker = config.broker;
  access.username = config.username;
  access.ca_file = config.tls.ca_file;
  access.cert_file = config.tls.cert_file;
  access.key_file = config.tls.key_file;
  auto opened = mqtt_adapter::open_access(std::move(access), config.password_file);
  if (!opened) return Failure{opened.error().message};
  if (!opened->password.empty()) log.hide(opened->password);
  return std::move(*opened);
}

mqtt_adapter::SessionLog session_log(const Log& log, std::string name) {
  return [log, name = std::move(name)](const std::string& message) {
    log.info("session", name + ": " + message, {{"session", name}});
  };
}

}  // namespace

Result<std::unique_ptr<Links>> Links::make(const Config& config, Core& core, Log log) {
  std::unique_ptr<Links> links(new Links(core, std::move(log)));
  for (const auto step : {&Links::make_direct, &Links::make_sparkplug, &Links::make_events}) {
    if (auto made = (*links.*step)(config); !made) return made.error();
  }
  return links;
}

std::vector<std::string> Links::check(const Config& config) {
  const Log deaf([](const std::string&) {});
  std::vector<std::string> problems;
  const auto look = [&](const BrokerConfig& broker, const std::string& of) {
    if (broker.broker.empty()) return;
    if (const auto access = access_of(broker, deaf); !access) problems.push_back(of + ": " + access.error().message);
  };
  look(config.mqtt, "mqtt");
  for (const SparkplugBroker& broker : config.sparkplug.brokers) look(broker, "sparkplug broker " + broker.name);
  if (config.events) look(*config.events, "events");
  return problems;
}

Links::~Links() {
  stop();
}

Result<void> Links::make_direct(const Config& config) {
  if (config.mqtt.broker.empty()) return {};
  auto access = access_of(config.mqtt, log_);
  if (!access) return access.error();
  mqtt_adapter::DirectOptions options;
  static_cast<BrokerAccess&>(options) = std::move(*access);
  options.client_id = config.mqtt.client_id;
  options.topics = config.mqtt.topics;
  options.max_payload = config.mqtt.max_payload;
  direct_ = std::make_unique<mqtt_adapter::DirectSession>(std::move(options), core_.journal(), core_.clock(),
                                                          session_log(log_, "direct"));
  return {};
}

Result<void> Links::make_sparkplug(const Config& config) {
  for (const SparkplugBroker& broker : config.sparkplug.brokers) {
    auto access = access_of(broker, log_);
    if (!access) return access.error();
    mqtt_adapter::SparkplugOptions options;
    static_cast<BrokerAccess&>(options) = std::move(*access);
    options.name = broker.name;
    options.client_id = broker.client_id;
    options.host_id = config.sparkplug.host_id;
    options.groups = config.sparkplug.groups;
    options.max_payload = config.sparkplug.max_payload;
    auto session = mqtt_adapter::SparkplugSession::make(std::move(options), core_.journal(), core_.clock(),
                                                        session_log(log_, broker.name));
    if (!session) return Failure{session.error().message};
    sparkplug_.push_back(std::move(*session));
  }
  return {};
}

Result<void> Links::make_events(const Config& config) {
  if (!config.events) return {};
  auto access = access_of(*config.events, log_);
  if (!access) return access.error();
  mqtt_adapter::EventOptions options;
  static_cast<BrokerAccess&>(options) = std::move(*access);
  options.client_id = config.events->client_id;
  publisher_ = std::make_unique<mqtt_adapter::EventPublisher>(
      std::move(options), [this](std::uint64_t id) { feed_->delivered(id); }, session_log(log_, "events"));
  auto reader = store::Reader::open(config.store_file());
  if (!reader) return Failure{reader.error().message};
  const auto offer = [this](std::uint64_t id, const std::string& kind, const std::string& body) {
    return publisher_->offer(id, mqtt_adapter::kEventTopic + kind, body);
  };
  const auto settle = [this](std::uint64_t up_to) {
    engine::Command command;
    command.mutable_events_delivered()->set_up_to(up_to);
    return core_.journal().append(journal::Kind::command, core_.clock().now(), command.SerializeAsString()).has_value();
  };
  feed_ = std::make_unique<EventFeed>(std::move(*reader), offer, settle, log_);
  return {};
}

void Links::start() {
  if (publisher_) publisher_->start();
  if (feed_) feed_->start();
  if (direct_) direct_->start();
  for (const auto& session : sparkplug_) session->start();
}

bool Links::stop() {
  for (const auto& session : sparkplug_) session->begin_stop();
  if (publisher_) publisher_->begin_stop();
  const bool clean = !direct_ || direct_->stop();
  // Paho has one mutex for all clients of the process: a callback that is held by the direct session holds them all.
  if (!clean) return false;
  for (const auto& session : sparkplug_) session->stop();
  if (publisher_) publisher_->stop();
  if (feed_) feed_->stop();
  return true;
}

void Links::committed() {
  if (feed_) feed_->wake();
}

void Links::request(const engine::RebirthRequest& request) {
  for (const auto& session : sparkplug_) {
    if (session->name() != request.broker) continue;
    const auto command = sparkplug::rebirth_command(request.group, request.node, core_.clock().now());
    const bool queued = session->request(command.topic, command.payload);
    log_.info("rebirth", (queued ? "asking for a rebirth: " : "cannot ask for a rebirth now: ") + request.reason,
              {{"session", request.broker}});
  }
}

void Links::subscribe(const std::vector<std::string>& filters) {
  if (direct_) direct_->subscribe_to(filters);
}

std::vector<SessionState> Links::sessions() const {
  std::vector<SessionState> states;
  const auto add = [&](std::string name, bool up, std::uint64_t connections) {
    states.push_back({std::move(name), up, connections > 0 ? connections - 1 : 0, {}});
  };
  if (direct_) add(direct_->name(), direct_->connected(), direct_->connections());
  for (const auto& session : sparkplug_) add(session->name(), session->online(), session->counts().connections);
  if (publisher_) add("events", publisher_->connected(), publisher_->counts().connections);
  return states;
}

std::optional<EventsState> Links::events() const {
  if (!feed_) return std::nullopt;
  return EventsState{feed_->waiting(), feed_->delivered_count()};
}

std::uint64_t Links::rebirths_sent() const {
  std::uint64_t sent = 0;
  for (const auto& session : sparkplug_) sent += session->counts().requests_sent;
  return sent;
}

}  // namespace fettle::app
