#pragma once
// When a message is due: event time mapped to this machine's time.

#include <algorithm>
#include <cstdint>
#include <optional>

#include "firmware-sim/delivery.h"
#include "firmware-sim/message.h"

namespace fettle::sim {

class Pace {
 public:
  // Every message is due at once.
  static Pace unlimited() { return {}; }

  // `times` seconds of event time pass in one second. Precondition: kSlowest <= times <= kFastest.
  static Pace of(double times) {
    Pace pace;
    pace.times_ = times;
    return pace;
  }

  // That many messages a second, whatever their event times. Precondition: kSlowest <= rate <= kFastest.
  static Pace of_rate(double rate) {
    Pace pace;
    pace.rate_ = rate;
    return pace;
  }

  static constexpr double kSlowest = 0.001;
  static constexpr double kFastest = 1e9;

  bool is_unlimited() const { return !times_ && !rate_; }

  // When the next message is due. The first message asked about is due now and anchors the rest. By event time a
  // message behind the newest so far is due with it.
  Instant due(EventTime at, Instant now) {
    if (is_unlimited()) return now;
    if (!first_) {
      first_ = newest_ = at;
      anchor_ = now;
    }
    if (rate_) return anchor_ + waited(static_cast<double>(passed_) / *rate_);
    newest_ = std::max(newest_, at);
    const std::chrono::duration<double> event_time = newest_ - *first_;
    return anchor_ + waited(event_time.count() / *times_);
  }

  // The message last asked about was sent.
  void pass() { ++passed_; }

 private:
  Pace() = default;

  static Instant::duration waited(double seconds) {
    constexpr double kFarFuture = 100.0 * 365 * 24 * 3600;  // still far from what an Instant can hold
    return std::chrono::duration_cast<Instant::duration>(std::chrono::duration<double>(std::min(seconds, kFarFuture)));
  }

  std::optional<double> times_;
  std::optional<double> rate_;
  std::optional<EventTime> first_;
  EventTime newest_;
  Instant anchor_;
  std::uint64_t passed_ = 0;
};

}  // namespace fettle::sim
