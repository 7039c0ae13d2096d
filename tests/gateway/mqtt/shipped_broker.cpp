#include "tests/gateway/mqtt/shipped_broker.h"

#include <csignal>
#include <stdexcept>

#include "tests/e2e/harness/port.h"

namespace fettle::mqtt_adapter::testing {
namespace {

constexpr const char* kShipped = FETTLE_SOURCE_DIR "/gateway/app/broker/";

// Every occurrence; there must be one, or the shipped file is another than the test knows.
std::string replaced(std::string text, const std::string& from, const std::string& to) {
  if (text.find(from) == std::string::npos) throw std::runtime_error("the shipped configuration has no " + from);
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

void make_passwords(const std::filesystem::path& file, const std::vector<ShippedBroker::User>& more) {
  e2e::write_text(file, "");
  std::vector<std::string> users{"gateway", "lift-1", "lift-2", "node-1"};
  for (const ShippedBroker::User& user : more) users.push_back(user.name);
  for (const std::string& user : users) {
    const e2e::Ran ran = e2e::run_command({"mosquitto_passwd", "-b", file.string(), user, user + "'s"});
    if (ran.code != 0) throw std::runtime_error("mosquitto_passwd failed: " + ran.err);
  }
}

// The shipped rights, and those of `more` behind them.
void make_rights(const std::filesystem::path& file, const std::vector<ShippedBroker::User>& more) {
  std::string text = e2e::text_of(std::string(kShipped) + "fettle.acl");
  for (const ShippedBroker::User& user : more) {
    text += "user " + user.name + '\n';
    for (const std::string& right : user.rights) text += "topic " + right + '\n';
  }
  e2e::write_text(file, text);
}

}  // namespace

ShippedBroker::ShippedBroker(const std::filesystem::path& folder, const std::string& names, int days,
                             const std::vector<User>& more)
    : folder_(folder), authority_(folder / "certs", "plant") {
  const KeyPair broker = authority_.sign("broker", names, days);
  make_passwords(folder_ / "fettle.passwd", more);
  make_rights(folder_ / "fettle.acl", more);
  for (int attempt = 0;; ++attempt) {
    password_port_ = e2e::free_port();
    certificate_port_ = e2e::free_port();
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
  const bool up = e2e::until(
      [this] { return !process_->running() || (e2e::accepts(password_port_) && e2e::accepts(certificate_port_)); });
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
