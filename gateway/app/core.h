#pragma once
// The heart of a gateway on one data folder: lock, store, journal, engine and the thread that drives it. `fettle serve`
// adds sessions and a socket to it; a command without a running gateway uses it as it is. So both run the same fold.

#include <boost/system/result.hpp>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "gateway/app/config.h"
#include "gateway/app/engine_loop.h"
#include "gateway/engine/engine.h"
#include "gateway/journal/clock.h"
#include "gateway/journal/journal.h"
#include "gateway/store/sqlite/sqlite_store.h"

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

class Core {
 public:
  // Opens everything, loads the checkpoint and begins to fold what the journal holds after it. Pre: the lock is held.
  static Result<std::unique_ptr<Core>> open(const Config& config, FolderLock lock, Log log);
  ~Core();

  // Ends the fold with a checkpoint. What made the fold end by itself, if anything did.
  std::optional<std::string> stop();

  journal::Journal& journal() { return *journal_; }
  journal::Clock& clock() { return *clock_; }
  EngineLoop& loop() { return *loop_; }
  // Whether the fold ended by itself: the gateway cannot go on.
  bool failed() const { return failed_; }

 private:
  explicit Core(FolderLock lock) : lock_(std::move(lock)) {}

  FolderLock lock_;
  std::unique_ptr<store::SqliteStore> store_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<journal::Clock> clock_;
  std::unique_ptr<EngineLoop> loop_;
  std::thread thread_;
  std::optional<std::string> problem_;  // written by the thread, read after join
  std::atomic<bool> failed_{false};
};

}  // namespace fettle::app
