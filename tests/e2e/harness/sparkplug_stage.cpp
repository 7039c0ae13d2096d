#include "tests/e2e/harness/sparkplug_stage.h"

#include <boost/json.hpp>
#include <stdexcept>

#include "firmware-sim/load.h"
#include "firmware-sim/stamp.h"
#include "gateway/store/sqlite/reader.h"

namespace fettle::e2e {
namespace {

constexpr const char* kStart = "2026-06-10T08:00:00Z";
constexpr std::uint64_t kSeed = 7;
constexpr const char* kHost = "fettle-test";
constexpr const char* kSections =
    "sparkplug:\n  host_id: fettle-test\n  groups: [fettle-sim]\n  brokers:\n    - {name: plant, broker: "
    "\"@BROKER@\"}\n";

Words load_options(const Words& more) {
  Words words{"load",      "--sparkplug",
              "--assets",  std::to_string(SparkplugStage::kAssets),
              "--signals", std::to_string(SparkplugStage::kSignals),
              "--start",   kStart,
              "--for",     std::to_string(SparkplugStage::kSpan.count()) + "s",
              "--seed",    std::to_string(kSeed),
              "--nodes",   "3",
              "--aliases"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::string load_catalog_yaml() {
  Words words = load_options({"--catalog"});
  words.insert(words.begin(), FETTLE_BIN_DIR "/fettle-sim");
  const Ran printed = run_command(words);
  if (printed.code != 0) throw std::runtime_error("no catalog: " + printed.err);
  return printed.out;
}

}  // namespace

SparkplugStage::SparkplugStage() : Stage(ClockKind::system, "", kSections) {}

void SparkplugStage::start() {
  gateway.start();
  write_text(folder.path() / "load.yaml", load_catalog_yaml());
  gateway.apply({folder.path() / "load.yaml"});
  if (!until([this] { return online(); })) throw std::runtime_error("the gateway is not online: " + gateway.log());
}

bool SparkplugStage::online() const {
  return broker.retained(std::string("spBv1.0/STATE/") + kHost).find("\"online\":true") != std::string::npos;
}

Words SparkplugStage::load(const Words& more) const {
  Words words = load_options({"--primary-host", kHost, "--buffer", (folder.path() / "buffer").string()});
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::unique_ptr<Process> SparkplugStage::launch_load(const Words& more) const {
  return launch_simulation(broker, load(more), folder.path() / "sim.log");
}

void SparkplugStage::settle() {
  const bool whole =
      until([this] { return gateway.counters().readings >= kReadings || !gateway.running(); }, kPatience);
  if (!whole || !gateway.running()) {
    throw std::runtime_error("only " + std::to_string(gateway.counters().readings) +
                             " readings came: " + gateway.log() + simulation_log());
  }
  gateway.drain();
}

void expect_values_of_load(const Gateway& gateway) {
  auto reader = store::Reader::open(gateway.store());
  ASSERT_TRUE(reader) << reader.error().message;
  const sim::EventTime start = *sim::parse_iso8601(kStart);
  std::size_t wrong = 0;
  for (std::uint64_t asset = 0; asset < SparkplugStage::kAssets; ++asset) {
    for (std::uint64_t signal = 0; signal < SparkplugStage::kSignals; ++signal) {
      const auto found = (*reader)->find_readings(sim::load_asset_name(asset), sim::load_signal_name(signal),
                                                  engine::Time::min(), engine::Time::max());
      ASSERT_TRUE(found) << found.error().message;
      ASSERT_EQ(found->size(), static_cast<std::size_t>(SparkplugStage::kSpan.count())) << asset << ' ' << signal;
      for (std::size_t step = 0; step < found->size(); ++step) {
        const sim::EventTime at = start + static_cast<int>(step) * sim::kLoadStep;
        const double scale = sim::load_kind(signal) == sim::LoadKind::kGauge ? 100 : 1;
        const double value = static_cast<double>(sim::load_value(kSeed, asset, signal, at)) / scale;
        const auto& reading = (*found)[step].reading;
        if (reading.time.time_since_epoch() != at.time_since_epoch() || reading.value != value) ++wrong;
      }
    }
  }
  EXPECT_EQ(wrong, 0U);
}

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

}  // namespace fettle::e2e
