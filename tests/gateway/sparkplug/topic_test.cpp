#include "gateway/sparkplug/topic.h"

#include <gtest/gtest.h>

#include "tests/gateway/sparkplug/covers.h"

namespace fettle::sparkplug {
namespace {

TEST(Topics, AreReadAndWritten) {
  struct Row {
    MessageType type;
    const char* device;
    const char* text;
  };
  const Row rows[] = {
      {MessageType::nbirth, "", "spBv1.0/plant/NBIRTH/n 1"},
      {MessageType::ndeath, "", "spBv1.0/plant/NDEATH/n 1"},
      {MessageType::ndata, "", "spBv1.0/plant/NDATA/n 1"},
      {MessageType::ncmd, "", "spBv1.0/plant/NCMD/n 1"},
      {MessageType::dbirth, "d", "spBv1.0/plant/DBIRTH/n 1/d"},
      {MessageType::ddeath, "d", "spBv1.0/plant/DDEATH/n 1/d"},
      {MessageType::ddata, "d", "spBv1.0/plant/DDATA/n 1/d"},
      {MessageType::dcmd, "d", "spBv1.0/plant/DCMD/n 1/d"},
  };
  for (const Row& row : rows) {
    const auto topic = parse_topic(row.text);
    ASSERT_TRUE(topic) << topic.error().detail;
    EXPECT_EQ(topic->type, row.type);
    EXPECT_EQ(topic->group, "plant");
    EXPECT_EQ(topic->node, "n 1");
    EXPECT_EQ(topic->device, row.device);
    EXPECT_EQ(has_device(row.type), *row.device != '\0');
    EXPECT_EQ(format_topic(row.type, "plant", "n 1", row.device), row.text);
  }
}

TEST(Topics, OfHostsNameTheHost) {
  const auto topic = parse_topic("spBv1.0/STATE/scada");
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->type, MessageType::state);
  EXPECT_EQ(topic->host, "scada");
  EXPECT_EQ(state_topic("scada"), "spBv1.0/STATE/scada");
  const auto group_of_that_name = parse_topic("spBv1.0/STATE/NDATA/n1");
  ASSERT_TRUE(group_of_that_name);
  EXPECT_EQ(group_of_that_name->group, "STATE");
}

TEST(Topics, ThatAreNoneAreRefusedWithAReason) {
  struct Row {
    std::string topic;
    const char* reason;
    const char* says;
  };
  const Row rows[] = {
      {"", "not_sparkplug", "expected spBv1.0/"},
      {"spBv2.0/g/NDATA/n", "not_sparkplug", "expected spBv1.0/"},
      {"spbv1.0/g/NDATA/n", "not_sparkplug", "expected spBv1.0/"},
      {"spBv1.0", "bad_topic", "too short"},
      {"spBv1.0/g", "bad_topic", "too short"},
      {"spBv1.0/g/NDATA", "bad_topic", "no edge node id"},
      {"spBv1.0/g/ndata/n", "unknown_type", "NBIRTH"},
      {"spBv1.0/g/STATE/n", "unknown_type", "NBIRTH"},
      {"spBv1.0/STATE/", "bad_topic", "host id is empty"},
      {"spBv1.0//NDATA/n", "bad_topic", "group id is empty"},
      {"spBv1.0/g/NDATA/", "bad_topic", "edge node id is empty"},
      {"spBv1.0/g/DDATA/n/", "bad_topic", "device id is empty"},
      {"spBv1.0/g/DDATA/n", "bad_topic", "names a device"},
      {"spBv1.0/g/NDATA/n/d", "bad_topic", "names no device"},
      {"spBv1.0/g/DDATA/n/d/x", "bad_topic", "more levels"},
      {"spBv1.0/g\xFF/NDATA/n", "bad_topic", "UTF-8"},
      {"spBv1.0/g/NDATA/" + std::string(1'025, 'n'), "bad_topic", "1025 bytes"},
  };
  for (const Row& row : rows) {
    const auto topic = parse_topic(row.topic);
    ASSERT_FALSE(topic) << row.topic;
    EXPECT_EQ(topic.error().reason, row.reason) << row.topic;
    EXPECT_NE(topic.error().detail.find(row.says), std::string::npos) << topic.error().detail;
  }
}

TEST(Ids, HaveNothingThatMqttKeepsForItself) {
  COVERS("intro-group-id-string", "intro-group-id-chars", "intro-edge-node-id-string", "intro-edge-node-id-chars",
         "intro-device-id-string", "intro-device-id-chars", "topic-structure-namespace-valid-group-id",
         "topic-structure-namespace-valid-edge-node-id", "topic-structure-namespace-valid-device-id");
  for (const char* good : {"a", "Anlage 7", "gr\xC3\xBC\xC3\x9F", "a.b-c_d:e", "\xF0\x9F\x8F\xAD"}) {
    EXPECT_FALSE(problem_of_id(good)) << good;
  }
  for (const std::string& bad : {std::string(), std::string("a+b"), std::string("a/b"), std::string("#"),
                                 std::string("a\0b", 3), std::string("\xC0\xAF"), std::string("\xED\xA0\x80")}) {
    EXPECT_TRUE(problem_of_id(bad)) << bad;
  }
}

}  // namespace
}  // namespace fettle::sparkplug
