// Data: topics, numbers, times, aliases, reporting by exception, history, quality.

#include <gtest/gtest.h>

#include <set>

#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/edge_stage.h"

namespace fettle::sparkplug::edge {
namespace {

using std::chrono::seconds;

EdgeConfig aliased() {
  auto config = plain_config();
  config.aliases = Aliases::every_metric;
  return config;
}

TEST(EdgeData, OfTheNodeGoOutAsNdata) {
  COVERS("topics-ndata-topic", "topics-ndata-mqtt", "topics-ndata-seq-num", "topics-ndata-timestamp",
         "topics-ndata-payload", "payloads-ndata-timestamp", "payloads-ndata-seq", "payloads-ndata-qos",
         "payloads-ndata-retain", "payloads-ndata-order", "payloads-ndata-seq-inc",
         "payloads-sequence-num-always-included");
  auto stage = online(plain_config());
  EXPECT_EQ(stage.published().back().type, MessageType::dbirth) << "all births are out";
  stage.clear();
  EXPECT_EQ(stage.write(std::nullopt, 1, 12.5), Written::published);
  const auto data = stage.only(MessageType::ndata);
  EXPECT_EQ(data.topic, "spBv1.0/plant/NDATA/line-1");
  EXPECT_EQ(data.qos, 0);
  EXPECT_FALSE(data.retain);
  ASSERT_TRUE(data.payload.has_seq());
  EXPECT_EQ(data.payload.seq(), 3U) << "after one NBIRTH and two DBIRTHs";
  EXPECT_EQ(data.payload.timestamp(), millis(stage.now));
  ASSERT_EQ(data.payload.metrics_size(), 1) << "what has changed, and nothing else";
  EXPECT_EQ(metric_named(data.payload, "uptime").double_value(), 12.5);
}

TEST(EdgeData, OfADeviceGoOutAsDdata) {
  COVERS("topics-ddata-topic", "topics-ddata-mqtt", "topics-ddata-seq-num", "topics-ddata-timestamp",
         "topics-ddata-payload", "payloads-ddata-timestamp", "payloads-ddata-seq", "payloads-ddata-qos",
         "payloads-ddata-retain", "payloads-ddata-order", "payloads-ddata-seq-inc");
  auto stage = online(plain_config());
  EXPECT_EQ(stage.published().back().type, MessageType::dbirth) << "all births are out";
  stage.clear();
  EXPECT_EQ(stage.write(1, {{0, 210.0, stage.now, Quality::good}, {2, std::string("bake"), stage.now, Quality::good}}),
            Written::published);
  const auto data = stage.only(MessageType::ddata);
  EXPECT_EQ(data.topic, "spBv1.0/plant/DDATA/line-1/oven");
  EXPECT_EQ(data.qos, 0);
  EXPECT_FALSE(data.retain);
  ASSERT_TRUE(data.payload.has_seq());
  EXPECT_EQ(data.payload.seq(), 3U);
  EXPECT_EQ(data.payload.timestamp(), millis(stage.now));
  ASSERT_EQ(data.payload.metrics_size(), 2);
  EXPECT_EQ(metric_named(data.payload, "temperature").double_value(), 210.0);
  EXPECT_EQ(metric_named(data.payload, "mode").string_value(), "bake");
}

TEST(EdgeData, OneNumberRunsOverAllMessagesOfTheNodeAndWrapsAfter255) {
  COVERS("payloads-sequence-num-incrementing", "payloads-ndata-seq-inc", "payloads-ddata-seq-inc",
         "payloads-dbirth-seq-inc", "payloads-ddeath-seq-inc", "topics-ndata-seq-num", "topics-ddata-seq-num",
         "topics-ddeath-seq-num", "topics-dbirth-seq", "payloads-sequence-num-always-included");
  auto stage = online(plain_config());
  for (int i = 0; i < 300; ++i) {
    stage.write(0, 0, static_cast<double>(i));
    stage.write(std::nullopt, 0, static_cast<double>(i));
    stage.write_history(1, {{0, static_cast<double>(i), stage.now - seconds(60), Quality::good}});
    if (i % 7 == 0) {
      stage([](EdgeNode& n, Time t) { n.device_down(0, t); });
      stage([](EdgeNode& n, Time t) { n.device_up(0, t); });
    }
  }
  const auto messages = stage.published();
  ASSERT_GT(messages.size(), 900U);
  std::set<MessageType> types;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    ASSERT_TRUE(messages[i].payload.has_seq());
    ASSERT_EQ(messages[i].payload.seq(), i % 256) << messages[i].topic;
    types.insert(messages[i].type);
  }
  EXPECT_EQ(types, (std::set{MessageType::nbirth, MessageType::dbirth, MessageType::ndata, MessageType::ddata,
                             MessageType::ddeath}));
}

TEST(EdgeData, WithoutAliasesEveryMetricHasItsName) {
  COVERS("payloads-name-requirement");
  auto stage = online(plain_config());
  stage.write(0, 1, 2.5);
  for (const auto& message : stage.published()) {
    for (const auto& metric : message.payload.metrics()) {
      EXPECT_TRUE(metric.has_name());
      EXPECT_FALSE(metric.has_alias());
    }
  }
}

TEST(EdgeData, WithAliasesBirthsCarryBothAndDataTheAliasAlone) {
  COVERS("payloads-alias-birth-requirement", "payloads-alias-data-cmd-requirement", "payloads-alias-uniqueness",
         "payloads-name-requirement");
  auto stage = online(aliased());
  std::set<std::uint64_t> aliases;
  std::size_t metrics = 0;
  std::uint64_t pressure_of_oven = 0;
  for (const auto& birth : stage.published()) {
    for (const auto& metric : birth.payload.metrics()) {
      ASSERT_TRUE(metric.has_name());
      if (metric.name() == "bdSeq" || metric.name() == "Node Control/Rebirth") continue;
      ASSERT_TRUE(metric.has_alias()) << metric.name();
      aliases.insert(metric.alias());
      ++metrics;
      if (birth.device == "oven" && metric.name() == "pressure") pressure_of_oven = metric.alias();
    }
  }
  EXPECT_EQ(metrics, 8U);
  EXPECT_EQ(aliases.size(), metrics) << "unique over the node and all its devices";
  stage.clear();
  stage.write(1, 1, 3.5);
  stage.write_history(1, {{1, 3.25, stage.now - seconds(9), Quality::good}});
  for (const auto& data : stage.published(MessageType::ddata)) {
    const auto& metric = metric_aliased(data.payload, pressure_of_oven);
    EXPECT_FALSE(metric.has_name());
    EXPECT_TRUE(metric.has_double_value());
  }
  stage.clear();
  stage.ask_for_rebirth();
  EXPECT_EQ(metric_named(stage.published(MessageType::dbirth)[1].payload, "pressure").alias(), pressure_of_oven);
}

TEST(EdgeData, EveryMetricSaysWhenItWasMeasured) {
  COVERS("payloads-name-birth-data-requirement", "payloads-metric-timestamp-in-UTC");
  auto stage = online(plain_config());
  stage.clear();
  const Time measured = stage.now - milliseconds(1'234);
  stage.write(0, {{0, 20.5, measured, Quality::good}});
  const auto metric = metric_named(stage.only(MessageType::ddata).payload, "temperature");
  ASSERT_TRUE(metric.has_timestamp());
  EXPECT_EQ(metric.timestamp(), millis(measured)) << "milliseconds since 1970, UTC, whenever it is sent";
  stage.clear();
  stage.ask_for_rebirth();
  EXPECT_EQ(metric_named(stage.published(MessageType::dbirth)[0].payload, "temperature").timestamp(), millis(measured));
}

TEST(EdgeData, MetricsStandInTheOrderOfTheirTimes) {
  COVERS("operational-behavior-data-publish-nbirth-order", "operational-behavior-data-publish-dbirth-order");
  auto stage = online(plain_config());
  const Time base = stage.now;
  stage.clear();
  for (const auto device : {std::optional<std::size_t>(), std::optional<std::size_t>(0)}) {
    stage.write(device, {{1, 4.0, base + seconds(4), Quality::good},
                         {0, 1.0, base + seconds(1), Quality::good},
                         {1, 3.0, base + seconds(3), Quality::good},
                         {0, 2.0, base + seconds(2), Quality::good}});
  }
  stage.now = base + seconds(5);
  stage.ask_for_rebirth();
  std::size_t looked_at = 0;
  for (const auto& message : stage.published()) {
    std::uint64_t before = 0;
    for (const auto& metric : message.payload.metrics()) {
      EXPECT_GE(metric.timestamp(), before) << message.topic;
      before = metric.timestamp();
      ++looked_at;
    }
  }
  EXPECT_EQ(looked_at, 8U + 4U + 3U + 3U);
  EXPECT_EQ(metric_named(stage.published(MessageType::dbirth)[0].payload, "temperature").double_value(), 2.0);
}

TEST(EdgeData, NoTypeIsRepeatedInData) {
  COVERS("payloads-metric-datatype-not-req");
  auto stage = online(aliased());
  stage.clear();
  stage.write(0, {{0, 1.0, stage.now, Quality::good}, {2, std::string("run"), stage.now, Quality::bad}});
  stage.write(std::nullopt, 0, 2.0);
  const auto data = stage.published();
  ASSERT_EQ(data.size(), 2U);
  for (const auto& message : data) {
    for (const auto& metric : message.payload.metrics()) EXPECT_FALSE(metric.has_datatype());
  }
}

TEST(EdgeData, IsSentByException) {
  COVERS("principles-rbe-recommended", "operational-behavior-data-publish-nbirth-change",
         "operational-behavior-data-publish-dbirth-change");
  auto config = plain_config();
  config.devices[0].metrics[1].reporting = Reporting::always;
  auto stage = online(config);
  for (const auto source : {std::optional<std::size_t>(), std::optional<std::size_t>(0)}) {
    stage.clear();
    EXPECT_EQ(stage.write(source, 0, 5.0), Written::published);
    EXPECT_EQ(stage.write(source, 0, 5.0), Written::unchanged);
    EXPECT_EQ(stage.write(source, 0, Value()), Written::published) << "null is another value";
    EXPECT_EQ(stage.write(source, 0, Value()), Written::unchanged);
    EXPECT_EQ(stage.write(source, {{0, Value(), stage.now, Quality::stale}}), Written::published);
    EXPECT_EQ(stage.write(source, 0, 5.0), Written::published);
    EXPECT_EQ(stage.published().size(), 4U);
  }
  stage.clear();
  EXPECT_EQ(stage.write(0, 1, 7.0), Written::published);
  EXPECT_EQ(stage.write(0, 1, 7.0), Written::published) << "each reading of this one counts";
  EXPECT_EQ(stage.write(0, {{0, 5.0, stage.now, Quality::good}, {1, 7.0, stage.now, Quality::good}}),
            Written::published);
  EXPECT_EQ(stage.published().back().payload.metrics_size(), 1) << "what has not changed is left out";
  EXPECT_EQ(stage.node.counts().live, 4U + 4U + 3U);
  EXPECT_EQ(stage.node.counts().unchanged, 2U + 2U + 1U);
  // A birth has told the host the value: it is not sent again.
  stage.ask_for_rebirth();
  EXPECT_EQ(stage.write(0, 0, 5.0), Written::unchanged);
}

TEST(EdgeData, HistoryIsMarkedKeepsItsOrderAndIsNeverThePresent) {
  auto stage = online(plain_config());
  stage.write(0, 0, 50.0);
  stage.clear();
  const Time past = stage.now - seconds(3'600);
  const std::vector<Reading> history = {{0, 1.0, past, Quality::good},
                                        {0, 1.0, past + seconds(1), Quality::good},
                                        {1, Value(), past + seconds(2), Quality::good},
                                        {0, 2.0, past + seconds(1), Quality::bad}};
  EXPECT_EQ(stage.write_history(0, history), Written::published);
  const auto data = stage.only(MessageType::ddata);
  ASSERT_EQ(data.payload.metrics_size(), 4) << "nothing is left out, equal values neither";
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(data.payload.metrics(i).is_historical());
    EXPECT_EQ(data.payload.metrics(i).timestamp(), millis(history[static_cast<std::size_t>(i)].at));
  }
  EXPECT_TRUE(data.payload.metrics(2).is_null());
  EXPECT_EQ(data.payload.timestamp(), millis(stage.now)) << "of the sending";
  stage.clear();
  stage.ask_for_rebirth();
  EXPECT_EQ(metric_named(stage.published(MessageType::dbirth)[0].payload, "temperature").double_value(), 50.0);
  EXPECT_EQ(stage.write(0, 0, 50.0), Written::unchanged);
  stage.clear();
  stage.write(0, 0, 51.0);
  EXPECT_FALSE(stage.only(MessageType::ddata).payload.metrics(0).is_historical());
}

TEST(EdgeData, AReadingOlderThanTheNewestIsSentAndShownByNoBirth) {
  auto stage = online(plain_config());
  stage.write(0, {{0, 2.0, stage.now, Quality::good}});
  EXPECT_EQ(stage.write(0, {{0, 2.0, stage.now - seconds(30), Quality::good}}), Written::published);
  stage.clear();
  stage.ask_for_rebirth();
  EXPECT_EQ(metric_named(stage.published(MessageType::dbirth)[0].payload, "temperature").double_value(), 2.0);
}

TEST(EdgeData, QualityIsAnInt32OfThreeValuesAndAbsentWhileGood) {
  COVERS("payloads-propertyset-quality-value-type", "payloads-propertyset-quality-value-value");
  struct Row {
    Quality quality;
    std::optional<std::uint32_t> number;
  };
  const std::vector<Row> rows = {{Quality::good, {}},   {Quality::bad, 0},    {Quality::bad, 0},
                                 {Quality::stale, 500}, {Quality::good, 192}, {Quality::good, {}}};
  auto stage = online(plain_config());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    stage.clear();
    stage.write(0, {{0, static_cast<double>(i), stage.now, rows[i].quality}});
    const auto metric = metric_named(stage.only(MessageType::ddata).payload, "temperature");
    ASSERT_EQ(metric.has_properties(), rows[i].number.has_value()) << "row " << i;
    if (!rows[i].number) continue;
    ASSERT_EQ(metric.properties().keys_size(), 1);
    EXPECT_EQ(metric.properties().keys(0), "Quality");
    EXPECT_EQ(metric.properties().values(0).type(), 3U) << "Int32";
    EXPECT_EQ(metric.properties().values(0).int_value(), *rows[i].number);
  }
  stage.write(0, {{0, 9.0, stage.now, Quality::stale}});
  stage.clear();
  stage.ask_for_rebirth();
  const auto birth = stage.published(MessageType::dbirth)[0].payload;
  EXPECT_EQ(metric_named(birth, "temperature").properties().values(0).int_value(), 500U);
  EXPECT_FALSE(metric_named(birth, "pressure").has_properties());
}

TEST(EdgeData, MoreReadingsThanAMessageHoldsAreSpreadOverSeveral) {
  auto stage = online(plain_config());
  stage.clear();
  std::vector<Reading> many;
  for (int i = 0; i < 12'000; ++i)
    many.push_back({0, static_cast<double>(i), stage.now - milliseconds(i), Quality::good});
  stage.write_history(0, many);
  std::size_t readings = 0;
  for (const auto& message : stage.published(MessageType::ddata)) {
    EXPECT_LE(message.payload.metrics_size(), 10'000);
    readings += static_cast<std::size_t>(message.payload.metrics_size());
  }
  EXPECT_EQ(readings, many.size());
}

}  // namespace
}  // namespace fettle::sparkplug::edge
