// 200,000 messages of a fleet while the gateway is killed with SIGKILL and the broker ended under it: everything counts
// exactly once.

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <memory>
#include <random>

#include "gateway/store/sqlite/reader.h"
#include "tests/e2e/harness/fleet_stage.h"
#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

constexpr std::size_t kKills = 20;
constexpr std::size_t kBrokerRestarts = 3;
constexpr std::chrono::seconds kWhole{120};
const FleetRun kRun{200'000};             // 69 days
const Words kPaced{"--speed", "300000"};  // in 20 s, so that every disturbance falls inside

// Drawn anew each time; FETTLE_SEED repeats a run as far as the machine allows.
std::uint64_t drawn_seed() {
  const char* given = std::getenv("FETTLE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "FETTLE_SEED=" << seed << '\n';
  return seed;
}

void bill(const Gateway& gateway) {
  gateway.json({"invoice", "run", "--until", "2026-07-01"});
  gateway.json({"invoice", "run", "--until", "2026-08-01"});
}

struct Disturbance {
  enum class Kind { kill_gateway, kill_gateway_behind_a_checkpoint, restart_broker };
  std::uint64_t at_readings = 0;
  Kind kind = Kind::kill_gateway;
  std::chrono::milliseconds after{0};  // so that it does not always follow a commit
};

std::vector<Disturbance> plan_disturbances(std::uint64_t seed, std::uint64_t readings, std::size_t broker_restarts) {
  using Kind = Disturbance::Kind;
  std::mt19937_64 random(seed);
  std::uniform_int_distribution<std::uint64_t> place(readings / 50, readings * 3 / 4);
  std::uniform_int_distribution<int> delay(0, 40);
  std::vector<Disturbance> plan;
  for (std::size_t i = 0; i < kKills; ++i) {
    const Kind kind = i % 3 == 0 ? Kind::kill_gateway_behind_a_checkpoint : Kind::kill_gateway;
    plan.push_back({place(random), kind, std::chrono::milliseconds(delay(random))});
  }
  for (std::size_t i = 0; i < broker_restarts; ++i) plan.push_back({place(random), Kind::restart_broker, {}});
  std::sort(plan.begin(), plan.end(),
            [](const Disturbance& a, const Disturbance& b) { return a.at_readings < b.at_readings; });
  return plan;
}

class Crash : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    sent_ = sent_by(kRun);
    Stage stage;
    prepare(stage);
    simulate(stage.broker, kRun.command(), kWhole);
    stage.gateway.wait_for_readings(sent_.readings.size(), kWhole);
    counters_ = stage.gateway.counters();
    bill(stage.gateway);
    state_ = state_of(stage.gateway);
    verified_ = verify(stage.gateway.data());
  }

  static void prepare(Stage& stage) {
    stage.gateway.start();
    apply_fleet_catalog(stage.gateway);
  }

  static std::unique_ptr<Process> launch_paced(const Stage& stage) {
    Words command = kRun.command();
    command.insert(command.end(), kPaced.begin(), kPaced.end());
    return launch_simulation(stage.broker, command, stage.folder.path() / "sim.log");
  }

  // The gateway's connections to the broker so far.
  static std::size_t connections(const Gateway& gateway) {
    static const std::string line = " info direct: connected to ";
    const std::string log = gateway.log();
    std::size_t count = 0;
    for (std::size_t at = log.find(line); at != std::string::npos; at = log.find(line, at + 1)) ++count;
    return count;
  }

  // Devices rest once the gateway is gone, until it is back: what they sent meanwhile waits at the broker, and what is
  // left for the disturbances that follow does not depend on how fast the machine starts a gateway.
  static void come_back(Stage& stage, const Process& simulation, const std::function<void()>& restart) {
    const std::size_t before = connections(stage.gateway);
    simulation.signal(SIGSTOP);
    restart();
    const bool back = until([&] { return connections(stage.gateway) > before; });
    simulation.signal(SIGCONT);
    ASSERT_TRUE(back) << stage.gateway.log();
  }

  static void disturb(Stage& stage, const Process& simulation, const Disturbance& disturbance) {
    const auto there = [&] { return stage.gateway.counters().readings >= disturbance.at_readings; };
    ASSERT_TRUE(until([&] { return there() || !stage.gateway.running(); }, kWhole)) << stage.gateway.log();
    ASSERT_TRUE(stage.gateway.running()) << stage.gateway.log();
    switch (disturbance.kind) {
      case Disturbance::Kind::restart_broker:
        stage.broker.stop();
        come_back(stage, simulation, [&] { stage.broker.start(); });
        return;
      case Disturbance::Kind::kill_gateway_behind_a_checkpoint: {
        stage.gateway.drain();
        const std::uint64_t committed = stage.gateway.counters().readings;
        ASSERT_TRUE(until([&] {
          const std::uint64_t readings = stage.gateway.counters().readings;
          return readings > committed || readings >= sent_.readings.size();
        })) << stage.gateway.log();
        break;
      }
      case Disturbance::Kind::kill_gateway:
        break;
    }
    until([] { return false; }, disturbance.after);
    ASSERT_TRUE(stage.gateway.running()) << stage.gateway.log();
    stage.gateway.kill();
    ASSERT_LT(stage.gateway.counters().readings, sent_.readings.size()) << "the kill came too late";
    come_back(stage, simulation, [&] { stage.gateway.launch(); });
  }

  // What must hold after a run with the same messages, however it was disturbed.
  static void expect_undisturbed(Stage& stage) {
    stage.gateway.wait_for_readings(sent_.readings.size(), kWhole);
    const Counters counters = stage.gateway.counters();
    EXPECT_EQ(counters.readings, sent_.readings.size());
    EXPECT_EQ(counters.conflicts, 0U);
    EXPECT_EQ(counters.quarantined, 0U);
    EXPECT_EQ(counters.late, counters_.late);
    // Each message has one to six readings; one that was delivered again has them all for duplicates.
    EXPECT_GE(counters.messages, sent_.messages);
    const std::uint64_t repeated = counters.messages - sent_.messages;
    EXPECT_GE(counters.duplicates, repeated);
    EXPECT_LE(counters.duplicates, 6 * repeated);
    std::cout << repeated << " messages were delivered again\n";
    bill(stage.gateway);
    EXPECT_EQ(difference(state_, state_of(stage.gateway)), "");
    const Ran verified = verify(stage.gateway.data());
    EXPECT_EQ(verified.code, 0) << verified.out;
  }

  static Sent sent_;
  static Counters counters_;
  static State state_;
  static Ran verified_;
};
Sent Crash::sent_;
Counters Crash::counters_;
State Crash::state_;
Ran Crash::verified_;

TEST_F(Crash, UndisturbedEverythingIsThere) {
  EXPECT_EQ(counters_.messages, sent_.messages);
  EXPECT_EQ(counters_.readings, sent_.readings.size());
  EXPECT_EQ(counters_.duplicates, 0U);
  EXPECT_EQ(counters_.conflicts, 0U);
  EXPECT_EQ(counters_.quarantined, 0U);
  EXPECT_EQ(verified_.code, 0) << verified_.out;
  // Otherwise the comparisons below would compare little.
  EXPECT_GE(state_.episodes.size(), 50U);
  EXPECT_GE(state_.orders.size(), 12U);
  EXPECT_EQ(state_.invoices.size(), 2U);
  EXPECT_GE(state_.usage.size(), 30'000U);
  std::cout << counters_.messages << " messages, " << counters_.readings << " readings, " << state_.usage.size()
            << " usage records, " << state_.episodes.size() << " episodes, " << state_.orders.size()
            << " work orders\n";
}

TEST_F(Crash, KilledTwentyTimesTheGatewayCountsEverythingOnce) {
  Stage stage;
  prepare(stage);
  const auto simulation = launch_paced(stage);
  for (const Disturbance& disturbance : plan_disturbances(drawn_seed(), sent_.readings.size(), 0)) {
    ASSERT_NO_FATAL_FAILURE(disturb(stage, *simulation, disturbance));
  }
  EXPECT_EQ(simulation->wait(kWhole), 0) << text_of(stage.folder.path() / "sim.log");
  expect_undisturbed(stage);
}

TEST_F(Crash, WithTheBrokerRestartedThreeTimesAsWellEverythingCountsOnce) {
  Stage stage;
  prepare(stage);
  const auto simulation = launch_paced(stage);
  for (const Disturbance& disturbance : plan_disturbances(drawn_seed(), sent_.readings.size(), kBrokerRestarts)) {
    ASSERT_NO_FATAL_FAILURE(disturb(stage, *simulation, disturbance));
  }
  EXPECT_EQ(simulation->wait(kWhole), 0) << text_of(stage.folder.path() / "sim.log");
  expect_undisturbed(stage);
}

// All stored readings, each as often as it is stored.
std::multimap<std::tuple<std::string, std::string, std::int64_t>, double> stored(const Gateway& gateway) {
  auto reader = store::Reader::open(gateway.store());
  if (!reader) throw std::runtime_error(reader.error().message);
  const auto series = (*reader)->series();
  if (!series) throw std::runtime_error(series.error().message);
  std::multimap<std::tuple<std::string, std::string, std::int64_t>, double> all;
  for (const engine::SeriesRow& row : *series) {
    const auto found = (*reader)->find_readings(row.asset, row.signal, engine::Time::min(), engine::Time::max());
    if (!found) throw std::runtime_error(found.error().message);
    for (const store::FoundReading& reading : *found) {
      all.emplace(std::tuple(row.asset, row.signal, reading.reading.time.time_since_epoch().count()),
                  reading.reading.value);
    }
  }
  return all;
}

TEST_F(Crash, ABrokerKilledOutrightLosesOnlyWhatItHadNotHandedOver) {
  const FleetRun later{2'000, "2026-11-01T00:00:00Z", "5m", sim::Faults::kNone};
  Stage stage;
  prepare(stage);
  const auto simulation = launch_paced(stage);
  ASSERT_TRUE(until([&] { return stage.gateway.counters().readings >= sent_.readings.size() / 3; }, kWhole));
  stage.broker.kill();
  stage.gateway.drain();
  const auto before = stored(stage.gateway);
  EXPECT_LT(before.size(), sent_.readings.size()) << "the broker was killed too late";
  const std::size_t told = stage.gateway.log().size();
  stage.broker.start();
  ASSERT_TRUE(until([&] { return stage.gateway.log().find("connected to tcp://", told) != std::string::npos; }))
      << stage.gateway.log();
  EXPECT_EQ(simulation->wait(kWhole), 0) << text_of(stage.folder.path() / "sim.log");

  // The gateway goes on: what is sent from now on all arrives.
  const Sent sent_later = sent_by(later);
  simulate(stage.broker, later.command());
  const auto arrived = [&] {
    stage.gateway.drain();
    const auto all = stored(stage.gateway);
    return std::all_of(sent_later.readings.begin(), sent_later.readings.end(),
                       [&](const auto& reading) { return all.contains(reading.first); });
  };
  EXPECT_TRUE(until(arrived)) << stage.gateway.log();

  const auto after = stored(stage.gateway);
  std::size_t wrong = 0;
  for (auto reading = after.begin(); reading != after.end(); ++reading) {
    const auto sent = sent_.readings.find(reading->first);
    const auto of_later = sent_later.readings.find(reading->first);
    const bool was_sent = (sent != sent_.readings.end() && sent->second == reading->second) ||
                          (of_later != sent_later.readings.end() && of_later->second == reading->second);
    const auto next = std::next(reading);
    const bool once = next == after.end() || next->first != reading->first;
    if (!was_sent || !once) ++wrong;
  }
  EXPECT_EQ(wrong, 0U) << "readings that nobody sent, or stored twice";
  EXPECT_EQ(after.size(), stage.gateway.counters().readings);
  EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()))
      << "journaled readings were lost";
  std::cout << sent_.readings.size() + sent_later.readings.size() - after.size()
            << " readings were lost with the broker\n";
  const Ran verified = verify(stage.gateway.data());
  EXPECT_EQ(verified.code, 0) << verified.out;
}

}  // namespace
}  // namespace fettle::e2e
