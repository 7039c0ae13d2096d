#include "gateway/engine/registry.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <utility>

#include "billing/decimal.h"
#include "gateway/dispatch/work_order.h"
#include "gateway/engine/entry_key.h"

namespace fettle::engine {
namespace {

Time time_of(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}

// 0.01: 100 counts a unit, each a step; 25: one count a unit, 25 to the step.
bool read_resolution(const std::string& text, SignalInfo& info) {
  const auto resolution = billing::Decimal::parse(text);
  if (!resolution || resolution->units <= 0) return false;
  info.numerator = 1;
  for (int i = 0; i < resolution->scale; ++i) info.numerator *= 10;
  info.step = resolution->units;
  return true;
}

// A decimal in the signal's unit as counts; nothing where the text is empty or too large.
std::optional<std::int64_t> counts_of(const std::string& text, const SignalInfo& info) {
  if (text.empty()) return std::nullopt;
  const auto value = billing::Decimal::parse(text);
  if (!value) return std::nullopt;
  std::int64_t scale = 1;
  for (int i = 0; i < value->scale; ++i) scale *= 10;
  std::int64_t scaled = 0;
  if (__builtin_mul_overflow(value->units, info.numerator, &scaled)) return std::nullopt;
  return scaled / scale;
}

rules::SignalKind kind_for_rules(catalog::SignalKind kind) {
  switch (kind) {
    case catalog::REGISTER:
      return rules::SignalKind::reg;
    case catalog::EVENT:
      return rules::SignalKind::event;
    case catalog::STATE:
      return rules::SignalKind::state;
    default:
      return rules::SignalKind::gauge;
  }
}

rules::Located located(const catalog::Located& text) {
  return {text.text(), {std::max(1, text.line()), std::max(1, text.column())}};
}

rules::RuleSource source_of(const catalog::Rule& rule) {
  rules::RuleSource source;
  source.id = rule.id();
  // The map has no order of its own; by name, so that the same rule always compiles to the same program.
  const std::map<std::string, catalog::Located> parameters(rule.parameters().begin(), rule.parameters().end());
  for (const auto& [name, text] : parameters) source.parameters.emplace_back(name, located(text));
  source.when = located(rule.when());
  source.clear = located(rule.clear());
  source.suppress_when = located(rule.suppress_when());
  source.for_ = rules::Duration(rule.for_ms());
  source.keep_for = rules::Duration(rule.keep_for_ms());
  source.cooldown = rules::Duration(rule.cooldown_ms());
  return source;
}

std::uint64_t hash_of(const std::string& text) {
  return XXH3_64bits(text.data(), text.size());
}

std::uint64_t layout_of(const ModelInfo& model) {
  std::string text;
  for (const SignalInfo& signal : model.signals) text += signal.name + '\n';
  for (const MeterInfo& meter : model.meters) {
    for (std::uint32_t band = 0; band < meter.bands; ++band) {
      text += '\n' + meter.id + '\n' + band_text(model, meter, band);
    }
  }
  return hash_of(text);
}

std::uint64_t layout_of(const ModelInfo& model, const RuleList& list) {
  std::string text;
  for (const auto& lane : list.lanes) {
    for (const std::uint32_t position : lane) {
      const RuleInfo& rule = model.rules[list.rules[position].rule];
      text += rule.pack + '\n' + rule.source.id() + '\n' + std::to_string(rules::signature_of(*rule.compiled)) + '\n' +
              std::to_string(position) + '\n';
    }
    text += '\n';
  }
  return hash_of(text);
}

// What follows from the rules and lanes of a list.
void finish(const ModelInfo& model, RuleList& list) {
  list.layout = layout_of(model, list);
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    std::vector<std::shared_ptr<const rules::CompiledRule>> programs;
    bool overridden = false;
    for (const std::uint32_t position : list.lanes[lane]) {
      const RuleOnAsset& rule = list.rules[position];
      programs.push_back(model.rules[rule.rule].compiled);
      list.overrides[lane].push_back(rule.overrides);
      overridden |= !rule.overrides.empty();
    }
    if (!overridden) list.overrides[lane].clear();
    if (programs.empty()) continue;
    list.sets[lane] = std::make_shared<const rules::RuleSet>(std::move(programs), model.signals.size(), model.max_gap);
  }
  for (const RuleOnAsset& rule : list.rules) {
    for (const SubscriptionInfo& subscription : rule.entitled) {
      list.turns.push_back(subscription.term.start);
      list.turns.push_back(subscription.term.end);
    }
  }
  std::sort(list.turns.begin(), list.turns.end());
  list.turns.erase(std::unique(list.turns.begin(), list.turns.end()), list.turns.end());
}

std::string first_message(const rules::Diagnostics& problems) {
  return problems.empty() ? std::string() : problems.front().message;
}

}  // namespace

std::vector<std::string> Registry::apply(const std::vector<catalog::Entry>& entries) {
  for (const catalog::Entry& entry : entries) {
    const std::string id = catalog::entry_key(entry).second;
    switch (entry.entry_case()) {
      case catalog::Entry::kModel:
        models_[id] = entry.model();
        break;
      case catalog::Entry::kAsset:
        declared_assets_[id] = entry.asset();
        break;
      case catalog::Entry::kSeller:
        sellers_[id] = entry.seller();
        break;
      case catalog::Entry::kCustomer:
        customers_[id] = entry.customer();
        break;
      case catalog::Entry::kSite:
        sites_[id] = entry.site();
        break;
      case catalog::Entry::kPack:
        packs_[id] = entry.pack();
        break;
      case catalog::Entry::kPlan:
        plans_[id] = entry.plan();
        break;
      case catalog::Entry::kSubscription:
        subscriptions_[id] = entry.subscription();
        break;
      case catalog::Entry::kMapping:
        mappings_[id] = entry.mapping();
        break;
      case catalog::Entry::ENTRY_NOT_SET:
        break;
    }
  }
  std::vector<std::string> problems;
  resolve(problems);
  return problems;
}

std::optional<std::uint32_t> Registry::asset_index(std::string_view id) const {
  const auto found = asset_index_.find(id);
  if (found == asset_index_.end()) return std::nullopt;
  return found->second;
}

std::string band_text(const ModelInfo& model, const MeterInfo& meter, std::uint32_t band) {
  return band == 0 ? std::string() : model.signals[*meter.dimension].state_texts[band - 1];
}

std::optional<std::uint32_t> Registry::asset_of_source(std::string_view path) const {
  const auto found = source_index_.find(path);
  if (found == source_index_.end()) return std::nullopt;
  return found->second;
}

const billing::Zone* Registry::zone_of_customer(const std::string& customer) const {
  const auto found = zones_.find(customer);
  return found == zones_.end() ? nullptr : found->second.get();
}

void Registry::resolve(std::vector<std::string>& problems) {
  zones_.clear();
  for (const auto& [id, customer] : customers_) {
    auto zone = lookups_.zones(customer.zone());
    if (!zone) problems.push_back("customer " + id + ": no time zone \"" + customer.zone() + "\"; UTC stands in");
    zones_[id] = std::make_shared<const billing::Zone>(zone ? std::move(*zone) : billing::Zone());
  }

  terms_by_asset_.clear();
  for (const auto& [id, subscription] : subscriptions_) {
    const Time end = subscription.end_ms() == 0 ? Time::max() : time_of(subscription.end_ms());
    for (const std::string& asset : subscription.assets()) {
      terms_by_asset_[asset].push_back({id, subscription.plan(), {time_of(subscription.start_ms()), end}});
    }
  }
  for (auto& [asset, terms] : terms_by_asset_) {
    std::sort(terms.begin(), terms.end(), [](const auto& a, const auto& b) { return a.term < b.term; });
  }

  std::map<std::string, std::shared_ptr<const ModelInfo>> models;
  for (const auto& [id, model] : models_) models[id] = resolve_model(model, problems);
  assets_.clear();
  asset_index_.clear();
  source_index_.clear();
  rule_lists_.clear();
  for (const auto& [id, asset] : declared_assets_) {
    const auto model = models.find(asset.model());
    if (model == models.end()) {
      problems.push_back("asset " + id + ": no model " + asset.model());
      continue;
    }
    resolve_asset(asset, model->second, problems);
  }
}

std::shared_ptr<const ModelInfo> Registry::resolve_model(const catalog::Model& model,
                                                         std::vector<std::string>& problems) const {
  auto info = std::make_shared<ModelInfo>();
  info->id = model.id();
  info->max_gap = rules::Duration(model.max_gap_ms());
  info->lateness = rules::Duration(model.lateness_ms());
  info->ticks_move_clock = model.upload() != catalog::BATCH;
  for (const catalog::Signal& signal : model.signals()) {
    SignalInfo s;
    s.name = signal.name();
    s.kind = signal.kind();
    s.metric = signal.metric().empty() ? signal.name() : signal.metric();
    s.keep = rules::Duration(signal.keep_ms());
    for (const std::string& state : signal.states()) {
      s.states.emplace(state, static_cast<int>(s.state_texts.size()));
      s.state_texts.push_back(state);
    }
    if (!signal.resolution().empty() && !read_resolution(signal.resolution(), s)) {
      problems.push_back("model " + model.id() + ": resolution \"" + signal.resolution() + "\" of " + s.name);
    }
    if (s.numerator > 0) {
      s.reg.width = counts_of(signal.rollover(), s);
      s.reg.max_rate = counts_of(signal.max_rate(), s);
      s.reg.expected_interval = billing::Duration(signal.expected_interval_ms());
    }
    info->signal_index.emplace(s.name, static_cast<std::uint32_t>(info->signals.size()));
    info->signals.push_back(std::move(s));
  }
  for (const catalog::Meter& meter : model.meters()) {
    const auto signal = info->signal_index.find(meter.signal());
    const auto dimension = info->signal_index.find(meter.dimension());
    if (signal == info->signal_index.end() || (!meter.dimension().empty() && dimension == info->signal_index.end())) {
      problems.push_back("model " + model.id() + ": meter " + meter.id() + " reads a signal the model does not have");
      continue;
    }
    MeterInfo m;
    m.id = meter.id();
    m.signal = signal->second;
    m.kind = meter.kind();
    if (!meter.dimension().empty()) m.dimension = dimension->second;
    if (m.kind != catalog::DIFFERENCE) info->signals[m.signal].added_up = true;
    const auto place = static_cast<std::uint32_t>(info->meters.size());
    info->signals[m.signal].meters.push_back(place);
    if (m.dimension) {
      info->signals[*m.dimension].divides.push_back(place);
      m.bands = 1 + static_cast<std::uint32_t>(info->signals[*m.dimension].state_texts.size());
    }
    m.first_cell = info->cells;
    info->cells += m.bands;
    info->meters.push_back(std::move(m));
  }
  info->layout = layout_of(*info);
  resolve_rules(*info, problems);
  return info;
}

void Registry::resolve_rules(ModelInfo& model, std::vector<std::string>& problems) const {
  rules::Vocabulary vocabulary;
  vocabulary.max_gap = model.max_gap;
  const catalog::Model& declared = models_.at(model.id);
  for (std::size_t i = 0; i < model.signals.size(); ++i) {
    const catalog::Signal& signal = declared.signals(static_cast<int>(i));
    const auto unit = lookups_.units(signal.unit());
    if (!unit) problems.push_back("model " + model.id + ": no unit \"" + signal.unit() + "\" of " + signal.name());
    vocabulary.signals.push_back({signal.name(), kind_for_rules(signal.kind()), unit.value_or(rules::Unit()),
                                  signal.unit(), model.signals[i].state_texts});
  }
  for (const auto& [id, pack] : packs_) {
    for (const catalog::Rule& rule : pack.rules()) {
      if (rule.model() != model.id) continue;
      auto compiled = rules::compile(source_of(rule), vocabulary, lookups_.units);
      if (!compiled) {
        problems.push_back("rule " + id + "/" + rule.id() + ": " + first_message(compiled.error()));
        continue;
      }
      model.rules.push_back({id, static_cast<std::uint32_t>(pack.version()), *compiled, rule});
    }
  }
}

std::vector<SubscriptionInfo> Registry::terms_of(const std::string& asset) const {
  const auto found = terms_by_asset_.find(asset);
  return found == terms_by_asset_.end() ? std::vector<SubscriptionInfo>() : found->second;
}

void Registry::resolve_asset(const catalog::Asset& asset, std::shared_ptr<const ModelInfo> model,
                             std::vector<std::string>& problems) {
  AssetInfo info;
  info.id = asset.id();
  info.customer = asset.customer();
  info.site = asset.site();
  info.commissioned = time_of(asset.commissioned_ms());
  info.sources.assign(asset.sources().begin(), asset.sources().end());
  const auto zone = zones_.find(asset.customer());
  info.zone = zone == zones_.end() ? std::make_shared<const billing::Zone>() : zone->second;
  const std::vector<SubscriptionInfo> terms = terms_of(asset.id());
  for (const SubscriptionInfo& subscription : terms) {
    info.cuts.push_back(subscription.term.start);
    if (subscription.term.end != Time::max()) info.cuts.push_back(subscription.term.end);
  }
  std::sort(info.cuts.begin(), info.cuts.end());
  info.cuts.erase(std::unique(info.cuts.begin(), info.cuts.end()), info.cuts.end());
  info.rule_list = resolve_rule_list(asset, *model, terms, problems);
  info.model = std::move(model);
  const auto index = static_cast<std::uint32_t>(assets_.size());
  for (const std::string& source : info.sources) source_index_.emplace(source, index);
  asset_index_.emplace(info.id, index);
  assets_.push_back(std::move(info));
}

std::shared_ptr<const RuleList> Registry::resolve_rule_list(const catalog::Asset& asset, const ModelInfo& model,
                                                            const std::vector<SubscriptionInfo>& terms,
                                                            std::vector<std::string>& problems) {
  std::string key = model.id;
  for (const SubscriptionInfo& subscription : terms) key += '\n' + subscription.id;  // ids have no line breaks
  const bool shared = asset.parameters().empty();
  if (shared) {
    if (const auto found = rule_lists_.find(key); found != rule_lists_.end()) return found->second;
  }
  auto list = std::make_shared<RuleList>();
  for (std::size_t i = 0; i < model.rules.size(); ++i) {
    const RuleInfo& rule = model.rules[i];
    RuleOnAsset on_asset;
    on_asset.rule = static_cast<std::uint32_t>(i);
    for (const SubscriptionInfo& subscription : terms) {
      const auto plan = plans_.find(subscription.plan);
      if (plan == plans_.end()) continue;
      const auto& packs = plan->second.packs();
      if (std::find(packs.begin(), packs.end(), rule.pack) != packs.end()) on_asset.entitled.push_back(subscription);
    }
    if (on_asset.entitled.empty()) continue;
    if (!shared) on_asset.overrides = overrides_of(asset, rule, problems);
    const auto priority = dispatch::parse_priority(rule.source.work_order().priority());
    const bool urgent = rule.source.has_work_order() && priority == dispatch::Priority::p1;
    list->lanes[static_cast<std::size_t>(urgent ? Lane::urgent : Lane::patient)].push_back(
        static_cast<std::uint32_t>(list->rules.size()));
    list->rules.push_back(std::move(on_asset));
  }
  finish(model, *list);
  if (shared) rule_lists_.emplace(std::move(key), list);
  return list;
}

std::vector<std::optional<double>> Registry::overrides_of(const catalog::Asset& asset, const RuleInfo& rule,
                                                          std::vector<std::string>& problems) const {
  std::vector<std::optional<double>> overrides;
  bool any = false;
  for (const rules::ParameterValue& parameter : rules::parameters_of(*rule.compiled)) {
    overrides.emplace_back();
    const auto text = asset.parameters().find(rule.pack + '/' + rule.source.id() + '.' + parameter.name);
    if (text == asset.parameters().end()) continue;
    const auto value = rules::read_parameter(*rule.compiled, parameter.name, {text->second, {}}, lookups_.units);
    if (value) {
      overrides.back() = *value;
      any = true;
    } else {
      problems.push_back("asset " + asset.id() + ": " + text->first + ": " + first_message(value.error()));
    }
  }
  if (!any) overrides.clear();
  return overrides;
}

}  // namespace fettle::engine
