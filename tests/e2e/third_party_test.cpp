// Devices that speak with other people's software: the npm packages sparkplug-client and mqtt, and mosquitto_pub. What
// they send is counted exactly, in whatever way their software bends the specification.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <functional>
#include <map>

#include "gateway/store/sqlite/reader.h"
#include "tests/e2e/harness/decimal.h"
#include "tests/e2e/harness/dialogue.h"
#include "tests/e2e/harness/stage.h"
#include "tests/e2e/harness/third_party.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

constexpr const char* kSparkplug =
    "sparkplug:\n  host_id: fettle-test\n  groups: [plant]\n  brokers:\n    - {name: plant, broker: \"@BROKER@\"}\n";
constexpr const char* kState = "spBv1.0/STATE/fettle-test";
constexpr std::int64_t kMinute = 60'000;
const std::int64_t kStart = ms_of("2026-06-10T08:00:00Z");
constexpr std::chrono::seconds kArrival{60};

json::object metric(const std::string& name, const char* type, const json::value& value, std::int64_t time) {
  return {{"name", name}, {"type", type}, {"value", value}, {"timestamp", time}};
}

json::object growing(json::object metric, double step) {
  metric["step"] = step;
  return metric;
}

json::object order(const char* what, const char* device, json::array metrics) {
  return {{"do", what}, {"device", device}, {"metrics", std::move(metrics)}};
}

// The values of one signal by event time, each stored once; throws where one is stored twice.
std::map<std::int64_t, double> stored(const Gateway& gateway, const std::string& asset, const std::string& signal) {
  auto reader = store::Reader::open(gateway.store());
  if (!reader) throw std::runtime_error(reader.error().message);
  const auto found = (*reader)->find_readings(asset, signal, engine::Time::min(), engine::Time::max());
  if (!found) throw std::runtime_error(found.error().message);
  std::map<std::int64_t, double> values;
  for (const store::FoundReading& reading : *found) {
    const std::int64_t time = reading.reading.time.time_since_epoch().count();
    if (!values.emplace(time, reading.reading.value).second) {
      throw std::runtime_error(signal + " is stored twice at " + std::to_string(time));
    }
  }
  return values;
}

class ThirdPartyStage : public Stage {
 public:
  ThirdPartyStage() : Stage(ClockKind::recording, "", kSparkplug) {}

  void start() {
    gateway.start();
    gateway.apply({source("firmware-sim/catalog/seller.yaml"), source("tests/e2e/catalog/press.yaml")});
    set_clock(kStart);
  }
  // Until the gateway's own STATE says that it is there.
  void wait_online() {
    if (!until([this] { return broker.retained(kState).find("\"online\":true") != std::string::npos; })) {
      throw std::runtime_error("the gateway does not say that it is online: " + gateway.log());
    }
  }
  void set_clock(std::int64_t now) {
    now_ = std::max(now_, now);
    broker.publish("fettle/v1/clock", "{\"now\":" + std::to_string(now_) + "}");
  }
  // Lets the gateway's time go on, a second at a time, until it is so: what waits for others, or for a flush to end,
  // waits in that time.
  bool as_time_passes(const std::function<bool()>& condition) {
    return until(
        [&] {
          if (condition()) return true;
          set_clock(now_ + 1000);
          return false;
        },
        kArrival);
  }
  // Until the gateway has so many values of the signal.
  ::testing::AssertionResult arrives(const std::string& asset, const std::string& signal, std::size_t count) {
    std::size_t found = 0;
    if (as_time_passes([&] { return (found = stored(gateway, asset, signal).size()) >= count; })) {
      return ::testing::AssertionSuccess();
    }
    return ::testing::AssertionFailure() << found << " of " << count << " values of " << signal << " arrived\n"
                                         << gateway.done({"quarantine"});
  }
  std::unique_ptr<Dialogue> edge(const Words& more = {}) {
    Words words{"node",     (third_party().folder / "sparkplug_edge.mjs").string(),
                "--broker", mqtt_uri(),
                "--group",  "plant",
                "--node",   "line-1"};
    words.insert(words.end(), more.begin(), more.end());
    auto started = std::make_unique<Dialogue>(words, folder.path() / ("edge-" + std::to_string(++edges_) + ".log"));
    started->tell({{"do", "node_metrics"},
                   {"metrics", json::array{metric("Node Control/Rebirth", "Boolean", false, kStart),
                                           metric("Firmware", "String", "7.1", kStart)}}});
    return started;
  }
  std::string mqtt_uri() const { return "mqtt://127.0.0.1:" + std::to_string(broker.port()); }

 private:
  std::int64_t now_ = 0;
  int edges_ = 0;  // each with a log of its own
};

class ThirdParty : public testing::Test {
 protected:
  void SetUp() override { FETTLE_NEED_THIRD_PARTY(); }
};

// Every basic type at one time, with the value it must be read as.
struct Typed {
  const char* signal;
  const char* metric;
  const char* type;
  double value;
};
constexpr Typed kTyped[] = {
    {"int8", "Types/Int8", "Int8", -128},
    {"int16", "Types/Int16", "Int16", -32768},
    {"int32", "Types/Int32", "Int32", -2147483648.0},
    {"int64", "Types/Int64", "Int64", -9007199254740991.0},
    {"uint8", "Types/UInt8", "UInt8", 255},
    {"uint16", "Types/UInt16", "UInt16", 65535},
    {"uint32", "Types/UInt32", "UInt32", 4294967295.0},
    {"uint64", "Types/UInt64", "UInt64", 9007199254740991.0},
    {"float", "Types/Float", "Float", -0.15625},
    {"double", "Types/Double", "Double", 3.25e-7},
};

json::array press_birth() {
  json::array all{metric("Temperature", "Double", 20.5, kStart), metric("Energy/Total", "Double", 100.0, kStart),
                  metric("Parts", "Int32", 0, kStart), metric("Mode", "String", "idle", kStart)};
  for (const Typed& typed : kTyped) {
    const bool whole = typed.value == static_cast<double>(static_cast<std::int64_t>(typed.value));
    all.push_back(metric(typed.metric, typed.type,
                         whole ? json::value(static_cast<std::int64_t>(typed.value)) : json::value(typed.value),
                         kStart));
  }
  all.push_back(metric("Motor", "Template",
                       json::object{{"templateRef", "Motor"},
                                    {"isDefinition", false},
                                    {"metrics", json::array{metric("rpm", "Int32", 1480, kStart)}},
                                    {"parameters", json::array{}}},
                       kStart));
  all.push_back(metric("Levels", "DataSet",
                       json::object{{"numOfColumns", 2},
                                    {"types", json::array{"Double", "String"}},
                                    {"columns", json::array{"level", "place"}},
                                    {"rows", json::array{json::array{12.5, "left"}, json::array{13.5, "right"}}}},
                       kStart));
  return all;
}

// Births say what is so now, data what has happened: a value said in both at the same time is one reading.
void begin_press(Dialogue& edge) {
  edge.tell({{"do", "connect"}});
  edge.wait_for("born", 1);
  edge.tell(order("device_birth", "press-1", press_birth()));
  json::array data = press_birth();
  data.erase(data.begin() + 2);  // nothing has been pressed yet
  edge.tell(order("device_data", "press-1", std::move(data)));
}

json::object many(std::int64_t count, std::int64_t from) {
  json::object said = order(
      "many", "press-1",
      {growing(metric("Energy/Total", "Double", 100.0 + 0.07 * static_cast<double>(from), kStart + from * kMinute),
               0.07),
       metric("Parts", "Int32", 3, kStart + from * kMinute)});
  said["count"] = count;
  said["interval"] = kMinute;
  return said;
}

// What the lines of all invoices say, by meter, in hundredths.
std::map<std::string, std::int64_t> billed(const Gateway& gateway) {
  gateway.json({"invoice", "run", "--until", "2026-07-01"});
  std::map<std::string, std::int64_t> lines;
  for (const json::object& invoice : invoices(gateway)) {
    for (const json::value& line : invoice.at("lines").as_array()) {
      lines[std::string(line.at("meter").as_string())] += scaled(std::string(line.at("amount").as_string()), 2);
    }
  }
  return lines;
}

TEST_F(ThirdParty, AnEdgeNodeOfThePackageSparkplugClientIsReadInEveryTypeAndMeteredToTheCent) {
  ThirdPartyStage stage;
  stage.start();
  stage.wait_online();
  stage.set_clock(kStart + 2000 * kMinute);
  const auto edge = stage.edge();
  begin_press(*edge);
  edge->tell(many(1000, 1));
  ASSERT_TRUE(stage.arrives("press-1", "parts", 1000));
  ASSERT_TRUE(stage.arrives("press-1", "energy", 1001));

  for (const Typed& typed : kTyped) {
    SCOPED_TRACE(typed.type);
    EXPECT_EQ(stored(stage.gateway, "press-1", typed.signal), (std::map<std::int64_t, double>{{kStart, typed.value}}));
  }
  EXPECT_EQ(stored(stage.gateway, "press-1", "motor_speed"), (std::map<std::int64_t, double>{{kStart, 1480}}));
  EXPECT_EQ(stored(stage.gateway, "press-1", "first_level"), (std::map<std::int64_t, double>{{kStart, 12.5}}));
  EXPECT_EQ(stored(stage.gateway, "press-1", "mode"), (std::map<std::int64_t, double>{{kStart, 0}}));
  EXPECT_EQ(stage.gateway.counters().quarantined, 0U) << stage.gateway.done({"quarantine"});
  EXPECT_EQ(stage.gateway.counters().conflicts, 0U);
  EXPECT_EQ(edge->count("rebirth_requested"), 0U);

  // 1000 minutes at 0.07 kWh and 3 parts each: 70.00 kWh at 0.32 and 3,000 parts at 0.015.
  stage.set_clock(ms_of("2026-07-02T00:00:00Z"));
  edge->tell(order("device_data", "press-1", {metric("Energy/Total", "Double", 170.0, ms_of("2026-07-01T12:00:00Z"))}));
  ASSERT_TRUE(stage.arrives("press-1", "energy", 1002));
  EXPECT_EQ(billed(stage.gateway), (std::map<std::string, std::int64_t>{{"energy", 2240}, {"parts", 4500}}));
  const Ran verified = verify(stage.gateway.data());
  EXPECT_EQ(verified.code, 0) << verified.out;
}

// The package offers it; Sparkplug 3.0 does not know it.
TEST_F(ThirdParty, CompressedBirthsAndDataAreReadAsWhatIsInThem) {
  ThirdPartyStage stage;
  stage.start();
  stage.wait_online();
  stage.set_clock(kStart + 200 * kMinute);
  std::size_t sent = 0;
  for (const char* algorithm : {"DEFLATE", "GZIP"}) {
    SCOPED_TRACE(algorithm);
    const auto edge = stage.edge({"--compress", algorithm});
    begin_press(*edge);
    edge->tell(many(50, 1 + static_cast<std::int64_t>(sent)));
    sent += 50;
    ASSERT_TRUE(stage.arrives("press-1", "parts", sent));
    edge->tell({{"do", "stop"}});
    edge->wait_for("closed", 1);  // or its will would come after the next one's birth, with the same number
    EXPECT_EQ(edge->end(), 0);
  }
  EXPECT_EQ(stored(stage.gateway, "press-1", "energy").size(), sent + 1);
  for (const Typed& typed : kTyped) {
    SCOPED_TRACE(typed.type);
    EXPECT_EQ(stored(stage.gateway, "press-1", typed.signal), (std::map<std::int64_t, double>{{kStart, typed.value}}));
  }
  EXPECT_EQ(stage.gateway.counters().quarantined, 0U) << stage.gateway.done({"quarantine"});
}

TEST_F(ThirdParty, AGatewayThatJoinsLateAsksForTheBirthsAndCountsWhatComesFromThen) {
  ThirdPartyStage stage;
  const auto edge = stage.edge();
  begin_press(*edge);  // nobody hears that
  stage.start();
  stage.wait_online();
  stage.set_clock(kStart + 200 * kMinute);
  edge->tell(many(1, 1));  // by names, yet of a device nobody was told about
  ASSERT_NO_THROW(edge->wait_for("rebirth_requested", 1));
  edge->wait_for("born", 2);
  edge->tell(many(100, 2));
  ASSERT_TRUE(stage.arrives("press-1", "parts", 100));
  const auto parts = stored(stage.gateway, "press-1", "parts");
  EXPECT_EQ(parts.rbegin()->first, kStart + 101 * kMinute);
  EXPECT_LE(edge->count("rebirth_requested"), 2U);
}

TEST_F(ThirdParty, AMissingSequenceNumberBringsOneRebirthAndNothingThatCameIsLost) {
  ThirdPartyStage stage;
  stage.start();
  stage.wait_online();
  stage.set_clock(kStart + 400 * kMinute);
  const auto edge = stage.edge();
  begin_press(*edge);
  edge->tell(many(50, 1));
  ASSERT_TRUE(stage.arrives("press-1", "parts", 50));
  edge->tell({{"do", "lose"}});
  edge->tell(many(50, 51));
  ASSERT_TRUE(stage.as_time_passes([&] { return edge->count("rebirth_requested") > 0; })) << stage.gateway.log();
  edge->wait_for("born", 2);
  edge->tell(many(200, 101));  // past where the sequence numbers begin again
  ASSERT_TRUE(stage.arrives("press-1", "parts", 300));
  EXPECT_EQ(stored(stage.gateway, "press-1", "energy").size(), 301U);
  EXPECT_EQ(edge->count("rebirth_requested"), 1U);
  EXPECT_EQ(stage.gateway.counters().conflicts, 0U);
  EXPECT_EQ(stage.gateway.counters().quarantined, 0U) << stage.gateway.done({"quarantine"});
}

TEST_F(ThirdParty, WhatANodeKeptForLaterAndWhatHasNoValueIsStoredAsWhatItIs) {
  ThirdPartyStage stage;
  stage.start();
  stage.wait_online();
  stage.set_clock(kStart + 400 * kMinute);
  const auto edge = stage.edge();
  begin_press(*edge);
  edge->tell(many(10, 101));
  ASSERT_TRUE(stage.arrives("press-1", "parts", 10));
  // An hour that it had kept, then a value that is none.
  json::array kept;
  for (std::int64_t i = 1; i <= 60; ++i) {
    json::object reading = metric("Parts", "Int32", 2, kStart + i * kMinute);
    reading["isHistorical"] = true;
    kept.push_back(std::move(reading));
  }
  edge->tell(order("device_data", "press-1", std::move(kept)));
  json::object nothing = metric("Temperature", "Double", nullptr, kStart + 111 * kMinute);
  nothing["isNull"] = true;
  edge->tell(order("device_data", "press-1", {nothing, metric("Parts", "Int32", 1, kStart + 111 * kMinute)}));
  ASSERT_TRUE(stage.arrives("press-1", "parts", 71));
  EXPECT_EQ(stored(stage.gateway, "press-1", "temperature"), (std::map<std::int64_t, double>{{kStart, 20.5}}));
  EXPECT_EQ(stage.gateway.counters().quarantined, 0U) << stage.gateway.done({"quarantine"});
  stage.gateway.drain();
  const Lines parts = query(stage.gateway.store(), "SELECT sum(quantity) FROM usage_record WHERE meter = 'parts'");
  EXPECT_EQ(parts, Lines{std::to_string(10 * 3 + 60 * 2 + 1)});
}

// The client gives each connection the same bdSeq, as UInt64, in a will of QoS 0.
TEST_F(ThirdParty, ANodeThatDiesIsUnknownToRulesAndKnownAgainWhenItReturnsWithTheSameDeathNumber) {
  ThirdPartyStage stage;
  stage.start();
  stage.wait_online();
  stage.set_clock(kStart + kMinute);
  const auto edge = stage.edge();
  begin_press(*edge);
  for (std::int64_t round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    const std::int64_t hot = kStart + (round * 60 + 1) * kMinute;
    stage.set_clock(hot);
    edge->tell(order("device_data", "press-1", {metric("Temperature", "Double", 95.0, hot)}));
    ASSERT_TRUE(stage.arrives("press-1", "temperature", 2 + 2 * static_cast<std::size_t>(round)));
    edge->tell({{"do", "cut"}});
    edge->wait_for("born", 2 + static_cast<std::size_t>(round));  // it is back at once
    // Cool in the next minute, for all that is known: what was unknown in between must not have been taken for hot.
    const std::int64_t cool = kStart + (round * 60 + 30) * kMinute;
    stage.set_clock(cool);
    edge->tell(order("device_data", "press-1", {metric("Temperature", "Double", 20.0, cool)}));
    ASSERT_TRUE(stage.arrives("press-1", "temperature", 3 + 2 * static_cast<std::size_t>(round)));
  }
  EXPECT_EQ(stage.gateway.json({"episodes"}).as_array().size(), 0U) << stage.gateway.done({"episodes"});

  // Known again, it is ruled as before.
  for (std::int64_t minute = 0; minute <= 12; ++minute) {
    const std::int64_t time = kStart + (300 + minute) * kMinute;
    stage.set_clock(time);
    edge->tell(order("device_data", "press-1", {metric("Temperature", "Double", 95.0, time)}));
  }
  ASSERT_TRUE(stage.as_time_passes([&] { return stage.gateway.json({"episodes"}).as_array().size() == 1; }))
      << stage.gateway.log();
  EXPECT_EQ(stage.gateway.json({"work-order", "list"}).as_array().size(), 1U);
}

TEST_F(ThirdParty, ADeviceThatDiedIsHeardAgainAfterItsNextBirth) {
  ThirdPartyStage stage;
  stage.start();
  stage.wait_online();
  stage.set_clock(kStart + 400 * kMinute);
  const auto edge = stage.edge();
  begin_press(*edge);
  edge->tell(many(20, 1));
  edge->tell({{"do", "device_death"}, {"device", "press-1"}});
  edge->tell(order("device_birth", "press-1", press_birth()));
  edge->tell(many(20, 21));
  ASSERT_TRUE(stage.arrives("press-1", "parts", 40));
  EXPECT_EQ(edge->count("rebirth_requested"), 0U);
  edge->tell({{"do", "stop"}});
  EXPECT_EQ(edge->end(), 0);
  EXPECT_EQ(stage.gateway.counters().quarantined, 0U) << stage.gateway.done({"quarantine"});
}

// (i * 7 % 100) hundredths of a kWh each: see mqttjs_publisher.mjs.
std::int64_t energy_sent(std::int64_t messages) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < messages; ++i) sum += i * 7 % 100;
  return sum;
}

TEST_F(ThirdParty, JsonOfThePackageMqttArrivesOnceThroughCutConnectionsAndIsMeteredToTheCent) {
  constexpr std::int64_t kMessages = 5000;
  ThirdPartyStage stage;
  stage.start();
  stage.set_clock(kStart + kMessages * kMinute);
  const Ran sent =
      run_command({"node", (third_party().folder / "mqttjs_publisher.mjs").string(), "--broker", stage.mqtt_uri(),
                   "--topic", "fettle/v1/meter-1/telemetry", "--count", std::to_string(kMessages), "--start",
                   std::to_string(kStart), "--interval", std::to_string(kMinute), "--cuts", "5"});
  ASSERT_EQ(sent.code, 0) << sent.err;
  const json::object report = json::parse(sent.out).as_object();
  EXPECT_EQ(report.at("acknowledged").as_int64(), kMessages);
  EXPECT_EQ(report.at("connections").as_int64(), 6);
  stage.gateway.wait_for_readings(2 * kMessages);
  const Counters counters = stage.gateway.counters();
  EXPECT_EQ(counters.readings, 2U * kMessages);
  EXPECT_EQ(counters.conflicts, 0U);
  EXPECT_EQ(counters.quarantined, 0U);
  stage.set_clock(ms_of("2026-07-02T00:00:00Z"));
  // 0.28 a kWh, rounded once: hundredths of a kWh times 28 are ten-thousandths.
  EXPECT_EQ(billed(stage.gateway),
            (std::map<std::string, std::int64_t>{{"energy", rounded(energy_sent(kMessages) * 28, 2)}}));
  const Ran verified = verify(stage.gateway.data());
  EXPECT_EQ(verified.code, 0) << verified.out;
}

TEST(MosquittoPub, SendsJsonThatArrivesOnceAndIsMeteredToTheCent) {
  constexpr std::int64_t kMessages = 2000;
  ThirdPartyStage stage;
  stage.start();
  stage.set_clock(kStart + kMessages * kMinute);
  std::string lines;
  for (std::int64_t i = 0; i < kMessages; ++i) {
    lines += "{\"ts\":" + std::to_string(kStart + i * kMinute) + ",\"energy\":0." + std::to_string(i * 7 % 100 / 10) +
             std::to_string(i * 7 % 10) + "}\n";
  }
  write_text(stage.folder.path() / "lines", lines);
  const Ran sent =
      run_command({"sh", "-c",
                   "mosquitto_pub -h 127.0.0.1 -p " + std::to_string(stage.broker.port()) +
                       " -q 1 -t fettle/v1/meter-1/telemetry -l <" + (stage.folder.path() / "lines").string()});
  ASSERT_EQ(sent.code, 0) << sent.err;
  stage.gateway.wait_for_readings(kMessages);
  EXPECT_EQ(stage.gateway.counters().messages, static_cast<std::uint64_t>(kMessages));
  EXPECT_EQ(stage.gateway.counters().readings, static_cast<std::uint64_t>(kMessages));
  stage.set_clock(ms_of("2026-07-02T00:00:00Z"));
  EXPECT_EQ(billed(stage.gateway),
            (std::map<std::string, std::int64_t>{{"energy", rounded(energy_sent(kMessages) * 28, 2)}}));
}

}  // namespace
}  // namespace fettle::e2e
