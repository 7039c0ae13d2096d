#pragma once
// Runs the tests of rule packs: each on an engine of its own with a store in memory, fed as a journal would feed it. So
// a rule under test is evaluated by the code that evaluates it live. Nothing is kept, no clock is read. One thread.

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/app/core.h"
#include "gateway/engine/catalog.pb.h"

namespace fettle::app {

// Readings of all tests of one apply together: it is done while a gateway runs.
inline constexpr std::size_t kMostApplyTestReadings = 5'000'000;

// An episode that the rule found, in time since the test's begin.
struct FoundEpisode {
  std::chrono::milliseconds raised{0};
  std::optional<std::chrono::milliseconds> cleared;  // nothing: open at the test's end
};

struct TestResult {
  std::string pack;
  std::string rule;
  std::string test;
  std::string file;
  int line = 0;  // of the test's name in the file
  bool passed = false;
  std::size_t readings = 0;
  std::vector<FoundEpisode> episodes;
  std::string expected;  // in words
  std::string happened;
  std::string hint;  // what to look at where it failed, or shows nothing; may be empty
};

// One test of a pack. Pre: the catalog reader took pack and model without errors. Failure: the engine did not take
// them.
struct TestCase {
  const catalog::RulePack* pack = nullptr;
  const catalog::Rule* rule = nullptr;
  const catalog::RuleTest* test = nullptr;
  const catalog::Model* model = nullptr;
};

// The tests of the packs among `entries`, in their order, each with its model: from `entries`, else from `existing`.
// They point into both.
std::vector<TestCase> tests_of(std::span<const catalog::Entry> entries, std::span<const catalog::Entry> existing);

// How many readings the tests have together.
std::size_t readings_of(std::span<const TestCase> tests);

Result<TestResult> run_test(const TestCase& test);

// Two lines that say what failed: "p.yaml:12: pack heat, rule hot, test "...": expected ...; found ... Hint: ...".
std::string failure_text(const TestResult& result);

// What an apply of `changed` must run: the tests of its packs, and of those in force whose model it changes. The text
// of everything that failed; empty where nothing did.
std::string failing_tests(std::span<const catalog::Entry> changed, std::span<const catalog::Entry> existing);

}  // namespace fettle::app
