#include "gateway/app/config.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "gateway/catalog/fields.h"
#include "gateway/catalog/yaml_tree.h"
#include "gateway/mqtt/broker_uri.h"

namespace fettle::app {
namespace {

using catalog::Fields;
using catalog::Need;
using catalog::Source;
using catalog::Word;
using catalog::YamlNode;
using std::chrono::milliseconds;

constexpr std::int64_t kMiB = 1 << 20;
constexpr std::int64_t kLeastPayload = 1024;     // bytes
constexpr std::int64_t kMostPayload = 8 * kMiB;  // half of what a record of the journal may have
constexpr std::size_t kMostBrokers = 16;         // each is a session with a thread
constexpr std::size_t kMostGroups = 1000;        // all of them go into one SUBSCRIBE
constexpr std::size_t kMostTopics = 1000;
constexpr milliseconds kLongestReorder{60'000};
constexpr milliseconds kShortestRebirthWait{1'000};
constexpr std::array kSwitch{Word{"off", 0}, Word{"on", 1}};
constexpr const char* kDirectName = "direct";  // the connection of `mqtt` in session records

std::string in_quotes(const std::string& text) {
  return "\"" + text + "\"";
}

// ---- brokers -------------------------------------------------------------------------------------------------------

void read_tls(const Source& source, const YamlNode& node, const std::string& what, TlsConfig& tls) {
  Fields fields(source, node, what);
  tls.ca_file = fields.text("ca_file", Need::optional, "a PEM file with the authority that signed the broker");
  tls.cert_file = fields.text("cert_file", Need::optional, "a PEM file with the gateway's own certificate");
  tls.key_file = fields.text("key_file", Need::optional, "a PEM file with the key of that certificate");
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    fields.report(tls.cert_file.empty() ? "key_file" : "cert_file",
                  "a certificate and its key go together; expected both \"cert_file\" and \"key_file\", or neither");
  }
  fields.finish();
}

// The keys that every broker has. `need` of the address.
void read_broker(const Source& source, Fields& fields, Need need, BrokerConfig& broker) {
  broker.broker = fields.text("broker", need, "the broker's address, such as tcp://127.0.0.1:1883");
  const auto uri = mqtt_adapter::parse_broker_uri(broker.broker);
  if (!broker.broker.empty() && !uri) {
    fields.report("broker", "the address is " + in_quotes(broker.broker) + "; expected " + mqtt_adapter::kBrokerForm);
  }
  broker.username = fields.text("username", Need::optional, "a name the broker knows");
  broker.password_file = fields.text("password_file", Need::optional, "a file with the password");
  if (!broker.password_file.empty() && broker.username.empty()) {
    fields.report("password_file", "a password without \"username\"; expected both, or neither");
  }
  if (const YamlNode* tls = fields.value("tls", Need::optional, "a map with ca_file, cert_file and key_file")) {
    read_tls(source, *tls, fields.what() + ".tls", broker.tls);
    if (uri && !uri->tls) {
      fields.report("tls", "the address " + broker.broker + " is one without TLS; expected mqtts://host:port");
    }
  }
}

// '+' alone between slashes, '#' alone at the end (MQTT 3.1.1, 4.7.1).
bool valid_filter(std::string_view filter) {
  while (true) {
    const std::size_t slash = filter.find('/');
    const std::string_view level = filter.substr(0, slash);
    if (level == "#") return slash == std::string_view::npos;
    if (level != "+" && level.find_first_of("+#") != std::string_view::npos) return false;
    if (slash == std::string_view::npos) return true;
    filter.remove_prefix(slash + 1);
  }
}

std::size_t read_max_payload(Fields& fields, std::size_t otherwise) {
  const auto bytes = fields.whole("max_payload", Need::optional, kLeastPayload, kMostPayload);
  return bytes ? static_cast<std::size_t>(*bytes) : otherwise;
}

std::string read_client_id(Fields& fields, std::string otherwise) {
  std::string client_id = fields.text("client_id", Need::optional, "a name that no other client of the broker has");
  return client_id.empty() ? std::move(otherwise) : client_id;
}

void read_mqtt(const Source& source, const YamlNode& node, MqttConfig& mqtt) {
  Fields fields(source, node, "mqtt");
  read_broker(source, fields, Need::required, mqtt);
  mqtt.client_id = read_client_id(fields, mqtt.client_id);
  std::vector<std::string> topics;
  fields.list("topics", Need::optional, "a list of topic filters", [&](const YamlNode& item) {
    if (!fields.is_text(item, "an item of \"topics\"", "a text")) return;
    topics.push_back(item.text);
    if (!valid_filter(item.text)) {
      fields.report(item.at, in_quotes(item.text) +
                                 " is no topic filter; expected + for one whole level, # for all "
                                 "levels at the end, as in fettle/v1/+/telemetry");
    }
  });
  if (topics.size() > kMostTopics) {
    fields.report("topics", "has " + std::to_string(topics.size()) + " filters; at most " +
                                std::to_string(kMostTopics) + " are allowed");
  }
  if (!topics.empty()) mqtt.topics = std::move(topics);
  mqtt.max_payload = read_max_payload(fields, mqtt.max_payload);
  fields.finish();
}

// ---- Sparkplug -----------------------------------------------------------------------------------------------------

// A part of a topic: a group or a host (Sparkplug 3.0, 4.1: any text without the characters of wildcards and levels).
bool valid_sparkplug_id(const std::string& id) {
  return !id.empty() && id.find_first_of("+/#") == std::string::npos && id.find('\0') == std::string::npos;
}

SparkplugBroker read_sparkplug_broker(const Source& source, const YamlNode& node, const std::string& host_id) {
  SparkplugBroker broker;
  const YamlNode* name = node.find("name");
  const bool named = name != nullptr && name->kind == YamlNode::Kind::scalar && !name->text.empty();
  Fields fields(source, node, "sparkplug broker" + (named ? ' ' + name->text : std::string()));
  broker.name = fields.id("name", Need::required, "a name for this connection, such as main");
  if (broker.name == kDirectName) {
    fields.report("name", "\"direct\" is the name of the connection of \"mqtt\"; expected another one");
  }
  read_broker(source, fields, Need::required, broker);
  broker.client_id = read_client_id(fields, "fettle-" + host_id + '-' + broker.name);
  fields.finish();
  return broker;
}

void read_rebirth(const Source& source, const YamlNode& node, RebirthConfig& rebirth) {
  Fields fields(source, node, "sparkplug.rebirth");
  rebirth.requests = fields.word("requests", Need::optional, kSwitch, 1) == 1;
  rebirth.first_wait = fields.duration("first_wait", rebirth.first_wait);
  rebirth.longest_wait = fields.duration("longest_wait", rebirth.longest_wait);
  if (rebirth.first_wait < kShortestRebirthWait) {
    fields.report("first_wait", "is shorter than a second; a node needs that long to send its birth");
  } else if (rebirth.longest_wait < rebirth.first_wait) {
    fields.report("longest_wait", "is shorter than \"first_wait\"; expected at least as much");
  }
  fields.finish();
}

void read_groups(Fields& fields, std::vector<std::string>& groups) {
  fields.list("groups", Need::optional, "a list of group ids", [&](const YamlNode& item) {
    if (!fields.is_text(item, "an item of \"groups\"", "a group id")) return;
    if (!valid_sparkplug_id(item.text) || item.text == "STATE") {
      fields.report(item.at, in_quotes(item.text) + " is no group id; expected a text without + / #, and not STATE");
    } else if (std::find(groups.begin(), groups.end(), item.text) != groups.end()) {
      fields.report(item.at, "\"groups\" names " + item.text + " twice; remove one of the two");
    }
    groups.push_back(item.text);
  });
  if (groups.size() > kMostGroups) {
    fields.report("groups", "has " + std::to_string(groups.size()) + " groups; at most " + std::to_string(kMostGroups) +
                                " are allowed; leave the key out to hear all");
  }
}

void read_sparkplug(const Source& source, const YamlNode& node, SparkplugConfig& sparkplug) {
  Fields fields(source, node, "sparkplug");
  sparkplug.host_id = fields.text("host_id", Need::required, "the id of this host, which no other host has");
  if (!sparkplug.host_id.empty() && !valid_sparkplug_id(sparkplug.host_id)) {
    fields.report("host_id", in_quotes(sparkplug.host_id) + " is no host id; expected a text without + / #");
  }
  read_groups(fields, sparkplug.groups);
  fields.list("brokers", Need::required, "a list of brokers, each with name and broker", [&](const YamlNode& item) {
    SparkplugBroker broker = read_sparkplug_broker(source, item, sparkplug.host_id);
    const auto same = [&](const SparkplugBroker& other) { return !broker.name.empty() && other.name == broker.name; };
    if (std::any_of(sparkplug.brokers.begin(), sparkplug.brokers.end(), same)) {
      fields.report(item.at, "two brokers have the name " + broker.name + "; rename one of the two");
    }
    sparkplug.brokers.push_back(std::move(broker));
  });
  if (sparkplug.brokers.size() > kMostBrokers) {
    fields.report("brokers", "has " + std::to_string(sparkplug.brokers.size()) + " brokers; at most " +
                                 std::to_string(kMostBrokers) + " are allowed");
  }
  sparkplug.reorder_timeout = fields.duration("reorder_timeout", sparkplug.reorder_timeout);
  if (sparkplug.reorder_timeout > kLongestReorder) {
    fields.report("reorder_timeout", "is longer than 60s, while which a node's messages would wait; expected less");
  }
  if (const YamlNode* rebirth = fields.value("rebirth", Need::optional, "a map with requests, first_wait ...")) {
    read_rebirth(source, *rebirth, sparkplug.rebirth);
  }
  sparkplug.max_payload = read_max_payload(fields, sparkplug.max_payload);
  fields.finish();
}

// ---- events, observability, log ------------------------------------------------------------------------------------

// `otherwise`: the broker that a map without "broker" means, with what proves us to it, and `client_id` its session's.
EventsConfig read_events(const Source& source, const YamlNode& node, const BrokerConfig& otherwise,
                         const std::string& client_id) {
  EventsConfig events;
  Fields fields(source, node, "events");
  read_broker(source, fields, Need::optional, events);
  if (node.find("broker") == nullptr) {
    for (const char* key : {"username", "password_file", "tls"}) {
      if (node.find(key) == nullptr) continue;
      fields.report(key, in_quotes(key) + " belongs to a broker of its own; expected \"broker\" as well");
    }
    if (otherwise.broker.empty()) {
      fields.report("broker", "\"broker\" is missing, and there is no \"mqtt\" to take it from");
    }
    static_cast<BrokerConfig&>(events) = otherwise;
  }
  events.client_id = read_client_id(fields, client_id + "-events");
  fields.finish();
  return events;
}

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
  bool loopback = false;
};

// "127.0.0.1:9464" or "[::1]:9464"; numbers only, since a name might come to mean another interface.
std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view digits = text.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0 || port > 65'535) return std::nullopt;
  std::string_view address = text.substr(0, colon);
  const bool bracketed = address.starts_with('[') && address.ends_with(']');
  if (bracketed) address = address.substr(1, address.size() - 2);
  Endpoint endpoint{std::string(address), static_cast<std::uint16_t>(port), false};
  in_addr four{};
  in6_addr six{};
  if (!bracketed && ::inet_pton(AF_INET, endpoint.address.c_str(), &four) == 1) {
    endpoint.loopback = (ntohl(four.s_addr) >> 24U) == 127;
    return endpoint;
  }
  if (!bracketed || ::inet_pton(AF_INET6, endpoint.address.c_str(), &six) != 1) return std::nullopt;
  endpoint.loopback = IN6_IS_ADDR_LOOPBACK(&six);
  return endpoint;
}

void read_observability(const Source& source, const YamlNode& node, ObservabilityConfig& observability) {
  Fields fields(source, node, "observability");
  const std::string listen = fields.text("listen", Need::required, "an address and a port, such as 127.0.0.1:9464");
  const bool network = fields.word("network", Need::optional, kSwitch, 0) == 1;
  const auto endpoint = parse_endpoint(listen);
  if (!listen.empty() && !endpoint) {
    fields.report("listen", "is " + in_quotes(listen) +
                                "; expected an address in numbers and a port, such as "
                                "127.0.0.1:9464 or [::1]:9464");
  } else if (endpoint && !endpoint->loopback && !network) {
    fields.report("listen", endpoint->address +
                                " can be reached from other machines, and what is served there asks "
                                "for no password; expected 127.0.0.1, or \"network: on\" as well");
  } else if (endpoint) {
    observability = {endpoint->address, endpoint->port};
  }
  fields.finish();
}

void read_log(const Source& source, const YamlNode& node, LogConfig& log) {
  static constexpr std::array kFormats{Word{"text", static_cast<int>(LogFormat::text)},
                                       Word{"json", static_cast<int>(LogFormat::json)}};
  static constexpr std::array kLevels{
      Word{"debug", static_cast<int>(LogLevel::debug)}, Word{"info", static_cast<int>(LogLevel::info)},
      Word{"warn", static_cast<int>(LogLevel::warn)}, Word{"error", static_cast<int>(LogLevel::error)}};
  Fields fields(source, node, "log");
  log.format = static_cast<LogFormat>(fields.word("format", Need::optional, kFormats, static_cast<int>(log.format)));
  log.level = static_cast<LogLevel>(fields.word("level", Need::optional, kLevels, static_cast<int>(log.level)));
  fields.finish();
}

// ---- all of it -----------------------------------------------------------------------------------------------------

// Two sessions with one client id on one broker would throw each other out for ever.
void check_client_ids(const Fields& fields, const Config& config) {
  struct Client {
    std::string section;
    const BrokerConfig* broker;
    const std::string* client_id;
  };
  std::vector<Client> clients;
  if (!config.mqtt.broker.empty()) clients.push_back({"mqtt", &config.mqtt, &config.mqtt.client_id});
  for (const SparkplugBroker& broker : config.sparkplug.brokers) {
    clients.push_back({"sparkplug", &broker, &broker.client_id});
  }
  if (config.events) clients.push_back({"events", &*config.events, &config.events->client_id});
  for (std::size_t i = 0; i < clients.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      const Client& one = clients[i];
      const Client& other = clients[k];
      if (one.broker->broker != other.broker->broker || *one.client_id != *other.client_id) continue;
      fields.report(one.section, "uses the client id " + in_quotes(*one.client_id) + " on " + one.broker->broker +
                                     ", as " + other.section + " does; expected one of its own for each");
    }
  }
}

void read_all(const Source& source, const YamlNode& node, Config& config) {
  static constexpr std::array kClocks{Word{"system", 0}, Word{"recording", 1}};
  static constexpr std::array kDurabilities{Word{"process", 0}, Word{"power", 1}};
  Fields fields(source, node, "configuration");
  config.data = fields.text("data", Need::required, "the folder that holds the store and the journal");
  config.clock = fields.word("clock", Need::optional, kClocks, 0) == 0 ? journal::ClockKind::system
                                                                       : journal::ClockKind::recording;
  config.durability = fields.word("durability", Need::optional, kDurabilities, 0) == 0 ? journal::Durability::process
                                                                                       : journal::Durability::power;
  if (const auto bytes = fields.whole("journal_backlog", Need::optional, kMiB, 65'536 * kMiB)) {
    config.journal_backlog = static_cast<std::size_t>(*bytes);
  }
  config.retention = fields.duration("retention", milliseconds(0));
  if (const YamlNode* mqtt = fields.value("mqtt", Need::optional, "a map with the broker")) {
    read_mqtt(source, *mqtt, config.mqtt);
  }
  if (const YamlNode* sparkplug = fields.value("sparkplug", Need::optional, "a map with host_id and brokers")) {
    read_sparkplug(source, *sparkplug, config.sparkplug);
  }
  if (const YamlNode* events = fields.value("events", Need::optional, "a map; {} for the broker of \"mqtt\"")) {
    config.events = read_events(source, *events, config.mqtt, config.mqtt.client_id);
  }
  if (const YamlNode* watched = fields.value("observability", Need::optional, "a map with listen")) {
    read_observability(source, *watched, config.observability);
  }
  if (const YamlNode* log = fields.value("log", Need::optional, "a map with format and level")) {
    read_log(source, *log, config.log);
  }
  check_client_ids(fields, config);
  fields.finish();
}

}  // namespace

boost::system::result<Config, std::vector<catalog::FileDiagnostic>> parse_config(const std::string& name,
                                                                                 const std::string& text) {
  catalog::Diagnostics diagnostics;
  catalog::YamlFile file(name, text);
  file.parse(diagnostics);
  Config config;
  if (diagnostics.empty() && file.documents().size() != 1) {
    diagnostics.add(name, {1, 1}, "expected one YAML document with at least the key \"data\"");
  }
  if (diagnostics.empty()) read_all({file, diagnostics}, *file.documents().front(), config);
  if (!diagnostics.empty()) return diagnostics.sorted();
  return config;
}

}  // namespace fettle::app
