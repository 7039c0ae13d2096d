#include "tests/e2e/harness/broker.h"

#include <csignal>
#include <stdexcept>

#include "tests/e2e/harness/port.h"

namespace fettle::e2e {
namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
  return text;
}

}  // namespace

Broker::Broker(const std::filesystem::path& folder) : folder_(folder) {
  std::filesystem::create_directories(folder_);
  for (int attempt = 0; attempt < 5; ++attempt) {
    port_ = free_port();
    std::string text = text_of(FETTLE_SOURCE_DIR "/gateway/app/demo/mosquitto.conf");
    text = replaced(replaced(text, "@PORT@", std::to_string(port_)), "@DIR@", folder_.string());
    write_text(folder_ / "mosquitto.conf", text);
    try {
      start();
      return;
    } catch (const std::runtime_error&) {
      if (attempt == 4) throw;  // else somebody else took the port
    }
  }
}

void Broker::start() {
  process_ = std::make_unique<Process>(Words{"mosquitto", "-c", (folder_ / "mosquitto.conf").string()},
                                       folder_ / "broker.log");
  const bool up = until([this] { return !process_->running() || accepts(port_); });
  if (!up || !process_->running()) {
    process_.reset();
    throw std::runtime_error("mosquitto did not start: " + text_of(folder_ / "broker.log"));
  }
}

void Broker::stop() {
  process_->signal(SIGTERM);
  if (!process_->wait()) throw std::runtime_error("mosquitto does not end on SIGTERM");
  process_.reset();
}

void Broker::kill() {
  process_->signal(SIGKILL);
  process_->wait();
  process_.reset();
}

void Broker::publish(const std::string& topic, const std::string& payload) const {
  const std::filesystem::path file = folder_ / "payload";
  write_text(file, payload);
  const Ran ran = run_command(
      {"mosquitto_pub", "-h", "127.0.0.1", "-p", std::to_string(port_), "-q", "1", "-t", topic, "-f", file.string()});
  if (ran.code != 0) throw std::runtime_error("mosquitto_pub to " + topic + " failed: " + ran.err);
}

std::string Broker::retained(const std::string& topic) const {
  // What is retained comes at once; without any the program waits for its -W seconds.
  return run_command({"mosquitto_sub", "-h", "127.0.0.1", "-p", std::to_string(port_), "-t", topic, "-C", "1", "-W",
                      "1", "-q", "1"})
      .out;
}

}  // namespace fettle::e2e
