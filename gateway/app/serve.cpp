#include "gateway/app/serve.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fstream>

#include "gateway/app/control.h"
#include "gateway/app/core.h"
#include "gateway/mqtt/direct_session.h"

namespace fettle::app {
namespace {

constexpr std::chrono::seconds kTick{1};

// The gateway's own beat: a tick record a second (with the system's clock; a recording brings its own), and a look at
// whether the fold still goes on and the session has come up.
class Beat {
 public:
  Beat(boost::asio::io_context& io, Core& core, const mqtt_adapter::DirectSession* session, Log log)
      : io_(io), timer_(io), core_(core), session_(session), log_(std::move(log)) {}

  void start() {
    timer_.expires_after(kTick);
    timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      if (core_.failed()) {
        io_.stop();
        return;
      }
      if (core_.clock().kind() == journal::ClockKind::system) {
        // Refused while the journal is full or the disk is: the next tick that is taken carries the time all the same.
        (void)core_.journal().append(journal::Kind::tick, core_.clock().now(), {});
      }
      const bool ready = core_.loop().writing() && (session_ == nullptr || session_->connected());
      if (ready != ready_) log_(ready ? "ready" : "not ready");
      ready_ = ready;
      start();
    });
  }
  void stop() { timer_.cancel(); }

 private:
  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  Core& core_;
  const mqtt_adapter::DirectSession* session_;
  Log log_;
  bool ready_ = false;
};

Result<std::unique_ptr<mqtt_adapter::DirectSession>> make_session(const MqttConfig& config, Core& core,
                                                                  const Log& log) {
  mqtt_adapter::DirectOptions options;
  options.broker = config.broker;
  options.client_id = config.client_id;
  options.username = config.username;
  options.topics = config.topics;
  options.max_payload = config.max_payload;
  if (!config.password_file.empty()) {
    auto password = read_password(config.password_file);
    if (!password) return password.error();
    options.password = std::move(*password);
  }
  return std::make_unique<mqtt_adapter::DirectSession>(std::move(options), core.journal(), core.clock(), log);
}

}  // namespace

Result<std::string> read_password(const std::filesystem::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return Failure{"cannot read the password file " + file.string()};
  if ((info.st_mode & 077U) != 0) {
    return Failure{"the password file " + file.string() + " can be read by others; chmod 600 it"};
  }
  std::ifstream in(file);
  std::string password;
  if (!std::getline(in, password) || password.empty()) {
    return Failure{"the password file " + file.string() + " is empty; its first line is the password"};
  }
  return Result<std::string>(boost::system::in_place_value, std::move(password));
}

int serve(const Config& config, const Log& log) {
  auto lock = FolderLock::take(config);
  if (!lock) {
    log(lock.error().message);
    return 1;
  }
  if (!*lock) {
    log("another gateway works on " + config.data.string() + "; stop it first, or name another \"data\" folder");
    return 1;
  }
  auto core = Core::open(config, std::move(**lock), log);
  if (!core) {
    log(core.error().message);
    return 1;
  }

  boost::asio::io_context io;
  ControlServer control(io, config, **core);
  if (auto listening = control.start(); !listening) {
    log(listening.error().message);
    return 1;
  }
  std::unique_ptr<mqtt_adapter::DirectSession> session;
  if (!config.mqtt.broker.empty()) {
    auto made = make_session(config.mqtt, **core, log);
    if (!made) {
      log(made.error().message);
      return 1;
    }
    session = std::move(*made);
    session->start();
  }
  Beat beat(io, **core, session.get(), log);
  beat.start();
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code error, int) {
    if (!error) io.stop();
  });
  io.run();

  log("stopping");
  beat.stop();
  control.stop();
  const bool clean = !session || session->stop();
  const auto problem = (*core)->stop();
  if (problem) log(*problem);
  if (!clean) {
    // A message is in hand that could not be kept. Ending the session properly would acknowledge it.
    log("ended with the disk refusing; the broker keeps what was not taken in");
    ::_exit(problem ? 1 : 0);
  }
  log("stopped");
  return problem ? 1 : 0;
}

}  // namespace fettle::app
