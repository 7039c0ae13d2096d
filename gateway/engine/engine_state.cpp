// The engine's working state as bytes, and back.

#include <algorithm>

#include "gateway/engine/engine.h"

namespace fettle::engine {
namespace {

constexpr std::uint32_t kFormat = 1;

Time time_of(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}
std::int64_t ms(Time time) {
  return time.time_since_epoch().count();
}

void save_series(const AssetState& asset, AssetStateBytes& out) {
  for (std::size_t s = 0; s < asset.series.size(); ++s) {
    const Series& series = asset.series[s];
    if (!series.id) continue;
    SeriesState& saved = *out.add_series();
    saved.set_id(*series.id);
    saved.set_signal(asset.signal_names[s]);
    saved.set_head_ms(ms(series.head));
    saved.set_head_value(series.head_value);
    saved.set_evaluated(series.evaluated.has_value());
    if (series.evaluated) saved.set_evaluated_ms(ms(*series.evaluated));
    for (const Days::Run& run : series.days.runs()) {
      DayRun& day = *saved.add_days();
      day.set_first(run.first);
      day.set_last(run.last);
    }
  }
}

void load_series(const AssetStateBytes& in, AssetState& asset) {
  for (const SeriesState& saved : in.series()) {
    const auto index = asset.info->model->signal_index.find(saved.signal());
    if (index == asset.info->model->signal_index.end()) continue;
    Series& series = asset.series[index->second];
    series.id = saved.id();
    series.head = time_of(saved.head_ms());
    series.head_value = saved.head_value();
    if (saved.evaluated()) series.evaluated = time_of(saved.evaluated_ms());
    std::vector<Days::Run> runs;
    for (const DayRun& day : saved.days()) runs.push_back({day.first(), day.last()});
    series.days.restore(std::move(runs));
  }
}

}  // namespace

std::string Engine::working_state() const {
  WorkingState state;
  state.set_format(kFormat);
  state.set_now_ms(ms(now_));
  state.set_session_down(session_down_);
  state.set_down_since_ms(ms(down_since_));
  state.set_down_total_ms(down_total_.count());
  state.set_next_series(next_series_);
  for (const AssetState& asset : assets_) {
    AssetStateBytes& saved = *state.add_assets();
    saved.set_asset(asset.id);
    saved.set_heard(asset.newest.has_value());
    if (asset.newest) saved.set_newest_ms(ms(*asset.newest));
    saved.set_newest_session_ms(ms(asset.newest_session));
    save_series(asset, saved);
    for (std::size_t i = 0; i < asset.rule_names.size(); ++i) {
      RuleState& rule = *saved.add_rules();
      rule.set_pack(asset.rule_names[i].first);
      rule.set_rule(asset.rule_names[i].second);
      asset.rules->save(i, *rule.mutable_state());
      rule.set_episode(asset.open_episodes[i]);
    }
  }
  maintenance_.save(state);
  invoicing_.save(state);
  auto& counters = *state.mutable_counters();
  counters.set_messages(counters_.messages);
  counters.set_readings(counters_.readings);
  counters.set_duplicates(counters_.duplicates);
  counters.set_conflicts(counters_.conflicts);
  counters.set_late(counters_.late);
  counters.set_quarantined(counters_.quarantined);
  return state.SerializeAsString();
}

bool Engine::restore(const std::string& bytes) {
  WorkingState state;
  if (!state.ParseFromString(bytes) || state.format() != kFormat) return false;
  now_ = time_of(state.now_ms());
  session_down_ = state.session_down();
  down_since_ = time_of(state.down_since_ms());
  down_total_ = rules::Duration(state.down_total_ms());
  next_series_ = state.next_series();
  for (const AssetStateBytes& saved : state.assets()) {
    const auto index = registry_.asset_index(saved.asset());
    if (!index) continue;
    AssetState& asset = assets_[*index];
    if (saved.heard()) asset.newest = time_of(saved.newest_ms());
    asset.newest_session = time_of(saved.newest_session_ms());
    load_series(saved, asset);
    for (const RuleState& rule : saved.rules()) {
      const auto name =
          std::find(asset.rule_names.begin(), asset.rule_names.end(), std::pair(rule.pack(), rule.rule()));
      if (name == asset.rule_names.end()) continue;
      const auto i = static_cast<std::size_t>(name - asset.rule_names.begin());
      asset.open_episodes[i] = rule.episode();
      if (!asset.rules->load(i, rule.state())) {
        reports_.push_back("rule " + rule.pack() + '/' + rule.rule() + " on asset " + asset.id +
                           ": its saved state is of another version of Fettle and starts anew");
      }
    }
  }
  maintenance_.load(state);
  invoicing_.load(state);
  counters_ = {state.counters().messages(),  state.counters().readings(), state.counters().duplicates(),
               state.counters().conflicts(), state.counters().late(),     state.counters().quarantined()};
  return true;
}

}  // namespace fettle::engine
