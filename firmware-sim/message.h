#pragma once
// One MQTT message of a simulated device, and where such messages come from.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace fettle::sim {

using EventTime = std::chrono::sys_time<std::chrono::milliseconds>;

enum class MessageKind { kTelemetry, kEvent, kClock };

struct Message {
  MessageKind kind = MessageKind::kTelemetry;
  std::string topic;
  std::string payload;  // JSON, the exact bytes that go out
  EventTime at;         // when a device would send it: the newest event time inside
  bool operator==(const Message&) const = default;
};

// Hands out messages in the order they are to be published. Used by one thread.
class MessageSource {
 public:
  MessageSource() = default;
  MessageSource(const MessageSource&) = delete;
  MessageSource& operator=(const MessageSource&) = delete;
  virtual ~MessageSource() = default;

  // The next message, or nothing once all have been handed out.
  virtual std::optional<Message> next() = 0;

  // How much has been handed out, 0 to 1. Only for the progress display.
  virtual double fraction() const = 0;
};

// Topics of the gateway's direct session.
std::string telemetry_topic(std::string_view asset);
std::string event_topic(std::string_view asset);

}  // namespace fettle::sim
