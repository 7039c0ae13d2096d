#pragma once
// A folder, a broker and a gateway of their own, for the length of a test. When a test fails, the end of the gateway's
// log is printed.

#include <gtest/gtest.h>

#include <iostream>
#include <string>

#include "tests/e2e/harness/broker.h"
#include "tests/e2e/harness/gateway.h"
#include "tests/e2e/harness/state.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::e2e {

struct Stage {
  explicit Stage(ClockKind clock = ClockKind::recording, const std::string& mqtt_keys = {},
                 const std::string& sections = {})
      : broker(folder.path() / "broker"), gateway(folder.path() / "gateway", broker, clock, mqtt_keys, sections) {}
  ~Stage() {
    if (!testing::Test::HasFailure()) return;
    const std::string log = gateway.log();
    std::cout << "---- the gateway's log ends with\n"
              << log.substr(log.size() - std::min<std::size_t>(log.size(), 4000));
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  test::TemporaryFolder folder;
  Broker broker;
  Gateway gateway;
};

}  // namespace fettle::e2e
