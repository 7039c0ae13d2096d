#pragma once
// The tests of a rule: what the texts of a RuleTest (engine/catalog.proto) mean.
//
// A test makes up the readings of one asset, beginning at time 0, and says which episodes the rule must find in them.
// This reads both; running a test is the business of app/pack_tests.h. Pure but for the unit database. Any thread.
//
//   series   = "constant(" value "," duration "," every ")"            the same value
//            | "ramp(" value "," value "," duration "," every ")"      from the first value towards the second
//            | "wave(" low "," high "," period "," duration "," every ")"   up and down in straight lines, from low on
//            | "steps(" value { "," value } "," every ")"              the values of the list; they may stand in [ ]
//            | "gap(" duration ")"                                     nothing
//   every    = "every" duration
//   value    = number [ unit ], in a unit that converts to the signal's; of a state signal its text, quoted or not
//   range    = ( ">=" | "<=" | "==" ) duration | duration ".." duration
//
// A series has readings at its begin and every interval from there, before its end: series stand in a row without
// meeting. A ramp is at its second value where the next series begins.

#include <boost/system/result.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/engine/catalog.pb.h"
#include "rules/rule.h"

namespace fettle::catalog {

inline constexpr int kMostTests = 50;                      // of a rule
inline constexpr std::size_t kMostTestReadings = 250'000;  // of a test, all signals together
inline constexpr std::chrono::milliseconds kLongestTest = std::chrono::days(366);
inline constexpr int kMostTestEpisodes = 1'000;  // that one line of `expect` may count

inline constexpr const char* kSeriesForm =
    "a series such as constant(20 degC, 1d, every 5m), ramp(2 s, 2.6 s, 3d, every 5m), wave(18 degC, 24 degC, 1d, 14d, "
    "every 5m), steps(1 bar, 2 bar, every 1h) or gap(2h)";
inline constexpr const char* kRangeForm = "\">= 30h\", \"<= 30h\", \"== 30h\" or a range \"28h .. 32h\"";

struct TimedValue {
  std::chrono::milliseconds at{0};  // since the test's begin
  double value = 0;                 // in the signal's unit; of a state its index
};

struct SignalReadings {
  int signal = 0;                  // index in the model
  std::vector<TimedValue> values;  // ascending in time
};

struct Timeline {
  std::vector<SignalReadings> signals;
  std::chrono::milliseconds end{0};  // of the longest signal, its gaps included

  std::size_t size() const;  // readings
};

// The readings of a test on that model, or everything that is wrong with them, in the coordinates of their texts.
boost::system::result<Timeline, rules::Diagnostics> read_timeline(const RuleTest& test, const Model& model);

// Both ends included; since the test's begin.
struct TimeRange {
  std::chrono::milliseconds least{0};
  std::chrono::milliseconds most = std::chrono::milliseconds::max();
  bool contains(std::chrono::milliseconds time) const { return least <= time && time <= most; }
};

// Nothing where the text is no range.
std::optional<TimeRange> read_range(std::string_view text);

// What cleared_after says where the episode must be open at the end.
inline constexpr std::string_view kNever = "never";

}  // namespace fettle::catalog
