// Addresses of brokers: what is read, what is refused, how Paho gets them.

#include "gateway/mqtt/broker_uri.h"

#include <gtest/gtest.h>

namespace fettle::mqtt_adapter {
namespace {

struct Address {
  const char* text;
  const char* for_paho;
};

TEST(BrokerUri, IsReadWithItsDefaultPort) {
  for (const Address& address :
       {Address{"tcp://10.0.0.1:1884", "tcp://10.0.0.1:1884"},
        Address{"mqtt://broker.example", "tcp://broker.example:1883"},
        Address{"mqtts://broker.example", "ssl://broker.example:8883"}, Address{"ssl://b-1_x:1", "ssl://b-1_x:1"},
        Address{"mqtts://[::1]", "ssl://[::1]:8883"}, Address{"tcp://[fe80::1]:65535", "tcp://[fe80::1]:65535"}}) {
    const auto uri = parse_broker_uri(address.text);
    ASSERT_TRUE(uri) << address.text;
    EXPECT_EQ(uri->for_paho(), address.for_paho);
  }
}

TEST(BrokerUri, WithTlsOnlyWhereTheSchemeSaysSo) {
  EXPECT_FALSE(parse_broker_uri("tcp://a")->tls);
  EXPECT_FALSE(parse_broker_uri("mqtt://a:8883")->tls);
  EXPECT_TRUE(parse_broker_uri("ssl://a")->tls);
  EXPECT_TRUE(parse_broker_uri("mqtts://a:1883")->tls);
}

TEST(BrokerUri, NothingElseIsOne) {
  for (const char* text :
       {"",           "a:1883",          "tcp:/a",        "tcp://",    "tcp://:1883",  "tcp://a:",
        "tcp://a:0",  "tcp://a:65536",   "tcp://a:1x",    "tcp://a/b", "tcp://user@a", "tcp://a b",
        "tcp://[::1", "tcp://[::1]1883", "tcp://[a/b]:1", "http://a",  "TCP://a",      "tcp://[fe80::1%eth0]",
        "ws://a:1",   "tcp://a:-1"}) {
    EXPECT_FALSE(parse_broker_uri(text)) << text;
  }
  EXPECT_FALSE(parse_broker_uri("tcp://" + std::string(254, 'a')));
  EXPECT_TRUE(parse_broker_uri("tcp://" + std::string(253, 'a')));
}

}  // namespace
}  // namespace fettle::mqtt_adapter
