// The HTTP server over real sockets: what it answers, what it refuses, and that no client holds it up. The client here
// writes and reads plain bytes, so that both sides do not share one library's idea of HTTP.

#include "gateway/http/server.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <charconv>
#include <future>
#include <mutex>
#include <thread>

#include "gateway/http/authority.h"

namespace fettle::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kSoon{60};     // a limit that a test waits to run out
constexpr std::chrono::milliseconds kFar{60'000};  // one that it must not meet

struct Reply {
  unsigned status = 0;  // 0: the connection ended without one
  std::string head;
  std::string body;

  bool closes() const { return head.find("Connection: close") != std::string::npos; }
};

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(io_) { socket_.connect({asio::ip::address_v4::loopback(), port}); }
  void send(std::string_view bytes) {
    boost::system::error_code ignored;  // the server may have closed: what it said is what a test looks at
    asio::write(socket_, asio::buffer(bytes), ignored);
  }
  enum class Body { follows, none };
  Reply receive(Body body = Body::follows) {
    Reply reply;
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      if (!more()) return reply;
    }
    const std::size_t end = buffer_.find("\r\n\r\n") + 4;
    reply.head = buffer_.substr(0, end);
    buffer_.erase(0, end);
    std::from_chars(reply.head.data() + 9, reply.head.data() + 12, reply.status);
    const std::size_t length = body == Body::follows ? length_in(reply.head) : 0;
    while (buffer_.size() < length) {
      if (!more()) return reply;
    }
    reply.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return reply;
  }
  Reply ask(std::string_view request) {
    send(request);
    return receive();
  }
  // Waits for the server's end of the connection. False where bytes come instead, or the connection is reset: then the
  // client might not have seen the answer.
  bool ended() { return !more() && buffer_.empty() && end_ == asio::error::eof; }

  static std::size_t length_in(const std::string& head) {
    const std::size_t at = head.find("Content-Length: ");
    if (at == std::string::npos) return 0;
    return std::stoul(head.substr(at + 16));
  }

 private:
  bool more() {
    char bytes[4096];
    const std::size_t count = socket_.read_some(asio::buffer(bytes), end_);
    buffer_.append(bytes, count);
    return !end_;
  }
  asio::io_context io_;
  tcp::socket socket_;
  std::string buffer_;
  boost::system::error_code end_;
};

std::string get(const std::string& path, const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + more + "\r\n";
}

class ServerTest : public testing::Test {
 public:
  ServerTest() = default;
  ~ServerTest() override {
    if (!thread.joinable()) return;
    stop();
    thread.join();
  }
  ServerTest(const ServerTest&) = delete;
  ServerTest& operator=(const ServerTest&) = delete;

 protected:
  void start(Limits limits = {}) {
    server = std::make_unique<Server>(io, Options{"127.0.0.1", 0, limits}, [this](const std::string& message) {
      const std::scoped_lock lock(log_mutex);
      log.push_back(message);
    });
    server->route(Method::get, "/hello", at_once([](const Request& request) {
                    return Response{
                        200, "text/plain", "hello " + request.query, {{"X-Of", std::string(request.header("X-FROM"))}}};
                  }));
    server->route(Method::post, "/echo", at_once([](const Request& request) {
                    return Response{200, "text/plain", request.body, {}};
                  }));
    server->route(Method::post, "/small", at_once([](const Request&) { return Response{204, "", "", {}}; }), 4);
    server->route(Method::get, "/throws",
                  at_once([](const Request&) -> Response { throw std::runtime_error("the secret reason"); }));
    server->route(Method::get, "/never", [this](const Request&) -> asio::awaitable<Response> {
      asio::steady_timer timer(io, std::chrono::hours(1));
      co_await timer.async_wait(asio::use_awaitable);
      co_return Response{};
    });
    server->route(Method::get, "/gate", [this](const Request&) -> asio::awaitable<Response> {
      asio::steady_timer timer(io, std::chrono::hours(1));
      gate = &timer;
      entered.set_value();
      boost::system::error_code ignored;
      co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      co_return Response{200, "text/plain", "through", {}};
    });
    server->route(Method::get, "/big", at_once([](const Request&) {
                    return Response{200, "text/plain", std::string(64U << 20U, 'x'), {}};
                  }));
    port = server->start().value();
    thread = std::thread([this] { io.run(); });
  }
  void on_thread(std::function<void()> task) {
    std::promise<void> done;
    asio::post(io, [&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }
  void stop() {
    asio::post(io, [this] { server->stop(); });
  }

  asio::io_context io;
  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
  std::thread thread;
  std::mutex log_mutex;
  std::vector<std::string> log;
  asio::steady_timer* gate = nullptr;
  std::promise<void> entered;
};

TEST_F(ServerTest, AnswersARouteWithItsHeadersAndQuery) {
  start();
  Client client(port);
  const Reply reply = client.ask(get("/hello?world=1", "X-From: here\r\n"));
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(reply.body, "hello world=1");
  EXPECT_NE(reply.head.find("Content-Type: text/plain\r\n"), std::string::npos) << reply.head;
  EXPECT_NE(reply.head.find("X-Of: here\r\n"), std::string::npos) << reply.head;
  EXPECT_NE(reply.head.find(" GMT\r\n"), std::string::npos) << reply.head;
  EXPECT_FALSE(reply.closes());
  EXPECT_EQ(client.ask("GET http://LocalHost:80/hello HTTP/1.1\r\nHost: localhost\r\n\r\n").body, "hello ");
}

TEST_F(ServerTest, OneConnectionTakesManyRequestsAlsoWhenTheyComeAtOnce) {
  start();
  Client client(port);
  std::string requests;
  for (int i = 0; i < 50; ++i) requests += get("/hello?" + std::to_string(i));
  client.send(requests);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.receive().body, "hello " + std::to_string(i));
  EXPECT_EQ(server->served().answered, 50U);
  EXPECT_EQ(server->served().open, 1U);
}

TEST_F(ServerTest, ARequestMayComeByteByByte) {
  start();
  Client client(port);
  for (const char c : get("/hello?slowly")) client.send(std::string_view(&c, 1));
  EXPECT_EQ(client.receive().body, "hello slowly");
}

TEST_F(ServerTest, HeadIsAnsweredWithTheHeaderOfGetAndNoBody) {
  start();
  Client client(port);
  client.send("HEAD /hello?ab HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Reply reply = client.receive(Client::Body::none);
  EXPECT_EQ(reply.status, 200U);
  EXPECT_EQ(Client::length_in(reply.head), 8U);
  EXPECT_EQ(client.ask(get("/hello?next")).body, "hello next") << "the next answer follows at once";
}

TEST_F(ServerTest, BodiesComeWithALengthOrInChunks) {
  start();
  Client client(port);
  EXPECT_EQ(client.ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcde").body, "abcde");
  EXPECT_EQ(client
                .ask("POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
                .body,
            "abcde");
  client.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.receive().status, 100U);
  EXPECT_EQ(client.ask("ok").body, "ok");
}

TEST_F(ServerTest, Http10ClosesUnlessAskedToStay) {
  start();
  Client client(port);
  EXPECT_EQ(client.ask("GET /hello?old HTTP/1.0\r\n\r\n").body, "hello old");
  EXPECT_TRUE(client.ended());
}

struct Refused {
  const char* name;
  std::string request;
  unsigned status;
  bool closes;  // otherwise the connection takes the next request
};

class Refusals : public ServerTest, public testing::WithParamInterface<Refused> {};

TEST_P(Refusals, AreProblemsThatSayWhatIsWrong) {
  start();
  Client client(port);
  const Reply reply = client.ask(GetParam().request);
  EXPECT_EQ(reply.status, GetParam().status);
  EXPECT_NE(reply.head.find("Content-Type: application/problem+json\r\n"), std::string::npos) << reply.head;
  const auto problem = boost::json::parse(reply.body).as_object();
  EXPECT_EQ(problem.at("status").to_number<unsigned>(), GetParam().status);
  EXPECT_EQ(problem.at("type"), "about:blank");
  EXPECT_NE(problem.at("title"), "Error");
  EXPECT_FALSE(problem.at("detail").as_string().empty());
  EXPECT_EQ(reply.closes(), GetParam().closes);
  if (GetParam().closes) {
    EXPECT_TRUE(client.ended());
  } else {
    EXPECT_EQ(client.ask(get("/hello?still")).body, "hello still");
  }
}

const std::string kChunk(1U << 16U, 'x');

INSTANTIATE_TEST_SUITE_P(
    Of, Refusals,
    testing::Values(
        Refused{"UnknownPath", get("/nowhere"), 404, false},
        Refused{"UnknownPathWithABody", "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc",
                404, true},
        Refused{
            "UnknownPathWithALargeBody",
            "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n" + std::string(300'000, 'x'),
            404, true},
        Refused{"PathBelowARoute", get("/hello/"), 404, false},
        Refused{"OtherMethod", "DELETE /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, false},
        Refused{"MethodWithoutRoutes", "OPTIONS /hello HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, false},
        Refused{"GetOfAPostRoute", get("/echo"), 405, false},
        Refused{"BodyOverTheRoutesLimit", "POST /small HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nabcde",
                413, true},
        Refused{"BodyOverTheCommonLimit", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n\r\n",
                413, true},
        Refused{"HugeLength", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 18446744073709551615\r\n\r\n",
                413, true},
        Refused{"ChunksOverTheRoutesLimit",
                "POST /small HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n" + kChunk +
                    "\r\n0\r\n\r\n",
                413, true},
        Refused{"HeaderOverTheLimit", get("/hello", "X-Long: " + std::string(8U << 10U, 'x') + "\r\n"), 431, true},
        Refused{"TargetOverTheLimit", get("/" + std::string(9U << 10U, 'x')), 431, true},
        Refused{"EndlessHeader", "GET /hello HTTP/1.1\r\nX: " + std::string(256U << 10U, 'x'), 431, true},
        Refused{"NoHost", "GET /hello HTTP/1.1\r\n\r\n", 400, false},
        Refused{"TwoHosts", "GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, false},
        Refused{"NameOfSomebodyElse", "GET /hello HTTP/1.1\r\nHost: evil.example:80\r\n\r\n", 421, false},
        Refused{"NameOfSomebodyElseInTheTarget", "GET http://evil.example/hello HTTP/1.1\r\nHost: localhost\r\n\r\n",
                421, false},
        Refused{"NotHttp", "\x16\x03\x01\x02 what is this\r\n\r\n", 400, true},
        Refused{"BadHeaderLine", "GET /hello HTTP/1.1\r\nno colon\r\n\r\n", 400, true},
        Refused{"BadLength", "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400, true},
        Refused{"BadChunk", "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400,
                true},
        Refused{"OtherVersion", "GET /hello HTTP/3.0\r\n\r\n", 505, true},
        Refused{"ARouteThatThrows", get("/throws"), 500, false}),
    [](const auto& refused) { return refused.param.name; });

TEST_F(ServerTest, AWrongMethodIsToldTheRightOnes) {
  start();
  Client client(port);
  const Reply reply = client.ask("POST /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_NE(reply.head.find("Allow: GET, HEAD\r\n"), std::string::npos) << reply.head;
}

TEST(Authority, IsOursUnderNamesThatNobodyElseCanGiveUs) {
  for (const char* ours : {"localhost", "LOCALHOST:9464", "localhost.", "127.0.0.1", "127.0.0.1:9464",
                           "127.8.9.10:", "[::1]", "[::1]:9464"}) {
    EXPECT_TRUE(is_loopback(ours)) << ours;
  }
  for (const char* others : {"", ":80", "evil.example", "evil.example:80", "localhost.evil.example",
                             "127.0.0.1.evil.example", "127.1", "192.0.2.1", "::1", "[::2]", "[::1]evil", "[::1",
                             "localhost:80:80", "localhost@evil.example", "127.0.0.1:x", "[127.0.0.1]"}) {
    EXPECT_FALSE(is_loopback(others)) << others;
  }
}

TEST(ServerOfANetwork, TakesAnyName) {
  asio::io_context io;
  Server open(io, {"0.0.0.0", 0, {}}, [](const std::string&) {});
  open.route(Method::get, "/hello", at_once([](const Request&) { return Response{200, "text/plain", "hello", {}}; }));
  const auto where = open.start();
  ASSERT_TRUE(where) << where.error().message;
  std::thread runs([&io] { io.run(); });
  Client client(*where);
  EXPECT_EQ(client.ask("GET /hello HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n\r\n").status, 200U);
  asio::post(io, [&open] { open.stop(); });
  runs.join();
}

TEST_F(ServerTest, AHeaderUpToTheLimitIsTaken) {
  start();
  Client client(port);
  const std::string rest = get("/hello", "X-Long: \r\n");
  EXPECT_EQ(client.ask(get("/hello", "X-Long: " + std::string((8U << 10U) - rest.size() - 1, 'x') + "\r\n")).status,
            200U);
}

TEST_F(ServerTest, AHeaderOverAnotherLimitIsRefused) {
  Limits limits;
  limits.header_bytes = 200;
  start(limits);
  EXPECT_EQ(Client(port).ask(get("/hello", "X: " + std::string(100, 'x') + "\r\n")).status, 200U);
  EXPECT_EQ(Client(port).ask(get("/hello", "X: " + std::string(200, 'x') + "\r\n")).status, 431U);
}

TEST_F(ServerTest, WhatARouteThrewIsInTheLogAndNotInTheAnswer) {
  start();
  Client client(port);
  EXPECT_EQ(client.ask(get("/throws")).body.find("secret"), std::string::npos);
  EXPECT_EQ(server->served().server_errors, 1U);
  const std::scoped_lock lock(log_mutex);
  EXPECT_EQ(log, std::vector<std::string>{"the HTTP route /throws failed: the secret reason"});
}

TEST_F(ServerTest, ARouteThatTakesTooLongIsCancelledAndAnswered503) {
  Limits limits;
  limits.request = kSoon;
  start(limits);
  Client client(port);
  EXPECT_EQ(client.ask(get("/never")).status, 503U);
  EXPECT_EQ(client.ask(get("/hello?still")).body, "hello still");
}

TEST_F(ServerTest, OneConnectionTooManyIsRefusedAndCountedAndTheOthersGoOn) {
  start();
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < Limits{}.connections; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    ASSERT_EQ(clients.back()->ask(get("/hello")).status, 200U);
  }
  Client extra(port);
  const Reply reply = extra.receive();
  EXPECT_EQ(reply.status, 503U);
  EXPECT_EQ(boost::json::parse(reply.body).as_object().at("title"), "Service Unavailable");
  EXPECT_EQ(server->served().refused, 1U);
  EXPECT_EQ(server->served().open, Limits{}.connections);
  for (auto& client : clients) EXPECT_EQ(client->ask(get("/hello")).status, 200U);
}

TEST_F(ServerTest, AConnectionThatEndsMakesRoomForAnother) {
  Limits limits;
  limits.connections = 1;
  start(limits);
  for (int i = 0; i < 20; ++i) {
    Client client(port);
    EXPECT_EQ(client.ask(get("/hello", "Connection: close\r\n")).status, 200U);
    EXPECT_TRUE(client.ended());
    on_thread([] {});  // the connection's coroutine has come to its end
  }
}

TEST_F(ServerTest, AnIdleConnectionIsClosed) {
  Limits limits;
  limits.idle = kSoon;
  start(limits);
  Client silent(port);
  EXPECT_TRUE(silent.ended());
  Client once(port);
  EXPECT_EQ(once.ask(get("/hello")).status, 200U);
  EXPECT_TRUE(once.ended());
  EXPECT_EQ(server->served().timeouts, 0U) << "nobody was in the middle of anything";
}

TEST_F(ServerTest, AClientThatDoesNotFinishItsRequestIsClosedAndOthersAreServedMeanwhile) {
  Limits limits;
  limits.request = kSoon;
  limits.idle = kFar;
  start(limits);
  Client slow(port);
  slow.send("GET /hello HT");
  Client slow_body(port);
  slow_body.send("POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc");
  Client quick(port);
  EXPECT_EQ(quick.ask(get("/hello?quick")).body, "hello quick");
  EXPECT_TRUE(slow.ended());
  EXPECT_TRUE(slow_body.ended());
  // The socket is closed a moment before the coroutine hears of it.
  while (server->served().timeouts < 2) on_thread([] {});
  EXPECT_EQ(server->served().timeouts, 2U);
}

TEST_F(ServerTest, AClientThatDoesNotReadItsAnswerIsClosed) {
  Limits limits;
  limits.request = kSoon;
  start(limits);
  Client deaf(port);
  deaf.send(get("/big"));
  Client quick(port);
  while (server->served().timeouts == 0) EXPECT_EQ(quick.ask(get("/hello")).status, 200U);
  EXPECT_LT(deaf.receive().body.size(), 64U << 20U);
}

TEST_F(ServerTest, StoppingClosesIdleConnectionsAndLetsBegunRequestsBeAnswered) {
  start();
  Client idle(port);
  EXPECT_EQ(idle.ask(get("/hello")).status, 200U);
  Client busy(port);
  busy.send(get("/gate"));
  entered.get_future().wait();
  on_thread([this] { server->stop(); });
  EXPECT_TRUE(idle.ended());
  boost::system::error_code error;
  asio::io_context other;
  tcp::socket late(other);
  late.connect({asio::ip::address_v4::loopback(), port}, error);
  EXPECT_EQ(error, asio::error::connection_refused);
  on_thread([this] { gate->cancel(); });
  const Reply reply = busy.receive();
  EXPECT_EQ(reply.body, "through");
  EXPECT_TRUE(reply.closes());
  EXPECT_TRUE(busy.ended());
  thread.join();  // the io_context has no more work
}

TEST_F(ServerTest, MayBeDestroyedWithConnectionsOpenAndRequestsUnanswered) {
  start();
  Client idle(port);
  EXPECT_EQ(idle.ask(get("/hello")).status, 200U);
  Client busy(port);
  busy.send(get("/gate"));
  entered.get_future().wait();
  io.stop();
  thread.join();
  server.reset();
  EXPECT_EQ(busy.receive().status, 0U);
}

TEST(Listening, SaysWhatIsWrongWithAnAddress) {
  asio::io_context io;
  Server first(io, {}, [](const std::string&) {});
  const std::uint16_t port = first.start().value();
  Server second(io, {"127.0.0.1", port, {}}, [](const std::string&) {});
  const auto taken = second.start();
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.error().message.find("127.0.0.1 port " + std::to_string(port)), std::string::npos);
  EXPECT_NE(taken.error().message.find("Address already in use"), std::string::npos) << taken.error().message;
  Server named(io, {"localhost", 0, {}}, [](const std::string&) {});
  ASSERT_FALSE(named.start());
  EXPECT_EQ(Server(io, {"192.0.2.1", 0, {}}, [](const std::string&) {}).start().has_value(), false);
}

}  // namespace
}  // namespace fettle::http
