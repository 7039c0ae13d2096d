#pragma once
// When a message is due: event time mapped to this machine's time.

#include <algorithm>
#include <optional>

#include "firmware-sim/delivery.h"
#include "firmware-sim/message.h"

namespace fettle::sim {

class Pace {
 public:
  // Every message is due at once.
  static Pace unlimited() { return Pace(std::nullopt); }

  // `times` seconds of event time pass in one second. Precondition: kSlowest <= times <= kFastest.
  static Pace of(double times) { return Pace(times); }

  static constexpr double kSlowest = 0.001;
  static constexpr double kFastest = 1e9;

  // The first message asked about is due now and anchors the rest. A message behind the newest so far is due with it.
  Instant due(EventTime at, Instant now) {
    if (!times_) return now;
    if (!first_) {
      first_ = newest_ = at;
      anchor_ = now;
    }
    newest_ = std::max(newest_, at);
    const std::chrono::duration<double> event_time = newest_ - *first_;
    constexpr double kFarFuture = 100.0 * 365 * 24 * 3600;  // still far from what an Instant can hold
    const std::chrono::duration<double> wait(std::min(event_time.count() / *times_, kFarFuture));
    return anchor_ + std::chrono::duration_cast<Instant::duration>(wait);
  }

 private:
  explicit Pace(std::optional<double> times) : times_(times) {}

  std::optional<double> times_;
  std::optional<EventTime> first_;
  EventTime newest_;
  Instant anchor_;
};

}  // namespace fettle::sim
