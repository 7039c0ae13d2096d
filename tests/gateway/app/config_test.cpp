// The configuration file: what is read, and what is refused at which line and column.

#include "gateway/app/config.h"

#include <gtest/gtest.h>

namespace fettle::app {
namespace {

Config read(const std::string& text) {
  auto config = parse_config("fettle.yaml", text);
  EXPECT_TRUE(config) << (config ? "" : catalog::to_string(config.error().front()));
  return config ? *config : Config();
}

// All errors, one per line.
std::string errors(const std::string& text) {
  const auto config = parse_config("fettle.yaml", text);
  std::string out;
  if (config) return "none";
  for (const catalog::FileDiagnostic& error : config.error()) {
    out += (out.empty() ? "" : "\n") + catalog::to_string(error);
  }
  return out;
}

TEST(Config, NeedsADataFolderOnly) {
  const Config config = read("data: /var/lib/fettle\n");
  EXPECT_EQ(config.data, "/var/lib/fettle");
  EXPECT_EQ(config.clock, journal::ClockKind::system);
  EXPECT_EQ(config.durability, journal::Durability::process);
  EXPECT_EQ(config.journal_backlog, 256U << 20U);
  EXPECT_EQ(config.retention.count(), 0);
  EXPECT_TRUE(config.mqtt.broker.empty());
  EXPECT_EQ(config.store_file(), "/var/lib/fettle/fettle.db");
  EXPECT_EQ(config.journal_folder(), "/var/lib/fettle/journal");
}

TEST(Config, ReadsEveryKey) {
  const Config config = read(
      "data: here\n"
      "clock: recording\n"
      "durability: power\n"
      "journal_backlog: 1048576\n"
      "retention: 2d12h\n"
      "mqtt:\n"
      "  broker: tcp://10.0.0.1:1884\n"
      "  client_id: east\n"
      "  username: gw\n"
      "  password_file: secret\n"
      "  topics: [a/+/telemetry, b/#]\n"
      "  max_payload: 4096\n");
  EXPECT_EQ(config.clock, journal::ClockKind::recording);
  EXPECT_EQ(config.durability, journal::Durability::power);
  EXPECT_EQ(config.journal_backlog, 1048576U);
  EXPECT_EQ(config.retention, std::chrono::hours(60));
  EXPECT_EQ(config.mqtt.broker, "tcp://10.0.0.1:1884");
  EXPECT_EQ(config.mqtt.client_id, "east");
  EXPECT_EQ(config.mqtt.username, "gw");
  EXPECT_EQ(config.mqtt.password_file, "secret");
  EXPECT_EQ(config.mqtt.topics, (std::vector<std::string>{"a/+/telemetry", "b/#"}));
  EXPECT_EQ(config.mqtt.max_payload, 4096U);
}

TEST(Config, KeepsWhatIsNotSaidOfTheSession) {
  const Config config = read("data: here\nmqtt: {broker: tcp://localhost:1883}\n");
  EXPECT_EQ(config.mqtt.client_id, "fettle");
  EXPECT_EQ(config.mqtt.topics.size(), 3U);
  EXPECT_EQ(config.mqtt.max_payload, 256U << 10U);
}

struct Mistake {
  std::string text;
  std::string place;  // "line:column: "
  std::string part;   // of the message
};

class ConfigMistake : public testing::TestWithParam<Mistake> {};

TEST_P(ConfigMistake, IsNamedWithItsPlaceAndWhatWasExpected) {
  const std::string found = errors(GetParam().text);
  EXPECT_TRUE(found.starts_with("fettle.yaml:" + GetParam().place)) << found;
  EXPECT_NE(found.find(GetParam().part), std::string::npos) << found;
  EXPECT_EQ(found.find('\n'), std::string::npos) << "one mistake, one message: " << found;
}

const std::vector<Mistake>& mistakes() {
  static const std::vector<Mistake> kMistakes{
      {"", "1:1: ", "expected one YAML document with at least the key \"data\""},
      {"data: a\n---\ndata: b\n", "1:1: ", "expected one YAML document"},
      {"- data\n", "1:1: ", "stands as a list; expected a map"},
      {"clock: system\n", "1:1: ", "\"data\" is missing; expected the folder that holds the store and the journal"},
      {"data:\n", "1:1: ", "\"data\" has no value"},
      {"data: [a]\n", "1:7: ", "\"data\" is a list"},
      {"data: a\nclok: system\n", "2:1: ", "unknown key \"clok\"; did you mean clock?"},
      {"data: a\nclock: atomic\n", "2:8: ", "\"clock\" is \"atomic\"; expected one of system, recording"},
      {"data: a\ndurability: disk\n", "2:13: ", "expected one of process, power"},
      {"data: a\njournal_backlog: 10\n", "2:18: ", "expected a whole number from 1048576 to 68719476736"},
      {"data: a\njournal_backlog: lots\n", "2:18: ", "expected a whole number"},
      {"data: a\nretention: 5 parsecs\n", "2:12: ", "\"retention\" is \"5 parsecs\"; expected"},
      {"data: a\nretention: {days: 5}\n", "2:12: ", "\"retention\" is a map"},
      {"data: a\nmqtt: tcp://here\n", "2:7: ", "mqtt: stands as a text; expected a map"},
      {"data: a\nmqtt: {client_id: x}\n", "2:7: ", "mqtt: \"broker\" is missing; expected the broker's address"},
      {"data: a\nmqtt:\n  broker: here:1883\n", "3:11: ", "expected tcp://host:port"},
      {"data: a\nmqtt:\n  broker: tcp://h:1\n  topics: all\n", "4:11: ", "\"topics\" is a text"},
      {"data: a\nmqtt:\n  broker: tcp://h:1\n  topics: [[x]]\n", "4:12: ", "an item of \"topics\" is a list"},
      {"data: a\nmqtt:\n  broker: tcp://h:1\n  max_payload: 1\n", "4:16: ", "from 1024 to 8388608"},
      {"data: a\nmqtt:\n  broker: tcp://h:1\n  user: x\n", "4:3: ", "unknown key \"user\""},
      {"data: a\nmqtt:\n  broker: tcp://h:1\n  username: [x]\n", "4:13: ", "\"username\" is a list"},
      {"data: a\ndata: b\n", "2:1: ", "data"},
  };
  return kMistakes;
}

INSTANTIATE_TEST_SUITE_P(Table, ConfigMistake, testing::ValuesIn(mistakes()));

TEST(Config, ReportsEveryMistakeAtOnceInOrderOfPlace) {
  const std::string found = errors("clock: atomic\nmqtt:\n  broker: no\n  topics: all\nsurplus: 1\n");
  EXPECT_EQ(std::count(found.begin(), found.end(), '\n'), 4) << found;
  EXPECT_LT(found.find("\"data\" is missing"), found.find("atomic"));
  EXPECT_LT(found.find("tcp://host:port"), found.find("surplus"));
}

TEST(Config, BrokenYamlIsNamedWithItsPlace) {
  EXPECT_TRUE(errors("data: [a\n").starts_with("fettle.yaml:")) << errors("data: [a\n");
}

}  // namespace
}  // namespace fettle::app
