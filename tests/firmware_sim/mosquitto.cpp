#include "tests/firmware_sim/mosquitto.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <fstream>
#include <mutex>
#include <stdexcept>

namespace fettle::sim {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  return address;
}

// A port nobody uses at this moment; the broker takes it at once.
int free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(probe, generic, length) == 0 && getsockname(probe, generic, &length) == 0;
  close(probe);
  return bound ? ntohs(address.sin_port) : 0;
}

bool accepts(int port) {
  const int probe = socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = loopback(port);
  const bool connected = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return connected;
}

}  // namespace

bool until(const std::function<bool()>& condition) {
  constexpr std::chrono::milliseconds kBetweenLooks{5};
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  std::mutex mutex;
  std::condition_variable nobody;
  std::unique_lock lock(mutex);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    nobody.wait_for(lock, kBetweenLooks);
  }
  return true;
}

Mosquitto::Mosquitto(const std::filesystem::path& folder, const std::string& settings)
    : folder_(folder), port_(free_port()) {
  std::filesystem::create_directories(folder_);
  std::ofstream(folder_ / "mosquitto.conf")
      << "listener " << port_ << " 127.0.0.1\npersistence true\npersistence_location " << folder_.string()
      << "/\nmax_queued_messages 0\n"
      << (geteuid() == 0 ? "user root\n" : "") << settings;
  start();
}

void Mosquitto::start() {
  process_ = std::make_unique<Child>(std::vector<std::string>{"mosquitto", "-c", (folder_ / "mosquitto.conf").string()},
                                     folder_ / "broker.log");
  if (!until([this] { return accepts(port_); })) throw std::runtime_error("mosquitto: " + process_->output());
}

void Mosquitto::stop() {
  process_->signal(SIGTERM);
  process_->wait();
  process_.reset();
}

}  // namespace fettle::sim
