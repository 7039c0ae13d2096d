#include "gateway/engine/maintenance.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <utility>

#include "gateway/engine/outbox.h"

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
    const double value =
        on_asset.overrides.empty() ? parameters[i].value : on_asset.overrides[i].value_or(parameters[i].value);
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

void Maintenance::raised(AssetState& asset, std::uint32_t position, const rules::Transition& transition,
                         std::span<const EvidencePoint> unstored) {
  const RuleOnAsset& on_asset = asset.info->rules()[position];
  const RuleInfo& rule = asset.info->model->rules[on_asset.rule];
  OpenEpisode open{position, asset.backlog, {}};
  EpisodeRow& episode = open.row;
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
  episode.raised_sequence = fold_.folding;
  if (!open.deferred) ask_for_work(asset, open);
  fold_.effects.episodes.push_back(episode);
  std::vector<EvidencePoint>& points = fold_.effects.episodes.back().evidence;
  points = evidence(asset, rule, transition.at);
  points.insert(points.end(), unstored.begin(), unstored.end());
  asset.open_episodes.push_back(std::move(open));
}

void Maintenance::cleared(AssetState& asset, std::uint32_t position, Time at, std::string reason) {
  const auto found = std::find_if(asset.open_episodes.begin(), asset.open_episodes.end(),
                                  [&](const OpenEpisode& open) { return open.rule == position; });
  if (found == asset.open_episodes.end()) return;
  EpisodeRow episode = std::move(found->row);
  asset.open_episodes.erase(found);
  end(std::move(episode), at, std::move(reason));
}

void Maintenance::end(EpisodeRow episode, Time at, std::string reason) {
  episode.cleared_at = std::max(at, episode.raised_at);
  episode.clear_reason = std::move(reason);
  fold_.effects.episodes.push_back(std::move(episode));
}

void Maintenance::end_backlog(AssetState& asset) {
  asset.backlog = false;
  for (OpenEpisode& open : asset.open_episodes) {
    if (!std::exchange(open.deferred, false)) continue;
    ask_for_work(asset, open);
    if (!open.row.work_order.empty()) fold_.effects.episodes.push_back(open.row);
  }
}

void Maintenance::repeat(LiveOrder& live, dispatch::Priority priority, EpisodeRow& episode) {
  dispatch::repeat(live.order, priority);
  live.row.occurrences = live.order.occurrences;
  live.row.priority = dispatch::to_string(live.order.priority);
  episode.work_order = live.row.id;
  fold_.effects.work_orders.push_back(live.row);
}

// The order's row is brought to where the event leads, and the event is kept and told to the outside.
void Maintenance::tell(LiveOrder& live, const dispatch::Event& event) {
  live.row.state = dispatch::to_string(event.to);
  live.row.priority = dispatch::to_string(live.order.priority);
  fold_.effects.work_order_events.push_back(event_row(live.row.id, event));
  ++fold_.last_event;
  if (!fold_.options.keep_events) return;
  fold_.effects.outbox.push_back(outbox_row(live.row, fold_.effects.work_order_events.back(), fold_.last_event));
}

void Maintenance::ask_for_work(AssetState& asset, OpenEpisode& open) {
  const RuleOnAsset& on_asset = asset.info->rules()[open.rule];
  const RuleInfo& rule = asset.info->model->rules[on_asset.rule];
  if (!rule.source.has_work_order()) return;
  EpisodeRow& episode = open.row;
  const catalog::WorkOrderTemplate& wanted = rule.source.work_order();
  const auto priority = dispatch::parse_priority(wanted.priority()).value_or(dispatch::Priority::p3);
  for (LiveOrder& live : asset.orders) {
    if (live.row.pack == rule.pack && live.row.rule == rule.source.id()) return repeat(live, priority, episode);
  }

  LiveOrder live;
  live.row.id = content_id("WO-", rule.pack, rule.source.id(), asset.id, episode.raised_at);
  live.row.asset = asset.id;
  live.row.customer = asset.info->customer;
  live.row.site = asset.info->site;
  live.row.pack = rule.pack;
  live.row.rule = rule.source.id();
  live.row.title = rule.source.title();
  live.row.action = wanted.action();
  live.row.failure_mode = wanted.failure_mode();
  live.row.details = details_text(wanted);
  live.row.raised_at = episode.raised_at;
  if (wanted.due_ms() > 0) live.row.due_at = episode.raised_at + std::chrono::milliseconds(wanted.due_ms());
  const auto proposed = dispatch::propose(live.order, priority, episode.raised_at, fold_.now,
                                          rule.pack + '/' + rule.source.id(), "episode " + episode.id);
  tell(live, proposed);
  if (const SubscriptionInfo* subscription = entitling(on_asset, episode.raised_at)) {
    live.row.entitlement = "included: plan " + subscription->plan + " by subscription " + subscription->id;
    const auto opened = dispatch::move(live.order, dispatch::State::open, episode.raised_at, fold_.now, "entitlement",
                                       live.row.entitlement);
    tell(live, *opened);
  } else {
    live.row.entitlement = "no subscription covers it at that time";
  }
  episode.work_order = live.row.id;
  fold_.effects.work_orders.push_back(live.row);
  asset.orders.push_back(std::move(live));
}

std::vector<EvidencePoint> Maintenance::evidence(AssetState& asset, const RuleInfo& rule, Time until) {
  std::vector<EvidencePoint> points;
  const Time from = until - rules::lookback_of(*rule.compiled);
  for (const rules::SignalIndex index : rules::signals_of(*rule.compiled)) {
    const SignalInfo& signal = asset.info->model->signals[index];
    Series& series = asset.series[index];
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

AssetState* Maintenance::asset_of(std::span<AssetState> assets, const std::string& order) {
  const auto found = std::find_if(assets.begin(), assets.end(), [&](const AssetState& asset) {
    return std::any_of(asset.orders.begin(), asset.orders.end(),
                       [&](const LiveOrder& live) { return live.row.id == order; });
  });
  return found == assets.end() ? nullptr : &*found;
}

Outcome Maintenance::close(AssetState* asset, const CloseWorkOrder& command) {
  if (asset == nullptr) {
    return {false, "no live work order has the id " + command.id() +
                       "; `fettle work-order list` shows them (a closed one cannot change any more)"};
  }
  const auto live = std::find_if(asset->orders.begin(), asset->orders.end(),
                                 [&](const LiveOrder& order) { return order.row.id == command.id(); });
  auto closed =
      dispatch::move(live->order, dispatch::State::closed, fold_.now, fold_.now, command.actor(), command.reason());
  if (!closed) return {false, command.id() + ": " + closed.error().message};
  live->row.closed_at = fold_.now;
  tell(*live, *closed);
  fold_.effects.work_orders.push_back(std::move(live->row));
  asset->orders.erase(live);
  return {true, boost::json::serialize(boost::json::object{{"work_order", command.id()}, {"state", "closed"}})};
}

void Maintenance::save(const AssetState& asset, OpenWork& out) {
  for (const LiveOrder& live : asset.orders) {
    const WorkOrderRow& row = live.row;
    SavedOrder& saved = *out.add_orders();
    saved.set_id(row.id);
    saved.set_pack(row.pack);
    saved.set_rule(row.rule);
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
  for (const OpenEpisode& open : asset.open_episodes) {
    const EpisodeRow& episode = open.row;
    SavedEpisode& saved = *out.add_episodes();
    saved.set_id(episode.id);
    saved.set_pack(episode.pack);
    saved.set_pack_version(episode.pack_version);
    saved.set_rule(episode.rule);
    saved.set_title(episode.title);
    saved.set_condition(episode.condition);
    saved.set_parameters(episode.parameters);
    saved.set_since_ms(ms(episode.since));
    saved.set_raised_ms(ms(episode.raised_at));
    saved.set_raised_sequence(episode.raised_sequence);
    saved.set_work_order(episode.work_order);
    saved.set_position(open.rule);
    saved.set_deferred(open.deferred);
  }
}

void Maintenance::load(const OpenWork& in, AssetState& asset) {
  for (const SavedOrder& saved : in.orders()) {
    LiveOrder live;
    WorkOrderRow& row = live.row;
    row.id = saved.id();
    row.asset = asset.id;
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
    asset.orders.push_back(std::move(live));
  }
  for (const SavedEpisode& saved : in.episodes()) {
    OpenEpisode open{saved.position(), saved.deferred(), {}};
    EpisodeRow& episode = open.row;
    episode.id = saved.id();
    episode.asset = asset.id;
    episode.pack = saved.pack();
    episode.pack_version = saved.pack_version();
    episode.rule = saved.rule();
    episode.title = saved.title();
    episode.condition = saved.condition();
    episode.parameters = saved.parameters();
    episode.since = time_of(saved.since_ms());
    episode.raised_at = time_of(saved.raised_ms());
    episode.raised_sequence = saved.raised_sequence();
    episode.work_order = saved.work_order();
    asset.open_episodes.push_back(std::move(open));
  }
}

}  // namespace fettle::engine
