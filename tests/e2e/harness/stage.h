#pragma once
// A folder, a broker and a gateway of their own, for the length of a test. When a test fails, the end of the gateway's
// log is printed. Stage has the demo's broker, PlantStage the one that is shipped for a plant.

#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "tests/e2e/harness/broker.h"
#include "tests/e2e/harness/gateway.h"
#include "tests/e2e/harness/plant_broker.h"
#include "tests/e2e/harness/state.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::e2e {

template <typename AnyBroker>
struct StageWith {
  explicit StageWith(ClockKind clock = ClockKind::recording, const std::string& mqtt_keys = {},
                     const std::string& sections = {})
      : broker(folder.path() / "broker"),
        gateway(folder.path() / "gateway", broker.door(), clock, mqtt_keys, sections) {}
  ~StageWith() {
    if (!testing::Test::HasFailure()) return;
    const std::string log = gateway.log();
    std::cout << "---- the gateway's log ends with\n"
              << log.substr(log.size() - std::min<std::size_t>(log.size(), 4000));
  }
  StageWith(const StageWith&) = delete;
  StageWith& operator=(const StageWith&) = delete;

  test::TemporaryFolder folder;
  AnyBroker broker;
  Gateway gateway;
};

using Stage = StageWith<Broker>;
using PlantStage = StageWith<PlantBroker>;

}  // namespace fettle::e2e
