// Sparkplug edge nodes with store and forward, while the gateway is killed with SIGKILL again and again: QoS 0 loses,
// the nodes' buffers heal, and in the end everything is there once. The same while its disk is full.

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <random>

#include "tests/e2e/harness/small_disk.h"
#include "tests/e2e/harness/sparkplug_stage.h"

namespace fettle::e2e {
namespace {

constexpr std::size_t kKills = 20;
constexpr std::size_t kMebibyte = 1U << 20U;

// Drawn anew each time; FETTLE_SEED repeats a run as far as the machine allows.
std::uint64_t drawn_seed() {
  const char* given = std::getenv("FETTLE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "FETTLE_SEED=" << seed << '\n';
  return seed;
}

class SparkplugCrash : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // Before anything has a thread: tests that fill a disk need it.
    (void)mount_problem();
    SparkplugStage stage;
    stage.start();
    simulate(stage.broker, stage.load({"--rate", "4000"}), SparkplugStage::kPatience);
    stage.settle();
    usage_ = usage_of(stage.gateway);
    episodes_ = bare_episodes_of(stage.gateway);
    counters_ = stage.gateway.counters();
    expect_values_of_load(stage.gateway);
    const Ran verified = verify(stage.gateway.data());
    EXPECT_EQ(verified.code, 0) << verified.out;
  }

  // What must hold after a run with the same load, however it was disturbed.
  static void expect_undisturbed(SparkplugStage& stage) {
    expect_values_of_load(stage.gateway);
    const Counters counters = stage.gateway.counters();
    EXPECT_EQ(counters.readings, counters_.readings);
    EXPECT_EQ(counters.late, counters_.late);
    EXPECT_EQ(counters.conflicts, 0U);
    EXPECT_EQ(counters.quarantined, 0U) << stage.gateway.done({"quarantine"});
    EXPECT_EQ(difference(usage_, usage_of(stage.gateway)), "");
    EXPECT_EQ(difference(episodes_, bare_episodes_of(stage.gateway)), "");
    const Ran verified = verify(stage.gateway.data());
    EXPECT_EQ(verified.code, 0) << verified.out;
  }

  static Lines usage_;
  static Lines episodes_;
  static Counters counters_;
};
Lines SparkplugCrash::usage_;
Lines SparkplugCrash::episodes_;
Counters SparkplugCrash::counters_;

TEST_F(SparkplugCrash, UndisturbedEverythingIsThere) {
  EXPECT_EQ(counters_.readings, SparkplugStage::kReadings);
  EXPECT_EQ(counters_.conflicts, 0U);
  EXPECT_EQ(counters_.quarantined, 0U);
  // Otherwise the comparison below would compare little.
  EXPECT_GE(episodes_.size(), 100U);
  EXPECT_GE(usage_.size(), SparkplugStage::kAssets * 2);
  std::cout << counters_.readings << " readings, " << usage_.size() << " usage records, " << episodes_.size()
            << " episodes\n";
}

TEST_F(SparkplugCrash, KilledTwentyTimesTheGatewayHasEveryValueAndCountsItOnce) {
  SparkplugStage stage;
  stage.start();
  std::mt19937_64 random(drawn_seed());
  std::uniform_int_distribution<int> delay(0, 1'500);
  const auto simulation = stage.launch_load({"--speed", "45", "--overlap", "3s"});
  std::size_t kills = 0;
  for (; kills < kKills && simulation->running(); ++kills) {
    // Mostly once the nodes hear it again, sometimes while it still starts.
    if (kills % 3 != 2) {
      ASSERT_TRUE(until([&] { return stage.online() || !stage.gateway.running(); })) << stage.gateway.log();
    }
    until([] { return false; }, std::chrono::milliseconds(delay(random)));
    ASSERT_TRUE(stage.gateway.running()) << stage.gateway.log();
    stage.gateway.kill();
    stage.gateway.launch();
  }
  EXPECT_EQ(kills, kKills) << "the load was over too soon";
  EXPECT_EQ(simulation->wait(SparkplugStage::kPatience), 0) << stage.simulation_log();
  stage.settle();
  std::cout << stage.simulation_log();
  expect_undisturbed(stage);
}

// The session is held until the broker gives it up, one and a half keep-alives later. What was published meanwhile at
// QoS 0 is gone with it: nodes that lose nothing keep that long what they have sent (--overlap).
TEST_F(SparkplugCrash, WithAFullDiskItGoesOfflineSoThatTheNodesKeepEverythingUntilThereIsRoom) {
  FETTLE_NEED_MOUNTS();
  SparkplugStage stage;
  SmallDisk disk(stage.gateway.data(), 192 * kMebibyte);
  stage.start();
  const auto simulation = stage.launch_load({"--speed", "30", "--overlap", "120s"});
  ASSERT_TRUE(until([&] { return stage.gateway.counters().messages > 2'000; })) << stage.gateway.log();
  disk.fill(kMebibyte);
  ASSERT_TRUE(until([&] { return stage.gateway.log().find(" not ready: ") != std::string::npos; }))
      << stage.gateway.log();
  ASSERT_TRUE(until([&] { return !stage.online(); })) << stage.gateway.log();
  EXPECT_TRUE(stage.gateway.running()) << stage.gateway.log();
  disk.make_room();
  ASSERT_TRUE(until([&] { return stage.online(); })) << stage.gateway.log();
  EXPECT_EQ(simulation->wait(SparkplugStage::kPatience), 0) << stage.simulation_log();
  stage.settle();
  expect_undisturbed(stage);
}

}  // namespace
}  // namespace fettle::e2e
