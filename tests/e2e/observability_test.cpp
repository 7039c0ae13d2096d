// What a running gateway says of itself over HTTP, to a client that is none of ours, while its broker goes and returns.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <optional>
#include <string>

#include "tests/e2e/harness/port.h"
#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

// Prints the status and then the body, whatever the status is.
constexpr const char* kAsk =
    "import sys, urllib.request, urllib.error\n"
    "request = urllib.request.Request(sys.argv[1], headers={'Host': sys.argv[2]} if len(sys.argv) > 2 else {})\n"
    "try:\n"
    "    answer = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10)\n"
    "except urllib.error.HTTPError as refusal:\n"
    "    answer = refusal\n"
    "print(answer.status)\n"
    "print(answer.read().decode(), end='')\n";

struct Said {
  int status = 0;  // 0: nobody answers
  std::string body;
};

class Watched : public testing::Test {
 protected:
  Watched() { stage.gateway.launch(); }

  Said ask(const std::string& path, const std::optional<std::string>& host = std::nullopt) const {
    Words words{"python3", "-c", kAsk, "http://127.0.0.1:" + std::to_string(port) + path};
    if (host) words.push_back(*host);
    const Ran ran = run_command(words);
    if (ran.code != 0) return {};
    const std::size_t line = ran.out.find('\n');
    return {std::stoi(ran.out), ran.out.substr(line + 1)};
  }
  bool ready(bool yes) const { return ask("/readyz").status == (yes ? 200 : 503); }
  // The value of a sample, as it stands there: "fettle_ready", "fettle_session_up{session=\"direct\"}".
  std::string sample(const std::string& name) const {
    const std::string body = '\n' + ask("/metrics").body;
    const std::size_t at = body.find('\n' + name + ' ');
    if (at == std::string::npos) return "none";
    const std::size_t begin = at + name.size() + 2;
    return body.substr(begin, body.find('\n', begin) - begin);
  }
  // What keeps it from being ready: "session: the session direct is not connected".
  static std::string first_reason(const Said& said) {
    const json::value whole = json::parse(said.body);
    const auto& reasons = whole.as_object().at("reasons").as_array();
    if (reasons.empty()) return "none";
    const auto& reason = reasons.front().as_object();
    return std::string(reason.at("what").as_string()) + ": " + std::string(reason.at("detail").as_string());
  }

  const int port = free_port();
  Stage stage{ClockKind::system, {}, "observability:\n  listen: \"127.0.0.1:" + std::to_string(port) + "\"\n"};
};

TEST_F(Watched, IsReadyNotReadyWithTheReasonAndReadyAgainAsItsBrokerComesAndGoes) {
  ASSERT_TRUE(until([this] { return ready(true); })) << stage.gateway.log();
  EXPECT_EQ(ask("/readyz").body, "{\"ready\":true,\"reasons\":[],\"warnings\":[]}\n");
  EXPECT_EQ(sample("fettle_ready"), "1");
  EXPECT_EQ(sample("fettle_session_up{session=\"direct\"}"), "1");
  EXPECT_EQ(sample("fettle_store_merge_failing"), "0");

  stage.broker.kill();
  ASSERT_TRUE(until([this] { return ready(false); })) << stage.gateway.log();
  EXPECT_TRUE(first_reason(ask("/readyz")).starts_with("session: the session direct is not connected"))
      << ask("/readyz").body;
  EXPECT_EQ(ask("/healthz").status, 200) << "starting it again would not help";
  EXPECT_EQ(ask("/healthz").body, "{\"healthy\":true,\"reasons\":[]}\n");
  EXPECT_EQ(sample("fettle_ready"), "0");
  EXPECT_EQ(sample("fettle_session_up{session=\"direct\"}"), "0");

  stage.broker.start();
  ASSERT_TRUE(until([this] { return ready(true); })) << stage.gateway.log();
  EXPECT_EQ(sample("fettle_ready"), "1");
  EXPECT_EQ(sample("fettle_session_reconnects_total{session=\"direct\"}"), "1");
  EXPECT_EQ(stage.gateway.stop(), 0);
  EXPECT_EQ(ask("/readyz").status, 0) << "nobody answers any more";
}

TEST_F(Watched, CountsWhatItRefusesByReasonAndNotAgainAfterARestart) {
  ASSERT_TRUE(until([this] { return ready(true); })) << stage.gateway.log();
  for (int i = 0; i < 3; ++i) stage.broker.publish("fettle/v1/press-1/telemetry", "this is no JSON");
  stage.broker.publish("fettle/v1/press-1/telemetry", std::string(300U << 10U, 'x'));  // over mqtt.max_payload
  ASSERT_TRUE(until([this] { return sample("fettle_quarantined_total") == "4"; })) << ask("/metrics").body;
  // The reasons are those that `fettle quarantine` gives.
  std::map<std::string, int> reasons;
  const json::value quarantine = stage.gateway.json({"quarantine"});
  for (const json::value& row : quarantine.as_array()) {
    ++reasons[std::string(row.as_object().at("reason").as_string())];
  }
  ASSERT_EQ(reasons.size(), 2U) << stage.gateway.done({"quarantine"});
  for (const auto& [reason, count] : reasons) {
    EXPECT_EQ(sample("fettle_quarantined_by_reason_total{reason=\"" + reason + "\"}"), std::to_string(count));
  }
  stage.gateway.kill();
  stage.gateway.launch();
  ASSERT_TRUE(until([this] { return ready(true); })) << stage.gateway.log();
  EXPECT_EQ(sample("fettle_quarantined_total"), "0");
  for (const auto& [reason, count] : reasons) {
    EXPECT_EQ(sample("fettle_quarantined_by_reason_total{reason=\"" + reason + "\"}"), "none");
  }
}

TEST_F(Watched, AnswersNobodyWhoAsksForAnotherMachine) {
  ASSERT_TRUE(until([this] { return ready(true); })) << stage.gateway.log();
  const Said refused = ask("/metrics", "rebound.example");
  EXPECT_EQ(refused.status, 421);
  EXPECT_EQ(json::parse(refused.body).as_object().at("title"), "Misdirected Request");
  EXPECT_EQ(ask("/metrics", "localhost:" + std::to_string(port)).status, 200);
}

}  // namespace
}  // namespace fettle::e2e
