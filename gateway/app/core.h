#pragma once
// The heart of a gateway on one data folder: lock, store, journal, engine and the thread that drives it. `fettle serve`
// adds sessions and a socket to it; a command without a running gateway uses it as it is. So both run the same fold.

#include <boost/system/result.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "gateway/app/config.h"
#include "gateway/app/engine_loop.h"
#include "gateway/app/metrics.h"
#include "gateway/engine/engine.h"
#include "gateway/journal/clock.h"
#include "gateway/journal/journal.h"
#include "gateway/store/sqlite/merger.h"
#include "gateway/store/sqlite/sqlite_store.h"
#include "gateway/store/sqlite/wal_checkpointer.h"

namespace fettle::app {

struct Failure {
  std::string message;  // what, where, what to do
};
[[noreturn]] inline void throw_exception_from_error(const Failure& failure, const boost::source_location&) {
  throw std::runtime_error(failure.message);
}
template <typename T>
using Result = boost::system::result<T, Failure>;

// Unit texts and time zones from the machine's databases, each zone read once.
engine::Lookups system_lookups();

// The data folder's lock, held as long as this lives. One process at a time works on a folder.
class FolderLock {
 public:
  // Nothing where another process holds it. Failure where it cannot be made.
  static Result<std::optional<FolderLock>> take(const Config& config);

 private:
  explicit FolderLock(journal::File file) : file_(std::move(file)) {}
  journal::File file_;
};

// What the fold brings forth for the outside, told on the engine's thread after each commit; nothing here may wait.
struct Outlets {
  std::function<void()> committed;
  std::function<void(const engine::RebirthRequest& request)> rebirth;
  std::function<void(const std::vector<std::string>& filters)> topics;  // of the catalog's mappings, all of them
};

class Core {
 public:
  // Opens everything, loads the checkpoint and begins to fold what the journal holds after it. Pre: the lock is held.
  static Result<std::unique_ptr<Core>> open(const Config& config, FolderLock lock, const Log& log);
  ~Core();

  // Ends the fold with a checkpoint. What made the fold end by itself, if anything did.
  std::optional<std::string> stop();

  journal::Journal& journal() { return *journal_; }
  journal::Clock& clock() { return *clock_; }
  EngineLoop& loop() { return *loop_; }
  // Whether the fold ended by itself: the gateway cannot go on.
  bool failed() const { return failed_; }
  // Why; empty while it goes on.
  std::string failure() const;

  // From the next commit on; {} ends it. When it returns, the former outlets are not called any more.
  void attach(Outlets outlets);

  const Metrics& metrics() const { return metrics_; }
  // As of a commit not much more than a second ago; nothing without Sparkplug brokers.
  std::optional<SparkplugState> sparkplug() const;
  StoreState store_state() const;

 private:
  explicit Core(FolderLock lock) : lock_(std::move(lock)) {}
  Result<void> open_journal(const Config& config, const Log& log);
  Result<void> start(const Config& config, const Log& log);
  void run();

  // On the engine's thread.
  void after_commit(const Progress& progress);
  void after_catalog();
  void merge();
  void look_around();

  FolderLock lock_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<store::WalCheckpointer> wal_;  // after the store, which it serves
  std::unique_ptr<store::Merger> merger_;        // likewise
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<journal::Clock> clock_;
  std::unique_ptr<EngineLoop> loop_;
  Log log_{[](const std::string&) {}};
  Metrics metrics_;
  std::filesystem::path store_file_;
  bool has_sparkplug_ = false;

  // The engine's thread's own.
  std::uint64_t catalog_seen_ = 0;
  std::uint64_t checkpoints_seen_ = 0;
  std::uint64_t failures_seen_ = 0;
  bool counting_ = false;  // metrics_ knows what earlier lives had counted
  std::uint64_t merges_ = 0;
  std::chrono::steady_clock::time_point looked_at_{};
  std::chrono::steady_clock::time_point retention_at_{};

  mutable std::mutex mutex_;  // guards down to the blank line
  Outlets outlets_;
  std::vector<std::string> topics_;
  SparkplugState sparkplug_;
  StoreState store_state_;

  std::thread thread_;
  std::optional<std::string> problem_;  // written by the thread, read after join
  std::atomic<bool> failed_{false};
};

}  // namespace fettle::app
