#include "gateway/store/sqlite/merge_exchange.h"

#include <utility>

namespace fettle::store {

void MergeExchange::note(const Backlog& backlog) {
  {
    const std::lock_guard lock(mutex_);
    if (noted_ && backlog_.blocks == 0 && backlog.blocks > 0) oldest_ = backlog.now;
    noted_ = true;
    backlog_ = backlog;
    if (closed_ || due_work() == Work::none) return;
  }
  changed_.notify_all();
}

void MergeExchange::set_retention(std::vector<RetentionRule> rules) {
  {
    const std::lock_guard lock(mutex_);
    rules_ = std::move(rules);
  }
  changed_.notify_all();
}

std::shared_ptr<const MergePiece> MergeExchange::front() {
  const std::lock_guard lock(mutex_);
  return pieces_.empty() ? nullptr : pieces_.front();
}

void MergeExchange::taken() {
  {
    const std::lock_guard lock(mutex_);
    if (!pieces_.empty()) pieces_.pop_front();
  }
  changed_.notify_all();
}

void MergeExchange::open() {
  const std::lock_guard lock(mutex_);
  closed_ = false;
}

void MergeExchange::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    pieces_.clear();
  }
  changed_.notify_all();
}

MergeExchange::Work MergeExchange::due_work() const {
  if (backlog_.now < paused_until_) return Work::none;
  if (backlog_.blocks > 0 && (backlog_.readings >= due_.readings || backlog_.blocks >= due_.blocks ||
                              oldest_ == engine::Time::min() || backlog_.now - oldest_ >= due_.age)) {
    return Work::merge;
  }
  // At the first time that is known, and then every so often.
  const bool retention_due = !retained_ || backlog_.now - *retained_ >= due_.retention_every;
  return !rules_.empty() && backlog_.now != engine::Time() && retention_due ? Work::retention : Work::none;
}

MergeExchange::Work MergeExchange::wait_for_work() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || due_work() != Work::none; });
  if (closed_) return Work::none;
  const Work work = due_work();
  if (work == Work::merge) oldest_ = backlog_.now;
  if (work == Work::retention) retained_ = backlog_.now;
  return work;
}

bool MergeExchange::push(MergePiece piece) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || pieces_.size() < kPieces; });
  if (closed_) return false;
  pieces_.push_back(std::make_shared<const MergePiece>(std::move(piece)));
  return true;
}

bool MergeExchange::wait_until_applied() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || pieces_.empty(); });
  return !closed_;
}

std::vector<RetentionRule> MergeExchange::retention() {
  const std::lock_guard lock(mutex_);
  return rules_;
}

engine::Time MergeExchange::now() {
  const std::lock_guard lock(mutex_);
  return backlog_.now;
}

void MergeExchange::report(std::string problem) {
  const std::lock_guard lock(mutex_);
  if (!problem.empty()) paused_until_ = backlog_.now + kPause;
  problem_ = std::move(problem);
}

std::string MergeExchange::problem() {
  const std::lock_guard lock(mutex_);
  return problem_;
}

}  // namespace fettle::store
