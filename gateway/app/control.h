#pragma once
// How a command reaches the gateway: over a Unix socket in the data folder, or, where none runs, by doing it itself.
//
// One request and one reply per connection. Request: 4 bytes length (little endian, at most kMaxRequest), 1 byte
// Request, the rest its body. Reply: 4 bytes length, 1 byte 1 (ok) or 0, text. The socket's mode is 0600: who may
// write to the data folder may command.

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <memory>
#include <string>

#include "gateway/app/operations.h"

namespace fettle::app {

enum class Request : std::uint8_t { apply = 1, command = 2, drain = 3, backup = 4 };

inline constexpr std::size_t kMaxRequest = 64U << 20U;
inline constexpr std::size_t kMaxConnections = 16;

std::string encode_files(const std::vector<catalog::SourceFile>& files);

// Serves requests, one at a time, on a thread of its own; accepts on the io_context.
class ControlServer {
 public:
  ControlServer(boost::asio::io_context& io, const Config& config, Core& core);
  ~ControlServer();
  // Failure where the socket cannot be made.
  Result<void> start();
  // Takes no more requests, lets the running one end.
  void stop();

 private:
  class Connection;
  void accept();

  const Config& config_;
  Operations operations_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  boost::asio::thread_pool worker_{1};
  std::size_t connections_ = 0;  // the io_context's thread only
};

// Asks the running gateway, or takes the lock and does it here. `log` hears what the fold has to say in that case.
Reply ask(const Config& config, Request request, const std::string& body, const Log& log);

}  // namespace fettle::app
