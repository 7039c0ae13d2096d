#pragma once
// A small HTTP/1.1 server: a table of routes, a coroutine for each connection, limits on everything. It knows nothing
// of what the routes say, speaks no TLS and authenticates nobody: it listens on the loopback address unless told
// otherwise, and what shall be reached from outside stands behind a proxy.
//
// Threads: everything happens on the one thread that runs the io_context; start() before it runs or on it, stop() on
// it. served() may be called from any thread.
//
// Whatever is refused is answered with a problem (RFC 9457) and counted: 400 not HTTP, 404 no such path, 405 not with
// this method, 413 body too large, 421 asked for by a name that is not ours (authority.h; only while listening on a
// loopback address), 431 header too large, 500 the route failed, 503 too many connections or the route took too long. A
// client that does not send its request, or take its answer, within the time has its connection closed.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "gateway/http/message.h"

namespace fettle::http {

struct Failure {
  std::string message;  // what, where, what to do
};
[[noreturn]] inline void throw_exception_from_error(const Failure& failure, const boost::source_location&) {
  throw std::runtime_error(failure.message);
}
template <typename T>
using Result = boost::system::result<T, Failure>;

struct Limits {
  std::size_t header_bytes = 8U << 10U;       // request line and header fields
  std::size_t connections = 64;               // open at once; one more is answered 503
  std::chrono::milliseconds idle{30'000};     // from a response to the first byte of the next request
  std::chrono::milliseconds request{10'000};  // each of: reading a request, making its response, writing it
};

struct Options {
  std::string address = "127.0.0.1";  // numeric, IPv4 or IPv6
  std::uint16_t port = 0;             // 0: the system chooses one
  Limits limits;
};

// Makes the response. The request lives until it is made. What it throws becomes a 500 without a detail, and is told to
// the log. It is cancelled (asio's cancellation) where it takes longer than Limits::request.
using Handler = std::function<boost::asio::awaitable<Response>(const Request& request)>;
// The same for a route that has nothing to wait for.
Handler at_once(std::function<Response(const Request& request)> respond);

// Hears what a route threw and why no connection could be accepted. Called on the server's thread.
using ServerLog = std::function<void(const std::string& message)>;

// What the server has done since it was made.
struct Served {
  std::uint64_t answered = 0;       // requests with a response below 400
  std::uint64_t client_errors = 0;  // with one of 400 to 499
  std::uint64_t server_errors = 0;  // with one of 500 and up
  std::uint64_t refused = 0;        // connections beyond Limits::connections
  std::uint64_t timeouts = 0;       // connections closed because the client was too slow within a request or response
  std::uint64_t open = 0;           // connections now
};

class Server {
 public:
  static constexpr std::size_t kMaxBody = 1U << 20U;  // bytes, of a route that does not say otherwise

  Server(boost::asio::io_context& io, Options options, ServerLog log);
  // Closes everything at once. Coroutines that still wait are destroyed with the io_context.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Before start(). `path`: exactly this, without a query. A second route of the same method and path replaces the
  // first.
  void route(Method method, std::string path, Handler handler, std::size_t max_body = kMaxBody);

  // Begins to listen. The port; failure where the address is none or taken.
  Result<std::uint16_t> start();

  // Accepts no more, closes what is idle, lets requests that have begun be answered (each within its time limits). The
  // io_context has no more work of the server when that is done.
  void stop();

  Served served() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the coroutines, which end after the server
};

}  // namespace fettle::http
