#include "tests/bench/publisher.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string_view>

namespace fettle::bench {
namespace {

constexpr unsigned char kConnect = 0x10;
constexpr unsigned char kPublishQos1 = 0x32;
constexpr unsigned char kPuback = 0x40;
constexpr unsigned char kDisconnect = 0xe0;
constexpr std::size_t kAcknowledgement = 4;  // bytes of a PUBACK, and of a CONNACK
constexpr std::size_t kSlice = 64U << 10U;   // bytes handed to the kernel at once
constexpr int kPatience = 10'000;            // milliseconds without a word from the broker

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error("publisher: " + what + "; see broker.log in the folder that --keep leaves");
}

void put16(std::string& out, std::size_t value) {
  out += static_cast<char>((value >> 8U) & 0xffU);
  out += static_cast<char>(value & 0xffU);
}

void put_text(std::string& out, std::string_view text) {
  put16(out, text.size());
  out += text;
}

// A packet of the type with that body (MQTT 3.1.1, section 2.2).
void put_packet(std::string& out, unsigned char type, const std::string& body) {
  out += static_cast<char>(type);
  std::size_t left = body.size();
  do {
    const std::size_t digit = left % 128;
    left /= 128;
    out += static_cast<char>(left > 0 ? digit | 0x80U : digit);
  } while (left > 0);
  out += body;
}

std::string connect_packet(const std::string& client_id) {
  std::string body;
  put_text(body, "MQTT");
  body += '\x04';  // 3.1.1
  body += '\x02';  // clean session
  put16(body, 0);  // no keep-alive
  put_text(body, client_id);
  std::string packet;
  put_packet(packet, kConnect, body);
  return packet;
}

int connect_to(int port, const std::string& client_id) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::string hello = connect_packet(client_id);
  char answer[kAcknowledgement] = {};
  const bool accepted =
      ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(socket, hello.data(), hello.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(hello.size()) &&
      ::recv(socket, answer, sizeof answer, MSG_WAITALL) == static_cast<ssize_t>(sizeof answer) && answer[3] == 0;
  if (accepted) return socket;
  ::close(socket);
  fail("the broker on port " + std::to_string(port) + " did not accept the connection");
}

// The kernel wakes this process only when that many bytes of acknowledgements are there. Woken by each of them, on a
// processor that happens to be idle, the publisher makes the broker's every send dearer: the idler the subscriber
// leaves the machine, the more so, and a yardstick that does nothing would be slowed more than what is compared with
// it.
void wake_after(int socket, std::size_t bytes) {
  const int low = static_cast<int>(bytes);
  if (::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low) != 0) fail("cannot set SO_RCVLOWAT");
}

// How many bytes were sent or received; 0 where it would have to wait.
std::size_t moved(ssize_t result, const char* doing) {
  if (result > 0) return static_cast<std::size_t>(result);
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  fail(std::string("cannot ") + doing + ": " +
       (result == 0 ? "the broker closed the connection" : std::strerror(errno)));
}

}  // namespace

Packets::Packets(const std::vector<Outgoing>& messages) {
  ends_.reserve(messages.size());
  std::size_t id = 0;
  std::string body;
  for (const Outgoing& message : messages) {
    id = id % 65535 + 1;
    body.clear();
    put_text(body, message.topic);
    put16(body, id);
    body += message.payload;
    put_packet(bytes_, kPublishQos1, body);
    ends_.push_back(bytes_.size());
  }
}

Publisher::Publisher(int port, const std::string& client_id) : socket_(connect_to(port, client_id)) {}

Publisher::~Publisher() {
  std::string goodbye;
  put_packet(goodbye, kDisconnect, {});
  // Failing, the broker notices the closed connection all the same.
  (void)::send(socket_, goodbye.data(), goodbye.size(), MSG_NOSIGNAL);
  ::close(socket_);
}

void Publisher::publish(const Packets& packets) {
  std::size_t sent = 0;      // bytes
  std::size_t received = 0;  // bytes
  char answers[16384];
  const std::size_t all = packets.count() * kAcknowledgement;
  while (received < all && !cancelled_) {
    wake_after(socket_, std::min(all - received, kWindow / 4 * kAcknowledgement));
    const std::size_t may_send = packets.bytes_of(std::min(packets.count(), received / kAcknowledgement + kWindow));
    pollfd ready{socket_, static_cast<short>(sent < may_send ? POLLIN | POLLOUT : POLLIN), 0};
    const int signalled = ::poll(&ready, 1, kPatience);
    if (signalled == 0) fail("the broker acknowledges nothing any more");
    if (signalled < 0) continue;  // a signal: whoever waits for this thread knows what to do about it
    if ((ready.revents & POLLOUT) != 0) {
      const std::size_t size = std::min(may_send - sent, kSlice);
      sent += moved(::send(socket_, packets.bytes().data() + sent, size, MSG_DONTWAIT | MSG_NOSIGNAL), "send");
    }
    if ((ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
      const std::size_t size = moved(::recv(socket_, answers, sizeof answers, MSG_DONTWAIT), "receive");
      for (std::size_t i = (kAcknowledgement - received % kAcknowledgement) % kAcknowledgement; i < size;
           i += kAcknowledgement) {
        if (static_cast<unsigned char>(answers[i]) != kPuback)
          fail("the broker answered with something else than PUBACK");
      }
      received += size;
    }
  }
}

void forget_session(int port, const std::string& client_id) {
  // A connection with a clean session ends the durable one of that name; the destructor ends this one.
  const Publisher last(port, client_id);
}

}  // namespace fettle::bench
