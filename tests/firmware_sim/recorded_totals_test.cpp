// The recordings themselves, where they are at hand: nothing of a bill may be lost or rounded on the way into messages.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <string>

#include "firmware-sim/replay.h"

namespace fettle::sim {
namespace {

namespace fs = std::filesystem;

fs::path recordings() {
  const char* named = std::getenv("FETTLE_DATA");
  return named != nullptr ? fs::path(named) : fs::path(FETTLE_SOURCE_DIR) / ".." / "shared" / "data";
}

class RecordedTotals : public testing::Test {
 protected:
  void SetUp() override {
    if (fs::exists(recordings())) return;
    std::cout << "skipped: no recorded data\n";
    GTEST_SKIP() << "skipped: no recorded data";
  }

  static std::vector<Message> load(Dataset dataset) {
    auto messages = load_recording(dataset, recordings(), {});
    if (messages) return std::move(*messages);
    ADD_FAILURE() << messages.error().text;
    return {};
  }
};

TEST_F(RecordedTotals, SteelAddsUpToTheBillToTheHundredth) {
  std::map<std::string, std::int64_t> hundredths;
  const auto messages = load(Dataset::kSteel);
  EXPECT_EQ(messages.size(), 35'040u);
  for (const auto& message : messages) {
    const auto object = boost::json::parse(message.payload).as_object();
    const auto& name = object.at("load_type").as_string();
    hundredths[std::string(name.begin(), name.end())] += std::llround(object.at("energy").to_number<double>() * 100);
  }
  EXPECT_EQ(hundredths, (std::map<std::string, std::int64_t>{
                            {"Light_Load", 15'589'281}, {"Medium_Load", 37'276'654}, {"Maximum_Load", 43'097'736}}));
}

TEST_F(RecordedTotals, NabKeepsItsOneJumpBack) {
  const auto messages = load(Dataset::kNab);
  EXPECT_EQ(messages.size(), 22'695u);
  int jumps = 0;
  for (std::size_t i = 1; i < messages.size(); ++i) {
    if (messages[i].at >= messages[i - 1].at) continue;
    ++jumps;
    EXPECT_EQ(messages[i - 1].at - messages[i].at, std::chrono::minutes(55));
  }
  EXPECT_EQ(jumps, 1);
}

TEST_F(RecordedTotals, BatteryCyclesCarryTheDeliveredCharge) {
  std::map<std::string, double> charge;
  std::map<std::string, std::size_t> samples;
  EventTime last{EventTime::min()};
  for (const auto& message : load(Dataset::kBattery)) {
    EXPECT_GE(message.at, last);
    last = message.at;
    const auto value = boost::json::parse(message.payload);
    if (message.kind == MessageKind::kEvent) {
      charge[message.topic] += value.at("capacity").as_double();
    } else {
      samples[message.topic] += value.as_array().size();
    }
  }
  EXPECT_EQ(samples["fettle/v1/battery-B0005/telemetry"], 50'285u);
  EXPECT_EQ(samples["fettle/v1/battery-B0018/telemetry"], 34'866u);
  EXPECT_NEAR(charge["fettle/v1/battery-B0005/event"], 264.180, 0.0005);
  EXPECT_NEAR(charge["fettle/v1/battery-B0018/event"], 205.617, 0.0005);
}

}  // namespace
}  // namespace fettle::sim
