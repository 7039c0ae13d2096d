// The first packet of a Sparkplug host's session, as it stands on the wire, read by a server that only listens.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>

#include "gateway/mqtt/sparkplug_session.h"
#include "tests/gateway/mqtt/session_stage.h"
#include "tests/gateway/sparkplug/covers.h"

namespace fettle::mqtt_adapter {
namespace {

using testing::SessionStage;

// A server on a free port that takes connections and their first bytes, and answers nothing.
class Ear {
 public:
  Ear() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(socket_, generic, length) != 0 || ::listen(socket_, 4) != 0 ||
        ::getsockname(socket_, generic, &length) != 0) {
      throw std::runtime_error("no free port");
    }
    port_ = ntohs(address.sin_port);
  }
  Ear(const Ear&) = delete;
  Ear& operator=(const Ear&) = delete;
  ~Ear() { ::close(socket_); }

  std::string uri() const { return "tcp://127.0.0.1:" + std::to_string(port_); }
  // The first whole packet of the next connection that sends one (a session that looks why it was refused sends
  // nothing); then that connection is closed.
  std::string packet() const {
    for (;;) {
      const int connection = ::accept(socket_, nullptr, nullptr);
      const std::string bytes = first_packet(connection);
      ::close(connection);
      if (!bytes.empty()) return bytes;
    }
  }

 private:
  // Below 16 KiB, whose length has one or two bytes (MQTT 3.1.1, 2.2.3).
  static std::string first_packet(int connection) {
    std::string bytes;
    std::size_t want = 3;
    char buffer[4096];
    while (bytes.size() < want) {
      const ssize_t got = ::recv(connection, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      bytes.append(buffer, static_cast<std::size_t>(got));
      if (bytes.size() < 3) continue;
      const auto low = static_cast<unsigned char>(bytes[1]);
      want = low < 128 ? 2U + low : 3U + (low & 127U) + 128U * static_cast<unsigned char>(bytes[2]);
    }
    return bytes;
  }

  int socket_;
  int port_ = 0;
};

// The parts of a CONNECT packet (MQTT 3.1.1, 3.1).
struct ConnectPacket {
  std::string protocol;
  int level = 0;
  unsigned flags = 0;
  int keep_alive = 0;
  std::string client_id;
  std::string will_topic;
  std::string will_message;
  std::string username;
  std::string password;
};

class Bytes {
 public:
  explicit Bytes(std::string_view bytes) : bytes_(bytes) {}
  int byte() { return static_cast<unsigned char>(take(1)[0]); }
  int number() {
    const int high = byte();
    return high * 256 + byte();
  }
  std::string text() { return take(static_cast<std::size_t>(number())); }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string take(std::size_t n) {
    if (bytes_.size() < n) throw std::runtime_error("the packet is too short");
    std::string out(bytes_.substr(0, n));
    bytes_.remove_prefix(n);
    return out;
  }
  std::string_view bytes_;
};

ConnectPacket read_connect(const std::string& packet) {
  Bytes bytes(packet);
  EXPECT_EQ(bytes.byte(), 0x10) << "CONNECT";
  if (bytes.byte() >= 128) bytes.byte();
  ConnectPacket connect;
  connect.protocol = bytes.text();
  connect.level = bytes.byte();
  connect.flags = static_cast<unsigned>(bytes.byte());
  connect.keep_alive = bytes.number();
  connect.client_id = bytes.text();
  if ((connect.flags & 0x04U) != 0) {
    connect.will_topic = bytes.text();
    connect.will_message = bytes.text();
  }
  if ((connect.flags & 0x80U) != 0) connect.username = bytes.text();
  if ((connect.flags & 0x40U) != 0) connect.password = bytes.text();
  EXPECT_TRUE(bytes.empty());
  return connect;
}

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t will_time(const ConnectPacket& connect) {
  const auto state = sparkplug::parse_state(connect.will_message);
  EXPECT_TRUE(state) << connect.will_message;
  return state ? state->timestamp : 0;
}

TEST(ConnectBytes, ASparkplugHostConnectsCleanWithARetainedWillOfQosOne) {
  COVERS("message-flow-phid-sparkplug-clean-session-311", "host-topic-phid-death-required",
         "operational-behavior-host-application-connect-will-qos",
         "operational-behavior-host-application-connect-will-retained",
         "host-topic-phid-death-payload-timestamp-connect");
  SessionStage stage;
  const Ear ear;
  SparkplugOptions options;
  options.broker = ear.uri();
  options.username = "gw";
  options.password = "s3cret";
  options.name = "main";
  options.client_id = "fettle-host";
  options.host_id = "fettle";
  options.keep_alive = std::chrono::seconds(7);
  const auto session = std::move(*SparkplugSession::make(options, stage.journal(), stage.clock(), stage.log()));
  const std::int64_t before = now_ms();
  session->start();
  const ConnectPacket connect = read_connect(ear.packet());
  const std::int64_t after = now_ms();
  EXPECT_EQ(connect.protocol, "MQTT");
  EXPECT_EQ(connect.level, 4) << "MQTT 3.1.1";
  // User name, password, Will retained, of QoS 1, a Will, clean session (MQTT 3.1.1, 3.1.2.3).
  EXPECT_EQ(connect.flags, 0x80U | 0x40U | 0x20U | 0x08U | 0x04U | 0x02U);
  EXPECT_EQ(connect.keep_alive, 7);
  EXPECT_EQ(connect.client_id, "fettle-host");
  EXPECT_EQ(connect.will_topic, "spBv1.0/STATE/fettle");
  EXPECT_EQ(connect.username, "gw");
  EXPECT_EQ(connect.password, "s3cret");
  EXPECT_GE(will_time(connect), before);
  EXPECT_LE(will_time(connect), after);

  // The server has closed: the next attempt has a Will of its own.
  const ConnectPacket again = read_connect(ear.packet());
  EXPECT_GT(will_time(again), will_time(connect));
  EXPECT_EQ(again.flags, connect.flags);
  EXPECT_FALSE(session->online());
  session->stop();
  EXPECT_TRUE(stage.sessions().empty()) << "it was never up";
  EXPECT_FALSE(stage.logged("s3cret"));
}

}  // namespace
}  // namespace fettle::mqtt_adapter
