#include "firmware-sim/clocked_source.h"

#include <utility>

#include "firmware-sim/json_text.h"

namespace fettle::sim {

Message clock_message(EventTime now) {
  JsonObject object;
  object.number("now", millis_text(now));
  return {MessageKind::kClock, "fettle/v1/clock", std::move(object).finish(), now};
}

ClockedSource::ClockedSource(MessageSource& messages, EventTime end)
    : messages_(messages), clock_(end), first_(clock_message(end)) {}

std::optional<Message> ClockedSource::next() {
  if (first_) return std::exchange(first_, std::nullopt);
  if (held_) return std::exchange(held_, std::nullopt);
  auto message = messages_.next();
  if (!message || (clock_ && message->at - *clock_ < kClockStep)) return message;
  clock_ = message->at;
  held_ = std::move(message);
  return clock_message(*clock_);
}

}  // namespace fettle::sim
