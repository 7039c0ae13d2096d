// Mistakes in mappings, sources and metrics: one change, and everything that is then said about it.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "gateway/direct/mapping.h"
#include "tests/gateway/catalog/sample_catalog.h"

namespace fettle::catalog {
namespace {

constexpr const char* kMappings = R"(mappings:
  - id: meters
    topic: plant/{line}/state
    asset: "{line}"
    assets: {l1: lift-1}
    when: {/kind: reading}
    time: {path: /at, format: iso8601, zone: Europe/Berlin}
    signals:
      - {signal: temperature, path: /t, unit: degF, scale: 0.1}
      - {signal: band, path: /b, values: {L: low, H: high}}
  - {id: bare, topic: "home/{a}/{s}", asset: "{a}", payload: number, signals: [{signal: "{s}"}]}
)";

struct Mistake {
  const char* from;
  const char* to;
  std::vector<std::string> faults;
};

class MappingMistake : public testing::TestWithParam<Mistake> {};
TEST_P(MappingMistake, IsReportedAtItsPlace) {
  EXPECT_TRUE(same_faults(faults_of({{"c.yaml", sample_catalog()},
                                     {"p.yaml", sample_pack()},
                                     {"m.yaml", replaced(kMappings, GetParam().from, GetParam().to)}}),
                          GetParam().faults));
}

INSTANTIATE_TEST_SUITE_P(
    Notation, MappingMistake,
    testing::Values(
        Mistake{"topic: plant/{line}/state",
                "topic: plant/{line}s/state",
                {"m.yaml:3:18: mapping meters: \"topic\" \"plant/{line}s/state\" has \"{\" within a level; +, # and "
                 "{name} each stand for a whole level"}},
        Mistake{
            "topic: plant/{line}/state",
            "topic: spBv1.0/{line}/state",
            {"m.yaml:3:12: mapping meters: \"topic\" begins with spBv1.0/, whose messages the gateway reads without "
             "a mapping; choose another topic"}},
        Mistake{"topic: plant/{line}/state",
                "topic: \"#\"",
                {"m.yaml:4:14: mapping meters: \"asset\" \"{line}\" uses {line}, and the topic names none of its "
                 "levels; expected one of them, or a JSON pointer such as {/device/id}"}},
        Mistake{"asset: \"{line}\"",
                "asset: {line}",
                {"m.yaml:4:12: mapping meters: \"asset\" is a map; put a text with { into quotes: asset: \"{line}\""}},
        Mistake{
            "asset: \"{line}\"",
            "asset: \"x-{lines}\"",
            {"m.yaml:4:16: mapping meters: \"asset\" \"x-{lines}\" uses {lines}, and the topic names line; expected "
             "one of them, or a JSON pointer such as {/device/id}"}},
        Mistake{
            "path: /t,",
            "path: $.a.t,",
            {"m.yaml:9:37: mapping meters, signal temperature: \"path\" \"$.a.t\" is no JSON pointer: it begins with "
             "/; did you mean /a/t?"}},
        Mistake{"path: /t, ",
                "",
                {"m.yaml:9:9: mapping meters, signal temperature: \"path\" is missing; expected a "
                 "JSON pointer such as /ENERGY/Power"}},
        Mistake{"when: {/kind:",
                "when: {kind:",
                {"m.yaml:6:12: mapping meters: \"when\": \"kind\" is no JSON pointer: it begins with /; did you mean "
                 "/kind?"}},
        Mistake{"signal: temperature, path",
                "signal: Temperature, path",
                {"m.yaml:9:18: mapping meters, signal Temperature: \"signal\" is \"Temperature\", which is no signal's "
                 "name: it begins with a-z and goes on with a-z, 0-9 and _"}},
        Mistake{
            "  - {id: bare, topic: \"home/{a}/{s}\", asset: \"{a}\", payload: number, signals: [{signal: \"{s}\"}]}",
            "  - {id: bare, topic: \"home/{a}/{s}\", asset: \"{a}\", payload: number, each: /r, signals: [{signal: "
            "\"{s}\", path: /v}, {signal: band}]}",
            {"m.yaml:11:76: mapping bare: \"each\" looks into JSON, and the payload is one value; remove it",
             "m.yaml:11:89: mapping bare: the payload is one value, and it can be one signal's only; keep one of them",
             "m.yaml:11:112: mapping bare, signal {s}: the payload is one value and has no paths; remove \"path\", or "
             "set payload: json"}}));

INSTANTIATE_TEST_SUITE_P(
    Meaning, MappingMistake,
    testing::Values(
        Mistake{"format: iso8601,",
                "format: iso,",
                {"m.yaml:7:31: mapping meters, time: \"format\" is \"iso\"; expected one of unix_s, unix_ms, unix_us, "
                 "unix_ns and iso8601, or a list of them"}},
        Mistake{
            "format: iso8601,",
            "format: [unix_s, unix_s],",
            {"m.yaml:7:40: mapping meters, time: \"format\" names unix_s twice; remove one of the two",
             "m.yaml:7:55: mapping meters, time: \"zone\" is of times written as text; add iso8601 to \"format\" or "
             "remove it"}},
        Mistake{
            "Europe/Berlin",
            "Europe/Berlim",
            {"m.yaml:7:46: mapping meters, time: \"zone\": there is no time zone \"Europe/Berlim\"; expected an IANA "
             "name such as Europe/Berlin, did you mean Europe/Berlin?"}},
        Mistake{"scale: 0.1",
                "scale: 0",
                {"m.yaml:9:60: mapping meters, signal temperature: \"scale\" is 0, which would "
                 "make every reading 0"}},
        Mistake{"unit: degF",
                "unit: degX",
                {"m.yaml:9:47: mapping meters, signal temperature: \"unit\" is \"degX\", "
                 "which is no unit; expected the device's unit, such as degF"}},
        Mistake{
            "unit: degF",
            "unit: bar",
            {"m.yaml:9:18: mapping meters: signal temperature fits no model that has it; model lift/gen2: bar cannot "
             "be converted to its degC"}},
        Mistake{"signal: temperature, path",
                "signal: temprature, path",
                {"m.yaml:9:18: mapping meters: no model has a signal temprature; did you mean temperature?"}},
        Mistake{"signal: temperature, path",
                "signal: colour, path",
                {"m.yaml:9:18: mapping meters: no model has a signal colour; declare it in a model, or add optional: "
                 "true"}},
        Mistake{
            "H: high",
            "H: hihg",
            {"m.yaml:10:18: mapping meters: signal band fits no model that has it; model lift/gen2: hihg is none of "
             "its states; did you mean high?"}},
        Mistake{"path: /b, values: {L: low, H: high}",
                "path: /b, unit: m",
                {"m.yaml:10:18: mapping meters: signal band fits no model that has it; model lift/gen2: it is a state "
                 "there, and a state has no unit, scale or offset"}},
        Mistake{
            "path: /t, unit: degF, scale: 0.1",
            "path: /t, values: {cold: blue}",
            {"m.yaml:9:18: mapping meters: signal temperature fits no model that has it; model lift/gen2: blue is no "
             "number, and it is no state there"}},
        Mistake{"assets: {l1: lift-1}",
                "assets: {l1: lift-7}",
                {"m.yaml:5:18: mapping meters: there is no asset lift-7; did you mean lift-1?"}}));

// Topics of which one lies inside the other are fine: the closer counts.
TEST(MappingTopics, ThatCrossAreRefusedAndThoseThatNestAreNot) {
  const auto faults = [](const std::string& topic) {
    return faults_of({{"c.yaml", sample_catalog()},
                      {"p.yaml", sample_pack()},
                      {"m.yaml", replaced(kMappings, "home/{a}/{s}", topic)}});
  };
  EXPECT_TRUE(same_faults(faults("{a}/{s}/#"), {}));
  EXPECT_TRUE(same_faults(faults("{a}/x/{s}"),
                          {"m.yaml:3:12: mapping meters: a message on plant/x/state would match its topic "
                           "plant/{line}/state and {a}/x/{s} of mapping bare, neither being closer; make one of the "
                           "topics narrower"}));
  EXPECT_TRUE(same_faults(
      faults_of({{"c.yaml", sample_catalog()},
                 {"p.yaml", sample_pack()},
                 {"m.yaml", replaced(kMappings,
                                     "topic: \"home/{a}/{s}\", asset: \"{a}\", payload: number, signals: "
                                     "[{signal: \"{s}\"}]",
                                     "topic: plant/+/state, asset: x, payload: number, signals: [{signal: "
                                     "temperature}]")}}),
      {"m.yaml:3:12: mapping meters: a message on plant/x/state would match its topic plant/{line}/state and "
       "plant/+/state of mapping bare; remove one of the two"}));
}

// A model that no longer has what a mapping in force needs is reported where the model is declared, or not at all while
// another model still fits.
TEST(MappingInForce, IsCheckedAgainWhenModelsChange) {
  const auto existing = entries_of({{"c.yaml", sample_catalog()}, {"p.yaml", sample_pack()}, {"m.yaml", kMappings}});
  EXPECT_TRUE(same_faults(faults_of({{"n.yaml",
                                      "models: [{id: n, signals: [{name: temperature, kind: gauge, unit: "
                                      "bar}]}]"}},
                                    existing),
                          {}));
  const std::string without =
      replaced(replaced(sample_catalog(), "      - {name: band, kind: state, states: [low, high]}\n", ""),
               ", dimension: band}", "}");
  const auto faults = faults_of({{"c.yaml", without}}, existing);
  EXPECT_TRUE(std::find(faults.begin(), faults.end(),
                        "(catalog in force): mapping meters: no model has a signal band; declare it in a model, or add "
                        "optional: true") != faults.end());
}

TEST(MappingBounds, AreKept) {
  std::string many = "mappings:\n";
  for (std::size_t i = 0; i <= direct::kMaxMappings; ++i) {
    many += "  - {id: m" + std::to_string(i) + ", topic: t/" + std::to_string(i) +
            ", asset: lift-1, signals: [{signal: temperature, path: /t}]}\n";
  }
  EXPECT_TRUE(same_faults(faults_of({{"c.yaml", sample_catalog()}, {"p.yaml", sample_pack()}, {"m.yaml", many}}),
                          {"m.yaml:2:5: mapping m0: the catalog would have 257 mappings; at most 256 are allowed"}));
  std::string wide = "mappings:\n  - id: m\n    topic: t\n    asset: lift-1\n    signals:\n";
  for (std::size_t i = 0; i <= direct::kMaxMappedSignals; ++i) wide += "      - {signal: temperature, path: /t}\n";
  EXPECT_TRUE(same_faults(faults_of({{"c.yaml", sample_catalog()}, {"p.yaml", sample_pack()}, {"m.yaml", wide}}),
                          {"m.yaml:6:7: mapping m: has 257 signals; at most 256 are allowed"}));
}

class SparkplugMistake : public testing::TestWithParam<Mistake> {};
TEST_P(SparkplugMistake, IsReportedAtItsPlace) {
  EXPECT_TRUE(same_faults(
      faults_of({{"c.yaml", replaced(sample_catalog(), GetParam().from, GetParam().to)}, {"p.yaml", sample_pack()}}),
      GetParam().faults));
}
constexpr const char* kFirstLift = "- {id: lift-1, model: lift/gen2,";
INSTANTIATE_TEST_SUITE_P(
    All, SparkplugMistake,
    testing::Values(
        Mistake{kFirstLift,
                "- {id: lift-1, sources: [plant], model: lift/gen2,",
                {"c.yaml:24:28: asset lift-1: the source \"plant\" is no Sparkplug source; expected group/node or "
                 "group/node/device, without + and #"}},
        Mistake{kFirstLift,
                "- {id: lift-1, sources: [a/b/c/d, a//b, /a/b, a/b/, a/+], model: lift/gen2,",
                {"c.yaml:24:28: asset lift-1: the source \"a/b/c/d\" is*", "c.yaml:24:37: asset lift-1: the source*",
                 "c.yaml:24:43: asset lift-1: the source*", "c.yaml:24:49: asset lift-1: the source*",
                 "c.yaml:24:55: asset lift-1: the source*"}},
        Mistake{kFirstLift,
                "- {id: lift-1, sources: [a/b, a/b], model: lift/gen2,",
                {"c.yaml:24:33: asset lift-1: the source a/b is listed twice; remove one of the two"}},
        Mistake{"    parameters: {heat/hot.limit: 70 degC}",
                "    sources: [a/b]\n  - {id: lift-3, model: lift/gen2, commissioned: 2026-01-01, sources: [x/y, a/b]}",
                {"c.yaml:30:77: asset lift-3: the source a/b already belongs to asset lift-2; a source has one asset"}},
        Mistake{"{name: temperature, kind: gauge, unit: degC}",
                "{name: temperature, kind: gauge, unit: degC, metric: energy}",
                {"c.yaml:4:7: model lift/gen2: the metric energy would bring two signals, temperature and energy; give "
                 "one of them another metric"}},
        Mistake{"{name: temperature, kind: gauge, unit: degC}",
                "{name: temperature, kind: gauge, unit: degC, keep: 1h}",
                {"c.yaml:4:60: model lift/gen2, signal temperature: \"keep\" is 1h; expected 1d or more, or no such "
                 "key: kept for ever"}},
        Mistake{"{name: temperature, kind: gauge, unit: degC}",
                "{name: temperature, kind: gauge, unit: degC, keep: soon}",
                {"c.yaml:4:60: model lift/gen2, signal temperature: \"keep\" is \"soon\"; expected a duration*"}}));

TEST(SparkplugSources, OfAnAssetInForceAreTakenToo) {
  const auto existing = entries_of(
      {{"c.yaml", replaced(sample_catalog(), kFirstLift, "- {id: lift-1, sources: [a/b], model: lift/gen2,")},
       {"p.yaml", sample_pack()}});
  for (const char* id : {"lift-0", "lift-9"}) {  // before and after it in the order of checks
    EXPECT_TRUE(
        same_faults(faults_of({{"n.yaml", "assets: [{id: " + std::string(id) +
                                              ", model: lift/gen2, commissioned: 2026-01-01, sources: [a/b]}]"}},
                              existing),
                    {"n.yaml:1:*"}));
  }
}

}  // namespace
}  // namespace fettle::catalog
