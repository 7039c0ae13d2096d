// Two real cells that age: billed by the charge they delivered, and replaced once each.

#include <boost/json.hpp>
#include <iostream>
#include <map>

#include "firmware-sim/replay.h"
#include "tests/e2e/harness/decimal.h"
#include "tests/e2e/harness/recordings.h"
#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

struct Sent {
  std::uint64_t messages = 0;
  std::uint64_t readings = 0;
  std::map<std::string, std::map<std::int64_t, std::int64_t>> cycle_ends;  // by event topic and cycle: event time
};

Sent what_is_sent() {
  auto messages = sim::load_recording(sim::Dataset::kBattery, recordings(), {});
  if (!messages) throw std::runtime_error(messages.error().text);
  Sent sent;
  for (const sim::Message& message : *messages) {
    ++sent.messages;
    const json::value payload = json::parse(message.payload);
    if (message.kind == sim::MessageKind::kEvent) {
      sent.readings += 2;
      sent.cycle_ends[message.topic][payload.at("cycle").to_number<std::int64_t>()] =
          message.at.time_since_epoch().count();
    } else {
      sent.readings += 3 * payload.as_array().size();
    }
  }
  return sent;
}

class Battery : public testing::Test {
 protected:
  void SetUp() override { FETTLE_NEED_RECORDINGS(); }
};

TEST_F(Battery, DeliveredChargeIsBilledAndEachCellIsReplacedOnce) {
  const Sent sent = what_is_sent();
  Stage stage;
  stage.gateway.start();
  stage.gateway.apply({source("firmware-sim/catalog/seller.yaml"), source("firmware-sim/catalog/battery.yaml"),
                       source("rules/packs/battery-end-of-life.yaml")});
  simulate(stage.broker, {"replay", "--dataset", "battery", "--data", recordings().string()});
  stage.gateway.wait_for_readings(sent.readings);
  const Counters counters = stage.gateway.counters();
  EXPECT_EQ(counters.messages, sent.messages);
  EXPECT_EQ(counters.readings, sent.readings);
  EXPECT_EQ(counters.quarantined, 0U);

  const json::value run = stage.gateway.json({"invoice", "run", "--until", "2008-12-01"});
  EXPECT_TRUE(run.at("problems").as_array().empty()) << json::serialize(run);
  std::map<std::string, std::int64_t> charge;  // by asset, in 10 uAh
  for (const json::object& invoice : invoices(stage.gateway)) {
    EXPECT_TRUE(invoice.at("final").as_bool());
    for (const json::value& line : invoice.at("lines").as_array()) {
      EXPECT_EQ(line.at("unit").as_string(), "A.h");
      charge[std::string(line.at("asset").as_string())] += scaled(std::string(line.at("quantity").as_string()), 5);
    }
  }
  EXPECT_EQ(charge.size(), 2U);
  EXPECT_EQ(rounded(charge["battery-B0005"], 2), 264'180);
  EXPECT_EQ(rounded(charge["battery-B0018"], 2), 205'617);

  const json::value orders = stage.gateway.json({"work-order", "list"});
  ASSERT_EQ(orders.as_array().size(), 2U) << json::serialize(orders);
  const std::map<std::string, std::int64_t> worn_out_at{{"battery-B0005", 125}, {"battery-B0018", 97}};
  std::map<std::string, int> seen;
  for (const json::value& order : orders.as_array()) {
    const std::string asset(order.at("asset").as_string());
    SCOPED_TRACE(asset);
    ++seen[asset];
    EXPECT_EQ(order.at("rule").as_string(), "end-of-life");
    EXPECT_EQ(order.at("occurrences").to_number<int>(), 1);
    // Times are printed in whole seconds.
    const std::int64_t cycle_end = sent.cycle_ends.at("fettle/v1/" + asset + "/event").at(worn_out_at.at(asset));
    EXPECT_EQ(ms_of(std::string(order.at("raised_at").as_string())), cycle_end / 1000 * 1000);
  }
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(verify(stage.gateway.data()).code, 0);
}

}  // namespace
}  // namespace fettle::e2e
