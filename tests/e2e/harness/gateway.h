#pragma once
// A real `fettle serve` on a data folder, and the commands that look at it or change it.

#include <boost/json.hpp>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/harness/broker.h"
#include "tests/e2e/harness/door.h"
#include "tests/e2e/harness/process.h"

namespace fettle::e2e {

enum class ClockKind { recording, system };

struct Counters {
  std::uint64_t messages = 0;
  std::uint64_t readings = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t late = 0;
  std::uint64_t quarantined = 0;
  std::uint64_t committed = 0;
};

class Gateway {
 public:
  // Does not start it. `folder` holds its configuration, its log and, in data/, what it keeps. `mqtt_keys`: more lines
  // of the configuration's mqtt map, such as "topics: [a, b]". `sections`: more of the configuration, whole lines, in
  // which @BROKER@ stands for the broker's address.
  Gateway(const std::filesystem::path& folder, const Door& broker, ClockKind clock = ClockKind::recording,
          const std::string& mqtt_keys = {}, const std::string& sections = {});
  ~Gateway();

  // Starts it and returns at once.
  void launch();
  // Starts it and waits until it has subscribed.
  void start();
  // SIGTERM; its exit code.
  int stop();
  // SIGKILL, and its end.
  void kill();
  // Holds it between system calls.
  void pause() { process_->pause(); }
  void resume() { process_->resume(); }
  bool running() { return process_ && process_->running(); }
  bool connected() const;
  std::string log() const { return e2e::text_of(folder_ / "serve.log"); }

  std::filesystem::path data() const { return folder_ / "data"; }
  std::filesystem::path store() const { return data() / "fettle.db"; }
  std::filesystem::path config() const { return folder_ / "gateway.yaml"; }

  // `fettle <words> --config FILE`.
  Ran command(Words words) const;
  // The same, done; throws with its standard error where it was not.
  std::string done(const Words& words) const;
  // The same with --json.
  boost::json::value json(Words words) const;
  // Applies files of the source tree or others.
  void apply(const std::vector<std::filesystem::path>& files) const;
  Counters counters() const;

  // Waits until what was started has its session and everything it has taken in is committed, with its usage.
  void drain() const;
  // Waits until that many readings are admitted, then until everything is committed with its usage. Throws after the
  // time.
  void wait_for_readings(std::uint64_t readings, std::chrono::seconds at_most = kPatience);

 private:
  std::filesystem::path folder_;
  std::string broker_;         // its address
  std::size_t log_begin_ = 0;  // where the running process's own log begins
  std::unique_ptr<Process> process_;
};

// `fettle verify` of a store, a backup or a data folder.
Ran verify(const std::filesystem::path& what);

// `fettle-sim <words> --broker ... --json --quiet` to its end; its report. Throws where it fails.
boost::json::object simulate(const Door& broker, Words words, std::chrono::seconds at_most = kPatience);
// The same, left running.
std::unique_ptr<Process> launch_simulation(const Door& broker, Words words, const std::filesystem::path& log);
// The same two at the demo's broker.
inline boost::json::object simulate(const Broker& broker, Words words, std::chrono::seconds at_most = kPatience) {
  return simulate(broker.door(), std::move(words), at_most);
}
inline std::unique_ptr<Process> launch_simulation(const Broker& broker, Words words, const std::filesystem::path& log) {
  return launch_simulation(broker.door(), std::move(words), log);
}

// A file of the source tree.
std::filesystem::path source(const std::string& path);

}  // namespace fettle::e2e
