#pragma once
// The gateway's configuration: one YAML file, every key optional but the first, unknown keys refused.
// docs/reference/configuration.md is the reference. Values only: no file that it names is read here.

#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gateway/catalog/diagnostics.h"
#include "gateway/journal/clock.h"
#include "gateway/journal/journal.h"

namespace fettle::app {

struct TlsConfig {
  std::filesystem::path ca_file;    // empty: the machine's own authorities
  std::filesystem::path cert_file;  // the client's certificate; empty: none
  std::filesystem::path key_file;
};

// How a broker is reached and what proves who we are to it.
struct BrokerConfig {
  std::string broker;  // tcp://host:port, mqtt://..., mqtts://...; empty: none
  std::string username;
  std::filesystem::path password_file;  // its first line is the password
  TlsConfig tls;
};

// The durable session of devices that do not speak Sparkplug.
struct MqttConfig : BrokerConfig {
  std::string client_id = "fettle";
  std::vector<std::string> topics{"fettle/v1/+/telemetry", "fettle/v1/+/event", "fettle/v1/+/batch"};
  std::size_t max_payload = 256U << 10U;  // bytes
};

struct SparkplugBroker : BrokerConfig {
  std::string name;       // of the connection: in records, logs and metrics
  std::string client_id;  // of the MQTT session
};

struct RebirthConfig {
  bool requests = true;                         // off: gaps are recorded, and nothing is sent to a node
  std::chrono::milliseconds first_wait{5'000};  // between two requests to one node; doubles each time
  std::chrono::milliseconds longest_wait{std::chrono::minutes(5)};
};

// The gateway as a Sparkplug Host Application; without brokers it is none.
struct SparkplugConfig {
  std::string host_id;
  std::vector<std::string> groups;  // group ids; empty: all
  std::vector<SparkplugBroker> brokers;
  std::chrono::milliseconds reorder_timeout{2'000};  // 0: a gap is a loss at once
  RebirthConfig rebirth;
  std::size_t max_payload = 1U << 20U;  // bytes
};

// Work-order events as MQTT messages.
struct EventsConfig : BrokerConfig {
  std::string client_id;
};

struct ObservabilityConfig {
  std::string address = "127.0.0.1";  // numeric
  std::uint16_t port = 0;             // 0: off
};

enum class LogFormat : std::uint8_t { text, json };
enum class LogLevel : std::uint8_t { debug, info, warn, error };
struct LogConfig {
  LogFormat format = LogFormat::text;
  LogLevel level = LogLevel::info;
};

struct Config {
  std::filesystem::path data;  // folder of the store, the journal, the lock and the socket
  journal::ClockKind clock = journal::ClockKind::system;
  journal::Durability durability = journal::Durability::process;
  std::size_t journal_backlog = 256U << 20U;  // bytes appended and not yet committed before messages are held back
  std::chrono::milliseconds retention{0};     // an older stamp is quarantined; 0: none is
  MqttConfig mqtt;
  SparkplugConfig sparkplug;
  std::optional<EventsConfig> events;  // nothing: none are published
  ObservabilityConfig observability;
  LogConfig log;

  std::filesystem::path store_file() const { return data / "fettle.db"; }
  std::filesystem::path journal_folder() const { return data / "journal"; }
  std::filesystem::path socket_file() const { return data / "control.sock"; }
  std::filesystem::path lock_file() const { return data / "lock"; }
};

// All errors at once. `name` is how messages call the file.
boost::system::result<Config, std::vector<catalog::FileDiagnostic>> parse_config(const std::string& name,
                                                                                 const std::string& text);

}  // namespace fettle::app
