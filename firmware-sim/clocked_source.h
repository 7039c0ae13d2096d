#pragma once
// Puts `fettle/v1/clock` messages between the messages of another source, so that a gateway configured with
// `clock: recording` lives in the time of the recording.

#include <optional>

#include "firmware-sim/message.h"

namespace fettle::sim {

// A clock message goes out when event time has advanced by at least this since the last one.
inline constexpr std::chrono::seconds kClockStep{60};

Message clock_message(EventTime now);

// Before a message whose event time is kClockStep or more past the last clock message, the clock is moved to that event
// time, and no further: it is the newest event time published so far, never one that is still to come. Where a
// recording jumps back, the clock stays, and the messages behind it are late, as they would be in life.
class ClockedSource : public MessageSource {
 public:
  // `messages` must outlive this.
  explicit ClockedSource(MessageSource& messages) : messages_(messages) {}

  // Sends one clock message first and none after: for messages in no order of time, `end` being the newest of them.
  ClockedSource(MessageSource& messages, EventTime end);

  std::optional<Message> next() override;
  double fraction() const override { return messages_.fraction(); }

 private:
  MessageSource& messages_;
  std::optional<EventTime> clock_;
  std::optional<Message> held_;  // goes out next, behind the clock message just handed out
  std::optional<Message> first_;
};

}  // namespace fettle::sim
