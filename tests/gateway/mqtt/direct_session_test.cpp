// The durable session at a real broker: what it acknowledges, and how it ends when it must not acknowledge.

#include "gateway/mqtt/direct_session.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>

#include "tests/e2e/harness/broker.h"
#include "tests/gateway/mqtt/session_stage.h"

namespace fettle::mqtt_adapter {
namespace {

using e2e::Broker;
using e2e::until;
using testing::SessionStage;

DirectOptions options_for(const Broker& broker) {
  DirectOptions options;
  options.broker = broker.uri();
  options.client_id = "gateway";
  options.topics = {"fettle/v1/+/telemetry"};
  return options;
}

std::vector<std::string> payloads(SessionStage& stage) {
  std::vector<std::string> found;
  for (const journal::OwnedRecord& record : stage.records()) {
    if (record.kind != journal::Kind::message) continue;
    found.emplace_back(journal::decode_message(record.body)->payload);
  }
  return found;
}

TEST(DirectSession, HearsWhatWasSentWhileItWasAway) {
  SessionStage stage;
  Broker broker(stage.folder() / "broker");
  {
    DirectSession session(options_for(broker), stage.journal(), stage.clock(), stage.log());
    session.start();
    ASSERT_TRUE(until([&] { return session.connected(); })) << stage.all_logged();
    EXPECT_TRUE(session.stop());
    EXPECT_TRUE(session.stop()) << "the second time there is nothing to end";
  }
  broker.publish("fettle/v1/a/telemetry", "1");
  DirectSession session(options_for(broker), stage.journal(), stage.clock(), stage.log());
  session.start();
  ASSERT_TRUE(until([&] { return payloads(stage).size() == 1; })) << stage.all_logged();
  broker.stop();
  ASSERT_TRUE(until([&] { return !session.connected(); }));
  broker.start();
  broker.publish("fettle/v1/a/telemetry", "2");
  ASSERT_TRUE(until([&] { return payloads(stage).size() == 2; })) << stage.all_logged();
  ASSERT_TRUE(until([&] { return session.connections() == 2; })) << stage.all_logged();
  EXPECT_TRUE(session.stop());
  EXPECT_EQ(stage.sessions(), (std::vector<std::string>{"up direct", "down direct", "up direct", "down direct",
                                                        "up direct", "down direct"}));
}

TEST(DirectSession, AFullJournalHoldsItAndNothingIsLost) {
  SessionStage stage(64U << 10U);  // bytes of backlog
  const Broker broker(stage.folder() / "broker");
  DirectSession session(options_for(broker), stage.journal(), stage.clock(), stage.log());
  session.start();
  ASSERT_TRUE(until([&] { return session.connected(); })) << stage.all_logged();
  for (char c = 'a'; c < 'k'; ++c) broker.publish("fettle/v1/a/telemetry", std::string(20U << 10U, c));
  ASSERT_TRUE(until([&] { return session.held() > 0; }));
  EXPECT_LT(payloads(stage).size(), 10U);
  ASSERT_TRUE(until([&] {
    stage.journal().committed(stage.journal().last());
    return payloads(stage).size() == 10;
  })) << stage.all_logged();
  EXPECT_TRUE(session.stop());
  const auto taken = payloads(stage);
  EXPECT_TRUE(std::is_sorted(taken.begin(), taken.end())) << "in the order sent";
}

// In a process of its own, which ends as a gateway has to then: without destroying the session.
int end_with_a_message_in_hand(SessionStage& stage, const Broker& broker) {
  auto* session = new DirectSession(options_for(broker), stage.journal(), stage.clock(), stage.log());
  session->start();
  if (!until([&] { return session->connected(); })) return 2;
  stage.journal().close();
  broker.publish("fettle/v1/a/telemetry", "kept by the broker");
  if (!until([&] { return session->held() > 0; })) return 3;
  return session->stop() ? 1 : 0;
}

TEST(DirectSession, AMessageTheJournalRefusesIsLeftWithTheBroker) {
  SessionStage stage;
  const Broker broker(stage.folder() / "broker");
  GTEST_FLAG_SET(death_test_style, "fast");
  EXPECT_EXIT(::_exit(end_with_a_message_in_hand(stage, broker)), ::testing::ExitedWithCode(0), "");
  SessionStage next;
  DirectSession session(options_for(broker), next.journal(), next.clock(), next.log());
  session.start();
  ASSERT_TRUE(until([&] { return payloads(next).size() == 1; })) << next.all_logged();
  EXPECT_EQ(payloads(next).front(), "kept by the broker");
  EXPECT_TRUE(session.stop());
}

}  // namespace
}  // namespace fettle::mqtt_adapter
