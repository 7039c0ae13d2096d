#pragma once
// A Mosquitto with the configuration that is shipped for a plant (gateway/app/broker), its files in a folder and its
// ports free ones: that is all that is changed.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/harness/process.h"
#include "tests/gateway/mqtt/authority.h"

namespace fettle::mqtt_adapter::testing {

class ShippedBroker {
 public:
  // One more user, as docs/how-to/run-the-broker.md has them added. `rights`: topics with what may be done there, as in
  // "write fettle/v1/#".
  struct User {
    std::string name;
    std::vector<std::string> rights;
  };

  // With the users gateway, lift-1, lift-2, node-1 and `more`, whose passwords are "<user>'s". The authority is
  // "plant", the broker's certificate is for `names`.
  explicit ShippedBroker(const std::filesystem::path& folder, const std::string& names = "DNS:localhost,IP:127.0.0.1",
                         int days = 30, const std::vector<User>& more = {});

  const Authority& authority() const { return authority_; }
  int password_port() const { return password_port_; }
  int certificate_port() const { return certificate_port_; }
  std::string log() const { return e2e::text_of(folder_ / "broker.log"); }

  void stop();   // SIGTERM, and its end
  void start();  // on the same ports

  // Words of mosquitto_pub and mosquitto_sub that make a user of the password listener.
  e2e::Words as(const std::string& user) const;
  // One message with QoS 1. Whether the broker let the user in: that it took the message is another matter.
  bool publish(const std::string& user, const std::string& topic, const std::string& payload) const;

 private:
  std::filesystem::path folder_;
  Authority authority_;
  int password_port_ = 0;
  int certificate_port_ = 0;
  std::unique_ptr<e2e::Process> process_;
};

}  // namespace fettle::mqtt_adapter::testing
