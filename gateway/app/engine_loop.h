#pragma once
// Drives the engine: pulls records from the journal, commits, makes checkpoints, trims, hands answers to who waits.
//
// Records gather into a batch only while many come in: one that comes alone is folded and committed at once.
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

#include "gateway/app/log.h"
#include "gateway/engine/engine.h"
#include "gateway/journal/journal.h"

namespace fettle::app {

// Where the fold stands, as of its newest commit.
struct Progress {
  journal::Sequence folded = 0;
  journal::Sequence last = 0;          // of the journal, then
  journal::Sequence checkpointed = 0;  // the newest checkpoint that counts
  engine::Time now;                    // gateway time: the received time of the newest record folded
  bool replaying = false;              // what is folded stands in the store already
  bool catching_up = false;            // what the journal held when the loop began is not all folded
  engine::Counters counters;

  std::uint64_t commits = 0;        // since the start, those that succeeded
  std::uint64_t failures = 0;       // and those that did not
  std::uint64_t batch_records = 0;  // of the newest commit
  std::uint64_t batch_readings = 0;
  std::chrono::nanoseconds commit_time{0};

  std::uint64_t checkpoints = 0;       // since the start
  std::uint64_t checkpoint_bytes = 0;  // of the newest
  std::uint64_t checkpoint_parts = 0;
  std::uint64_t checkpoint_slices = 0;
  std::chrono::nanoseconds checkpoint_time{0};          // from its beginning to the commit that made it count
  std::chrono::steady_clock::time_point checkpoint_at;  // when it did; the start of the loop where none has
};

class EngineLoop {
 public:
  struct Options {
    std::chrono::milliseconds checkpoint_every{10'000};
    std::size_t checkpoint_bytes = 64U << 20U;  // of journal
    // Called on the engine's thread after each commit; must not wait for anything.
    std::function<void(const Progress& progress)> on_commit;
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
  // Why the store refuses; empty while it does not.
  std::string problem();

  Progress progress();

  // Waits until everything up to `sequence` is committed; false when stopped before.
  bool wait_committed(journal::Sequence sequence);
  // Waits for the outcome of the command at `sequence`; nothing when stopped before.
  std::optional<engine::Outcome> wait_answer(journal::Sequence sequence);
  // An answer that nobody will ask for any more is dropped after this many newer ones.
  static constexpr std::size_t kMaxAnswers = 1000;

 private:
  std::optional<std::string> fold_available();
  bool fold_one(const journal::Record& record);
  template <typename Write>
  bool persist(Write write);
  bool commit();
  bool checkpoint_due() const;
  bool checkpoint();
  void begin_checkpoint();
  void publish();
  void note_checkpoint();
  void tell_progress();

  engine::Engine& engine_;
  journal::Journal& journal_;
  Log log_;
  Options options_;
  Progress at_;  // the engine's thread's own
  std::chrono::steady_clock::time_point checkpoint_began_ = std::chrono::steady_clock::now();
  std::size_t bytes_since_checkpoint_ = 0;
  std::uint64_t records_since_commit_ = 0;
  std::uint64_t readings_committed_ = 0;
  std::uint64_t batch_ = 0;            // records of the newest round of reading
  journal::Sequence started_at_ = 0;   // what was folded when the loop began
  journal::Sequence backlog_end_ = 0;  // what the journal held then
  std::chrono::steady_clock::time_point told_at_;

  std::chrono::steady_clock::time_point stop_at_;  // written before stopping_
  std::atomic<bool> stopping_{false};
  std::atomic<bool> writing_{true};

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Progress progress_;
  journal::Sequence committed_ = 0;
  bool ended_ = false;
  std::string problem_;
  std::map<journal::Sequence, engine::Outcome> answers_;
};

}  // namespace fettle::app
