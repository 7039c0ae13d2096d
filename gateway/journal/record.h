#pragma once
// One record of the journal, the only input of the engine: what it is, and the bodies it may have.
//
// docs/reference/journal-format.md gives the bytes. Pure values; any thread.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fettle::journal {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Sequence = std::uint64_t;  // 1, 2, 3 ... never reused; 0 is "before the first"

enum class Kind : std::uint8_t {
  message = 1,    // body: Message
  session = 2,    // body: Session
  tick = 3,       // no body: time went on
  command = 4,    // body: fettle.engine.Command (Protobuf)
  catalog = 5,    // body: fettle.catalog.CatalogChange (Protobuf)
  sparkplug = 6,  // body: SparkplugMessage
};

struct Record {
  Sequence sequence = 0;
  Kind kind = Kind::tick;
  Time received;          // the gateway's clock when it was appended
  std::string_view body;  // points into the reader's buffer
};

// An MQTT message. A payload over the limit is cut before it is journaled: `size` still tells its real length.
struct Message {
  std::uint32_t size = 0;  // bytes that arrived
  std::string_view topic;
  std::string_view payload;
  bool cut() const { return payload.size() < size; }
};

// A message of the Sparkplug session: which broker it came from, since an edge node may walk from one to another.
struct SparkplugMessage {
  std::string_view broker;  // the configured name of the connection, at most 255 bytes
  Message message;
};

// A session with a broker came up or went down.
struct Session {
  bool up = false;
  std::string_view name;  // the configured name of the connection
};

void encode(const Message& message, std::string& out);
void encode(const SparkplugMessage& message, std::string& out);
void encode(const Session& session, std::string& out);
std::optional<Message> decode_message(std::string_view body);  // nothing where the body is not of that form
std::optional<SparkplugMessage> decode_sparkplug(std::string_view body);
std::optional<Session> decode_session(std::string_view body);

}  // namespace fettle::journal
