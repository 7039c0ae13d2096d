#include "tests/e2e/harness/plant_broker.h"

#include <stdexcept>

namespace fettle::e2e {
namespace {

constexpr const char* kGateway = "gateway";
constexpr const char* kSimulator = "fettle-sim";
constexpr const char* kNames = "DNS:localhost,IP:127.0.0.1";
constexpr int kDays = 30;

// A file that only its owner may read, as both programs demand.
void write_password(const std::filesystem::path& file, const std::string& user) {
  write_text(file, user + "'s\n");
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace

PlantBroker::PlantBroker(const std::filesystem::path& folder)
    : folder_(folder), shipped_(folder, kNames, kDays, {{kSimulator, {"write fettle/v1/#"}}}) {
  write_password(folder_ / "gateway.password", kGateway);
  write_password(folder_ / "simulator.password", kSimulator);
}

Door PlantBroker::door() const {
  const std::string authority = shipped_.authority().certificate().string();
  Door door;
  door.uri = "mqtts://localhost:" + std::to_string(shipped_.password_port());
  door.mqtt_keys = std::string("  username: ") + kGateway +
                   "\n  password_file: " + (folder_ / "gateway.password").string() + "\n  tls: {ca_file: " + authority +
                   "}\n";
  door.simulator = {"--ca",     authority,         "--username",
                    kSimulator, "--password-file", (folder_ / "simulator.password").string()};
  return door;
}

void PlantBroker::publish(const std::string& topic, const std::string& payload) const {
  if (!shipped_.publish(kSimulator, topic, payload)) throw std::runtime_error("the broker does not let fettle-sim in");
}

}  // namespace fettle::e2e
