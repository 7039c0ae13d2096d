// What devices send while the gateway is away: the broker keeps it, also through its own restart, and all of it
// arrives.

#include <gtest/gtest.h>

#include "tests/e2e/harness/fleet_stage.h"
#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

// Telemetry of five months; a hundred times what Mosquitto keeps of itself.
const FleetRun kRun{100'000};
constexpr std::chrono::seconds kWhole{180};

TEST(Backlog, OfAHundredThousandMessagesArrivesWholeWhenTheGatewayComesBack) {
  const Sent sent = sent_by(kRun);
  ASSERT_GE(sent.messages, 100'000U);
  Stage stage;
  stage.gateway.start();
  apply_fleet_catalog(stage.gateway);
  EXPECT_EQ(stage.gateway.stop(), 0);

  simulate(stage.broker, kRun.command(), kWhole);
  // SIGTERM: the broker writes down what it has acknowledged and not delivered.
  stage.broker.stop();
  stage.broker.start();

  stage.gateway.start();
  stage.gateway.wait_for_readings(sent.readings.size(), kWhole);
  const Counters counters = stage.gateway.counters();
  EXPECT_EQ(counters.messages, sent.messages);
  EXPECT_EQ(counters.readings, sent.readings.size());
  EXPECT_EQ(counters.duplicates, 0U);
  EXPECT_EQ(counters.conflicts, 0U);
  EXPECT_EQ(counters.quarantined, 0U);
  const Ran verified = verify(stage.gateway.data());
  EXPECT_EQ(verified.code, 0) << verified.out;
}

}  // namespace
}  // namespace fettle::e2e
