// That the bytes which sparkplug_load.h patches together are what Protobuf reads, and add up to what is expected of the
// gateway.

#include "tests/bench/sparkplug_load.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>

#include "gateway/sparkplug/payload.pb.h"

namespace fettle::bench {
namespace {

using sparkplug::wire::Payload;

const std::chrono::sys_time<std::chrono::milliseconds> kNow{std::chrono::milliseconds(1'780'000'000'000)};

struct Published {
  std::string topic;
  Payload payload;
};

// The packets in `bytes`, read as MQTT 3.1.1 section 3.3 says.
std::vector<Published> read(const std::string& bytes) {
  std::vector<Published> all;
  for (std::size_t at = 0; at < bytes.size();) {
    EXPECT_EQ(static_cast<unsigned char>(bytes[at]), kPublishQos0);
    std::size_t left = 0;
    unsigned shift = 0;
    do {
      ++at;
      left |= static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]) & 127U) << shift;
      shift += 7;
    } while ((static_cast<unsigned char>(bytes[at]) & 128U) != 0);
    ++at;
    const std::size_t topic = static_cast<std::size_t>(static_cast<unsigned char>(bytes[at])) * 256 +
                              static_cast<unsigned char>(bytes[at + 1]);
    Published& message = all.emplace_back();
    message.topic = bytes.substr(at + 2, topic);
    EXPECT_TRUE(message.payload.ParseFromString(bytes.substr(at + 2 + topic, left - 2 - topic)));
    at += left;
  }
  return all;
}

TEST(SparkplugLoad, BytesAreReadByProtobufAndAddUpToWhatIsExpected) {
  SparkplugLoad load({.assets = 30, .signals = 7, .nodes = 4, .rounds = 20}, kNow);
  std::int64_t metered = 0;
  std::uint64_t readings = 0;
  for (std::size_t round = 0; round <= 20; ++round) {
    std::string bytes;
    for (std::size_t asset = 0; asset < 30; ++asset) load.put_data(asset, round, (round * 30 + asset) % 256, bytes);
    const std::vector<Published> messages = read(bytes);
    ASSERT_EQ(messages.size(), 30U);
    for (std::size_t asset = 0; asset < 30; ++asset) {
      const auto& [topic, payload] = messages[asset];
      EXPECT_EQ(topic, "spBv1.0/bench/DDATA/" + node_name(asset, 4) + '/' + asset_name(asset));
      EXPECT_EQ(payload.seq(), (round * 30 + asset) % 256);
      const auto time = static_cast<std::int64_t>(payload.timestamp());
      EXPECT_EQ(time, (kNow - (20 - static_cast<std::int64_t>(round)) * kInterval).time_since_epoch().count());
      ASSERT_EQ(payload.metrics_size(), 7);
      for (const auto& metric : payload.metrics()) {
        EXPECT_EQ(metric.timestamp(), payload.timestamp());
        EXPECT_FALSE(metric.has_name());
        metered += std::llround(metric.double_value() * 100);
        ++readings;
      }
    }
  }
  EXPECT_EQ(metered, load.expected().metered);
  EXPECT_EQ(readings, load.expected().readings);
}

TEST(SparkplugLoad, BirthsGiveEachAliasOfANodeToOneMetric) {
  SparkplugLoad load({.assets = 30, .signals = 7, .nodes = 4, .rounds = 20}, kNow);
  for (std::size_t node = 0; node < 4; ++node) {
    std::string births;
    load.put_node_birth(node, births);
    std::map<std::size_t, std::set<std::uint64_t>> born;  // aliases by asset
    for (std::size_t asset = node; asset < 30; asset += 4) load.put_device_birth(asset, 1, births);
    const std::vector<Published> messages = read(births);
    EXPECT_EQ(messages.front().topic, "spBv1.0/bench/NBIRTH/" + node_name(node, 4));
    EXPECT_EQ(messages.front().payload.seq(), 0U);
    std::set<std::uint64_t> aliases;
    for (std::size_t i = 1; i < messages.size(); ++i) {
      for (const auto& metric : messages[i].payload.metrics()) {
        EXPECT_TRUE(metric.has_name());
        EXPECT_TRUE(aliases.insert(metric.alias()).second) << metric.alias();
        born[node + 4 * (i - 1)].insert(metric.alias());
      }
    }
    for (const auto& [asset, of_birth] : born) {
      std::string bytes;
      load.put_data(asset, 1, 0, bytes);
      std::set<std::uint64_t> of_data;
      const std::vector<Published> data = read(bytes);
      for (const auto& metric : data.front().payload.metrics()) of_data.insert(metric.alias());
      EXPECT_EQ(of_data, of_birth) << asset;
    }
  }
}

}  // namespace
}  // namespace fettle::bench
