// What devices send while the gateway is away: the broker keeps it, with the configuration that is shipped for a plant,
// also through its own restart, and all of it arrives.

#include <gtest/gtest.h>

#include "gateway/journal/journal.h"
#include "gateway/store/sqlite/sqlite_store.h"
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
  PlantStage stage;
  stage.gateway.start();
  apply_fleet_catalog(stage.gateway);
  EXPECT_EQ(stage.gateway.stop(), 0);

  simulate(stage.broker.door(), kRun.command(), kWhole);
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

// As kill -9 leaves it while more comes in than is folded.
TEST(Backlog, OfAJournalAtItsBoundIsFoldedAtTheNextStart) {
  constexpr std::size_t kBound = 1U << 20U;
  PlantStage stage(ClockKind::system, "", "journal_backlog: " + std::to_string(kBound) + '\n');
  stage.gateway.start();
  apply_fleet_catalog(stage.gateway);
  EXPECT_EQ(stage.gateway.stop(), 0);
  std::uint64_t messages = 0;
  {
    journal::Sequence committed = 0;
    {
      const auto store = store::SqliteStore::open(stage.gateway.store(), store::Durability::process).value();
      committed = store->committed();
    }
    journal::Options options;
    options.folder = stage.gateway.data() / "journal";
    options.max_backlog = kBound;
    const auto journal = journal::Journal::open(options, committed).value();
    const std::int64_t now =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count();
    std::string body;
    do {
      body.clear();
      const std::string payload =
          "{\"ts\":" + std::to_string(now - 600'000 + static_cast<std::int64_t>(messages)) + ",\"vibration\":1.25}";
      encode(journal::Message{static_cast<std::uint32_t>(payload.size()), "fettle/v1/lift-001/telemetry", payload},
             body);
      ++messages;
    } while (journal->append(journal::Kind::message, journal::Time(std::chrono::milliseconds(now)), body));
    --messages;  // the last was refused
  }
  stage.gateway.start();
  stage.gateway.drain();
  EXPECT_EQ(stage.gateway.counters().messages, messages);
  EXPECT_EQ(stage.gateway.counters().readings, messages);
}

}  // namespace
}  // namespace fettle::e2e
