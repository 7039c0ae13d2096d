#pragma once
// As much of MQTT 3.1.1 as a publisher needs that takes little of a machine which it shares with what is measured:
// packets into strings, and a raw connection. Throws runtime_error where the broker does not do its part.

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace fettle::bench {

inline constexpr unsigned char kPublishQos0 = 0x30;
inline constexpr unsigned char kPublishQos1 = 0x32;
inline constexpr unsigned char kPuback = 0x40;
inline constexpr unsigned char kDisconnect = 0xe0;

void put16(std::string& out, std::size_t value);
void put_text(std::string& out, std::string_view text);
// Type and remaining length (section 2.2); the body of so many bytes follows.
void put_head(std::string& out, unsigned char type, std::size_t body);
void put_packet(std::string& out, unsigned char type, std::string_view body);

// A connection to 127.0.0.1 with a clean session and no keep-alive, owned by the object.
class Connection {
 public:
  Connection(int port, const std::string& client_id);
  Connection(Connection&& other) noexcept;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  Connection& operator=(Connection&&) = delete;
  ~Connection();  // says DISCONNECT

  int socket() const { return socket_; }
  // As many bytes as go out without waiting; 0 where none do.
  std::size_t send_some(std::string_view bytes);
  std::size_t receive_some(char* into, std::size_t size);
  // All of them, waiting.
  void send_all(std::string_view bytes);

 private:
  int socket_ = -1;
};

[[noreturn]] void fail_to_publish(const std::string& what);

}  // namespace fettle::bench
