// A real machine's temperature: the rule pack live through MQTT says what its back-test said.

#include <algorithm>
#include <boost/json.hpp>
#include <iostream>
#include <limits>
#include <sstream>

#include "tests/e2e/harness/recordings.h"
#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kRows = 22'695;
constexpr std::size_t kProbation = 750;  // rows in which an alert is not judged
constexpr std::int64_t kDay = 86'400'000;

const char* const kModel = "firmware-sim/catalog/nab.yaml";
const char* const kSeller = "firmware-sim/catalog/seller.yaml";
const char* const kPack = "rules/packs/machine-temperature.yaml";

// The recording's stamps have no zone; the simulator and the back-test take them as UTC.
std::int64_t stamp_ms(const std::string& stamp) {
  return ms_of(stamp.substr(0, 10) + 'T' + stamp.substr(11, 8) + 'Z');
}

struct Window {
  std::int64_t from = 0;
  std::int64_t to = 0;
  bool holds(std::int64_t time) const { return from <= time && time <= to; }
};

std::vector<Window> labelled_windows() {
  std::vector<Window> windows;
  const json::value all = json::parse(text_of(recordings() / "nab" / "windows.json"));
  for (const auto& [file, labels] : all.as_object()) {
    for (const json::value& label : labels.as_array()) {
      windows.push_back(
          {stamp_ms(std::string(label.at(0).as_string())), stamp_ms(std::string(label.at(1).as_string()))});
    }
  }
  return windows;
}

// The recording, unzipped, and the event time of its row 750.
struct Recording {
  std::filesystem::path file;
  std::int64_t probation_ends = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

Recording unzip_to(const std::filesystem::path& folder) {
  Recording recording{folder / "machine.csv"};
  const std::string csv = unzipped(recordings() / "nab" / "machine_temperature_system_failure.csv.gz");
  write_text(recording.file, csv);
  std::istringstream in(csv);
  std::string line;
  std::getline(in, line);
  for (std::size_t row = 1; std::getline(in, line); ++row) {
    const std::int64_t time = stamp_ms(line);
    if (row == 1) recording.first = time;
    if (row == kProbation) recording.probation_ends = time;
    recording.last = std::max(recording.last, time);
  }
  return recording;
}

// What both outputs say of an episode.
std::string episode_line(const json::value& episode, const char* id_key) {
  std::string line;
  for (const char* key : {id_key, "asset", "pack", "rule", "since", "raised_at", "cleared_at", "work_order"}) {
    line += json::serialize(episode.at(key)) + ' ';
  }
  return line;
}

std::string order_line(const json::value& order, const char* id_key) {
  std::string line;
  for (const char* key : {id_key, "asset", "rule", "priority", "title", "raised_at", "occurrences"}) {
    line += json::serialize(order.at(key)) + ' ';
  }
  return line;
}

class MachineTemperature : public testing::Test {
 protected:
  void SetUp() override { FETTLE_NEED_RECORDINGS(); }
};

TEST_F(MachineTemperature, LiveThroughMqttIsWhatTheBacktestSaid) {
  Stage stage;
  const Recording recording = unzip_to(stage.folder.path());

  const Ran backtest =
      run_command({FETTLE_BIN_DIR "/fettle", "backtest", "--pack", source(kModel).string(), "--pack",
                   source(kSeller).string(), "--pack", source(kPack).string(), "--model", "machine/thermal", "--data",
                   recording.file.string(), "--asset", "machine-1", "--column", "value=temperature"});
  ASSERT_EQ(backtest.code, 0) << backtest.err;
  Lines tested_episodes;
  Lines tested_orders;
  json::value counts;
  std::istringstream lines(backtest.out);
  for (std::string line; std::getline(lines, line);) {
    const json::value entry = json::parse(line);
    if (entry.as_object().contains("episode")) {
      tested_episodes.push_back(episode_line(entry, "episode"));
    } else if (entry.as_object().contains("work_order")) {
      tested_orders.push_back(order_line(entry, "work_order"));
    } else {
      counts = entry;
    }
  }

  stage.gateway.start();
  stage.gateway.apply({source(kSeller), source(kModel), source(kPack)});
  simulate(stage.broker, {"replay", "--dataset", "nab", "--data", recordings().string()});
  stage.gateway.wait_for_readings(counts.at("readings").to_number<std::uint64_t>());
  EXPECT_TRUE(until([&] { return stage.gateway.counters().messages == kRows; }));
  stage.gateway.drain();

  // What was admitted is the same, and with it what was evaluated.
  const Counters counters = stage.gateway.counters();
  EXPECT_EQ(counts.at("rows").to_number<std::uint64_t>(), kRows);
  EXPECT_EQ(counters.readings, counts.at("readings").to_number<std::uint64_t>());
  EXPECT_EQ(counters.duplicates, counts.at("duplicates").to_number<std::uint64_t>());
  EXPECT_EQ(counters.conflicts, counts.at("conflicts").to_number<std::uint64_t>());
  EXPECT_EQ(counters.late, counts.at("late").to_number<std::uint64_t>());
  EXPECT_GT(counters.late, 0U) << "the recording jumps back once";
  EXPECT_EQ(counters.quarantined, 0U);

  const json::value episodes = stage.gateway.json({"episodes", "--limit", "1000"});
  const json::value orders = stage.gateway.json({"work-order", "list", "--limit", "1000"});
  Lines live_episodes;
  Lines live_orders;
  for (const json::value& episode : episodes.as_array()) live_episodes.push_back(episode_line(episode, "id"));
  for (const json::value& order : orders.as_array()) live_orders.push_back(order_line(order, "id"));
  std::sort(live_episodes.begin(), live_episodes.end());
  std::sort(tested_episodes.begin(), tested_episodes.end());
  std::sort(live_orders.begin(), live_orders.end());
  std::sort(tested_orders.begin(), tested_orders.end());
  EXPECT_EQ(difference(tested_episodes, live_episodes), "");
  EXPECT_EQ(difference(tested_orders, live_orders), "");
  EXPECT_GE(live_episodes.size(), 1U);
  EXPECT_GE(live_orders.size(), 1U);

  // How good the pack is on this machine, as the benchmark counts.
  const std::vector<Window> windows = labelled_windows();
  ASSERT_EQ(windows.size(), 4U);
  std::vector<std::int64_t> raised;
  for (const json::value& episode : episodes.as_array()) {
    raised.push_back(ms_of(std::string(episode.at("raised_at").as_string())));
  }
  std::sort(raised.begin(), raised.end());
  const auto found = std::count_if(windows.begin(), windows.end(), [&](const Window& window) {
    return std::any_of(raised.begin(), raised.end(), [&](std::int64_t time) { return window.holds(time); });
  });
  std::size_t false_orders = 0;
  std::int64_t last_false = std::numeric_limits<std::int64_t>::min() / 2;
  for (const std::int64_t time : raised) {
    const bool labelled =
        std::any_of(windows.begin(), windows.end(), [&](const Window& window) { return window.holds(time); });
    if (labelled || time <= recording.probation_ends || time - last_false < kDay) continue;
    ++false_orders;
    last_false = time;
  }
  const double months =
      static_cast<double>(recording.last - recording.probation_ends) / (30.0 * static_cast<double>(kDay));
  const double false_a_month = static_cast<double>(false_orders) / months;
  std::cout << "machine temperature: " << raised.size() << " episodes, " << orders.as_array().size()
            << " work orders; raised in " << found << " of 4 labelled windows, " << false_orders << " outside them in "
            << months << " months: " << false_a_month << " a month\n";
  EXPECT_GE(found, 3);
  EXPECT_LE(false_a_month, 3.0);
}

}  // namespace
}  // namespace fettle::e2e
