#pragma once
// What a session needs from a gateway: a journal, a clock and a log, in a folder of their own. And a listener at a
// broker that writes down what it hears.

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "gateway/journal/clock.h"
#include "gateway/journal/journal.h"
#include "gateway/mqtt/intake.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::mqtt_adapter::testing {

class SessionStage {
 public:
  explicit SessionStage(std::size_t max_backlog = 256U << 20U);

  journal::Journal& journal() { return *journal_; }
  journal::Clock& clock() { return clock_; }
  const std::filesystem::path& folder() const { return folder_.path(); }

  SessionLog log();
  bool logged(const std::string& part) const;
  std::string all_logged() const;

  // Everything journaled so far, read by one thread.
  std::vector<journal::OwnedRecord> records();
  // Of one kind; bodies decoded as far as a test wants them.
  std::vector<std::string> topics_of_sparkplug();
  std::vector<std::string> sessions();  // "up main", "down main"

 private:
  test::TemporaryFolder folder_;
  journal::Clock clock_{journal::ClockKind::system, {}};
  std::unique_ptr<journal::Journal> journal_;
  mutable std::mutex mutex_;
  std::string logged_;
};

}  // namespace fettle::mqtt_adapter::testing
