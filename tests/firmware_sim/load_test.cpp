// The synthetic load: values that can be told beforehand, and the catalog that fits them.

#include "firmware-sim/load.h"

#include <gtest/gtest.h>

#include <set>

#include "firmware-sim/edge_plan.h"
#include "firmware-sim/json_messages.h"
#include "firmware-sim/json_readings.h"

namespace fettle::sim {
namespace {

using std::chrono::seconds;

LoadPlan plan_of(std::uint64_t assets, std::uint64_t signals, std::uint64_t steps) {
  LoadPlan plan;
  plan.assets = assets;
  plan.signals = signals;
  plan.steps = steps;
  plan.start = EventTime(seconds(1'767'225'600));
  return plan;
}

TEST(SyntheticLoad, EveryStepHasABatchOfEachAssetWithEverySignal) {
  const auto plan = plan_of(3, 4, 5);
  Load load(plan);
  ASSERT_EQ(load.assets().size(), 3U);
  EXPECT_EQ(load.assets()[2].id, "load-00003");
  EXPECT_EQ(load.assets()[0].signals[3].name, "gauge_4");
  std::uint64_t batches = 0;
  while (const auto batch = load.next()) {
    EXPECT_EQ(batch->asset, batches % 3);
    EXPECT_EQ(batch->at, plan.start + seconds(batches / 3));
    ASSERT_EQ(batch->readings.size(), 4U);
    for (std::uint64_t i = 0; i < 4; ++i) {
      const auto expected = load_value(plan.seed, batch->asset, i, batch->at);
      const auto& reading = batch->readings[i];
      EXPECT_EQ(reading.signal, i);
      EXPECT_EQ(reading.at, batch->at);
      if (load_kind(i) == LoadKind::kGauge) {
        EXPECT_EQ(std::get<double>(reading.value), static_cast<double>(expected) / 100);
      } else {
        EXPECT_EQ(std::get<std::int64_t>(reading.value), expected);
      }
    }
    ++batches;
  }
  EXPECT_EQ(batches, 15U);
  EXPECT_EQ(load.fraction(), 1.0);
}

TEST(SyntheticLoad, GaugesAlwaysChangeRegistersAlwaysGrowEventsStayWithinTheirRange) {
  const EventTime start{seconds(1'767'225'600)};
  for (std::uint64_t asset = 0; asset < 20; ++asset) {
    for (std::uint64_t signal = 0; signal < 6; ++signal) {
      for (int step = 1; step < 500; ++step) {
        const auto before = load_value(7, asset, signal, start + seconds(step - 1));
        const auto value = load_value(7, asset, signal, start + seconds(step));
        switch (load_kind(signal)) {
          case LoadKind::kGauge:
            ASSERT_NE(value, before);
            ASSERT_GE(value, 2'000);
            ASSERT_LT(value, 6'000);
            break;
          case LoadKind::kRegister:
            ASSERT_GE(value - before, 1);
            ASSERT_LE(value - before, 17);
            break;
          case LoadKind::kEvent:
            ASSERT_GE(value, 1);
            ASSERT_LE(value, 100);
            break;
        }
      }
    }
  }
}

TEST(SyntheticLoad, SeedAssetSignalAndTimeAllMatter) {
  const EventTime at{seconds(1'767'225'600)};
  std::set<std::int64_t> gauges;
  for (std::uint64_t i = 0; i < 50; ++i) {
    gauges.insert(load_value(i, 0, 0, at));
    gauges.insert(load_value(0, i, 0, at));
    gauges.insert(load_value(0, 0, 3 * i, at));
    gauges.insert(load_value(0, 0, 0, at + seconds(i)));
  }
  EXPECT_GT(gauges.size(), 180U) << "of 197 different ones out of 4,000 possible values";
}

TEST(SyntheticLoad, APlanOutOfBoundsIsRefused) {
  EXPECT_FALSE(check_load(plan_of(1, 1, 1)));
  EXPECT_TRUE(check_load(plan_of(0, 1, 1)));
  EXPECT_TRUE(check_load(plan_of(kMostLoadAssets + 1, 1, 1)));
  EXPECT_TRUE(check_load(plan_of(1, 0, 1)));
  EXPECT_TRUE(check_load(plan_of(1, kMostLoadSignals + 1, 1)));
  EXPECT_TRUE(check_load(plan_of(1, 1, 0)));
  auto plan = plan_of(1, 1, 1);
  plan.start += std::chrono::milliseconds(1);
  EXPECT_TRUE(check_load(plan));
}

TEST(SyntheticLoad, TheCatalogNamesEverySignalMeterAndSource) {
  const auto plan = plan_of(2, 3, 1);
  Load load(plan);
  EdgePlan edge;
  edge.group = "plant";
  edge.nodes = 2;
  const auto text = load_catalog(plan, source_paths(load.assets(), edge));
  for (const auto* part :
       {"{name: gauge_1, kind: gauge, unit: 1}", "{id: register_2, kind: difference, signal: register_2}",
        "{id: event_3, kind: sum, signal: event_3}", "sources: [plant/node-1/load-00001]}",
        "sources: [plant/node-2/load-00002]}", "meter: \"load/device:event_3\"", "rule: watch-3"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " in\n" << text;
  EXPECT_EQ(load_catalog(plan, {}).find("sources"), std::string::npos);
}

TEST(SyntheticLoad, AsJsonItSaysTheSame) {
  const auto plan = plan_of(2, 3, 2);
  Load load(plan);
  JsonMessages messages(load);
  JsonReadings again(messages, load.assets());
  Load expected(plan);
  while (const auto batch = expected.next()) {
    const auto read = again.next();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->asset, batch->asset);
    ASSERT_EQ(read->readings.size(), batch->readings.size());
    for (std::size_t i = 0; i < batch->readings.size(); ++i) {
      const auto value = std::visit(
          [](const auto& held) -> double {
            if constexpr (std::is_arithmetic_v<std::decay_t<decltype(held)>>) return static_cast<double>(held);
            return -1;
          },
          batch->readings[i].value);
      EXPECT_EQ(std::get<double>(read->readings[i].value), value);
      EXPECT_EQ(read->readings[i].at, batch->readings[i].at);
    }
  }
  EXPECT_FALSE(again.next());
}

TEST(EdgePlans, NodesShareTheAssetsEvenlyAndInOrder) {
  EdgePlan plan;
  for (std::size_t assets = 1; assets <= 30; ++assets) {
    for (plan.nodes = 1; plan.nodes <= 12; ++plan.nodes) {
      std::vector<std::size_t> devices(plan.nodes, 0);
      std::size_t node_before = 0;
      for (std::size_t i = 0; i < assets; ++i) {
        const auto node = node_of_asset(i, assets, plan);
        ASSERT_LT(node, plan.nodes);
        ASSERT_GE(node, node_before);
        ASSERT_EQ(device_of_asset(i, assets, plan), devices[node]) << assets << " assets, " << plan.nodes << " nodes";
        ++devices[node];
        node_before = node;
      }
      for (const auto count : devices) ASSERT_LE(count, assets / plan.nodes + 1);
    }
  }
}

TEST(EdgePlans, EachAssetIsADeviceWithItsSignalsAsMetrics) {
  EdgePlan plan;
  plan.group = "plant";
  plan.nodes = 2;
  const std::vector<Asset> assets = {
      {"a", {{"heat", SignalType::kNumber, Report::kEvery}, {"mode", SignalType::kText, Report::kChanges}}},
      {"b", {{"count", SignalType::kInteger, Report::kEvery}}}};
  auto configs = edge_configs(assets, plan, 1);
  ASSERT_EQ(configs.size(), 2U);
  EXPECT_FALSE(sparkplug::edge::problem_of(configs));
  EXPECT_EQ(configs[0].node, "node-1");
  ASSERT_EQ(configs[0].devices.size(), 1U);
  const auto& metrics = configs[0].devices[0].metrics;
  EXPECT_EQ(metrics[0].type, sparkplug::DataType::float64);
  EXPECT_EQ(metrics[0].reporting, sparkplug::edge::Reporting::always);
  EXPECT_EQ(metrics[1].type, sparkplug::DataType::string);
  EXPECT_EQ(metrics[1].reporting, sparkplug::edge::Reporting::on_change);
  EXPECT_EQ(configs[1].devices[0].metrics[0].type, sparkplug::DataType::int64);
  plan.by_exception = ByException::kEverywhere;
  EXPECT_EQ(edge_configs(assets, plan, 1)[0].devices[0].metrics[0].reporting, sparkplug::edge::Reporting::on_change);
}

}  // namespace
}  // namespace fettle::sim
