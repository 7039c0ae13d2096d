// A tour of mistakes in a rule's tests: one change to a test that is right, and everything that is then said about it.

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "gateway/catalog/rule_tests.h"
#include "tests/gateway/catalog/sample_catalog.h"

namespace fettle::catalog {
namespace {

// The sample's rule has its test from line 13 on.
std::string tested_pack() {
  return sample_pack() + R"(    tests:
      - name: heat is noticed
        readings:
          temperature: [constant(20 degC, 1h, every 5m), ramp(85 degC, 95 degC, 1h, every 5m)]
          band: [[0s, low], [90m, high]]
        parameters: {limit: 75 degC}
        expect: [{raised_after: 70m .. 80m, cleared_after: never}]
)";
}

std::string right_pack() {
  return replaced(tested_pack(), "70m .. 80m", "1h10m .. 1h20m");
}

struct Mistake {
  const char* from;
  const char* to;
  std::vector<std::string> faults;
};

class RuleTestMistake : public testing::TestWithParam<Mistake> {};

TEST_P(RuleTestMistake, IsReportedAtItsPlace) {
  const Mistake& mistake = GetParam();
  EXPECT_TRUE(same_faults(
      faults_of({{"c.yaml", sample_catalog()}, {"p.yaml", replaced(right_pack(), mistake.from, mistake.to)}}),
      mistake.faults));
}

TEST(RuleTestMistakes, TheSampleHasNone) {
  EXPECT_TRUE(same_faults(faults_of({{"c.yaml", sample_catalog()}, {"p.yaml", right_pack()}}), {}));
}

constexpr const char* kLabel = "pack heat: rule hot, test \"heat is noticed\": signal temperature: ";

std::string at(const std::string& place, const std::string& message) {
  return "p.yaml:" + place + ": " + message;
}
std::string in_series(const std::string& place, const std::string& message) {
  return at(place, kLabel + message);
}

INSTANTIATE_TEST_SUITE_P(
    Series, RuleTestMistake,
    testing::Values(
        Mistake{
            "constant(20", "konstant(20", {in_series("16:25", "\"konstant\" is no series; did you mean constant?")}},
        Mistake{"constant(20 degC, 1h, every 5m)",
                "20 degC",
                {in_series("16:25", "\"20 degC\" is no series; expected a series such as *")}},
        Mistake{"constant(20 degC, 1h, every 5m)", "gap", {in_series("16:28", "expected ( after gap, as in gap(2h)")}},
        Mistake{"constant(20 degC, 1h, every 5m)",
                "constant(20 degC, every 5m)",
                {in_series("16:25",
                           "constant() has 2 arguments; expected constant(<value>, <how long>, every "
                           "<interval>), such as constant(20 degC, 1d, every 5m)")}},
        Mistake{"constant(20 degC, 1h, every 5m)",
                "gap(1h, 2h)",
                {in_series("16:25", "gap() has 2 arguments; expected gap(<how long>), such as gap(2h)")}},
        Mistake{"constant(20 degC, 1h, every 5m)",
                "\"constant(20 degC, 1h, every 5m\"",
                {in_series("16:56",
                           "the ( of constant is not closed; expected constant(<value>, <how long>, every "
                           "<interval>)")}},
        Mistake{"constant(20 degC, 1h, every 5m)",
                "constant(20 degC, 1h, every 5m) gap(1h)",
                {in_series("16:56",
                           "more text follows the series; write several as a list: [constant(20 degC, 1d, "
                           "every 5m), ...]")}},
        Mistake{"20 degC, 1h",
                "20, 1h",
                {in_series("16:34", "\"20\" has no unit; expected a quantity in degC, such as 20 degC")}},
        Mistake{"20 degC, 1h",
                "warm, 1h",
                {in_series("16:34", "\"warm\" is no value; expected a quantity in degC or a unit that converts")}},
        Mistake{"20 degC, 1h",
                "nan degC, 1h",
                {in_series("16:34", "\"nan degC\" is no value; expected a quantity in degC or a unit that converts")}},
        Mistake{"20 degC, 1h",
                "20 degX, 1h",
                {in_series("16:37", "\"degX\" is no unit; expected a quantity in degC or a unit that converts")}},
        Mistake{
            "20 degC, 1h", "20 bar, 1h", {in_series("16:37", "\"bar\" does not convert to the signal's unit degC")}},
        Mistake{
            "20 degC, 1h",
            "20 degC, 1 h",
            {in_series(
                "16:43",
                "\"1 h\" is not how long the series lasts; expected a duration such as 90s, 15m, 24h, 7d or 1h30m")}},
        Mistake{"20 degC, 1h",
                "20 degC, 0",
                {in_series(
                    "16:43",
                    "\"0\" is not how long the series lasts; expected a duration such as 90s, 15m, 24h, 7d or 1h30m")}},
        Mistake{"1h, every 5m), ramp",
                "1h, 5m), ramp",
                {in_series("16:47",
                           "\"5m\" is not the interval of the readings; expected every and a duration such as "
                           "90s, 15m, 24h, 7d or 1h30m: every 5m")}},
        Mistake{"1h, every 5m), ramp",
                "1h, every 0s), ramp",
                {in_series("16:47",
                           "\"every 0s\" is not the interval of the readings; expected every and a duration "
                           "such as 90s, 15m, 24h, 7d or 1h30m: every 5m")}},
        Mistake{"1h, every 5m), ramp",
                "1h, every 1ms), ramp",
                {in_series("16:25",
                           "the test would have more than 250000 readings; make it shorter, or let them come "
                           "less often")}},
        Mistake{"20 degC, 1h",
                "20 degC, 367d",
                {in_series("16:25", "the test would last longer than a year (366d); make it shorter")}},
        // Two at once, in the second of two series.
        Mistake{"ramp(85 degC, 95 degC",
                "ramp(85 K/s, 95",
                {in_series("16:66", "\"K/s\" does not convert to the signal's unit degC"),
                 in_series("16:71", "\"95\" has no unit; expected a quantity in degC, such as 95 degC")}}));

INSTANTIATE_TEST_SUITE_P(
    States, RuleTestMistake,
    testing::Values(
        Mistake{"[90m, high]",
                "[90m, hihg]",
                {at("17:35",
                    "pack heat: rule hot, test \"heat is noticed\": signal band: \"hihg\" is no state of it; "
                    "expected one of low, high; did you mean high?")}},
        Mistake{"[[0s, low], [90m, high]]",
                "ramp(low, high, 2h, every 5m)",
                {at("17:17",
                    "pack heat: rule hot, test \"heat is noticed\": signal band: is a state, and nothing lies "
                    "between two states; use constant() or steps()")}},
        Mistake{"[90m, high]",
                "[0s, high]",
                {at("17:30",
                    "pack heat: rule hot, test \"heat is noticed\": signal band: \"0s\" is not after the point "
                    "before it; write points in the order of time")}},
        Mistake{"[90m, high]",
                "[soon, high]",
                {at("17:30",
                    "pack heat: rule hot, test \"heat is noticed\": signal band: \"soon\" is no time since the "
                    "test's begin; expected a duration such as 90s, 15m, 24h, 7d or 1h30m, or 0")}},
        Mistake{"[90m, high]",
                "[90m, high, low]",
                {at("17:29",
                    "pack heat, rule hot, test \"heat is noticed\": a list of 3; expected a point: [time since "
                    "the test's begin, value], such as [5m, 20 degC]")}},
        Mistake{"[90m, high]",
                "gap(2h)",
                {at("17:17",
                    "pack heat, rule hot, test \"heat is noticed\": the readings of band mix series and "
                    "points; write either of them")}},
        Mistake{"band: [[",
                "bend: [[",
                {at("17:11",
                    "pack heat: rule hot, test \"heat is noticed\": model lift/gen2 has no signal \"bend\"; did "
                    "you mean band?")}},
        Mistake{"band: [[0s, low], [90m, high]]",
                "band: []",
                {at("17:17",
                    "pack heat, rule hot, test \"heat is noticed\": the readings of band are an empty list; "
                    "expected a series such as *")}}));

INSTANTIATE_TEST_SUITE_P(
    Expectations, RuleTestMistake,
    testing::Values(
        Mistake{"raised_after: 1h10m .. 1h20m",
                "raised_after: 70",
                {at("19:33",
                    "pack heat, rule hot, test \"heat is noticed\", expect: \"raised_after\" is \"70\"; expected "
                    "\">= 30h\", \"<= 30h\", \"== 30h\" or a range \"28h .. 32h\"")}},
        Mistake{"raised_after: 1h10m .. 1h20m",
                "raised_after: never",
                {at("19:33",
                    "pack heat, rule hot, test \"heat is noticed\", expect: \"raised_after\" is \"never\"; "
                    "expected \">= 30h\", \"<= 30h\", \"== 30h\" or a range \"28h .. 32h\"")}},
        Mistake{"cleared_after: never",
                "cleared_after: ever",
                {at("19:64",
                    "pack heat, rule hot, test \"heat is noticed\", expect: \"cleared_after\" is \"ever\"; "
                    "expected \">= 30h\", \"<= 30h\", \"== 30h\" or a range \"28h .. 32h\", or never")}},
        Mistake{"raised_after: 1h10m .. 1h20m",
                "raised_after: \">= 3h\"",
                {at("19:34",
                    "pack heat: rule hot, test \"heat is noticed\": \">= 3h\" lies behind the end of the test's "
                    "readings, 2h after its begin; let them last longer")}},
        Mistake{"raised_after: 1h10m .. 1h20m",
                "raises_after: 1h",
                {at("19:19",
                    "pack heat, rule hot, test \"heat is noticed\", expect: unknown key \"raises_after\"; did "
                    "you mean raised_after?")}},
        Mistake{"cleared_after: never}",
                "none: true}",
                {at("19:18",
                    "pack heat, rule hot, test \"heat is noticed\", expect: says none and more; expected {none: "
                    "true} alone, or what the episodes are")}},
        Mistake{"cleared_after: never}]",
                "cleared_after: never}, {none: true}]",
                {at("19:17",
                    "pack heat, rule hot, test \"heat is noticed\": \"expect\" has none: true beside other "
                    "lines; expected it alone")}},
        Mistake{"cleared_after: never}",
                "count: 0}",
                {at("19:56",
                    "pack heat, rule hot, test \"heat is noticed\", expect: \"count\" is \"0\"; expected a "
                    "whole number from 1 to 1000")}},
        Mistake{"expect: [{raised_after: 1h10m .. 1h20m, cleared_after: never}]",
                "expect: []",
                {at("19:17",
                    "pack heat, rule hot, test \"heat is noticed\": \"expect\" is empty; expected a list of "
                    "what must come of it, such as [{raised_after: \">= 30h\", count: 1}] or [{none: true}]")}},
        Mistake{"expect: [{raised_after: 1h10m .. 1h20m, cleared_after: never}]",
                "expects: [{none: true}]",
                {at("14:9",
                    "pack heat, rule hot, test \"heat is noticed\": \"expect\" is missing; expected a list of "
                    "what must come of it, such as [{raised_after: \">= 30h\", count: 1}] or [{none: true}]"),
                 at("19:9",
                    "pack heat, rule hot, test \"heat is noticed\": unknown key \"expects\"; did you mean "
                    "expect?")}}));

INSTANTIATE_TEST_SUITE_P(
    Whole, RuleTestMistake,
    testing::Values(
        Mistake{"parameters: {limit: 75 degC}",
                "parameters: {limt: 75 degC}",
                {at("18:28", "pack heat: rule hot, test \"heat is noticed\": *")}},
        Mistake{"parameters: {limit: 75 degC}",
                "parameters: {limit: 75 bar}",
                {at("18:29", "pack heat: rule hot, test \"heat is noticed\": *")}},
        Mistake{"      - name: heat is noticed\n        readings:",
                "      - readings:",
                {at("14:9",
                    "pack heat, rule hot, test: \"name\" is missing; expected a sentence that says what the test "
                    "shows")}},
        Mistake{"      - name: heat is noticed\n",
                "      - {name: heat is noticed, expect: [{none: true}]}\n      - name: heat is noticed\n",
                {at("14:9",
                    "pack heat, rule hot, test \"heat is noticed\": \"readings\" is missing; expected a map of "
                    "signals and their readings, such as temperature: constant(20 degC, 1d, every 5m)"),
                 at("15:9", "pack heat, rule hot: two tests are named \"heat is noticed\"; rename one of the two")}}));

// ---- packs without tests
// --------------------------------------------------------------------------------------------

std::vector<std::string> faults_where_required(const std::string& pack, const std::vector<Entry>& existing = {}) {
  const auto result = read_catalog(std::vector<SourceFile>{{"c.yaml", sample_catalog()}, {"p.yaml", pack}}, existing,
                                   RuleTests::required);
  std::vector<std::string> faults;
  if (result.has_error()) {
    for (const FileDiagnostic& diagnostic : result.error()) faults.push_back(to_string(diagnostic));
  }
  return faults;
}

TEST(RuleWithoutTest, IsRefusedWithAnExampleWhereOneIsRequired) {
  const std::string expected =
      "p.yaml:4:5: pack heat: rule hot has no test, and a rule is taken with one at least; say when it must raise and "
      "when not, such as: tests: [{name: what is normal raises nothing, readings: {temperature: \"constant(1 degC, 1d, "
      "every 5m)\"}, expect: [{none: true}]}]";
  EXPECT_TRUE(same_faults(faults_where_required(sample_pack()), {expected}));
  EXPECT_TRUE(same_faults(faults_where_required(sample_pack() + "    tests: []\n"), {expected}));
  EXPECT_TRUE(same_faults(faults_where_required(right_pack()), {}));
}

TEST(RuleWithoutTest, TheExampleIsATestThatIsTaken) {
  const std::string said = faults_where_required(sample_pack()).front();
  EXPECT_TRUE(
      same_faults(faults_where_required(sample_pack() + "    " + said.substr(said.find("tests: [{")) + "\n"), {}));
  // Of a rule that reads a state.
  const std::string states = replaced(sample_pack(), "when: temperature > limit", "when: band == \"high\"");
  const std::string of_state = faults_where_required(states).front();
  EXPECT_NE(of_state.find("{band: \"constant(low, 1d, every 5m)\"}"), std::string::npos) << of_state;
  EXPECT_TRUE(
      same_faults(faults_where_required(states + "    " + of_state.substr(of_state.find("tests: [{")) + "\n"), {}));
}

TEST(RuleWithoutTest, StaysInForceWhereItIsAlready) {
  EXPECT_TRUE(same_faults(faults_of({{"c.yaml", sample_catalog()}}, sample_entries()), {}));
  const auto result =
      read_catalog(std::vector<SourceFile>{{"c.yaml", sample_catalog()}}, sample_entries(), RuleTests::required);
  EXPECT_TRUE(result.has_value());
}

TEST(RuleTests, OfAPackInForceAreCheckedAgainstAModelThatChanges) {
  const auto existing = entries_of({{"c.yaml", sample_catalog()}, {"p.yaml", right_pack()}});
  const std::string renamed = replaced(sample_catalog(), "states: [low, high]", "states: [low, higher]");
  EXPECT_EQ(faults_of({{"c.yaml", renamed}}, existing).front(),
            "c.yaml:2:5: as model lift/gen2 is declared here, an entry in force no longer fits: pack heat: rule hot, "
            "test \"heat is noticed\": signal band: \"high\" is no state of it; expected one of low, higher "
            "(p.yaml:17:35)");
}

// Whatever is typed, it is taken, or refused with places that the file has.
TEST(RuleTests, AnyTextIsTakenOrRefusedAtAPlaceOfTheFile) {
  const std::string right = right_pack();
  const std::string pieces[] = {"(",  ")", "[", "]",     "{",  "}", ",",  ":",    "\"",       "'",   "every", "..",
                                ">=", "0", "-", "9e999", "1h", " ", "\n", "gap(", "\xc3\xbc", "nan", "#"};
  std::size_t taken = 0;
  for (unsigned seed = 0; seed < 1'000; ++seed) {
    std::mt19937 random(seed);
    const auto below = [&](std::size_t most) { return random() % most; };
    std::string text = right;
    const std::size_t begin = text.find("    tests:");
    for (std::size_t change = 0; change <= below(3); ++change) {
      const std::size_t at = begin + below(text.size() - begin);
      const std::size_t gone = std::min<std::size_t>(below(4), text.size() - at);
      text.replace(at, gone, pieces[below(std::size(pieces))]);
    }
    const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
    const auto result =
        read_catalog(std::vector<SourceFile>{{"c.yaml", sample_catalog()}, {"p.yaml", text}}, {}, RuleTests::required);
    if (result.has_value()) ++taken;
    if (result.has_value()) continue;
    for (const FileDiagnostic& fault : result.error()) {
      EXPECT_TRUE(fault.line >= 1 && fault.line <= lines && fault.column >= 1) << to_string(fault) << "\n" << text;
    }
  }
  EXPECT_GT(taken, 20U) << "most changes break it, some do not";
  EXPECT_LT(taken, 500U);
}

TEST(RuleTests, AreBoundedInNumber) {
  std::string many = sample_pack() + "    tests:\n";
  for (int i = 0; i <= kMostTests; ++i) {
    many += "      - {name: t" + std::to_string(i) + ", readings: {temperature: gap(1h)}, expect: [{none: true}]}\n";
  }
  EXPECT_TRUE(same_faults(faults_where_required(many),
                          {"p.yaml:64:9: pack heat, rule hot: has more than 50 tests; remove some"}));
}

}  // namespace
}  // namespace fettle::catalog
