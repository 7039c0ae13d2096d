// The configuration file: what is read, and what is refused at which line and column.

#include "gateway/app/config.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

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

TEST(Config, ReadsHowABrokerIsReachedWithTls) {
  const Config config = read(
      "data: here\n"
      "mqtt:\n"
      "  broker: mqtts://broker.example\n"
      "  tls: {ca_file: ca.pem, cert_file: gateway.pem, key_file: gateway.key}\n");
  EXPECT_EQ(config.mqtt.broker, "mqtts://broker.example");
  EXPECT_EQ(config.mqtt.tls.ca_file, "ca.pem");
  EXPECT_EQ(config.mqtt.tls.cert_file, "gateway.pem");
  EXPECT_EQ(config.mqtt.tls.key_file, "gateway.key");
}

TEST(Config, IsNoSparkplugHostAndPublishesAndServesNothingUnlessToldTo) {
  const Config config = read("data: here\n");
  EXPECT_TRUE(config.sparkplug.brokers.empty());
  EXPECT_FALSE(config.events.has_value());
  EXPECT_EQ(config.observability.port, 0);
  EXPECT_EQ(config.log.format, LogFormat::text);
  EXPECT_EQ(config.log.level, LogLevel::info);
}

TEST(Config, ReadsASparkplugHostWithSeveralBrokers) {
  const Config config = read(
      "data: here\n"
      "sparkplug:\n"
      "  host_id: fettle east\n"
      "  groups: [lifts, 'Plant 1']\n"
      "  brokers:\n"
      "    - {name: a, broker: 'tcp://10.0.0.1:1883', username: gw, password_file: secret}\n"
      "    - {name: b, broker: 'mqtts://[::1]:8884', client_id: spare, tls: {ca_file: ca.pem}}\n"
      "  reorder_timeout: 500ms\n"
      "  rebirth: {requests: off, first_wait: 10s, longest_wait: 1h}\n"
      "  max_payload: 65536\n");
  const SparkplugConfig& sparkplug = config.sparkplug;
  EXPECT_EQ(sparkplug.host_id, "fettle east");
  EXPECT_EQ(sparkplug.groups, (std::vector<std::string>{"lifts", "Plant 1"}));
  ASSERT_EQ(sparkplug.brokers.size(), 2U);
  EXPECT_EQ(sparkplug.brokers[0].name, "a");
  EXPECT_EQ(sparkplug.brokers[0].client_id, "fettle-fettle east-a");
  EXPECT_EQ(sparkplug.brokers[0].username, "gw");
  EXPECT_EQ(sparkplug.brokers[0].password_file, "secret");
  EXPECT_EQ(sparkplug.brokers[1].client_id, "spare");
  EXPECT_EQ(sparkplug.brokers[1].tls.ca_file, "ca.pem");
  EXPECT_EQ(sparkplug.reorder_timeout, std::chrono::milliseconds(500));
  EXPECT_FALSE(sparkplug.rebirth.requests);
  EXPECT_EQ(sparkplug.rebirth.first_wait, std::chrono::seconds(10));
  EXPECT_EQ(sparkplug.rebirth.longest_wait, std::chrono::hours(1));
  EXPECT_EQ(sparkplug.max_payload, 65'536U);
}

TEST(Config, ASparkplugHostHearsAllGroupsAndAsksForBirthsUnlessToldOtherwise) {
  const SparkplugConfig sparkplug =
      read("data: here\nsparkplug: {host_id: h, brokers: [{name: a, broker: 'tcp://x'}]}\n").sparkplug;
  EXPECT_TRUE(sparkplug.groups.empty());
  EXPECT_EQ(sparkplug.reorder_timeout, std::chrono::seconds(2));
  EXPECT_TRUE(sparkplug.rebirth.requests);
  EXPECT_EQ(sparkplug.rebirth.first_wait, std::chrono::seconds(5));
  EXPECT_EQ(sparkplug.rebirth.longest_wait, std::chrono::minutes(5));
  EXPECT_EQ(sparkplug.max_payload, 1U << 20U);
}

TEST(Config, PublishesEventsToTheBrokerOfMqttUnlessAnotherIsNamed) {
  const Config same = read(
      "data: here\n"
      "events: {}\n"
      "mqtt: {broker: 'mqtts://a:1', client_id: east, username: gw, password_file: secret, tls: {ca_file: ca.pem}}\n");
  ASSERT_TRUE(same.events.has_value());
  EXPECT_EQ(same.events->broker, "mqtts://a:1");
  EXPECT_EQ(same.events->client_id, "east-events");
  EXPECT_EQ(same.events->username, "gw");
  EXPECT_EQ(same.events->password_file, "secret");
  EXPECT_EQ(same.events->tls.ca_file, "ca.pem");

  const Config other = read(
      "data: here\n"
      "mqtt: {broker: 'tcp://a:1', username: gw}\n"
      "events: {broker: 'tcp://b:1', client_id: bell}\n");
  ASSERT_TRUE(other.events.has_value());
  EXPECT_EQ(other.events->broker, "tcp://b:1");
  EXPECT_EQ(other.events->client_id, "bell");
  EXPECT_EQ(other.events->username, "");
}

TEST(Config, ReadsWhereItIsWatchedAndHowItLogs) {
  const Config config =
      read("data: here\nobservability: {listen: '127.0.0.2:9464'}\nlog: {format: json, level: warn}\n");
  EXPECT_EQ(config.observability.address, "127.0.0.2");
  EXPECT_EQ(config.observability.port, 9464);
  EXPECT_EQ(config.log.format, LogFormat::json);
  EXPECT_EQ(config.log.level, LogLevel::warn);
  EXPECT_EQ(read("data: here\nobservability: {listen: '[::1]:1'}\n").observability.address, "::1");
  EXPECT_EQ(read("data: here\nobservability: {listen: '0.0.0.0:80', network: on}\n").observability.address, "0.0.0.0");
}

TEST(Config, TheExampleOnTheReferencePageIsValid) {
  std::ifstream in(FETTLE_SOURCE_DIR "/docs/reference/configuration.md");
  const std::string page(std::istreambuf_iterator<char>(in), {});
  const std::size_t begin = page.find("```yaml\n") + 8;
  const Config config = read(page.substr(begin, page.find("```", begin) - begin));
  EXPECT_EQ(config.mqtt.broker, "mqtts://broker.example:8884");
  ASSERT_EQ(config.sparkplug.brokers.size(), 1U);
  EXPECT_EQ(config.sparkplug.brokers[0].tls.key_file, "gateway.key");
  EXPECT_EQ(config.events->broker, config.mqtt.broker);
  EXPECT_EQ(config.observability.port, 9464);
  EXPECT_EQ(config.log.format, LogFormat::json);
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
      // Addresses.
      {"data: a\nmqtt:\n  broker: http://h:1\n", "3:11: ", "the address is \"http://h:1\"; expected tcp://host:port"},
      {"data: a\nmqtt:\n  broker: tcp://h:0\n", "3:11: ", "mqtts://host:port"},
      {"data: a\nmqtt:\n  broker: tcp://h:65536\n", "3:11: ", "expected tcp://host:port"},
      {"data: a\nmqtt:\n  broker: tcp://\n", "3:11: ", "expected tcp://host:port"},
      {"data: a\nmqtt:\n  broker: tcp://a b\n", "3:11: ", "expected tcp://host:port"},
      {"data: a\nmqtt:\n  broker: tcp://[::1:1883\n", "3:11: ", "expected tcp://host:port"},
      {"data: a\nmqtt:\n  broker: tcp://h:1\n  topics: [a/b+]\n", "4:12: ", "\"a/b+\" is no topic filter"},
      {"data: a\nmqtt:\n  broker: tcp://h:1\n  topics: ['#/a']\n", "4:13: ", "is no topic filter; expected + for one"},
      {"data: a\nmqtt:\n  broker: tcp://h:1\n  password_file: p\n", "4:18: ", "a password without \"username\""},
      // TLS.
      {"data: a\nmqtt:\n  broker: tcp://h:1\n  tls: {ca_file: c}\n", "4:8: ", "expected mqtts://host:port"},
      {"data: a\nmqtt:\n  broker: mqtts://h\n  tls: {cert_file: c}\n",
       "4:20: ", "a certificate and its key go together"},
      {"data: a\nmqtt:\n  broker: mqtts://h\n  tls: {key_file: c}\n", "4:19: ", "mqtt.tls: a certificate and its key"},
      {"data: a\nmqtt:\n  broker: mqtts://h\n  tls: {insecure: yes}\n", "4:9: ", "unknown key \"insecure\""},
      {"data: a\nmqtt:\n  broker: mqtts://h\n  tls: {cafile: c}\n", "4:9: ", "did you mean ca_file?"},
      // Sparkplug.
      {"data: a\nsparkplug: {host_id: h}\n", "2:12: ", "\"brokers\" is missing; expected a list of brokers"},
      {"data: a\nsparkplug: {host_id: h, brokers: []}\n", "2:34: ", "\"brokers\" is empty"},
      {"data: a\nsparkplug: {brokers: [{name: b, broker: 'tcp://h'}]}\n", "2:12: ", "\"host_id\" is missing"},
      {"data: a\nsparkplug: {host_id: a/b, brokers: [{name: b, broker: 'tcp://h'}]}\n",
       "2:22: ", "\"a/b\" is no host id; expected a text without + / #"},
      {"data: a\nsparkplug: {host_id: h, groups: ['#'], brokers: [{name: b, broker: 'tcp://h'}]}\n",
       "2:35: ", "\"#\" is no group id"},
      {"data: a\nsparkplug: {host_id: h, groups: [STATE], brokers: [{name: b, broker: 'tcp://h'}]}\n",
       "2:34: ", "\"STATE\" is no group id"},
      {"data: a\nsparkplug: {host_id: h, groups: [g, g], brokers: [{name: b, broker: 'tcp://h'}]}\n",
       "2:37: ", "names g twice"},
      {"data: a\nsparkplug: {host_id: h, brokers: [{broker: 'tcp://h'}]}\n", "2:35: ", "\"name\" is missing"},
      {"data: a\nsparkplug: {host_id: h, brokers: [{name: b}]}\n",
       "2:35: ", "sparkplug broker b: \"broker\" is missing; expected the broker's address"},
      {"data: a\nsparkplug: {host_id: h, brokers: [{name: direct, broker: 'tcp://h'}]}\n",
       "2:42: ", "\"direct\" is the name of the connection of \"mqtt\""},
      {"data: a\nsparkplug: {host_id: h, brokers: [{name: b, broker: 'tcp://h'}, {name: b, broker: 'tcp://k'}]}\n",
       "2:65: ", "two brokers have the name b"},
      {"data: a\nsparkplug: {host_id: h, brokers: [{name: b, broker: 'tcp://h'}], reorder_timeout: 2m}\n",
       "2:83: ", "is longer than 60s"},
      {"data: a\nsparkplug: {host_id: h, brokers: [{name: b, broker: 'tcp://h'}], rebirth: {requests: no}}\n",
       "2:86: ", "\"requests\" is \"no\"; expected one of off, on"},
      {"data: a\nsparkplug: {host_id: h, brokers: [{name: b, broker: 'tcp://h'}], rebirth: {first_wait: 10ms}}\n",
       "2:88: ", "is shorter than a second"},
      {"data: a\nsparkplug: {host_id: h, brokers: [{name: b, broker: 'tcp://h'}], rebirth: {longest_wait: 1s}}\n",
       "2:90: ", "is shorter than \"first_wait\""},
      // Client ids.
      {"data: a\nmqtt: {broker: 'tcp://h', client_id: x}\nsparkplug: {host_id: h, brokers: [{name: b, broker: "
       "'tcp://h', client_id: x}]}\n",
       "3:12: ", "uses the client id \"x\" on tcp://h, as mqtt does"},
      {"data: a\nmqtt: {broker: 'tcp://h', client_id: x}\nevents: {client_id: x}\n",
       "3:9: ", "uses the client id \"x\" on tcp://h, as mqtt does; expected one of its own for each"},
      // Events, observability, log.
      {"data: a\nevents: {}\n", "2:9: ", "there is no \"mqtt\" to take it from"},
      {"data: a\nmqtt: {broker: 'tcp://h'}\nevents: {username: x}\n",
       "3:20: ", "\"username\" belongs to a broker of its own"},
      {"data: a\nevents:\n", "2:1: ", "\"events\" has no value"},
      {"data: a\nobservability: {}\n", "2:16: ", "\"listen\" is missing; expected an address and a port"},
      {"data: a\nobservability: {listen: localhost:1}\n", "2:25: ", "expected an address in numbers and a port"},
      {"data: a\nobservability: {listen: '::1:80'}\n", "2:26: ", "expected an address in numbers and a port"},
      {"data: a\nobservability: {listen: 127.0.0.1}\n", "2:25: ", "expected an address in numbers and a port"},
      {"data: a\nobservability: {listen: 0.0.0.0:9464}\n", "2:25: ",
       "0.0.0.0 can be reached from other machines, and what is served there asks for no password; expected 127.0.0.1"},
      {"data: a\nobservability: {listen: '[::]:9464'}\n", "2:26: ", "can be reached from other machines"},
      {"data: a\nlog: {format: xml}\n", "2:15: ", "expected one of text, json"},
      {"data: a\nlog: {level: warm}\n", "2:14: ", "did you mean warn?"},
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
