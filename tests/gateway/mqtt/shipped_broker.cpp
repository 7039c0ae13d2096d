#include "tests/gateway/mqtt/shipped_broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace fettle::mqtt_adapter::testing {
namespace {

constexpr const char* kShipped = FETTLE_SOURCE_DIR "/gateway/app/broker/";

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

int free_port() {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = ::bind(probe, generic, length) == 0 && ::getsockname(probe, generic, &length) == 0;
  ::close(probe);
  if (!bound) throw std::runtime_error("no free port on the loopback interface");
  return ntohs(address.sin_port);
}

bool accepts(int port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return connected;
}

// Every occurrence; there must be one, or the shipped file is another than the test knows.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  if (text.find(from) == std::string::npos) throw std::runtime_error("the shipped configuration has no " + from);
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

void make_passwords(const std::filesystem::path& file) {
  e2e::write_text(file, "");
  for (const std::string user : {"gateway", "lift-1", "lift-2", "node-1"}) {
    const e2e::Ran ran = e2e::run_command({"mosquitto_passwd", "-b", file.string(), user, user + "'s"});
    if (ran.code != 0) throw std::runtime_error("mosquitto_passwd failed: " + ran.err);
  }
}

}  // namespace

ShippedBroker::ShippedBroker(const std::filesystem::path& folder, const std::string& names, int days)
    : folder_(folder), authority_(folder / "certs", "plant") {
  const KeyPair broker = authority_.sign("broker", names, days);
  make_passwords(folder_ / "fettle.passwd");
  std::filesystem::copy_file(std::string(kShipped) + "fettle.acl", folder_ / "fettle.acl");
  for (int attempt = 0;; ++attempt) {
    password_port_ = free_port();
    certificate_port_ = free_port();
    std::string text = e2e::text_of(std::string(kShipped) + "mosquitto.conf");
    text = replaced(text, "listener 8883\n", "listener " + std::to_string(password_port_) + " 127.0.0.1\n");
    text = replaced(text, "listener 8884\n", "listener " + std::to_string(certificate_port_) + " 127.0.0.1\n");
    text = replaced(text, "/etc/mosquitto/certs/ca.crt", authority_.certificate().string());
    text = replaced(text, "/etc/mosquitto/certs/broker.crt", broker.certificate.string());
    text = replaced(text, "/etc/mosquitto/certs/broker.key", broker.key.string());
    text = replaced(text, "/etc/mosquitto/", folder_.string() + '/');
    text = replaced(text, "/var/lib/mosquitto/", folder_.string() + '/');
    text = replaced(text, "/run/mosquitto/", folder_.string() + '/');
    text = replaced(text, "log_dest file /var/log/mosquitto/mosquitto.log", "log_dest stderr");
    // Started by root it would become the user "mosquitto", who cannot read a folder of the test. Ignored for others.
    e2e::write_text(folder_ / "mosquitto.conf", text + "\nuser root\n");
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      if (attempt == 4) throw;  // else somebody else took a port
    }
  }
}

void ShippedBroker::start() {
  process_ = std::make_unique<e2e::Process>(e2e::Words{"mosquitto", "-c", (folder_ / "mosquitto.conf").string()},
                                            folder_ / "broker.log");
  const bool up =
      e2e::until([this] { return !process_->running() || (accepts(password_port_) && accepts(certificate_port_)); });
  if (!up || !process_->running()) {
    process_.reset();
    throw std::runtime_error("mosquitto did not start: " + log());
  }
}

void ShippedBroker::stop() {
  process_->signal(SIGTERM);
  if (!process_->wait()) throw std::runtime_error("mosquitto does not end on SIGTERM");
  process_.reset();
}

e2e::Words ShippedBroker::as(const std::string& user) const {
  return {"--cafile", authority_.certificate().string(), "-u", user, "-P", user + "'s"};
}

bool ShippedBroker::publish(const std::string& user, const std::string& topic, const std::string& payload) const {
  e2e::Words words{"mosquitto_pub", "-h", "localhost", "-p", std::to_string(password_port_), "-q", "1", "-t",
                   topic,           "-m", payload};
  const e2e::Words who = as(user);
  words.insert(words.end(), who.begin(), who.end());
  return e2e::run_command(words).code == 0;
}

}  // namespace fettle::mqtt_adapter::testing
