// What nobody declared yet: it is listed, kept, and processed once the catalog claims it. Foreign JSON by a shipped
// mapping.

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>

#include "tests/e2e/harness/stage.h"
#include "tests/e2e/harness/state.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

std::int64_t now_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

constexpr const char* kParties = R"(
seller:
  id: s
  name: Seller
  country: DE
  invoice_prefix: S
  vat_rates:
    - {country: DE, category: S, percent: 19}
customers:
  - {id: c, name: Customer, country: DE, zone: Etc/UTC, currency: EUR}
)";

std::string pump_catalog(const std::string& further_signals) {
  return R"(
models:
  - id: pump
    signals:
      - {name: energy, kind: register, unit: kWh, resolution: 0.01, max_rate: 100000}
)" + further_signals +
         R"(
    meters:
      - {id: energy, kind: difference, signal: energy}
)" + kParties +
         R"(
assets:
  - {id: pump-9, model: pump, customer: c, commissioned: 2020-01-01}
)";
}

class Discovered : public testing::Test {
 protected:
  void apply(const std::string& text) {
    const auto file = stage.folder.path() / "catalog.yaml";
    write_text(file, text);
    stage.gateway.apply({file});
  }
  // The rows of `fettle discovered` as source and signal.
  std::vector<std::string> listed() {
    std::vector<std::string> names;
    const json::value rows = stage.gateway.json({"discovered"});
    for (const json::value& row : rows.as_array()) {
      names.push_back(std::string(row.at("source").as_string()) + ' ' + std::string(row.at("signal").as_string()));
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  Stage stage{ClockKind::system};
};

TEST_F(Discovered, AnUnknownDeviceIsListedKeptAndProcessedOnceClaimed) {
  stage.gateway.start();
  const std::int64_t begin = now_ms() - 100'000;
  for (int i = 0; i < 100; ++i) {
    stage.broker.publish("fettle/v1/pump-9/telemetry", "{\"ts\":" + std::to_string(begin + i * 1000) +
                                                           ",\"energy\":" + std::to_string(100 + i) + ",\"flow\":1.5}");
  }
  stage.gateway.drain();
  EXPECT_EQ(stage.gateway.counters().messages, 100U);
  EXPECT_EQ(stage.gateway.counters().readings, 0U);
  EXPECT_EQ(stage.gateway.counters().quarantined, 0U);
  EXPECT_EQ(listed(),
            (std::vector<std::string>{"fettle/v1/pump-9 ", "fettle/v1/pump-9 energy", "fettle/v1/pump-9 flow"}));

  // Also what was kept before the gateway died.
  stage.gateway.kill();
  stage.gateway.start();
  apply(pump_catalog(""));
  stage.gateway.wait_for_readings(100);
  EXPECT_EQ(listed(), std::vector<std::string>{"fettle/v1/pump-9 flow"});

  apply(pump_catalog("      - {name: flow, kind: gauge, unit: m3/h}"));
  stage.gateway.wait_for_readings(200);
  EXPECT_TRUE(listed().empty());
  const json::value usage = stage.gateway.json({"usage"});
  double energy = 0;
  for (const json::value& row : usage.as_array()) energy += std::stod(std::string(row.at("quantity").as_string()));
  EXPECT_DOUBLE_EQ(energy, 99);
}

TEST_F(Discovered, ATasmotaPlugWorksFromTheShippedMapping) {
  stage.gateway.start();
  stage.gateway.apply({source("gateway/catalog/mappings/tasmota.yaml")});
  apply(std::string(kParties) + R"(
models:
  - id: plug
    signals:
      - {name: power, kind: gauge, unit: W}
      - {name: energy, kind: register, unit: kWh, resolution: 0.001, max_rate: 100000}
assets:
  - {id: plug-1, model: plug, customer: c, commissioned: 2020-01-01}
)");
  const auto message =
      R"({"Time":"2026-01-05T12:00:00","ENERGY":{"TotalStartTime":"2025-12-01T08:00:00","Total":12.345,)"
      R"("Yesterday":0.5,"Today":0.1,"Period":1,"Power":42,"ApparentPower":50,"ReactivePower":7,)"
      R"("Factor":0.84,"Voltage":230,"Current":0.2}})";
  // The session learns of the topic from the catalog, without a restart; what it gets twice does not count.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (stage.gateway.counters().readings < 2 && std::chrono::steady_clock::now() < deadline) {
    stage.broker.publish("tele/plug-1/SENSOR", message);
  }
  EXPECT_EQ(stage.gateway.counters().readings, 2U);
  EXPECT_EQ(stage.gateway.counters().quarantined, 0U);
  const json::value power =
      stage.gateway.json({"readings", "plug-1", "power", "--from", "2026-01-05", "--until", "2026-01-06"});
  ASSERT_EQ(power.at("points").as_array().size(), 1U) << json::serialize(power);
  EXPECT_EQ(power.at("points").as_array()[0].at("mean").to_number<double>(), 42);
}

}  // namespace
}  // namespace fettle::e2e
