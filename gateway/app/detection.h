#pragma once
// How well episodes foretell failures that are known: precision, recall, lead time, false orders.
//
// Pure functions of rows; no files, no clock, any thread. Where failures come from is backtest_failures.h's business.
//
// Words. A failure lasts [start, end]; its *window* is [start - horizon, end], both ends included: in it an episode is
// of use. An episode that is raised in a window of its asset is right, any other is false. An *order* is what a
// dispatcher is bothered with: a right or false episode, unless one of the same asset, rule and verdict was counted
// less than `repeat` before. In a back-test nobody closes work orders, so the first would swallow all that follow;
// `repeat` stands for the work that closes them.
//
//   precision = right orders / (right orders + false orders)
//   recall    = failures with an episode in their window / failures
//   F1        = 2 precision recall / (precision + recall), their harmonic mean (C. J. van Rijsbergen, 1979)
//   lead time = start - raise time of the first episode in the window; negative where it was raised after the start
//   false orders an asset-month = false orders / sum of the assets' judged time in months of 30 days
//
// A figure whose divisor is 0 is absent, never 0.

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"

namespace fettle::app {

using Span = std::chrono::milliseconds;

// A month of the figures.
inline constexpr Span kMonth = std::chrono::days(30);

struct RaisedEpisode {
  std::string asset;
  std::string rule;  // "pack/rule"
  engine::Time raised_at;
};

struct KnownFailure {
  std::string asset;
  std::string rule;  // the rule meant to foretell it, "rule" or "pack/rule"; empty: any
  engine::Time start;
  engine::Time end;  // >= start
};

// How long an asset was watched, both ends included.
struct Watched {
  std::string asset;
  engine::Time from;
  engine::Time to;
};

struct JudgeOptions {
  Span horizon = std::chrono::days(7);
  Span repeat = std::chrono::hours(24);
  Span probation{0};  // of each asset's watched time, its beginning that is not judged: rules learn what is normal
};

struct LeadTime {
  Span median{0};  // of an even number: the mean of the two in the middle
  Span least{0};
  Span most{0};
};

struct Judgement {
  std::size_t failures = 0;    // judged: their window meets the judged time of their asset
  std::size_t not_judged = 0;  // of assets without data, or at times without
  std::size_t found = 0;
  std::size_t episodes = 0;  // in the judged time
  std::size_t right_episodes = 0;
  std::size_t right_orders = 0;
  std::size_t false_orders = 0;
  double asset_months = 0;
  std::optional<double> precision;
  std::optional<double> recall;
  std::optional<double> f1;
  std::optional<double> false_orders_per_asset_month;
  std::optional<LeadTime> lead;  // of the failures found
};

// Of all rules together. A failure that names a rule is met by that rule's episodes only. Rows may come in any order.
Judgement judge(std::span<const RaisedEpisode> episodes, std::span<const KnownFailure> failures,
                std::span<const Watched> watched, const JudgeOptions& options);

// Of one rule, "pack/rule": its episodes, and the failures that name it or no rule.
Judgement judge_rule(std::string_view rule, std::span<const RaisedEpisode> episodes,
                     std::span<const KnownFailure> failures, std::span<const Watched> watched,
                     const JudgeOptions& options);

// Whether a failure's `named` rule is `rule`: "" is any rule, "rule" the rule of any pack.
bool names_rule(std::string_view named, std::string_view rule);

// Orders judgements for choosing between them: the larger F1 first (absent counts as 0), then the longer median lead
// time (none is shortest), then fewer false orders.
bool better(const Judgement& a, const Judgement& b);

}  // namespace fettle::app
