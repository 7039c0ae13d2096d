// The operators on panes that came after the first ones, against naive models: everything from all readings at once.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "rules/duration.h"
#include "tests/rules/naive.h"

namespace fettle::rules {
namespace {

constexpr SignalKind kGauge = SignalKind::gauge;
constexpr SignalKind kEvent = SignalKind::event;
constexpr SignalKind kRegister = SignalKind::reg;

// ---- the naive models
// --------------------------------------------------------------------------------------------------

struct Pane {
  double mean;
  double weight;
  double middle;  // seconds before now, negative
};

// The window's panes with a weight, each with its mean.
std::vector<Pane> panes_with_means(const OperatorUse& use, const std::vector<Heard>& heard, std::int64_t now,
                                   std::int64_t max_gap) {
  std::vector<Pane> all;
  const std::int64_t current = floor_to(now, use.pane);
  for (std::int64_t begin = current + use.pane - use.window; begin <= current; begin += use.pane) {
    const std::int64_t end = begin == current ? now + 1 : begin + use.pane;
    double weight = 0.0;
    double sum = 0.0;
    for (const Part& part : parts(use, heard, begin, end, now, max_gap)) {
      weight += part.weight;
      sum += part.weight * part.value;
    }
    if (weight == 0.0) continue;
    const double middle = static_cast<double>(begin == current ? begin - now : 2 * begin + use.pane - 2 * now) / 2000.0;
    all.push_back({sum / weight, weight, middle});
  }
  return all;
}

double weight_of(const std::vector<Pane>& panes) {
  return std::accumulate(panes.begin(), panes.end(), 0.0, [](double sum, const Pane& p) { return sum + p.weight; });
}

bool filled(const OperatorUse& use, const std::vector<Heard>& heard, double weight, std::int64_t now) {
  if (use.signal_kind != SignalKind::event) return weight > 0.0 && 2.0 * weight >= static_cast<double>(use.window);
  const auto first = std::find_if(heard.begin(), heard.end(), [](const Heard& h) { return !std::isnan(h.value); });
  return weight >= 1.0 && 2 * (now - first->at) >= use.window;
}

double naive_quantile(std::vector<Pane> panes, double percent) {
  std::sort(panes.begin(), panes.end(), [](const Pane& a, const Pane& b) { return a.mean < b.mean; });
  double reached = 0.0;
  for (const Pane& pane : panes) {
    reached += pane.weight;
    if (100.0 * reached >= percent * weight_of(panes)) return pane.mean;
  }
  return kUnknown;
}

struct Line {
  double slope = kUnknown;  // per second
  double now = kUnknown;
  double determination = kUnknown;
};

Line naive_fit(const std::vector<Pane>& panes) {
  if (panes.size() < 3) return {};
  const double weight = weight_of(panes);
  double x = 0.0;
  double y = 0.0;
  for (const Pane& p : panes) {
    x += p.weight / weight * p.middle;
    y += p.weight / weight * p.mean;
  }
  double xx = 0.0;
  double xy = 0.0;
  double yy = 0.0;
  for (const Pane& p : panes) {
    xx += p.weight * (p.middle - x) * (p.middle - x);
    xy += p.weight * (p.middle - x) * (p.mean - y);
    yy += p.weight * (p.mean - y) * (p.mean - y);
  }
  return {xy / xx, y - xy / xx * x, xy * xy / (xx * yy)};
}

// Of each event time the reading that was heard last.
std::vector<Heard> last_of_each_time(const std::vector<Heard>& heard) {
  std::map<std::int64_t, double> by_time;
  for (const Heard& h : heard) by_time[h.at] = h.value;
  std::vector<Heard> all;
  for (const auto& [at, value] : by_time) all.push_back({at, value});
  return all;
}

double naive_tally(const OperatorUse& use, const std::vector<Heard>& heard, std::int64_t now) {
  const std::int64_t from = floor_to(now, use.pane) + use.pane - use.window;
  const auto first = std::find_if(heard.begin(), heard.end(), [](const Heard& h) { return !std::isnan(h.value); });
  if (2 * (now - first->at) < use.window) return kUnknown;
  double total = 0.0;
  std::optional<double> before;
  for (const Heard& h : last_of_each_time(heard)) {
    if (std::isnan(h.value)) continue;
    const double step = use.kind == OperatorKind::sum        ? h.value
                        : use.kind == OperatorKind::count    ? 1.0
                        : before && h.value > before.value() ? h.value - before.value()
                                                             : 0.0;
    if (h.at >= from) total += step;
    before = h.value;
  }
  return total;
}

double naive_rate(const OperatorUse& use, const std::vector<Heard>& heard, std::int64_t now, std::int64_t max_gap) {
  const std::int64_t begin = floor_to(now, use.pane) + use.pane - use.window;
  double held = kUnknown;
  for (const Heard& h : heard) {
    if (h.at <= begin) held = begin - h.at < max_gap || h.at == begin ? h.value : kUnknown;
  }
  return (heard.back().value - held) / (static_cast<double>(now - begin) / 1000.0);
}

double naive(const OperatorUse& use, const std::vector<Heard>& heard, std::int64_t now, std::int64_t max_gap,
             double argument) {
  if (heard.empty() || std::isnan(heard.back().value)) return kUnknown;
  const Memory memory = memory_of(use.kind);
  if (memory == Memory::tally) return naive_tally(use, heard, now);
  if (memory == Memory::edges) return naive_rate(use, heard, now, max_gap);
  const std::vector<Pane> panes = panes_with_means(use, heard, now, max_gap);
  if (!filled(use, heard, weight_of(panes), now)) return kUnknown;
  if (use.kind == OperatorKind::median) return naive_quantile(panes, 50.0);
  if (use.kind == OperatorKind::percentile) return naive_quantile(panes, argument);
  const Line line = naive_fit(panes);
  if (use.kind == OperatorKind::slope) return line.slope;
  const double time = (argument - line.now) / line.slope;
  return line.determination >= 0.5 && time >= 0.0 ? time : kUnknown;
}

// ---- the law
// -----------------------------------------------------------------------------------------------------------

// As it may arrive: some readings twice, some again with another value, some long after newer ones.
std::vector<Heard> disturbed(const std::vector<Heard>& heard, std::mt19937& random) {
  const auto chance = [&](double p) { return std::bernoulli_distribution(p)(random); };
  std::vector<Heard> all;
  for (const Heard& h : heard) {
    if (chance(0.05)) all.push_back({h.at, h.value + 1.0});
    all.push_back(h);
    if (chance(0.05)) all.push_back(h);
    if (chance(0.05)) all.push_back({h.at - 1 - static_cast<std::int64_t>(random() % 1'000'000), 99.0});
  }
  return all;
}

struct Compared {
  std::size_t known = 0;
  std::size_t unknown = 0;
  std::size_t undecided = 0;
};

// Plays a series to each use and asks now and then.
void compare(const Series& series, const std::vector<OperatorUse>& uses, double argument, std::mt19937& random,
             const std::string& run, std::map<OperatorKind, Compared>& compared) {
  std::vector<Operating> operating;
  for (const OperatorUse& use : uses) operating.emplace_back(use, series.max_gap);
  std::vector<Heard> so_far;
  const std::vector<Heard> arriving = disturbed(series.heard, random);
  for (std::size_t i = 0; i < arriving.size(); ++i) {
    const Heard& heard = arriving[i];
    if (so_far.empty() || heard.at >= so_far.back().at) so_far.push_back(heard);
    for (Operating& o : operating) o.take(heard.at, heard.value);
    const bool asked = random() % 12 == 0;
    if (!asked || (i + 1 < arriving.size() && arriving[i + 1].at == so_far.back().at)) continue;
    const std::int64_t next =
        i + 1 < arriving.size() ? std::max(arriving[i + 1].at, so_far.back().at) : so_far.back().at + series.step;
    const std::int64_t now = random() % 4 == 0
                                 ? std::uniform_int_distribution<std::int64_t>(so_far.back().at, next)(random)
                                 : so_far.back().at;
    for (std::size_t u = 0; u < uses.size(); ++u) {
      const double value = operating[u].value(now, argument);
      const double expected = naive(uses[u], so_far, now, series.max_gap, argument);
      const std::string where = run + ", " + std::string(operator_of(uses[u].kind).name) + " over " +
                                duration_text(Duration(uses[u].window)) + ", reading " + std::to_string(i);
      if (uses[u].kind == OperatorKind::time_to && std::isnan(value) != std::isnan(expected)) {
        ++compared[uses[u].kind].undecided;  // the fit is as good as it must be to the last digit, or the limit reached
        continue;
      }
      Compared& c = compared[uses[u].kind];
      (std::isnan(expected) ? c.unknown : c.known) += 1;
      // A slope is small, a time through a flat line large: both are a quotient of what 1e6 of level leaves digits of.
      const double scale = uses[u].kind == OperatorKind::time_to ? 1e4 * (1.0 + std::fabs(expected)) : 1e6;
      ASSERT_NO_FATAL_FAILURE(expect_near(value, expected, scale, where));
    }
  }
}

TEST(EveryPaneOperator, EqualsTheNaiveModelOnAThousandRandomSeries) {
  std::map<OperatorKind, Compared> compared;
  for (std::uint32_t seed = 1; seed <= 1000; ++seed) {
    std::mt19937 random(seed);
    Series series = random_series(random);
    series.heard.resize(80);
    const double argument = series.heard[static_cast<std::size_t>(random() % 40)].value;
    const double percent = static_cast<double>(random() % 101);
    const std::int64_t steps = std::vector<std::int64_t>{7, 30, 64}[random() % 3];
    const std::int64_t window = std::max(series.step * steps / kSecond, std::int64_t{1}) * kSecond;
    const auto uses = [&](std::initializer_list<OperatorKind> kinds, SignalKind signal) {
      std::vector<OperatorUse> all;
      for (const OperatorKind kind : kinds) all.push_back(use_of(kind, signal, window));
      return all;
    };
    const std::string run = "seed " + std::to_string(seed);
    using enum OperatorKind;
    ASSERT_NO_FATAL_FAILURE(
        compare(series, uses({sum, count, median, slope}, series.kind), 0.0, random, run, compared));
    ASSERT_NO_FATAL_FAILURE(compare(series, uses({percentile}, series.kind), percent, random, run, compared));
    if (!std::isnan(argument)) {
      // Something to reach: half of the series rise.
      if (seed % 2 == 0) {
        for (std::size_t i = 0; i < series.heard.size(); ++i) series.heard[i].value += 0.5 * static_cast<double>(i);
      }
      ASSERT_NO_FATAL_FAILURE(compare(series, uses({time_to}, series.kind), argument + 20.0, random, run, compared));
    }
    ASSERT_NO_FATAL_FAILURE(compare(series, uses({rate}, kGauge), 0.0, random, run, compared));
    ASSERT_NO_FATAL_FAILURE(compare(series, uses({increase, count}, kRegister), 0.0, random, run, compared));
  }
  for (const auto& [kind, c] : compared) {  // the law is not about unknown alone
    EXPECT_GT(c.known, 500U) << operator_of(kind).name;
    EXPECT_GT(c.unknown, 500U) << operator_of(kind).name;
    EXPECT_LE(c.undecided, 2U) << operator_of(kind).name;
  }
  EXPECT_EQ(compared.size(), 8U);
}

TEST(EveryPaneOperator, IsTheSameHoweverOftenItIsAsked) {
  using enum OperatorKind;
  for (std::uint32_t seed = 1; seed <= 100; ++seed) {
    std::mt19937 random(seed);
    const Series series = random_series(random);
    for (const OperatorKind kind : {sum, count, median, percentile, rate, slope, time_to, increase}) {
      const SignalKind signal = kind == increase ? kRegister : kind == rate ? kGauge : series.kind;
      const OperatorUse use = use_of(kind, signal, 30 * series.step / kSecond * kSecond + kSecond);
      Operating asked(use, series.max_gap);
      Operating quiet(use, series.max_gap);
      for (const Heard& h : series.heard) {
        asked.take(h.at, h.value);
        quiet.take(h.at, h.value);
        for (int i = 0; i < 3; ++i) asked.value(h.at, 5.0);
      }
      const double value = asked.value(series.heard.back().at, 5.0);
      const double expected = quiet.value(series.heard.back().at, 5.0);
      EXPECT_TRUE(value == expected || (std::isnan(value) && std::isnan(expected))) << operator_of(kind).name;
    }
  }
}

// Other signals of the asset may be ahead: the operator was asked for a time beyond its next readings.
TEST(EveryTallyAndRate, CountsAReadingInItsPaneThoughTheAssetsTimeHasMovedOn) {
  using enum OperatorKind;
  std::size_t known = 0;
  for (std::uint32_t seed = 1; seed <= 300; ++seed) {
    std::mt19937 random(seed);
    const Series series = random_series(random);
    for (const OperatorKind kind : {sum, count, rate, increase}) {
      const SignalKind signal = kind == increase ? kRegister : kind == rate ? kGauge : series.kind;
      const OperatorUse use = use_of(kind, signal, 30 * series.step / kSecond * kSecond + kSecond);
      Operating asked(use, series.max_gap);
      Operating quiet(use, series.max_gap);
      for (const Heard& h : series.heard) {
        asked.take(h.at, h.value);
        quiet.take(h.at, h.value);
        if (random() % 10 == 0) asked.value(h.at + static_cast<std::int64_t>(random() % 20) * series.step);
      }
      const std::int64_t end = series.heard.back().at + 20 * series.step;  // never asked for later
      const double value = asked.value(end);
      const double expected = quiet.value(end);
      known += std::isnan(expected) ? 0 : 1;
      ASSERT_NO_FATAL_FAILURE(expect_near(value, expected, 1e6, "seed " + std::to_string(seed)));
    }
  }
  EXPECT_GT(known, 500U);
}

// ---- one by one
// --------------------------------------------------------------------------------------------------------

struct PaneCase {
  std::string name;
  OperatorUse use;
  std::vector<Heard> heard;  // after kStart
  std::int64_t now;
  double argument;
  double expected;
};

void PrintTo(const PaneCase& c, std::ostream* out) {
  *out << c.name;
}

class PaneOperator : public testing::TestWithParam<PaneCase> {};

TEST_P(PaneOperator, Is) {
  const PaneCase& c = GetParam();
  Operating operating(c.use, kHour);
  for (const Heard& h : c.heard) operating.take(kStart + h.at, h.value);
  const double value = operating.value(kStart + c.now, c.argument);
  if (std::isnan(c.expected)) {
    EXPECT_TRUE(std::isnan(value)) << value;
  } else {
    EXPECT_NEAR(value, c.expected, 1e-12 * (1.0 + std::fabs(c.expected)));
  }
}

std::vector<Heard> hourly(std::initializer_list<double> values) {
  std::vector<Heard> heard;
  for (const double value : values) heard.push_back({static_cast<std::int64_t>(heard.size()) * kHour, value});
  return heard;
}

OperatorUse four_hours(OperatorKind kind, SignalKind signal = kGauge) {
  return use_of(kind, signal, 4 * kHour);  // 48 panes of 5 min
}

constexpr double kNothing = kUnknown;
using enum OperatorKind;

INSTANTIATE_TEST_SUITE_P(
    SumCountIncrease, PaneOperator,
    testing::Values(
        PaneCase{"sum adds readings, however long they held", four_hours(sum), hourly({1, 2, 4}), 2 * kHour, kNothing,
                 7},
        PaneCase{"sum forgets what left the window", four_hours(sum), hourly({1, 2, 4, 8, 16}), 4 * kHour, kNothing,
                 30},
        PaneCase{"sum is unknown until half a window has been lived through", four_hours(sum), hourly({1, 2}), kHour,
                 kNothing, kUnknown},
        PaneCase{"sum of a reading heard twice counts it once",
                 four_hours(sum),
                 {{0, 1}, {2 * kHour, 5}, {2 * kHour, 5}},
                 2 * kHour,
                 kNothing,
                 6},
        PaneCase{"sum of two readings of one time takes the one heard last",
                 four_hours(sum),
                 {{0, 1}, {2 * kHour, 5}, {2 * kHour, 7}, {3 * kHour, 1}},
                 3 * kHour,
                 kNothing,
                 9},
        PaneCase{"sum leaves a late reading out",
                 four_hours(sum),
                 {{0, 1}, {2 * kHour, 5}, {kHour, 100}},
                 2 * kHour,
                 kNothing,
                 6},
        PaneCase{"sum of an empty window is zero", four_hours(sum), hourly({1, 2, 4}), 20 * kHour, kNothing, 0},
        PaneCase{"the newest reading counts to the end of its pane's time in the window",
                 four_hours(sum),
                 {{5 * kMinute, 3}},
                 4 * kHour + 5 * kMinute - 1,
                 kNothing,
                 3},
        PaneCase{"and no longer", four_hours(sum), {{5 * kMinute, 3}}, 4 * kHour + 5 * kMinute, kNothing, 0},
        PaneCase{"while the newest is bad a sum is unknown", four_hours(sum), hourly({1, 2, 4, kUnknown}), 3 * kHour,
                 kNothing, kUnknown},
        PaneCase{"count counts good readings", four_hours(count), hourly({1, kUnknown, 4}), 2 * kHour, kNothing, 2},
        PaneCase{"count counts a register's readings too", four_hours(count, kRegister), hourly({5, 5, 5}), 2 * kHour,
                 kNothing, 3},
        PaneCase{"increase adds forward steps", four_hours(increase, kRegister), hourly({10, 13, 14}), 2 * kHour,
                 kNothing, 4},
        PaneCase{"increase takes a step back for a reset that adds nothing", four_hours(increase, kRegister),
                 hourly({10, 13, 2, 5}), 3 * kHour, kNothing, 6},
        PaneCase{"increase steps over a bad reading", four_hours(increase, kRegister), hourly({10, kUnknown, 13}),
                 2 * kHour, kNothing, 3},
        PaneCase{"increase undoes a reading that was corrected",
                 four_hours(increase, kRegister),
                 {{0, 10}, {kHour, 90}, {kHour, 11}, {2 * kHour, 12}},
                 2 * kHour,
                 kNothing,
                 2}));

INSTANTIATE_TEST_SUITE_P(MedianPercentile, PaneOperator,
                         testing::Values(PaneCase{"median is what half of the time was not exceeded",
                                                  four_hours(median), hourly({1, 9, 2, 2}), 3 * kHour, kNothing, 2},
                                         PaneCase{"median does not see a peak", four_hours(median),
                                                  hourly({1, 1, 1000, 1}), 4 * kHour - 1, kNothing, 1},
                                         PaneCase{"median of two halves is the lower", four_hours(median),
                                                  hourly({1, 9, 9}), 2 * kHour, kNothing, 1},
                                         PaneCase{"median of a window that is filled too little is unknown",
                                                  four_hours(median), hourly({1, 9}), kHour, kNothing, kUnknown},
                                         PaneCase{"percentile 0 is the least pane", four_hours(percentile),
                                                  hourly({3, 1, 2, 2}), 3 * kHour, 0, 1},
                                         PaneCase{"percentile 100 is the greatest pane", four_hours(percentile),
                                                  hourly({3, 1, 2, 2}), 3 * kHour, 100, 3},
                                         PaneCase{"percentile 66 of thirds is the second", four_hours(percentile),
                                                  hourly({3, 1, 2, 2}), 3 * kHour, 66, 2},
                                         PaneCase{"percentile 67 of thirds is the third", four_hours(percentile),
                                                  hourly({3, 1, 2, 2}), 3 * kHour, 67, 3},
                                         PaneCase{"percentile of an event signal weighs readings",
                                                  four_hours(percentile, kEvent),
                                                  {{0, 1}, {20 * kMinute, 1}, {40 * kMinute, 1}, {2 * kHour, 9}},
                                                  2 * kHour,
                                                  75,
                                                  1}));

INSTANTIATE_TEST_SUITE_P(RateSlopeTimeTo, PaneOperator,
                         testing::Values(PaneCase{"rate compares with the value held at the window's begin",
                                                  four_hours(rate), hourly({7, 1, 1, 1, 22}), 4 * kHour, kNothing,
                                                  15.0 / 14'100.0},
                                         PaneCase{"rate is unknown where nothing was held then",
                                                  four_hours(rate),
                                                  {{0, 1}, {3 * kHour, 1}, {4 * kHour, 2}, {6 * kHour, 3}},
                                                  6 * kHour,
                                                  kNothing,
                                                  kUnknown},
                                         PaneCase{"rate sees a value that came at the begin itself",
                                                  four_hours(rate),
                                                  {{0, 1}, {5 * kMinute, 4}, {4 * kHour, 10}},
                                                  4 * kHour,
                                                  kNothing,
                                                  6.0 / 14'100.0},
                                         PaneCase{"slope of what does not change is zero", four_hours(slope),
                                                  hourly({0.1, 0.1, 0.1, 0.1}), 3 * kHour, kNothing, 0},
                                         PaneCase{"slope goes through the panes' middles",
                                                  four_hours(slope, kEvent),
                                                  {{5 * kMinute, 0}, {124 * kMinute, 115}, {240 * kMinute, 232.5}},
                                                  240 * kMinute,
                                                  kNothing,
                                                  1.0 / 60.0},
                                         PaneCase{"two panes are no trend",
                                                  four_hours(slope, kEvent),
                                                  {{0, 0}, {3 * kHour, 3}},
                                                  3 * kHour,
                                                  kNothing,
                                                  kUnknown},
                                         PaneCase{"time_to follows the line to the limit",
                                                  four_hours(time_to, kEvent),
                                                  {{5 * kMinute, 0}, {124 * kMinute, 115}, {240 * kMinute, 232.5}},
                                                  240 * kMinute,
                                                  292.5,
                                                  3600},
                                         PaneCase{"time_to a limit that the line leaves behind is unknown",
                                                  four_hours(time_to, kEvent),
                                                  {{0, 0}, {2 * kHour, 2}, {3 * kHour, 3}},
                                                  3 * kHour,
                                                  -1,
                                                  kUnknown},
                                         PaneCase{"time_to without a trend is unknown",
                                                  four_hours(time_to, kEvent),
                                                  {{0, 0}, {kHour, 9}, {2 * kHour, 0}, {3 * kHour, 1}},
                                                  3 * kHour,
                                                  20,
                                                  kUnknown},
                                         PaneCase{"time_to of what does not change is unknown", four_hours(time_to),
                                                  hourly({1, 1, 1, 1}), 3 * kHour, 5, kUnknown}));

TEST(TimeTo, OfASteadyRiseIsTheTimeThatIsLeft) {
  Operating operating(use_of(time_to, kGauge, 4 * kHour), kHour);
  double value = kUnknown;
  for (int minute = 0; minute <= 600; ++minute) {
    operating.take(kStart + minute * kMinute, minute / 60.0);
    value = operating.value(kStart + minute * kMinute, 12.0);
  }
  EXPECT_NEAR(value, 2.0 * 3600.0, 60.0);  // at 10 after ten hours, 1 an hour
}

TEST(Rate, FindsAValueThatCameAtTheBeginWhereNoneLasts) {
  Operating operating(use_of(rate, kGauge, 4 * kHour), 0);  // a device that uploads in batches
  operating.take(kStart + 5 * kMinute, 1.0);
  operating.take(kStart + 4 * kHour, 10.0);
  EXPECT_DOUBLE_EQ(operating.value(kStart + 4 * kHour), 9.0 / 14'100.0);
  operating.take(kStart + 4 * kHour + 5 * kMinute, 10.0);
  EXPECT_TRUE(std::isnan(operating.value(kStart + 4 * kHour + 5 * kMinute)));
}

TEST(Increase, CountsWhatWasUsedWhileTheSessionWasLost) {
  Operating operating(use_of(increase, kRegister, 4 * kHour), kHour);
  operating.take(kStart, 10.0);
  operating.lose(kStart + kHour);
  EXPECT_TRUE(std::isnan(operating.value(kStart + 2 * kHour)));
  operating.take(kStart + 3 * kHour, 15.0);
  EXPECT_EQ(operating.value(kStart + 3 * kHour), 5.0);
}

}  // namespace
}  // namespace fettle::rules
