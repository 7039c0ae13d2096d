#include "gateway/http/server.h"

#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <cstdio>
#include <ctime>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "gateway/http/authority.h"

namespace fettle::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);

constexpr std::size_t kReadBytes = 4U << 10U;    // of room for what comes in, beyond a whole header
constexpr std::size_t kMaxRefusals = 16;         // connections that are being told so; more are closed without a word
constexpr std::size_t kMaxDiscard = 2U << 20U;   // bytes read and dropped after a refusal
constexpr std::chrono::seconds kFarewell{1};     // for the client to read a refusal
constexpr std::chrono::milliseconds kRetry{50};  // after an accept that failed

// IMF-fixdate of RFC 9110, section 5.6.7.
std::string http_date() {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  ::gmtime_r(&now, &utc);
  char text[64];
  const int length = std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                                   kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour,
                                   utc.tm_min, utc.tm_sec);
  return {text, static_cast<std::size_t>(length)};
}

std::optional<Method> method_of(beast::http::verb verb) {
  switch (verb) {
    case beast::http::verb::get:
    case beast::http::verb::head:
      return Method::get;
    case beast::http::verb::post:
      return Method::post;
    case beast::http::verb::put:
      return Method::put;
    case beast::http::verb::patch:
      return Method::patch;
    case beast::http::verb::delete_:
      return Method::remove;
    default:
      return std::nullopt;
  }
}

// A target is "/path?query", or the same with scheme and host before it, which a server has to take as well (RFC 9112,
// section 3.2.2).
constexpr std::string_view kScheme = "http://";

std::string_view without_host(std::string_view target) {
  if (!target.starts_with(kScheme)) return target;
  target.remove_prefix(kScheme.size());
  const std::size_t slash = target.find('/');
  return slash == std::string_view::npos ? "/" : target.substr(slash);
}

// The host within the target, which then counts instead of the header's; else the header's.
std::string_view authority_of(std::string_view target, std::string_view header) {
  if (!target.starts_with(kScheme)) return header;
  target.remove_prefix(kScheme.size());
  return target.substr(0, target.find('/'));
}

// What to answer to bytes that are no request that can be taken; nothing where nobody is there to hear it.
std::optional<Response> answer_to(error_code code, const Limits& limits) {
  using beast::http::error;
  if (code == error::header_limit || code == error::buffer_overflow) {
    return problem(431, "the request line and the header fields have more than " + std::to_string(limits.header_bytes) +
                            " bytes; send fewer or shorter ones");
  }
  if (code == error::body_limit) return problem(413, "the body is longer than this path takes; send less at a time");
  if (code == error::bad_version) return problem(505, "this server speaks HTTP/1.1");
  if (code.category() != make_error_code(error::bad_method).category()) return std::nullopt;
  if (code == error::end_of_stream || code == error::partial_message) return std::nullopt;
  return problem(400, "this is no HTTP request: " + code.message());
}

struct Route {
  Handler handler;
  std::size_t max_body = 0;  // bytes
};

}  // namespace

// What the server and its connections share. Used on the io_context's thread only, but for the counters.
struct Server::State : std::enable_shared_from_this<State> {
  State(asio::io_context& context, Options given, ServerLog ear)
      : io(context), options(std::move(given)), log(std::move(ear)), acceptor(context), retry(context) {}

  struct Connection;
  using Parser = beast::http::request_parser<beast::http::string_body>;
  // Either the way on or the answer that ends the connection.
  using Choice = std::variant<const Route*, Response>;

  asio::awaitable<void> accept();
  asio::awaitable<void> refuse(tcp::socket socket);
  asio::awaitable<void> converse(std::unique_ptr<Connection> connection);
  asio::awaitable<bool> exchange(Connection& connection);
  asio::awaitable<bool> await_request(Connection& connection);
  asio::awaitable<bool> read_body(Connection& connection, Parser& parser, const Route& route);
  asio::awaitable<Response> respond(const Route& route, const Request& request);
  asio::awaitable<Response> guarded(const Route& route, const Request& request);
  asio::awaitable<bool> write(Connection& connection, const Parser& parser, Response response);
  asio::awaitable<void> farewell(Connection& connection, const Parser& parser, Response response);
  Choice choose(const Parser& parser) const;
  void count(unsigned status);
  void close();

  asio::io_context& io;
  const Options options;
  const ServerLog log;
  tcp::acceptor acceptor;
  asio::steady_timer retry;
  std::map<std::string, std::map<Method, Route>, std::less<>> routes;
  std::set<Connection*> connections;
  std::size_t refusals = 0;
  bool stopping = false;
  bool loopback_only = false;  // the address it listens on is one

  std::atomic<std::uint64_t> answered{0};
  std::atomic<std::uint64_t> client_errors{0};
  std::atomic<std::uint64_t> server_errors{0};
  std::atomic<std::uint64_t> refused{0};
  std::atomic<std::uint64_t> timeouts{0};
  std::atomic<std::uint64_t> open{0};
};

// Owned by its coroutine.
struct Server::State::Connection {
  Connection(std::shared_ptr<State> owner, tcp::socket socket)
      : state(std::move(owner)), stream(std::move(socket)), buffer(state->options.limits.header_bytes + kReadBytes) {
    error_code ignored;
    stream.socket().set_option(tcp::no_delay(true), ignored);
    state->connections.insert(this);
    state->open = state->connections.size();
  }
  ~Connection() {
    state->connections.erase(this);
    state->open = state->connections.size();
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::shared_ptr<State> state;  // shared by the connections and the server: whichever ends last
  beast::tcp_stream stream;
  beast::flat_buffer buffer;  // bounded: a header that does not fit is refused
  bool idle = true;           // between two requests
};

asio::awaitable<void> Server::State::accept() {
  const auto self = shared_from_this();
  while (!stopping) {
    auto [error, socket] = co_await acceptor.async_accept(kAwait);
    if (stopping) co_return;
    if (error) {
      // Out of descriptors, or a client that gave up in the queue.
      log("cannot accept an HTTP connection: " + error.message());
      retry.expires_after(kRetry);
      co_await retry.async_wait(kAwait);
    } else if (connections.size() < options.limits.connections) {
      asio::co_spawn(io, converse(std::make_unique<Connection>(self, std::move(socket))), asio::detached);
    } else {
      ++refused;
      if (refusals < kMaxRefusals) {
        ++refusals;
        asio::co_spawn(io, refuse(std::move(socket)), asio::detached);
      }
    }
  }
}

asio::awaitable<void> Server::State::refuse(tcp::socket socket) {
  const auto self = shared_from_this();
  beast::tcp_stream stream(std::move(socket));
  stream.expires_after(kFarewell);
  Response said = problem(503, std::to_string(options.limits.connections) +
                                   " connections are open, and that is the limit; close some, or try again later");
  beast::http::response<beast::http::string_body> response(beast::http::status::service_unavailable, 11);
  response.set(beast::http::field::content_type, said.content_type);
  response.keep_alive(false);
  response.body() = std::move(said.body);
  response.prepare_payload();
  auto [error, written] = co_await beast::http::async_write(stream, response, kAwait);
  if (!error) {
    // Closing with unread bytes would reset the connection before the client has read why.
    error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
    char dropped[512];
    co_await stream.async_read_some(asio::buffer(dropped), kAwait);
  }
  --refusals;
}

asio::awaitable<void> Server::State::converse(std::unique_ptr<Connection> connection) {
  bool more = true;
  while (more) {
    more = co_await exchange(*connection);
  }
}

// The first bytes of the next request; false where none come.
asio::awaitable<bool> Server::State::await_request(Connection& connection) {
  if (stopping) co_return false;
  if (connection.buffer.size() > 0) co_return true;  // sent together with the last one
  connection.idle = true;
  connection.stream.expires_after(options.limits.idle);
  auto [error, count] = co_await connection.stream.async_read_some(connection.buffer.prepare(kReadBytes), kAwait);
  connection.idle = false;
  if (error) co_return false;
  connection.buffer.commit(count);
  co_return true;
}

// One request and its response. False where the connection has come to its end.
asio::awaitable<bool> Server::State::exchange(Connection& connection) {
  const bool begun = co_await await_request(connection);
  if (!begun) co_return false;
  Parser parser;
  parser.header_limit(static_cast<std::uint32_t>(options.limits.header_bytes));
  parser.body_limit(boost::none);  // the route says it, once the header says the route
  connection.stream.expires_after(options.limits.request);
  auto [error, count] = co_await beast::http::async_read_header(connection.stream, connection.buffer, parser, kAwait);
  if (error == beast::error::timeout) ++timeouts;
  if (error) {
    auto refusal = answer_to(error, options.limits);
    if (refusal) {
      co_await farewell(connection, parser, std::move(*refusal));
    }
    co_return false;
  }
  Choice choice = choose(parser);
  if (auto* refusal = std::get_if<Response>(&choice)) {
    // Its body, if it has one, is not worth reading; without one the connection may go on.
    if (!parser.is_done()) {
      co_await farewell(connection, parser, std::move(*refusal));
      co_return false;
    }
    co_return co_await write(connection, parser, std::move(*refusal));
  }
  const Route& route = *std::get<const Route*>(choice);
  const bool whole = co_await read_body(connection, parser, route);
  if (!whole) co_return false;

  Request request;
  const std::string_view target = without_host(parser.get().target());
  request.method = *method_of(parser.get().method());
  request.path = target.substr(0, target.find('?'));
  if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
  for (const auto& field : parser.get()) {
    request.headers.push_back({std::string(field.name_string()), std::string(field.value())});
  }
  request.body = std::move(parser.get().body());
  Response response = co_await respond(route, request);
  co_return co_await write(connection, parser, std::move(response));
}

// The route of the request whose header has been read, or why there is none.
Server::State::Choice Server::State::choose(const Parser& parser) const {
  const auto& header = parser.get();
  if (header.version() >= 11 && header.count(beast::http::field::host) != 1) {
    return problem(400, "the request has no Host header, or several; HTTP/1.1 asks for one");
  }
  const bool named = header.count(beast::http::field::host) > 0;  // HTTP/1.0 may leave it out; browsers never do
  if (loopback_only && named && !is_loopback(authority_of(header.target(), header[beast::http::field::host]))) {
    return problem(421,
                   "the Host header names another machine; ask for 127.0.0.1, [::1] or localhost. A proxy before the "
                   "gateway has to send one of these names along");
  }
  const std::string_view target = without_host(header.target());
  const auto path = routes.find(target.substr(0, target.find('?')));
  if (path == routes.end()) return problem(404, "nothing is at this path; the documentation lists the paths there are");
  const auto method = method_of(header.method());
  const auto found = method ? path->second.find(*method) : path->second.end();
  if (found == path->second.end()) {
    std::string allowed;
    for (const auto& [known, route] : path->second) {
      if (!allowed.empty()) allowed += ", ";
      allowed += name_of(known);
      if (known == Method::get) allowed += ", HEAD";
    }
    Response refusal = problem(405, "this path takes " + allowed);
    refusal.headers.push_back({"Allow", std::move(allowed)});
    return refusal;
  }
  return &found->second;
}

// False where there was an answer instead, or nobody to hear one.
asio::awaitable<bool> Server::State::read_body(Connection& connection, Parser& parser, const Route& route) {
  if (parser.content_length().value_or(0) > route.max_body) {
    Response refusal = problem(413, "the body is longer than the " + std::to_string(route.max_body) +
                                        " bytes that this path takes; send less at a time");
    co_await farewell(connection, parser, std::move(refusal));
    co_return false;
  }
  if (parser.is_done()) co_return true;
  parser.body_limit(route.max_body);  // of a chunked body
  if (beast::iequals(parser.get()[beast::http::field::expect], "100-continue")) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    auto [error, written] = co_await asio::async_write(connection.stream, asio::buffer(kContinue), kAwait);
    if (error) co_return false;
  }
  auto [error, count] = co_await beast::http::async_read(connection.stream, connection.buffer, parser, kAwait);
  if (error == beast::error::timeout) ++timeouts;
  if (!error) co_return true;
  auto refusal = answer_to(error, options.limits);
  if (refusal) {
    co_await farewell(connection, parser, std::move(*refusal));
  }
  co_return false;
}

// Never throws, so that a route that fails does not wait for its time limit.
asio::awaitable<Response> Server::State::guarded(const Route& route, const Request& request) {
  std::string thrown;
  try {
    co_return co_await route.handler(request);
  } catch (const boost::system::system_error& failure) {
    thrown = failure.code() == asio::error::operation_aborted ? "it was cancelled" : failure.what();
  } catch (const std::exception& failure) {
    thrown = failure.what();
  } catch (...) {
    thrown = "something that is no exception";
  }
  log("the HTTP route " + request.path + " failed: " + thrown);
  co_return problem(500, "the gateway failed to make this answer; its log says why");
}

asio::awaitable<Response> Server::State::respond(const Route& route, const Request& request) {
  using asio::experimental::awaitable_operators::operator||;
  asio::steady_timer timer(io, options.limits.request);
  auto first = co_await (guarded(route, request) || timer.async_wait(asio::use_awaitable));
  if (auto* response = std::get_if<Response>(&first)) co_return std::move(*response);
  co_return problem(
      503, "the answer took longer than " + std::to_string(options.limits.request.count()) + " ms; try again later");
}

// Whether another request may follow on the connection.
asio::awaitable<bool> Server::State::write(Connection& connection, const Parser& parser, Response response) {
  count(response.status);
  beast::http::response<beast::http::string_body> message(static_cast<beast::http::status>(response.status),
                                                          parser.get().version() < 11 ? 10 : 11);
  if (!response.content_type.empty()) message.set(beast::http::field::content_type, response.content_type);
  message.set(beast::http::field::date, http_date());
  message.set("X-Content-Type-Options", "nosniff");
  for (const Header& header : response.headers) message.set(header.name, header.value);
  message.keep_alive(parser.is_done() && parser.keep_alive() && !stopping);
  message.body() = std::move(response.body);
  message.prepare_payload();

  connection.stream.expires_after(options.limits.request);
  beast::http::response_serializer<beast::http::string_body> serializer(message);
  error_code error;
  if (parser.is_header_done() && parser.get().method() == beast::http::verb::head) {
    error = std::get<0>(co_await beast::http::async_write_header(connection.stream, serializer, kAwait));
  } else {
    error = std::get<0>(co_await beast::http::async_write(connection.stream, serializer, kAwait));
  }
  if (error == beast::error::timeout) ++timeouts;
  co_return !error && message.keep_alive();
}

// A last answer: the client is given the time to read it although it may still be sending.
asio::awaitable<void> Server::State::farewell(Connection& connection, const Parser& parser, Response response) {
  co_await write(connection, parser, std::move(response));
  error_code ignored;
  connection.stream.socket().shutdown(tcp::socket::shutdown_send, ignored);
  connection.stream.expires_after(kFarewell);
  connection.buffer.clear();
  for (std::size_t dropped = 0; dropped < kMaxDiscard;) {
    auto [error, count] = co_await connection.stream.async_read_some(connection.buffer.prepare(kReadBytes), kAwait);
    if (error) co_return;
    dropped += count;
  }
}

void Server::State::count(unsigned status) {
  auto& counter = status < 400 ? answered : status < 500 ? client_errors : server_errors;
  ++counter;
}

void Server::State::close() {
  stopping = true;
  error_code ignored;
  acceptor.close(ignored);
  retry.cancel();
  for (Connection* connection : connections) {
    if (connection->idle) connection->stream.close();
  }
}

Handler at_once(std::function<Response(const Request& request)> respond) {
  return [respond = std::move(respond)](const Request& request) -> asio::awaitable<Response> {
    co_return respond(request);
  };
}

Server::Server(asio::io_context& io, Options options, ServerLog log)
    : state_(std::make_shared<State>(io, std::move(options), std::move(log))) {}

Server::~Server() {
  state_->close();
  for (State::Connection* connection : state_->connections) connection->stream.close();
}

void Server::route(Method method, std::string path, Handler handler, std::size_t max_body) {
  state_->routes[std::move(path)].insert_or_assign(method, Route{std::move(handler), max_body});
}

Result<std::uint16_t> Server::start() {
  const Options& options = state_->options;
  const std::string where = options.address + " port " + std::to_string(options.port);
  error_code error;
  const auto address = asio::ip::make_address(options.address, error);
  if (error) {
    return Failure{"\"" + options.address + "\" is no address to listen on; write it in numbers, such as 127.0.0.1"};
  }
  const tcp::endpoint endpoint(address, options.port);
  tcp::acceptor& acceptor = state_->acceptor;
  state_->loopback_only = address.is_loopback();
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor.close(ignored);
    return Failure{"cannot listen for HTTP on " + where + ": " + error.message() +
                   "; choose an address of this machine and a port that no other program uses"};
  }
  asio::co_spawn(state_->io, state_->accept(), asio::detached);
  return acceptor.local_endpoint().port();
}

void Server::stop() {
  state_->close();
}

Served Server::served() const {
  return {state_->answered, state_->client_errors, state_->server_errors,
          state_->refused,  state_->timeouts,      state_->open};
}

}  // namespace fettle::http
