#pragma once
// What publishes the messages of a run, and how far the subscriber has come with them.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>

namespace fettle::bench {

// Two threads: the one that measures says how many messages have arrived, the publisher may wait for more.
class Progress {
 public:
  void reach(std::uint64_t arrived);
  // The publisher is to end.
  void cancel();

  std::uint64_t arrived() const;
  // Waits until more than `known` have arrived or `until`; how many have. Nothing: cancelled.
  std::optional<std::uint64_t> wait_beyond(std::uint64_t known, std::chrono::steady_clock::time_point until) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::uint64_t arrived_ = 0;
  bool cancelled_ = false;
};

class Feed {
 public:
  virtual ~Feed() = default;

  // What has to be there before the clock starts: births, first values. Returns when the broker has it.
  virtual void prepare() {}
  // What prepare() brings.
  virtual std::uint64_t prepared_messages() const { return 0; }
  virtual std::uint64_t prepared_readings() const { return 0; }

  // What publish() sends, while the clock runs; returns when the broker has it all or `progress` is cancelled. A thread
  // of its own. Throws where the connection ends before.
  virtual void publish(const Progress& progress) = 0;
  virtual std::uint64_t messages() const = 0;
};

}  // namespace fettle::bench
