// An edge node comes, lives and goes: CONNECT, Will, births, deaths.

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/edge_stage.h"

namespace fettle::sparkplug::edge {
namespace {

std::uint64_t session_in(const wire::Payload& payload) {
  return metric_named(payload, "bdSeq").long_value();
}

TEST(EdgeSession, ItBeginsWithNothingLeftOfAnOlderOne) {
  COVERS("principles-persistence-clean-session-311", "principles-persistence-clean-session-50");
  for (const auto protocol : {Protocol::mqtt311, Protocol::mqtt5}) {
    auto config = plain_config();
    config.protocol = protocol;
    Stage stage(config);
    stage.start();
    const auto connects = stage.wanted<Connect>();
    ASSERT_EQ(connects.size(), 1U);
    EXPECT_EQ(connects[0].protocol, protocol);
    EXPECT_TRUE(connects[0].clean_start);
    EXPECT_EQ(connects[0].session_expiry_seconds,
              protocol == Protocol::mqtt5 ? std::optional<std::uint32_t>(0) : std::nullopt);
  }
}

TEST(EdgeSession, TheWillIsTheNodesDeath) {
  COVERS("message-flow-edge-node-birth-publish-will-message", "message-flow-edge-node-birth-publish-will-message-topic",
         "message-flow-edge-node-birth-publish-will-message-payload",
         "message-flow-edge-node-birth-publish-will-message-payload-bdSeq",
         "message-flow-edge-node-birth-publish-will-message-qos",
         "message-flow-edge-node-birth-publish-will-message-will-retained", "payloads-ndeath-will-message",
         "payloads-ndeath-will-message-qos", "payloads-ndeath-will-message-retain", "topics-ndeath-topic",
         "topics-ndeath-payload", "topics-ndeath-seq", "payloads-ndeath-seq");
  Stage stage(plain_config());
  stage.start();
  const auto connects = stage.wanted<Connect>();
  ASSERT_EQ(connects.size(), 1U);
  const auto will = decoded(connects[0].will);
  EXPECT_EQ(will.topic, "spBv1.0/plant/NDEATH/line-1");
  EXPECT_EQ(will.qos, 1);
  EXPECT_FALSE(will.retain);
  EXPECT_FALSE(will.payload.has_seq());
  ASSERT_EQ(will.payload.metrics_size(), 1) << "a death holds bdSeq and nothing else";
  const auto& session = metric_named(will.payload, "bdSeq");
  EXPECT_EQ(session.datatype(), 4U) << "Int64";
  EXPECT_TRUE(session.has_long_value());
  EXPECT_EQ(session.long_value(), 0U);
}

TEST(EdgeSession, ItsNumberBeginsAtZeroGrowsWithEachConnectAndWrapsAfter255) {
  COVERS("topics-nbirth-bdseq-increment", "message-flow-edge-node-birth-publish-will-message-payload-bdSeq",
         "topics-nbirth-bdseq-included", "topics-nbirth-bdseq-matching", "payloads-nbirth-bdseq",
         "payloads-nbirth-bdseq-repeat", "message-flow-edge-node-birth-publish-nbirth-payload-bdSeq");
  Stage stage(plain_config());
  stage.start();
  for (std::uint64_t i = 0; i < 600; ++i) {
    const auto connects = stage.wanted<Connect>();
    ASSERT_EQ(connects.size(), 1U);
    EXPECT_EQ(connects[0].session, i % 256);
    EXPECT_EQ(session_in(decoded(connects[0].will).payload), i % 256);
    // Every third attempt fails: it was a CONNECT all the same.
    if (i % 3 != 0) {
      stage.connected();
      const auto birth = stage.only(MessageType::nbirth).payload;
      EXPECT_EQ(session_in(birth), i % 256);
      EXPECT_EQ(metric_named(birth, "bdSeq").datatype(), 4U);
    }
    stage.clear();
    stage.disconnected();
    stage.wait();
  }
}

TEST(EdgeSession, TheNumberGoesOnWhereTheCallerKeptIt) {
  auto config = plain_config();
  config.first_session = 255;
  Stage stage(config);
  stage.start();
  stage.disconnected();
  stage.wait();
  const auto connects = stage.wanted<Connect>();
  ASSERT_EQ(connects.size(), 2U);
  EXPECT_EQ(connects[0].session, 255);
  EXPECT_EQ(connects[1].session, 0);
}

TEST(EdgeSession, NothingIsPublishedBeforeTheBrokerHasAccepted) {
  COVERS("message-flow-edge-node-birth-publish-connect");
  Stage stage(plain_config());
  EXPECT_EQ(stage.write(0, 0, 1.0), Written::not_online);
  stage.start();
  EXPECT_EQ(stage.write(0, 0, 2.0), Written::not_online);
  EXPECT_EQ(stage.write_history(0, {{0, 1.0, stage.now, Quality::good}}), Written::not_online);
  EXPECT_TRUE(stage.published().empty());
  stage.connected();
  EXPECT_FALSE(stage.published().empty());
}

TEST(EdgeSession, CommandsAreSubscribedBeforeTheBirths) {
  COVERS("message-flow-edge-node-ncmd-subscribe", "message-flow-device-dcmd-subscribe");
  auto config = plain_config();
  config.devices[1].metrics[0].access = Access::writable;
  auto stage = online(config);
  ASSERT_GE(stage.actions.size(), 3U);
  ASSERT_TRUE(std::holds_alternative<Subscribe>(stage.actions[1])) << "first after CONNECT";
  const auto& filters = std::get<Subscribe>(stage.actions[1]).filters;
  ASSERT_EQ(filters.size(), 2U) << "a device that takes no commands needs no subscription";
  EXPECT_EQ(filters[0].topic, "spBv1.0/plant/NCMD/line-1");
  EXPECT_EQ(filters[0].qos, 1);
  EXPECT_EQ(filters[1].topic, "spBv1.0/plant/DCMD/line-1/oven");
  EXPECT_EQ(filters[1].qos, 1);
}

TEST(EdgeSession, TheFirstMessagesAreTheBirthsNodeFirst) {
  COVERS("principles-birth-certificates-order", "message-flow-device-birth-publish-nbirth-wait",
         "message-flow-device-birth-publish-dbirth-match-edge-node-topic", "payloads-dbirth-order",
         "message-flow-edge-node-birth-publish-nbirth-topic", "message-flow-device-birth-publish-dbirth-topic",
         "topics-nbirth-topic", "topics-dbirth-topic", "topic-structure", "topic-structure-namespace-a");
  auto stage = online(plain_config());
  stage.write(0, 0, 1.0);
  std::vector<std::string> topics;
  for (const auto& one : stage.published()) topics.push_back(one.topic);
  EXPECT_EQ(topics, (std::vector<std::string>{"spBv1.0/plant/NBIRTH/line-1", "spBv1.0/plant/DBIRTH/line-1/press",
                                              "spBv1.0/plant/DBIRTH/line-1/oven", "spBv1.0/plant/DDATA/line-1/press"}));
}

TEST(EdgeSession, BirthsGoOutAtQualityOfServiceZeroAndAreNotRetained) {
  COVERS("topics-nbirth-mqtt", "topics-dbirth-mqtt", "payloads-nbirth-qos", "payloads-nbirth-retain",
         "payloads-dbirth-qos", "payloads-dbirth-retain", "message-flow-edge-node-birth-publish-nbirth-qos",
         "message-flow-edge-node-birth-publish-nbirth-retained", "message-flow-device-birth-publish-dbirth-qos",
         "message-flow-device-birth-publish-dbirth-retained");
  const auto stage = online(plain_config());
  const auto births = stage.published();
  ASSERT_EQ(births.size(), 3U);
  for (const auto& birth : births) {
    EXPECT_EQ(birth.qos, 0) << birth.topic;
    EXPECT_FALSE(birth.retain) << birth.topic;
  }
}

TEST(EdgeSession, BirthsSayWhenTheyWereSentAndCountFromZero) {
  COVERS("topics-nbirth-seq-num", "topics-nbirth-timestamp", "topics-dbirth-seq", "topics-dbirth-timestamp",
         "payloads-nbirth-seq", "payloads-nbirth-timestamp", "payloads-dbirth-seq", "payloads-dbirth-timestamp",
         "payloads-sequence-num-req-nbirth", "message-flow-edge-node-birth-publish-nbirth-payload",
         "message-flow-edge-node-birth-publish-nbirth-payload-seq", "message-flow-device-birth-publish-dbirth-payload",
         "message-flow-device-birth-publish-dbirth-payload-seq", "payloads-dbirth-seq-inc",
         "payloads-timestamp-in-UTC");
  auto stage = online(plain_config());
  const Time sent = stage.now;
  const auto births = stage.published();
  ASSERT_EQ(births.size(), 3U);
  EXPECT_EQ(births[0].type, MessageType::nbirth);
  for (std::size_t i = 0; i < births.size(); ++i) {
    ASSERT_TRUE(births[i].payload.has_seq());
    EXPECT_EQ(births[i].payload.seq(), i);
    ASSERT_TRUE(births[i].payload.has_timestamp());
    EXPECT_EQ(births[i].payload.timestamp(), millis(sent)) << "milliseconds since 1970, UTC";
  }
  // A second session counts from zero again, whatever was sent in the first.
  for (int i = 0; i < 5; ++i) stage.write(0, 0, static_cast<double>(i));
  stage.disconnected();
  stage.clear();
  stage.wait();
  stage.connected();
  EXPECT_EQ(stage.only(MessageType::nbirth).payload.seq(), 0U);
}

TEST(EdgeSession, BirthsListEveryMetricWithNameTypeAndValue) {
  COVERS("topics-nbirth-metric-reqs", "topics-nbirth-metrics", "topics-dbirth-metric-reqs", "topics-dbirth-metrics",
         "operational-behavior-data-publish-nbirth", "operational-behavior-data-publish-nbirth-values",
         "operational-behavior-data-publish-dbirth", "operational-behavior-data-publish-dbirth-values",
         "payloads-metric-datatype-req", "payloads-metric-datatype-value-type", "payloads-metric-datatype-value",
         "payloads-name-birth-data-requirement", "payloads-name-requirement");
  auto config = plain_config();
  config.metrics[0].value = 0.75;
  Stage stage(config);
  stage.write(0, 0, 81.5);
  stage.write(0, 2, std::string("idle"));
  stage.start();
  stage.connected();
  const auto node = stage.only(MessageType::nbirth).payload;
  EXPECT_EQ(node.metrics_size(), 4) << "load, uptime, bdSeq and the rebirth command";
  EXPECT_EQ(metric_named(node, "load").double_value(), 0.75);
  EXPECT_TRUE(metric_named(node, "uptime").is_null());
  EXPECT_EQ(metric_named(node, "uptime").value_case(), wire::Metric::VALUE_NOT_SET);
  const auto press = stage.published(MessageType::dbirth)[0].payload;
  EXPECT_EQ(press.metrics_size(), 3);
  EXPECT_EQ(metric_named(press, "temperature").double_value(), 81.5);
  EXPECT_FALSE(metric_named(press, "temperature").is_null());
  EXPECT_TRUE(metric_named(press, "pressure").is_null());
  EXPECT_EQ(metric_named(press, "mode").string_value(), "idle");
  for (const auto& birth : stage.published()) {
    for (const auto& metric : birth.payload.metrics()) {
      EXPECT_TRUE(metric.has_name());
      EXPECT_TRUE(metric.has_timestamp());
      ASSERT_TRUE(metric.has_datatype());
      EXPECT_TRUE(data_type_of(metric.datatype())) << metric.datatype();
      EXPECT_NE(metric.is_null(), metric.value_case() != wire::Metric::VALUE_NOT_SET);
    }
  }
}

TEST(EdgeSession, OnlyWhatABirthHasListedIsEverSent) {
  COVERS("operational-behavior-data-publish-nbirth", "operational-behavior-data-publish-dbirth");
  auto stage = online(plain_config());
  const std::size_t before = stage.actions.size();
  EXPECT_EQ(stage.write(std::nullopt, 2, 1.0), Written::not_allowed) << "the node has two metrics";
  EXPECT_EQ(stage.write(0, 3, 1.0), Written::not_allowed) << "the device has three";
  EXPECT_EQ(stage.write(2, 0, 1.0), Written::not_allowed) << "there are two devices";
  EXPECT_EQ(stage.write(0, 0, std::string("hot")), Written::not_allowed) << "a text for a Double";
  EXPECT_EQ(stage.actions.size(), before);
}

TEST(EdgeSession, EveryNodeOffersTheRebirthCommand) {
  COVERS("topics-nbirth-rebirth-metric", "payloads-nbirth-rebirth-req",
         "operational-behavior-data-commands-rebirth-name", "operational-behavior-data-commands-rebirth-name-aliases",
         "operational-behavior-data-commands-rebirth-datatype", "operational-behavior-data-commands-rebirth-value");
  for (const auto aliases : {Aliases::none, Aliases::every_metric}) {
    auto config = plain_config();
    config.aliases = aliases;
    const auto birth = online(config).only(MessageType::nbirth).payload;
    const auto& command = metric_named(birth, "Node Control/Rebirth");
    EXPECT_EQ(command.datatype(), 11U) << "Boolean";
    ASSERT_TRUE(command.has_boolean_value());
    EXPECT_FALSE(command.boolean_value());
    EXPECT_FALSE(command.has_alias());
  }
}

TEST(EdgeSession, ALossOfContactWithADeviceIsItsDeath) {
  COVERS("operational-behavior-device-ddeath", "topics-ddeath-topic", "topics-ddeath-mqtt", "topics-ddeath-seq-num",
         "payloads-ddeath-timestamp", "payloads-ddeath-seq", "payloads-ddeath-seq-inc", "payloads-ddeath-seq-number");
  auto stage = online(plain_config());
  stage.write(1, 0, 5.0);
  stage.clear();
  stage([](EdgeNode& n, Time t) { n.device_down(1, t); });
  const auto death = stage.only(MessageType::ddeath);
  EXPECT_EQ(death.topic, "spBv1.0/plant/DDEATH/line-1/oven");
  EXPECT_EQ(death.qos, 0);
  EXPECT_FALSE(death.retain);
  EXPECT_EQ(death.payload.seq(), 4U) << "three births and a message went before";
  EXPECT_EQ(death.payload.timestamp(), millis(stage.now));
  stage([](EdgeNode& n, Time t) { n.device_down(1, t); });
  EXPECT_EQ(stage.published().size(), 1U) << "a device dies once";
  EXPECT_EQ(stage.write(1, 0, 6.0), Written::not_online) << "the dead send nothing";
  EXPECT_EQ(stage.write(0, 0, 6.0), Written::published);
  stage.clear();
  stage([](EdgeNode& n, Time t) { n.device_up(1, t); });
  const auto birth = stage.only(MessageType::dbirth);
  EXPECT_EQ(birth.topic, "spBv1.0/plant/DBIRTH/line-1/oven");
  EXPECT_EQ(birth.payload.seq(), 6U);
  EXPECT_EQ(metric_named(birth.payload, "temperature").double_value(), 6.0) << "the newest, though it was not sent";
}

TEST(EdgeSession, ADeviceThatIsDownIsLeftOutOfTheBirths) {
  Stage stage(plain_config());
  stage([](EdgeNode& n, Time t) { n.device_down(0, t); });
  stage.start();
  stage.connected();
  EXPECT_EQ(stage.only(MessageType::dbirth).device, "oven");
}

TEST(EdgeSession, AnIntentionalEndIsADeathAndThenADisconnect) {
  COVERS("operational-behavior-edge-node-intentional-disconnect-ndeath",
         "operational-behavior-edge-node-intentional-disconnect-packet", "payloads-ndeath-will-message-publisher",
         "payloads-ndeath-will-message-publisher-disconnect-mqtt311",
         "payloads-ndeath-will-message-publisher-disconnect-mqtt50", "payloads-ndeath-bdseq");
  for (const auto protocol : {Protocol::mqtt311, Protocol::mqtt5}) {
    auto config = plain_config();
    config.protocol = protocol;
    config.first_session = 7;
    auto stage = online(config);
    const auto birth = stage.only(MessageType::nbirth).payload;
    stage.clear();
    stage.stop();
    ASSERT_EQ(stage.actions.size(), 2U);
    const auto death = stage.only(MessageType::ndeath);
    EXPECT_TRUE(std::holds_alternative<Publish>(stage.actions[0])) << "the death goes first";
    EXPECT_EQ(death.topic, "spBv1.0/plant/NDEATH/line-1");
    EXPECT_FALSE(death.payload.has_seq());
    EXPECT_FALSE(death.retain);
    EXPECT_EQ(death.payload.metrics_size(), 1);
    EXPECT_EQ(session_in(death.payload), 7U);
    EXPECT_EQ(session_in(birth), 7U);
    ASSERT_TRUE(std::holds_alternative<Disconnect>(stage.actions[1]));
    EXPECT_EQ(std::get<Disconnect>(stage.actions[1]).reason,
              protocol == Protocol::mqtt5 ? std::optional<std::uint8_t>(0x04) : std::nullopt);
    EXPECT_TRUE(stage.node.stopped());
    EXPECT_FALSE(stage.node.next_due()) << "it does not come back by itself";
  }
}

TEST(EdgeSession, DeviceIdsStandInDeviceTopicsAndNowhereElse) {
  COVERS("topic-structure-namespace-device-id-associated-message-types",
         "topic-structure-namespace-device-id-non-associated-message-types");
  auto config = plain_config();
  config.devices[0].metrics[0].access = Access::writable;
  config.primary_host = "fettle";
  auto stage = online(config);
  stage.write(0, 0, 1.0);
  stage.write(std::nullopt, 0, 1.0);
  stage([](EdgeNode& n, Time t) { n.device_down(0, t); });
  stage.stop();
  std::vector<std::string> topics = {stage.wanted<Connect>().at(0).will.topic};
  for (const auto& one : stage.wanted<Publish>()) topics.push_back(one.topic);
  const auto subscriptions = stage.wanted<Subscribe>();
  for (const auto& filter : subscriptions.at(0).filters) topics.push_back(filter.topic);
  std::set<MessageType> seen;
  for (const auto& text : topics) {
    const auto topic = parse_topic(text);
    ASSERT_TRUE(topic) << text;
    EXPECT_EQ(!topic->device.empty(), has_device(topic->type)) << text;
    seen.insert(topic->type);
  }
  EXPECT_EQ(seen.size(), 9U) << "every message type was looked at";
}

}  // namespace
}  // namespace fettle::sparkplug::edge
