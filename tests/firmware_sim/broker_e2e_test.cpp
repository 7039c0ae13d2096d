// fettle-sim against a real Mosquitto that is stopped and started again in the middle of a replay.

#include <gtest/gtest.h>
#include <mqtt/async_client.h>
#include <stdlib.h>

#include <boost/json.hpp>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "firmware-sim/clocked_source.h"
#include "firmware-sim/replay.h"
#include "tests/firmware_sim/child.h"
#include "tests/firmware_sim/mosquitto.h"

namespace fettle::sim {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

constexpr std::size_t kRows = 20'000;
constexpr const char* kNobodyMayComeIn = "allow_anonymous false\n";

// Keeps a durable session and the payloads in the order in which each came for the first time.
class Subscriber {
 public:
  explicit Subscriber(const std::string& uri) : client_(uri, "sim-e2e-subscriber") {
    client_.set_message_callback([this](mqtt::const_message_ptr message) {
      const std::lock_guard lock(mutex_);
      if (seen_.insert(message->to_string()).second) first_arrivals_.push_back(message->to_string());
      ++arrivals_;
      changed_.notify_all();
    });
    mqtt::connect_options options;
    options.set_mqtt_version(MQTTVERSION_3_1_1);
    options.set_clean_session(false);
    options.set_automatic_reconnect(1, 1);
    // The broker was started a moment ago and may not listen yet.
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    for (;;) {
      try {
        client_.connect(options)->wait();
        break;
      } catch (const mqtt::exception&) {
        if (std::chrono::steady_clock::now() > deadline) throw;
      }
    }
    client_.subscribe("fettle/v1/#", 1)->wait();
  }

  // Whether that many distinct payloads arrive in time.
  bool wait_for(std::size_t distinct) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return first_arrivals_.size() >= distinct; });
  }

  std::vector<std::string> first_arrivals() {
    const std::lock_guard lock(mutex_);
    return first_arrivals_;
  }

  std::size_t arrivals() {
    const std::lock_guard lock(mutex_);
    return arrivals_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::unordered_set<std::string> seen_;
  std::vector<std::string> first_arrivals_;
  std::size_t arrivals_ = 0;
  mqtt::async_client client_;  // last: its callbacks end before the rest does
};

class BrokerRun : public testing::Test {
 protected:
  BrokerRun() {
    std::string name = (fs::temp_directory_path() / "fettle-sim-XXXXXX").string();
    folder_ = mkdtemp(name.data());
    fs::create_directory(folder_ / "nab");
    write_recording();
  }
  ~BrokerRun() override { fs::remove_all(folder_); }

  void write_recording() const {
    std::ofstream out(folder_ / "nab" / "machine.csv");
    out << "timestamp,value\n";
    for (std::size_t i = 0; i < kRows; ++i) {
      const std::size_t minute = i * 5;
      const auto two = [](std::size_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
      const std::size_t day = minute / 1440;
      out << "2014-" << two(day / 28 + 1) << "-" << two(day % 28 + 1) << " " << two(minute / 60 % 24) << ":"
          << two(minute % 60) << ":00," << i << ".5\n";
    }
  }

  // What a gateway should receive, clock messages and all.
  std::vector<std::string> expected() const {
    auto messages = load_recording(Dataset::kNab, folder_, {});
    if (!messages) throw std::runtime_error(messages.error().text);
    ListedMessages listed(std::move(*messages));
    ClockedSource source(listed);
    std::vector<std::string> payloads;
    while (const auto message = source.next()) payloads.push_back(message->payload);
    return payloads;
  }

  std::vector<std::string> replay_command(const Mosquitto& broker) const {
    return {FETTLE_BIN_DIR "/fettle-sim",
            "replay",
            "--dataset",
            "nab",
            "--data",
            folder_.string(),
            "--broker",
            broker.uri(),
            "--json"};
  }

  fs::path folder_;
};

TEST_F(BrokerRun, EveryMessageArrivesInOrderThoughTheBrokerIsRestartedInTheMiddle) {
  Mosquitto broker(folder_);
  Subscriber subscriber(broker.uri());
  const auto payloads = expected();
  Child replay(replay_command(broker), folder_ / "replay.out");
  ASSERT_TRUE(subscriber.wait_for(payloads.size() / 4));
  broker.stop();
  broker.start();
  EXPECT_EQ(replay.wait(), 0) << replay.output();
  const auto report = boost::json::parse(replay.output()).as_object();
  EXPECT_EQ(report.at("outcome").as_string(), "done");
  EXPECT_EQ(report.at("messages").as_int64(), static_cast<std::int64_t>(kRows));
  EXPECT_GE(report.at("connections").as_int64(), 2) << "the broker was not stopped in the middle";
  ASSERT_TRUE(subscriber.wait_for(payloads.size())) << subscriber.first_arrivals().size() << " of " << payloads.size();
  EXPECT_EQ(subscriber.first_arrivals(), payloads);
  std::cout << replay.output() << subscriber.arrivals() << " arrivals of " << payloads.size() << " payloads\n";
}

TEST_F(BrokerRun, ASignalStopsItAndItSaysWhatWasSent) {
  Mosquitto broker(folder_);
  Subscriber subscriber(broker.uri());
  auto command = replay_command(broker);
  command.insert(command.end(), {"--speed", "3000"});  // 10 messages a second
  Child replay(command, folder_ / "replay.out");
  ASSERT_TRUE(subscriber.wait_for(4));
  replay.signal(SIGINT);
  EXPECT_EQ(replay.wait(), 130);
  const auto report = boost::json::parse(replay.output()).as_object();
  EXPECT_EQ(report.at("outcome").as_string(), "stopped");
  EXPECT_GE(report.at("messages").as_int64(), 2);
  EXPECT_LT(report.at("messages").as_int64(), 10'000);
}

TEST_F(BrokerRun, ABrokerThatDoesNotComeBackIsGivenUp) {
  Mosquitto broker(folder_);
  Subscriber subscriber(broker.uri());
  auto command = replay_command(broker);
  command.insert(command.end(), {"--speed", "3000", "--give-up", "1s"});
  Child replay(command, folder_ / "replay.out");
  ASSERT_TRUE(subscriber.wait_for(4));
  broker.stop();
  EXPECT_EQ(replay.wait(), 1);
  EXPECT_NE(replay.output().find("the broker did not come back within 1 s"), std::string::npos) << replay.output();
}

TEST_F(BrokerRun, ARefusalIsReportedAtOnceAndAsARefusal) {
  Mosquitto broker(folder_, kNobodyMayComeIn);
  Child replay(replay_command(broker), folder_ / "replay.out");
  EXPECT_EQ(replay.wait(), 1);
  EXPECT_NE(replay.output().find(R"("outcome":"refused")"), std::string::npos) << replay.output();
  EXPECT_NE(replay.output().find("does not authorize this client (CONNACK 5); see --username"), std::string::npos);
  EXPECT_EQ(replay.output().find("--connect-timeout"), std::string::npos) << "waiting would not help";
}

}  // namespace
}  // namespace fettle::sim
