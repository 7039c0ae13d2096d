#include "tests/bench/scenarios.h"

namespace fettle::bench {
namespace {

constexpr const char* kDirectId = "bench-gateway";

}  // namespace

Scenario json_scenario(const Workload& workload, const Packets& packets, const e2e::Broker& broker) {
  return {.broker = broker,
          .catalog = workload.catalog,
          .configuration = "mqtt: {broker: \"" + broker.uri() + "\", client_id: " + kDirectId + "}\n",
          .session_up = "connected to tcp://",
          .client_id = kDirectId,
          .topics = {"fettle/v1/+/telemetry", "fettle/v1/+/event", "fettle/v1/+/batch"},
          .qos = 1,
          .sparkplug = false,
          .expected = workload.expected,
          .connect = [&packets, port = broker.port()]() -> std::unique_ptr<Feed> {
            return std::make_unique<AcknowledgedFeed>(packets, port);
          }};
}

Scenario sparkplug_scenario(SparkplugLoad& load, const e2e::Broker& broker, std::size_t window, std::size_t rate) {
  const std::string group = kGroup;
  return {.broker = broker,
          .catalog = load.catalog(),
          .configuration = "sparkplug: {host_id: bench, groups: [" + group + "], brokers: [{name: bench, broker: \"" +
                           broker.uri() + "\"}]}\n",
          .session_up = "online at tcp://",
          .client_id = {},
          .topics = {"spBv1.0/" + group + "/#"},
          .qos = 0,
          .sparkplug = true,
          .expected = load.expected(),
          .connect = [&load, port = broker.port(), window, rate]() -> std::unique_ptr<Feed> {
            return std::make_unique<SparkplugFeed>(load, port, window, rate);
          }};
}

}  // namespace fettle::bench
