#include "firmware-sim/broker_address.h"

#include <mqtt/token.h>

namespace fettle::sim {
namespace {

constexpr std::chrono::seconds kKeepAlive{15};
constexpr std::chrono::seconds kConnectAttempt{5};

// CONNACK return codes of MQTT 3.1.1, section 3.2.2.3.
constexpr int kIdentifierRejected = 2;
constexpr int kBadCredentials = 4;
constexpr int kNotAuthorized = 5;

}  // namespace

bool is_secured(const std::string& uri) {
  return uri.starts_with("ssl://") || uri.starts_with("mqtts://");
}

mqtt::connect_options connect_options(const BrokerAddress& address) {
  mqtt::connect_options options;
  options.set_mqtt_version(MQTTVERSION_3_1_1);
  options.set_clean_session(true);
  options.set_keep_alive_interval(kKeepAlive);
  options.set_connect_timeout(kConnectAttempt);
  if (address.credentials) {
    options.set_user_name(address.credentials->username);
    options.set_password(address.credentials->password);
  }
  if (is_secured(address.uri)) {
    mqtt::ssl_options tls;
    if (!address.tls.authorities.empty()) tls.set_trust_store(address.tls.authorities.string());
    if (!address.tls.certificate.empty()) tls.set_key_store(address.tls.certificate.string());
    if (!address.tls.key.empty()) tls.set_private_key(address.tls.key.string());
    tls.set_enable_server_cert_auth(true);
    tls.set_verify(true);  // the name in the broker's certificate, too
    options.set_ssl(std::move(tls));
  }
  return options;
}

ConnectFailure connect_failure(const mqtt::token& token) {
  switch (token.get_return_code()) {
    case kBadCredentials:
      return {true, "the broker refuses user name or password (CONNACK 4); see --username and --password-file"};
    case kNotAuthorized:
      return {true, "the broker does not authorize this client (CONNACK 5); see --username and --password-file"};
    case kIdentifierRejected:
      return {true, "the broker rejects the client id (CONNACK 2)"};
    default:
      return {false, "no connection (Paho code " + std::to_string(token.get_return_code()) + ")"};
  }
}

}  // namespace fettle::sim
