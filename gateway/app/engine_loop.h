#pragma once
// Drives the engine: pulls records from the journal, commits, makes checkpoints, trims, hands answers to who waits.
//
// run() is the engine's thread. The rest may be called from any thread.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "gateway/engine/engine.h"
#include "gateway/journal/journal.h"

namespace fettle::app {

using Log = std::function<void(const std::string& message)>;

class EngineLoop {
 public:
  struct Options {
    std::chrono::milliseconds checkpoint_every{10'000};
    std::size_t checkpoint_bytes = 64U << 20U;  // of journal
  };

  EngineLoop(engine::Engine& engine, journal::Journal& journal, Log log, Options options);
  EngineLoop(engine::Engine& engine, journal::Journal& journal, Log log)
      : EngineLoop(engine, journal, std::move(log), Options()) {}

  // Folds until stop(), then makes a last checkpoint. Returns what ended it otherwise: the journal or the store cannot
  // be read, so that the fold cannot go on.
  std::optional<std::string> run();
  void stop();

  // Commits succeed. False while the store refuses (a full disk): nothing is lost, and it is tried again.
  bool writing() const { return writing_; }

  // Waits until everything up to `sequence` is committed; false when stopped before.
  bool wait_committed(journal::Sequence sequence);
  // Waits for the outcome of the command at `sequence`; nothing when stopped before.
  std::optional<engine::Outcome> wait_answer(journal::Sequence sequence);
  // An answer that nobody will ask for any more is dropped after this many newer ones.
  static constexpr std::size_t kMaxAnswers = 1000;

 private:
  std::optional<std::string> fold_available();
  template <typename Write>
  bool persist(Write write);
  bool checkpoint_due() const;
  bool checkpoint();
  void publish();

  engine::Engine& engine_;
  journal::Journal& journal_;
  Log log_;
  Options options_;
  std::chrono::steady_clock::time_point checkpoint_at_;
  std::size_t bytes_since_checkpoint_ = 0;
  std::chrono::steady_clock::time_point progress_at_;

  std::chrono::steady_clock::time_point stop_at_;  // written before stopping_
  std::atomic<bool> stopping_{false};
  std::atomic<bool> writing_{true};

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  journal::Sequence committed_ = 0;
  bool ended_ = false;
  std::map<journal::Sequence, engine::Outcome> answers_;
};

}  // namespace fettle::app
