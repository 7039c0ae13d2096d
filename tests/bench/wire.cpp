#include "tests/bench/wire.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace fettle::bench {
namespace {

constexpr unsigned char kConnect = 0x10;
constexpr std::size_t kConnack = 4;  // bytes
constexpr int kPatience = 10'000;    // milliseconds in which the broker takes nothing

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
  char answer[kConnack] = {};
  const bool accepted =
      ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(socket, hello.data(), hello.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(hello.size()) &&
      ::recv(socket, answer, sizeof answer, MSG_WAITALL) == static_cast<ssize_t>(sizeof answer) && answer[3] == 0;
  if (accepted) return socket;
  ::close(socket);
  fail_to_publish("the broker on port " + std::to_string(port) + " did not accept the connection");
}

// How many bytes were sent or received; 0 where it would have to wait.
std::size_t moved(ssize_t result, const char* doing) {
  if (result > 0) return static_cast<std::size_t>(result);
  if (result < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  fail_to_publish(std::string("cannot ") + doing + ": " +
                  (result == 0 ? "the broker closed the connection" : std::strerror(errno)));
}

}  // namespace

void fail_to_publish(const std::string& what) {
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

void put_head(std::string& out, unsigned char type, std::size_t body) {
  out += static_cast<char>(type);
  do {
    const std::size_t digit = body % 128;
    body /= 128;
    out += static_cast<char>(body > 0 ? digit | 0x80U : digit);
  } while (body > 0);
}

void put_packet(std::string& out, unsigned char type, std::string_view body) {
  put_head(out, type, body.size());
  out += body;
}

Connection::Connection(int port, const std::string& client_id) : socket_(connect_to(port, client_id)) {}

Connection::Connection(Connection&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}

Connection::~Connection() {
  if (socket_ < 0) return;
  std::string goodbye;
  put_packet(goodbye, kDisconnect, {});
  // Failing, the broker notices the closed connection all the same.
  (void)::send(socket_, goodbye.data(), goodbye.size(), MSG_NOSIGNAL);
  ::close(socket_);
}

std::size_t Connection::send_some(std::string_view bytes) {
  return moved(::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL), "send");
}

std::size_t Connection::receive_some(char* into, std::size_t size) {
  return moved(::recv(socket_, into, size, MSG_DONTWAIT), "receive");
}

void Connection::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    pollfd ready{socket_, POLLOUT, 0};
    if (::poll(&ready, 1, kPatience) == 0) fail_to_publish("the broker takes nothing any more");
    bytes.remove_prefix(send_some(bytes));
  }
}

}  // namespace fettle::bench
