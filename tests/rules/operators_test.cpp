// The operators against a naive model: everything recomputed from all readings, with the same panes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "rules/duration.h"
#include "rules/operator_state.h"
#include "rules/operators.h"
#include "tests/rules/naive.h"

namespace fettle::rules {
namespace {

using namespace std::chrono_literals;

// ---- the naive model
// ---------------------------------------------------------------------------------------------------

double naive(const OperatorUse& use, const std::vector<Heard>& heard, std::int64_t now, std::int64_t max_gap) {
  if (heard.empty() || std::isnan(heard.back().value)) return kUnknown;
  if (use.kind == OperatorKind::last) return heard.back().value;
  const bool closed = use.kind == OperatorKind::zscore || use.kind == OperatorKind::baseline;
  const std::int64_t current = floor_to(now, use.pane);
  const std::int64_t to = closed ? current - use.lag : now + 1;
  const std::int64_t from = closed ? to - use.window : current + use.pane - use.window;
  const std::vector<Part> all = parts(use, heard, from, to, now, max_gap);
  double weight = 0.0;
  double sum = 0.0;
  double least = std::numeric_limits<double>::infinity();
  double most = -least;
  for (const Part& part : all) {
    weight += part.weight;
    sum += part.weight * part.value;
    least = std::min(least, part.value);
    most = std::max(most, part.value);
  }
  const bool deviates = use.kind == OperatorKind::stddev || use.kind == OperatorKind::zscore;
  if (use.signal_kind == SignalKind::event) {
    const auto first = std::find_if(heard.begin(), heard.end(), [](const Heard& h) { return !std::isnan(h.value); });
    if (weight < (deviates ? 2.0 : 1.0) || 2 * (now - first->at - use.lag) < use.window) return kUnknown;
  } else if (weight <= 0.0 || 2.0 * weight < static_cast<double>(use.window)) {
    return kUnknown;
  }
  const double mean = sum / weight;
  double squares = 0.0;
  for (const Part& part : all) squares += part.weight * (part.value - mean) * (part.value - mean);
  const double deviation = least == most ? 0.0 : std::sqrt(squares / weight);
  switch (use.kind) {
    case OperatorKind::mean:
    case OperatorKind::baseline:
      return mean;
    case OperatorKind::min:
      return least;
    case OperatorKind::max:
      return most;
    case OperatorKind::stddev:
      return deviation;
    default:
      return deviation > 0.0 ? (heard.back().value - mean) / deviation : kUnknown;
  }
}

// ---- the law
// -----------------------------------------------------------------------------------------------------------

TEST(EveryWindowOperator, EqualsTheNaiveModelOnRandomSeries) {
  std::mt19937 random(20260105);
  std::size_t known = 0;
  std::size_t unknown = 0;
  for (int run = 0; run < 200; ++run) {
    const Series series = random_series(random);
    std::vector<OperatorUse> uses = {use_of(OperatorKind::last, series.kind, 0)};
    for (const std::int64_t steps : {7, 64, 200}) {
      const std::int64_t window = std::max(series.step * steps / kSecond, std::int64_t{1}) * kSecond;
      for (const OperatorKind kind : {OperatorKind::mean, OperatorKind::min, OperatorKind::max, OperatorKind::stddev,
                                      OperatorKind::zscore, OperatorKind::baseline}) {
        uses.push_back(use_of(kind, series.kind, window));
      }
      uses.push_back(use_of(OperatorKind::baseline, series.kind, window, window / 3));
      uses.push_back(use_of(OperatorKind::baseline, series.kind, window, window * 4));
    }
    std::vector<Operating> operating;
    for (const OperatorUse& use : uses) operating.emplace_back(use, series.max_gap);
    std::vector<Heard> so_far;
    for (const Heard& heard : series.heard) {
      so_far.push_back(heard);
      // Now and then something else of the asset is heard before this signal is again: the operator is asked later.
      const bool later = std::bernoulli_distribution(0.1)(random);
      const std::size_t i = so_far.size();
      const std::int64_t next = i < series.heard.size() ? series.heard[i].at : heard.at + series.step;
      const std::int64_t now = later ? std::uniform_int_distribution<std::int64_t>(heard.at, next)(random) : heard.at;
      for (std::size_t u = 0; u < uses.size(); ++u) {
        operating[u].take(heard.at, heard.value);
        const double expected = naive(uses[u], so_far, now, series.max_gap);
        (std::isnan(expected) ? unknown : known) += 1;
        // A z-score divides by a deviation that 1e6 of level leaves fewer digits of.
        const double scale = uses[u].kind == OperatorKind::zscore ? 1e3 * (1.0 + std::fabs(expected)) : 1e6;
        const std::string where = "run " + std::to_string(run) + ", " + std::string(operator_of(uses[u].kind).name) +
                                  " over " + duration_text(Duration(uses[u].window)) + ", reading " + std::to_string(i);
        ASSERT_NO_FATAL_FAILURE(expect_near(operating[u].value(now), expected, scale, where));
      }
    }
  }
  EXPECT_GT(known, 200'000U);  // the law is not about unknown alone
  EXPECT_GT(unknown, 100'000U);
}

TEST(Absent, IsTrueOnceThatLongNothingCame) {
  const OperatorUse use = use_of(OperatorKind::absent, SignalKind::gauge, kHour);
  std::mt19937 random(7);
  for (int run = 0; run < 200; ++run) {
    Operating absent(use, kMinute);
    EXPECT_TRUE(std::isnan(absent.value(kStart)));  // never heard: nothing to be missed
    std::int64_t at = kStart;
    for (int i = 0; i < 50; ++i) {
      absent.take(at, i % 7 == 0 ? kUnknown : 1.0);  // a bad reading is no silence
      const std::int64_t asked = at + std::uniform_int_distribution<std::int64_t>(0, 2 * kHour)(random);
      EXPECT_EQ(absent.value(asked), asked - at >= kHour ? 1.0 : 0.0);
      at = asked + 1;
    }
  }
  Operating absent(use, kMinute);
  absent.take(kStart, 1.0);
  EXPECT_EQ(absent.value(kStart + kHour - 1), 0.0);
  EXPECT_EQ(absent.value(kStart + kHour), 1.0);
}

// ---- one by one
// --------------------------------------------------------------------------------------------------------

double value_after(const OperatorUse& use, const std::vector<Heard>& heard, std::int64_t now) {
  Operating operating(use, kHour);
  for (const Heard& h : heard) operating.take(kStart + h.at, h.value);
  return operating.value(kStart + now);
}

struct OperatorCase {
  std::string name;
  OperatorUse use;
  std::vector<Heard> heard;  // after kStart
  std::int64_t now;
  double expected;
};

void PrintTo(const OperatorCase& c, std::ostream* out) {
  *out << c.name;
}

class OperatorValue : public testing::TestWithParam<OperatorCase> {};

TEST_P(OperatorValue, Is) {
  const OperatorCase& c = GetParam();
  const double value = value_after(c.use, c.heard, c.now);
  if (std::isnan(c.expected)) {
    EXPECT_TRUE(std::isnan(value)) << value;
  } else {
    EXPECT_DOUBLE_EQ(value, c.expected);
  }
}

constexpr SignalKind kGauge = SignalKind::gauge;
constexpr SignalKind kEvent = SignalKind::event;
const std::vector<Heard> kOneThenFour = {{0, 1.0}, {kHour, 4.0}, {2 * kHour, 4.0}, {3 * kHour, 4.0}};

INSTANTIATE_TEST_SUITE_P(
    Table, OperatorValue,
    testing::Values(
        OperatorCase{"a mean weighs a value by how long it held", use_of(OperatorKind::mean, kGauge, 3 * kHour + kHour),
                     kOneThenFour, 3 * kHour, 3.0},
        OperatorCase{"of an event signal each reading weighs the same",
                     use_of(OperatorKind::mean, kEvent, 4 * kHour),
                     {{0, 1.0}, {kMinute, 2.0}, {3 * kHour, 6.0}},
                     3 * kHour,
                     3.0},
        OperatorCase{"half filled is known",
                     use_of(OperatorKind::mean, kGauge, 4 * kHour),
                     {{0, 1.0}, {kHour, 4.0}},
                     2 * kHour,
                     2.5},
        OperatorCase{"less than half filled is unknown",
                     use_of(OperatorKind::mean, kGauge, 4 * kHour),
                     {{0, 1.0}},
                     kHour + kHour / 2,
                     kUnknown},
        OperatorCase{"a value holds at most max_gap",
                     use_of(OperatorKind::mean, kGauge, 4 * kHour),
                     {{0, 1.0}, {2 * kHour, 4.0}, {3 * kHour, 4.0}},
                     4 * kHour - 1,
                     (1.0 * 3'600'000 + 4.0 * 7'199'999) / 10'799'999.0},
        OperatorCase{"a bad value holds nothing",
                     use_of(OperatorKind::mean, kGauge, 4 * kHour),
                     {{0, 1.0}, {kHour, kUnknown}, {2 * kHour, 3.0}, {3 * kHour, 3.0}},
                     3 * kHour,
                     2.0},
        OperatorCase{"while the newest is bad all is unknown",
                     use_of(OperatorKind::mean, kGauge, 4 * kHour),
                     {{0, 1.0}, {kHour, 1.0}, {2 * kHour, 1.0}, {3 * kHour, kUnknown}},
                     3 * kHour,
                     kUnknown},
        OperatorCase{"an older reading changes nothing",
                     use_of(OperatorKind::last, kGauge, 0),
                     {{kHour, 5.0}, {kMinute, 9.0}},
                     kHour,
                     5.0},
        OperatorCase{"of two at one time the later heard counts",
                     use_of(OperatorKind::last, kEvent, 0),
                     {{kHour, 5.0}, {kHour, 9.0}},
                     kHour,
                     9.0},
        OperatorCase{"equal values have exactly that mean",
                     use_of(OperatorKind::mean, kGauge, 4 * kHour),
                     {{0, 0.1}, {kHour - 7, 0.1}, {2 * kHour - 99, 0.1}, {3 * kHour - 123, 0.1}},
                     3 * kHour,
                     0.1},
        OperatorCase{"min sees the newest at once",
                     use_of(OperatorKind::min, kGauge, 4 * kHour),
                     {{0, 5.0}, {kHour, 5.0}, {2 * kHour, 5.0}, {3 * kHour, 1.0}},
                     3 * kHour,
                     1.0},
        OperatorCase{"max keeps a peak of the window",
                     use_of(OperatorKind::max, kGauge, 4 * kHour),
                     {{0, 5.0}, {kHour, 9.0}, {2 * kHour, 5.0}, {3 * kHour, 1.0}},
                     3 * kHour,
                     9.0},
        OperatorCase{"max forgets what is older",
                     use_of(OperatorKind::max, kGauge, 4 * kHour),
                     {{0, 9.0}, {kHour, 1.0}, {2 * kHour, 1.0}, {3 * kHour, 1.0}, {4 * kHour, 1.0}, {5 * kHour, 1.0}},
                     5 * kHour,
                     1.0},
        OperatorCase{"stddev of equal values is zero",
                     use_of(OperatorKind::stddev, kGauge, 4 * kHour),
                     {{0, 0.1}, {kHour, 0.1}, {2 * kHour, 0.1}, {3 * kHour, 0.1}},
                     3 * kHour,
                     0.0},
        OperatorCase{"stddev is of the population",
                     use_of(OperatorKind::stddev, kGauge, 4 * kHour),
                     {{0, 1.0}, {kHour, 3.0}, {2 * kHour, 3.0}},
                     2 * kHour,
                     1.0},
        OperatorCase{"zscore compares with the panes before",
                     use_of(OperatorKind::zscore, kGauge, 4 * kHour),
                     {{0, 1.0}, {kHour, 3.0}, {2 * kHour, 6.0}},
                     2 * kHour,
                     4.0},
        OperatorCase{"zscore of what never varied is unknown",
                     use_of(OperatorKind::zscore, kGauge, 4 * kHour),
                     {{0, 1.0}, {kHour, 1.0}, {2 * kHour, 1.0}, {3 * kHour, 9.0}},
                     3 * kHour,
                     kUnknown},
        OperatorCase{"baseline leaves out the lag",
                     use_of(OperatorKind::baseline, kGauge, 4 * kHour, 2 * kHour),
                     {{0, 1.0}, {kHour, 1.0}, {2 * kHour, 1.0}, {3 * kHour, 9.0}, {4 * kHour, 9.0}},
                     4 * kHour,
                     1.0},
        OperatorCase{"baseline is unknown until it has half a window before the lag",
                     use_of(OperatorKind::baseline, kGauge, 4 * kHour, 2 * kHour), kOneThenFour, 3 * kHour, kUnknown},
        OperatorCase{"a single event has no deviation",
                     use_of(OperatorKind::stddev, kEvent, kHour),
                     {{0, 1.0}},
                     kHour - 1,
                     kUnknown}));

TEST(Window, ThatASessionWasLostInStopsHolding) {
  Operating mean(use_of(OperatorKind::mean, kGauge, 4 * kHour), 10 * kHour);
  mean.take(kStart, 1.0);
  mean.lose(kStart + kHour);
  EXPECT_TRUE(std::isnan(mean.value(kStart + kHour)));
  mean.take(kStart + 2 * kHour, 4.0);
  EXPECT_DOUBLE_EQ(mean.value(kStart + 3 * kHour), 2.5);  // an hour each; the hour between is empty
}

TEST(Window, OverAnEndlessHoldTakesNoLongerThanItsPanes) {
  Operating mean(use_of(OperatorKind::mean, kGauge, kSecond), 366 * kDay);  // panes of 20 ms
  mean.take(kStart, 1.0);
  EXPECT_DOUBLE_EQ(mean.value(kStart + 300 * kDay), 1.0);
  mean.take(kStart + 300 * kDay + 10, 2.0);
  EXPECT_DOUBLE_EQ(mean.value(kStart + 300 * kDay + 5000), 2.0);
}

// ---- panes and memory
// --------------------------------------------------------------------------------------------------

TEST(PanesOfAWindow, DivideItAndAreAtMost64) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t window = kSecond * std::uniform_int_distribution<std::int64_t>(1, 366 * 86'400)(random);
    const std::int64_t lag =
        i % 2 == 0 ? 0 : kSecond * std::uniform_int_distribution<std::int64_t>(0, window / 100)(random);
    const auto panes = panes_of(window, lag);
    ASSERT_TRUE(panes) << window << " " << lag;
    EXPECT_EQ(window % panes->pane, 0) << window;
    EXPECT_EQ(panes->of_window, window / panes->pane);
    EXPECT_GE(panes->of_lag * panes->pane, lag);
    EXPECT_LT(panes->of_lag * panes->pane, lag + panes->pane);
    EXPECT_LE(panes->of_window + panes->of_lag, 64);
    EXPECT_GE(panes->of_window, 4);
  }
}

TEST(PanesOfAWindow, AreRoundWhereTheyCanBe) {
  EXPECT_EQ(panes_of(24 * kHour, 0)->pane, 30 * kMinute);
  EXPECT_EQ(panes_of(7 * kDay, 0)->pane, 3 * kHour);
  EXPECT_EQ(panes_of(7 * kDay, kDay)->pane, 3 * kHour);
  EXPECT_EQ(panes_of(14 * kDay, 0)->pane, 6 * kHour);
  EXPECT_EQ(panes_of(kHour, 0)->pane, kMinute);
  EXPECT_EQ(panes_of(kMinute, 0)->pane, kSecond);
  EXPECT_FALSE(panes_of(kHour, 16 * kHour));
}

TEST(EveryOperator, DeclaresItsMemoryAndStaysInTheLimit) {
  for (const Operator& op : operators()) {
    EXPECT_EQ(find_operator(op.name), &op);
    EXPECT_EQ(&operator_of(op.kind), &op) << op.name;
    const Memory memory = memory_of(op.kind);
    const bool windowed = memory == Memory::panes || memory == Memory::tally || memory == Memory::edges;
    for (const std::int64_t window : {kSecond, 64 * kSecond, 24 * kHour, 366 * kDay}) {
      const OperatorUse use = use_of(op.kind, kGauge, window);
      EXPECT_EQ(state_bytes(use) % 8, 0U) << op.name;
      EXPECT_LE(state_bytes(use), kStateOfOperator) << op.name;
      EXPECT_EQ(state_bytes(use) == 0, memory == Memory::none) << op.name;
      EXPECT_LE(kept_panes(use), kMostPanes) << op.name;
      EXPECT_EQ(windowed, kept_panes(use) > 0) << op.name;
    }
  }
}

// The tables of the reference page: fixed bytes, and bytes for each finished pane.
TEST(EveryOperator, HasTheBytesThatTheReferenceSays) {
  struct Bytes {
    OperatorKind kind;
    std::size_t fixed;
    std::size_t per_pane;
  };
  using enum OperatorKind;
  const std::vector<Bytes> table = {{last, 16, 0},        {prev, 40, 0},         {changed, 40, 0},
                                    {age, 16, 0},         {absent, 8, 0},        {every, 40, 0},
                                    {ewma, 48, 0},        {cusum, 32, 0},        {mean, 96, 12},
                                    {min, 96, 12},        {max, 96, 12},         {sum, 72, 8},
                                    {count, 72, 8},       {stddev, 96, 20},      {median, 96, 13},
                                    {percentile, 96, 13}, {slope, 152, 12},      {time_to, 152, 12},
                                    {zscore, 96, 20},     {baseline, 96, 12},    {increase, 72, 8},
                                    {time_in, 96, 12},    {count_within, 72, 8}, {then, 24, 0},
                                    {bit, 0, 0},          {zone, 0, 0},          {OperatorKind::abs, 0, 0}};
  for (const Bytes& b : table) {
    const OperatorUse use = use_of(b.kind, kGauge, kDay);
    EXPECT_EQ(state_bytes(use), (b.fixed + kept_panes(use) * b.per_pane + 7) / 8 * 8) << operator_of(b.kind).name;
  }
  EXPECT_EQ(state_bytes(use_of(rate, kGauge, kDay)), 32U + 8U * 48U);
  EXPECT_EQ(table.size() + 1, operators().size());
}

// Each state has just the bytes it says: the guards around it stay as they were.
TEST(EveryOperator, WritesWithinItsState) {
  for (const Operator& op : operators()) {
    for (const SignalKind kind : {kGauge, kEvent}) {
      OperatorUse use = use_of(op.kind, kind, 96 * kMinute);
      use.slack = {0.0, 1.0, 0};
      const std::size_t bytes = state_bytes(use);
      std::vector<std::byte> memory(bytes + 64, std::byte{0xA5});
      std::byte* const state = memory.data() + 32;
      std::mt19937 random(11);
      start(use, state);
      std::int64_t at = kStart;
      for (int i = 0; i < 2000; ++i) {
        at += std::uniform_int_distribution<std::int64_t>(0, 5 * kMinute)(random);
        take(use, state, {at, at, i % 17 == 0 ? kUnknown : std::normal_distribution<double>()(random)}, 10 * kMinute);
        if (i % 101 == 0) lose(use, state, at, 10 * kMinute);
        value_of(use, state, at + i % 5, at, 1.0);
      }
      EXPECT_TRUE(std::all_of(memory.begin(), memory.begin() + 32, [](std::byte b) { return b == std::byte{0xA5}; }));
      EXPECT_TRUE(std::all_of(memory.end() - 32, memory.end(), [](std::byte b) { return b == std::byte{0xA5}; }))
          << op.name;
    }
  }
}

}  // namespace
}  // namespace fettle::rules
