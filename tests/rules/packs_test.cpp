// The packs that are delivered: each compiles against its model, and raises what it promises, on made-up equipment and
// on the recordings where they are at hand.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>
#include <zlib.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "rules/duration.h"
#include "tests/rules/rule_bench.h"

namespace fettle::rules {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

// ---- a pack's rules as sources
// -----------------------------------------------------------------------------------------

Located located(const YAML::Node& node) {
  if (!node) return {};
  return {node.as<std::string>(), {node.Mark().line + 1, node.Mark().column + 1}};
}

Duration duration(const YAML::Node& node) {
  return node ? read_duration(node.as<std::string>()).value() : Duration(0);
}

std::map<std::string, RuleSource> rules_of_pack(const std::string& pack) {
  std::map<std::string, RuleSource> rules;
  const YAML::Node document = YAML::LoadFile(std::string(FETTLE_SOURCE_DIR) + "/rules/packs/" + pack + ".yaml");
  EXPECT_EQ(document["pack"].as<std::string>(), pack);
  for (const YAML::Node& node : document["rules"]) {
    RuleSource source;
    source.id = node["rule"].as<std::string>();
    for (const auto& parameter : node["parameters"]) {
      source.parameters.emplace_back(parameter.first.as<std::string>(), located(parameter.second));
    }
    source.when = located(node["when"]);
    source.clear = located(node["clear"]);
    source.suppress_when = located(node["suppress_when"]);
    source.for_ = duration(node["for"]);
    source.keep_for = duration(node["keep_for"]);
    source.cooldown = duration(node["cooldown"]);
    EXPECT_TRUE(node["work_order"]["priority"]) << source.id;
    EXPECT_TRUE(node["work_order"]["action"]) << source.id;
    rules[source.id] = source;
  }
  return rules;
}

SignalDecl signal(const std::string& name, SignalKind kind, const std::string& unit) {
  return {name, kind, test_units(unit).value(), unit, {}};
}

// One asset of a model with every rule of a pack.
class PackBench {
 public:
  PackBench(const std::string& pack, const Vocabulary& vocabulary, Duration max_gap = 15min)
      : rules_(instances(pack, vocabulary), vocabulary.signals.size(), max_gap) {}

  void read(Time at, std::vector<SignalReading> readings) { rules_.apply(at, at, readings, out_); }
  void advance(Time asset_now, Time tick) { rules_.advance(asset_now, tick, out_); }

  std::vector<Time> raised(const std::string& rule) const { return all(rule, TransitionKind::raised); }
  std::vector<Time> cleared(const std::string& rule) const { return all(rule, TransitionKind::cleared); }
  std::size_t raises() const {
    std::size_t count = 0;
    for (const Transition& t : out_) count += t.kind == TransitionKind::raised ? 1 : 0;
    return count;
  }

 private:
  std::vector<RuleInstance> instances(const std::string& pack, const Vocabulary& vocabulary) {
    std::vector<RuleInstance> all;
    for (const auto& [id, source] : rules_of_pack(pack)) {
      const auto rule = compile(source, vocabulary, test_units);
      if (!rule) {
        for (const Diagnostic& e : rule.error()) {
          ADD_FAILURE() << pack << ":" << e.at.line << ":" << e.at.column << ": " << e.message;
        }
        throw std::runtime_error("the pack does not compile");
      }
      index_[id] = all.size();
      all.push_back({*rule, {}});
    }
    return all;
  }
  std::vector<Time> all(const std::string& rule, TransitionKind kind) const {
    std::vector<Time> times;
    for (const Transition& t : out_) {
      if (t.rule == index_.at(rule) && t.kind == kind) times.push_back(t.at);
    }
    return times;
  }

  std::map<std::string, std::size_t> index_;
  AssetRules rules_;
  std::vector<Transition> out_;
};

// ---- lifts
// -------------------------------------------------------------------------------------------------------------

Vocabulary lift_vocabulary() {
  Vocabulary vocabulary;
  vocabulary.signals = {signal("door_close_time", SignalKind::gauge, "s"),
                        signal("motor_temperature", SignalKind::gauge, "degC"),
                        signal("vibration", SignalKind::gauge, "mm/s"),
                        {"mode", SignalKind::state, Unit{}, "1", {"normal", "inspection", "fire"}}};
  return vocabulary;
}

struct LiftState {
  double door = 2.0;
  double motor = 35.0;
  double vibration = 1.1;
  double mode = 0;
};

// `days` of a noisy lift, a reading every 5 minutes; `state` says what is true at a time in days.
template <typename State>
PackBench simulate(double days, std::uint32_t seed, State state) {
  PackBench bench("lift-proactive", lift_vocabulary());
  std::mt19937 random(seed);
  std::normal_distribution<double> noise(0.0, 1.0);
  for (int i = 0; i < static_cast<int>(days * 288); ++i) {
    const double day = i / 288.0;
    const LiftState s = state(day);
    const double rush = 10.0 * std::fabs(std::sin(day * 6.2832));
    bench.read(at(5min * i), {reading(0, s.door + 0.12 * noise(random)), reading(1, s.motor + rush + noise(random)),
                              reading(2, s.vibration * (1.0 + 0.15 * noise(random))), reading(3, s.mode)});
  }
  return bench;
}

double days_of(Time time) {
  return std::chrono::duration<double>(time - at(0s)).count() / 86'400.0;
}

TEST(LiftPack, RaisesNothingOnAHealthyLift) {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    EXPECT_EQ(simulate(40, seed, [](double) { return LiftState{}; }).raises(), 0U);
  }
}

TEST(LiftPack, RaisesOneOrderForADoorThatWearsDownInThreeDaysBeforeItFaults) {
  for (std::uint32_t seed = 1; seed <= 5; ++seed) {
    const PackBench bench = simulate(40, seed, [](double day) {
      LiftState s;
      s.door += std::clamp((day - 14.0) / 3.0, 0.0, 1.4);
      return s;
    });
    ASSERT_EQ(bench.raised("door-slowing").size(), 1U);
    EXPECT_GT(days_of(bench.raised("door-slowing")[0]), 14.5);
    EXPECT_LT(days_of(bench.raised("door-slowing")[0]), 16.5);  // the fault limit of 3 s is reached on day 17
    EXPECT_TRUE(bench.cleared("door-slowing").empty());         // it is as slow as ever, whatever the baseline says
    EXPECT_EQ(bench.raises(), 1U);
  }
}

TEST(LiftPack, ClearsADoorThatWasRepaired) {
  const PackBench bench = simulate(40, 1, [](double day) {
    LiftState s;
    if (day < 18.0) s.door += std::clamp((day - 14.0) / 3.0, 0.0, 1.4);
    return s;
  });
  ASSERT_EQ(bench.cleared("door-slowing").size(), 1U);
  EXPECT_LT(days_of(bench.cleared("door-slowing")[0]), 20.0);
  EXPECT_EQ(bench.raises(), 1U);
}

TEST(LiftPack, RaisesNothingDuringAnInspection) {
  const auto two_odd_days = [](double mode) {
    return [mode](double day) { return day > 14.0 && day < 16.0 ? LiftState{4.0, 35.0, 6.0, mode} : LiftState{}; };
  };
  const auto raised_meanwhile = [](const PackBench& bench) {
    std::size_t count = 0;
    for (const char* rule : {"door-slowing", "bearing-wear"}) {
      for (const Time raised : bench.raised(rule)) count += days_of(raised) < 16.0 ? 1 : 0;
    }
    return count;
  };
  EXPECT_EQ(raised_meanwhile(simulate(20, 1, two_odd_days(0))), 2U);
  EXPECT_EQ(raised_meanwhile(simulate(20, 1, two_odd_days(1))), 0U);
  EXPECT_EQ(raised_meanwhile(simulate(20, 1, two_odd_days(2))), 0U);
}

TEST(LiftPack, RaisesForABearingBeforeItsVibrationIsDangerous) {
  const PackBench bench = simulate(40, 2, [](double day) {
    LiftState s;
    const double progress = std::max(0.0, day - 20.0) / 10.0;
    s.vibration += std::min(3.4 * progress * progress, 9.0);  // 4.5 mm/s on day 30
    return s;
  });
  ASSERT_EQ(bench.raised("bearing-wear").size(), 1U);
  EXPECT_GT(days_of(bench.raised("bearing-wear")[0]), 22.0);
  EXPECT_LT(days_of(bench.raised("bearing-wear")[0]), 28.0);
}

TEST(LiftPack, TakesARoughMachineAsItIsUntilItIsDangerous) {
  const auto rough = [](double level) { return [level](double) { return LiftState{2.0, 35.0, level, 0}; }; };
  EXPECT_EQ(simulate(30, 3, rough(3.0)).raises(), 0U);
  EXPECT_EQ(simulate(30, 3, rough(5.0)).raised("bearing-wear").size(), 1U);
}

TEST(LiftPack, RaisesForAHotMotorAndClearsWhenItCooledDown) {
  const PackBench bench = simulate(10, 4, [](double day) {
    LiftState s;
    if (day > 5.0 && day < 5.2) s.motor = 90.0;
    return s;
  });
  EXPECT_EQ(bench.raised("motor-overheating").size(), 1U);
  EXPECT_EQ(bench.cleared("motor-overheating").size(), 1U);
}

TEST(LiftPack, RaisesForALiftThatWentSilentOnce) {
  PackBench bench = simulate(3, 5, [](double) { return LiftState{}; });
  for (int hour = 1; hour <= 48; ++hour) bench.advance(at(72h + 10min), at(72h + std::chrono::hours(hour)));
  ASSERT_EQ(bench.raised("silent").size(), 1U);
  EXPECT_EQ(bench.raised("silent")[0], at(72h - 5min + 6h));
  EXPECT_EQ(bench.raises(), 1U);
}

// ---- batteries
// ---------------------------------------------------------------------------------------------------------

Vocabulary battery_vocabulary() {
  Vocabulary vocabulary;
  vocabulary.signals = {signal("capacity", SignalKind::event, "A.h")};
  return vocabulary;
}

TEST(BatteryPack, RaisesOncePerCellThoughItsCapacityRecovers) {
  PackBench bench("battery-end-of-life", battery_vocabulary());
  int cycle = 0;
  for (const double capacity : {1.86, 1.50, 1.41, 1.40, 1.39, 1.43, 1.38, 1.46, 1.30,  // the first cell
                                1.85, 1.60, 1.39, 1.41, 1.35}) {                       // its replacement
    bench.read(at(6h * cycle++), {reading(0, capacity)});
  }
  EXPECT_EQ(bench.raised("end-of-life"), (std::vector<Time>{at(6h * 4), at(6h * 11)}));
  EXPECT_EQ(bench.cleared("end-of-life"), (std::vector<Time>{at(6h * 9)}));
}

// ---- recordings
// --------------------------------------------------------------------------------------------------------

fs::path data_folder() {
  const char* named = std::getenv("FETTLE_DATA");
  return named != nullptr ? fs::path(named) : fs::path(FETTLE_SOURCE_DIR) / ".." / "shared" / "data";
}

bool recorded(const fs::path& file) {
  if (fs::exists(file)) return true;
  std::cout << "skipped: no recorded data\n";
  return false;
}

// The cells of a gzipped CSV file without its header.
std::vector<std::vector<std::string>> read_csv(const fs::path& path) {
  std::vector<std::vector<std::string>> rows;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) throw std::runtime_error("cannot open " + path.string());
  std::array<char, 4096> line{};
  gzgets(file, line.data(), static_cast<int>(line.size()));
  while (gzgets(file, line.data(), static_cast<int>(line.size())) != nullptr) {
    std::istringstream cells(line.data());
    rows.emplace_back();
    for (std::string cell; std::getline(cells, cell, ',');) rows.back().push_back(cell);
  }
  gzclose(file);
  return rows;
}

Time read_stamp(const std::string& text) {
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (std::sscanf(text.c_str(), "%d-%d-%d %d:%d:%d", &y, &mo, &d, &h, &mi, &s) != 6) throw std::runtime_error(text);
  const auto day =
      std::chrono::year(y) / std::chrono::month(static_cast<unsigned>(mo)) / std::chrono::day(static_cast<unsigned>(d));
  return Time(std::chrono::sys_days(day)) + std::chrono::hours(h) + std::chrono::minutes(mi) + std::chrono::seconds(s);
}

class BatteryRecording : public testing::TestWithParam<std::pair<std::string, int>> {};

TEST_P(BatteryRecording, RaisesExactlyOneOrderAtTheEndOfLife) {
  const auto [cell, expected_cycle] = GetParam();
  const fs::path file = data_folder() / "battery" / (cell + "_discharge.csv.gz");
  if (!recorded(file)) GTEST_SKIP();
  std::map<int, std::pair<Time, double>> cycles;
  for (const auto& row : read_csv(file)) cycles[std::stoi(row[0])] = {read_stamp(row[2]), std::stod(row[3])};
  PackBench bench("battery-end-of-life", battery_vocabulary());
  for (const auto& [cycle, event] : cycles) bench.read(event.first, {reading(0, event.second)});
  EXPECT_EQ(bench.raised("end-of-life"), std::vector<Time>{cycles.at(expected_cycle).first});
  EXPECT_TRUE(bench.cleared("end-of-life").empty());
}

INSTANTIATE_TEST_SUITE_P(Cells, BatteryRecording,
                         testing::Values(std::pair<std::string, int>{"B0005", 125},
                                         std::pair<std::string, int>{"B0018", 97}));

TEST(MachineTemperatureRecording, RaisesInMostLabelledWindowsAndSeldomOutside) {
  const fs::path file = data_folder() / "nab" / "machine_temperature_system_failure.csv.gz";
  if (!recorded(file)) GTEST_SKIP();
  Vocabulary vocabulary;
  vocabulary.signals = {signal("temperature", SignalKind::gauge, "degF")};
  PackBench bench("machine-temperature", vocabulary);
  const auto rows = read_csv(file);
  for (const auto& row : rows) bench.read(read_stamp(row[0]), {reading(0, std::stod(row[1]))});

  const YAML::Node labels = YAML::LoadFile(data_folder() / "nab" / "windows.json");  // JSON is YAML
  std::vector<std::pair<Time, Time>> windows;
  for (const YAML::Node& w : labels["realKnownCause/machine_temperature_system_failure.csv"]) {
    windows.emplace_back(read_stamp(w[0].as<std::string>()), read_stamp(w[1].as<std::string>()));
  }
  ASSERT_EQ(windows.size(), 4U);
  const Time probation = read_stamp(rows.at(750)[0]);
  std::vector<bool> hit(windows.size(), false);
  Time last_false = Time::min();
  int false_orders = 0;
  for (const Time raised : bench.raised("running-cold")) {
    if (raised < probation) continue;
    bool inside = false;
    for (std::size_t w = 0; w < windows.size(); ++w) {
      if (raised < windows[w].first || raised > windows[w].second) continue;
      hit[w] = inside = true;
    }
    if (inside || (last_false != Time::min() && raised - last_false < 24h)) continue;
    ++false_orders;
    last_false = raised;
  }
  const double months =
      std::chrono::duration<double>(read_stamp(rows.back()[0]) - probation).count() / (30.4375 * 86'400);
  EXPECT_GE(std::count(hit.begin(), hit.end(), true), 3);
  EXPECT_LE(false_orders / months, 3.0);
  std::cout << std::count(hit.begin(), hit.end(), true) << " of 4 windows, " << false_orders / months
            << " false a month\n";
}

}  // namespace
}  // namespace fettle::rules
