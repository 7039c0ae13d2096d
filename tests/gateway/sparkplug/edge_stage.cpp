#include "tests/gateway/sparkplug/edge_stage.h"

#include <algorithm>

namespace fettle::sparkplug::edge {
namespace {

MetricDefinition number(std::string name) {
  MetricDefinition metric;
  metric.name = std::move(name);
  metric.type = DataType::float64;
  return metric;
}

template <class Matches>
const wire::Metric& only_metric(const wire::Payload& payload, Matches matches, const std::string& what) {
  static const wire::Metric kNone;
  const auto& metrics = payload.metrics();
  const auto count = std::ranges::count_if(metrics, matches);
  EXPECT_EQ(count, 1) << "metrics " << what << " in " << payload.ShortDebugString();
  const auto at = std::ranges::find_if(metrics, matches);
  return at == metrics.end() ? kNone : *at;
}

}  // namespace

Published decoded(const Publish& publication) {
  Published out;
  out.topic = publication.topic;
  const auto topic = parse_topic(publication.topic);
  EXPECT_TRUE(topic.has_value()) << publication.topic;
  if (topic) {
    out.type = topic->type;
    out.device = std::string(topic->device);
  }
  EXPECT_TRUE(out.payload.ParseFromString(publication.payload)) << publication.topic;
  out.qos = publication.qos;
  out.retain = publication.retain;
  return out;
}

std::uint64_t millis(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

const wire::Metric& metric_named(const wire::Payload& payload, std::string_view name) {
  return only_metric(
      payload, [name](const wire::Metric& metric) { return metric.name() == name; }, std::string(name));
}

const wire::Metric& metric_aliased(const wire::Payload& payload, std::uint64_t alias) {
  return only_metric(
      payload, [alias](const wire::Metric& metric) { return metric.has_alias() && metric.alias() == alias; },
      std::to_string(alias));
}

bool has_metric(const wire::Payload& payload, std::string_view name) {
  return std::ranges::any_of(payload.metrics(), [name](const wire::Metric& metric) { return metric.name() == name; });
}

EdgeConfig plain_config() {
  EdgeConfig config;
  config.group = "plant";
  config.node = "line-1";
  config.metrics = {number("load"), number("uptime")};
  MetricDefinition mode;
  mode.name = "mode";
  mode.type = DataType::string;
  for (const auto* id : {"press", "oven"})
    config.devices.push_back({id, {number("temperature"), number("pressure"), mode}});
  return config;
}

void Stage::state(const std::string& host, bool is_online, Time at) {
  message(state_topic(host), std::string(R"({"online":)") + (is_online ? "true" : "false") + R"(,"timestamp":)" +
                                 std::to_string(millis(at)) + "}");
}

void Stage::wait() {
  const auto due = node.next_due();
  ASSERT_TRUE(due) << "the node waits for nothing";
  now = std::max(now, *due - milliseconds(1));
  (*this)([](EdgeNode& n, Time t) { n.tick(t); });
}

void Stage::command(const std::string& device, const wire::Payload& payload) {
  const auto& config = node.config();
  message(device.empty() ? format_topic(MessageType::ncmd, config.group, config.node)
                         : format_topic(MessageType::dcmd, config.group, config.node, device),
          payload.SerializeAsString());
}

void Stage::ask_for_rebirth() {
  wire::Payload payload;
  payload.set_timestamp(millis(now));
  auto& metric = *payload.add_metrics();
  metric.set_name(std::string(kRebirthMetric));
  metric.set_timestamp(millis(now));
  metric.set_boolean_value(true);
  command({}, payload);
}

std::vector<Published> Stage::published() const {
  std::vector<Published> out;
  for (const auto& publication : wanted<Publish>()) out.push_back(decoded(publication));
  return out;
}

std::vector<Published> Stage::published(MessageType type) const {
  auto out = published();
  std::erase_if(out, [type](const Published& one) { return one.type != type; });
  return out;
}

Published Stage::only(MessageType type) const {
  auto found = published(type);
  EXPECT_EQ(found.size(), 1U) << name_of(type);
  return found.empty() ? Published() : found.front();
}

void Stage::collect() {
  auto more = node.take_actions();
  std::ranges::move(more, std::back_inserter(actions));
}

Stage online(EdgeConfig config) {
  const auto problem = problem_of(config);
  EXPECT_FALSE(problem) << problem.value_or("");
  const auto host = config.primary_host;
  Stage stage(std::move(config));
  stage.start();
  stage.connected();
  if (host) stage.state(*host, true, stage.now);
  EXPECT_TRUE(stage.node.online());
  return stage;
}

}  // namespace fettle::sparkplug::edge
