#pragma once
// A mapping read from YAML and tried on messages, for the tests of reading foreign JSON. Through the catalog's reader,
// so that what is tested is what a user writes.

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "gateway/direct/mapping.h"

namespace fettle::direct {

// 2026-07-01T12:00:00Z: when the trial's messages were received.
Time trial_now();

// Mappings over the models m (signals temperature degC, energy kWh register, mode state [off, on], level 1), f
// (temperature degF) and k (power kW); the assets m-1 and m-2 are of model m, f-1 of f, k-1 of k.
class Trial {
 public:
  // `mappings`: the items of a YAML list of mappings. Fails the test where they have faults.
  explicit Trial(const std::string& mappings);

  // What a message comes to, in one line of text: "no mapping", "passed over", "unknown asset x", "malformed: why", or
  // readings: "m-1 @12000 temperature=21.5 mode=\"on\" energy!what is wrong; @ temperature=3": times in ms, @ without
  // one for none, ; between groups.
  std::string of(std::string_view topic, std::string_view payload, Time received = trial_now());

  Mappings& mappings() { return mappings_; }
  static std::string_view model_of(std::string_view asset);

 private:
  Mappings mappings_;
  Telemetry telemetry_;
};

// One mapping on topic t/{asset} with these further lines ("time: ...") and signals ("{signal: ...}").
std::string one_mapping(const std::string& lines, const std::vector<std::string>& signals);

}  // namespace fettle::direct
