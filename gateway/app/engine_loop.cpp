#include "gateway/app/engine_loop.h"

#include <algorithm>
#include <utility>

namespace fettle::app {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 1U << 20U;
constexpr std::chrono::milliseconds kIdle{500};
constexpr journal::Sequence kGather = 512;  // records
constexpr std::chrono::milliseconds kGatherTime{3};
constexpr std::uint64_t kMany = 64;               // records at once: more are coming
constexpr std::size_t kJournalPerCheckpoint = 8;  // bytes of journal for each of the last checkpoint
constexpr std::chrono::milliseconds kRetry{1000};
constexpr std::chrono::seconds kTellEvery{1};
constexpr std::chrono::seconds kPatience{5};  // for what is still in the journal, once asked to stop

}  // namespace

EngineLoop::EngineLoop(engine::Engine& engine, journal::Journal& journal, Log log, Options options)
    : engine_(engine),
      journal_(journal),
      log_(std::move(log)),
      options_(std::move(options)),
      readings_committed_(engine.counters().readings),
      told_at_(steady_clock::now()) {
  at_.checkpoint_at = steady_clock::now();
}

std::optional<std::string> EngineLoop::run() {
  std::optional<std::string> problem;
  started_at_ = engine_.folded();
  backlog_end_ = journal_.last();
  try {
    publish();  // what an earlier life committed, for who waits for it, and what the start has to report
    while (!stopping_ && !problem) {
      batch_ = 0;
      problem = fold_available();
      if (problem) break;
      if (checkpoint_due()) begin_checkpoint();
      if (engine_.checkpointing()) {
        commit();
        continue;
      }
      journal_.wait(engine_.folded(), kIdle);
      // Under load a commit of a few hundred records costs hardly more than one of a few: let a few milliseconds
      // gather.
      if (batch_ >= kMany) journal_.wait(engine_.folded() + kGather, kGatherTime);
    }
    // What is in the journal but not folded when the patience ends is folded at the next start.
    if (!problem) problem = fold_available();
    if (!problem && !engine_.replaying()) checkpoint();
  } catch (const engine::StoreFailure& failure) {
    problem = failure.what();
  }
  const std::scoped_lock lock(mutex_);
  ended_ = true;
  changed_.notify_all();
  return problem;
}

void EngineLoop::stop() {
  stop_at_ = steady_clock::now();
  stopping_ = true;
  journal_.wake();
  const std::scoped_lock lock(mutex_);  // so that persist() is either before its look at stopping_, or waiting
  changed_.notify_all();
}

std::optional<std::string> EngineLoop::fold_available() {
  for (;;) {
    const auto records = journal_.read(engine_.folded(), engine::Engine::kBatchRecords, kReadBytes);
    if (!records) return records.error().message;
    if (records->empty()) return std::nullopt;
    batch_ += records->size();
    for (const journal::Record& record : *records) {
      if (!fold_one(record)) return std::nullopt;
    }
    if (!commit()) return std::nullopt;
    if (checkpoint_due()) begin_checkpoint();
    tell_progress();
    if (stopping_ && (!writing_ || steady_clock::now() > stop_at_ + kPatience)) return std::nullopt;
  }
}

// False when stopped while the store refused a commit that had to come first.
bool EngineLoop::fold_one(const journal::Record& record) {
  while (engine_.wants_commit_before(record)) {
    if (!commit()) return false;
  }
  const bool alone = engine::Engine::needs_checkpoint(record);
  if (alone && !checkpoint()) return false;
  engine_.fold(record);
  bytes_since_checkpoint_ += record.body.size();
  ++records_since_commit_;
  return !alone || checkpoint();
}

// Of a long way to go each second, from the start of the loop to the end of what the journal held then.
void EngineLoop::tell_progress() {
  if (engine_.folded() >= backlog_end_ || steady_clock::now() - told_at_ < kTellEvery) return;
  told_at_ = steady_clock::now();
  const journal::Sequence percent = (engine_.folded() - started_at_) * 100 / (backlog_end_ - started_at_);
  log_("replaying the journal: " + std::to_string(percent) + " %, record " + std::to_string(engine_.folded()) + " of " +
       std::to_string(backlog_end_));
}

// Tries until it succeeds; false when stopped in between (what was not committed is folded again at the next start).
template <typename Write>
bool EngineLoop::persist(Write write) {
  for (;;) {
    const auto done = write();
    if (done) {
      if (!writing_.exchange(true)) {
        log_.info("store_writes", "the store takes writes again");
        const std::scoped_lock lock(mutex_);
        problem_.clear();
      }
      return true;
    }
    ++at_.failures;
    if (writing_.exchange(false)) {
      log_.error("store_refuses", "cannot commit: " + done.error().message + "; trying again every second");
      const std::scoped_lock lock(mutex_);
      problem_ = done.error().message;
    }
    if (stopping_) return false;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kRetry, [this] { return stopping_.load(); });
  }
}

bool EngineLoop::commit() {
  const auto began = steady_clock::now();
  if (!persist([this] { return engine_.commit(); })) return false;
  at_.commit_time = steady_clock::now() - began;
  publish();
  return true;
}

bool EngineLoop::checkpoint_due() const {
  // While replaying it would be older than what the store shows.
  if (engine_.replaying() || engine_.checkpointing()) return false;
  // A checkpoint is worth its while when the journal grew by several times what it will write.
  const std::size_t most =
      std::max<std::size_t>(options_.checkpoint_bytes, kJournalPerCheckpoint * at_.checkpoint_bytes);
  return bytes_since_checkpoint_ >= most || steady_clock::now() - checkpoint_began_ >= options_.checkpoint_every;
}

void EngineLoop::begin_checkpoint() {
  engine_.begin_checkpoint();
  checkpoint_began_ = steady_clock::now();
  bytes_since_checkpoint_ = 0;
}

// A whole one at once.
bool EngineLoop::checkpoint() {
  const auto began = steady_clock::now();
  if (!engine_.checkpointing()) checkpoint_began_ = began;
  if (!persist([this] { return engine_.checkpoint(); })) return false;
  bytes_since_checkpoint_ = 0;
  at_.commit_time = steady_clock::now() - began;
  publish();
  return true;
}

void EngineLoop::note_checkpoint() {
  const engine::Checkpointer::Figures& figures = engine_.checkpoint_figures();
  if (figures.rounds == at_.checkpoints) return;
  at_.checkpoints = figures.rounds;
  at_.checkpoint_bytes = figures.bytes;
  at_.checkpoint_parts = figures.parts;
  at_.checkpoint_slices = figures.slices;
  at_.checkpoint_at = steady_clock::now();
  at_.checkpoint_time = at_.checkpoint_at - checkpoint_began_;
  journal_.trim(figures.as_of);
}

void EngineLoop::publish() {
  for (const std::string& report : engine_.take_reports()) log_(report);
  journal_.committed(engine_.folded());
  note_checkpoint();
  at_.folded = engine_.folded();
  at_.last = journal_.last();
  at_.checkpointed = engine_.checkpointed();
  at_.now = engine_.now();
  at_.replaying = engine_.replaying();
  at_.catching_up = engine_.folded() < backlog_end_;
  at_.counters = engine_.counters();
  at_.batch_records = std::exchange(records_since_commit_, 0);
  at_.batch_readings = at_.counters.readings - std::exchange(readings_committed_, at_.counters.readings);
  ++at_.commits;
  if (options_.on_commit) options_.on_commit(at_);
  const std::scoped_lock lock(mutex_);
  progress_ = at_;
  committed_ = engine_.folded();
  for (auto& answer : engine_.take_answers()) answers_.insert_or_assign(answer.sequence, std::move(answer.outcome));
  while (answers_.size() > kMaxAnswers) answers_.erase(answers_.begin());
  changed_.notify_all();
}

Progress EngineLoop::progress() {
  const std::scoped_lock lock(mutex_);
  return progress_;
}

std::string EngineLoop::problem() {
  const std::scoped_lock lock(mutex_);
  return problem_;
}

bool EngineLoop::wait_committed(journal::Sequence sequence) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_ || committed_ >= sequence; });
  return committed_ >= sequence;
}

std::optional<engine::Outcome> EngineLoop::wait_answer(journal::Sequence sequence) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ended_ || answers_.contains(sequence); });
  const auto found = answers_.find(sequence);
  if (found == answers_.end()) return std::nullopt;
  engine::Outcome outcome = std::move(found->second);
  answers_.erase(found);
  return outcome;
}

}  // namespace fettle::app
