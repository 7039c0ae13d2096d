// What an edge node may be called and what it may announce: checked before anything is sent.

#include <gtest/gtest.h>

#include "gateway/sparkplug/edge_config.h"
#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/edge_stage.h"

namespace fettle::sparkplug::edge {
namespace {

using std::string_literals::operator""s;

// Ids that no part of a topic may be.
const std::vector<std::string> kBadIds = {"", "a+b", "a/b", "#", "caf\xe9", "a\xff", "nul\0in it"s};
const std::vector<std::string> kGoodIds = {"a", "line 1", "Halle-Süd", "工場", "$x", "line.1:2"};

std::string said(const EdgeConfig& config) {
  return problem_of(config).value_or("nothing");
}

TEST(EdgeConfiguration, AGroupIdIsTextThatMayStandInATopic) {
  COVERS("intro-group-id-string", "intro-group-id-chars", "topic-structure-namespace-valid-group-id");
  for (const auto& id : kBadIds) {
    auto config = plain_config();
    config.group = id;
    EXPECT_NE(said(config).find("group id"), std::string::npos) << id;
  }
  for (const auto& id : kGoodIds) {
    auto config = plain_config();
    config.group = id;
    EXPECT_EQ(said(config), "nothing");
    const auto stage = online(config);
    EXPECT_EQ(stage.only(MessageType::nbirth).topic, "spBv1.0/" + id + "/NBIRTH/line-1");
  }
  auto config = plain_config();
  config.group = "STATE";
  EXPECT_NE(said(config).find("taken by the hosts"), std::string::npos);
}

TEST(EdgeConfiguration, AnEdgeNodeIdIsTextThatMayStandInATopic) {
  COVERS("intro-edge-node-id-string", "intro-edge-node-id-chars", "topic-structure-namespace-valid-edge-node-id");
  for (const auto& id : kBadIds) {
    auto config = plain_config();
    config.node = id;
    EXPECT_NE(said(config).find("edge node id"), std::string::npos) << id;
  }
  for (const auto& id : kGoodIds) {
    auto config = plain_config();
    config.node = id;
    EXPECT_EQ(said(config), "nothing");
    const auto stage = online(config);
    EXPECT_EQ(stage.only(MessageType::nbirth).topic, "spBv1.0/plant/NBIRTH/" + id);
  }
}

TEST(EdgeConfiguration, ADeviceIdIsTextThatMayStandInATopic) {
  COVERS("intro-device-id-string", "intro-device-id-chars", "topic-structure-namespace-valid-device-id");
  for (const auto& id : kBadIds) {
    auto config = plain_config();
    config.devices[1].id = id;
    EXPECT_NE(said(config).find("device id"), std::string::npos) << id;
  }
  for (const auto& id : kGoodIds) {
    auto config = plain_config();
    config.devices[1].id = id;
    EXPECT_EQ(said(config), "nothing");
    const auto stage = online(config);
    EXPECT_EQ(stage.published(MessageType::dbirth)[1].topic, "spBv1.0/plant/DBIRTH/line-1/" + id);
  }
}

TEST(EdgeConfiguration, AGroupAndANodeIdTogetherNameOneNodeOnly) {
  COVERS("intro-edge-node-id-uniqueness", "topic-structure-namespace-unique-edge-node-descriptor",
         "payloads-nbirth-edge-node-descriptor");
  std::vector<EdgeConfig> nodes = {plain_config(), plain_config()};
  const auto problem = problem_of(nodes);
  ASSERT_TRUE(problem);
  EXPECT_NE(problem->find("'plant/line-1' is there twice"), std::string::npos) << *problem;
  nodes[1].node = "line-2";
  EXPECT_FALSE(problem_of(nodes));
  nodes[1] = plain_config();
  nodes[1].group = "plant-2";
  EXPECT_FALSE(problem_of(nodes));
}

TEST(EdgeConfiguration, ADeviceIdIsUniqueWithinItsNode) {
  COVERS("topic-structure-namespace-unique-device-id");
  auto config = plain_config();
  config.devices[1].id = "press";
  EXPECT_NE(said(config).find("device 'press' is there twice"), std::string::npos) << said(config);
}

TEST(EdgeConfiguration, TwoNodesMayEachHaveADeviceOfTheSameId) {
  COVERS("topic-structure-namespace-duplicate-device-id-across-edge-node");
  std::vector<EdgeConfig> nodes = {plain_config(), plain_config()};
  nodes[1].node = "line-2";
  EXPECT_FALSE(problem_of(nodes));
  EXPECT_EQ(online(nodes[0]).published(MessageType::dbirth)[0].topic, "spBv1.0/plant/DBIRTH/line-1/press");
  EXPECT_EQ(online(nodes[1]).published(MessageType::dbirth)[0].topic, "spBv1.0/plant/DBIRTH/line-2/press");
}

TEST(EdgeConfiguration, IdsDoNotDifferByCaseAlone) {
  COVERS("case-sensitivity-sparkplug-ids");
  auto config = plain_config();
  config.devices[1].id = "Press";
  EXPECT_NE(said(config).find("differ only by upper and lower case"), std::string::npos) << said(config);
  std::vector<EdgeConfig> nodes = {plain_config(), plain_config()};
  nodes[1].node = "LINE-1";
  EXPECT_NE(problem_of(nodes).value_or("").find("differ only by upper and lower case"), std::string::npos);
}

TEST(EdgeConfiguration, MetricNamesDoNotDifferByCaseAlone) {
  COVERS("case-sensitivity-metric-names");
  auto config = plain_config();
  config.devices[0].metrics[1].name = "Temperature";
  EXPECT_NE(said(config).find("differ only by upper and lower case"), std::string::npos) << said(config);
  config = plain_config();
  config.metrics[0].name = "BDSEQ";
  EXPECT_NE(said(config).find("differ only by upper and lower case"), std::string::npos) << said(config);
}

TEST(EdgeConfiguration, WhatCannotBeAnnouncedIsRefusedAndNamed) {
  struct Wrong {
    const char* what;
    void (*spoil)(EdgeConfig&);
    const char* said;
  };
  const std::vector<Wrong> wrong = {
      {"a metric without a name", [](EdgeConfig& c) { c.metrics[0].name.clear(); }, "without a name"},
      {"a name that is no text", [](EdgeConfig& c) { c.metrics[0].name = "\xff"; }, "no UTF-8"},
      {"a name too long", [](EdgeConfig& c) { c.metrics[0].name.assign(1'025, 'x'); }, "1025 bytes"},
      {"a name twice", [](EdgeConfig& c) { c.metrics[1].name = "load"; }, "'load' is there twice"},
      {"the session's metric", [](EdgeConfig& c) { c.metrics[1].name = "bdSeq"; }, "'bdSeq' is there twice"},
      {"the rebirth command", [](EdgeConfig& c) { c.metrics[1].name = "Node Control/Rebirth"; }, "there twice"},
      {"no type", [](EdgeConfig& c) { c.metrics[0].type = DataType::unknown; }, "no data type"},
      {"a property set as a metric", [](EdgeConfig& c) { c.metrics[0].type = DataType::property_set; },
       "is no type of a metric"},
      {"a text for a number", [](EdgeConfig& c) { c.metrics[0].value = "warm"s; }, "'load'"},
      {"a template nobody defines",
       [](EdgeConfig& c) {
         c.metrics[0].type = DataType::template_;
         c.metrics[0].value = Instance{"motor", {}, {}};
       },
       "template 'motor', which is not defined"},
      {"a template without saying which", [](EdgeConfig& c) { c.metrics[0].type = DataType::template_; },
       "say of which"},
      {"quality as a property of the definition",
       [](EdgeConfig& c) {
         c.metrics[0].properties = {{"Quality", DataType::int32, std::int64_t{192}}};
       },
       "belongs to each reading"},
      {"no server", [](EdgeConfig& c) { c.servers = 0; }, "without a server"},
      {"a host that is no topic", [](EdgeConfig& c) { c.primary_host = "a/b"; }, "primary host id"},
  };
  EXPECT_EQ(said(plain_config()), "nothing");
  for (const auto& row : wrong) {
    auto config = plain_config();
    row.spoil(config);
    EXPECT_NE(said(config).find(row.said), std::string::npos) << row.what << ": " << said(config);
  }
}

}  // namespace
}  // namespace fettle::sparkplug::edge
