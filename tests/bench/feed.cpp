#include "tests/bench/feed.h"

namespace fettle::bench {

void Progress::reach(std::uint64_t arrived) {
  const std::scoped_lock lock(mutex_);
  arrived_ = arrived;
  changed_.notify_all();
}

void Progress::cancel() {
  const std::scoped_lock lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

std::uint64_t Progress::arrived() const {
  const std::scoped_lock lock(mutex_);
  return arrived_;
}

std::optional<std::uint64_t> Progress::wait_beyond(std::uint64_t known,
                                                   std::chrono::steady_clock::time_point until) const {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [&] { return cancelled_ || arrived_ > known; });
  if (cancelled_) return std::nullopt;
  return arrived_;
}

}  // namespace fettle::bench
