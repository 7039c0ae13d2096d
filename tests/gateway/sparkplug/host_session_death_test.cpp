// How a Sparkplug host's session goes on and ends: what it does about its own STATE, and its death certificate.

#include <gtest/gtest.h>

#include "gateway/sparkplug/host_session.h"
#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/host_session_script.h"

namespace fettle::sparkplug {
namespace {

using testing::at;
using testing::online_session;
using testing::only;
using testing::session;

TEST(HostSessionDeath, SeeingItselfOfflineItSaysOnlineAgainAtOnceWithTheSameTimestamp) {
  COVERS("message-flow-hid-sparkplug-state-message-delivered");
  HostSession host = online_session(7'000);
  for (const char* offline : {R"({"online":false,"timestamp":7000})", R"({"timestamp":3,"online":false})",
                              R"({"online":false,"timestamp":99000})"}) {
    for (const Retained retained : {Retained::no, Retained::yes}) {
      const auto birth = only<Publish>(host.state_message(offline, retained)).certificate;
      EXPECT_EQ(birth.topic, "spBv1.0/STATE/fettle");
      EXPECT_EQ(birth.payload, R"({"online":true,"timestamp":7000})");
      EXPECT_EQ(birth.qos, 1);
      EXPECT_TRUE(birth.retain);
    }
  }
}

TEST(HostSessionDeath, WhatIsNoCertificateOnItsOwnTopicIsReplacedByOne) {
  HostSession host = online_session(7'000);
  for (const char* payload : {"", "OFFLINE", "ONLINE", "{", R"({"online":true})", R"({"online":"true","timestamp":1})",
                              R"({"online":true,"timestamp":1.5})", R"([{"online":true,"timestamp":7000}])",
                              R"({"online":true,"timestamp":7000} x)"}) {
    const auto birth = only<Publish>(host.state_message(payload, Retained::no)).certificate;
    EXPECT_EQ(birth.payload, R"({"online":true,"timestamp":7000})") << payload;
  }
}

TEST(HostSessionDeath, ItsOwnBirthComingBackIsNoNews) {
  HostSession host = online_session(7'000);
  for (const char* payload : {R"({"online":true,"timestamp":7000})", " { \"timestamp\" : 7000 ,\n\t\"online\":true } ",
                              R"({"online":true,"timestamp":7000,"host":"a \"b\"","n":null})"}) {
    EXPECT_TRUE(host.state_message(payload, Retained::no).empty()) << payload;
  }
}

TEST(HostSessionDeath, WhatTheServerKeptFromBeforeTheBirthIsAboutToBeReplaced) {
  COVERS("host-topic-phid-birth-message");
  HostSession host = session();
  host.start(at(7'000));
  host.connected();
  EXPECT_TRUE(host.state_message(R"({"online":false,"timestamp":1})", Retained::yes).empty());
  only<Publish>(host.subscribed(Granted::all));
  EXPECT_TRUE(host.state_message(R"({"online":true,"timestamp":1})", Retained::yes).empty());
}

TEST(HostSessionDeath, AnotherHostWithTheSameIdIsReported) {
  COVERS("operational-behavior-host-application-host-id");
  HostSession host = online_session(7'000);
  const auto warning = only<Warning>(host.state_message(R"({"online":true,"timestamp":8000})", Retained::no));
  EXPECT_NE(warning.text.find("spBv1.0/STATE/fettle"), std::string::npos);
  EXPECT_NE(warning.text.find("a host id must be unique"), std::string::npos);
}

TEST(HostSessionDeath, GoingAwayOnPurposeItPublishesItsDeathAndThenDisconnects) {
  COVERS("operational-behavior-host-application-termination", "operational-behavior-host-application-death-topic",
         "operational-behavior-host-application-death-payload", "operational-behavior-host-application-death-qos",
         "operational-behavior-host-application-death-retained",
         "operational-behavior-host-application-disconnect-intentional", "host-topic-phid-death-topic",
         "host-topic-phid-death-payload", "conformance-primary-host", "intro-sparkplug-host-state",
         "components-ph-state");
  HostSession host = online_session(7'000);
  const SessionActions actions = host.stop(at(9'000));
  ASSERT_EQ(actions.size(), 2U);
  const Certificate& death = std::get<Publish>(actions[0]).certificate;
  EXPECT_EQ(death.topic, "spBv1.0/STATE/fettle");
  EXPECT_EQ(death.payload, R"({"online":false,"timestamp":9000})");
  EXPECT_EQ(death.qos, 1);
  EXPECT_TRUE(death.retain);
  EXPECT_TRUE(std::holds_alternative<Disconnect>(actions[1]));
  EXPECT_FALSE(host.online());
}

TEST(HostSessionDeath, TheDeathHasTheTimeOfItsOwnNotThatOfTheWill) {
  COVERS("host-topic-phid-death-payload-timestamp-disconnect-clean",
         "host-topic-phid-death-payload-timestamp-disconnect-with-no-disconnect-packet");
  HostSession host = online_session(7'000);
  // It stands before whatever ends the connection, DISCONNECT or not.
  const SessionActions actions = host.stop(at(9'000));
  ASSERT_FALSE(actions.empty());
  EXPECT_EQ(parse_state(std::get<Publish>(actions[0]).certificate.payload)->timestamp, 9'000);
}

TEST(HostSessionDeath, OnceItHasGoneNothingBringsItBack) {
  HostSession host = online_session(7'000);
  host.stop(at(9'000));
  EXPECT_TRUE(host.state_message(R"({"online":false,"timestamp":9000})", Retained::no).empty()) << "its own death";
  EXPECT_TRUE(host.lost().empty());
  EXPECT_TRUE(host.start(at(10'000)).empty());
  EXPECT_TRUE(host.stop(at(10'000)).empty());
}

TEST(HostSessionDeath, StoppedBeforeItsBirthItOnlyDisconnectsSoThatNoDeathComesFirst) {
  COVERS("principles-birth-certificates-order");
  HostSession connecting = session();
  connecting.start(at(1));
  only<Disconnect>(connecting.stop(at(2)));
  HostSession subscribing = session();
  subscribing.start(at(1));
  subscribing.connected();
  only<Disconnect>(subscribing.stop(at(2)));
  EXPECT_TRUE(subscribing.subscribed(Granted::all).empty());
  HostSession waiting = session();
  waiting.start(at(1));
  waiting.lost();
  EXPECT_TRUE(waiting.stop(at(2)).empty());
}

TEST(HostSessionDeath, ReadsACertificateAsJsonWhateverItsOrderAndSpaces) {
  const auto state =
      parse_state(" {\"a\":-1.5e3, \"timestamp\" :1780272000000 , \"b\":\"}\\\"{\", \"online\": false}\r\n");
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->online);
  EXPECT_EQ(state->timestamp, 1'780'272'000'000);
  for (const char* no : {"{}", "{\"online\":true,}", "{\"online\":true \"timestamp\":1}", "{online:true,timestamp:1}",
                         "{\"online\":true,\"timestamp\":}", "{\"online\":true,\"timestamp\":1", "\"", "{\"a\\",
                         "{\"online\":true,\"timestamp\":99999999999999999999}"}) {
    EXPECT_FALSE(parse_state(no)) << no;
  }
  EXPECT_FALSE(parse_state(std::string(5'000, ' ') + R"({"online":true,"timestamp":1})")) << "longer than any";
}

}  // namespace
}  // namespace fettle::sparkplug
