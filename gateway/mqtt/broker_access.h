#pragma once
// How a broker is reached and what proves who we are to it; one for each session. Files are looked over once, before
// the first connection, so that a mistake in them is told at the start and not in a log line of a thread.
//
// TLS: the broker's certificate is always verified, its name included; there is no way to switch that off. At least
// TLS 1.2 (RFC 8996 deprecates what was before). Any thread.

#include <boost/system/result.hpp>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace fettle::mqtt_adapter {

struct BrokerAccess {
  std::string broker{};    // kBrokerForm (broker_uri.h)
  std::string username{};  // empty: none
  std::string password{};
  std::filesystem::path ca_file{};    // PEM: the authorities that may have signed the broker; empty: the machine's own
  std::filesystem::path cert_file{};  // PEM: the client's certificate, then those between it and the root; empty: none
  std::filesystem::path key_file{};   // PEM: its key, without a pass phrase; only its owner may read it
};

struct AccessError {
  std::string message;  // what, where, how to mend it; never a secret
};
[[noreturn]] inline void throw_exception_from_error(const AccessError& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}
template <typename T>
using AccessResult = boost::system::result<T, AccessError>;

// `access` with the password out of `password_file` (empty: `access` keeps its own), once everything it names has been
// found fit: the address readable, TLS files only with TLS, secrets readable by their owner alone, certificates in PEM
// and in date, the key that of the certificate.
AccessResult<BrokerAccess> open_access(BrokerAccess access, const std::filesystem::path& password_file);

// The first line of a file that only its owner may read. `what` is its part in messages: "password file".
AccessResult<std::string> read_secret(const std::filesystem::path& file, const std::string& what);

}  // namespace fettle::mqtt_adapter
