// What an expression may say, and what is said against it: place, reason, remedy.
#include <gtest/gtest.h>

#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "rules/duration.h"
#include "rules/lexer.h"
#include "rules/operator_state.h"
#include "rules/program.h"
#include "tests/rules/rule_bench.h"

namespace fettle::rules {
namespace {

using namespace std::chrono_literals;

// ---- values
// ------------------------------------------------------------------------------------------------------------

// The rule's condition once the readings have come: 1, 0 or NaN.
double condition_after(const RuleSource& source, const std::vector<SignalReading>& readings) {
  const auto rule = compiled(source);
  const auto states = std::make_unique<std::byte[]>(rule->state_bytes + 1);
  const std::int64_t now = at(0s).time_since_epoch().count();
  for (const OperatorUse& use : rule->uses) {
    start(use, states.get() + use.offset);
    for (const SignalReading& r : readings) {
      if (r.signal == use.signal) take(use, states.get() + use.offset, {now, now, r.value}, 900'000);
    }
  }
  std::vector<double> parameters;
  for (const Parameter& p : rule->parameters) parameters.push_back(p.value);
  return run(rule->when, {rule->uses, states.get(), parameters.data(), now, now});
}

struct ValueCase {
  std::string when;
  std::vector<SignalReading> readings;
  std::string expected;  // "true", "false", "unknown"
};

std::string text_of(double value) {
  return std::isnan(value) ? "unknown" : value == 1.0 ? "true" : "false";
}

void PrintTo(const ValueCase& c, std::ostream* out) {
  *out << c.when;
}

class Value : public testing::TestWithParam<ValueCase> {};

TEST_P(Value, OfAConditionIs) {
  EXPECT_EQ(text_of(condition_after(rule_when(GetParam().when), GetParam().readings)), GetParam().expected)
      << GetParam().when;
}

const double kNoValue = kUnknown;

INSTANTIATE_TEST_SUITE_P(Arithmetic, Value,
                         testing::Values(ValueCase{"ratio == 1 + 2 * 3", {{kRatio, 7}}, "true"},
                                         ValueCase{"ratio == (1 + 2) * 3", {{kRatio, 9}}, "true"},
                                         ValueCase{"ratio == 10 - 4 - 3", {{kRatio, 3}}, "true"},
                                         ValueCase{"ratio == 16 / 4 / 2", {{kRatio, 2}}, "true"},
                                         ValueCase{"ratio == 17 % 5", {{kRatio, 2}}, "true"},
                                         ValueCase{"ratio == -7 % 5", {{kRatio, -2}}, "true"},
                                         ValueCase{"-ratio == 3", {{kRatio, -3}}, "true"},
                                         ValueCase{"ratio == 1.5e2", {{kRatio, 150}}, "true"},
                                         ValueCase{"ratio == .5", {{kRatio, 0.5}}, "true"},
                                         ValueCase{"ratio > 2 ? ratio < 4 : ratio < 0", {{kRatio, 3}}, "true"},
                                         ValueCase{"(ratio > 2 ? 10 : 20) == 20", {{kRatio, 1}}, "true"},
                                         ValueCase{"ratio in [1, 2, 3]", {{kRatio, 2}}, "true"},
                                         ValueCase{"ratio in [1, 2, 3]", {{kRatio, 4}}, "false"},
                                         ValueCase{"!(ratio >= 2) == (ratio < 2)", {{kRatio, 2}}, "true"},
                                         ValueCase{"true == (ratio != 2)", {{kRatio, 2}}, "false"},
                                         ValueCase{"last(ratio) <= 2", {{kRatio, 2}}, "true"}));

INSTANTIATE_TEST_SUITE_P(
    Units, Value,
    testing::Values(ValueCase{"pressure == 210000 Pa", {{kPressure, 2.1}}, "true"},
                    ValueCase{"2.1 bar == pressure", {{kPressure, 2.1}}, "true"},
                    ValueCase{"pressure > 209999 Pa", {{kPressure, 2.1}}, "true"},
                    ValueCase{"speed >= 1500 mm/s", {{kSpeed, 1.5}}, "true"},
                    ValueCase{"speed * 2 min > 0.1 m", {{kSpeed, 0.001}}, "true"},
                    ValueCase{"speed / 2 > 1 m/s", {{kSpeed, 2.5}}, "true"},
                    ValueCase{"level > 50 %", {{kLevel, 50.5}}, "true"},
                    ValueCase{"level > 50 % && ratio > 0", {{kLevel, 50.5}, {kRatio, 1}}, "true"},
                    ValueCase{"level / 2 > 20 %", {{kLevel, 50.5}}, "true"},
                    ValueCase{"hours > 2 d", {{kHours, 49}}, "true"},
                    ValueCase{"capacity < 1.4 A.h", {{kCapacity, 1.4}}, "false"},
                    ValueCase{"pressure / 1 bar > 2", {{kPressure, 2.1}}, "true"},
                    ValueCase{"pressure in [1 bar, 200000 Pa]", {{kPressure, 2}}, "true"},
                    ValueCase{"(ratio > 0 ? pressure : 1 Pa) == 3 bar", {{kRatio, 1}, {kPressure, 3}}, "true"}));

// 20 degC = 68 degF = 293.15 K; a difference of 5 degC = 5 K = 9 degF.
INSTANTIATE_TEST_SUITE_P(
    Temperatures, Value,
    testing::Values(ValueCase{"temperature > 67.9 degF", {{kTemperature, 20}}, "true"},
                    ValueCase{"temperature > 68.1 degF", {{kTemperature, 20}}, "false"},
                    ValueCase{"temperature > 293 K && temperature < 293.3 K", {{kTemperature, 20}}, "true"},
                    ValueCase{"temperature < -5 degC", {{kTemperature, -6}}, "true"},
                    ValueCase{"temperature - ambient > 4.9 K", {{kTemperature, 25}, {kAmbient, 68}}, "true"},
                    ValueCase{"temperature - ambient > 5.1 degC", {{kTemperature, 25}, {kAmbient, 68}}, "false"},
                    ValueCase{"temperature - ambient > 8.9 degF", {{kTemperature, 25}, {kAmbient, 68}}, "true"},
                    ValueCase{"temperature - ambient > 9.1 degF", {{kTemperature, 25}, {kAmbient, 68}}, "false"},
                    ValueCase{"temperature > ambient + 4.9 K", {{kTemperature, 25}, {kAmbient, 68}}, "true"},
                    ValueCase{"temperature > ambient + 9.1 degF", {{kTemperature, 25}, {kAmbient, 68}}, "false"},
                    ValueCase{"temperature > 4.9 K + ambient", {{kTemperature, 25}, {kAmbient, 68}}, "true"},
                    ValueCase{"temperature - 5 K > ambient", {{kTemperature, 25.1}, {kAmbient, 68}}, "true"},
                    ValueCase{"0.5 * (temperature - ambient) < 2.6 K", {{kTemperature, 25}, {kAmbient, 68}}, "true"},
                    ValueCase{"temperature > ambient", {{kTemperature, 20.1}, {kAmbient, 68}}, "true"},
                    ValueCase{
                        "temperature < 60 degC + 5 K && temperature > 60 degC + 3 K", {{kTemperature, 64}}, "true"}));

INSTANTIATE_TEST_SUITE_P(States, Value,
                         testing::Values(ValueCase{"mode == \"fire\"", {{kMode, 2}}, "true"},
                                         ValueCase{"\"fire\" != mode", {{kMode, 0}}, "true"},
                                         ValueCase{"mode in [\"inspection\", \"fire\"]", {{kMode, 1}}, "true"},
                                         ValueCase{"mode in [\"inspection\", \"fire\"]", {{kMode, 0}}, "false"},
                                         ValueCase{"!(last(mode) == \"fire\")", {{kMode, 2}}, "false"}));

// U unknown, T true, F false, made of a signal that is unknown, 1 and 0.
INSTANTIATE_TEST_SUITE_P(
    ThreeValues, Value,
    testing::Values(ValueCase{"ratio > 0 || level > 0 %", {{kLevel, 1}}, "true"},       // U || T
                    ValueCase{"level > 0 % || ratio > 0", {{kLevel, 1}}, "true"},       // T || U
                    ValueCase{"ratio > 0 || level > 0 %", {{kLevel, 0}}, "unknown"},    // U || F
                    ValueCase{"level > 0 % || ratio > 0", {{kLevel, 0}}, "unknown"},    // F || U
                    ValueCase{"ratio > 0 || ratio < 9", {}, "unknown"},                 // U || U
                    ValueCase{"level > 0 % || level > 1 %", {{kLevel, 1}}, "true"},     // T || F
                    ValueCase{"level > 2 % || level > 1 %", {{kLevel, 1}}, "false"},    // F || F
                    ValueCase{"ratio > 0 && level > 0 %", {{kLevel, 0}}, "false"},      // U && F
                    ValueCase{"level > 0 % && ratio > 0", {{kLevel, 0}}, "false"},      // F && U
                    ValueCase{"ratio > 0 && level > 0 %", {{kLevel, 1}}, "unknown"},    // U && T
                    ValueCase{"level > 0 % && ratio > 0", {{kLevel, 1}}, "unknown"},    // T && U
                    ValueCase{"ratio > 0 && ratio < 9", {}, "unknown"},                 // U && U
                    ValueCase{"level > 0 % && level < 9 %", {{kLevel, 1}}, "true"},     // T && T
                    ValueCase{"!(ratio > 0)", {}, "unknown"},                           //
                    ValueCase{"ratio + 1 > 0", {}, "unknown"},                          //
                    ValueCase{"-ratio > 0", {}, "unknown"},                             //
                    ValueCase{"ratio * 0 == 0", {}, "unknown"},                         //
                    ValueCase{"ratio == ratio", {}, "unknown"},                         //
                    ValueCase{"ratio != ratio", {}, "unknown"},                         //
                    ValueCase{"(ratio > 0 ? 1 : 2) > 0", {}, "unknown"},                //
                    ValueCase{"(level > 0 % ? 1 : ratio) > 0", {{kLevel, 1}}, "true"},  // the branch not taken
                    ValueCase{"ratio in [1, 2]", {}, "unknown"},                        //
                    ValueCase{"1 in [ratio, 1]", {}, "true"},                           // as an || of equalities
                    ValueCase{"1 in [ratio, 2]", {}, "unknown"},                        //
                    ValueCase{"level > 0 %", {{kLevel, kNoValue}}, "unknown"}));

INSTANTIATE_TEST_SUITE_P(NotFinite, Value,
                         testing::Values(ValueCase{"1 / ratio > 0", {{kRatio, 0}}, "unknown"},
                                         ValueCase{"0 / ratio == 0", {{kRatio, 0}}, "unknown"},
                                         ValueCase{"5 % ratio == 0", {{kRatio, 0}}, "unknown"},
                                         ValueCase{"ratio * 1e300 > 0", {{kRatio, 1e300}}, "unknown"},
                                         ValueCase{"ratio + ratio > 0", {{kRatio, 1.7e308}}, "unknown"},
                                         ValueCase{"1 / ratio > 0 || ratio == 0", {{kRatio, 0}}, "true"}));

// ---- errors
// ------------------------------------------------------------------------------------------------------------

struct ErrorCase {
  std::string when;
  std::vector<std::pair<Position, std::string>> expected;  // place, part of the message
};

void PrintTo(const ErrorCase& c, std::ostream* out) {
  *out << c.when;
}

class Refused : public testing::TestWithParam<ErrorCase> {};

TEST_P(Refused, WithEveryErrorInItsPlace) {
  const ErrorCase& c = GetParam();
  const Diagnostics errors = errors_of(rule_when(c.when));
  std::string all;
  for (const Diagnostic& e : errors) {
    all += std::to_string(e.at.line) + ":" + std::to_string(e.at.column) + ": " + e.message + "\n";
  }
  ASSERT_EQ(errors.size(), c.expected.size()) << c.when << "\n" << all;
  for (std::size_t i = 0; i < errors.size(); ++i) {
    EXPECT_EQ(errors[i].at, c.expected[i].first) << c.when << "\n" << all;
    EXPECT_NE(errors[i].message.find(c.expected[i].second), std::string::npos) << c.when << "\n" << all;
  }
}

INSTANTIATE_TEST_SUITE_P(
    OfForm, Refused,
    testing::Values(ErrorCase{"", {{{1, 1}, "expected a value"}}},
                    ErrorCase{"pressure >", {{{1, 11}, "found the end of the expression"}}},
                    ErrorCase{"pressure > 3 bar )", {{{1, 18}, "found ')'"}}},
                    ErrorCase{"(pressure > 3 bar", {{{1, 18}, "expected ')'"}}},
                    ErrorCase{"pressure = 3 bar", {{{1, 10}, "expected '=='"}}},
                    ErrorCase{"pressure > 3 bar & true", {{{1, 18}, "expected '&&'"}}},
                    ErrorCase{"pressure > 3 bar | true", {{{1, 18}, "expected '||'"}}},
                    ErrorCase{"mode == 'fire'", {{{1, 9}, "double quotes"}}},
                    ErrorCase{"mode == \"fire", {{{1, 9}, "no closing double quote"}}},
                    ErrorCase{"1 bar < pressure < 3 bar", {{{1, 18}, "'&&' between two comparisons"}}},
                    ErrorCase{"ratio in [1] == true", {{{1, 14}, "'&&' between two comparisons"}}},
                    ErrorCase{"mode in \"fire\"", {{{1, 9}, "expected '['"}}},
                    ErrorCase{"mode in [\"fire\"", {{{1, 16}, "',' or ']'"}}},
                    ErrorCase{"mean(pressure, 24h > 3 bar", {{{1, 20}, "',' or ')' in the arguments of mean()"}}},
                    ErrorCase{"pressure > 3 bar ? true", {{{1, 24}, "expected ':'"}}},
                    ErrorCase{"ratio > 1e999", {{{1, 9}, "out of range"}}},
                    ErrorCase{"ratio > 1 # comment", {{{1, 11}, "no meaning"}}},
                    ErrorCase{"ratio > 1 $", {{{1, 11}, "'$' has no meaning"}}}));

INSTANTIATE_TEST_SUITE_P(
    OfNames, Refused,
    testing::Values(ErrorCase{"presure > 3 bar", {{{1, 1}, "did you mean 'pressure'?"}}},
                    ErrorCase{"xyz > 3 bar", {{{1, 1}, "neither a signal of the model nor a parameter"}}},
                    ErrorCase{"maen(pressure, 24h) > 3 bar", {{{1, 1}, "did you mean 'mean'?"}}},
                    ErrorCase{"mean(presure, 24h) > 3 bar", {{{1, 6}, "did you mean 'pressure'?"}}},
                    ErrorCase{"pressure > 3 baz", {{{1, 14}, "'baz' is not a known unit"}}},
                    ErrorCase{"mode == \"fir\"", {{{1, 9}, "did you mean 'fire'?"}}},
                    ErrorCase{"mode in [\"fire\", \"off\"]", {{{1, 18}, "not a state of this signal"}}},
                    ErrorCase{"pressure > 3 bar + 1h30m", {{{1, 21}, "is a duration"}}}));

INSTANTIATE_TEST_SUITE_P(
    OfTypes, Refused,
    testing::Values(
        ErrorCase{"pressure > 3 s", {{{1, 12}, "expected a number in bar"}}},
        ErrorCase{"3 s < pressure", {{{1, 1}, "found a number in s"}}},
        ErrorCase{"pressure > 3", {{{1, 12}, "write '3 bar'"}}}, ErrorCase{"level > 50", {{{1, 9}, "write '50 %'"}}},
        ErrorCase{"ratio > 3 bar", {{{1, 9}, "expected a plain number"}}},
        ErrorCase{"pressure + speed > 3 bar", {{{1, 12}, "beside '+'"}}},
        ErrorCase{"pressure", {{{1, 1}, "'when' expects a condition (true or false), found a number in bar"}}},
        ErrorCase{"mode", {{{1, 1}, "found a state"}}},
        ErrorCase{"pressure && ratio > 1", {{{1, 1}, "expected a condition (true or false) beside '&&'"}}},
        ErrorCase{"!pressure", {{{1, 2}, "expected a condition (true or false) beside '!'"}}},
        ErrorCase{"-mode == 1", {{{1, 2}, "expected a number beside '-'"}}},
        ErrorCase{"mode > \"fire\"", {{{1, 1}, "states have no order"}}},
        ErrorCase{"mode == 2", {{{1, 9}, "expected one of the states \"normal\""}}},
        ErrorCase{"pressure == \"fire\"", {{{1, 13}, "found a text"}}},
        ErrorCase{"(pressure > 1 bar) < (pressure > 2 bar)", {{{1, 32}, "expected numbers in one unit"}}},
        ErrorCase{"(ratio ? 1 : 2) > 1", {{{1, 2}, "beside '?'"}}},
        ErrorCase{"(ratio > 1 ? 1 bar : pressure + 1 s) > 1 bar", {{{1, 33}, "found a number in s"}}},
        ErrorCase{"(ratio > 1 ? pressure : 1 s) > 1 bar", {{{1, 25}, "found a number in s"}}},
        ErrorCase{"pressure in [1 bar, 2 s]", {{{1, 21}, "found a number in s"}}},
        ErrorCase{"1 bar > 2 bar", {{{1, 1}, "reads no signal"}}}, ErrorCase{"true", {{{1, 1}, "reads no signal"}}}));

INSTANTIATE_TEST_SUITE_P(
    OfTemperatures, Refused,
    testing::Values(ErrorCase{"temperature + ambient > 3 degC", {{{1, 13}, "cannot be added"}}},
                    ErrorCase{"temperature * 2 > 3 degC", {{{1, 1}, "cannot be multiplied"}}},
                    ErrorCase{"temperature / 2 > 3 degC", {{{1, 1}, "cannot be divided"}}},
                    ErrorCase{"-temperature > 3 degC", {{{1, 2}, "cannot be negated"}}},
                    ErrorCase{"temperature - 5 degC > 3 degC", {{{1, 15}, "write a difference in K"}}},
                    ErrorCase{"temperature > temperature - ambient", {{{1, 27}, "cannot be compared"}}},
                    ErrorCase{"(temperature - ambient) - ambient > 1 K", {{{1, 25}, "swap the sides"}}}));

INSTANTIATE_TEST_SUITE_P(
    OfOperators, Refused,
    testing::Values(ErrorCase{"mean(pressure) > 3 bar", {{{1, 1}, "expected mean(signal, window), found 1 argument"}}},
                    ErrorCase{"mean(pressure, 24h, 1h) > 3 bar", {{{1, 1}, "found 3 arguments"}}},
                    ErrorCase{"last() > 3 bar", {{{1, 1}, "found 0 arguments"}}},
                    ErrorCase{"mean(pressure, 3 bar) > 3 bar", {{{1, 16}, "expected a duration"}}},
                    ErrorCase{"mean(pressure, 30 m) > 3 bar", {{{1, 16}, "found a number in m"}}},
                    ErrorCase{"mean(pressure, ratio) > 3 bar", {{{1, 16}, "expected a duration"}}},
                    ErrorCase{"mean(pressure + 1 bar, 24h) > 3 bar", {{{1, 15}, "expected the name of a signal"}}},
                    ErrorCase{"mean(pressure, 400d) > 3 bar", {{{1, 16}, "longer than a year"}}},
                    ErrorCase{"mean(pressure, 500ms) > 3 bar", {{{1, 16}, "whole seconds"}}},
                    ErrorCase{"mean(pressure, 0s) > 3 bar", {{{1, 16}, "at least 1s"}}},
                    ErrorCase{"baseline(pressure, 0h, 10m) > 3 bar", {{{1, 20}, "at least 1s"}}},
                    ErrorCase{"mean(mode, 24h) > 3", {{{1, 1}, "'mode' is a state"}}},
                    ErrorCase{"mean(hours, 24h) > 3 h", {{{1, 1}, "'hours' is a register"}}},
                    ErrorCase{"baseline(pressure, 1h, 30d) > 3 bar", {{{1, 1}, "too long for a window of 1h"}}},
                    ErrorCase{"zscore(pressure, 24h) > 3 bar", {{{1, 25}, "expected a plain number"}}},
                    ErrorCase{"absent(pressure, 1h) > 3",
                              {{{1, 24}, "found a condition (true or false) and a plain"}}}));

INSTANTIATE_TEST_SUITE_P(
    OfFurtherOperators, Refused,
    testing::Values(
        ErrorCase{"bit(ratio, 53)", {{{1, 12}, "a whole number from 0 to 52"}}},
        ErrorCase{"bit(ratio, 1.5)", {{{1, 12}, "a whole number from 0 to 52"}}},
        ErrorCase{"bit(ratio, ratio)", {{{1, 12}, "the number of a bit"}}},
        ErrorCase{"bit(pressure, 1)", {{{1, 5}, "expected a plain whole number"}}},
        ErrorCase{"bit(mode, 1)", {{{1, 5}, "expected a number beside 'bit()', found a state"}}},
        ErrorCase{"zone(\"iso10816-3/1/rigd\", speed) == \"A\"", {{{1, 6}, "did you mean 'iso10816-3/1/rigid'?"}}},
        ErrorCase{"zone(speed, speed) == \"A\"", {{{1, 6}, "expected the name of a zone table"}}},
        ErrorCase{"zone(\"iso10816-3/1/rigid\", pressure) == \"A\"", {{{1, 28}, "expected a velocity, in mm/s"}}},
        ErrorCase{"zone(\"iso10816-3/1/rigid\", speed) == \"E\"", {{{1, 38}, "expected one of \"A\", \"B\""}}},
        ErrorCase{"zone(\"iso10816-3/1/rigid\", speed) > \"A\"", {{{1, 1}, "states have no order"}}},
        ErrorCase{"abs(temperature) > 3 degC", {{{1, 5}, "cannot be taken without its sign"}}},
        ErrorCase{"abs(mode) > 3", {{{1, 5}, "expected a number beside 'abs'"}}},
        ErrorCase{"changed(pressure, 1h)", {{{1, 1}, "expected changed(signal), found 2 arguments"}}},
        ErrorCase{"prev(pressure) > 3 s", {{{1, 18}, "expected a number in bar"}}},
        ErrorCase{"age(pressure) > 3 bar", {{{1, 17}, "expected a number in s"}}},
        ErrorCase{"ewma(hours, 1h) > 3 h", {{{1, 1}, "'hours' is a register"}}},
        ErrorCase{"ewma(pressure, 3 bar) > 3 bar", {{{1, 16}, "expected a duration"}}},
        ErrorCase{"cusum(pressure, 1, 3 bar)", {{{1, 17}, "write '1 bar'"}}},
        ErrorCase{"cusum(pressure, 1 s, 3 s)", {{{1, 17}, "found a number in s"}, {{1, 22}, "found a number in s"}}},
        ErrorCase{"cusum(pressure, speed, 3 bar)", {{{1, 17}, "expected a constant or a parameter"}}},
        ErrorCase{"cusum(pressure, 2 * 1 bar, 3 bar)", {{{1, 19}, "not an expression"}}},
        ErrorCase{"sum(temperature, 1h) > 3 degC", {{{1, 1}, "cannot be added up"}}},
        ErrorCase{"percentile(pressure, 101, 1h) > 3 bar", {{{1, 22}, "a percentage from 0 to 100"}}},
        ErrorCase{"percentile(pressure, 1 bar, 1s) > 3 bar", {{{1, 22}, "a percentage from 0 to 100"}}},
        ErrorCase{"rate(capacity, 1h) > 3 V", {{{1, 1}, "needs a gauge; 'capacity' is an event signal"}}},
        ErrorCase{"rate(speed, 1h) > 3 m/s", {{{1, 19}, "expected a number in (m/s)/s"}}},
        ErrorCase{"slope(mode, 1h) > 3", {{{1, 1}, "'mode' is a state"}}},
        ErrorCase{"time_to(pressure, 3 s, 1h) < 1 d", {{{1, 19}, "expected a number in bar"}}},
        ErrorCase{"time_to(pressure, 3 bar, 1h) < 1 bar", {{{1, 32}, "expected a number in s"}}},
        ErrorCase{"time_to(pressure, pressure, 1h) < 1 d", {{{1, 19}, "expected a constant or a parameter"}}},
        ErrorCase{"time_to(presure, 3 s, 1 bar) < 1 d", {{{1, 9}, "did you mean"}, {{1, 23}, "expected a duration"}}},
        ErrorCase{"increase(pressure, 1h) > 3 bar", {{{1, 1}, "needs a register; 'pressure' is a gauge"}}},
        ErrorCase{"every(hours, 0 h)", {{{1, 14}, "expected a step above 0"}}},
        ErrorCase{"every(hours, 50)", {{{1, 14}, "write '50 h'"}}},
        ErrorCase{"time_in(pressure, 1h) > 3 s", {{{1, 9}, "expected a condition (true or false) beside 'time_in'"}}},
        ErrorCase{"time_in(1 > 2, 1h) > 3 s", {{{1, 11}, "reads no signal"}}},
        ErrorCase{"count_within(ratio > 1, 1h) > 3 s", {{{1, 31}, "expected a plain number"}}},
        ErrorCase{"ratio > 1 then ratio > 2", {{{1, 25}, "expected 'within' and a duration"}}},
        ErrorCase{"ratio > 1 then ratio > 2 within 3 bar", {{{1, 33}, "expected a duration"}}},
        ErrorCase{"ratio then ratio > 2 within 3m", {{{1, 1}, "expected a condition (true or false) beside 'then'"}}},
        ErrorCase{"ratio > 2 then ratio within 3m", {{{1, 16}, "expected a condition (true or false) beside 'then'"}}},
        ErrorCase{"then(ratio > 1)", {{{1, 1}, "a then b within d"}}}));

INSTANTIATE_TEST_SUITE_P(
    UnitsOfOperators, Value,
    testing::Values(ValueCase{"age(pressure) < 1 min", {reading(kPressure, 1)}, "true"},
                    ValueCase{"level > 50 % then level > 60 % within 10 min", {reading(kLevel, 61)}, "unknown"},
                    ValueCase{"count(pressure, 1h) > 3 && false", {}, "false"},
                    ValueCase{"slope(pressure, 1h) > 0.1 bar / 1 min || true", {}, "true"},
                    ValueCase{"rate(temperature, 1h) > 1 K / 1 s || true", {}, "true"},
                    ValueCase{"time_to(temperature, 90 degC, 1h) < 2 d || true", {}, "true"},
                    ValueCase{"percentile(pressure, 95 %, 1h) > 2 bar || true", {}, "true"},
                    ValueCase{"sum(capacity, 1h) > 2 A.h || true", {}, "true"},
                    ValueCase{"increase(hours, 1d) > 90 min || true", {}, "true"},
                    ValueCase{"prev(mode) == \"fire\" || changed(mode) || true", {}, "true"}));

INSTANTIATE_TEST_SUITE_P(
    AllAtOnce, Refused,
    testing::Values(ErrorCase{"presure > 3 s &&\n  mean(speed, 24h) > 3 bar ||\nmode == \"of\"",
                              {{{1, 1}, "'presure'"}, {{2, 22}, "expected a number in m/s"}, {{3, 9}, "not a state"}}},
                    ErrorCase{"pressure > 1 foo || speed > 1 baz", {{{1, 14}, "'foo'"}, {{1, 31}, "'baz'"}}}));

TEST(Expression, IsMeasuredFromWhereItsTextStands) {
  RuleSource source = rule_when("pressure > 3 bar &&\n  pressure < 3 s");
  source.when.at = {10, 12};
  source.parameters = {{"limit", {"3 bars", {4, 24}}}};
  source.clear = {"speed", {14, 12}};
  const Diagnostics errors = errors_of(source);
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0].at, (Position{4, 26}));
  EXPECT_EQ(errors[1].at, (Position{11, 14}));
  EXPECT_EQ(errors[2].at, (Position{14, 12}));
}

TEST(Expression, CountsColumnsInCharacters) {
  const Diagnostics errors = errors_of(rule_when("mode == \"\xC3\xBC\" || presure > 1 bar"));
  ASSERT_EQ(errors.size(), 2U);
  EXPECT_EQ(errors[1].at, (Position{1, 16}));
}

TEST(Expression, OfTooManyCharactersIsRefused) {
  EXPECT_TRUE(errors_of(rule_when("ratio > 1" + std::string(kLongestText - 9, ' '))).empty());
  const Diagnostics errors = errors_of(rule_when("ratio > 1" + std::string(kLongestText - 8, ' ')));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].message.find("4097 characters"), std::string::npos);
}

TEST(Expression, NestedTooDeeplyIsRefused) {
  for (const std::string& open : {std::string("("), std::string("!"), std::string("!(")}) {
    std::string text = "ratio > 1";
    for (int i = 0; i < 1000; ++i) text = open + text + (open.ends_with('(') ? ")" : "");
    const Diagnostics errors = errors_of(rule_when(text));
    ASSERT_EQ(errors.size(), 1U) << open;
    EXPECT_NE(errors[0].message.find("nested more than 64 levels"), std::string::npos) << errors[0].message;
  }
  EXPECT_TRUE(errors_of(rule_when(std::string(30, '(') + "ratio > 1" + std::string(30, ')'))).empty());
}

TEST(Expression, WithTooManyOperatorsIsRefused) {
  std::string text = "ratio > 1";
  for (int i = 1; i < 32; ++i) text += " || (mean(ratio, " + std::to_string(i) + "h) > 1)";
  EXPECT_TRUE(errors_of(rule_when(text)).empty());
  const Diagnostics errors = errors_of(rule_when(text + " || max(ratio, 1h) > 1"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].message.find("one operator too many"), std::string::npos);
}

TEST(Expression, WithTooLongAListIsRefused) {
  std::string list = "1";
  for (int i = 2; i <= 64; ++i) list += ", " + std::to_string(i);
  EXPECT_EQ(condition_after(rule_when("ratio in [" + list + "]"), {{kRatio, 64}}), 1.0);
  const Diagnostics errors = errors_of(rule_when("ratio in [" + list + ", 65]"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].message.find("more than 64 values"), std::string::npos);
}

TEST(Expression, ReadsADurationOrAQuantityOfTimeAsAWindow) {
  EXPECT_EQ(signature_of(*compiled(rule_when("mean(ratio, 90m) > 1"))),
            signature_of(*compiled(rule_when("mean(ratio, 1h30m) > 1"))));
  EXPECT_EQ(signature_of(*compiled(rule_when("mean(ratio, 90m) > 1"))),
            signature_of(*compiled(rule_when("mean(ratio, 90 min) > 1"))));
}

// ---- durations
// ---------------------------------------------------------------------------------------------------------

TEST(DurationText, IsReadAsWritten) {
  const std::vector<std::pair<std::string, std::optional<Duration>>> cases = {{"24h", 24h},
                                                                              {"14d", 336h},
                                                                              {"30m", 30min},
                                                                              {"15s", 15s},
                                                                              {"500ms", 500ms},
                                                                              {"1h30m", 90min},
                                                                              {"1d2h3m4s5ms", 26h + 3min + 4s + 5ms},
                                                                              {"0s", 0s},
                                                                              {"366d", 24h * 366},
                                                                              {"", {}},
                                                                              {"h", {}},
                                                                              {"24", {}},
                                                                              {"30m1h", {}},
                                                                              {"1h1h", {}},
                                                                              {"1.5h", {}},
                                                                              {"-1h", {}},
                                                                              {"1 h", {}},
                                                                              {"1w", {}},
                                                                              {"367d", {}},
                                                                              {"99999999999999999999999d", {}},
                                                                              {"366d1ms", {}}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(read_duration(text), expected) << text;
  for (const auto& [text, expected] : cases) {
    if (expected) {
      EXPECT_EQ(read_duration(duration_text(*expected)), expected) << text;
    }
  }
}

// ---- parameters
// --------------------------------------------------------------------------------------------------------

RuleSource with_limit(const std::string& limit, std::string when) {
  RuleSource source = rule_when(std::move(when));
  source.parameters = {{"limit", {limit, {1, 1}}}};
  return source;
}

TEST(ParameterOfARule, IsConvertedWhereItIsUsed) {
  EXPECT_EQ(condition_after(with_limit("200000 Pa", "pressure > limit"), {{kPressure, 2.1}}), 1.0);
  EXPECT_EQ(condition_after(with_limit("200000 Pa", "pressure > 1.1 * limit"), {{kPressure, 2.1}}), 0.0);
  EXPECT_EQ(condition_after(with_limit("68 degF", "temperature > limit"), {{kTemperature, 20.1}}), 1.0);
  EXPECT_EQ(
      condition_after(with_limit("9 degF", "temperature - ambient > limit"), {{kTemperature, 25.1}, {kAmbient, 68}}),
      1.0);
  EXPECT_EQ(condition_after(with_limit("60 degC", "temperature > limit + 5 K"), {{kTemperature, 64}}), 0.0);
  EXPECT_EQ(condition_after(with_limit("60 degC", "temperature > limit - 5 K"), {{kTemperature, 56}}), 1.0);
  EXPECT_EQ(
      condition_after(with_limit("5 degC", "temperature > ambient + limit"), {{kTemperature, 25.1}, {kAmbient, 68}}),
      1.0);
}

TEST(ParameterOfARule, IsListedWithItsUnit) {
  const auto values = parameters_of(*compiled(with_limit("2.1 bar", "pressure > limit")));
  ASSERT_EQ(values.size(), 1U);
  EXPECT_EQ(values[0].name, "limit");
  EXPECT_EQ(values[0].value, 2.1);
  EXPECT_EQ(values[0].unit_text, "bar");
}

TEST(ParameterOfARule, MustBeAConstantWithAnUnusedName) {
  RuleSource source = rule_when("speed > 1 m/s");
  source.parameters = {
      {"pressure", {"1 bar", {1, 1}}}, {"a", {"1 + 2", {2, 1}}}, {"b", {"1", {3, 1}}}, {"b", {"2", {4, 1}}},
      {"1x", {"2", {5, 1}}},           {"c", {"mode", {6, 1}}}};
  const Diagnostics errors = errors_of(source);
  ASSERT_EQ(errors.size(), 5U);
  const std::vector<std::pair<int, std::string>> expected = {{1, "is a signal"},
                                                             {2, "expected a constant quantity"},
                                                             {4, "declared twice"},
                                                             {5, "cannot name a parameter"},
                                                             {6, "expected a constant quantity"}};
  for (std::size_t i = 0; i < errors.size(); ++i) {
    EXPECT_EQ(errors[i].at.line, expected[i].first) << errors[i].message;
    EXPECT_NE(errors[i].message.find(expected[i].second), std::string::npos) << errors[i].message;
  }
}

TEST(ParameterOfARule, ThatIsWrongIsReportedOnce) {
  const Diagnostics errors = errors_of(with_limit("2 baz", "pressure > limit && pressure < 2 * limit"));
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].message.find("'baz' is not a known unit"), std::string::npos);
}

TEST(ParameterOverride, IsExpressedInTheParametersUnit) {
  const auto rule = compiled(with_limit("2 bar", "pressure > limit"));
  const auto value = read_parameter(*rule, "limit", {"250000 Pa", {1, 1}}, test_units);
  ASSERT_TRUE(value);
  EXPECT_EQ(*value, 2.5);
}

TEST(ParameterOverride, ThatDoesNotFitIsRefused) {
  const auto rule = compiled(with_limit("2 bar", "pressure > limit"));
  const auto error = [&](const std::string& name, const std::string& text) {
    const auto value = read_parameter(*rule, name, {text, {7, 3}}, test_units);
    EXPECT_FALSE(value);
    EXPECT_EQ(value.error().at(0).at.line, 7);
    return value.error().at(0).message;
  };
  EXPECT_NE(error("limt", "2 bar").find("did you mean 'limit'?"), std::string::npos);
  EXPECT_NE(error("limit", "2 s").find("expects a number in bar"), std::string::npos);
  EXPECT_NE(error("limit", "2").find("found a plain number"), std::string::npos);
  EXPECT_NE(error("limit", "pressure").find("expected a constant quantity"), std::string::npos);
  const auto heat = compiled(with_limit("5 degC", "temperature - ambient > limit"));
  EXPECT_FALSE(read_parameter(*heat, "limit", {"9 degF", {1, 1}}, test_units));
}

// ---- the rule as a whole
// -----------------------------------------------------------------------------------------------

TEST(CompiledRuleAsAWhole, KnowsItsSignalsAndHowFarItLooksBack) {
  RuleSource source = rule_when("mean(speed, 24h) - baseline(speed, 7d, 1d) > 1 m/s");
  source.suppress_when = {"mode == \"fire\"", {2, 1}};
  const auto rule = compiled(source);
  EXPECT_EQ(signals_of(*rule), (std::vector<SignalIndex>{kSpeed, kMode}));
  EXPECT_EQ(lookback_of(*rule), 24h * 8);
  EXPECT_EQ(lookback_of(*compiled(rule_when("ratio > 1"))), 1h);
}

TEST(CompiledRuleAsAWhole, SharesAnOperatorThatIsNamedTwice) {
  RuleSource source = rule_when("mean(speed, 24h) > 2 m/s && speed > 1 m/s");
  source.clear = {"mean(speed, 24h) < 1 m/s && last(speed) < 1 m/s", {2, 1}};
  EXPECT_EQ(compiled(source)->uses.size(), 2U);
}

TEST(CompiledRuleAsAWhole, HasASignatureOfItsStateNotOfItsWording) {
  const auto signature = [](const std::string& when) { return signature_of(*compiled(rule_when(when))); };
  const std::uint64_t rule = signature("mean(speed, 24h) > 1 m/s && mode == \"fire\"");
  EXPECT_EQ(rule, signature("mode != \"fire\" || mean(speed, 24h) < 2 m/s"));
  EXPECT_NE(rule, signature("mean(speed, 12h) > 1 m/s && mode == \"fire\""));
  EXPECT_NE(rule, signature("max(speed, 24h) > 1 m/s && mode == \"fire\""));
  EXPECT_NE(rule, signature("mean(pressure, 24h) > 1 bar && mode == \"fire\""));
  EXPECT_NE(signature_of(*compiled(with_limit("1 bar", "pressure > limit"))), signature("pressure > 1 bar"));
}

TEST(CompiledRuleAsAWhole, RefusesAnOnDelayThatCouldNeverEnd) {
  RuleSource source = rule_when("absent(speed, 1h)");
  source.for_ = 1h;
  const Diagnostics errors = errors_of(source);
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_NE(errors[0].message.find("stands still while the asset is silent"), std::string::npos);
}

TEST(CompiledRuleAsAWhole, RefusesDelaysOutOfRange) {
  RuleSource source = rule_when("ratio > 1");
  source.for_ = -1s;
  source.cooldown = 24h * 400;
  EXPECT_EQ(errors_of(source).size(), 2U);
}

}  // namespace
}  // namespace fettle::rules
