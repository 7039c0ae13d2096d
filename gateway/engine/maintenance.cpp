#include "gateway/engine/maintenance.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <utility>

namespace fettle::engine {
namespace {

Time time_of(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}
std::int64_t ms(Time time) {
  return time.time_since_epoch().count();
}

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

std::string parameters_text(const RuleInfo& rule, const RuleOnAsset& on_asset) {
  std::string text;
  const auto parameters = rules::parameters_of(*rule.compiled);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!text.empty()) text += ", ";
    const double value = on_asset.overrides[i].value_or(parameters[i].value);
    text += parameters[i].name + " = " + number_text(value);
    if (!parameters[i].unit_text.empty()) text += ' ' + parameters[i].unit_text;
  }
  return text;
}

// Every one while they fit, else evenly thinned, with the first and the last.
std::vector<Point> thinned(const std::vector<Point>& points, std::size_t most) {
  if (points.size() <= most) return points;
  std::vector<Point> kept;
  kept.reserve(most);
  for (std::size_t i = 0; i < most; ++i) kept.push_back(points[i * (points.size() - 1) / (most - 1)]);
  return kept;
}

std::string details_text(const catalog::WorkOrderTemplate& order) {
  boost::json::object details;
  boost::json::array skills;
  for (const std::string& skill : order.skills()) skills.emplace_back(skill);
  boost::json::array parts;
  for (const catalog::PartNeed& part : order.parts()) {
    parts.push_back(boost::json::object{{"part", part.part()}, {"quantity", part.quantity()}});
  }
  boost::json::array checklist;
  for (const std::string& item : order.checklist()) checklist.emplace_back(item);
  details["skills"] = std::move(skills);
  details["parts"] = std::move(parts);
  details["checklist"] = std::move(checklist);
  return boost::json::serialize(details);
}

WorkOrderEventRow event_row(const std::string& id, const dispatch::Event& event) {
  return {id,
          event.number,
          event.from ? std::string(dispatch::to_string(*event.from)) : std::string(),
          std::string(dispatch::to_string(event.to)),
          event.at,
          event.recorded_at,
          event.actor,
          event.reason};
}

const SubscriptionInfo* entitling(const RuleOnAsset& on_asset, Time at) {
  for (const SubscriptionInfo& subscription : on_asset.entitled) {
    if (subscription.term.start <= at && at < subscription.term.end) return &subscription;
  }
  return nullptr;
}

}  // namespace

std::string content_id(std::string_view prefix, std::string_view pack, std::string_view rule, std::string_view asset,
                       Time raised_at) {
  std::string content;
  for (const std::string_view part : {prefix, pack, rule, asset}) {
    content.append(part);
    content.push_back('\0');
  }
  content += std::to_string(ms(raised_at));
  std::uint64_t bits = XXH3_64bits(content.data(), content.size());
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's base 32: no I, L, O, U
  std::string id(prefix);
  for (int i = 0; i < 12; ++i, bits >>= 5U) id += kDigits[bits & 31U];
  return id;
}

void Maintenance::raised(AssetState& asset, const rules::Transition& transition, Sequence sequence, Time now,
                         Effects& effects) {
  const RuleOnAsset& on_asset = asset.info->rules[transition.rule];
  const RuleInfo& rule = asset.info->model->rules[on_asset.rule];
  EpisodeRow episode;
  episode.id = content_id("EP-", rule.pack, rule.source.id(), asset.info->id, transition.at);
  episode.asset = asset.info->id;
  episode.pack = rule.pack;
  episode.pack_version = rule.pack_version;
  episode.rule = rule.source.id();
  episode.title = rule.source.title();
  episode.condition = rule.source.when().text();
  episode.parameters = parameters_text(rule, on_asset);
  episode.since = transition.since;
  episode.raised_at = transition.at;
  episode.raised_sequence = sequence;
  if (rule.source.has_work_order()) ask_for_work(*asset.info, rule, on_asset, episode, now, effects);
  asset.open_episodes[transition.rule] = episode.id;
  episodes_[episode.id] = episode;
  episode.evidence = evidence(asset, rule, transition.at);
  effects.episodes.push_back(std::move(episode));
}

void Maintenance::cleared(AssetState& asset, const rules::Transition& transition, Effects& effects) {
  const std::string episode = std::exchange(asset.open_episodes[transition.rule], {});
  end(episode, transition.at, transition.reason == rules::ClearReason::not_entitled ? "not_entitled" : "condition",
      effects);
}

void Maintenance::end(const std::string& id, Time at, std::string reason, Effects& effects) {
  const auto found = episodes_.find(id);
  if (found == episodes_.end()) return;
  EpisodeRow episode = std::move(found->second);
  episodes_.erase(found);
  episode.cleared_at = std::max(at, episode.raised_at);
  episode.clear_reason = std::move(reason);
  effects.episodes.push_back(std::move(episode));
}

void Maintenance::ask_for_work(const AssetInfo& asset, const RuleInfo& rule, const RuleOnAsset& on_asset,
                               EpisodeRow& episode, Time now, Effects& effects) {
  const catalog::WorkOrderTemplate& wanted = rule.source.work_order();
  const auto priority = dispatch::parse_priority(wanted.priority()).value_or(dispatch::Priority::p3);
  const RuleKey key{asset.id, rule.pack, rule.source.id()};
  if (const auto found = orders_.find(key); found != orders_.end()) {
    Live& live = found->second;
    dispatch::repeat(live.order, priority);
    live.row.occurrences = live.order.occurrences;
    live.row.priority = dispatch::to_string(live.order.priority);
    episode.work_order = live.row.id;
    effects.work_orders.push_back(live.row);
    return;
  }

  Live live;
  live.row.id = content_id("WO-", rule.pack, rule.source.id(), asset.id, episode.raised_at);
  live.row.asset = asset.id;
  live.row.customer = asset.customer;
  live.row.site = asset.site;
  live.row.pack = rule.pack;
  live.row.rule = rule.source.id();
  live.row.title = rule.source.title();
  live.row.action = wanted.action();
  live.row.failure_mode = wanted.failure_mode();
  live.row.details = details_text(wanted);
  live.row.raised_at = episode.raised_at;
  if (wanted.due_ms() > 0) live.row.due_at = episode.raised_at + std::chrono::milliseconds(wanted.due_ms());
  const auto proposed = dispatch::propose(live.order, priority, episode.raised_at, now,
                                          rule.pack + '/' + rule.source.id(), "episode " + episode.id);
  effects.work_order_events.push_back(event_row(live.row.id, proposed));
  if (const SubscriptionInfo* subscription = entitling(on_asset, episode.raised_at)) {
    live.row.entitlement = "included: plan " + subscription->plan + " by subscription " + subscription->id;
    const auto opened =
        dispatch::move(live.order, dispatch::State::open, episode.raised_at, now, "entitlement", live.row.entitlement);
    effects.work_order_events.push_back(event_row(live.row.id, *opened));
  } else {
    live.row.entitlement = "no subscription covers it at that time";
  }
  live.row.state = dispatch::to_string(live.order.state);
  live.row.priority = dispatch::to_string(live.order.priority);
  episode.work_order = live.row.id;
  effects.work_orders.push_back(live.row);
  orders_.emplace(key, std::move(live));
}

std::vector<EvidencePoint> Maintenance::evidence(AssetState& asset, const RuleInfo& rule, Time until) {
  std::vector<EvidencePoint> points;
  const Time from = until - rules::lookback_of(*rule.compiled);
  for (const rules::SignalIndex index : rules::signals_of(*rule.compiled)) {
    const SignalInfo& signal = asset.info->model->signals[index];
    const Series& series = asset.series[index];
    std::vector<Point> found = history_.range(series, from, until + std::chrono::milliseconds(1));
    // A value that held all the time, or fell silent, was said before the window.
    if (const auto before = history_.before(series, from); before && found.size() < kMaxEvidence) {
      found.insert(found.begin(), *before);
    }
    for (const Point& point : thinned(found, kMaxEvidence)) {
      std::string state;
      const auto text = static_cast<std::size_t>(point.value);
      if (signal.kind == catalog::STATE && text < signal.state_texts.size()) state = signal.state_texts[text];
      points.push_back({signal.name, point.time, point.value, std::move(state)});
    }
  }
  return points;
}

Outcome Maintenance::close(const CloseWorkOrder& command, Time now, Effects& effects) {
  for (auto it = orders_.begin(); it != orders_.end(); ++it) {
    Live& live = it->second;
    if (live.row.id != command.id()) continue;
    auto closed = dispatch::move(live.order, dispatch::State::closed, now, now, command.actor(), command.reason());
    if (!closed) return {false, command.id() + ": " + closed.error().message};
    effects.work_order_events.push_back(event_row(live.row.id, *closed));
    live.row.state = dispatch::to_string(live.order.state);
    live.row.closed_at = now;
    effects.work_orders.push_back(live.row);
    orders_.erase(it);
    return {true, boost::json::serialize(boost::json::object{{"work_order", command.id()}, {"state", "closed"}})};
  }
  return {false, "no live work order has the id " + command.id() +
                     "; `fettle work-order list` shows them (a closed one cannot change any more)"};
}

void Maintenance::save(WorkingState& out) const {
  for (const auto& [key, live] : orders_) {
    const WorkOrderRow& row = live.row;
    LiveOrder& saved = *out.add_orders();
    saved.set_asset(row.asset);
    saved.set_pack(row.pack);
    saved.set_rule(row.rule);
    saved.set_id(row.id);
    saved.set_customer(row.customer);
    saved.set_site(row.site);
    saved.set_state(row.state);
    saved.set_priority(row.priority);
    saved.set_title(row.title);
    saved.set_action(row.action);
    saved.set_failure_mode(row.failure_mode);
    saved.set_details(row.details);
    saved.set_raised_ms(ms(row.raised_at));
    saved.set_has_due(row.due_at.has_value());
    if (row.due_at) saved.set_due_ms(ms(*row.due_at));
    saved.set_occurrences(row.occurrences);
    saved.set_entitlement(row.entitlement);
    saved.set_events(live.order.events);
  }
  for (const auto& [id, episode] : episodes_) {
    OpenEpisode& open = *out.add_episodes();
    open.set_id(id);
    open.set_asset(episode.asset);
    open.set_pack(episode.pack);
    open.set_pack_version(episode.pack_version);
    open.set_rule(episode.rule);
    open.set_title(episode.title);
    open.set_condition(episode.condition);
    open.set_parameters(episode.parameters);
    open.set_since_ms(ms(episode.since));
    open.set_raised_ms(ms(episode.raised_at));
    open.set_raised_sequence(episode.raised_sequence);
    open.set_work_order(episode.work_order);
  }
}

void Maintenance::load(const WorkingState& in) {
  for (const LiveOrder& saved : in.orders()) {
    Live live;
    WorkOrderRow& row = live.row;
    row.id = saved.id();
    row.asset = saved.asset();
    row.customer = saved.customer();
    row.site = saved.site();
    row.pack = saved.pack();
    row.rule = saved.rule();
    row.state = saved.state();
    row.priority = saved.priority();
    row.title = saved.title();
    row.action = saved.action();
    row.failure_mode = saved.failure_mode();
    row.details = saved.details();
    row.raised_at = time_of(saved.raised_ms());
    if (saved.has_due()) row.due_at = time_of(saved.due_ms());
    row.occurrences = saved.occurrences();
    row.entitlement = saved.entitlement();
    live.order = {dispatch::parse_state(row.state).value_or(dispatch::State::proposed),
                  dispatch::parse_priority(row.priority).value_or(dispatch::Priority::p3), saved.events(),
                  saved.occurrences()};
    orders_.emplace(RuleKey{saved.asset(), saved.pack(), saved.rule()}, std::move(live));
  }
  for (const OpenEpisode& open : in.episodes()) {
    EpisodeRow episode;
    episode.id = open.id();
    episode.asset = open.asset();
    episode.pack = open.pack();
    episode.pack_version = open.pack_version();
    episode.rule = open.rule();
    episode.title = open.title();
    episode.condition = open.condition();
    episode.parameters = open.parameters();
    episode.since = time_of(open.since_ms());
    episode.raised_at = time_of(open.raised_ms());
    episode.raised_sequence = open.raised_sequence();
    episode.work_order = open.work_order();
    episodes_.emplace(open.id(), std::move(episode));
  }
}

}  // namespace fettle::engine
