#pragma once
// The simulated fleet with its catalog, the proactive pack, and a rule that surely raises (catalog/motor-watch.yaml).

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "firmware-sim/fleet.h"
#include "tests/e2e/harness/gateway.h"

namespace fettle::e2e {

void apply_fleet_catalog(const Gateway& gateway);

// A run of the ten lifts of the catalog.
struct FleetRun {
  std::uint64_t telemetry = 0;                 // messages; door faults come on top
  std::string start = "2026-06-01T00:00:00Z";  // where the catalog's subscription begins
  std::string interval = "5m";
  sim::Faults faults = sim::Faults::kInjected;

  // `fettle-sim fleet` with these options.
  Words command() const;
};

struct Sent {
  std::uint64_t messages = 0;
  // Asset, signal, event time: the number that was sent (a mode's place among the model's states).
  std::map<std::tuple<std::string, std::string, std::int64_t>, double> readings;
};
// What that run publishes, without the clock.
Sent sent_by(const FleetRun& run);

}  // namespace fettle::e2e
