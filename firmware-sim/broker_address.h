#pragma once
// Where a broker is, who is there, and how the connection is secured.

#include <filesystem>
#include <optional>
#include <string>

#include <mqtt/connect_options.h>

namespace fettle::sim {

struct Credentials {
  std::string username;
  std::string password;
};

struct TlsFiles {
  std::filesystem::path authorities;  // PEM; empty: those of the system
  std::filesystem::path certificate;  // PEM, of this client; empty: none
  std::filesystem::path key;          // PEM, of this client
};

struct BrokerAddress {
  std::string uri = "tcp://127.0.0.1:1883";  // tcp:// or mqtt://; with TLS ssl:// or mqtts://
  std::string client_id;
  std::optional<Credentials> credentials;
  TlsFiles tls;
};

bool is_secured(const std::string& uri);

// Options of an MQTT 3.1.1 connection with clean session: credentials, TLS, keep-alive, patience with one attempt.
mqtt::connect_options connect_options(const BrokerAddress& address);

// Why a connection was not made, for a person, and whether trying again could help.
struct ConnectFailure {
  bool permanent = false;  // wrong credentials or client id
  std::string why;
};
ConnectFailure connect_failure(const mqtt::token& token);

}  // namespace fettle::sim
