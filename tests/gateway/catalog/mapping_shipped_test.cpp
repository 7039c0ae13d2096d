// The mappings in gateway/catalog/mappings, as a user applies them, on messages of the shape that the devices send.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "gateway/catalog/units.h"
#include "gateway/catalog/zones.h"
#include "gateway/engine/mapping_entries.h"
#include "tests/gateway/catalog/sample_catalog.h"

namespace fettle::catalog {
namespace {

namespace fs = std::filesystem;

// One model that has every signal of the shipped mappings, in other units here and there.
constexpr const char* kModel = R"(models:
  - id: device
    signals:
      - {name: energy, kind: register, unit: kWh, resolution: 0.001}
      - {name: power, kind: gauge, unit: kW}
      - {name: voltage, kind: gauge, unit: V}
      - {name: current, kind: gauge, unit: mA}
      - {name: temperature, kind: gauge, unit: degC}
      - {name: humidity, kind: gauge, unit: percent}
      - {name: pressure, kind: gauge, unit: bar}
      - {name: volume, kind: register, unit: m3, resolution: 0.001}
      - {name: battery_voltage, kind: gauge, unit: V}
      - {name: output, kind: state, states: ["off", "on"]}
      - {name: door, kind: state, states: [closed, open]}
)";

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<SourceFile> shipped() {
  std::vector<SourceFile> files;
  for (const auto& entry : fs::directory_iterator(fs::path(FETTLE_SOURCE_DIR) / "gateway/catalog/mappings")) {
    files.push_back({entry.path().filename().string(), contents(entry.path())});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return files;
}

// The YAML examples of a page.
std::vector<SourceFile> examples_of(const std::string& page) {
  const std::string text = contents(fs::path(FETTLE_SOURCE_DIR) / "docs" / page);
  const std::string fence = "```yaml\n";
  std::vector<SourceFile> files;
  for (std::size_t at = text.find(fence); at != std::string::npos; at = text.find(fence, at)) {
    at += fence.size();
    const std::size_t end = text.find("```", at);
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    files.push_back({page + ", example at line " + std::to_string(line), text.substr(at, end - at)});
    at = end;
  }
  return files;
}

class ShippedMappings : public testing::Test {
 protected:
  ShippedMappings() {
    auto files = shipped();
    files.push_back({"model.yaml", kModel});
    std::map<std::string, Mapping> entries;
    std::map<std::string, Model> models;
    for (const Entry& entry : entries_of(files)) {
      if (entry.has_mapping()) entries[entry.mapping().id()] = entry.mapping();
      if (entry.has_model()) models[entry.model().id()] = entry.model();
    }
    const engine::Lookups lookups = {unit_parser(), [](const std::string& name) -> std::optional<billing::Zone> {
                                       auto zone = load_zone(name);
                                       if (!zone) return std::nullopt;
                                       return *zone;
                                     }};
    std::vector<std::string> problems;
    mappings_ = engine::make_mappings(entries, models, lookups, problems);
    EXPECT_EQ(problems, std::vector<std::string>());
  }

  // "asset @ms signal=value ..."; what else became of the message in a word.
  std::string of(std::string_view topic, std::string_view payload) {
    direct::Telemetry out;
    std::string asset;
    direct::Malformed why;
    const auto outcome = mappings_.apply(
        {topic, payload, direct::Time()}, [](std::string_view) { return std::string_view("device"); }, out, asset, why);
    if (outcome == direct::Mappings::Outcome::malformed) return why.detail;
    if (outcome == direct::Mappings::Outcome::passed_over) return "passed over";
    if (outcome != direct::Mappings::Outcome::readings) return "not read";
    std::string text = asset;
    for (const direct::Group& group : out.groups) {
      text += " @" + (group.time ? std::to_string(group.time->time_since_epoch().count()) : std::string());
      for (std::uint32_t i = group.first; i < group.first + group.count; ++i) text += ' ' + in_words(out.values[i]);
    }
    return text;
  }

 private:
  static std::string in_words(const direct::Value& value) {
    if (value.kind != direct::ValueKind::number) return std::string(value.signal) + '=' + std::string(value.text);
    std::array<char, 64> number{};
    const auto [end, unused] = std::to_chars(number.data(), number.data() + number.size(), value.number);
    return std::string(value.signal) + '=' + std::string(number.data(), end);
  }

  direct::Mappings mappings_;
};

TEST_F(ShippedMappings, ReadTasmotaTelemetry) {
  EXPECT_EQ(of("tele/socket-7/SENSOR",
               R"({"Time":"2026-03-01T08:30:05","ENERGY":{"TotalStartTime":"2025-11-02T10:00:00","Total":41.207,)"
               R"("Yesterday":0.9,"Today":0.31,"Period":4,"Power":1250,"ApparentPower":1301,"ReactivePower":360,)"
               R"("Factor":0.96,"Voltage":229,"Current":5.681}})"),
            "socket-7 @1772353805000 energy=41.207 power=1.25 voltage=229 current=5681");
  EXPECT_EQ(
      of("tele/probe/SENSOR", R"({"Time":"2026-03-01T08:30:05","DS18B20":{"Id":"0317214F2C11","Temperature":-18.4},)"
                              R"("AM2301":{"Temperature":4.1,"Humidity":61.5,"DewPoint":-2.7},"TempUnit":"C"})"),
      "probe @1772353805000 temperature=-18.4 humidity=61.5");
  EXPECT_EQ(of("tele/probe/SENSOR", R"({"Time":"2026-03-01T08:30:05","AM2301":{"Temperature":4.1},"TempUnit":"C"})"),
            "probe @1772353805000 temperature=4.1");
  EXPECT_EQ(of("tele/probe/SENSOR", R"({"Time":"2026-03-01T08:30:05","Switch1":"ON"})"), "passed over");
  EXPECT_EQ(of("tele/probe/STATE", R"({"Time":"2026-03-01T08:30:05","Uptime":"0T01:00:00"})"), "not read");
}

TEST_F(ShippedMappings, ReadShellyNotificationsAndStatus) {
  EXPECT_EQ(
      of("shellyplus1pm-a0b1c2d3e4f5/events/rpc",
         R"({"src":"shellyplus1pm-a0b1c2d3e4f5","dst":"shellyplus1pm-a0b1c2d3e4f5/events","method":"NotifyStatus",)"
         R"("params":{"ts":1772353805.27,"switch:0":{"id":0,"apower":83.4,"current":0.412,)"
         R"("aenergy":{"by_minute":[101.2,1390.0,1385.7],"minute_ts":1772353800,"total":7213.55}}}})"),
      "shellyplus1pm-a0b1c2d3e4f5 @1772353805270 power=0.0834 current=411.99999999999994 energy=7.21355");
  EXPECT_EQ(of("shelly-1/events/rpc",
               R"({"src":"shelly-1","dst":"shelly-1/events","method":"NotifyStatus",)"
               R"("params":{"ts":1772353805.27,"switch:0":{"id":0,"output":true,"source":"button"}}})"),
            "shelly-1 @1772353805270 output=on");
  EXPECT_EQ(of("shelly-1/events/rpc", R"({"method":"NotifyStatus","params":{"ts":1772353805.27,"sys":{"uptime":5}}})"),
            "passed over");
  EXPECT_EQ(
      of("shelly-1/events/rpc",
         R"({"method":"NotifyEvent","params":{"ts":1772353805.27,"events":[{"component":"input:0","event":"toggle"}]}})"),
      "passed over");
  EXPECT_EQ(of("shelly-1/status/switch:0",
               R"({"id":0,"source":"init","output":false,"apower":0.0,"voltage":231.7,"current":0.0,)"
               R"("aenergy":{"total":7213.55,"by_minute":[0.0,0.0,0.0],"minute_ts":1772353800},)"
               R"("temperature":{"tC":41.3,"tF":106.3}})"),
            "shelly-1 @ power=0 voltage=231.7 current=0 energy=7.21355 temperature=41.3 output=off");
}

TEST_F(ShippedMappings, ReadZigbee2MqttDevices) {
  EXPECT_EQ(of("zigbee2mqtt/cold-room-1",
               R"({"battery":87,"humidity":48.2,"last_seen":"2026-03-01T08:30:05.120Z","linkquality":134,)"
               R"("pressure":1009.5,"temperature":3.86,"voltage":2985})"),
            "cold-room-1 @1772353805120 temperature=3.86 humidity=48.2 pressure=1.0095");
  EXPECT_EQ(of("zigbee2mqtt/socket", R"({"energy":12.08,"last_seen":1772353805120,"power":41,"state":"ON"})"),
            "socket @1772353805120 power=0.041 energy=12.08 output=on");
  EXPECT_EQ(of("zigbee2mqtt/door", R"({"contact":false,"linkquality":80})"), "door @ door=open");
  EXPECT_EQ(of("zigbee2mqtt/button", R"({"action":"single","linkquality":80})"), "passed over");
  EXPECT_EQ(of("zigbee2mqtt/bridge/state", R"({"state":"online"})"), "not read");
}

TEST_F(ShippedMappings, ReadChirpstackUplinks) {
  EXPECT_EQ(
      of("application/5f2c1b7e-0000-4000-8000-000000000001/device/0011aabbccddeeff/event/up",
         R"({"deduplicationId":"9a4f0c3e-0000-4000-8000-000000000002","time":"2026-03-01T08:30:05.123456789+00:00",)"
         R"("deviceInfo":{"tenantName":"t","applicationName":"meters","deviceName":"m 1","devEui":"0011AABBCCDDEEFF","tags":{}},)"
         R"("devAddr":"01020304","adr":true,"dr":5,"fCnt":812,"fPort":2,"confirmed":false,"data":"AQID",)"
         R"("object":{"temperature":19.25,"volume":310.421},"rxInfo":[{"gatewayId":"00","rssi":-71,"snr":9.5}]})"),
      "0011aabbccddeeff @1772353805123 temperature=19.25 volume=310.421");
  EXPECT_EQ(of("application/a/device/b/event/up",
               R"({"time":"2026-03-01T08:30:05Z","deviceInfo":{"devEui":"b"},"fPort":0,"data":""})"),
            "mapping chirpstack: the message has nothing at /object/temperature, /object/humidity, /object/energy, "
            "/object/volume, /object/battery; the message has only \"time\", \"deviceInfo\", \"fPort\", \"data\"");
  EXPECT_EQ(of("application/a/device/b/event/join", "{}"), "not read");
}

struct Page {
  const char* page;
  std::size_t examples;
  const char* mapping;  // the file that the page applies with its examples; empty: none
};
class MappingPage : public testing::TestWithParam<Page> {};
TEST_P(MappingPage, HasExamplesThatAreValidTogether) {
  auto files = examples_of(GetParam().page);
  EXPECT_EQ(files.size(), GetParam().examples);
  const std::string mapping = GetParam().mapping;
  for (const SourceFile& file : shipped()) {
    if (file.name == mapping) files.push_back(file);
  }
  EXPECT_EQ(files.size(), GetParam().examples + (mapping.empty() ? 0 : 1));
  bool mapped = false;
  for (const Entry& entry : entries_of(files)) mapped = mapped || entry.has_mapping();
  EXPECT_TRUE(mapped);
}
INSTANTIATE_TEST_SUITE_P(All, MappingPage,
                         testing::Values(Page{"reference/mappings.md", 1, ""},
                                         Page{"how-to/connect-foreign-json.md", 2, ""},
                                         Page{"how-to/connect-tasmota.md", 1, "tasmota.yaml"},
                                         Page{"how-to/connect-shelly.md", 1, "shelly.yaml"},
                                         Page{"how-to/connect-zigbee2mqtt.md", 1, "zigbee2mqtt.yaml"},
                                         Page{"how-to/connect-chirpstack.md", 1, "chirpstack.yaml"}));

}  // namespace
}  // namespace fettle::catalog
