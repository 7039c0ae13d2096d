#include "gateway/app/hygiene.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <tuple>

namespace fettle::app {
namespace {

using engine::EpisodeRow;
using engine::Time;

// Which ten minutes since 1970 the time lies in.
std::int64_t rate_span_of(Time time) {
  return std::chrono::floor<std::chrono::duration<std::int64_t, std::ratio<600>>>(time).time_since_epoch().count();
}
static_assert(kRateSpan == std::chrono::seconds(600));

// An episode of the period, and what it is found to be.
struct Noted {
  const EpisodeRow* row = nullptr;
  bool chattering = false;
};

// Marks runs of kChatterRaises or more raises within kChatterSpan. Pre: one rule on one asset, in order of raise.
void mark_chattering(std::span<Noted*> raises) {
  for (std::size_t i = 0; i + kChatterRaises <= raises.size(); ++i) {
    const std::size_t last = i + kChatterRaises - 1;
    if (raises[last]->row->raised_at - raises[i]->row->raised_at > kChatterSpan) continue;
    for (std::size_t j = i; j <= last; ++j) raises[j]->chattering = true;
  }
}

std::vector<Noted> note(std::span<const EpisodeRow> episodes, const HygieneOptions& options) {
  std::vector<Noted> noted;
  for (const EpisodeRow& row : episodes) {
    if (row.raised_at >= options.from && row.raised_at < options.until) noted.push_back({&row, false});
  }
  std::sort(noted.begin(), noted.end(), [](const Noted& a, const Noted& b) {
    return std::tie(a.row->raised_at, a.row->id) < std::tie(b.row->raised_at, b.row->id);
  });
  std::map<std::tuple<std::string_view, std::string_view, std::string_view>, std::vector<Noted*>> by_source;
  for (Noted& one : noted) by_source[{one.row->pack, one.row->rule, one.row->asset}].push_back(&one);
  for (auto& [source, raises] : by_source) mark_chattering(raises);
  return noted;
}

// A row in the making.
class Tally {
 public:
  void add(const Noted& noted, Time now) {
    const EpisodeRow& episode = *noted.row;
    ++row_.episodes;
    const auto open_for = episode.cleared_at.value_or(now) - episode.raised_at;
    if (noted.chattering) {
      ++row_.chattering;
    } else if (episode.cleared_at && open_for <= kFleetingSpan) {
      ++row_.fleeting;
    }
    if (open_for > kStaleSpan) {
      ++row_.stale;
      if (!episode.cleared_at) ++row_.stale_now;
    }
    ++spans_[rate_span_of(episode.raised_at)];
  }

  HygieneRow row(std::string pack, std::string rule, const HygieneOptions& options) const {
    HygieneRow row = row_;
    row.pack = std::move(pack);
    row.rule = std::move(rule);
    const std::chrono::duration<double> period = options.until - options.from;
    row.average = static_cast<double>(row.episodes) / (period / std::chrono::duration<double>(kRateSpan)) /
                  static_cast<double>(options.positions);
    for (const auto& [span, count] : spans_) {
      row.busiest = std::max(row.busiest, count);
      if (count > kFloodAbove) ++row.floods;
    }
    const std::int64_t touched =
        rate_span_of(options.until - std::chrono::milliseconds(1)) - rate_span_of(options.from) + 1;
    row.flood_share = static_cast<double>(row.floods) / static_cast<double>(touched);
    return row;
  }

 private:
  HygieneRow row_;
  std::map<std::int64_t, std::size_t> spans_;
};

}  // namespace

std::vector<HygieneRow> hygiene_of(std::span<const EpisodeRow> episodes, const HygieneOptions& options) {
  Tally all;
  std::map<std::string, std::pair<Tally, std::map<std::string, Tally>>> packs;
  for (const Noted& noted : note(episodes, options)) {
    auto& [pack, rules] = packs[noted.row->pack];
    all.add(noted, options.now);
    pack.add(noted, options.now);
    rules[noted.row->rule].add(noted, options.now);
  }
  std::vector<HygieneRow> rows = {all.row({}, {}, options)};
  for (const auto& [id, pack] : packs) {
    rows.push_back(pack.first.row(id, {}, options));
    for (const auto& [rule, tally] : pack.second) rows.push_back(tally.row(id, rule, options));
  }
  return rows;
}

}  // namespace fettle::app
