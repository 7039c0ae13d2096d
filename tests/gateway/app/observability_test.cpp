// The routes over a real socket, and what readiness says in each state.

#include "gateway/app/observability.h"

#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/json/parse.hpp>
#include <functional>
#include <mutex>
#include <thread>

namespace fettle::app {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

struct NotReady {
  const char* name;
  std::function<void(Readiness&)> change;
  const char* what;
  const char* detail;  // a part of it
};

TEST(Readiness, NamesEachThingThatIsMissing) {
  const NotReady kTable[] = {
      {"the fold ended", [](Readiness& r) { r.fold_failure = "the store is corrupt"; }, "fold", "the store is corrupt"},
      {"stopping", [](Readiness& r) { r.stopping = true; }, "stopping", "asked to stop"},
      {"replaying",
       [](Readiness& r) {
         r.replaying = true;
         r.folded = 12;
         r.last = 34;
       },
       "replay", "record 12 of 34"},
      {"store refuses",
       [](Readiness& r) {
         r.store_writes = false;
         r.store_problem = "no space left";
       },
       "store", "the store takes no writes: no space left"},
      {"journal refuses", [](Readiness& r) { r.journal_writes = false; }, "journal", "the journal takes no writes"},
      {"a session is down",
       [](Readiness& r) {
         r.sessions = {{"direct", true, 0, ""}, {"plant", false, 0, "connection refused"}};
       },
       "session", "the session plant is not connected: connection refused"},
  };
  for (const NotReady& row : kTable) {
    Readiness readiness;
    EXPECT_TRUE(not_ready_because(readiness).empty());
    row.change(readiness);
    const auto reasons = not_ready_because(readiness);
    ASSERT_EQ(reasons.size(), 1U) << row.name;
    EXPECT_EQ(reasons[0].what, row.what) << row.name;
    EXPECT_NE(reasons[0].detail.find(row.detail), std::string::npos) << reasons[0].detail;
    EXPECT_FALSE(reasons[0].mend.empty()) << row.name;
    EXPECT_EQ(not_healthy_because(readiness).has_value(), readiness.fold_failure.has_value()) << row.name;
  }
}

TEST(Readiness, NamesAllThatIsMissingAtOnce) {
  Readiness readiness;
  readiness.store_writes = false;
  readiness.journal_writes = false;
  readiness.sessions = {{"a", false, 0, ""}, {"b", false, 0, ""}};
  EXPECT_EQ(not_ready_because(readiness).size(), 4U);
}

class WatchingTest : public testing::Test {
 public:
  WatchingTest() : server(io, {}, [](const std::string&) {}) {
    add_watching(server, {[this] {
                            Snapshot snapshot;
                            snapshot.version = "test";
                            snapshot.http = server.served();
                            return snapshot;
                          },
                          [this] {
                            const std::scoped_lock lock(mutex);
                            return readiness;
                          }});
    port = server.start().value();
    thread = std::thread([this] { io.run(); });
  }
  ~WatchingTest() override {
    asio::post(io, [this] { server.stop(); });
    thread.join();
  }
  WatchingTest(const WatchingTest&) = delete;
  WatchingTest& operator=(const WatchingTest&) = delete;

 protected:
  // The whole response.
  std::string ask(const std::string& method, const std::string& path) const {
    asio::io_context own;
    tcp::socket socket(own);
    socket.connect({asio::ip::address_v4::loopback(), port});
    asio::write(socket,
                asio::buffer(method + " " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    std::string reply;
    boost::system::error_code end;
    asio::read(socket, asio::dynamic_buffer(reply), end);
    EXPECT_EQ(end, asio::error::eof);
    return reply;
  }
  static std::string body_of(const std::string& reply) { return reply.substr(reply.find("\r\n\r\n") + 4); }
  void change(const std::function<void(Readiness&)>& how) {
    const std::scoped_lock lock(mutex);
    how(readiness);
  }

  asio::io_context io;
  std::mutex mutex;
  Readiness readiness;
  http::Server server;
  std::uint16_t port = 0;
  std::thread thread;
};

TEST_F(WatchingTest, ShowsMetricsInTheTypeThatPrometheusAsksFor) {
  const std::string reply = ask("GET", "/metrics");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply;
  EXPECT_NE(reply.find("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"), std::string::npos);
  EXPECT_NE(reply.find("\nfettle_ready 1\n"), std::string::npos);
  EXPECT_NE(reply.find("\nfettle_http_connections 1\n"), std::string::npos) << "gathered for this question";
  change([](Readiness& r) { r.store_writes = false; });
  EXPECT_NE(ask("GET", "/metrics").find("\nfettle_ready 0\n"), std::string::npos);
}

TEST_F(WatchingTest, ReadyzAnswers503WithReasonsUntilAllIsWell) {
  change([](Readiness& r) { r.sessions = {{"direct", false, 0, "refused"}}; });
  const std::string reply = ask("GET", "/readyz");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 503 Service Unavailable\r\n")) << reply;
  EXPECT_NE(reply.find("Content-Type: application/json\r\n"), std::string::npos);
  const auto said = boost::json::parse(body_of(reply)).as_object();
  EXPECT_EQ(said.at("ready"), false);
  const auto& reason = said.at("reasons").as_array().at(0).as_object();
  EXPECT_EQ(reason.at("what"), "session");
  EXPECT_EQ(reason.at("detail"), "the session direct is not connected: refused");
  EXPECT_TRUE(reason.contains("mend"));
  EXPECT_TRUE(ask("GET", "/healthz").starts_with("HTTP/1.1 200 OK\r\n")) << "starting again would not help";
  change([](Readiness& r) { r.sessions[0].up = true; });
  const std::string well = ask("GET", "/readyz");
  EXPECT_TRUE(well.starts_with("HTTP/1.1 200 OK\r\n")) << well;
  EXPECT_EQ(body_of(well), "{\"ready\":true,\"reasons\":[],\"warnings\":[]}\n");
}

TEST_F(WatchingTest, ReadyzWarnsOfMergesThatFailAndStaysReady) {
  change([](Readiness& r) { r.merge_problem = "the disk is full"; });
  const std::string reply = ask("GET", "/readyz");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << "what comes in is kept";
  const auto said = boost::json::parse(body_of(reply)).as_object();
  EXPECT_EQ(said.at("ready"), true);
  const auto& warning = said.at("warnings").as_array().at(0).as_object();
  EXPECT_EQ(warning.at("what"), "merge");
  EXPECT_TRUE(warning.at("detail").as_string().starts_with("blocks of readings cannot be merged: the disk is full"));
  EXPECT_TRUE(warning.contains("mend"));
}

TEST_F(WatchingTest, HealthzAnswers503OnceTheFoldHasEnded) {
  EXPECT_EQ(body_of(ask("GET", "/healthz")), "{\"healthy\":true,\"reasons\":[]}\n");
  change([](Readiness& r) { r.fold_failure = "record 7 is corrupt"; });
  const std::string reply = ask("GET", "/healthz");
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 503 ")) << reply;
  EXPECT_NE(reply.find("record 7 is corrupt"), std::string::npos);
  EXPECT_TRUE(ask("HEAD", "/healthz").starts_with("HTTP/1.1 503 "));
  EXPECT_EQ(body_of(ask("HEAD", "/healthz")), "");
}

}  // namespace
}  // namespace fettle::app
