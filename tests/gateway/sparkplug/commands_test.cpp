// Commands as they go out, read back with the generated code.

#include "gateway/sparkplug/commands.h"

#include <gtest/gtest.h>

#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/messages.h"

namespace fettle::sparkplug::testing {
namespace {

const Time kNow(std::chrono::milliseconds(1'767'225'600'000));

wire::Payload read(const CommandMessage& message) {
  wire::Payload payload;
  EXPECT_TRUE(payload.ParseFromString(message.payload));
  return payload;
}

TEST(Commands, ARebirthIsAskedForByNameInAnNcmd) {
  COVERS("operational-behavior-data-commands-ncmd-rebirth-verb", "operational-behavior-data-commands-ncmd-rebirth-name",
         "operational-behavior-data-commands-ncmd-rebirth-value", "topics-ncmd-topic", "topics-ncmd-mqtt",
         "topics-ncmd-timestamp", "payloads-ncmd-timestamp", "payloads-ncmd-seq", "payloads-ncmd-qos",
         "payloads-ncmd-retain", "operational-behavior-data-commands-rebirth-name-aliases",
         "operational-behavior-data-commands-rebirth-datatype");
  const CommandMessage message = rebirth_command("plant", "n1", kNow);
  EXPECT_EQ(message.topic, "spBv1.0/plant/NCMD/n1");
  EXPECT_EQ(message.qos, 0);
  EXPECT_FALSE(message.retain);
  const wire::Payload payload = read(message);
  EXPECT_EQ(payload.timestamp(), 1'767'225'600'000u);
  EXPECT_FALSE(payload.has_seq());
  ASSERT_EQ(payload.metrics_size(), 1);
  EXPECT_EQ(payload.metrics(0).name(), "Node Control/Rebirth");
  EXPECT_FALSE(payload.metrics(0).has_alias());
  EXPECT_EQ(payload.metrics(0).datatype(), 11u);
  EXPECT_TRUE(payload.metrics(0).boolean_value());
}

TEST(Commands, ToANodeWriteMetricsOfItsBirth) {
  COVERS("topics-ncmd-payload", "operational-behavior-data-commands-ncmd-verb",
         "operational-behavior-data-commands-ncmd-metric-name", "operational-behavior-data-commands-ncmd-metric-value",
         "payloads-name-cmd-requirement");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  const MetricWrite writes[] = {{"Speed", 2.5, Time(std::chrono::milliseconds(5))}, {"Count", std::int64_t{-3}, {}}};
  const auto message = write_command(host.nodes.source(0), writes, kNow);
  ASSERT_TRUE(message) << message.error().detail;
  EXPECT_EQ(message->topic, "spBv1.0/plant/NCMD/n1");
  const wire::Payload payload = read(*message);
  ASSERT_EQ(payload.metrics_size(), 2);
  EXPECT_EQ(payload.metrics(0).alias(), 1u) << "metrics with an alias are named by it alone";
  EXPECT_FALSE(payload.metrics(0).has_name());
  EXPECT_FALSE(payload.metrics(0).has_datatype());
  EXPECT_EQ(payload.metrics(0).double_value(), 2.5);
  EXPECT_EQ(payload.metrics(0).timestamp(), 5u);
  EXPECT_EQ(payload.metrics(1).int_value(), 0xFFFFFFFDu);
  EXPECT_FALSE(payload.metrics(1).has_timestamp());
}

TEST(Commands, ToADeviceAreDcmds) {
  COVERS("topics-dcmd-topic", "topics-dcmd-mqtt", "topics-dcmd-timestamp", "topics-dcmd-payload",
         "operational-behavior-data-commands-dcmd-verb", "operational-behavior-data-commands-dcmd-metric-name",
         "operational-behavior-data-commands-dcmd-metric-value", "payloads-dcmd-timestamp", "payloads-dcmd-seq",
         "payloads-dcmd-qos", "payloads-dcmd-retain");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  host.send(Host::topic("DBIRTH", "n1", "d1"), P(1, 900, {M::named("Setpoint").type(DataType::float64).number(1)}));
  const MetricWrite writes[] = {{"Setpoint", 21.5, {}}};
  const auto message = write_command(host.nodes.source(1), writes, kNow);
  ASSERT_TRUE(message) << message.error().detail;
  EXPECT_EQ(message->topic, "spBv1.0/plant/DCMD/n1/d1");
  EXPECT_EQ(message->qos, 0);
  EXPECT_FALSE(message->retain);
  const wire::Payload payload = read(*message);
  EXPECT_EQ(payload.timestamp(), 1'767'225'600'000u);
  EXPECT_FALSE(payload.has_seq());
  ASSERT_EQ(payload.metrics_size(), 1);
  EXPECT_EQ(payload.metrics(0).name(), "Setpoint");
  EXPECT_EQ(payload.metrics(0).double_value(), 21.5);
}

struct RefusedWrite {
  const char* title;
  MetricWrite write;
  const char* reason;
};

TEST(Commands, ThatDoNotFitTheBirthAreRefused) {
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  const RefusedWrite rows[] = {
      {"no such metric", {"Sped", 1.0, {}}, "unknown_metric"},
      {"a fraction for an Int32", {"Count", 1.5, {}}, "wrong_type"},
      {"an Int32 out of its range", {"Count", std::int64_t{3'000'000'000}, {}}, "wrong_type"},
      {"a text for a Double", {"Speed", std::string("fast"), {}}, "wrong_type"},
      {"a number for a Boolean", {"Node Control/Rebirth", std::int64_t{1}, {}}, "wrong_type"},
  };
  for (const RefusedWrite& row : rows) {
    const auto message = write_command(host.nodes.source(0), {&row.write, 1}, kNow);
    ASSERT_FALSE(message) << row.title;
    EXPECT_EQ(message.error().reason, row.reason) << row.title;
    EXPECT_NE(message.error().detail.find("plant/n1"), std::string::npos) << message.error().detail;
  }
  EXPECT_EQ(write_command(host.nodes.source(0), {}, kNow).error().reason, "nothing_to_write");
  host.send(Host::topic("NDEATH"), Host::death(0));
  EXPECT_EQ(write_command(host.nodes.source(0), {&rows[0].write, 1}, kNow).error().reason, "offline");
}

}  // namespace
}  // namespace fettle::sparkplug::testing
