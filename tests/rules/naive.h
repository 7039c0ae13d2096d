#pragma once
// What the tests of single operators share: an operator with its state, and what a naive model of one is made of, all
// readings of a random series.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "rules/operator_state.h"
#include "rules/operators.h"

namespace fettle::rules {

inline constexpr std::int64_t kSecond = 1000;
inline constexpr std::int64_t kMinute = 60 * kSecond;
inline constexpr std::int64_t kHour = 60 * kMinute;
inline constexpr std::int64_t kDay = 24 * kHour;
inline constexpr std::int64_t kStart = 1'767'571'200'000;  // 2026-01-05T00:00Z

inline OperatorUse use_of(OperatorKind kind, SignalKind signal, std::int64_t window, std::int64_t lag = 0) {
  OperatorUse use;
  use.kind = kind;
  use.signal_kind = signal;
  use.window = window;
  const Memory memory = memory_of(kind);
  if (memory != Memory::panes && memory != Memory::tally && memory != Memory::edges) return use;
  const Panes panes = panes_of(window, lag).value();
  use.pane = panes.pane;
  use.panes = panes.of_window;
  use.lag_panes = panes.of_lag;
  use.lag = panes.pane * panes.of_lag;
  return use;
}

class Operating {
 public:
  Operating(const OperatorUse& use, std::int64_t max_gap)
      : use_(use), max_gap_(max_gap), state_(std::make_unique<std::byte[]>(state_bytes(use))) {
    start(use_, state_.get());
  }
  void take(std::int64_t event, double value) { rules::take(use_, state_.get(), {event, event, value}, max_gap_); }
  void lose(std::int64_t event) { rules::lose(use_, state_.get(), event, max_gap_); }
  double value(std::int64_t event, double argument = kUnknown) {
    return value_of(use_, state_.get(), event, event, argument);
  }

 private:
  OperatorUse use_;
  std::int64_t max_gap_;
  std::unique_ptr<std::byte[]> state_;
};

struct Heard {
  std::int64_t at;
  double value;  // NaN: bad, or lost
};

struct Part {
  double value;
  double weight;
};

inline std::int64_t floor_to(std::int64_t at, std::int64_t step) {
  return at - ((at % step) + step) % step;
}

// What of the readings lies in [from, to), each with its weight. `to` of an open window is beyond now.
inline std::vector<Part> parts(const OperatorUse& use, const std::vector<Heard>& heard, std::int64_t from,
                               std::int64_t to, std::int64_t now, std::int64_t max_gap) {
  std::vector<Part> all;
  for (std::size_t i = 0; i < heard.size(); ++i) {
    if (std::isnan(heard[i].value)) continue;
    if (use.signal_kind == SignalKind::event) {
      if (heard[i].at >= from && heard[i].at < to) all.push_back({heard[i].value, 1.0});
      continue;
    }
    const std::int64_t next = i + 1 < heard.size() ? heard[i + 1].at : now;
    const std::int64_t end = std::min({next, heard[i].at + max_gap, to, now});
    const std::int64_t begin = std::max(heard[i].at, from);
    const bool newest = i + 1 == heard.size() && heard[i].at >= from && to > now;
    if (end > begin || newest)
      all.push_back({heard[i].value, static_cast<double>(std::max<std::int64_t>(end - begin, 0))});
  }
  return all;
}

struct Series {
  SignalKind kind = SignalKind::gauge;
  std::int64_t step = kMinute;  // usual distance of readings
  std::int64_t max_gap = kMinute;
  std::vector<Heard> heard;
};

inline Series random_series(std::mt19937& random) {
  const auto pick = [&](auto... values) {
    const std::vector<std::int64_t> all{values...};
    return all[std::uniform_int_distribution<std::size_t>(0, all.size() - 1)(random)];
  };
  const auto chance = [&](double p) { return std::bernoulli_distribution(p)(random); };
  Series series;
  series.kind = chance(0.25) ? SignalKind::event : SignalKind::gauge;
  series.step = pick(kSecond, 10 * kSecond, kMinute, 5 * kMinute, kHour);
  series.max_gap = series.step * pick(1, 3, 20, 500);
  const double level = chance(0.5) ? 0.0 : 1e6;
  const bool constant = chance(0.1);
  const bool steady = chance(0.3);
  std::normal_distribution<double> noise(level, 2.0);
  std::int64_t at = kStart + pick(0, 1, 12'345, kHour);
  for (int i = 0; i < 200; ++i) {
    const double value = constant ? level + 0.1 : noise(random);
    series.heard.push_back({at, chance(0.03) ? kUnknown : value});
    at += steady ? series.step : 1 + std::uniform_int_distribution<std::int64_t>(0, 2 * series.step)(random);
    if (chance(0.02)) at += series.step * pick(5, 50, 1000);
  }
  return series;
}

inline void expect_near(double value, double expected, double scale, const std::string& where) {
  ASSERT_EQ(std::isnan(value), std::isnan(expected)) << where << ": " << value << ", naive " << expected;
  if (!std::isnan(expected)) {
    ASSERT_NEAR(value, expected, 1e-9 * scale) << where;
  }
}

}  // namespace fettle::rules
