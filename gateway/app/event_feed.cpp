#include "gateway/app/event_feed.h"

#include <chrono>

namespace fettle::app {
namespace {

constexpr std::size_t kRows = 500;                       // read at once
constexpr std::chrono::milliseconds kSettleEvery{1000};  // deliveries are journaled at most that often
constexpr std::chrono::milliseconds kRetry{500};         // after a refused offer, or a store that cannot be read

}  // namespace

EventFeed::EventFeed(std::unique_ptr<store::Reader> outbox, Offer offer, Settle settle, Log log)
    : outbox_(std::move(outbox)), offer_(std::move(offer)), settle_(std::move(settle)), log_(std::move(log)) {}

EventFeed::~EventFeed() {
  stop();
}

void EventFeed::start() {
  woken_ = true;  // what an earlier life of the gateway left
  thread_ = std::thread([this] { run(); });
}

void EventFeed::stop() {
  if (!thread_.joinable()) return;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void EventFeed::wake() {
  const std::scoped_lock lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

void EventFeed::delivered(std::uint64_t id) {
  const std::scoped_lock lock(mutex_);
  if (open_.erase(id) == 0) return;
  ++count_;
  waiting_ = open_.size();
  changed_.notify_all();
}

void EventFeed::run() {
  auto settle_at = std::chrono::steady_clock::now() + kSettleEvery;
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (woken_) {
      woken_ = false;
      lock.unlock();
      const bool all = offer_new();
      lock.lock();
      if (!all) {
        // The receiver is behind; what is left is looked for again.
        changed_.wait_for(lock, kRetry, [this] { return stopping_; });
        woken_ = true;
        continue;
      }
    }
    const std::uint64_t up_to = open_.empty() ? offered_ : *open_.begin() - 1;
    const bool news = up_to > settled_;
    if (news && std::chrono::steady_clock::now() >= settle_at) {
      lock.unlock();
      if (settle_(up_to)) settled_ = up_to;
      settle_at = std::chrono::steady_clock::now() + kSettleEvery;
      lock.lock();
      continue;
    }
    const auto woken = [this] { return stopping_ || woken_; };
    if (news) {
      changed_.wait_until(lock, settle_at, woken);
    } else {
      const std::size_t open = open_.size();
      changed_.wait(lock, [&] { return woken() || open_.size() != open; });
    }
  }
  const std::uint64_t up_to = open_.empty() ? offered_ : *open_.begin() - 1;
  lock.unlock();
  if (up_to > settled_) (void)settle_(up_to);
}

// Whether everything that stands in the outbox was offered.
bool EventFeed::offer_new() {
  for (;;) {
    const auto rows = outbox_->outbox(offered_, kRows);
    if (!rows) {
      log_.error("outbox_unreadable", "cannot read the outbox: " + rows.error().message + "; trying again");
      return false;
    }
    for (const engine::OutboxRow& row : *rows) {
      {
        const std::scoped_lock lock(mutex_);
        open_.insert(row.id);  // before the offer: the delivery may be told at once
        waiting_ = open_.size();
      }
      if (!offer_(row.id, row.kind, row.body)) {
        const std::scoped_lock lock(mutex_);
        open_.erase(row.id);
        waiting_ = open_.size();
        return false;
      }
      offered_ = row.id;
    }
    if (rows->size() < kRows) return true;
  }
}

}  // namespace fettle::app
