// Sparkplug edge nodes with store and forward, while the gateway is killed with SIGKILL again and again: QoS 0 loses,
// the nodes' buffers heal, and in the end everything is there once. The same while its disk is full.

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <random>

#include "tests/e2e/harness/small_disk.h"
#include "tests/e2e/harness/sparkplug_stage.h"

namespace fettle::e2e {
namespace {

constexpr std::size_t kKills = 20;
constexpr std::size_t kMebibyte = 1U << 20U;
constexpr int kStopped = 130;  // exit code of a simulation that was told to stop

// Drawn anew each time; FETTLE_SEED repeats a run as far as the machine allows.
std::uint64_t drawn_seed() {
  const char* given = std::getenv("FETTLE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "FETTLE_SEED=" << seed << '\n';
  return seed;
}

// A gateway whose disk is full while nodes send to it. How long the broker waits before it gives its session up is the
// keep-alive's affair, half a minute or more, in which other tests can run.
//
// What was published meanwhile at QoS 0 is gone with the session: nodes that lose nothing keep that long what they have
// sent (--overlap).
class FullDisk {
 public:
  // Returns once the gateway has said that it takes nothing more.
  FullDisk() : disk_(stage_.gateway.data(), 192 * kMebibyte) {
    stage_.start();
    simulation_ = stage_.launch_load({"--speed", "30", "--overlap", "120s"});
    reached_ = until([&] { return stage_.gateway.counters().messages > 2'000; });
    disk_.fill(kMebibyte);
    reached_ = reached_ && until([&] { return stage_.gateway.log().find(" not ready: ") != std::string::npos; });
  }

  // Whether it came as far as that.
  bool reached() const { return reached_; }
  SparkplugStage& stage() { return stage_; }
  SmallDisk& disk() { return disk_; }
  Process& simulation() { return *simulation_; }

 private:
  SparkplugStage stage_;
  SmallDisk disk_;
  std::unique_ptr<Process> simulation_;
  bool reached_ = false;
};

class SparkplugCrash : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    // Before anything has a thread: tests that fill a disk need it.
    if (mount_problem().empty()) full_disk_ = std::make_unique<FullDisk>();
    SparkplugStage stage;
    stage.start();
    // Nothing is lost, so nothing need be kept once it is sent.
    simulate(stage.broker, stage.load({"--rate", "4000", "--overlap", "0s"}), SparkplugStage::kPatience);
    stage.settle();
    usage_ = usage_of(stage.gateway);
    episodes_ = bare_episodes_of(stage.gateway);
    counters_ = stage.gateway.counters();
    expect_values_of_load(stage.gateway);
    const Ran verified = verify(stage.gateway.data());
    EXPECT_EQ(verified.code, 0) << verified.out;
  }
  static void TearDownTestSuite() { full_disk_.reset(); }

  // What must hold after a run with the same load, however it was disturbed, once all of it is there. What the nodes
  // would still keep for some seconds, in case that it was lost, is not waited for.
  static void expect_undisturbed(SparkplugStage& stage, Process& simulation) {
    stage.settle();
    simulation.signal(SIGTERM);
    const auto code = simulation.wait();
    EXPECT_TRUE(code == 0 || code == kStopped) << stage.simulation_log();
    std::cout << stage.simulation_log();
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

  static std::unique_ptr<FullDisk> full_disk_;
  static Lines usage_;
  static Lines episodes_;
  static Counters counters_;
};
std::unique_ptr<FullDisk> SparkplugCrash::full_disk_;
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
  const auto simulation = stage.launch_load({"--speed", "60", "--overlap", "10s"});
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
  expect_undisturbed(stage, *simulation);
}

TEST_F(SparkplugCrash, WithAFullDiskItGoesOfflineSoThatTheNodesKeepEverythingUntilThereIsRoom) {
  FETTLE_NEED_MOUNTS();
  SparkplugStage& stage = full_disk_->stage();
  ASSERT_TRUE(full_disk_->reached()) << stage.gateway.log();
  ASSERT_TRUE(until([&] { return !stage.online(); })) << stage.gateway.log();
  EXPECT_TRUE(stage.gateway.running()) << stage.gateway.log();
  full_disk_->disk().make_room();
  ASSERT_TRUE(until([&] { return stage.online(); })) << stage.gateway.log();
  expect_undisturbed(stage, full_disk_->simulation());
}

}  // namespace
}  // namespace fettle::e2e
