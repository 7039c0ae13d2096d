#pragma once
// The gateway's configuration: one YAML file, every key optional but the first, unknown keys refused.
// docs/reference/configuration.md is the reference.

#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "gateway/catalog/diagnostics.h"
#include "gateway/journal/clock.h"
#include "gateway/journal/journal.h"

namespace fettle::app {

struct MqttConfig {
  std::string broker;  // tcp://host:port; empty: no session
  std::string client_id = "fettle";
  std::string username;
  std::filesystem::path password_file;  // its first line is the password
  std::vector<std::string> topics{"fettle/v1/+/telemetry", "fettle/v1/+/event", "fettle/v1/+/batch"};
  std::size_t max_payload = 256U << 10U;  // bytes
};

struct Config {
  std::filesystem::path data;  // folder of the store, the journal, the lock and the socket
  journal::ClockKind clock = journal::ClockKind::system;
  journal::Durability durability = journal::Durability::process;
  std::size_t journal_backlog = 256U << 20U;  // bytes appended and not yet committed before messages are held back
  std::chrono::milliseconds retention{0};     // an older stamp is quarantined; 0: none is
  MqttConfig mqtt;

  std::filesystem::path store_file() const { return data / "fettle.db"; }
  std::filesystem::path journal_folder() const { return data / "journal"; }
  std::filesystem::path socket_file() const { return data / "control.sock"; }
  std::filesystem::path lock_file() const { return data / "lock"; }
};

// All errors at once. `name` is how messages call the file.
boost::system::result<Config, std::vector<catalog::FileDiagnostic>> parse_config(const std::string& name,
                                                                                 const std::string& text);

}  // namespace fettle::app
