#pragma once
// The catalog as the engine works with it: entries by id, and per asset everything that a reading needs, resolved.
//
// Built anew from all entries whenever the catalog changes; immutable in between. One thread.

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "billing/register.h"
#include "billing/zone.h"
#include "gateway/engine/catalog.pb.h"
#include "gateway/engine/ports.h"
#include "rules/asset_rules.h"
#include "rules/rule.h"

namespace fettle::engine {

// Lets a map keyed by std::string be asked with a string_view.
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <typename Value>
using TextMap = boost::unordered_flat_map<std::string, Value, TextHash, std::equal_to<>>;

// Where the engine gets what is no business of its own: unit texts and time zones.
struct Lookups {
  rules::UnitParser units;
  std::function<std::optional<billing::Zone>(const std::string& iana_name)> zones;
};

struct SignalInfo {
  std::string name;
  catalog::SignalKind kind = catalog::GAUGE;
  TextMap<int> states;  // STATE: text -> index
  std::vector<std::string> state_texts;
  // Metered: counts are in the resolution's last decimal (0.01: hundredths; 25: ones), in whole multiples of `step`.
  std::int64_t numerator = 0;  // counts in one unit; 0: not metered
  std::int64_t step = 1;
  billing::RegisterSpec reg;  // REGISTER
  bool added_up = false;      // a SUM or COUNT meter reads it
  std::string metric;         // the Sparkplug metric that brings it
  rules::Duration keep{0};    // how long its raw readings are kept; 0: for good
  // Places in ModelInfo::meters.
  std::vector<std::uint32_t> meters;   // that read it
  std::vector<std::uint32_t> divides;  // STATE: whose usage it divides
};

struct MeterInfo {
  std::string id;
  std::uint32_t signal = 0;  // index in ModelInfo::signals
  catalog::MeterKind kind = catalog::SUM;
  std::optional<std::uint32_t> dimension;
  // Its cells in AssetState::cells: one per band. Band 0 is that of no state, 1 + i that of the dimension's state i.
  std::uint32_t first_cell = 0;
  std::uint32_t bands = 1;
};

// A rule with what belongs to it beyond its program.
struct RuleInfo {
  std::string pack;
  std::uint32_t pack_version = 0;
  std::shared_ptr<const rules::CompiledRule> compiled;  // shared by the AssetRules of every asset of the model
  catalog::Rule source;
};

struct ModelInfo {
  std::string id;
  std::vector<SignalInfo> signals;
  TextMap<std::uint32_t> signal_index;
  std::vector<MeterInfo> meters;
  std::uint32_t cells = 0;      // of all meters
  std::vector<RuleInfo> rules;  // of every pack of the catalog that has rules for this model
  rules::Duration max_gap{0};
  rules::Duration lateness{0};
  bool ticks_move_clock = true;
  std::uint64_t layout = 0;  // a hash of what an asset's saved state is arranged by: signals, meters and bands
};

// "day", or nothing for band 0.
std::string band_text(const ModelInfo& model, const MeterInfo& meter, std::uint32_t band);

struct SubscriptionInfo {
  std::string id;
  std::string plan;
  billing::Period term;  // end = Time::max() where open-ended
};

// A rule on one asset, with the periods in which subscriptions entitle the asset to it.
struct RuleOnAsset {
  std::uint32_t rule = 0;                        // index in ModelInfo::rules
  std::vector<std::optional<double>> overrides;  // by parameter; empty: none is overridden
  std::vector<SubscriptionInfo> entitled;        // ascending, disjoint
};

// Rules of work-order priority P1 do not wait for held readings (architecture of rejoining nodes, ingest); they are
// evaluated apart from the others.
enum class Lane : std::uint8_t { patient, urgent };
inline constexpr std::size_t kLanes = 2;

// The rules that some subscription entitles an asset to.
struct RuleList {
  std::vector<RuleOnAsset> rules;
  std::vector<std::uint32_t> lanes[kLanes];            // by Lane: positions in `rules`, ascending
  std::shared_ptr<const rules::RuleSet> sets[kLanes];  // by Lane: those rules; shared with the AssetRules; null: none
  std::vector<std::vector<std::optional<double>>> overrides[kLanes];  // by Lane and rule; empty: there are none
  std::vector<Time> turns;   // where an entitlement to one of the rules begins or ends, ascending
  std::uint64_t layout = 0;  // a hash of the rules, their order and what their state means
};

struct AssetInfo {
  std::string id;
  std::string customer;
  std::string site;
  std::shared_ptr<const ModelInfo> model;     // shared by the assets of the model
  std::shared_ptr<const RuleList> rule_list;  // shared by the assets with the same model, subscriptions and parameters
  Time commissioned;
  std::shared_ptr<const billing::Zone> zone;  // the customer's; shared by its assets
  std::vector<Time> cuts;                     // where subscriptions begin and end, ascending
  std::vector<std::string> sources;           // Sparkplug paths: "group/node" or "group/node/device"

  const std::vector<RuleOnAsset>& rules() const { return rule_list->rules; }
};

class Registry {
 public:
  explicit Registry(Lookups lookups) : lookups_(std::move(lookups)) {}

  // Adds or replaces entries and resolves everything anew. The change was validated before it was journaled
  // (gateway/catalog/); what cannot be resolved all the same is told, and the entry concerned has no effect.
  std::vector<std::string> apply(const std::vector<catalog::Entry>& entries);

  const std::vector<AssetInfo>& assets() const { return assets_; }
  std::optional<std::uint32_t> asset_index(std::string_view id) const;
  // The asset that names this Sparkplug path among its sources.
  std::optional<std::uint32_t> asset_of_source(std::string_view path) const;

  const std::map<std::string, catalog::Plan>& plans() const { return plans_; }
  const std::map<std::string, catalog::Subscription>& subscriptions() const { return subscriptions_; }
  const std::map<std::string, catalog::Seller>& sellers() const { return sellers_; }
  const std::map<std::string, catalog::Customer>& customers() const { return customers_; }
  const std::map<std::string, catalog::Model>& models() const { return models_; }
  const std::map<std::string, catalog::Mapping>& mappings() const { return mappings_; }
  const Lookups& lookups() const { return lookups_; }
  const billing::Zone* zone_of_customer(const std::string& customer) const;

 private:
  void resolve(std::vector<std::string>& problems);
  std::shared_ptr<const ModelInfo> resolve_model(const catalog::Model& model, std::vector<std::string>& problems) const;
  void resolve_rules(ModelInfo& model, std::vector<std::string>& problems) const;
  void resolve_asset(const catalog::Asset& asset, std::shared_ptr<const ModelInfo> model,
                     std::vector<std::string>& problems);
  std::vector<SubscriptionInfo> terms_of(const std::string& asset) const;
  std::shared_ptr<const RuleList> resolve_rule_list(const catalog::Asset& asset, const ModelInfo& model,
                                                    const std::vector<SubscriptionInfo>& terms,
                                                    std::vector<std::string>& problems);
  std::vector<std::optional<double>> overrides_of(const catalog::Asset& asset, const RuleInfo& rule,
                                                  std::vector<std::string>& problems) const;

  Lookups lookups_;
  std::map<std::string, catalog::Model> models_;
  std::map<std::string, catalog::Asset> declared_assets_;
  std::map<std::string, catalog::Seller> sellers_;
  std::map<std::string, catalog::Customer> customers_;
  std::map<std::string, catalog::Site> sites_;
  std::map<std::string, catalog::RulePack> packs_;
  std::map<std::string, catalog::Plan> plans_;
  std::map<std::string, catalog::Subscription> subscriptions_;
  std::map<std::string, catalog::Mapping> mappings_;

  std::vector<AssetInfo> assets_;
  TextMap<std::uint32_t> asset_index_;
  TextMap<std::uint32_t> source_index_;
  TextMap<std::shared_ptr<const RuleList>> rule_lists_;  // by model and subscriptions, of assets without parameters
  std::map<std::string, std::vector<SubscriptionInfo>> terms_by_asset_;
  std::map<std::string, std::shared_ptr<const billing::Zone>> zones_;  // by customer
};

}  // namespace fettle::engine
