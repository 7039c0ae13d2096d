#include "gateway/app/detection.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <tuple>

namespace fettle::app {
namespace {

using engine::Time;

// A failure with the window in which an episode is of use.
struct Window {
  const KnownFailure* failure = nullptr;
  Time from;
  std::optional<Time> first_raise;  // of an episode in the window

  bool holds(const RaisedEpisode& episode) const {
    return from <= episode.raised_at && episode.raised_at <= failure->end && names_rule(failure->rule, episode.rule);
  }
};

// What is judged of one asset.
struct Judged {
  Time from;
  Time to;
  std::vector<Window> windows;
};

using Assets = std::map<std::string, Judged, std::less<>>;

Assets judged_assets(std::span<const Watched> watched, const JudgeOptions& options) {
  Assets assets;
  for (const Watched& watch : watched) {
    const Time from = watch.from + options.probation;
    if (from <= watch.to) assets[watch.asset] = {from, watch.to, {}};
  }
  return assets;
}

void add_windows(std::span<const KnownFailure> failures, const JudgeOptions& options, Assets& assets, Judgement& out) {
  for (const KnownFailure& failure : failures) {
    const Time from = failure.start - options.horizon;
    const auto asset = assets.find(failure.asset);
    if (asset == assets.end() || failure.end < asset->second.from || from > asset->second.to) {
      ++out.not_judged;
      continue;
    }
    ++out.failures;
    asset->second.windows.push_back({&failure, from, std::nullopt});
  }
}

// Marks the windows that the episode lies in; whether there is one.
bool meet(const RaisedEpisode& episode, std::vector<Window>& windows) {
  bool right = false;
  for (Window& window : windows) {
    if (!window.holds(episode)) continue;
    right = true;
    if (!window.first_raise) window.first_raise = episode.raised_at;
  }
  return right;
}

std::optional<LeadTime> lead_time(std::vector<Span> leads) {
  if (leads.empty()) return std::nullopt;
  std::sort(leads.begin(), leads.end());
  const std::size_t middle = leads.size() / 2;
  const Span median = leads.size() % 2 == 1 ? leads[middle] : (leads[middle - 1] + leads[middle]) / 2;
  return LeadTime{median, leads.front(), leads.back()};
}

std::optional<double> quotient(double part, double whole) {
  if (whole <= 0) return std::nullopt;
  return part / whole;
}

void add_quotients(Judgement& out) {
  const auto right = static_cast<double>(out.right_orders);
  const auto wrong = static_cast<double>(out.false_orders);
  out.precision = quotient(right, right + wrong);
  out.recall = quotient(static_cast<double>(out.found), static_cast<double>(out.failures));
  if (out.precision && out.recall) {
    const double sum = *out.precision + *out.recall;
    out.f1 = sum > 0 ? 2 * *out.precision * *out.recall / sum : 0;
  }
  out.false_orders_per_asset_month = quotient(wrong, out.asset_months);
}

}  // namespace

bool names_rule(std::string_view named, std::string_view rule) {
  if (named.empty() || named == rule) return true;
  const std::size_t slash = rule.rfind('/');
  return slash != std::string_view::npos && rule.substr(slash + 1) == named;
}

Judgement judge(std::span<const RaisedEpisode> episodes, std::span<const KnownFailure> failures,
                std::span<const Watched> watched, const JudgeOptions& options) {
  Judgement out;
  Assets assets = judged_assets(watched, options);
  add_windows(failures, options, assets, out);

  std::vector<const RaisedEpisode*> in_order;
  for (const RaisedEpisode& episode : episodes) in_order.push_back(&episode);
  std::stable_sort(in_order.begin(), in_order.end(),
                   [](const auto* a, const auto* b) { return a->raised_at < b->raised_at; });
  std::map<std::tuple<std::string_view, std::string_view, bool>, Time> last_order;
  for (const RaisedEpisode* episode : in_order) {
    const auto asset = assets.find(episode->asset);
    if (asset == assets.end()) continue;
    if (episode->raised_at < asset->second.from || episode->raised_at > asset->second.to) continue;
    ++out.episodes;
    const bool right = meet(*episode, asset->second.windows);
    if (right) ++out.right_episodes;
    const auto [last, first] = last_order.try_emplace({episode->asset, episode->rule, right}, episode->raised_at);
    if (!first && episode->raised_at - last->second < options.repeat) continue;
    last->second = episode->raised_at;
    ++(right ? out.right_orders : out.false_orders);
  }

  std::vector<Span> leads;
  for (const auto& [id, asset] : assets) {
    const std::chrono::duration<double> judged = asset.to - asset.from;
    out.asset_months += judged / std::chrono::duration<double>(kMonth);
    for (const Window& window : asset.windows) {
      if (window.first_raise) leads.push_back(window.failure->start - *window.first_raise);
    }
  }
  out.found = leads.size();
  out.lead = lead_time(std::move(leads));
  add_quotients(out);
  return out;
}

Judgement judge_rule(std::string_view rule, std::span<const RaisedEpisode> episodes,
                     std::span<const KnownFailure> failures, std::span<const Watched> watched,
                     const JudgeOptions& options) {
  std::vector<RaisedEpisode> own_episodes;
  std::copy_if(episodes.begin(), episodes.end(), std::back_inserter(own_episodes),
               [&](const RaisedEpisode& episode) { return episode.rule == rule; });
  std::vector<KnownFailure> own_failures;
  std::copy_if(failures.begin(), failures.end(), std::back_inserter(own_failures),
               [&](const KnownFailure& failure) { return names_rule(failure.rule, rule); });
  return judge(own_episodes, own_failures, watched, options);
}

bool better(const Judgement& a, const Judgement& b) {
  const auto key = [](const Judgement& judgement) {
    // Negated, so that more is less; one above the least, whose negation there is not.
    const std::int64_t shortest = std::numeric_limits<std::int64_t>::min() + 1;
    const std::int64_t lead = judgement.lead ? judgement.lead->median.count() : shortest;
    return std::tuple(-judgement.f1.value_or(0), -lead, judgement.false_orders);
  };
  return key(a) < key(b);
}

}  // namespace fettle::app
