#include "gateway/journal/record.h"

#include <cstring>

namespace fettle::journal {
namespace {

template <typename T>
void put(std::string& out, T value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));  // little endian, as every machine Fettle runs on
  out.append(bytes, sizeof(T));
}

template <typename T>
bool take(std::string_view& in, T& value) {
  if (in.size() < sizeof(T)) return false;
  std::memcpy(&value, in.data(), sizeof(T));
  in.remove_prefix(sizeof(T));
  return true;
}

}  // namespace

void encode(const Message& message, std::string& out) {
  put(out, message.size);
  put(out, static_cast<std::uint16_t>(message.topic.size()));
  out.append(message.topic);
  out.append(message.payload);
}

void encode(const SparkplugMessage& message, std::string& out) {
  put(out, static_cast<std::uint8_t>(message.broker.size()));
  out.append(message.broker);
  encode(message.message, out);
}

void encode(const Session& session, std::string& out) {
  put(out, static_cast<std::uint8_t>(session.up ? 1 : 0));
  out.append(session.name);
}

std::optional<Message> decode_message(std::string_view body) {
  Message message;
  std::uint16_t topic_size = 0;
  if (!take(body, message.size) || !take(body, topic_size) || body.size() < topic_size) return std::nullopt;
  message.topic = body.substr(0, topic_size);
  message.payload = body.substr(topic_size);
  if (message.payload.size() > message.size) return std::nullopt;
  return message;
}

std::optional<SparkplugMessage> decode_sparkplug(std::string_view body) {
  std::uint8_t size = 0;
  if (!take(body, size) || body.size() < size) return std::nullopt;
  const auto message = decode_message(body.substr(size));
  if (!message) return std::nullopt;
  return SparkplugMessage{body.substr(0, size), *message};
}

std::optional<Session> decode_session(std::string_view body) {
  std::uint8_t up = 0;
  if (!take(body, up) || up > 1) return std::nullopt;
  return Session{up == 1, body};
}

}  // namespace fettle::journal
