#include "gateway/store/sqlite/log_keeper.h"

#include <sqlite3.h>

namespace fettle::store {

void LogKeeper::note(sqlite3* connection, int pages) {
  bool copy = false;
  {
    const std::lock_guard lock(mutex_);
    if (pages < pages_) copied_ = last_copied_ = 0;  // the log has begun again
    pages_ = pages;
    if (pages < kBegin) return;
    if (!attached_) {
      copy = pages - last_copied_ >= kBegin;
    } else if (pages >= kMost && pages - last_copied_ >= kBegin) {
      copy = true;
    } else if (!copying_ && copied_ > 0 && pages - copied_ <= kLast) {
      copy = copied_ != last_copied_;
    } else if (!copying_ && pages - copied_ > kLast) {
      wanted_ = true;
    }
    if (copy) {
      last_copied_ = attached_ && pages < kMost ? copied_ : pages;
      ++copies_;
    }
  }
  if (copy) {
    // PASSIVE waits for nobody: what a reader still needs stays in the log.
    sqlite3_wal_checkpoint_v2(connection, nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    return;
  }
  changed_.notify_all();
}

void LogKeeper::attach() {
  const std::lock_guard lock(mutex_);
  attached_ = true;
}

void LogKeeper::detach() {
  {
    const std::lock_guard lock(mutex_);
    attached_ = false;
  }
  changed_.notify_all();
}

bool LogKeeper::wait_for_pages() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !attached_ || wanted_; });
  copying_ = attached_;
  return attached_;
}

void LogKeeper::report(int log, int copied) {
  const std::lock_guard lock(mutex_);
  copying_ = false;
  wanted_ = false;
  // Of a log that has begun again meanwhile this says nothing.
  if (log <= pages_) copied_ = copied;
}

std::uint64_t LogKeeper::copies_while_committing() const {
  const std::lock_guard lock(mutex_);
  return copies_;
}

int LogKeeper::pages() const {
  const std::lock_guard lock(mutex_);
  return pages_;
}

}  // namespace fettle::store
