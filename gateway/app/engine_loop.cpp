#include "gateway/app/engine_loop.h"

#include <utility>

namespace fettle::app {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 1U << 20U;
constexpr std::chrono::milliseconds kIdle{500};
constexpr journal::Sequence kGather = 512;  // records
constexpr std::chrono::milliseconds kGatherTime{3};
constexpr std::chrono::milliseconds kRetry{1000};
constexpr std::chrono::seconds kProgress{2};
constexpr std::chrono::seconds kPatience{5};  // for what is still in the journal, once asked to stop

}  // namespace

EngineLoop::EngineLoop(engine::Engine& engine, journal::Journal& journal, Log log, Options options)
    : engine_(engine),
      journal_(journal),
      log_(std::move(log)),
      options_(options),
      checkpoint_at_(steady_clock::now()),
      progress_at_(steady_clock::now()) {}

std::optional<std::string> EngineLoop::run() {
  std::optional<std::string> problem;
  try {
    publish();  // what an earlier life committed, for who waits for it, and what the start has to report
    while (!stopping_ && !problem) {
      problem = fold_available();
      if (problem) break;
      if (checkpoint_due()) checkpoint();
      journal_.wait(engine_.folded(), kIdle);
      // Under load a commit of a few hundred records costs hardly more than one of a few: let a few milliseconds
      // gather.
      journal_.wait(engine_.folded() + kGather, kGatherTime);
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
    for (const journal::Record& record : *records) {
      const bool alone = engine::Engine::needs_checkpoint(record);
      if (alone && !checkpoint()) return std::nullopt;
      engine_.fold(record);
      bytes_since_checkpoint_ += record.body.size();
      if (alone && !checkpoint()) return std::nullopt;
    }
    if (!persist([this] { return engine_.commit(); })) return std::nullopt;
    publish();
    if (checkpoint_due()) checkpoint();
    if (engine_.replaying() && steady_clock::now() - progress_at_ > kProgress) {
      progress_at_ = steady_clock::now();
      log_("replaying the journal: record " + std::to_string(engine_.folded()) + " of " +
           std::to_string(journal_.last()));
    }
    if (stopping_ && (!writing_ || steady_clock::now() > stop_at_ + kPatience)) return std::nullopt;
  }
}

// Tries until it succeeds; false when stopped in between (what was not committed is folded again at the next start).
template <typename Write>
bool EngineLoop::persist(Write write) {
  for (;;) {
    const auto done = write();
    if (done) {
      if (!writing_.exchange(true)) log_("the store takes writes again");
      return true;
    }
    if (writing_.exchange(false)) log_("cannot commit: " + done.error().message + "; trying again every second");
    if (stopping_) return false;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kRetry, [this] { return stopping_.load(); });
  }
}

bool EngineLoop::checkpoint_due() const {
  if (engine_.replaying()) return false;  // it would be older than what the store shows
  return bytes_since_checkpoint_ >= options_.checkpoint_bytes || engine_.wants_checkpoint() ||
         steady_clock::now() - checkpoint_at_ >= options_.checkpoint_every;
}

bool EngineLoop::checkpoint() {
  if (!persist([this] { return engine_.checkpoint(); })) return false;
  checkpoint_at_ = steady_clock::now();
  bytes_since_checkpoint_ = 0;
  publish();
  journal_.trim(engine_.folded());
  return true;
}

void EngineLoop::publish() {
  for (const std::string& report : engine_.take_reports()) log_(report);
  journal_.committed(engine_.folded());
  const std::scoped_lock lock(mutex_);
  committed_ = engine_.folded();
  for (auto& answer : engine_.take_answers()) answers_.insert_or_assign(answer.sequence, std::move(answer.outcome));
  while (answers_.size() > kMaxAnswers) answers_.erase(answers_.begin());
  changed_.notify_all();
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
