// The Sparkplug host's session at a real broker: what others see of it, what it journals, what it does when it cannot.

#include "gateway/mqtt/sparkplug_session.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "tests/gateway/mqtt/listener.h"
#include "tests/gateway/mqtt/session_stage.h"
#include "tests/gateway/sparkplug/covers.h"

namespace fettle::mqtt_adapter {
namespace {

using e2e::Broker;
using e2e::until;
using testing::Listener;
using testing::SessionStage;

constexpr const char* kOwnState = "spBv1.0/STATE/fettle";

SparkplugOptions options_for(const Broker& broker) {
  SparkplugOptions options;
  options.broker = broker.uri();
  options.name = "main";
  options.client_id = "fettle-host";
  options.host_id = "fettle";
  return options;
}

std::unique_ptr<SparkplugSession> session_of(SessionStage& stage, SparkplugOptions options) {
  return std::move(*SparkplugSession::make(std::move(options), stage.journal(), stage.clock(), stage.log()));
}

// A line of a Listener on the own STATE topic, taken apart.
struct State {
  std::string retained_and_qos;
  bool online = false;
  std::int64_t timestamp = 0;
};
std::vector<State> states(const Listener& listener) {
  std::vector<State> found;
  for (const std::string& line : listener.heard()) {
    const std::size_t payload = line.find('{');
    const auto state = sparkplug::parse_state(payload == std::string::npos ? "" : line.substr(payload));
    EXPECT_TRUE(state) << line;
    if (state) found.push_back({line.substr(0, 3), state->online, state->timestamp});
  }
  return found;
}

TEST(SparkplugSession, IsSeenOnlineThenOfflineWithADeathOfItsOwnTime) {
  COVERS("host-topic-phid-birth-message", "host-topic-phid-birth-retain", "host-topic-phid-birth-qos",
         "host-topic-phid-death-payload-timestamp-disconnect-clean",
         "operational-behavior-host-application-termination");
  SessionStage stage;
  const Broker broker(stage.folder() / "broker");
  const Listener listener(broker.port(), kOwnState, stage.folder() / "heard");
  const auto session = session_of(stage, options_for(broker));
  session->start();
  ASSERT_TRUE(until([&] { return states(listener).size() == 1; })) << stage.all_logged();
  session->stop();
  ASSERT_TRUE(until([&] { return states(listener).size() == 2; }));
  const auto seen = states(listener);
  EXPECT_TRUE(seen[0].online);
  EXPECT_FALSE(seen[1].online);
  EXPECT_EQ(seen[0].retained_and_qos, "0 1");
  EXPECT_EQ(seen[1].retained_and_qos, "0 1");
  EXPECT_GT(seen[1].timestamp, seen[0].timestamp) << "the Will's instead of its own";
  EXPECT_EQ(stage.sessions(), (std::vector<std::string>{"up main", "down main"}));
  EXPECT_TRUE(stage.topics_of_sparkplug().empty()) << "STATE belongs to the session, not into the journal";

  const Listener late(broker.port(), kOwnState, stage.folder() / "late");
  ASSERT_TRUE(until([&] { return states(late).size() == 1; }));
  EXPECT_EQ(states(late)[0].retained_and_qos, "1 1");
  EXPECT_FALSE(states(late)[0].online);
  EXPECT_EQ(states(late)[0].timestamp, seen[1].timestamp);
}

TEST(SparkplugSession, KilledItIsSeenOfflineByItsWillWithTheTimestampOfItsBirth) {
  COVERS("host-topic-phid-death-required", "host-topic-phid-birth-payload-timestamp",
         "operational-behavior-host-application-connect-will");
  SessionStage stage;
  const Broker broker(stage.folder() / "broker");
  const Listener listener(broker.port(), "spBv1.0/STATE/#", stage.folder() / "heard");
  e2e::Process child({FETTLE_BIN_DIR "/mqtt_host_child", broker.uri(), "fettle", (stage.folder() / "child").string()},
                     stage.folder() / "child.log");
  ASSERT_TRUE(until([&] { return states(listener).size() == 1; })) << e2e::text_of(stage.folder() / "child.log");
  child.signal(SIGKILL);
  ASSERT_TRUE(until([&] { return states(listener).size() == 2; }));
  const auto seen = states(listener);
  EXPECT_TRUE(seen[0].online);
  EXPECT_FALSE(seen[1].online);
  EXPECT_EQ(seen[1].timestamp, seen[0].timestamp);
}

TEST(SparkplugSession, JournalsWhatNodesSendWithTheNameOfTheConnectionAndNoState) {
  SessionStage stage;
  const Broker broker(stage.folder() / "broker");
  auto options = options_for(broker);
  options.max_payload = 1'500;
  const auto session = session_of(stage, options);
  session->start();
  ASSERT_TRUE(until([&] { return session->online(); })) << stage.all_logged();
  broker.publish("spBv1.0/STATE/somebody", R"({"online":true,"timestamp":1})");
  broker.publish("spBv1.0/g/NBIRTH/n", std::string("\x00\xff ok", 5));
  broker.publish("spBv1.0/g/DDATA/n/d", std::string(1'501, 'x'));
  ASSERT_TRUE(until([&] { return stage.topics_of_sparkplug().size() == 2; }));
  EXPECT_EQ(stage.topics_of_sparkplug(), (std::vector<std::string>{"spBv1.0/g/NBIRTH/n", "spBv1.0/g/DDATA/n/d"}));
  std::vector<journal::OwnedRecord> records = stage.records();
  std::erase_if(records, [](const auto& record) { return record.kind != journal::Kind::sparkplug; });
  const auto birth = journal::decode_sparkplug(records[0].body);
  EXPECT_EQ(birth->broker, "main");
  EXPECT_EQ(birth->message.payload, std::string_view("\x00\xff ok", 5));
  EXPECT_FALSE(birth->message.cut());
  const auto cut = journal::decode_sparkplug(records[1].body);
  EXPECT_EQ(cut->message.size, 1'501U);
  EXPECT_TRUE(cut->message.cut());
  EXPECT_EQ(cut->message.payload, std::string(1'024, 'x'));
  EXPECT_EQ(session->counts().foreign_states, 1U);
  session->stop();
}

TEST(SparkplugSession, HearsOnlyTheConfiguredGroups) {
  SessionStage stage;
  const Broker broker(stage.folder() / "broker");
  auto options = options_for(broker);
  options.groups = {"lifts", "Plant 1"};
  const auto session = session_of(stage, options);
  session->start();
  ASSERT_TRUE(until([&] { return session->online(); })) << stage.all_logged();
  broker.publish("spBv1.0/pumps/NDATA/n", "1");
  broker.publish("spBv1.0/lifts/NDATA/n", "2");
  broker.publish("spBv1.0/Plant 1/NDATA/n", "3");
  ASSERT_TRUE(until([&] { return stage.topics_of_sparkplug().size() == 2; }));
  EXPECT_EQ(stage.topics_of_sparkplug(),
            (std::vector<std::string>{"spBv1.0/lifts/NDATA/n", "spBv1.0/Plant 1/NDATA/n"}));
  session->stop();
}

TEST(SparkplugSession, SaidToBeOfflineItSaysOnlineAgainWithTheSameTimestamp) {
  COVERS("message-flow-hid-sparkplug-state-message-delivered");
  SessionStage stage;
  const Broker broker(stage.folder() / "broker");
  const Listener listener(broker.port(), kOwnState, stage.folder() / "heard");
  const auto session = session_of(stage, options_for(broker));
  session->start();
  ASSERT_TRUE(until([&] { return states(listener).size() == 1; })) << stage.all_logged();
  broker.publish(kOwnState, R"({"online":false,"timestamp":5})");
  ASSERT_TRUE(until([&] { return states(listener).size() == 3; }));
  const auto seen = states(listener);
  EXPECT_TRUE(seen[2].online);
  EXPECT_EQ(seen[2].timestamp, seen[0].timestamp);
  EXPECT_FALSE(stage.logged("a host id must be unique"));
  broker.publish(kOwnState, R"({"online":true,"timestamp":5})");
  EXPECT_TRUE(until([&] { return stage.logged("a host id must be unique"); }));
  session->stop();
}

TEST(SparkplugSession, ARebirthRequestReachesTheNode) {
  COVERS("topics-ncmd-mqtt", "payloads-ncmd-qos", "payloads-ncmd-retain");
  SessionStage stage;
  const Broker broker(stage.folder() / "broker");
  const Listener listener(broker.port(), "spBv1.0/+/NCMD/+", stage.folder() / "heard");
  const auto session = session_of(stage, options_for(broker));
  EXPECT_FALSE(session->request("spBv1.0/g/NCMD/n", "early")) << "there is no session yet";
  session->start();
  ASSERT_TRUE(until([&] { return session->online(); })) << stage.all_logged();
  EXPECT_TRUE(session->request("spBv1.0/g/NCMD/n", "first"));
  EXPECT_TRUE(session->request("spBv1.0/g/NCMD/m", "second"));
  EXPECT_TRUE(listener.hears("0 0 spBv1.0/g/NCMD/m second"));
  EXPECT_EQ(listener.heard(), (std::vector<std::string>{"0 0 spBv1.0/g/NCMD/n first", "0 0 spBv1.0/g/NCMD/m second"}));
  EXPECT_EQ(session->counts().requests_sent, 2U);
  session->stop();
  EXPECT_FALSE(session->request("spBv1.0/g/NCMD/n", "late"));
}

TEST(SparkplugSession, ComesBackAfterTheBrokerWithANewWillAndANewBirth) {
  COVERS("operational-behavior-primary-application-state-with-multiple-servers-state",
         "host-topic-phid-death-payload-timestamp-connect");
  SessionStage stage;
  Broker broker(stage.folder() / "broker");
  const auto session = session_of(stage, options_for(broker));
  session->start();
  ASSERT_TRUE(until([&] { return session->online(); })) << stage.all_logged();
  broker.kill();
  ASSERT_TRUE(until([&] { return !session->online(); }));
  EXPECT_FALSE(session->request("spBv1.0/g/NCMD/n", "x")) << "while it is away";
  ASSERT_TRUE(until([&] { return stage.logged("look whether the broker runs and listens there"); }))
      << stage.all_logged();
  broker.start();
  const Listener listener(broker.port(), kOwnState, stage.folder() / "heard");
  ASSERT_TRUE(until([&] { return session->online() && states(listener).size() == 1; })) << stage.all_logged();
  EXPECT_EQ(session->counts().connections, 2U);
  broker.publish("spBv1.0/g/NDATA/n", "1");
  EXPECT_TRUE(until([&] { return stage.topics_of_sparkplug().size() == 1; }));
  session->stop();
  EXPECT_EQ(stage.sessions(), (std::vector<std::string>{"up main", "down main", "up main", "down main"}));
}

TEST(SparkplugSession, WithAFullJournalItIsSeenOfflineAndComesBackWhenThereIsRoom) {
  SessionStage stage(64U << 10U);  // bytes of backlog
  const Broker broker(stage.folder() / "broker");
  const Listener listener(broker.port(), kOwnState, stage.folder() / "heard");
  auto options = options_for(broker);
  options.keep_alive = std::chrono::seconds(1);
  const auto session = session_of(stage, options);
  session->start();
  ASSERT_TRUE(until([&] { return states(listener).size() == 1; })) << stage.all_logged();
  const std::string payload(20U << 10U, 'x');
  for (int i = 0; i < 5; ++i) broker.publish("spBv1.0/g/NDATA/n", payload);
  // The callback is held, so nothing is said to the broker for longer than it waits: the Will speaks.
  ASSERT_TRUE(until([&] { return states(listener).size() == 2; })) << stage.all_logged();
  EXPECT_FALSE(states(listener)[1].online);
  EXPECT_EQ(states(listener)[1].timestamp, states(listener)[0].timestamp);
  EXPECT_GE(session->counts().held, 1U);

  // What was taken in is committed: there is room, and the host is born again.
  ASSERT_TRUE(until([&] {
    stage.journal().committed(stage.journal().last());
    return states(listener).size() >= 3;
  })) << stage.all_logged();
  EXPECT_TRUE(states(listener)[2].online);
  EXPECT_GT(states(listener)[2].timestamp, states(listener)[0].timestamp);
  EXPECT_EQ(stage.topics_of_sparkplug().size(), 5U) << "what was in the socket is taken in";
  EXPECT_EQ(session->counts().given_up, 0U);
  session->stop();
}

TEST(SparkplugSession, EndsAlthoughTheJournalRefusesForGood) {
  SessionStage stage;
  const Broker broker(stage.folder() / "broker");
  const Listener listener(broker.port(), kOwnState, stage.folder() / "heard");
  const auto session = session_of(stage, options_for(broker));
  session->start();
  ASSERT_TRUE(until([&] { return session->online(); })) << stage.all_logged();
  stage.journal().close();
  broker.publish("spBv1.0/g/NDATA/n", "1");
  ASSERT_TRUE(until([&] { return session->counts().held == 1; }));
  session->stop();
  EXPECT_EQ(session->counts().given_up, 1U);
  EXPECT_TRUE(until([&] { return states(listener).size() == 2 && !states(listener)[1].online; }));
}

TEST(SparkplugSession, AtTwoBrokersItIsBornAtEachWithATimestampOfItsOwn) {
  COVERS("operational-behavior-host-application-multi-server-timestamp",
         "operational-behavior-primary-application-state-with-multiple-servers-state");
  SessionStage stage;
  const Broker first(stage.folder() / "first");
  const Broker second(stage.folder() / "second");
  const Listener at_first(first.port(), kOwnState, stage.folder() / "at-first");
  const Listener at_second(second.port(), kOwnState, stage.folder() / "at-second");
  const auto one = session_of(stage, options_for(first));
  auto options = options_for(second);
  options.name = "spare";
  const auto other = session_of(stage, options);
  one->start();
  ASSERT_TRUE(until([&] { return one->online() && states(at_first).size() == 1; })) << stage.all_logged();
  other->start();
  ASSERT_TRUE(until([&] { return other->online() && states(at_second).size() == 1; })) << stage.all_logged();
  EXPECT_LT(states(at_first)[0].timestamp, states(at_second)[0].timestamp);
  second.publish("spBv1.0/g/NDATA/n", "1");
  ASSERT_TRUE(until([&] { return stage.topics_of_sparkplug().size() == 1; }));
  for (const journal::OwnedRecord& record : stage.records()) {
    if (record.kind != journal::Kind::sparkplug) continue;
    EXPECT_EQ(journal::decode_sparkplug(record.body)->broker, "spare");
  }
  one->begin_stop();
  other->begin_stop();
  one->stop();
  other->stop();
}

TEST(SparkplugSession, AHostIdThatCannotBeInATopicIsRefused) {
  SessionStage stage;
  SparkplugOptions options;
  options.broker = "tcp://127.0.0.1";
  options.host_id = "a/b";
  const auto made = SparkplugSession::make(options, stage.journal(), stage.clock(), stage.log());
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message.find("the host id \"a/b\""), std::string::npos) << made.error().message;
}

}  // namespace
}  // namespace fettle::mqtt_adapter
