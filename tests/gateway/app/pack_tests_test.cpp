// What running the tests of packs says: of rules that do as expected, and of every way not to.

#include "gateway/app/pack_tests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "gateway/catalog/catalog_reader.h"

namespace fettle::app {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

constexpr const char* kModel = R"(models:
  - id: motor
    max_gap: 15m
    signals:
      - {name: temperature, kind: gauge, unit: degC}
      - {name: mode, kind: state, states: [running, idle]}
)";

std::string pack_with(const std::string& tests) {
  return R"(pack: heat
version: 1
rules:
  - rule: hot
    model: motor
    parameters: {limit: 80 degC}
    when: temperature > limit
    for: 10m
    suppress_when: mode == "idle"
    tests:
)" + tests;
}

std::vector<catalog::Entry> entries_of(const std::vector<catalog::SourceFile>& files) {
  const auto read = catalog::read_catalog(files, {});
  if (read) return {read->entries().begin(), read->entries().end()};
  for (const catalog::FileDiagnostic& each : read.error()) ADD_FAILURE() << catalog::to_string(each);
  return {};
}

TestResult result_of(const std::string& test) {
  const auto entries = entries_of({{"m.yaml", kModel}, {"p.yaml", pack_with(test)}});
  const auto tests = tests_of(entries, {});
  if (tests.size() != 1) {
    ADD_FAILURE() << tests.size() << " tests";
    return {};
  }
  auto result = run_test(tests.front());
  if (result) return *result;
  ADD_FAILURE() << result.error().message;
  return {};
}

// An hour of cold, one of heat, one of cold.
std::string one_hot_hour(const std::string& expect, const std::string& more = {}) {
  return "      - name: t\n        readings:\n          mode: constant(running, 3h, every 1h)\n          temperature: "
         "[constant(20 degC, 1h, every 5m), constant(90 degC, 1h, every 5m), constant(20 degC, 1h, every 5m)]\n" +
         more + "        expect: " + expect + "\n";
}

struct Verdict {
  const char* name;
  std::string test;
  bool passed;
  std::string expected;
  std::string happened;
  std::string hint;
};

class PackTest : public testing::TestWithParam<Verdict> {};

TEST_P(PackTest, SaysWhatWasExpectedAndFound) {
  const Verdict& verdict = GetParam();
  const TestResult result = result_of(verdict.test);
  EXPECT_EQ(result.passed, verdict.passed);
  EXPECT_EQ(result.expected, verdict.expected);
  EXPECT_EQ(result.happened, verdict.happened);
  EXPECT_EQ(result.hint, verdict.hint);
}

constexpr const char* kFound = "raised after 1h10m and cleared after 2h";

INSTANTIATE_TEST_SUITE_P(
    Table, PackTest,
    testing::Values(
        Verdict{"Once", one_hot_hour("[{count: 1}]"), true, "1 episode", kFound, ""},
        Verdict{"AtItsMoment", one_hot_hour("[{raised_after: == 70m, cleared_after: 2h .. 2h}]"), true,
                "1 episode raised after == 70m and cleared after 2h .. 2h", kFound, ""},
        Verdict{"TooEarly", one_hot_hour("[{raised_after: \">= 75m\"}]"), false, "1 episode raised after >= 75m",
                kFound, "it is raised 5m too early"},
        Verdict{"TooLate", one_hot_hour("[{raised_after: <= 1h}]"), false, "1 episode raised after <= 1h", kFound,
                "it is raised 10m too late"},
        Verdict{"ClearedTooEarly", one_hot_hour("[{cleared_after: \">= 150m\"}]"), false,
                "1 episode and cleared after >= 150m", kFound, "it is cleared 30m too early"},
        Verdict{"ClearedAtAll", one_hot_hour("[{cleared_after: never}]"), false, "1 episode and not cleared", kFound,
                "it is cleared after 2h, not never"},
        Verdict{"None", one_hot_hour("[{none: true}]"), false, "no episode", kFound, "1 episode more than expected"},
        Verdict{"Twice", one_hot_hour("[{count: 2}]"), false, "2 episodes", kFound, "1 episode less than expected"},
        Verdict{"InOrder", one_hot_hour("[{raised_after: <= 2h}, {raised_after: <= 3h}]"), false,
                "1 episode raised after <= 2h, then 1 episode raised after <= 3h", kFound,
                "1 episode less than expected"},
        Verdict{"AnotherParameter", one_hot_hour("[{none: true}]", "        parameters: {limit: 95 degC}\n"), true,
                "no episode", "no episode in 3h", ""},
        Verdict{
            "StillOpen",
            "      - {name: t, readings: {mode: constant(running, 1h, every 1h), temperature: constant(90 degC, 1h, "
            "every 5m)}, expect: [{cleared_after: <= 1h}]}\n",
            false, "1 episode and cleared after <= 1h", "raised after 10m and open at the end after 1h",
            "it is not cleared before the readings end"},
        Verdict{"Suppressed",
                "      - {name: t, readings: {mode: constant(idle, 1h, every 5m), temperature: constant(90 degC, 1h, "
                "every 5m)}, expect: [{none: true}]}\n",
                true, "no episode", "no episode in 1h", ""},
        Verdict{
            "SignalMissing",
            "      - {name: t, readings: {temperature: constant(90 degC, 1h, every 5m)}, expect: [{count: 1}]}\n",
            false, "1 episode", "no episode in 1h",
            "1 episode less than expected; the rule also reads mode, of which the test has no readings: what depends "
            "on it is unknown, and unknown neither raises nor clears"},
        Verdict{
            "ShowsNothing",
            "      - {name: t, readings: {temperature: constant(90 degC, 1h, every 5m)}, expect: [{none: true}]}\n",
            true, "no episode", "no episode in 1h",
            "note: the rule also reads mode, of which the test has no readings; it may find nothing for that reason "
            "alone"},
        Verdict{
            "NotLongEnough",
            "      - {name: t, readings: {mode: constant(running, 9m, every 5m), temperature: constant(90 degC, 9m, "
            "every 5m)}, expect: [{count: 1}]}\n",
            false, "1 episode", "no episode in 9m",
            "1 episode less than expected; the rule looks back 1h and the readings last 9m: a window that is not half "
            "filled is unknown"}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(PackTests, ARaiseOnTheEndCountsAndOneBehindItDoesNot) {
  const auto run = [](const std::string& length) {
    return result_of(
        "      - {name: t, readings: {mode: constant(running, 1m, every 1m), temperature: [[0s, 90 degC], [" + length +
        ", 90 degC]]}, expect: [{none: true}]}\n");
  };
  EXPECT_TRUE(run("9m").passed);
  EXPECT_EQ(run("10m").happened, "raised after 10m and open at the end after 10m");
}

TEST(PackTests, GiveTheSameEveryTime) {
  const std::string test = one_hot_hour("[{count: 1}]");
  const TestResult first = result_of(test);
  const TestResult second = result_of(test);
  ASSERT_EQ(first.episodes.size(), 1U);
  EXPECT_EQ(first.episodes[0].raised, minutes(70));
  EXPECT_EQ(first.episodes[0].cleared, std::optional<milliseconds>(hours(2)));
  EXPECT_EQ(first.episodes[0].raised, second.episodes[0].raised);
  EXPECT_EQ(first.readings, 39U);
}

TEST(PackTests, AFailureNamesItsPlace) {
  const TestResult result = result_of(one_hot_hour("[{none: true}]"));
  EXPECT_EQ(
      failure_text(result),
      "p.yaml:11: pack heat, rule hot, test \"t\": expected no episode; found raised after 1h10m and cleared after "
      "2h\n    1 episode more than expected");
}

// ---- of an apply
// ---------------------------------------------------------------------------------------------------

TEST(FailingTests, OfAChangedPackAreAllNamed) {
  const auto entries = entries_of(
      {{"m.yaml", kModel},
       {"p.yaml", pack_with(one_hot_hour("[{count: 1}]") +
                            "      - {name: u, readings: {temperature: gap(1h)}, expect: [{count: 1}]}\n")}});
  const std::string text = failing_tests(entries, {});
  EXPECT_EQ(text.find("test \"t\""), std::string::npos) << text;
  EXPECT_NE(text.find("p.yaml:16: pack heat, rule hot, test \"u\": expected 1 episode"), std::string::npos) << text;
}

TEST(FailingTests, OfAPackInForceAreRunWhenItsModelChanges) {
  const auto in_force = entries_of({{"m.yaml", kModel}, {"p.yaml", pack_with(one_hot_hour("[{count: 1}]"))}});
  std::vector<catalog::Entry> change;
  for (const catalog::Entry& entry : in_force) {
    if (entry.has_model()) change.push_back(entry);
  }
  ASSERT_EQ(change.size(), 1U);
  EXPECT_EQ(failing_tests(change, in_force), "");
  change[0].mutable_model()->set_max_gap_ms(1'000);  // a value holds a second only: `for` is never over
  const std::string text = failing_tests(change, in_force);
  EXPECT_NE(text.find("expected 1 episode; found"), std::string::npos) << text;
  change[0].mutable_model()->set_id("another");
  EXPECT_EQ(failing_tests(change, in_force), "") << "no rule watches that one";
}

TEST(FailingTests, TooManyReadingsAreRefusedBeforeAnyIsFolded) {
  std::string many;
  for (int i = 0; i < 21; ++i) {
    many += "      - {name: t" + std::to_string(i) +
            ", readings: {temperature: constant(20 degC, 240000s, every 1s)}, expect: [{none: true}]}\n";
  }
  const std::string text = failing_tests(entries_of({{"m.yaml", kModel}, {"p.yaml", pack_with(many)}}), {});
  EXPECT_NE(text.find("have 5040000 readings; at most 5000000 are run in one apply"), std::string::npos) << text;
}

// ---- shipped packs
// -------------------------------------------------------------------------------------------------

std::vector<catalog::SourceFile> yaml_files(const std::string& folder) {
  std::vector<catalog::SourceFile> files;
  for (const auto& each : std::filesystem::directory_iterator(std::filesystem::path(FETTLE_SOURCE_DIR) / folder)) {
    if (each.path().extension() != ".yaml") continue;
    std::ifstream in(each.path(), std::ios::binary);
    files.push_back({each.path().filename().string(), std::string(std::istreambuf_iterator<char>(in), {})});
  }
  return files;
}

TEST(ShippedPacks, PassTheirTestsAndEachRuleIsSeenToRaiseToClearAndToRest) {
  auto files = yaml_files("firmware-sim/catalog");
  for (const char* folder : {"rules/packs", "tests/e2e/catalog"}) {
    for (catalog::SourceFile& file : yaml_files(folder)) {
      const bool of_a_test = file.name == "motor-watch.yaml" || file.name == "press.yaml";
      if (!of_a_test) files.push_back(std::move(file));
    }
  }
  const auto entries = entries_of(files);
  std::set<std::string> rules;
  std::set<std::string> raise;
  std::set<std::string> clear;
  std::set<std::string> rest;
  for (const catalog::Entry& entry : entries) {
    for (const catalog::Rule& rule : entry.pack().rules()) {
      rules.insert(entry.pack().id() + '/' + rule.id());
      if (rule.clear().text() == "false") clear.insert(entry.pack().id() + '/' + rule.id());  // it never does
    }
  }
  for (const TestCase& test : tests_of(entries, {})) {
    const auto result = run_test(test);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_TRUE(result->passed) << failure_text(*result);
    const std::string rule = result->pack + '/' + result->rule;
    if (result->episodes.empty()) rest.insert(rule);
    for (const FoundEpisode& each : result->episodes) {
      raise.insert(rule);
      if (each.cleared) clear.insert(rule);
    }
  }
  EXPECT_GE(rules.size(), 6U);
  EXPECT_EQ(raise, rules);
  EXPECT_EQ(clear, rules);
  EXPECT_EQ(rest, rules);
}

// ---- the how-to page
// ---------------------------------------------------------------------------------------------------

TEST(TestARulePackPage, ItsExampleSaysWhatThePageSays) {
  std::ifstream in(std::filesystem::path(FETTLE_SOURCE_DIR) / "docs/how-to/test-a-rule-pack.md", std::ios::binary);
  const std::string page{std::istreambuf_iterator<char>(in), {}};
  const std::size_t begin = page.find("```yaml\n") + 8;
  const auto entries = entries_of(
      {{"equipment.yaml", "models: [{id: pump, signals: [{name: bearing_temperature, kind: gauge, unit: degC}]}]\n"},
       {"pump-care.yaml", page.substr(begin, page.find("```", begin) - begin)}});
  const auto tests = tests_of(entries, {});
  ASSERT_EQ(tests.size(), 3U);
  for (const TestCase& test : tests) {
    const auto result = run_test(test);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_TRUE(result->passed) << failure_text(*result);
    EXPECT_NE(page.find("ok      pump-care/bearing-warm: " + result->test + " (" + result->happened + ")"),
              std::string::npos)
        << result->happened;
  }
}

}  // namespace
}  // namespace fettle::app
