// The catalog changes: what each asset keeps of its state, and what ends.

#include <algorithm>
#include <iterator>

#include "gateway/engine/engine.h"
#include "gateway/engine/entry_key.h"

namespace fettle::engine {
namespace {

// A rule's place in the lanes of a list.
struct Place {
  std::size_t lane = 0;
  std::size_t index = 0;
};

Place place_of(const RuleList& list, std::uint32_t position) {
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    const auto& positions = list.lanes[lane];
    const auto found = std::lower_bound(positions.begin(), positions.end(), position);
    if (found != positions.end() && *found == position) {
      return {lane, static_cast<std::size_t>(found - positions.begin())};
    }
  }
  return {};
}

const RuleInfo& rule_at(const ModelInfo& model, const RuleList& list, std::uint32_t position) {
  return model.rules[list.rules[position].rule];
}

std::optional<std::uint32_t> position_of(const AssetInfo& info, const RuleInfo& rule) {
  for (std::uint32_t i = 0; i < info.rules().size(); ++i) {
    const RuleInfo& other = rule_at(*info.model, *info.rule_list, i);
    if (other.pack == rule.pack && other.source.id() == rule.source.id()) return i;
  }
  return std::nullopt;
}

}  // namespace

void Engine::fold_catalog(const journal::Record& record) {
  catalog::CatalogChange change;
  if (!change.ParseFromArray(record.body.data(), static_cast<int>(record.body.size()))) {
    pending_answers_.push_back({record.sequence, {false, "the journal record is no catalog change"}});
    return;
  }
  const std::vector<catalog::Entry> entries(change.entries().begin(), change.entries().end());
  for (const catalog::Entry& entry : entries) {
    auto [kind, id] = catalog::entry_key(entry);
    fold_.effects.catalog.push_back({std::move(kind), std::move(id), record.sequence, entry.SerializeAsString()});
  }
  sparkplug_.before_catalog_change();
  for (std::string& problem : registry_.apply(entries)) reports_.push_back(std::move(problem));
  rebuild_assets();
  rebuild_mappings();
  ++catalog_changes_;
  sparkplug_.catalog_changed();
  claims_.claim();
  pending_answers_.push_back({record.sequence, {true, "{}"}});
}

// The assets of the new registry, each with what it had: series by signal name, rules by pack and id where the state
// still has the same meaning.
void Engine::rebuild_assets() {
  asset_parts_.before_renumbering();
  TextMap<AssetState> former;
  for (AssetState& asset : assets_) former.emplace(asset.id, std::move(asset));
  assets_.clear();
  assets_.resize(registry_.assets().size());
  for (std::size_t i = 0; i < assets_.size(); ++i) {
    const AssetInfo& info = registry_.assets()[i];
    const auto found = former.find(info.id);
    assets_[i].number = static_cast<std::uint32_t>(i);
    rebuild_asset(info, assets_[i], found == former.end() ? nullptr : &found->second);
  }
  renumber(former);
}

// What is arranged as it was, and cut as it was, is saved as it was.
void Engine::renumber(const TextMap<AssetState>& former) {
  std::vector<std::uint32_t> numbers;
  numbers.reserve(assets_.size());
  for (const AssetState& asset : assets_) {
    const auto found = former.find(asset.id);
    const bool same = found != former.end() && found->second.model->layout == asset.model->layout &&
                      found->second.rule_list->layout == asset.rule_list->layout && found->second.open == asset.open &&
                      found->second.cuts == asset.cuts;
    numbers.push_back(same ? found->second.number : PartList::kNew);
  }
  asset_parts_.renumber(numbers);
}

void Engine::rebuild_mappings() {
  mappings_ = make_mappings(registry_.mappings(), registry_.models(), registry_.lookups(), reports_);
}

void Engine::rebuild_asset(const AssetInfo& info, AssetState& asset, AssetState* former) {
  asset.info = &info;
  asset.id = info.id;
  asset.model = info.model;
  asset.rule_list = info.rule_list;
  asset.cuts = info.cuts;
  asset.series.resize(info.model->signals.size());
  asset.cells.resize(info.model->cells);
  if (former != nullptr) {
    for (std::size_t s = 0; s < former->series.size(); ++s) {
      const auto index = info.model->signal_index.find(former->model->signals[s].name);
      if (index != info.model->signal_index.end()) asset.series[index->second] = std::move(former->series[s]);
    }
    asset.newest = former->newest;
    asset.newest_session = former->newest_session;
    asset.session = former->session;
    asset.session_shift = former->session_shift;
    asset.held = former->held;
    asset.offline = former->offline;
    asset.stale_pending = former->stale_pending;
    asset.backlog = former->backlog;
    asset.orders = std::move(former->orders);
  }
  attach_rules(asset, former);
  if (former != nullptr) metering_.take_over(asset, *former);
}

void Engine::attach_rules(AssetState& asset, AssetState* former) {
  const RuleList& list = *asset.rule_list;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (list.sets[lane]) {
      asset.rules[lane] = std::make_unique<rules::AssetRules>(list.sets[lane], list.overrides[lane]);
    }
  }
  if (former == nullptr) return;
  const Time at = asset.newest.value_or(fold_.now);
  for (std::uint32_t i = 0; i < former->rule_list->rules.size(); ++i) {
    const auto position = position_of(*asset.info, rule_at(*former->model, *former->rule_list, i));
    if (position) {
      keep_rule(asset, *position, *former, i);
      continue;
    }
    for (OpenEpisode& open : former->open_episodes) {
      if (open.rule == i) maintenance_.end(std::move(open.row), at, "not_entitled");
    }
  }
}

void Engine::keep_rule(AssetState& asset, std::uint32_t position, AssetState& former, std::uint32_t old_position) {
  const Place from = place_of(*former.rule_list, old_position);
  const Place to = place_of(*asset.rule_list, position);
  std::string state;
  former.rules[from.lane]->save(from.index, state);
  const bool kept = asset.rules[to.lane]->load(to.index, state);
  for (OpenEpisode& open : former.open_episodes) {
    if (open.rule != old_position) continue;
    if (kept) {
      asset.open_episodes.push_back({position, open.deferred, std::move(open.row)});
    } else {
      maintenance_.end(std::move(open.row), asset.newest.value_or(fold_.now), "rule_changed");
    }
  }
  if (kept) return;
  const RuleInfo& rule = rule_at(*asset.model, *asset.rule_list, position);
  reports_.push_back("rule " + rule.pack + '/' + rule.source.id() + " on asset " + asset.id +
                     " changed its meaning: its state starts anew");
}

}  // namespace fettle::engine
