// fettle-sim as Sparkplug edge nodes on a real Mosquitto: births, data, rebirths, hosts that go and come back, kills.

#include <gtest/gtest.h>
#include <mqtt/async_client.h>
#include <stdlib.h>

#include <boost/json.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "firmware-sim/load.h"
#include "gateway/sparkplug/payload.pb.h"
#include "gateway/sparkplug/topic.h"
#include "tests/firmware_sim/child.h"
#include "tests/firmware_sim/mosquitto.h"

namespace fettle::sim {
namespace {

namespace fs = std::filesystem;
namespace sp = fettle::sparkplug;
using std::chrono::seconds;

constexpr const char* kStart = "2026-01-01T00:00:00Z";
const EventTime kStartTime{seconds(1'767'225'600)};
constexpr std::uint64_t kSeed = 42;
constexpr std::uint64_t kSignals = 3;

// Device, signal, ms: what a reading is known by, whoever sent it and however often.
using Identity = std::tuple<std::string, std::string, std::uint64_t>;

// A host as far as a node can see one: its STATE, its subscription, and what arrived, decoded with Protobuf's own code.
class Host {
 public:
  Host(const std::string& uri, std::string id) : uri_(uri), id_(std::move(id)) {}

  // Online: a Will, the subscription, then STATE, retained, as the specification has it. Without an id no STATE.
  void join() {
    client_ = std::make_unique<mqtt::async_client>(uri_, id_.empty() ? "onlooker" : "host-" + id_);
    client_->set_message_callback([this](const mqtt::const_message_ptr& message) { take(*message); });
    mqtt::connect_options options;
    options.set_clean_session(true);
    const auto stamp = ++state_time_;
    if (!id_.empty()) options.set_will(mqtt::will_options(*state(false, stamp)));
    client_->connect(options)->wait();
    client_->subscribe("spBv1.0/#", 0)->wait();
    if (!id_.empty()) client_->publish(state(true, stamp))->wait();
  }

  // Gone as after kill -9. The last messages it took were not on its disk yet. Paho takes leave even of a client that
  // is just destroyed, so the broker would keep the Will to itself: here the test says what the Will says.
  void die(std::size_t forgotten) {
    client_->publish(state(false, state_time_))->wait();
    client_.reset();
    const std::lock_guard lock(mutex_);
    while (forgotten-- > 0 && !taken_.empty()) {
      for (const auto& identity : taken_.back()) {
        const auto at = values_.find(identity);
        if (at != values_.end() && --at->second.times == 0) values_.erase(at);
      }
      taken_.pop_back();
    }
  }

  // Cut off: its broker is gone.
  void lose() { client_.reset(); }

  void ask_for_rebirth(const std::string& group, const std::string& node) {
    sp::wire::Payload payload;
    auto& metric = *payload.add_metrics();
    metric.set_name("Node Control/Rebirth");
    metric.set_boolean_value(true);
    client_->publish(sp::format_topic(sp::MessageType::ncmd, group, node), payload.SerializeAsString(), 0, false)
        ->wait();
  }

  std::size_t distinct() {
    const std::lock_guard lock(mutex_);
    return values_.size();
  }
  std::size_t count(sp::MessageType type) {
    const std::lock_guard lock(mutex_);
    return counts_[type];
  }
  std::size_t historical() {
    const std::lock_guard lock(mutex_);
    return historical_;
  }
  std::vector<std::string> complaints() {
    const std::lock_guard lock(mutex_);
    return complaints_;
  }

  // What differs between what came and what the load is known to consist of.
  std::vector<std::string> differences(std::uint64_t assets, std::uint64_t steps) {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    std::size_t expected = 0;
    for (std::uint64_t asset = 0; asset < assets; ++asset) {
      for (std::uint64_t signal = 0; signal < kSignals; ++signal) {
        for (std::uint64_t step = 0; step < steps; ++step) {
          const EventTime at = kStartTime + seconds(step);
          double value = static_cast<double>(load_value(kSeed, asset, signal, at));
          if (load_kind(signal) == LoadKind::kGauge) value /= 100;
          const Identity identity{load_asset_name(asset), load_signal_name(signal),
                                  static_cast<std::uint64_t>(at.time_since_epoch().count())};
          ++expected;
          const auto came = values_.find(identity);
          if (came != values_.end() && came->second.value == value) continue;
          found.push_back(std::get<0>(identity) + " " + std::get<1>(identity) + " step " + std::to_string(step));
        }
      }
    }
    if (values_.size() != expected) found.push_back(std::to_string(values_.size()) + " readings came");
    return found;
  }

 private:
  struct Came {
    double value = 0;
    std::size_t times = 0;
  };

  mqtt::message_ptr state(bool online, std::uint64_t stamp) const {
    const std::string text =
        std::string(R"({"online":)") + (online ? "true" : "false") + R"(,"timestamp":)" + std::to_string(stamp) + "}";
    return mqtt::make_message(sp::state_topic(id_), text, 1, true);
  }

  void take(const mqtt::message& message) {
    const std::lock_guard lock(mutex_);
    const std::string name = message.get_topic();
    const auto topic = sp::parse_topic(name);
    sp::wire::Payload payload;
    if (!topic) {
      complaints_.push_back(name + " is no topic of Sparkplug");
      return;
    }
    ++counts_[topic->type];
    if (topic->type == sp::MessageType::state || topic->type == sp::MessageType::ncmd) return;
    if (!payload.ParseFromString(message.get_payload_str())) {
      complaints_.push_back(name + " carries no payload of Sparkplug");
      return;
    }
    follow_order(*topic, payload);
    remember(*topic, payload);
  }

  void follow_order(const sp::Topic& topic, const sp::wire::Payload& payload) {
    const std::string node = std::string(topic.group) + "/" + std::string(topic.node);
    if (topic.type == sp::MessageType::ndeath) {
      seq_.erase(node);
      return;
    }
    if (topic.type == sp::MessageType::nbirth) {
      seq_[node] = 0;
      if (payload.seq() != 0) complaints_.push_back("an NBIRTH with seq " + std::to_string(payload.seq()));
      return;
    }
    const auto at = seq_.find(node);
    if (at == seq_.end()) return;  // joined late
    at->second = (at->second + 1) % 256;
    if (payload.seq() != at->second)
      complaints_.push_back(node + ": a gap before seq " + std::to_string(payload.seq()));
    at->second = payload.seq();
  }

  void remember(const sp::Topic& topic, const sp::wire::Payload& payload) {
    if (topic.device.empty()) return;
    auto& names = names_[std::string(topic.device)];
    std::vector<Identity> identities;
    for (const auto& metric : payload.metrics()) {
      if (topic.type == sp::MessageType::dbirth) {
        if (metric.has_alias()) names[metric.alias()] = metric.name();
        continue;  // the present; its readings come as data, too
      }
      const std::string name = metric.has_name() ? metric.name() : names[metric.alias()];
      const double value = metric.has_double_value()
                               ? metric.double_value()
                               : static_cast<double>(static_cast<std::int64_t>(metric.long_value()));
      const Identity identity{std::string(topic.device), name, metric.timestamp()};
      auto& came = values_[identity];
      if (came.times > 0 && came.value != value) complaints_.push_back(name + " came with two values");
      came.value = value;
      ++came.times;
      identities.push_back(identity);
      if (metric.is_historical()) ++historical_;
    }
    taken_.push_back(std::move(identities));
  }

  std::string uri_;
  std::string id_;
  std::uint64_t state_time_ = 1'000;
  std::mutex mutex_;
  std::map<Identity, Came> values_;
  std::vector<std::vector<Identity>> taken_;  // message by message
  std::map<sp::MessageType, std::size_t> counts_;
  std::map<std::string, std::uint64_t> seq_;
  std::map<std::string, std::map<std::uint64_t, std::string>> names_;
  std::size_t historical_ = 0;
  std::vector<std::string> complaints_;
  std::unique_ptr<mqtt::async_client> client_;  // last: its callbacks end before the rest does
};

class EdgeRun : public testing::Test {
 protected:
  EdgeRun() {
    std::string name = (fs::temp_directory_path() / "fettle-edge-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~EdgeRun() override { fs::remove_all(folder_); }

  std::vector<std::string> load_command(const std::string& uri, std::uint64_t assets, std::uint64_t steps,
                                        const std::vector<std::string>& more) const {
    std::vector<std::string> words = {FETTLE_BIN_DIR "/fettle-sim",
                                      "load",
                                      "--sparkplug",
                                      "--broker",
                                      uri,
                                      "--assets",
                                      std::to_string(assets),
                                      "--signals",
                                      std::to_string(kSignals),
                                      "--for",
                                      std::to_string(steps) + "s",
                                      "--start",
                                      kStart,
                                      "--seed",
                                      std::to_string(kSeed),
                                      "--group",
                                      "plant",
                                      "--json"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  // The report is the last line; lines before it are for people.
  static boost::json::object report_of(const Child& child) {
    const std::string text = child.output();
    const auto begin = text.rfind("{\"outcome\"");
    if (begin == std::string::npos) throw std::runtime_error("no report: " + text);
    return boost::json::parse(text.substr(begin, text.find('\n', begin) - begin)).as_object();
  }

  std::uint64_t buffer_size() const {
    std::error_code absent;
    const auto size = fs::file_size(buffer(), absent);
    return absent ? 0 : size;
  }

  fs::path buffer() const { return folder_ / "buffer"; }
  fs::path output() const { return folder_ / "sim.out"; }

  fs::path folder_;
};

TEST_F(EdgeRun, NodesAreBornSendEveryReadingAndDieInGoodOrder) {
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--aliases", "--per-message", "2"}}) {
    const Mosquitto broker(folder_ / "broker");
    Host host(broker.uri(), {});
    host.join();
    auto words = load_command(broker.uri(), 5, 40, {"--nodes", "2", "--overlap", "0s"});
    words.insert(words.end(), more.begin(), more.end());
    Child sim(words, output());
    EXPECT_EQ(sim.wait(), 0) << sim.output();
    EXPECT_TRUE(until([&] { return host.count(sp::MessageType::ndeath) == 2; }));
    EXPECT_EQ(host.count(sp::MessageType::nbirth), 2U);
    EXPECT_EQ(host.count(sp::MessageType::dbirth), 5U);
    EXPECT_EQ(host.count(sp::MessageType::ddata), more.empty() ? 200U : 400U);
    EXPECT_EQ(host.differences(5, 40), std::vector<std::string>{});
    EXPECT_EQ(host.complaints(), std::vector<std::string>{});
    const auto report = report_of(sim);
    EXPECT_EQ(report.at("live").as_int64(), 600);
    EXPECT_EQ(report.at("historical").as_int64(), 0);
    EXPECT_EQ(report.at("nodes").as_int64(), 2);
    fs::remove_all(folder_ / "broker");
  }
}

TEST_F(EdgeRun, WhileTheHostIsAwayReadingsAreKeptAndComeAsHistoryAfterwards) {
  const Mosquitto broker(folder_ / "broker");
  Host onlooker(broker.uri(), {});
  onlooker.join();
  Host host(broker.uri(), "fettle");
  host.join();
  // 5 x 1,500 messages at 1,000 a second.
  Child sim(load_command(broker.uri(), 5, 1'500,
                         {"--primary-host", "fettle", "--rate", "1000", "--overlap", "2s", "--buffer",
                          buffer().string(), "--nodes", "1"}),
            output());
  ASSERT_TRUE(until([&] { return host.distinct() >= 2'000; })) << sim.output();
  host.die(200);
  ASSERT_TRUE(until([&] { return onlooker.count(sp::MessageType::ndeath) == 1; })) << "the node leaves";
  const auto sent_before = onlooker.count(sp::MessageType::ddata);
  const auto size = buffer_size();
  ASSERT_TRUE(until([&] { return buffer_size() > size + 50'000; })) << "it goes on measuring";
  EXPECT_EQ(onlooker.count(sp::MessageType::ddata), sent_before) << "and sends nothing";
  host.join();
  EXPECT_EQ(sim.wait(), 0) << sim.output();
  EXPECT_TRUE(until([&] { return host.count(sp::MessageType::ndeath) >= 1; }));
  EXPECT_EQ(host.differences(5, 1'500), std::vector<std::string>{});
  const auto report = report_of(sim);
  EXPECT_EQ(report.at("outcome").as_string(), "done");
  EXPECT_EQ(report.at("host_absences").as_int64(), 1);
  EXPECT_EQ(report.at("births").as_int64(), 2);
  EXPECT_EQ(report.at("dropped").as_int64(), 0);
  EXPECT_GT(report.at("historical").as_int64(), 0);
  EXPECT_GE(report.at("live").as_int64() + report.at("historical").as_int64(), 22'500);
  EXPECT_EQ(onlooker.complaints(), std::vector<std::string>{});
}

TEST_F(EdgeRun, NothingKeptIsLostWhenTheSimulatorIsKilled) {
  const Mosquitto broker(folder_ / "broker");
  const auto words = load_command(
      broker.uri(), 5, 800,
      {"--primary-host", "fettle", "--rate", "2000", "--overlap", "1s", "--buffer", buffer().string(), "--aliases"});
  std::vector<std::uint64_t> sizes = {30'000, 90'000, 150'000};
  Host host(broker.uri(), "fettle");
  for (std::size_t kill = 0; kill < sizes.size(); ++kill) {
    // Killed the first time before any host was there, later while it sends.
    if (kill == 1) host.join();
    Child sim(words, output());
    ASSERT_TRUE(until([&] { return buffer_size() >= sizes[kill]; })) << sim.output();
    sim.signal(SIGKILL);
    EXPECT_EQ(sim.wait(), 128 + SIGKILL);
  }
  Child sim(words, output());
  EXPECT_EQ(sim.wait(), 0) << sim.output();
  EXPECT_TRUE(until([&] { return host.differences(5, 800).empty(); }))
      << host.differences(5, 800).size() << " differences, first " << host.differences(5, 800).front();
  EXPECT_EQ(report_of(sim).at("pending").as_int64(), 0);
  EXPECT_NE(sim.output().find("readings of an earlier run are sent as history"), std::string::npos) << sim.output();
  EXPECT_LT(buffer_size(), 200U) << "what is out is no longer kept";
}

TEST_F(EdgeRun, ABrokerThatIsRestartedCostsNothing) {
  Mosquitto broker(folder_ / "broker");
  Host host(broker.uri(), "fettle");
  host.join();
  Child sim(
      load_command(broker.uri(), 5, 400,
                   {"--primary-host", "fettle", "--rate", "1000", "--overlap", "2s", "--buffer", buffer().string()}),
      output());
  ASSERT_TRUE(until([&] { return host.distinct() >= 1'500; })) << sim.output();
  broker.stop();
  host.lose();
  broker.start();
  host.join();
  EXPECT_EQ(sim.wait(), 0) << sim.output();
  EXPECT_TRUE(until([&] { return host.differences(5, 400).empty(); })) << host.differences(5, 400).size();
  EXPECT_GE(report_of(sim).at("connections").as_int64(), 2);
}

TEST_F(EdgeRun, AFullBufferSaysWhatItDrops) {
  const Mosquitto broker(folder_ / "broker");
  Host host(broker.uri(), "fettle");
  Child sim(load_command(broker.uri(), 5, 400,
                         {"--primary-host", "fettle", "--rate", "5000", "--overlap", "100ms", "--buffer",
                          buffer().string(), "--buffer-size", "65536"}),
            output());
  ASSERT_TRUE(until([&] { return sim.output().find("the oldest readings are dropped") != std::string::npos; }));
  host.join();
  EXPECT_EQ(sim.wait(), 0) << sim.output();
  EXPECT_TRUE(until([&] { return host.count(sp::MessageType::ndeath) == 1; }));
  const auto dropped = static_cast<std::size_t>(report_of(sim).at("dropped").as_int64());
  EXPECT_GT(dropped, 0U);
  EXPECT_EQ(host.distinct() + dropped, 6'000U) << "what did not come was counted";
}

TEST_F(EdgeRun, HeldOpenItAnswersRebirthsUntilItIsStopped) {
  const Mosquitto broker(folder_ / "broker");
  Host host(broker.uri(), {});
  host.join();
  Child sim(load_command(broker.uri(), 2, 10, {"--hold-open", "--overlap", "0s", "--node", "line"}), output());
  ASSERT_TRUE(until([&] { return host.distinct() == 60; })) << sim.output();
  for (std::size_t births = 2; births <= 4; ++births) {
    host.ask_for_rebirth("plant", "line");
    ASSERT_TRUE(until([&] { return host.count(sp::MessageType::nbirth) == births; }));
    ASSERT_TRUE(until([&] { return host.count(sp::MessageType::dbirth) == births * 2; }));
  }
  EXPECT_EQ(host.count(sp::MessageType::ndeath), 0U);
  sim.signal(SIGTERM);
  EXPECT_EQ(sim.wait(), 0) << sim.output();
  EXPECT_TRUE(until([&] { return host.count(sp::MessageType::ndeath) == 1; }));
  EXPECT_EQ(report_of(sim).at("rebirths").as_int64(), 3);
  EXPECT_EQ(host.complaints(), std::vector<std::string>{});
}

TEST_F(EdgeRun, OfSeveralBrokersTheOneWithTheHostIsFound) {
  const Mosquitto first(folder_ / "first");
  const Mosquitto second(folder_ / "second");
  Host elsewhere(first.uri(), "another-host");
  elsewhere.join();
  Host host(second.uri(), "fettle");
  host.join();
  Child sim(load_command(first.uri() + "," + second.uri(), 2, 20, {"--primary-host", "fettle", "--overlap", "0s"}),
            output());
  EXPECT_EQ(sim.wait(), 0) << sim.output();
  EXPECT_TRUE(until([&] { return host.differences(2, 20).empty(); }));
  EXPECT_EQ(elsewhere.count(sp::MessageType::nbirth), 0U);
}

TEST_F(EdgeRun, OverTlsWithAPassword) {
  const auto run = [&](std::vector<std::string> words) {
    Child child(words, folder_ / "tool.out");
    const int code = child.wait();
    ASSERT_EQ(code, 0) << child.output();
  };
  run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
       "subjectAltName=DNS:localhost", "-keyout", (folder_ / "key.pem").string(), "-out",
       (folder_ / "cert.pem").string()});
  run({"mosquitto_passwd", "-b", "-c", (folder_ / "passwords").string(), "sim", "secret"});
  std::ofstream(folder_ / "password") << "secret\n";
  const Mosquitto broker(folder_ / "broker",
                         "certfile " + (folder_ / "cert.pem").string() + "\nkeyfile " + (folder_ / "key.pem").string() +
                             "\nallow_anonymous false\npassword_file " + (folder_ / "passwords").string() + "\n");
  const std::vector<std::string> secured = {"--overlap",
                                            "0s",
                                            "--username",
                                            "sim",
                                            "--password-file",
                                            (folder_ / "password").string(),
                                            "--ca",
                                            (folder_ / "cert.pem").string()};
  Child sim(load_command(broker.uri("ssl", "localhost"), 2, 20, secured), output());
  EXPECT_EQ(sim.wait(), 0) << sim.output();
  EXPECT_EQ(report_of(sim).at("live").as_int64(), 120);
  // The certificate is made out to another name.
  auto wrong = secured;
  wrong.insert(wrong.end(), {"--connect-timeout", "300ms"});
  Child refused(load_command(broker.uri("ssl", "127.0.0.1"), 2, 20, wrong), output());
  EXPECT_EQ(refused.wait(), 1) << refused.output();
  EXPECT_EQ(report_of(refused).at("live").as_int64(), 0);
}

TEST_F(EdgeRun, TheLiftFleetSpeaksSparkplugToo) {
  const Mosquitto broker(folder_ / "broker");
  Host host(broker.uri(), {});
  host.join();
  Child sim({FETTLE_BIN_DIR "/fettle-sim", "fleet", "--sparkplug", "--broker", broker.uri(), "--lifts", "3",
             "--duration", "1d", "--overlap", "0s", "--json"},
            output());
  EXPECT_EQ(sim.wait(), 0) << sim.output();
  EXPECT_TRUE(until([&] { return host.count(sp::MessageType::ndeath) == 1; }));
  EXPECT_EQ(host.count(sp::MessageType::dbirth), 3U);
  EXPECT_GE(host.count(sp::MessageType::ddata), 3U * 288U);
  EXPECT_GE(host.distinct(), 3U * 288U * 5U);
  EXPECT_EQ(host.complaints(), std::vector<std::string>{});
}

}  // namespace
}  // namespace fettle::sim
