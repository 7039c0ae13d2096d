#include "gateway/engine/discovery.h"

#include <gtest/gtest.h>

namespace fettle::engine {
namespace {

Time at(std::int64_t ms) {
  return Time(std::chrono::milliseconds(ms));
}

Discovery::Message message(Sequence arrived) {
  return {arrived, at(static_cast<std::int64_t>(arrived) * 1000), "fettle/v1/pump-9/telemetry", 77 + arrived, 0, {}};
}

Discovery::Reading number(std::string_view name, std::int64_t time, double value) {
  return {name, "number", at(time), 0, value, std::nullopt};
}

void add(Discovery& discovery, std::string_view source, Sequence arrived, std::vector<Discovery::Reading> readings) {
  ASSERT_TRUE(discovery.add(source, "", message(arrived), readings));
}

struct Rows {
  std::vector<DiscoveredRow> changed;
  std::vector<std::pair<std::string, std::string>> gone;
};
Rows rows(Discovery& discovery) {
  Rows out;
  discovery.rows(out.changed, out.gone);
  return out;
}

constexpr auto kAll = [](const std::string&) { return true; };

TEST(Discovery, ListsADeviceAndItsSignalsWithTheirNewestSample) {
  Discovery discovery;
  add(discovery, "fettle/v1/pump-9", 1, {number("flow", 1000, 1.5), {"mode", "text", at(1000), 0, 0, "day"}});
  add(discovery, "fettle/v1/pump-9", 2, {number("flow", 2000, 2.5)});
  const Rows listed = rows(discovery);
  ASSERT_EQ(listed.changed.size(), 3U);
  EXPECT_EQ(listed.changed[0].name, "");
  EXPECT_EQ(listed.changed[0].count, 2U);
  EXPECT_EQ(listed.changed[0].kept, 2U);  // messages
  EXPECT_EQ(listed.changed[1].kept, 2U);  // readings
  EXPECT_EQ(listed.changed[1].name, "flow");
  EXPECT_EQ(listed.changed[1].sample, "2.5");
  EXPECT_EQ(listed.changed[1].first_seen, at(1000));
  EXPECT_EQ(listed.changed[1].last_seen, at(2000));
  EXPECT_EQ(listed.changed[2].sample, "day");
  EXPECT_TRUE(rows(discovery).changed.empty());
}

TEST(Discovery, GivesBackWhatWasKeptInOrderOfArrivalOnce) {
  Discovery discovery;
  add(discovery, "p", 1, {number("flow", 900, 1.5), number("heat", 900, 20)});
  add(discovery, "p", 2, {number("flow", 1900, 2.5)});
  const auto taken = discovery.take("p", "pump-9", kAll);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].arrived, 1U);
  EXPECT_EQ(taken[0].hash, 78U);
  ASSERT_EQ(taken[0].readings.size(), 2U);
  EXPECT_EQ(taken[0].readings[1].name, "heat");
  EXPECT_EQ(taken[1].readings[0].number, 2.5);
  EXPECT_EQ(discovery.kept(), 0U);
  EXPECT_TRUE(discovery.sources().empty());
  EXPECT_TRUE(discovery.take("p", "pump-9", kAll).empty());
}

TEST(Discovery, KeepsTheSignalsThatTheNewModelDoesNotHave) {
  Discovery discovery;
  add(discovery, "p", 1, {number("flow", 900, 1.5), number("noise", 900, 3)});
  rows(discovery);
  const auto taken = discovery.take("p", "pump-9", [](const std::string& name) { return name == "flow"; });
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].readings.size(), 1U);
  EXPECT_EQ(discovery.kept(), 1U);
  const Rows listed = rows(discovery);
  ASSERT_EQ(listed.gone.size(), 2U);
  EXPECT_EQ(listed.gone[0].second, "");
  EXPECT_EQ(listed.gone[1].second, "flow");
  // The signal is still unclaimed, now of a known asset, and comes out once the model has it.
  add(discovery, "p", 2, {number("noise", 1900, 4)});
  const auto later = discovery.take("p", "pump-9", kAll);
  ASSERT_EQ(later.size(), 2U);
  EXPECT_EQ(later[1].readings[0].number, 4);
}

TEST(Discovery, KeepsWholeMessagesOfADirectDeviceAndCountsTheirBytes) {
  Discovery discovery;
  Discovery::Message whole = message(1);
  whole.payload = R"({"ts":1000,"flow":1.5})";
  const std::vector<Discovery::Reading> readings{number("flow", 1000, 1.5)};
  ASSERT_TRUE(discovery.add("p", "", whole, readings));
  EXPECT_EQ(discovery.kept(), 2U);
  const Rows listed = rows(discovery);
  EXPECT_EQ(listed.changed[0].sample, whole.payload);
  EXPECT_EQ(listed.changed[1].kept, 1U);
  const std::string state = discovery.save("p");
  Discovery again;
  ASSERT_TRUE(again.load("p", state));
  const auto taken = again.take("p", "pump-9", [](const std::string&) { return false; });
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].payload, whole.payload);
  EXPECT_TRUE(taken[0].readings.empty());
  EXPECT_EQ(again.kept(), 0U);
}

TEST(Discovery, ForgetsTheOldestReadingsBeyondItsBoundAndCountsThem) {
  Discovery discovery;
  const auto most = static_cast<Sequence>(Discovery::kMaxKeptOfSource);
  for (Sequence i = 1; i <= most + 10; ++i) add(discovery, "p", i, {number("flow", static_cast<std::int64_t>(i), 1)});
  EXPECT_EQ(discovery.kept(), Discovery::kMaxKeptOfSource);
  const Rows listed = rows(discovery);
  ASSERT_EQ(listed.changed.size(), 2U);
  EXPECT_EQ(listed.changed[0].dropped, 10U);
  EXPECT_EQ(listed.changed[1].dropped, 10U);
  EXPECT_EQ(listed.changed[1].count, most + 10);
  EXPECT_EQ(discovery.take("p", "a", kAll).front().arrived, 11U);
}

TEST(Discovery, BoundsAllSourcesTogetherAtTheCostOfTheLargest) {
  Discovery discovery;
  std::vector<Discovery::Reading> many(1000, number("flow", 1, 1));
  for (int source = 0; source < 60; ++source) {
    for (Sequence i = 1; i <= 4; ++i) add(discovery, "s" + std::to_string(source), i, many);
  }
  EXPECT_LE(discovery.kept(), Discovery::kMaxKept);
  add(discovery, "small", 1, {number("flow", 1, 1)});
  EXPECT_EQ(discovery.take("small", "a", kAll).size(), 1U);
}

TEST(Discovery, TakesNoMoreSourcesThanItsBound) {
  Discovery discovery;
  const std::vector<Discovery::Reading> one{number("flow", 1, 1)};
  for (std::size_t i = 0; i < Discovery::kMaxSources; ++i) {
    ASSERT_TRUE(discovery.add("s" + std::to_string(i), "", message(1), one));
  }
  EXPECT_FALSE(discovery.add("one more", "", message(1), one));
  EXPECT_TRUE(discovery.add("s0", "", message(2), one));
}

TEST(Discovery, ComesBackFromItsBytesAsItWas) {
  Discovery discovery;
  add(discovery, "p", 1, {number("flow", 900, 1.5), {"mode", "text", at(900), kHistorical, 0, "day"}});
  add(discovery, "p", 2, {number("flow", 1900, 2.5)});
  EXPECT_EQ(discovery.take_touched(), std::vector<std::string>{"p"});
  const std::string state = discovery.save("p");
  Discovery again;
  ASSERT_TRUE(again.load("p", state));
  EXPECT_EQ(again.save("p"), state);
  EXPECT_EQ(again.kept(), 3U);
  const auto taken = again.take("p", "pump-9", kAll);
  ASSERT_EQ(taken.size(), 2U);
  EXPECT_EQ(taken[0].readings[1].text, "day");
  EXPECT_EQ(taken[0].readings[1].flags, kHistorical);
  EXPECT_EQ(taken[0].topic, "fettle/v1/pump-9/telemetry");
  EXPECT_EQ(again.save("p"), "");
  EXPECT_FALSE(again.load("q", "\xff\xff"));
}

}  // namespace
}  // namespace fettle::engine
