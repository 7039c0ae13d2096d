#include "gateway/mqtt/paho.h"

#include "gateway/mqtt/broker_uri.h"
#include "gateway/mqtt/diagnosis.h"

namespace fettle::mqtt_adapter {
namespace {

// Forward secrecy and authenticated encryption (RFC 9325, 4.2). All of these need TLS 1.2; the suites of TLS 1.3 are
// always on beside them. Naming only these is what keeps Paho, which knows "exactly this version" or "any", off TLS 1.0
// and 1.1.
constexpr const char* kCipherSuites = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM";

// Return codes of CONNACK (MQTT 3.1.1, 3.2.2.3).
enum ConnackCode : int { kIdRejected = 2, kServerUnavailable = 3, kBadCredentials = 4, kNotAuthorized = 5 };

::mqtt::ssl_options tls_for(const BrokerAccess& access) {
  ::mqtt::ssl_options tls;
  if (!access.ca_file.empty()) tls.set_trust_store(access.ca_file.string());
  if (!access.cert_file.empty()) {
    tls.set_key_store(access.cert_file.string());
    tls.set_private_key(access.key_file.string());
  }
  tls.set_enabled_cipher_suites(kCipherSuites);
  tls.set_enable_server_cert_auth(true);
  tls.set_verify(true);  // the name as well
  return tls;
}

std::string uri_for(const BrokerAccess& access) {
  const auto uri = parse_broker_uri(access.broker);
  return uri ? uri->for_paho() : access.broker;
}

}  // namespace

::mqtt::connect_options options_for(const BrokerAccess& access, SessionKind kind, std::chrono::seconds keep_alive) {
  ::mqtt::connect_options how;
  how.set_mqtt_version(MQTTVERSION_3_1_1);
  how.set_clean_session(kind == SessionKind::clean);
  how.set_keep_alive_interval(keep_alive);
  how.set_connect_timeout(kConnectTimeout);
  how.set_automatic_reconnect(false);
  if (!access.username.empty()) {
    how.set_user_name(access.username);
    if (!access.password.empty()) how.set_password(access.password);
  }
  const auto uri = parse_broker_uri(access.broker);
  if (uri && uri->tls) how.set_ssl(tls_for(access));
  return how;
}

std::unique_ptr<::mqtt::async_client> client_for(const BrokerAccess& access, const std::string& client_id) {
  return std::make_unique<::mqtt::async_client>(uri_for(access), client_id, ::mqtt::create_options(), nullptr);
}

std::string why_not_connected(const ::mqtt::exception& error, const BrokerAccess& access,
                              const std::string& client_id) {
  switch (error.get_return_code()) {
    case kIdRejected:
      return "the broker does not take the client id \"" + client_id + "\"";
    case kServerUnavailable:
      return "the broker says that it cannot serve now";
    case kBadCredentials:
    case kNotAuthorized:
      return access.username.empty()
                 ? "the broker lets nobody in without proof of who it is; name username and password_file, or a client "
                   "certificate"
                 : "the broker does not let \"" + access.username + "\" in; look at its password, and at the broker's";
    default:
      break;
  }
  if (auto found = diagnose(access)) return *found;
  return error.to_string();
}

}  // namespace fettle::mqtt_adapter
