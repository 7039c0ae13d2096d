// The broker configuration that is shipped: who may say and hear what, and what it keeps.

#include <gtest/gtest.h>

#include <algorithm>

#include "gateway/mqtt/direct_session.h"
#include "tests/e2e/harness/broker.h"
#include "tests/gateway/mqtt/listener.h"
#include "tests/gateway/mqtt/session_stage.h"
#include "tests/gateway/mqtt/shipped_broker.h"

namespace fettle::mqtt_adapter {
namespace {

using e2e::until;
using e2e::Words;
using testing::Listener;
using testing::SessionStage;
using testing::ShippedBroker;

bool has(const std::vector<std::string>& lines, const std::string& part) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

Words hosted(Words words) {
  // A certificate is for a name: the later -h counts.
  words.insert(words.end(), {"-h", "localhost"});
  return words;
}

struct Say {
  const char* user;
  const char* topic;
};

TEST(ShippedBroker, EveryOnePublishesWhereItMayAndNowhereElse) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker");
  const Listener gateway(broker.password_port(), "#", stage.folder() / "heard", hosted(broker.as("gateway")));
  const std::vector<Say> allowed{
      {"lift-1", "fettle/v1/lift-1/telemetry"}, {"lift-1", "fettle/v1/lift-1/event"},
      {"lift-1", "fettle/v1/lift-1/batch"},     {"node-1", "spBv1.0/g/NBIRTH/node-1"},
      {"node-1", "spBv1.0/g/NDATA/node-1"},     {"node-1", "spBv1.0/g/NDEATH/node-1"},
      {"node-1", "spBv1.0/g/DBIRTH/node-1/d"},  {"node-1", "spBv1.0/g/DDATA/node-1/d"},
      {"node-1", "spBv1.0/g/DDEATH/node-1/d"},  {"gateway", "spBv1.0/g/NCMD/node-1"},
      {"gateway", "spBv1.0/g/DCMD/node-1/d"},   {"gateway", "spBv1.0/STATE/fettle"},
      {"gateway", "fettle/v1/events/raised"},
  };
  const std::vector<Say> refused{
      {"lift-1", "fettle/v1/lift-2/telemetry"},
      {"lift-1", "fettle/v1/events/raised"},
      {"lift-1", "fettle/v1/lift-1"},
      {"lift-1", "fettle/v1/clock"},
      {"lift-1", "fettle/v1/lift-1/else"},
      {"lift-1", "spBv1.0/g/NDATA/node-1"},
      {"node-1", "spBv1.0/g/NDATA/node-2"},
      {"node-1", "spBv1.0/g/DDATA/node-2/d"},
      {"node-1", "spBv1.0/g/NCMD/node-2"},
      {"node-1", "spBv1.0/g/NCMD/node-1"},
      {"node-1", "spBv1.0/STATE/fettle"},
      {"node-1", "fettle/v1/lift-1/telemetry"},
      {"gateway", "fettle/v1/lift-1/telemetry"},
      {"gateway", "spBv1.0/g/NDATA/node-1"},
  };
  for (const Say& say : refused) ASSERT_TRUE(broker.publish(say.user, say.topic, "refused")) << say.topic;
  for (const Say& say : allowed) ASSERT_TRUE(broker.publish(say.user, say.topic, "allowed")) << say.topic;
  ASSERT_TRUE(broker.publish("gateway", "fettle/v1/events/last", "last"));
  ASSERT_TRUE(until([&] { return has(gateway.heard(), "fettle/v1/events/last"); }));
  const auto heard = gateway.heard();
  for (const Say& say : allowed) EXPECT_TRUE(has(heard, std::string(say.topic) + " allowed")) << say.user << say.topic;
  EXPECT_FALSE(has(heard, "refused")) << "a topic that is not the user's own";
  EXPECT_EQ(heard.size(), allowed.size() + 1);
}

TEST(ShippedBroker, DevicesHearOnlyTheirOwnCommandsAndStates) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker");
  const Listener node(broker.password_port(), "#", stage.folder() / "node", hosted(broker.as("node-1")));
  const Listener lift(broker.password_port(), "#", stage.folder() / "lift", hosted(broker.as("lift-1")));
  for (const char* topic : {"spBv1.0/g/NCMD/node-2", "spBv1.0/g/DCMD/node-2/d", "fettle/v1/events/raised",
                            "spBv1.0/g/NCMD/node-1", "spBv1.0/g/DCMD/node-1/d", "spBv1.0/STATE/fettle"}) {
    ASSERT_TRUE(broker.publish("gateway", topic, "x"));
  }
  ASSERT_TRUE(broker.publish("lift-2", "fettle/v1/lift-2/telemetry", "x"));
  ASSERT_TRUE(broker.publish("gateway", "spBv1.0/STATE/last", "x"));
  ASSERT_TRUE(until([&] { return has(node.heard(), "STATE/last") && has(lift.heard(), "STATE/last"); }));
  EXPECT_EQ(node.heard(), (std::vector<std::string>{"0 1 spBv1.0/g/NCMD/node-1 x", "0 1 spBv1.0/g/DCMD/node-1/d x",
                                                    "0 1 spBv1.0/STATE/fettle x", "0 1 spBv1.0/STATE/last x"}));
  EXPECT_EQ(lift.heard(), (std::vector<std::string>{"0 1 spBv1.0/STATE/fettle x", "0 1 spBv1.0/STATE/last x"}));
}

TEST(ShippedBroker, LetsNobodyInWithoutTlsOrWithoutProof) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker");
  const std::string port = std::to_string(broker.password_port());
  const std::string ca = broker.authority().certificate().string();
  const auto code = [](Words words) {
    words.insert(words.begin(), {"mosquitto_pub", "-h", "localhost", "-t", "fettle/v1/lift-1/telemetry", "-m", "x"});
    return e2e::run_command(words).code;
  };
  EXPECT_EQ(code({"-p", port, "--cafile", ca, "-u", "lift-1", "-P", "lift-1's"}), 0);
  EXPECT_NE(code({"-p", port, "--cafile", ca, "-u", "lift-1", "-P", "wrong"}), 0);
  EXPECT_NE(code({"-p", port, "--cafile", ca}), 0) << "nobody";
  EXPECT_NE(code({"-p", port, "-u", "lift-1", "-P", "lift-1's"}), 0) << "without TLS";
  EXPECT_NE(code({"-p", std::to_string(broker.certificate_port()), "--cafile", ca, "-u", "lift-1", "-P", "lift-1's"}),
            0)
      << "a password where a certificate is asked for";
}

TEST(ShippedBroker, KeepsABacklogOfAHundredThousandForTheGatewayThroughARestart) {
  constexpr std::size_t kMessages = 100'000;
  SessionStage stage;
  ShippedBroker broker(stage.folder() / "broker");
  DirectOptions options;
  options.broker = "mqtts://localhost:" + std::to_string(broker.password_port());
  options.username = "gateway";
  options.password = "gateway's";
  options.ca_file = broker.authority().certificate();
  options.client_id = "gateway";
  options.topics = {"fettle/v1/+/telemetry"};
  {
    DirectSession session(options, stage.journal(), stage.clock(), stage.log());
    session.start();
    ASSERT_TRUE(until([&] { return session.connected(); })) << stage.all_logged();
    ASSERT_TRUE(session.stop());
  }
  // In two halves: mosquitto_pub ends early where it has more lines than there are packet ids.
  const auto lines = stage.folder() / "lines";
  for (std::size_t half = 0; half < 2; ++half) {
    std::string text;
    for (std::size_t i = 0; i < kMessages / 2; ++i) {
      text += "{\"ts\":" + std::to_string(1'780'272'000'000 + half * kMessages + i) + ",\"v\":1}\n";
    }
    e2e::write_text(lines, text);
    std::string command = "mosquitto_pub -h localhost -p " + std::to_string(broker.password_port()) +
                          " -q 1 -t fettle/v1/lift-1/telemetry -l <" + lines.string();
    for (const std::string& word : broker.as("lift-1")) command += " \"" + word + '"';
    ASSERT_EQ(e2e::run_command({"sh", "-c", command}).code, 0);
  }
  broker.stop();
  broker.start();
  DirectSession session(options, stage.journal(), stage.clock(), stage.log());
  session.start();
  const journal::Sequence before = 2;  // up and down
  EXPECT_TRUE(until([&] { return stage.journal().last() >= before + 1 + kMessages; }))
      << stage.journal().last() << stage.all_logged() << broker.log();
  ASSERT_TRUE(session.stop());
  std::size_t messages = 0;
  for (const journal::OwnedRecord& record : stage.records()) {
    if (record.kind == journal::Kind::message) ++messages;
  }
  EXPECT_EQ(messages, kMessages);
}

}  // namespace
}  // namespace fettle::mqtt_adapter
