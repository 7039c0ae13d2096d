// Sparkplug edge nodes with store and forward, while the gateway is killed with SIGKILL again and again: QoS 0 loses,
// the nodes' buffers heal, and in the end everything is there once.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <iostream>
#include <random>

#include "firmware-sim/load.h"
#include "firmware-sim/stamp.h"
#include "gateway/store/sqlite/reader.h"
#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

constexpr std::size_t kKills = 20;
constexpr std::chrono::seconds kWhole{150};
constexpr const char* kStart = "2026-06-10T08:00:00Z";
constexpr std::uint64_t kAssets = 20;
constexpr std::uint64_t kSignals = 6;  // two of each kind
constexpr std::chrono::seconds kSpan{1'800};
constexpr const char* kSections =
    "sparkplug:\n  host_id: fettle-test\n  groups: [fettle-sim]\n  brokers:\n    - {name: plant, broker: "
    "\"@BROKER@\"}\n";
constexpr const char* kState = "spBv1.0/STATE/fettle-test";

const Words kLoad{"load",      "--sparkplug",
                  "--assets",  std::to_string(kAssets),
                  "--signals", std::to_string(kSignals),
                  "--start",   kStart,
                  "--for",     "30m",
                  "--seed",    "7",
                  "--nodes",   "3",
                  "--aliases"};

Words load(const Words& more) {
  Words words = kLoad;
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

// Drawn anew each time; FETTLE_SEED repeats a run as far as the machine allows.
std::uint64_t drawn_seed() {
  const char* given = std::getenv("FETTLE_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  std::cout << "FETTLE_SEED=" << seed << '\n';
  return seed;
}

struct SparkplugStage : Stage {
  SparkplugStage() : Stage(ClockKind::system, "", kSections) {
    gateway.start();
    const Ran printed = run_command([] {
      Words words = load({"--catalog"});
      words.insert(words.begin(), FETTLE_BIN_DIR "/fettle-sim");
      return words;
    }());
    if (printed.code != 0) throw std::runtime_error("no catalog: " + printed.err);
    write_text(folder.path() / "load.yaml", printed.out);
    gateway.apply({folder.path() / "load.yaml"});
  }

  bool online() const { return broker.retained(kState).find("\"online\":true") != std::string::npos; }

  // Options of a run whose nodes keep what the host does not hear.
  Words options(const Words& pace) const {
    Words words = load({"--primary-host", "fettle-test", "--buffer", (folder.path() / "buffer").string()});
    words.insert(words.end(), pace.begin(), pace.end());
    return words;
  }

  // Until the readings are all there: what is held after the last rejoin is let go some seconds after the flush.
  void settle() {
    const bool whole = until(
        [&] {
          return gateway.counters().readings >= kAssets * kSignals * static_cast<std::uint64_t>(kSpan.count()) ||
                 !gateway.running();
        },
        kWhole);
    if (!whole || !gateway.running()) {
      throw std::runtime_error("only " + std::to_string(gateway.counters().readings) +
                               " readings came: " + gateway.log() + text_of(folder.path() / "sim.log"));
    }
    gateway.drain();
  }
};

// Every value that the load has is stored once, and no other.
void expect_values(const Gateway& gateway) {
  auto reader = store::Reader::open(gateway.store());
  ASSERT_TRUE(reader) << reader.error().message;
  const sim::EventTime start = *sim::parse_iso8601(kStart);
  std::size_t wrong = 0;
  for (std::uint64_t asset = 0; asset < kAssets; ++asset) {
    for (std::uint64_t signal = 0; signal < kSignals; ++signal) {
      const auto found = (*reader)->find_readings(sim::load_asset_name(asset), sim::load_signal_name(signal),
                                                  engine::Time::min(), engine::Time::max());
      ASSERT_TRUE(found) << found.error().message;
      ASSERT_EQ(found->size(), static_cast<std::size_t>(kSpan.count())) << asset << ' ' << signal;
      for (std::size_t step = 0; step < found->size(); ++step) {
        const sim::EventTime at = start + static_cast<int>(step) * sim::kLoadStep;
        const double scale = sim::load_kind(signal) == sim::LoadKind::kGauge ? 100 : 1;
        const double value = static_cast<double>(sim::load_value(7, asset, signal, at)) / scale;
        const auto& reading = (*found)[step].reading;
        if (reading.time.time_since_epoch() != at.time_since_epoch() || reading.value != value) ++wrong;
      }
    }
  }
  EXPECT_EQ(wrong, 0U);
}

// Without the work order: an episode that is over when it becomes known raises none.
Lines bare_episodes_of(const Gateway& gateway) {
  Lines lines;
  const boost::json::value episodes = gateway.json({"episodes", "--limit", "100000"});
  for (const boost::json::value& listed : episodes.as_array()) {
    boost::json::object episode = listed.as_object();
    episode.erase("work_order");
    lines.push_back(boost::json::serialize(episode));
  }
  return lines;
}

class SparkplugCrash : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    SparkplugStage stage;
    ASSERT_TRUE(until([&] { return stage.online(); })) << stage.gateway.log();
    simulate(stage.broker, stage.options({"--rate", "4000"}), kWhole);
    stage.settle();
    usage_ = usage_of(stage.gateway);
    episodes_ = bare_episodes_of(stage.gateway);
    counters_ = stage.gateway.counters();
    expect_values(stage.gateway);
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
  EXPECT_EQ(counters_.readings, kAssets * kSignals * static_cast<std::uint64_t>(kSpan.count()));
  EXPECT_EQ(counters_.conflicts, 0U);
  EXPECT_EQ(counters_.quarantined, 0U);
  // Otherwise the comparison below would compare little.
  EXPECT_GE(episodes_.size(), 100U);
  EXPECT_GE(usage_.size(), kAssets * 4);
  std::cout << counters_.readings << " readings, " << usage_.size() << " usage records, " << episodes_.size()
            << " episodes\n";
}

TEST_F(SparkplugCrash, KilledTwentyTimesTheGatewayHasEveryValueAndCountsItOnce) {
  SparkplugStage stage;
  ASSERT_TRUE(until([&] { return stage.online(); })) << stage.gateway.log();
  std::mt19937_64 random(drawn_seed());
  std::uniform_int_distribution<int> delay(0, 1'500);
  const auto simulation =
      launch_simulation(stage.broker, stage.options({"--speed", "45"}), stage.folder.path() / "sim.log");
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
  EXPECT_EQ(simulation->wait(kWhole), 0) << text_of(stage.folder.path() / "sim.log");
  stage.settle();
  std::cout << text_of(stage.folder.path() / "sim.log") << stage.gateway.counters().late << " readings came late\n";

  expect_values(stage.gateway);
  const Counters counters = stage.gateway.counters();
  EXPECT_EQ(counters.readings, counters_.readings);
  EXPECT_EQ(counters.conflicts, 0U);
  EXPECT_EQ(counters.quarantined, 0U) << stage.gateway.done({"quarantine"});
  EXPECT_EQ(difference(usage_, usage_of(stage.gateway)), "");
  EXPECT_EQ(difference(episodes_, bare_episodes_of(stage.gateway)), "");
  const Ran verified = verify(stage.gateway.data());
  EXPECT_EQ(verified.code, 0) << verified.out;
}

}  // namespace
}  // namespace fettle::e2e
