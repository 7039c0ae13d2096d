// What becomes of a foreign message: one mapping, one message, one line of outcome.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/catalog/units.h"
#include "tests/gateway/direct/mapping_sample.h"

namespace fettle::direct {
namespace {

struct Case {
  std::string lines;
  std::vector<std::string> signals;
  std::string payload;
  std::string outcome;
  std::string topic = "t/m-1";
};
class Message : public testing::TestWithParam<Case> {};
TEST_P(Message, BecomesReadings) {
  const Case& it = GetParam();
  Trial trial(one_mapping(it.lines, it.signals));
  EXPECT_EQ(trial.of(it.topic, it.payload), it.outcome);
}

const std::vector<std::string> kTemperature = {"{signal: temperature, path: /t}"};

INSTANTIATE_TEST_SUITE_P(
    Values, Message,
    testing::Values(Case{"", kTemperature, R"({"t": 21.5})", "m-1 @ temperature=21.5"},
                    Case{"", kTemperature, R"({"t": "21.5"})", "m-1 @ temperature=21.5"},
                    Case{"", kTemperature, R"({"t": " -3e1 "})", "m-1 @ temperature=-30"},
                    Case{"", kTemperature, R"({"t": true})", "m-1 @ temperature=1"},
                    Case{"", kTemperature, R"({"t": 0.1})", "m-1 @ temperature=0.1"},
                    Case{"", kTemperature, R"({"t": "warm"})", "m-1 @ temperature!the text \"warm\" at /t"},
                    Case{"", kTemperature, R"({"t": {}})", "m-1 @ temperature!an object at /t"},
                    Case{"", kTemperature, R"({"t": [1]})", "m-1 @ temperature!an array of 1 at /t"},
                    Case{"", kTemperature, R"({"t": 1e999})", "m-1 @ temperature!the number 1e999 at /t"},
                    Case{"", {"{signal: temperature, path: /t, scale: 0.1}"}, R"({"t": 3})", "m-1 @ temperature=0.3"},
                    Case{"",
                         {"{signal: temperature, path: /t, scale: -0.5, offset: 40}"},
                         R"({"t": 21})",
                         "m-1 @ temperature=29.5"},
                    Case{"",
                         {"{signal: temperature, path: /t, unit: degF}"},
                         R"({"t": 212})",
                         "m-1 @ temperature=100.00000000000006"},
                    Case{"", {"{signal: temperature, path: /t, unit: K}"}, R"({"t": 273.15})", "m-1 @ temperature=0"},
                    Case{"", {"{signal: temperature, path: /t, unit: degC}"}, R"({"t": 0.1})", "m-1 @ temperature=0.1"},
                    Case{"",
                         {"{signal: temperature, path: /t, unit: degF, scale: 0.1}"},
                         R"({"t": 500})",
                         "m-1 @ temperature=10.000000000000057"},
                    Case{"", {"{signal: energy, path: /e, unit: Wh}"}, R"({"e": 1500})", "m-1 @ energy=1.5"},
                    Case{"",
                         {"{signal: temperature, path: /t, scale: 100}"},
                         R"({"t": 1e307})",
                         "m-1 @ temperature!the number 1e307, too large once converted"}));

INSTANTIATE_TEST_SUITE_P(
    States, Message,
    testing::Values(
        Case{"", {"{signal: mode, path: /s}"}, R"({"s": "on"})", "m-1 @ mode=\"on\""},
        Case{"", {"{signal: mode, path: /s}"}, R"({"s": true})", "m-1 @ mode=\"true\""},
        Case{"", {"{signal: mode, path: /s}"}, R"({"s": 1})", "m-1 @ mode=\"1\""},
        Case{"",
             {"{signal: mode, path: /s, values: {\"ON\": \"on\", \"OFF\": \"off\"}}"},
             R"({"s": "OFF"})",
             "m-1 @ mode=\"off\""},
        Case{"",
             {"{signal: mode, path: /s, values: {true: \"on\", false: \"off\"}}"},
             R"({"s": false})",
             "m-1 @ mode=\"off\""},
        Case{"", {"{signal: mode, path: /s, values: {1: \"on\", 0: \"off\"}}"}, R"({"s": 1.0})", "m-1 @ mode=\"on\""},
        Case{"",
             {"{signal: mode, path: /s, values: {\"ON\": \"on\", \"OFF\": \"off\"}}"},
             R"({"s": "Off"})",
             "m-1 @ mode!the text \"Off\" at /s, and the mapping knows only ON, OFF"},
        Case{"", {"{signal: mode, path: /s, values: {\"ON\": \"on\", \"?\": null}}"}, R"({"s": "?"})", "passed over"},
        Case{"", {"{signal: level, path: /s, values: {low: 10, high: 90.5}}"}, R"({"s": "high"})", "m-1 @ level=90.5"},
        Case{"", {"{signal: level, path: /s, scale: 0.01, values: {low: 10}}"}, R"({"s": "low"})", "m-1 @ level=0.1"}));

INSTANTIATE_TEST_SUITE_P(
    MissingThings, Message,
    testing::Values(
        Case{"",
             {"{signal: temperature, path: /t}", "{signal: level, path: /l/v}"},
             R"({"t": 1, "l": {"x": 2}})",
             "m-1 @ temperature=1 level!missing: nothing stands at /l/v (/l has only \"x\")"},
        Case{"",
             {"{signal: temperature, path: /t}", "{signal: level, path: /l}"},
             R"({"t": 1, "l": null})",
             "m-1 @ temperature=1 level!missing: nothing stands at /l (/l is null)"},
        Case{"",
             {"{signal: temperature, path: /t}", "{signal: level, path: /l, optional: true}"},
             R"({"t": 1})",
             "m-1 @ temperature=1"},
        Case{"",
             {"{signal: temperature, path: /t}", "{signal: level, path: /l, optional: true}"},
             R"({"x": 1})",
             "malformed: mapping t: the message has nothing at /t, /l; the message has only \"x\""},
        Case{"", kTemperature, "7", "malformed: mapping t: the message has nothing at /t; it is the number 7"},
        Case{"empty: ignore", kTemperature, R"({"x": 1})", "passed over"},
        Case{"empty: quarantine", kTemperature, "{}",
             "malformed: mapping t: the message has nothing at /t; the message is an empty object"},
        Case{"",
             {"{signal: power, path: /p, unit: W}"},
             R"({"p": 1500})",
             "malformed: mapping t: the asset's model has none of the mapping's signals; declare them there"},
        Case{"", {"{signal: power, path: /p, unit: W}"}, R"({"p": 1500})", "k-1 @ power=1.5", "t/k-1"},
        Case{"",
             {"{signal: temperature, path: /a, optional: true}", "{signal: temperature, path: /b, optional: true}"},
             R"({"a": 1, "b": 2})",
             "m-1 @ temperature=1"},
        Case{"",
             {"{signal: temperature, path: /a, optional: true}", "{signal: temperature, path: /b, optional: true}"},
             R"({"b": 2})",
             "m-1 @ temperature=2"},
        Case{"", kTemperature, "{\"t\": }", "malformed: mapping t: not JSON at byte 6 of 7: syntax error"}));

INSTANTIATE_TEST_SUITE_P(
    Assets, Message,
    testing::Values(Case{"", kTemperature, R"({"t": 1})", "unknown asset m-9", "t/m-9"},
                    Case{"", kTemperature, R"({"t": 1})", "no mapping", "u/m-1"},
                    Case{"", kTemperature, R"({"t": 1})", "no mapping", "t/m-1/x"},
                    Case{"", kTemperature, R"({"t": 1})", "no mapping", "t"},
                    Case{"", kTemperature, R"({"t": 1})", "malformed: mapping t: {asset} gives an empty text", "t/"},
                    Case{"", kTemperature, R"({"t": 1})",
                         "malformed: mapping t: {asset} gives more than 64 bytes: \"\" and then \"" +
                             std::string(63, 'x') + "...\"",
                         "t/" + std::string(65, 'x')},
                    Case{"assets: {\"Cold room\": m-2}", kTemperature, R"({"t": 1})", "m-2 @ temperature=1",
                         "t/Cold room"},
                    Case{"assets: {\"Cold room\": m-2}", kTemperature, R"({"t": 1})", "m-1 @ temperature=1", "t/m-1"}));

std::string on_asset(const std::string& source) {
  return "  - {id: t, topic: \"t/{x}\", asset: \"" + source + "\", signals: [{signal: temperature, path: /t}]}\n";
}

TEST(AssetTemplate, TakesTextsLevelsAndPaths) {
  EXPECT_EQ(Trial(on_asset("m-{/id}")).of("t/a", R"({"id": 1, "t": 2})"), "m-1 @ temperature=2");
  EXPECT_EQ(Trial(on_asset("{/d/id|lower}")).of("t/a", R"({"d": {"id": "M-2"}, "t": 2})"), "m-2 @ temperature=2");
  EXPECT_EQ(Trial(on_asset("{x|upper}-{/id}")).of("t/m", R"({"id": "b", "t": 2})"), "unknown asset M-b");
  EXPECT_EQ(Trial(on_asset("{/d/id}")).of("t/a", R"({"d": {"eui": 1}, "t": 2})"),
            "malformed: mapping t: nothing stands at /d/id, which {/d/id} is made from; /d has only \"eui\"");
  EXPECT_EQ(Trial(on_asset("{/d}")).of("t/a", R"({"d": {}, "t": 2})"),
            "malformed: mapping t: at /d, which {/d} is made from, stands an object; expected a text or a number");
}

TEST(SignalTemplate, TakesTheSignalFromTheTopicOrTheMessage) {
  Trial bare(
      "  - {id: h, topic: \"home/{a}/{s}\", asset: \"{a}\", payload: number, signals: [{signal: \"{s|lower}\"}]}\n");
  EXPECT_EQ(bare.of("home/m-1/Temperature", "21.5"), "m-1 @ temperature=21.5");
  EXPECT_EQ(bare.of("home/m-1/colour", "21.5"), "m-1 @ colour=21.5") << "the engine says that there is no such signal";
  EXPECT_EQ(bare.of("home/m-1/temperature", "warm"),
            "malformed: mapping h: the payload is \"warm\"; expected a finite number such as 21.5");
  Trial json("  - {id: h, topic: \"home/{a}/{s}\", asset: \"{a}\", signals: [{signal: \"{s}\", path: /value}]}\n");
  EXPECT_EQ(json.of("home/m-1/mode", R"({"value": "on"})"), "m-1 @ mode=\"on\"");
  Trial whole("  - {id: h, topic: \"home/{a}/{s}\", asset: \"{a}\", signals: [{signal: \"{s}\", path: \"\"}]}\n");
  EXPECT_EQ(whole.of("home/m-1/temperature", "3"), "m-1 @ temperature=3");
  Trial text("  - {id: h, topic: \"home/{a}\", asset: \"{a}\", payload: text, signals: [{signal: mode}]}\n");
  EXPECT_EQ(text.of("home/m-1", "on"), "m-1 @ mode=\"on\"");
  Trial named(
      "  - {id: h, topic: \"home/{a}\", asset: \"{a}\", each: \"\", signals: [{signal: \"{/n|lower}\", path: /v}]}\n");
  EXPECT_EQ(named.of("home/m-1", R"([{"n": "Level", "v": 1}, {"n": "MODE", "v": "off"}])"),
            "m-1 @ level=1; @ mode=\"off\"");
}

INSTANTIATE_TEST_SUITE_P(
    Times, Message,
    testing::Values(
        Case{"time: {path: /at, format: unix_ms}", kTemperature, R"({"t": 1, "at": 1700000000123})",
             "m-1 @1700000000123 temperature=1"},
        Case{"time: {path: /at, format: unix_s}", kTemperature, R"({"t": 1, "at": 1700000000.5})",
             "m-1 @1700000000500 temperature=1"},
        Case{"time: {path: /at, format: unix_s}", kTemperature, R"({"t": 1, "at": "1700000000"})",
             "m-1 @1700000000000 temperature=1"},
        Case{"time: {path: /at, format: [iso8601, unix_ms]}", kTemperature, R"({"t": 1, "at": "1970-01-01T00:00:01Z"})",
             "m-1 @1000 temperature=1"},
        Case{"time: {path: /at, format: [iso8601, unix_ms]}", kTemperature, R"({"t": 1, "at": 2000})",
             "m-1 @2000 temperature=1"},
        Case{"time: {path: /at, format: iso8601, zone: Europe/Berlin}", kTemperature,
             R"({"t": 1, "at": "1990-01-01T01:00:00"})", "m-1 @631152000000 temperature=1"},
        Case{"time: {path: /at, format: unix_ms}", kTemperature, R"({"t": 1})",
             "malformed: mapping t: expected the time at /at; the message has only \"t\""},
        Case{"time: {path: /at, format: unix_ms, optional: true}", kTemperature, R"({"t": 1, "at": null})",
             "m-1 @ temperature=1"},
        Case{"time: {path: /at, format: [iso8601, unix_s], optional: true}", kTemperature, R"({"t": 1, "at": "now"})",
             "malformed: mapping t: at /at stands the text \"now\"; expected an ISO 8601 time with a zone (the mapping "
             "names none) or seconds since 1970"},
        Case{"time: {path: /at, format: iso8601, zone: Europe/Berlin}", kTemperature,
             R"({"t": 1, "at": "2026-03-29T02:30:00"})",
             "malformed: mapping t: at /at stands the text \"2026-03-29T02:30:00\"; expected an ISO 8601 time that "
             "exists in zone Europe/Berlin"}));

INSTANTIATE_TEST_SUITE_P(
    Elements, Message,
    testing::Values(Case{"each: /r\ntime: {path: /at, format: unix_ms}", kTemperature,
                         R"({"r": [{"t": 1, "at": 10}, {"t": 2, "at": 20}]})",
                         "m-1 @10 temperature=1; @20 temperature=2"},
                    Case{"each: \"\"\ntime: {path: /at, format: unix_ms}", kTemperature, R"([{"t": 1, "at": 10}])",
                         "m-1 @10 temperature=1"},
                    Case{"each: /r",
                         {"{signal: temperature, path: \"\"}"},
                         R"({"r": [1, 2]})",
                         "m-1 @ temperature=1; @ temperature=2"},
                    Case{"each: /r", kTemperature, R"({"r": []})",
                         "malformed: mapping t: the message has nothing at /t; the message has only \"r\""},
                    Case{"each: /r\nempty: ignore", kTemperature, R"({"r": []})", "passed over"},
                    Case{"each: /r\nempty: ignore", kTemperature, R"({"x": []})", "passed over"},
                    Case{"each: /r", kTemperature, R"({"x": []})",
                         "malformed: mapping t: expected an array at /r; the message has only \"x\""},
                    Case{"each: /r", kTemperature, R"({"r": {"t": 1}})",
                         "malformed: mapping t: expected an array at /r; there is an object"},
                    Case{"each: /r\ntime: {path: /at, format: unix_ms}", kTemperature,
                         R"({"r": [{"t": 1, "at": 10}, {"t": 2}]})",
                         "malformed: mapping t: element 1: expected the time at /at; the message has only \"t\""}));

INSTANTIATE_TEST_SUITE_P(
    Conditions, Message,
    testing::Values(
        Case{"when: {/method: NotifyStatus}", kTemperature, R"({"method": "NotifyStatus", "t": 1})",
             "m-1 @ temperature=1"},
        Case{"when: {/method: NotifyStatus}", kTemperature, R"({"method": "NotifyEvent", "t": 1})", "passed over"},
        Case{"when: {/method: NotifyStatus}", kTemperature, R"({"t": 1})", "passed over"},
        Case{"when: {/a: 1, /b: true}", kTemperature, R"({"a": 1.0, "b": true, "t": 1})", "m-1 @ temperature=1"},
        Case{"when: {/a: 1, /b: true}", kTemperature, R"({"a": 1.0, "b": false, "t": 1})", "passed over"}));

TEST(Mappings, OfWhichSeveralMatchTheClosestCounts) {
  const auto on = [](const std::string& id, const std::string& topic, int value) {
    return "  - {id: " + id + ", topic: \"" + topic +
           "\", asset: m-1, signals: [{signal: level, path: \"\", offset: " + std::to_string(value) + "}]}\n";
  };
  Trial trial(on("a", "#", 1) + on("b", "x/#", 2) + on("c", "x/{y}", 3) + on("d", "x/y", 4) + on("e", "x/y/z/#", 5) +
              on("f", "x/y/z", 6));
  struct {
    const char* topic;
    const char* outcome;
  } const kCases[] = {{"q", "m-1 @ level=1"},     {"x", "m-1 @ level=2"},         {"x/q", "m-1 @ level=3"},
                      {"x/y", "m-1 @ level=4"},   {"x/y/z", "m-1 @ level=6"},     {"x/y/q", "m-1 @ level=2"},
                      {"x/q/z", "m-1 @ level=2"}, {"x/y/z/1/2", "m-1 @ level=5"}, {"$SYS/x", "no mapping"},
                      {"", "no mapping"},         {"x/", "m-1 @ level=3"}};
  for (const auto& [topic, outcome] : kCases) EXPECT_EQ(trial.of(topic, "0"), outcome) << topic;
}

TEST(Mappings, ConvertForEachModelToItsOwnUnit) {
  Trial trial(one_mapping("", {"{signal: temperature, path: /t, unit: K}"}));
  EXPECT_EQ(trial.of("t/m-1", R"({"t": 283.15})"), "m-1 @ temperature=10");
  EXPECT_EQ(trial.of("t/f-1", R"({"t": 283.15})"), "f-1 @ temperature=49.999999999999936");
}

// The law: a converted value has the bits that the units themselves give.
TEST(Mappings, ConvertAsUnitsDo) {
  Trial trial(one_mapping("", {"{signal: temperature, path: /t, unit: degF}"}));
  const auto from = catalog::parse_unit("degF");
  const auto to = catalog::parse_unit("degC");
  ASSERT_TRUE(from && to);
  Telemetry out;
  std::string asset;
  Malformed why;
  for (int i = -4000; i <= 4000; i += 7) {
    const std::string number = std::to_string(i) + "e-1";
    const std::string payload = "{\"t\": " + number + "}";
    ASSERT_EQ(trial.mappings().apply({"t/m-1", payload, trial_now()}, &Trial::model_of, out, asset, why),
              Mappings::Outcome::readings);
    ASSERT_EQ(out.values.at(0).number, rules::convert(std::stod(number), *from, *to)) << number;
  }
}

TEST(Mappings, RefuseMoreReadingsThanAMessageMayHave) {
  Trial trial(one_mapping("each: \"\"", {"{signal: temperature, path: \"\"}"}));
  std::string payload = "[0";
  for (std::size_t i = 1; i < kMaxReadings; ++i) payload += ",0";
  EXPECT_TRUE(trial.of("t/m-1", payload + "]").starts_with("m-1 @ temperature=0; @"));
  EXPECT_EQ(trial.of("t/m-1", payload + ",0]"),
            "too_many_readings: mapping t: element 10000: more than 10000 readings in one message; send several "
            "messages");
}

TEST(Mappings, LeaveNothingOfOneMessageInTheNext) {
  Trial trial(
      one_mapping("time: {path: /at, format: unix_ms, optional: true}",
                  {"{signal: temperature, path: /t, optional: true}", "{signal: mode, path: /s, optional: true}"}));
  EXPECT_EQ(trial.of("t/m-1", R"({"t": 1, "s": "on", "at": 5})"), "m-1 @5 temperature=1 mode=\"on\"");
  EXPECT_EQ(trial.of("t/m-2", R"({"s": "off"})"), "m-2 @ mode=\"off\"");
  EXPECT_EQ(trial.of("t/m-2", "{"), "malformed: mapping t: not JSON at byte 1 of 1: incomplete JSON");
  EXPECT_EQ(trial.of("t/m-2", R"({"t": 2})"), "m-2 @ temperature=2");
}

}  // namespace
}  // namespace fettle::direct
