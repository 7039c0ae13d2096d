#include "gateway/engine/intake.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>

namespace fettle::engine {
namespace {

constexpr std::size_t kFirstBytes = 64;  // of a quarantined payload

std::string quoted(std::string_view text) {
  return '"' + std::string(text.substr(0, 128)) + '"';
}

std::string known_states(const SignalInfo& signal) {
  std::string names;
  for (const std::string& state : signal.state_texts) {
    if (!names.empty()) names += ", ";
    names += state;
  }
  return names;
}

std::string time_text(Time time) {
  return std::to_string(time.time_since_epoch().count()) + " ms";
}

std::size_t index_of(Lane lane) {
  return static_cast<std::size_t>(lane);
}

}  // namespace

std::uint64_t Origin::hash() {
  if (!hash_) hash_ = XXH3_64bits(payload.data(), payload.size());
  return *hash_;
}

void Intake::quarantine(const Origin& origin, std::uint32_t item, std::string reason, std::string detail) {
  ++fold_.counters.quarantined;
  if (!fold_.replaying) ++fold_.refusals[reason];
  fold_.effects.quarantine.push_back({origin.arrived, item, origin.received, std::string(origin.topic),
                                      std::move(reason), std::move(detail),
                                      std::string(origin.payload.substr(0, kFirstBytes))});
}

std::optional<double> Intake::resolve(const ModelInfo& model, std::uint32_t index, const RawValue& value,
                                      const Origin& origin, std::uint32_t place) {
  const SignalInfo& signal = model.signals[index];
  if (signal.kind == catalog::STATE) {
    const auto state = value.text ? signal.states.find(*value.text) : signal.states.end();
    if (state == signal.states.end()) {
      quarantine(origin, place, "unknown_state",
                 signal.name + " is " + (value.text ? quoted(*value.text) : std::string("a number")) +
                     "; expected one of: " + known_states(signal));
      return std::nullopt;
    }
    return state->second;
  }
  if (value.text) {
    quarantine(origin, place, "not_a_number",
               signal.name + " is the text " + quoted(*value.text) + "; expected a number");
    return std::nullopt;
  }
  if (signal.numerator > 0) {
    const auto counts = Metering::counts(signal, value.number);
    if (!counts || (signal.kind == catalog::REGISTER && *counts < 0)) {
      quarantine(origin, place, "out_of_range",
                 signal.name + " cannot be counted in steps of its resolution" +
                     (counts ? std::string("; a register is never negative") : std::string(": it is too large")));
      return std::nullopt;
    }
  }
  return value.number;
}

// ---- admission -----------------------------------------------------------------------------------------------------

// Of readings that wait nothing is said yet: they come again.
bool Intake::in_time(const AssetState& asset, Time time, const Origin& origin, std::uint32_t place, Lanes lanes) {
  const EngineOptions& options = fold_.options;
  const bool future = time > origin.received + options.max_future;
  const bool early = time < asset.info->commissioned;
  const bool old = options.retention.count() > 0 && time < origin.received - options.retention;
  if (!future && !early && !old) return true;
  if (lanes == Lanes::urgent_only) return false;
  if (future) {
    quarantine(origin, place, "in_the_future",
               "stamped " + time_text(time) + ", received " + time_text(origin.received) +
                   "; more than 5 min ahead: set the device's clock");
  } else if (early) {
    quarantine(origin, place, "before_commissioning",
               "stamped " + time_text(time) + ", before the asset's commissioning at " +
                   time_text(asset.info->commissioned) + ": set the device's clock, or the date in the catalog");
  } else {
    quarantine(origin, place, "too_old", "stamped " + time_text(time) + ", older than the retention");
  }
  return false;
}

std::uint32_t Intake::message_row(Origin& origin) {
  std::vector<MessageRow>& rows = fold_.effects.messages;
  if (rows.empty() || rows.back().sequence != fold_.folding || rows.back().arrived != origin.arrived) {
    rows.push_back({fold_.folding, origin.arrived, origin.received, std::string(origin.topic), origin.hash()});
  }
  return static_cast<std::uint32_t>(rows.size() - 1);
}

// What the reading is beside what stands at its time already: nothing where it is a duplicate.
std::optional<std::uint8_t> Intake::compare(AssetState& asset, Time time, const Reading& reading) {
  Series& series = asset.series[reading.signal];
  if (time == series.head && reading.value == series.head_value) {
    ++fold_.counters.duplicates;
    return std::nullopt;
  }
  const std::vector<Point> same = history_.at(series, time);
  if (std::any_of(same.begin(), same.end(), [&](const Point& p) { return p.value == reading.value; })) {
    ++fold_.counters.duplicates;
    return std::nullopt;
  }
  const bool event = asset.model->signals[reading.signal].kind == catalog::EVENT;
  if (event || same.empty()) return std::uint8_t{0};
  ++fold_.counters.conflicts;
  return std::uint8_t{kConflict};
}

std::optional<std::uint8_t> Intake::admit(AssetState& asset, Time time, const Reading& reading, Origin& origin) {
  Series& series = asset.series[reading.signal];
  std::uint8_t flags = reading.flags;
  if ((flags & kBad) == 0 && series.spoken() && time <= series.head) {
    const auto standing = compare(asset, time, reading);
    if (!standing) return std::nullopt;
    flags |= *standing;
  }
  if (is_late(asset, series, time)) {
    flags |= kLate;
    ++fold_.counters.late;
  }
  if (!series.known()) {
    series.id = fold_.next_series++;
    fold_.effects.series.push_back({series.id, asset.id, asset.model->signals[reading.signal].name});
  }
  ++fold_.counters.readings;
  fold_.effects.readings.push_back({series.id, time, reading.value, flags, message_row(origin)});
  return flags;
}

bool Intake::is_late(const AssetState& asset, const Series& series, Time time) const {
  return time <= series.evaluated || (asset.newest && time < *asset.newest - asset.model->lateness);
}

void Intake::store(AssetState& asset, std::uint32_t signal, const Point& point) {
  Series& series = asset.series[signal];
  const SignalInfo& info = asset.model->signals[signal];
  const bool spoken = series.spoken();
  const Point previous{series.head, series.head_value, 0};
  history_.add(series, point);
  if (!info.meters.empty()) metering_.reading(asset, signal, point, spoken ? &previous : nullptr);
  if (!info.divides.empty()) metering_.state(asset, signal, point);
}

// Whether the reading is news of the asset's.
bool Intake::take(AssetState& asset, Time time, const Reading& reading, Origin& origin) {
  Series& series = asset.series[reading.signal];
  std::uint8_t flags = reading.flags;
  if (reading.transient) {
    if (is_late(asset, series, time)) return false;
  } else {
    const auto admitted = admit(asset, time, reading, origin);
    if (!admitted) return false;
    flags = *admitted;
    if ((flags & kBad) == 0) store(asset, reading.signal, {time, reading.value, flags});
  }
  if ((flags & kLate) == 0) {
    series.evaluated = time;
    seen_.push_back({reading.signal, reading.value, (flags & kBad) != 0 ? rules::Quality::bad : rules::Quality::good});
  }
  return true;
}

void Intake::follow_session(AssetState& asset, std::uint32_t session) {
  if (asset.session == session) return;
  asset.session_shift += fold_.sessions.time(asset.session, fold_.now) - fold_.sessions.time(session, fold_.now);
  asset.session = session;
}

void Intake::apply(AssetState& asset, Time event, std::span<const Reading> readings, Origin& origin, Lanes lanes) {
  if (readings.empty()) return;
  touch_(asset);
  if (!in_time(asset, event, origin, readings.front().place, lanes)) return;
  seen_.clear();
  unstored_.clear();
  follow_session(asset, origin.session);
  if (lanes == Lanes::urgent_only) {
    for (const Reading& reading : readings) {
      const bool bad = (reading.flags & kBad) != 0;
      seen_.push_back({reading.signal, reading.value, bad ? rules::Quality::bad : rules::Quality::good});
    }
    note_unstored(asset, event);
    evaluate(asset, event, Lane::urgent);
    return;
  }
  metering_.move_to(asset, event);
  // States first: they say which band the readings of the same instant belong to.
  const auto& signals = asset.model->signals;
  bool any = false;
  std::size_t states = 0;
  for (const Reading& reading : readings) {
    if (signals[reading.signal].kind != catalog::STATE) continue;
    ++states;
    any |= take(asset, event, reading, origin);
  }
  for (const Reading& reading : readings) {
    if (states > 0 && signals[reading.signal].kind == catalog::STATE) continue;
    any |= take(asset, event, reading, origin);
  }
  if (!any) return;
  if (!asset.newest || event > *asset.newest) {
    asset.newest = event;
    asset.newest_session = session_time(asset);
  }
  if (seen_.empty()) return;
  evaluate(asset, event, Lane::patient);
  if (lanes == Lanes::both) evaluate(asset, event, Lane::urgent);
}

// ---- rules ---------------------------------------------------------------------------------------------------------

void Intake::note_unstored(const AssetState& asset, Time time) {
  for (const rules::SignalReading& reading : seen_) {
    const SignalInfo& signal = asset.model->signals[reading.signal];
    const auto text = static_cast<std::size_t>(reading.value);
    const bool state = signal.kind == catalog::STATE && text < signal.state_texts.size();
    unstored_.push_back({signal.name, time, reading.value, state ? signal.state_texts[text] : std::string()});
  }
}

void Intake::update_entitlement(AssetState& asset, Lane lane, Time at) {
  billing::Period& known = asset.entitlement[index_of(lane)];
  if (at >= known.start && at < known.end) return;
  const RuleList& list = *asset.rule_list;
  const auto& positions = list.lanes[index_of(lane)];
  for (std::size_t i = 0; i < positions.size(); ++i) {
    Time ended = at;
    bool entitled = false;
    for (const SubscriptionInfo& subscription : list.rules[positions[i]].entitled) {
      if (at >= subscription.term.start && at < subscription.term.end) entitled = true;
      if (subscription.term.end <= at) ended = subscription.term.end;
    }
    asset.rules[index_of(lane)]->set_entitled(i, entitled, entitled ? at : ended, transitions_);
  }
  const auto next = std::upper_bound(list.turns.begin(), list.turns.end(), at);
  known.start = next == list.turns.begin() ? Time::min() : *std::prev(next);
  known.end = next == list.turns.end() ? Time::max() : *next;
}

void Intake::evaluate(AssetState& asset, Time time, Lane lane) {
  rules::AssetRules* rules = asset.rules[index_of(lane)].get();
  if (rules == nullptr) return;
  update_entitlement(asset, lane, time);
  rules->apply(time, session_time(asset), seen_, transitions_);
  if (!transitions_.empty()) transitions(asset, lane);
}

void Intake::transitions(AssetState& asset, Lane lane) {
  const auto& positions = asset.info->rule_list->lanes[index_of(lane)];
  for (const rules::Transition& transition : transitions_) {
    const std::uint32_t position = positions[transition.rule];
    if (transition.kind == rules::TransitionKind::raised) {
      maintenance_.raised(asset, position, transition, unstored_);
    } else {
      maintenance_.cleared(asset, position, transition.at,
                           transition.reason == rules::ClearReason::not_entitled ? "not_entitled" : "condition");
    }
  }
  transitions_.clear();
}

void Intake::advance(AssetState& asset) {
  if (!asset.newest || asset.held || fold_.sessions.down(asset.session)) return;
  const Time session = session_time(asset);
  const ModelInfo& model = *asset.info->model;
  const rules::Duration elapsed = std::clamp(session - asset.newest_session, rules::Duration(0), model.max_gap);
  // What an offline node buffers comes with its own stamps: its clock waits for them.
  const bool moves = model.ticks_move_clock && !asset.offline;
  const Time asset_now = moves ? *asset.newest + elapsed : *asset.newest;
  unstored_.clear();
  for (const Lane lane : {Lane::patient, Lane::urgent}) {
    rules::AssetRules* rules = asset.rules[index_of(lane)].get();
    if (rules == nullptr || (rules->next_asset_due() > asset_now && rules->next_tick_due() > session)) continue;
    touch_(asset);
    if (lane == Lane::patient && asset.stale_pending) {
      asset.stale_pending = false;
      mark_stale(asset, {}, Lanes::patient_only);
    }
    update_entitlement(asset, lane, asset_now);
    rules->advance(asset_now, session, transitions_);
    if (!transitions_.empty()) transitions(asset, lane);
  }
}

void Intake::mark_stale(AssetState& asset, std::span<const rules::SignalIndex> signals, Lanes lanes) {
  touch_(asset);
  std::vector<rules::SignalIndex> all;
  if (signals.empty()) {
    for (std::size_t i = 0; i < asset.series.size(); ++i) all.push_back(static_cast<rules::SignalIndex>(i));
    signals = all;
  }
  for (const Lane lane : {Lane::patient, Lane::urgent}) {
    const bool meant = lanes == Lanes::both || (lanes == Lanes::patient_only) == (lane == Lane::patient);
    rules::AssetRules* rules = asset.rules[index_of(lane)].get();
    if (meant && rules != nullptr) rules->mark_stale(signals, session_time(asset));
  }
}

void Intake::begin_backlog(AssetState& asset) {
  touch_(asset);
  asset.backlog = true;
}

void Intake::end_backlog(AssetState& asset) {
  if (!asset.backlog) return;
  touch_(asset);
  maintenance_.end_backlog(asset);
}

}  // namespace fettle::engine
