#include "tests/e2e/harness/fleet_stage.h"

#include <boost/json.hpp>
#include <stdexcept>

#include "firmware-sim/stamp.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kLifts = 10;

double number_of(const json::value& value) {
  if (!value.is_string()) return value.to_number<double>();
  const auto& mode = value.as_string();
  return mode == "normal" ? 0 : mode == "inspection" ? 1 : 2;
}

}  // namespace

void apply_fleet_catalog(const Gateway& gateway) {
  gateway.apply({source("firmware-sim/catalog/seller.yaml"), source("firmware-sim/catalog/fleet.yaml"),
                 source("rules/packs/lift-proactive.yaml")});
  gateway.apply({source("tests/e2e/catalog/motor-watch.yaml")});
}

Words FleetRun::command() const {
  return {"fleet",
          "--lifts",
          std::to_string(kLifts),
          "--messages",
          std::to_string(telemetry),
          "--start",
          start,
          "--interval",
          interval,
          faults == sim::Faults::kInjected ? "--faults" : "--no-faults"};
}

Sent sent_by(const FleetRun& run) {
  sim::FleetPlan plan;
  plan.lifts = kLifts;
  plan.messages = run.telemetry;
  plan.faults = run.faults;
  const auto start = sim::parse_iso8601(run.start);
  const auto interval = sim::parse_duration(run.interval);
  if (!start || !interval) throw std::invalid_argument(run.start + " or " + run.interval + " cannot be read");
  plan.start = *start;
  plan.interval = *interval;
  sim::Fleet fleet(plan);
  Sent sent;
  while (const auto message = fleet.next()) {
    ++sent.messages;
    const std::string asset = message->topic.substr(10, message->topic.find('/', 10) - 10);
    const json::object payload = json::parse(message->payload).as_object();
    const std::int64_t time = payload.at("ts").to_number<std::int64_t>();
    for (const auto& [signal, value] : payload) {
      if (signal != "ts") sent.readings[{asset, std::string(signal), time}] = number_of(value);
    }
  }
  return sent;
}

}  // namespace fettle::e2e
