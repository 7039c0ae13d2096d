#pragma once
// The smart meters of workload.h as devices of Sparkplug edge nodes: birth certificates, then DDATA with all signals of
// one meter by alias. Payloads are encoded once and patched in place, so that the publisher takes little of a machine
// which it shares with what is measured. Deterministic, but for the time it begins at.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/feed.h"
#include "tests/bench/wire.h"
#include "tests/bench/workload.h"

namespace fettle::bench {

struct SparkplugShape {
  std::size_t assets = kAssets;
  std::size_t signals = 1;  // of each asset, all of them in each of its messages
  std::size_t nodes = 4;    // edge nodes, each with a connection of its own
  std::size_t rounds = 20;  // messages of each asset, besides the one before the clock starts
  Condition condition = Condition::window;
};

class SparkplugLoad {
 public:
  // Event times end at `now`.
  SparkplugLoad(const SparkplugShape& shape, std::chrono::sys_time<std::chrono::milliseconds> now);

  const SparkplugShape& shape() const { return shape_; }
  const std::string& catalog() const { return catalog_; }
  const Expected& expected() const { return expected_; }
  std::size_t bytes_of_message() const;  // the first meter's payload

  // PUBLISH packets, QoS 0, appended. `seq`: the node's, 0 to 255.
  void put_node_birth(std::size_t node, std::string& out) const;
  void put_device_birth(std::size_t asset, unsigned seq, std::string& out) const;
  // Round 0 is what prepare() brings. Not const: the payload is patched in place.
  void put_data(std::size_t asset, std::size_t round, unsigned seq, std::string& out);

 private:
  struct Payload {
    std::string topic;
    std::string bytes;              // all but seq
    std::vector<std::uint32_t> at;  // where each metric's timestamp begins; its value begins kValueBehind bytes on
  };
  std::uint64_t time_of(std::size_t round) const;

  SparkplugShape shape_;
  std::uint64_t start_ = 0;  // ms since 1970
  std::string catalog_;
  Expected expected_;
  std::vector<Payload> payloads_;  // by asset
};

// No more than `window` messages ahead of the subscriber: at QoS 0 the broker drops what a slow subscriber leaves
// lying. `rate`: messages a second at most; 0: any.
class SparkplugFeed : public Feed {
 public:
  // `load` must live as long and serve one feed at a time. Throws where the broker does not answer.
  SparkplugFeed(SparkplugLoad& load, int port, std::size_t window, std::size_t rate);

  void prepare() override;
  std::uint64_t prepared_messages() const override;
  std::uint64_t prepared_readings() const override;
  void publish(const Progress& progress) override;
  std::uint64_t messages() const override;

 private:
  struct Node {
    Connection connection;
    std::string pending;   // packets that wait to be sent
    std::size_t sent = 0;  // bytes of them
    unsigned seq = 0;
  };
  void put_next(Node& node, std::size_t message);
  bool send_pending();
  void wait_for_room();

  SparkplugLoad& load_;
  std::size_t window_;
  std::size_t rate_;
  std::vector<Node> nodes_;
};

}  // namespace fettle::bench
