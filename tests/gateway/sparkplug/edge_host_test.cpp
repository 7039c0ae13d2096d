// An edge node and its hosts: the primary host's STATE, several servers, rebirths and commands.

#include <gtest/gtest.h>

#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/edge_stage.h"

namespace fettle::sparkplug::edge {
namespace {

using std::chrono::seconds;

EdgeConfig hosted(std::size_t servers = 1) {
  auto config = plain_config();
  config.primary_host = "fettle";
  config.servers = servers;
  return config;
}

Stage waiting(EdgeConfig config) {
  Stage stage(std::move(config));
  stage.start();
  stage.connected();
  return stage;
}

TEST(EdgeHost, ItsStateIsSubscribedAndBirthsWaitForIt) {
  COVERS("message-flow-edge-node-birth-publish-phid-wait", "message-flow-edge-node-birth-publish-phid-wait-online",
         "operational-behavior-primary-application-state-with-multiple-servers-state-subs");
  auto stage = waiting(hosted());
  const auto subscriptions = stage.wanted<Subscribe>();
  ASSERT_EQ(subscriptions.size(), 1U);
  EXPECT_EQ(subscriptions[0].filters.back().topic, "spBv1.0/STATE/fettle");
  EXPECT_EQ(subscriptions[0].filters.back().qos, 1);
  EXPECT_TRUE(stage.published().empty());
  stage.state("fettle", false, stage.now);
  EXPECT_TRUE(stage.published().empty()) << "offline is not online";
  stage.state("fettle", true, stage.now);
  EXPECT_EQ(stage.published().size(), 3U);
}

TEST(EdgeHost, OnlyTheNamedHostCounts) {
  COVERS("message-flow-edge-node-birth-publish-phid-wait-id");
  auto stage = waiting(hosted());
  for (const auto* other : {"fettle-2", "Fettle", "fettl"}) stage.state(other, true, stage.now);
  EXPECT_FALSE(stage.node.online());
  stage.state("fettle", true, stage.now);
  ASSERT_TRUE(stage.node.online());
  stage.state("fettle-2", false, stage.now + seconds(10));
  EXPECT_TRUE(stage.node.online());
}

TEST(EdgeHost, AStateOlderThanTheOneBeforeDoesNotCountTheFirstAlwaysDoes) {
  COVERS("message-flow-edge-node-birth-publish-phid-wait-timestamp");
  struct Row {
    const char* what;
    std::vector<std::pair<bool, int>> states;  // online, seconds from an arbitrary moment
    bool online;
  };
  const std::vector<Row> rows = {
      {"the first counts, however old", {{true, -100'000}}, true},
      {"offline, then an online of before it", {{false, 10}, {true, 9}}, false},
      {"offline and online of the same time", {{false, 10}, {true, 10}}, true},
      {"offline, then a newer online", {{false, 10}, {true, 11}}, true},
      {"an old online between", {{false, 10}, {true, 9}, {true, 12}}, true},
  };
  for (const auto& row : rows) {
    auto stage = waiting(hosted());
    const Time base = stage.now;
    for (const auto& [is_online, at] : row.states) stage.state("fettle", is_online, base + seconds(at));
    EXPECT_EQ(stage.node.online(), row.online) << row.what;
    EXPECT_EQ(stage.published().size(), row.online ? 3U : 0U) << row.what;
  }
}

TEST(EdgeHost, WhatIsNoStateIsCountedAndChangesNothing) {
  auto stage = waiting(hosted());
  const std::vector<std::string> wrong = {"",
                                          "ONLINE",
                                          "{}",
                                          R"({"online":true})",
                                          R"({"timestamp":1})",
                                          R"({"online":1,"timestamp":1})",
                                          R"({"online":true,"timestamp":"1"})",
                                          R"({"online":true,"timestamp":-1})",
                                          R"({"online":true,"timestamp":1.5})",
                                          R"({"online":true,"timestamp":18446744073709551615})",
                                          R"([{"online":true,"timestamp":1}])",
                                          R"({"online":true,"timestamp":1)",
                                          std::string(2'000, '[')};
  for (const auto& text : wrong) stage.message("spBv1.0/STATE/fettle", text);
  EXPECT_FALSE(stage.node.online());
  EXPECT_EQ(stage.node.counts().refused, wrong.size());
}

TEST(EdgeHost, WhenItGoesOfflineTheNodeDiesDisconnectsAndStartsOver) {
  COVERS("message-flow-edge-node-birth-publish-phid-offline", "operational-behavior-edge-node-termination-host-offline",
         "operational-behavior-edge-node-intentional-disconnect-ndeath");
  auto stage = online(hosted());
  stage.clear();
  stage.state("fettle", false, stage.now);
  ASSERT_EQ(stage.actions.size(), 3U);
  EXPECT_TRUE(std::holds_alternative<Doubt>(stage.actions[0])) << "what was sent lately may not have arrived";
  EXPECT_EQ(stage.only(MessageType::ndeath).qos, 1);
  EXPECT_TRUE(std::holds_alternative<Disconnect>(stage.actions[2]));
  EXPECT_FALSE(stage.node.online());
  EXPECT_EQ(stage.write(0, 0, 1.0), Written::not_online);
  EXPECT_EQ(stage.node.counts().host_absences, 1U);
  stage.clear();
  stage.wait();
  stage.connected();
  EXPECT_EQ(stage.wanted<Connect>().at(0).session, 1);
  EXPECT_TRUE(stage.published().empty()) << "it waits again";
  stage.state("fettle", false, stage.now);  // as the broker has kept it
  EXPECT_TRUE(stage.published().empty());
  stage.state("fettle", true, stage.now);
  EXPECT_EQ(stage.published(MessageType::nbirth).size(), 1U);
  EXPECT_EQ(metric_named(stage.published(MessageType::dbirth)[0].payload, "temperature").double_value(), 1.0)
      << "births show the present, what was measured meanwhile included";
}

TEST(EdgeHost, AnOfflineOlderThanTheLastOnlineIsNoReasonToLeave) {
  COVERS("operational-behavior-edge-node-termination-host-offline-timestamp");
  auto stage = online(hosted());
  const Time online_since = stage.now;
  stage.clear();
  stage.state("fettle", false, online_since - seconds(60));
  EXPECT_TRUE(stage.node.online());
  EXPECT_TRUE(stage.actions.empty());
  stage.state("fettle", false, online_since + seconds(60));
  EXPECT_FALSE(stage.node.online());
}

TEST(EdgeHost, TheNextServerIsTriedWhenTheHostGoesOfflineOnThisOne) {
  COVERS("operational-behavior-edge-node-termination-host-offline-reconnect",
         "operational-behavior-primary-application-state-with-multiple-servers-walk",
         "operational-behavior-primary-application-state-with-multiple-servers-single-server",
         "operational-behavior-edge-node-birth-sequence-wait");
  auto stage = waiting(hosted(3));
  std::size_t open = 1;  // sessions that stand or are being made
  for (std::size_t i = 0; i < 7; ++i) {
    const auto connects = stage.wanted<Connect>();
    ASSERT_EQ(connects.size(), 1U);
    EXPECT_EQ(connects[0].server, i % 3);
    EXPECT_EQ(open, 1U) << "one server at a time";
    EXPECT_TRUE(stage.published().empty()) << "births wait for the host";
    // On the first and every other server the host was online for a while; on the others it is known to be offline.
    if (i % 2 == 0) stage.state("fettle", true, stage.now);
    EXPECT_EQ(stage.node.online(), i % 2 == 0);
    stage.clear();
    stage.state("fettle", false, stage.now);
    EXPECT_EQ(stage.only(MessageType::ndeath).topic, "spBv1.0/plant/NDEATH/line-1");
    open -= stage.wanted<Disconnect>().size();
    EXPECT_EQ(open, 0U);
    stage.clear();
    stage.wait();
    open += stage.wanted<Connect>().size();
    stage.connected();
  }
}

TEST(EdgeHost, AServerOnWhichTheHostIsNotSeenIsLeftAfterAWhile) {
  COVERS("operational-behavior-primary-application-state-with-multiple-servers-walk");
  auto config = hosted(2);
  config.state_patience = seconds(4);
  auto stage = waiting(config);
  const Time connected = stage.now;
  stage.clear();
  stage.wait();
  EXPECT_EQ(stage.now, connected + seconds(4));
  EXPECT_EQ(stage.wanted<Disconnect>().size(), 1U);
  stage.wait();
  EXPECT_EQ(stage.wanted<Connect>().at(0).server, 1U);
}

TEST(EdgeHost, WithOneServerItWaitsThereForGood) {
  auto stage = waiting(hosted());
  EXPECT_FALSE(stage.node.next_due());
  stage.state("fettle", false, stage.now);
  EXPECT_FALSE(stage.node.next_due());
  EXPECT_TRUE(stage.wanted<Disconnect>().empty());
}

TEST(EdgeHost, AttemptsToConnectComeAtGrowingDistances) {
  auto config = plain_config();
  config.first_backoff = milliseconds(100);
  config.longest_backoff = milliseconds(500);
  Stage stage(config);
  stage.start();
  for (const int expected : {100, 200, 400, 500, 500}) {
    stage.disconnected();
    const auto due = stage.node.next_due();
    ASSERT_TRUE(due);
    EXPECT_EQ(*due - stage.now, milliseconds(expected));
    stage([](EdgeNode& n, Time t) { n.tick(t); });
    EXPECT_EQ(stage.node.next_due(), due) << "not before its time";
    stage.wait();
  }
  stage.connected();
  stage.disconnected();
  EXPECT_EQ(*stage.node.next_due() - stage.now, milliseconds(100)) << "births went out: from the beginning";
}

TEST(EdgeHost, ARebirthStopsDataSendsEveryBirthAndKeepsTheSession) {
  COVERS("operational-behavior-data-commands-rebirth-action-1", "operational-behavior-data-commands-rebirth-action-2",
         "operational-behavior-data-commands-rebirth-action-3", "payloads-nbirth-bdseq-repeat");
  auto config = plain_config();
  config.first_session = 9;
  config.aliases = Aliases::every_metric;
  auto stage = online(config);
  for (int i = 0; i < 20; ++i) stage.write(0, 0, static_cast<double>(i));
  stage.clear();
  stage.ask_for_rebirth();
  const auto births = stage.published();
  ASSERT_EQ(births.size(), 3U) << "births and nothing between them";
  EXPECT_EQ(births[0].type, MessageType::nbirth);
  EXPECT_EQ(births[1].type, MessageType::dbirth);
  EXPECT_EQ(births[2].type, MessageType::dbirth);
  EXPECT_EQ(births[0].payload.seq(), 0U);
  EXPECT_EQ(births[2].payload.seq(), 2U);
  EXPECT_EQ(metric_named(births[0].payload, "bdSeq").long_value(), 9U);
  EXPECT_EQ(metric_named(births[1].payload, "temperature").double_value(), 19.0);
  EXPECT_TRUE(stage.wanted<Connect>().empty());
  EXPECT_EQ(stage.wanted<Doubt>().size(), 1U) << "whoever asks may have missed something";
  EXPECT_EQ(stage.node.counts().rebirths, 1U);
  stage.clear();
  stage.write(0, 0, 20.0);
  EXPECT_EQ(stage.only(MessageType::ddata).payload.seq(), 3U);
}

TEST(EdgeHost, WhatIsNoRebirthDoesNotCauseOne) {
  auto stage = online(plain_config());
  stage.clear();
  wire::Payload payload;
  payload.add_metrics()->set_name("Node Control/Rebirth");
  payload.mutable_metrics(0)->set_boolean_value(false);
  stage.command({}, payload);  // not wanted
  payload.mutable_metrics(0)->set_boolean_value(true);
  stage.command("press", payload);                                          // devices have no such command
  stage.message("spBv1.0/plant/NCMD/line-2", payload.SerializeAsString());  // another's
  stage.message("spBv1.0/other/NCMD/line-1", payload.SerializeAsString());
  stage.message("spBv1.0/plant/NDATA/line-1", payload.SerializeAsString());
  stage.message("spBv1.0/plant/NCMD/line-1", "\xff\xff\xff");
  stage.message("nonsense", "");
  payload.mutable_metrics(0)->set_name("node control/rebirth");
  stage.command({}, payload);
  EXPECT_TRUE(stage.actions.empty());
}

TEST(EdgeHost, ACommandReachesTheEquipmentIfTheMetricMayBeWritten) {
  for (const auto aliases : {Aliases::none, Aliases::every_metric}) {
    auto config = plain_config();
    config.aliases = aliases;
    config.devices[1].metrics[0].access = Access::writable;
    config.devices[1].metrics[1].type = DataType::int16;
    config.devices[1].metrics[1].access = Access::writable;
    auto stage = online(config);
    const auto birth = stage.published(MessageType::dbirth)[1].payload;
    stage.clear();
    wire::Payload payload;
    const auto address = [&](std::string_view name) -> wire::Metric& {
      auto& metric = *payload.add_metrics();
      if (aliases == Aliases::none) {
        metric.set_name(std::string(name));
      } else {
        metric.set_alias(metric_named(birth, name).alias());
      }
      return metric;
    };
    address("temperature").set_double_value(180.0);
    address("pressure").set_int_value(0xfffffffeU);  // -2
    address("pressure").set_int_value(70'000);       // no Int16: cut to its 16 bits, as encoders do it
    address("pressure").set_string_value("high");
    address("mode").set_string_value("fast");  // not to be written
    payload.add_metrics()->set_name("unknown");
    stage.command("oven", payload);
    const auto commands = stage.wanted<Command>();
    ASSERT_EQ(commands.size(), 3U);
    EXPECT_EQ(commands[0].device, 1U);
    EXPECT_EQ(commands[0].metric, 0U);
    EXPECT_EQ(std::get<double>(commands[0].value), 180.0);
    EXPECT_EQ(std::get<std::int64_t>(commands[1].value), -2);
    EXPECT_EQ(std::get<std::int64_t>(commands[2].value), 4'464);
    EXPECT_EQ(stage.node.counts().refused, 3U);
  }
}

}  // namespace
}  // namespace fettle::sparkplug::edge
