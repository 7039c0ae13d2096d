// How a Sparkplug host begins its session with a server: the Will, the subscriptions, the birth certificate.

#include <gtest/gtest.h>

#include "gateway/sparkplug/host_session.h"
#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/host_session_script.h"

namespace fettle::sparkplug {
namespace {

using testing::at;
using testing::only;
using testing::session;

TEST(HostSessionBirth, TheConnectionIsMadeWithAWillThatSaysOffline) {
  COVERS("host-topic-phid-death-required", "operational-behavior-host-application-connect-will",
         "host-topic-phid-death-topic", "operational-behavior-host-application-connect-will-topic",
         "payloads-state-will-message", "host-topic-phid-death-payload",
         "operational-behavior-host-application-connect-will-payload", "payloads-state-will-message-payload");
  HostSession host = session();
  const auto connect = only<Connect>(host.start(at(1'780'272'000'123)));
  EXPECT_EQ(connect.will.topic, "spBv1.0/STATE/fettle");
  EXPECT_EQ(connect.will.payload, R"({"online":false,"timestamp":1780272000123})");
}

TEST(HostSessionBirth, TheWillIsDeliveredAtLeastOnceAndKeptByTheServer) {
  COVERS("host-topic-phid-death-qos", "host-topic-phid-death-retain",
         "operational-behavior-host-application-connect-will-qos",
         "operational-behavior-host-application-connect-will-retained", "payloads-state-will-message-qos",
         "payloads-state-will-message-retain");
  HostSession host = session();
  const auto connect = only<Connect>(host.start(at(1)));
  EXPECT_EQ(connect.will.qos, 1);
  EXPECT_TRUE(connect.will.retain);
}

TEST(HostSessionBirth, TheSessionBeginsCleanAndLeavesNothingBehind) {
  COVERS("message-flow-phid-sparkplug-clean-session-311", "message-flow-phid-sparkplug-clean-session-50");
  HostSession host = session();
  for (int attempt = 0; attempt < 3; ++attempt) {
    const auto connect = only<Connect>(host.start(at(1)));
    EXPECT_TRUE(connect.clean_start);
    EXPECT_EQ(connect.session_expiry.count(), 0);
    only<RetryAfter>(host.lost());
  }
}

TEST(HostSessionBirth, OnceConnectedItSubscribesToItsOwnStateAndToAllGroupsInOneGo) {
  COVERS("host-topic-phid-birth-sub-required", "payloads-state-subscribe", "message-flow-phid-sparkplug-subscription");
  HostSession host = session();
  host.start(at(1));
  const auto subscribe = only<Subscribe>(host.connected());
  ASSERT_EQ(subscribe.subscriptions.size(), 2U);
  EXPECT_EQ(subscribe.subscriptions[0].filter, "spBv1.0/STATE/fettle");
  EXPECT_EQ(subscribe.subscriptions[1].filter, "spBv1.0/#");
  EXPECT_EQ(subscribe.subscriptions[0].qos, 1);
  EXPECT_EQ(subscribe.subscriptions[1].qos, 1);
}

TEST(HostSessionBirth, SubscribesToTheConfiguredGroupsOnlyWhereThereAreSome) {
  COVERS("host-topic-phid-birth-sub-required");
  HostSession host = session({"lifts", "Plant 1"});
  host.start(at(1));
  const auto subscribe = only<Subscribe>(host.connected());
  ASSERT_EQ(subscribe.subscriptions.size(), 3U);
  EXPECT_EQ(subscribe.subscriptions[0].filter, "spBv1.0/STATE/fettle");
  EXPECT_EQ(subscribe.subscriptions[1].filter, "spBv1.0/lifts/#");
  EXPECT_EQ(subscribe.subscriptions[2].filter, "spBv1.0/Plant 1/#");
}

TEST(HostSessionBirth, TheFirstThingItPublishesIsItsBirthAndOnlyOnceItsSubscriptionsStand) {
  COVERS("principles-birth-certificates-order", "host-topic-phid-birth-message", "host-topic-phid-birth-required",
         "message-flow-phid-sparkplug-state-publish", "operational-behavior-host-application-connect-birth",
         "payloads-state-birth", "conformance-primary-host", "intro-sparkplug-host-state", "components-ph-state",
         "message-flow-phid-sparkplug-subscription");
  HostSession host = session();
  only<Connect>(host.start(at(1)));
  EXPECT_FALSE(host.online());
  only<Subscribe>(host.connected());
  EXPECT_FALSE(host.online());
  const auto birth = only<Publish>(host.subscribed(Granted::all)).certificate;
  EXPECT_TRUE(parse_state(birth.payload)->online);
  EXPECT_TRUE(host.online());
}

TEST(HostSessionBirth, TheBirthSaysOnlineWithTheTimestampOfTheWill) {
  COVERS("host-topic-phid-birth-topic", "operational-behavior-host-application-connect-birth-topic",
         "host-topic-phid-birth-payload", "operational-behavior-host-application-connect-birth-payload",
         "payloads-state-birth-payload", "message-flow-phid-sparkplug-state-publish-payload",
         "host-topic-phid-birth-payload-timestamp", "message-flow-phid-sparkplug-state-publish-payload-timestamp");
  HostSession host = session();
  host.start(at(1'780'272'000'123));
  host.connected();
  const auto birth = only<Publish>(host.subscribed(Granted::all)).certificate;
  EXPECT_EQ(birth.topic, "spBv1.0/STATE/fettle");
  EXPECT_EQ(birth.payload, R"({"online":true,"timestamp":1780272000123})");
}

TEST(HostSessionBirth, TheBirthIsDeliveredAtLeastOnceAndKeptByTheServer) {
  COVERS("host-topic-phid-birth-qos", "host-topic-phid-birth-retain",
         "operational-behavior-host-application-connect-birth-qos",
         "operational-behavior-host-application-connect-birth-retained", "payloads-state-birth");
  HostSession host = session();
  host.start(at(1));
  host.connected();
  const auto birth = only<Publish>(host.subscribed(Granted::all)).certificate;
  EXPECT_EQ(birth.qos, 1);
  EXPECT_TRUE(birth.retain);
}

TEST(HostSessionBirth, EveryConnectionHasAWillAndABirthWithTheTimeOfItsOwnConnect) {
  COVERS("host-topic-phid-death-payload-timestamp-connect", "host-topic-phid-birth-payload-timestamp",
         "operational-behavior-primary-application-state-with-multiple-servers-state");
  HostSession host = session();
  for (const std::int64_t time : {1'000, 61'000, 62'000}) {
    const std::string stamp = std::to_string(time);
    const auto connect = only<Connect>(host.start(at(time)));
    EXPECT_EQ(connect.will.payload, R"({"online":false,"timestamp":)" + stamp + "}");
    host.connected();
    const auto birth = only<Publish>(host.subscribed(Granted::all)).certificate;
    EXPECT_EQ(birth.payload, R"({"online":true,"timestamp":)" + stamp + "}");
    only<RetryAfter>(host.lost());
    EXPECT_FALSE(host.online());
  }
}

TEST(HostSessionBirth, AnAttemptThatFailsLeavesNoTimestampForTheNext) {
  COVERS("host-topic-phid-death-payload-timestamp-connect");
  HostSession host = session();
  host.start(at(1'000));
  host.lost();
  EXPECT_EQ(parse_state(only<Connect>(host.start(at(5'000))).will.payload)->timestamp, 5'000);
}

TEST(HostSessionBirth, ATimestampNeverGoesBackSinceNodesIgnoreWhatIsOlder) {
  HostSession host = session();
  host.start(at(5'000));
  host.lost();
  EXPECT_EQ(parse_state(only<Connect>(host.start(at(4'000))).will.payload)->timestamp, 5'000);
}

TEST(HostSessionBirth, AHostWithSeveralServersIsBornOnEachWithATimestampOfItsOwn) {
  COVERS("operational-behavior-primary-application-state-with-multiple-servers-state",
         "operational-behavior-primary-application-state-with-multiple-servers-state-subs",
         "operational-behavior-host-application-multi-server-timestamp");
  HostSession first = session();
  HostSession second = session();
  first.start(at(1'000));
  second.start(at(2'000));
  second.connected();
  first.connected();
  EXPECT_EQ(parse_state(only<Publish>(first.subscribed(Granted::all)).certificate.payload)->timestamp, 1'000);
  EXPECT_EQ(parse_state(only<Publish>(second.subscribed(Granted::all)).certificate.payload)->timestamp, 2'000);
  // One that is lost and comes back changes nothing at the other.
  second.lost();
  second.start(at(9'000));
  const auto again = only<Publish>(first.state_message(R"({"online":false,"timestamp":1000})", Retained::no));
  EXPECT_EQ(parse_state(again.certificate.payload)->timestamp, 1'000);
}

TEST(HostSessionBirth, ARefusedSubscriptionKeepsItOfflineAndIsTriedAgain) {
  COVERS("message-flow-phid-sparkplug-state-publish");
  HostSession host = session();
  host.start(at(1));
  host.connected();
  const SessionActions actions = host.subscribed(Granted::not_all);
  ASSERT_EQ(actions.size(), 3U);
  EXPECT_NE(std::get<Warning>(actions[0]).text.find("allow this user to read spBv1.0/STATE/fettle"), std::string::npos);
  EXPECT_TRUE(std::holds_alternative<Disconnect>(actions[1]));
  EXPECT_TRUE(std::holds_alternative<RetryAfter>(actions[2]));
  EXPECT_FALSE(host.online());
  only<Connect>(host.start(at(2)));
}

TEST(HostSessionBirth, WaitsLongerAfterEachFailureUpToALimitAndBeginsAnewAfterASuccess) {
  HostSession host = *HostSession::make({"fettle", {}, std::chrono::milliseconds(100), std::chrono::milliseconds(500)});
  std::vector<std::int64_t> waits;
  for (int i = 0; i < 5; ++i) {
    host.start(at(i));
    waits.push_back(only<RetryAfter>(host.lost()).wait.count());
  }
  EXPECT_EQ(waits, (std::vector<std::int64_t>{100, 200, 400, 500, 500}));
  host.start(at(9));
  host.connected();
  host.subscribed(Granted::all);
  EXPECT_EQ(only<RetryAfter>(host.lost()).wait.count(), 100);
}

TEST(HostSessionBirth, WhatComesOutOfTurnDoesNothing) {
  HostSession host = session();
  EXPECT_TRUE(host.connected().empty());
  EXPECT_TRUE(host.subscribed(Granted::all).empty());
  EXPECT_TRUE(host.lost().empty());
  host.start(at(1));
  EXPECT_TRUE(host.start(at(2)).empty());
  EXPECT_TRUE(host.subscribed(Granted::all).empty());
  host.connected();
  EXPECT_TRUE(host.connected().empty());
}

TEST(HostSessionBirth, AHostIdThatCannotBeInATopicIsRefusedAndSaidWhy) {
  COVERS("operational-behavior-host-application-host-id");
  for (const char* id : {"", "a/b", "a+", "#", "\xff"}) {
    const auto made = HostSession::make({id, {}});
    ASSERT_FALSE(made) << id;
    EXPECT_EQ(made.error().reason, "bad_topic");
    EXPECT_NE(made.error().detail.find("the host id"), std::string::npos) << made.error().detail;
  }
  const auto group = HostSession::make({"fettle", {"good", "a/b"}});
  ASSERT_FALSE(group);
  EXPECT_NE(group.error().detail.find("the group id \"a/b\""), std::string::npos) << group.error().detail;
}

}  // namespace
}  // namespace fettle::sparkplug
