#include "tests/bench/event_listener.h"

#include <poll.h>

namespace fettle::bench {
namespace {

constexpr unsigned char kSubscribe = 0x82;
constexpr std::size_t kSuback = 5;  // bytes
constexpr std::chrono::seconds kAnswer{10};
constexpr unsigned kRetainFlag = 1;

std::size_t number16(const std::string& bytes, std::size_t at) {
  return static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])) * 256 +
         static_cast<unsigned char>(bytes[at + 1]);
}

}  // namespace

EventListener::EventListener(int port, const std::string& client_id, const std::string& filter)
    : connection_(port, client_id) {
  std::string body;
  put16(body, 1);  // packet identifier
  put_text(body, filter);
  body += '\0';  // QoS 0
  std::string packet;
  put_packet(packet, kSubscribe, body);
  connection_.send_all(packet);
  const auto until = std::chrono::steady_clock::now() + kAnswer;
  char answer[kSuback];
  while (received_.size() < kSuback) {
    if (std::chrono::steady_clock::now() > until) fail_to_publish("the broker does not answer a subscription");
    pollfd ready{connection_.socket(), POLLIN, 0};
    if (::poll(&ready, 1, 100) > 0) {
      received_.append(answer, connection_.receive_some(answer, kSuback - received_.size()));
    }
  }
  if (static_cast<unsigned char>(received_.back()) > 2) fail_to_publish("the broker refuses a subscription");
  received_.clear();
}

std::optional<Heard> EventListener::next(std::chrono::milliseconds at_most) {
  const auto until = std::chrono::steady_clock::now() + at_most;
  char buffer[16384];
  for (;;) {
    if (auto heard = take()) return heard;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0) return std::nullopt;
    pollfd ready{connection_.socket(), POLLIN, 0};
    if (::poll(&ready, 1, static_cast<int>(left.count())) > 0) {
      received_.append(buffer, connection_.receive_some(buffer, sizeof buffer));
    }
  }
}

// The first whole packet of what was received (MQTT 3.1.1, sections 2.2 and 3.3).
std::optional<Heard> EventListener::take() {
  std::size_t size = 0;
  std::size_t at = 1;
  for (unsigned shift = 0;; shift += 7) {
    if (at >= received_.size()) return std::nullopt;
    const auto digit = static_cast<unsigned char>(received_[at++]);
    size |= static_cast<std::size_t>(digit & 127U) << shift;
    if ((digit & 128U) == 0) break;
  }
  if (received_.size() < at + size) return std::nullopt;
  const auto type = static_cast<unsigned char>(received_[0]);
  if ((type & ~kRetainFlag) != kPublishQos0) fail_to_publish("the broker sends something else than messages");
  const std::size_t topic = number16(received_, at);
  Heard heard{received_.substr(at + 2, topic), received_.substr(at + 2 + topic, size - 2 - topic)};
  received_.erase(0, at + size);
  return heard;
}

}  // namespace fettle::bench
