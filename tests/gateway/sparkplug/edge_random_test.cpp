// Laws of an edge node under random histories: whatever happens in whatever order, what it wants sent is in order.

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <set>
#include <string>

#include "tests/gateway/sparkplug/edge_stage.h"

namespace fettle::sparkplug::edge {
namespace {

using std::chrono::seconds;

// Follows the actions as a broker and a host would, and complains about what must never be.
class Witness {
 public:
  void see(const Action& action) {
    if (const auto* connect = std::get_if<Connect>(&action)) {
      EXPECT_FALSE(connected_) << "one server at a time";
      connected_ = true;
      EXPECT_EQ(connect->session, next_session_);
      session_ = connect->session;
      next_session_ = static_cast<std::uint8_t>(session_ + 1);
      seq_.reset();
      EXPECT_EQ(metric_named(decoded(connect->will).payload, "bdSeq").long_value(), session_);
    } else if (std::holds_alternative<Disconnect>(action)) {
      EXPECT_TRUE(died_ || !seq_) << "a death goes before a disconnect";
      lose();
    } else if (const auto* publication = std::get_if<Publish>(&action)) {
      see(decoded(*publication));
    }
  }

  void lose() {
    connected_ = false;
    seq_.reset();
    died_ = false;
    up_.clear();
  }

 private:
  void see(const Published& message) {
    EXPECT_TRUE(connected_) << message.topic;
    EXPECT_FALSE(died_) << message.topic << " after the node's death";
    if (message.type == MessageType::ndeath) {
      EXPECT_EQ(metric_named(message.payload, "bdSeq").long_value(), session_);
      EXPECT_FALSE(message.payload.has_seq());
      died_ = true;
      return;
    }
    if (message.type == MessageType::nbirth) {
      EXPECT_EQ(metric_named(message.payload, "bdSeq").long_value(), session_);
      EXPECT_EQ(message.payload.seq(), 0U);
      seq_ = 0;
      up_.clear();
      return;
    }
    ASSERT_TRUE(seq_) << message.topic << " before the node's birth";
    seq_ = static_cast<std::uint8_t>(*seq_ + 1);
    EXPECT_EQ(message.payload.seq(), *seq_) << message.topic;
    if (message.type == MessageType::dbirth) {
      EXPECT_TRUE(up_.insert(message.device).second);
    } else if (message.type == MessageType::ddeath) {
      EXPECT_EQ(up_.erase(message.device), 1U);
    } else if (message.type == MessageType::ddata) {
      EXPECT_TRUE(up_.contains(message.device)) << "data before the device's birth";
    }
  }

  bool connected_ = false;
  bool died_ = false;
  std::uint8_t session_ = 0;
  std::uint8_t next_session_ = 0;
  std::optional<std::uint8_t> seq_;
  std::set<std::string> up_;
};

void live(std::uint64_t seed, const EdgeConfig& config) {
  std::mt19937_64 random(seed);
  const auto below = [&random](std::uint64_t bound) { return random() % bound; };
  Stage stage(config);
  Witness witness;
  stage.start();
  for (int step = 0; step < 400 && !testing::Test::HasFailure(); ++step) {
    for (const auto& action : stage.actions) witness.see(action);
    stage.clear();
    stage.now += milliseconds(below(500));
    const std::size_t device = below(2);
    switch (below(12)) {
      case 0:
        stage.connected();
        break;
      case 1:
        if (below(3) == 0) {
          stage.disconnected();
          for (const auto& action : stage.actions) witness.see(action);
          stage.clear();
          witness.lose();
        }
        break;
      case 2:
        stage.state("fettle", below(3) != 0, stage.now - seconds(below(3)));
        break;
      case 3:
        stage.ask_for_rebirth();
        break;
      case 4:
        stage([&](EdgeNode& n, Time t) { n.device_down(device, t); });
        break;
      case 5:
        stage([&](EdgeNode& n, Time t) { n.device_up(device, t); });
        break;
      case 6:
        stage([](EdgeNode& n, Time t) { n.tick(t + seconds(10)); });
        break;
      case 7:
        stage.write_history(device, {{below(2), 1.0, stage.now - seconds(100), Quality::good}});
        break;
      case 8:
        if (below(10) == 0) {
          stage.stop();
          stage.start();
        }
        break;
      case 9:
        stage.write(std::nullopt, below(2), static_cast<double>(below(3)));
        break;
      default:
        stage.write(device, below(2), static_cast<double>(below(3)));
    }
  }
}

TEST(EdgeLaws, HoldUnderEveryHistory) {
  for (std::uint64_t seed = 1; seed <= 300 && !HasFailure(); ++seed) {
    auto config = plain_config();
    if (seed % 2 == 0) config.primary_host = "fettle";
    if (seed % 3 == 0) config.servers = 3;
    if (seed % 5 == 0) config.aliases = Aliases::every_metric;
    live(seed, config);
    EXPECT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace fettle::sparkplug::edge
