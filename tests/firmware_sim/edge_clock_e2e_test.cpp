// `fettle-sim --sparkplug --clock` on a real Mosquitto: whoever follows the clock never hears of a time that is yet to
// come, from the first birth on, whatever happens to hosts and brokers.

#include <gtest/gtest.h>
#include <mqtt/async_client.h>
#include <stdlib.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "firmware-sim/clocked_source.h"
#include "gateway/sparkplug/payload.pb.h"
#include "gateway/sparkplug/topic.h"
#include "tests/firmware_sim/child.h"
#include "tests/firmware_sim/mosquitto.h"

namespace fettle::sim {
namespace {

namespace fs = std::filesystem;
namespace sp = fettle::sparkplug;

constexpr const char* kStart = "2026-01-01T00:00:00Z";
constexpr std::int64_t kStartTime = 1'767'225'600'000;  // ms
constexpr std::size_t kValues = 4UL * 3 * 400;          // of a load: assets, signals, steps
constexpr std::int64_t kStep = std::chrono::milliseconds(kClockStep).count();

// Hears everything in the order in which the broker passes it on, and says what was told before its time.
class Follower {
 public:
  explicit Follower(const std::string& uri) : client_(uri, "follower") {
    client_.set_message_callback([this](const mqtt::const_message_ptr& message) { take(*message); });
    mqtt::connect_options options;
    options.set_clean_session(true);
    client_.connect(options)->wait();
    client_.subscribe(mqtt::string_collection::create({"fettle/v1/clock", "spBv1.0/#"}), {0, 0})->wait();
  }

  // What a host says of itself, retained.
  void say_online(const std::string& host) {
    client_.publish(sp::state_topic(host), std::string(R"({"online":true,"timestamp":1000})"), 1, true)->wait();
  }

  std::optional<std::int64_t> clock() {
    const std::lock_guard lock(mutex_);
    return clock_;
  }
  std::size_t births() {
    const std::lock_guard lock(mutex_);
    return births_;
  }
  std::size_t deaths() {
    const std::lock_guard lock(mutex_);
    return deaths_;
  }
  std::size_t values() {
    const std::lock_guard lock(mutex_);
    return values_;
  }
  std::vector<std::string> complaints() {
    const std::lock_guard lock(mutex_);
    return complaints_;
  }

 private:
  void take(const mqtt::message& message) {
    const std::lock_guard lock(mutex_);
    const std::string& name = message.get_topic();
    if (name == "fettle/v1/clock") {
      // As a gateway's, it never runs back: nodes are not in step.
      clock_ = std::max(clock_.value_or(0), boost::json::parse(message.get_payload_str()).at("now").as_int64());
      return;
    }
    const auto topic = sp::parse_topic(name);
    if (!topic || topic->type == sp::MessageType::state) return;
    if (topic->type == sp::MessageType::ndeath) {
      ++deaths_;
      return;
    }
    if (topic->type == sp::MessageType::nbirth) ++births_;
    sp::wire::Payload payload;
    payload.ParseFromString(message.get_payload_str());
    if (!clock_) complaints_.push_back(name + " came before any clock");
    for (const auto& metric : payload.metrics()) {
      if (topic->device.empty() || metric.is_null()) continue;  // bdSeq and the like have the time of the wall
      ++values_;
      const auto time = static_cast<std::int64_t>(metric.timestamp());
      if (clock_ && time - *clock_ >= kStep) {
        complaints_.push_back(name + " is " + std::to_string(time - *clock_) + " ms ahead of the clock");
      }
    }
  }

  std::mutex mutex_;
  std::optional<std::int64_t> clock_;
  std::size_t births_ = 0;
  std::size_t deaths_ = 0;
  std::size_t values_ = 0;
  std::vector<std::string> complaints_;
  mqtt::async_client client_;  // last: its callbacks end before the rest does
};

class EdgeClock : public testing::Test {
 public:
  EdgeClock() {
    std::string name = (fs::temp_directory_path() / "fettle-edge-clock-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~EdgeClock() override { fs::remove_all(folder_); }
  EdgeClock(const EdgeClock&) = delete;
  EdgeClock& operator=(const EdgeClock&) = delete;

 protected:
  std::vector<std::string> load(const std::string& uri, const std::vector<std::string>& more) const {
    std::vector<std::string> words = {std::string(FETTLE_BIN_DIR) + "/fettle-sim",
                                      "load",
                                      "--sparkplug",
                                      "--clock",
                                      "--broker",
                                      uri,
                                      "--assets",
                                      "4",
                                      "--signals",
                                      "3",
                                      "--for",
                                      "400s",
                                      "--start",
                                      kStart,
                                      "--group",
                                      "plant"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  std::uintmax_t buffered() const {
    std::error_code absent;
    const auto size = fs::file_size(buffer(), absent);
    return absent ? 0 : size;
  }
  fs::path buffer() const { return folder_ / "buffer"; }
  fs::path output() const { return folder_ / "sim.out"; }

  fs::path folder_;
};

TEST_F(EdgeClock, IsTheFirstThingThatIsSaid) {
  for (const char* nodes : {"1", "3"}) {
    SCOPED_TRACE(nodes);
    const Mosquitto broker(folder_ / "broker");
    Follower follower(broker.uri());
    Child sim(load(broker.uri(), {"--nodes", nodes, "--overlap", "0s"}), output());
    EXPECT_EQ(sim.wait(), 0) << sim.output();
    EXPECT_TRUE(until([&] { return follower.deaths() == std::stoul(nodes); }));
    EXPECT_EQ(follower.complaints(), std::vector<std::string>{});
    EXPECT_GE(follower.values(), kValues);
    ASSERT_TRUE(follower.clock());
    EXPECT_GT(*follower.clock(), kStartTime + 400'000 - kStep);
    fs::remove_all(folder_ / "broker");
  }
}

TEST_F(EdgeClock, IsSaidToAHostThatComesWhenMuchIsMeasuredAlready) {
  const Mosquitto broker(folder_ / "broker");
  Follower follower(broker.uri());
  Child sim(load(broker.uri(),
                 {"--primary-host", "fettle", "--rate", "1000", "--overlap", "0s", "--buffer", buffer().string()}),
            output());
  ASSERT_TRUE(until([&] { return buffered() > 40'000; })) << sim.output();
  follower.say_online("fettle");
  EXPECT_EQ(sim.wait(), 0) << sim.output();
  EXPECT_TRUE(until([&] { return follower.deaths() > 0; }));
  EXPECT_EQ(follower.complaints(), std::vector<std::string>{});
  EXPECT_GE(follower.values(), kValues);
}

TEST_F(EdgeClock, GoesOnWhereARunWasKilled) {
  const Mosquitto broker(folder_ / "broker");
  Follower follower(broker.uri());
  const auto words = load(
      broker.uri(), {"--primary-host", "fettle", "--rate", "1000", "--overlap", "0s", "--buffer", buffer().string()});
  {
    Child sim(words, output());
    ASSERT_TRUE(until([&] { return buffered() > 40'000; })) << sim.output();
    sim.signal(SIGKILL);
    EXPECT_EQ(sim.wait(), 128 + SIGKILL);
  }
  follower.say_online("fettle");
  Child sim(words, output());
  EXPECT_EQ(sim.wait(), 0) << sim.output();
  EXPECT_TRUE(until([&] { return follower.births() == 1 && follower.values() >= kValues; }));
  EXPECT_EQ(follower.complaints(), std::vector<std::string>{});
}

}  // namespace
}  // namespace fettle::sim
