// Rule packs on recorded machines: what they find, how early, and what they say for nothing. By back-test, and for the
// recordings of the air handler and the engines once more live, through MQTT.

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "tests/e2e/harness/recordings.h"
#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

const char* const kMachines = "tests/e2e/catalog/recorded-machines.yaml";

Words fields_of(const std::string& line, char separator) {
  Words fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, separator);) {
    while (field.ends_with('\r') || field.ends_with(' ')) field.pop_back();
    if (separator != ' ' || !field.empty()) fields.push_back(field);
  }
  return fields;
}

// Calls f(fields) for each row after the first `skipped` lines.
void each_row(const std::string& text, std::size_t skipped, char separator,
              const std::function<void(const Words&)>& f) {
  std::istringstream in(text);
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    if (++number > skipped && !line.empty()) f(fields_of(line, separator));
  }
}

// A recording as `fettle backtest` reads it: CSV with the columns time, asset and one for each signal.
struct Recorded {
  std::string model;
  std::string pack;
  Words signals;
  std::vector<Words> rows;  // time, asset, values; empty and broken cells as they are
  std::string failures;     // CSV
  std::string horizon;

  std::string csv() const {
    std::string text = "time,asset";
    for (const std::string& signal : signals) text += ',' + signal;
    for (const Words& row : rows) {
      text += '\n';
      for (std::size_t i = 0; i < row.size(); ++i) text += (i == 0 ? "" : ",") + row[i];
    }
    return text + '\n';
  }
};

// What `fettle backtest --json` said.
struct Said {
  std::map<std::string, json::object> judged;  // by rule, all of them under ""
  Lines raised;                                // "asset rule raised_at", sorted
  json::object summary;
};

std::string raised_line(const json::value& episode) {
  return std::string(episode.at("asset").as_string()) + ' ' + std::string(episode.at("rule").as_string()) + ' ' +
         std::string(episode.at("raised_at").as_string());
}

Said backtested(const Words& words) {
  Words command = {FETTLE_BIN_DIR "/fettle", "backtest", "--json"};
  command.insert(command.end(), words.begin(), words.end());
  const Ran ran = run_command(command);
  if (ran.code != 0) throw std::runtime_error("fettle backtest: " + ran.err);
  Said said;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    const json::object entry = json::parse(line).as_object();
    if (entry.contains("judgement")) {
      const json::value* rule = entry.if_contains("rule");
      said.judged[rule == nullptr ? std::string() : std::string(rule->as_string())] = entry;
    } else if (entry.contains("episode")) {
      said.raised.push_back(raised_line(entry));
    } else if (!entry.contains("work_order")) {
      said.summary = entry;
    }
  }
  std::sort(said.raised.begin(), said.raised.end());
  return said;
}

Said backtested(const Recorded& recorded, const std::filesystem::path& folder) {
  write_text(folder / "data.csv", recorded.csv());
  write_text(folder / "failures.csv", recorded.failures);
  return backtested({"--pack", source(kMachines).string(), "--pack", source(recorded.pack).string(), "--model",
                     recorded.model, "--data", (folder / "data.csv").string(), "--asset-column", "asset", "--failures",
                     (folder / "failures.csv").string(), "--horizon", recorded.horizon});
}

std::int64_t number(const json::object& judged, const char* key) {
  return judged.at(key).to_number<std::int64_t>();
}

void print(const char* recording, const json::object& all) {
  std::cout << recording << ": " << json::serialize(all) << '\n';
}

// ---- the same live
// ----------------------------------------------------------------------------------------------------

// The assets of the recording, subscribed to its pack.
std::string fleet_of(const Recorded& recorded, const std::string& pack_id) {
  std::set<std::string> assets;
  for (const Words& row : recorded.rows) assets.insert(row[1]);
  std::string yaml =
      "customers: [{id: owner, name: Owner Inc., country: US, zone: UTC, currency: USD}]\nplans:\n"
      "  - {id: watch, seller: fettle-demo, currency: USD, packs: [" +
      pack_id + "], charges: [{id: base, kind: fixed, amount: 1.00}]}\nassets:\n";
  std::string list;
  for (const std::string& asset : assets) {
    yaml += "  - {id: " + asset + ", model: " + recorded.model + ", customer: owner, commissioned: 2000-01-01}\n";
    list += (list.empty() ? "" : ", ") + asset;
  }
  return yaml + "subscriptions: [{id: all, customer: owner, plan: watch, assets: [" + list + "], start: 2000-01-01}]\n";
}

bool is_number(const std::string& text) {
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

// One message an asset, with all of its rows, at the time of the last. The rows of an asset stand together.
void publish(const Recorded& recorded, const Broker& broker) {
  std::string payload;
  for (std::size_t i = 0; i < recorded.rows.size(); ++i) {
    const Words& row = recorded.rows[i];
    payload += payload.empty() ? "[" : ",";
    payload += "{\"ts\":\"" + row[0] + '"';
    for (std::size_t j = 0; j < recorded.signals.size(); ++j) {
      const std::string& cell = row[j + 2];
      if (cell.empty()) continue;
      payload += ",\"" + recorded.signals[j] + "\":" + (is_number(cell) ? cell : '"' + cell + '"');
    }
    payload += '}';
    if (i + 1 < recorded.rows.size() && recorded.rows[i + 1][1] == row[1]) continue;
    const std::string now = std::to_string(ms_of(row[0].substr(0, 16) + ":00Z"));
    broker.publish("fettle/v1/clock", "{\"now\":" + now + '}');
    broker.publish("fettle/v1/" + row[1] + "/telemetry", payload + ']');
    payload.clear();
  }
}

void expect_the_same_live(const Recorded& recorded, const Said& said, const std::string& pack_id) {
  Stage stage;
  stage.gateway.start();
  write_text(stage.folder.path() / "fleet.yaml", fleet_of(recorded, pack_id));
  stage.gateway.apply({source("firmware-sim/catalog/seller.yaml"), source(kMachines), source(recorded.pack),
                       stage.folder.path() / "fleet.yaml"});
  publish(recorded, stage.broker);
  stage.gateway.wait_for_readings(said.summary.at("readings").to_number<std::uint64_t>());
  stage.gateway.drain();
  EXPECT_EQ(stage.gateway.counters().quarantined, said.summary.at("quarantined").to_number<std::uint64_t>());
  Lines raised;
  const json::value episodes = stage.gateway.json({"episodes", "--limit", "10000"});
  for (const json::value& episode : episodes.as_array()) {
    raised.push_back(raised_line(episode));
  }
  std::sort(raised.begin(), raised.end());
  EXPECT_EQ(difference(said.raised, raised), "");
  EXPECT_EQ(stage.gateway.json({"work-order", "list", "--limit", "10000"}).as_array().size(),
            said.summary.at("work_orders").to_number<std::size_t>());
}

// ---- the recordings
// ---------------------------------------------------------------------------------------------------

// ISO 8601 in UTC of a day and minutes.
std::string stamp(std::chrono::sys_days day, std::chrono::minutes minutes) {
  const std::chrono::year_month_day date(day + std::chrono::floor<std::chrono::days>(minutes));
  const auto of_day = minutes % std::chrono::days(1);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(of_day / std::chrono::hours(1)),
                static_cast<int>(of_day % std::chrono::hours(1) / std::chrono::minutes(1)));
  return text;
}

// Every row is a process of its own, hence an asset of its own. The file has no times: a minute a row.
Recorded milling() {
  Recorded recorded{"milling-machine",
                    "rules/packs/milling-machine.yaml",
                    {"quality", "air_temperature", "process_temperature", "speed", "torque", "tool_wear"},
                    {},
                    "asset,time,rule\n",
                    "0s"};
  const std::chrono::sys_days begin = std::chrono::year(2020) / 1 / 1;
  each_row(unzipped(recordings() / "ai4i" / "ai4i2020.csv.gz"), 1, ',', [&](const Words& row) {
    const std::string time = stamp(begin, std::chrono::minutes(recorded.rows.size()));
    recorded.rows.push_back({time, row[0], row[2], row[3], row[4], row[5], row[6], row[7]});
    for (const auto& [column, rule] : {std::pair(10, "heat"), std::pair(11, "power"), std::pair(12, "overstrain")}) {
      if (row[static_cast<std::size_t>(column)] == "1") recorded.failures += row[0] + ',' + time + ',' + rule + '\n';
    }
  });
  return recorded;
}

// Every day is an experiment with a fault of its own, hence an asset of its own.
Recorded air_handler() {
  Recorded recorded{"air-handler/single-zone",
                    "rules/packs/air-handler-valves.yaml",
                    {"supply_air", "mixed_air", "fan", "cooling_valve", "heating_valve"},
                    {},
                    "asset,start,end,rule\n",
                    "0s"};
  each_row(unzipped(recordings() / "hvac" / "SZCAV.csv.gz"), 1, ',', [&](const Words& row) {
    int month = 0;
    int day = 0;
    int year = 0;
    int hour = 0;
    int minute = 0;
    if (std::sscanf(row[0].c_str(), "%d/%d/%d %d:%d", &month, &day, &year, &hour, &minute) != 5) {
      throw std::runtime_error("no time: " + row[0]);
    }
    const std::chrono::sys_days date = std::chrono::year(year) / month / day;
    const std::string time = stamp(date, std::chrono::hours(hour) + std::chrono::minutes(minute));
    recorded.rows.push_back({time, "ahu-" + time.substr(0, 10), row[1], row[5], row[7], row[12], row[13]});
  });
  each_row(text_of(recordings() / "hvac" / "fault_schedule.csv"), 1, ',', [&](const Words& row) {
    // A valve that is stuck closed lets nothing through; that is no fault of this pack's.
    if (row[0] != "SZCAV.csv" || row.size() < 6 || row[3].find("valve") == std::string::npos) return;
    if (row[5].find("closed") != std::string::npos) return;
    recorded.failures += "ahu-" + row[1] + ',' + row[1] + "T00:00Z," + row[1] + "T23:59Z," +
                         (row[3].starts_with("heating") ? "heating" : "cooling") + "-valve-leaks\n";
  });
  return recorded;
}

constexpr int kTooLate = 10;   // flights before the failure, from which on an order comes too late
constexpr int kTooEarly = 80;  // and before which it is wasteful

// A flight a day. A failure is dated when an order is too late, and the horizon ends where it is too early.
Recorded engines() {
  Recorded recorded{"turbofan",
                    "rules/packs/turbofan-compressor.yaml",
                    {"t24", "t30", "t50", "p30", "ps30", "phi", "bpr", "bleed", "w31", "w32"},
                    {},
                    "asset,time\n",
                    std::to_string(kTooEarly - kTooLate) + "d"};
  const std::chrono::sys_days begin = std::chrono::year(2008) / 1 / 1;
  std::map<std::string, int> last;
  each_row(unzipped(recordings() / "cmapss" / "train_FD001.txt.gz"), 0, ' ', [&](const Words& row) {
    const std::string engine = "engine-" + row[0];
    last[engine] = std::stoi(row[1]);
    Words out = {stamp(begin, std::chrono::days(last[engine])), engine};
    for (const std::size_t column : {7U, 8U, 9U, 12U, 16U, 17U, 20U, 22U, 25U, 26U}) out.push_back(row[column - 1]);
    recorded.rows.push_back(out);
  });
  for (const auto& [engine, cycle] : last) {
    recorded.failures += engine + ',' + stamp(begin, std::chrono::days(cycle - kTooLate)) + '\n';
  }
  return recorded;
}

class Detection : public testing::Test {
 protected:
  void SetUp() override { FETTLE_NEED_RECORDINGS(); }
  test::TemporaryFolder folder_;
};

// As nab_test.cpp counts, and the benchmark: windows as they are labelled, the first 750 rows are probation.
TEST_F(Detection, TheBacktestJudgesTheMachineAsTheBenchmarkCounts) {
  std::string failures = "start,end\n";
  const json::value windows = json::parse(text_of(recordings() / "nab" / "windows.json"));
  for (const auto& [file, labels] : windows.as_object()) {
    for (const json::value& label : labels.as_array()) {
      failures += std::string(label.at(0).as_string()) + ',' + std::string(label.at(1).as_string()) + '\n';
    }
  }
  write_text(folder_.path() / "failures.csv", failures);
  write_text(folder_.path() / "data.csv", unzipped(recordings() / "nab" / "machine_temperature_system_failure.csv.gz"));
  const Said said =
      backtested({"--pack", source("firmware-sim/catalog/nab.yaml").string(), "--pack",
                  source("firmware-sim/catalog/seller.yaml").string(), "--pack",
                  source("rules/packs/machine-temperature.yaml").string(), "--model", "machine/thermal", "--data",
                  (folder_.path() / "data.csv").string(), "--column", "value=temperature", "--failures",
                  (folder_.path() / "failures.csv").string(), "--horizon", "0s", "--probation", "62h30m"});
  const json::object& all = said.judged.at("");
  print("machine temperature", all);
  EXPECT_EQ(number(all, "failures"), 4);
  EXPECT_GE(number(all, "failures_found"), 3);
  EXPECT_LE(all.at("false_orders_per_asset_month").to_number<double>(), 3.0);
}

TEST_F(Detection, TheMillingMachinesRulesReproduceItsFailureModes) {
  const Recorded recorded = milling();
  ASSERT_EQ(recorded.rows.size(), 10'000U);
  const Said said = backtested(recorded, folder_.path());
  print("milling machine", said.judged.at(""));
  const json::object& power = said.judged.at("milling-machine/power");
  const json::object& overstrain = said.judged.at("milling-machine/overstrain");
  const json::object& heat = said.judged.at("milling-machine/heat");
  EXPECT_EQ(number(power, "failures"), 95);
  EXPECT_EQ(number(power, "failures_found"), 95);
  EXPECT_EQ(number(overstrain, "failures"), 98);
  EXPECT_EQ(number(overstrain, "failures_found"), 98);
  EXPECT_EQ(number(heat, "failures"), 115);
  EXPECT_GE(number(heat, "failures_found"), 103);
  EXPECT_EQ(number(said.judged.at(""), "false_orders"), 0);
}

TEST_F(Detection, LeakingValvesAreFoundOnSevenOfEightDaysAndNothingOnTheOthers) {
  const Recorded recorded = air_handler();
  ASSERT_EQ(recorded.rows.size(), 21'600U);
  const Said said = backtested(recorded, folder_.path());
  const json::object& all = said.judged.at("");
  print("air handler", all);
  EXPECT_EQ(number(all, "failures"), 8);
  EXPECT_GE(number(all, "failures_found"), 7);
  EXPECT_EQ(number(all, "false_orders"), 0) << "the healthy day, and those with other faults";
  EXPECT_EQ(said.summary.at("quarantined").to_number<int>(), 90) << "the cells that are no number";
  expect_the_same_live(recorded, said, "air-handler-valves");
}

TEST_F(Detection, EnginesAreBookedBeforeTheyFailAndNotWastefullyEarly) {
  const Recorded recorded = engines();
  ASSERT_EQ(recorded.rows.size(), 20'631U);
  const Said said = backtested(recorded, folder_.path());
  const json::object& all = said.judged.at("");
  print("engines", all);
  EXPECT_EQ(number(all, "failures"), 100);
  EXPECT_GE(number(all, "failures_found"), 95);
  EXPECT_LE(number(all, "false_orders"), 5) << "too early, too late, or twice";
  expect_the_same_live(recorded, said, "turbofan-compressor");
}

TEST_F(Detection, TuningFindsThatTheShippedLimitOfEnginesIsAGoodOne) {
  const Recorded recorded = engines();
  write_text(folder_.path() / "data.csv", recorded.csv());
  write_text(folder_.path() / "failures.csv", recorded.failures);
  const Ran ran = run_command({FETTLE_BIN_DIR "/fettle", "backtest", "--json", "--pack", source(kMachines).string(),
                               "--pack", source(recorded.pack).string(), "--model", recorded.model, "--data",
                               (folder_.path() / "data.csv").string(), "--asset-column", "asset", "--failures",
                               (folder_.path() / "failures.csv").string(), "--horizon", recorded.horizon, "--tune",
                               "limit=1..3/3"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Words lines = fields_of(ran.out, '\n');
  ASSERT_EQ(lines.size(), 3U);
  const json::value best = json::parse(lines.front());
  EXPECT_EQ(best.at("parameters").at("turbofan-compressor/compressor-worn.limit").as_string(), "2");
  EXPECT_GT(best.at("f1").to_number<double>(), json::parse(lines.back()).at("f1").to_number<double>());
  EXPECT_NE(ran.err.find("tuning: 3 of 3 points"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace fettle::e2e
