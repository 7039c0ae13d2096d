#pragma once
// The gateway's clock: the received time of every record. Either the system's, or, while a recording is replayed, the
// recording's: it then stands where the last clock message put it. Never runs backwards. Any thread.

#include <atomic>
#include <chrono>
#include <cstdint>

namespace fettle::journal {

enum class ClockKind : std::uint8_t { system, recording };

class Clock {
 public:
  using Time = std::chrono::sys_time<std::chrono::milliseconds>;

  // `floor`: the newest received time already journaled; now() is never before it.
  Clock(ClockKind kind, Time floor) : kind_(kind), last_(floor.time_since_epoch().count()) {}

  ClockKind kind() const { return kind_; }

  Time now() {
    if (kind_ == ClockKind::system) {
      advance(std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()));
    }
    return Time(std::chrono::milliseconds(last_.load()));
  }

  // Moves the clock on; whether it moved (a time that is not newer leaves it where it is).
  bool advance(Time to) {
    const std::int64_t wanted = to.time_since_epoch().count();
    std::int64_t last = last_.load();
    while (last < wanted) {
      if (last_.compare_exchange_weak(last, wanted)) return true;
    }
    return false;
  }

 private:
  ClockKind kind_;
  std::atomic<std::int64_t> last_;
};

}  // namespace fettle::journal
