#include "gateway/engine/engine.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>

namespace fettle::engine {
namespace {

constexpr std::size_t kFirstBytes = 64;  // of a quarantined payload

// fettle/v1/<asset>/<what>
struct Topic {
  std::string_view asset;
  std::string_view what;
};

std::optional<Topic> parse_topic(std::string_view topic) {
  constexpr std::string_view kRoot = "fettle/v1/";
  if (!topic.starts_with(kRoot)) return std::nullopt;
  topic.remove_prefix(kRoot.size());
  const std::size_t slash = topic.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  return Topic{topic.substr(0, slash), topic.substr(slash + 1)};
}

std::string quoted(std::string_view text) {
  return '"' + std::string(text.substr(0, 128)) + '"';
}

std::string known_signals(const ModelInfo& model) {
  std::string names;
  for (const SignalInfo& signal : model.signals) {
    if (!names.empty()) names += ", ";
    names += signal.name;
  }
  return names;
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

}  // namespace

struct Engine::Item {
  std::uint32_t signal = 0;
  std::uint32_t place = 0;  // in the message
  double value = 0;
};

Engine::Engine(Store& store, Lookups lookups, EngineOptions options)
    : store_(store),
      options_(options),
      registry_(std::move(lookups)),
      history_(store),
      metering_(store, history_),
      maintenance_(history_),
      invoicing_(store, registry_) {}

Engine::~Engine() = default;

StoreResult<Sequence> Engine::start() {
  committed_ = store_.committed();
  auto checkpoint = store_.load_checkpoint();
  if (!checkpoint) return checkpoint.error();
  auto rows = store_.load_catalog(checkpoint->sequence);
  if (!rows) return rows.error();
  std::vector<catalog::Entry> entries;
  for (const CatalogRow& row : *rows) {
    catalog::Entry entry;
    if (!entry.ParseFromString(row.body)) {
      return StoreError{"catalog entry " + row.kind + ' ' + row.id +
                        " cannot be read; restore the store from a backup"};
    }
    entries.push_back(std::move(entry));
  }
  for (std::string& problem : registry_.apply(entries)) reports_.push_back(std::move(problem));
  rebuild_assets();
  if (checkpoint->sequence > 0 && !restore(checkpoint->state)) {
    return StoreError{"the checkpoint at record " + std::to_string(checkpoint->sequence) +
                      " is of another version of Fettle; start the version that wrote it, or restore a backup"};
  }
  folded_ = checkpointed_ = checkpoint->sequence;
  history_.begin_batch(folded_ + 1);
  return folded_;
}

bool Engine::needs_checkpoint(const journal::Record& record) {
  if (record.kind != journal::Kind::command) return false;
  Command command;
  return command.ParseFromArray(record.body.data(), static_cast<int>(record.body.size())) &&
         (command.has_run_invoices() || command.has_make_checkpoint());
}

void Engine::fold(const journal::Record& record) {
  // Effects of records up to `committed_` stand already; from the next one on they are collected again.
  if (folded_ == committed_) finish_batch();
  now_ = std::max(now_, record.received);
  switch (record.kind) {
    case journal::Kind::message:
      fold_message(record);
      break;
    case journal::Kind::session:
      fold_session(record);
      break;
    case journal::Kind::tick:
      advance_assets(record);
      break;
    case journal::Kind::command:
      fold_command(record);
      break;
    case journal::Kind::catalog:
      fold_catalog(record);
      break;
  }
  folded_ = record.sequence;
}

// ---- commits
// ---------------------------------------------------------------------------------------------------------

void Engine::finish_batch() {
  effects_ = Effects();
  message_row_of_ = 0;
  history_.begin_batch(folded_ + 1);
}

StoreResult<void> Engine::commit() {
  if (folded_ > committed_) {
    effects_.committed = folded_;
    effects_.now = now_;
    effects_.counters = counters_;
    if (auto done = store_.commit(effects_); !done) return done.error();
    committed_ = folded_;
    std::move(pending_answers_.begin(), pending_answers_.end(), std::back_inserter(answers_));
  }
  pending_answers_.clear();
  finish_batch();
  return {};
}

StoreResult<void> Engine::checkpoint() {
  if (folded_ <= checkpointed_ && folded_ <= committed_) return {};
  Checkpoint checkpoint;
  checkpoint.sequence = folded_;
  checkpoint.state = working_state();
  checkpoint.usage = metering_.usage();
  if (folded_ <= committed_) effects_ = Effects();
  effects_.committed = std::max(folded_, committed_);
  effects_.now = now_;
  effects_.counters = counters_;
  if (auto done = store_.commit(effects_, checkpoint); !done) return done.error();
  metering_.stored();
  committed_ = effects_.committed;
  checkpointed_ = folded_;
  std::move(pending_answers_.begin(), pending_answers_.end(), std::back_inserter(answers_));
  pending_answers_.clear();
  finish_batch();
  return {};
}

std::vector<Engine::Answer> Engine::take_answers() {
  return std::exchange(answers_, {});
}
std::vector<std::string> Engine::take_reports() {
  return std::exchange(reports_, {});
}

// ---- messages
// --------------------------------------------------------------------------------------------------------

void Engine::quarantine(const journal::Record& record, const journal::Message& message, std::uint32_t item,
                        std::string reason, std::string detail) {
  ++counters_.quarantined;
  effects_.quarantine.push_back({record.sequence, item, record.received, std::string(message.topic), std::move(reason),
                                 std::move(detail), std::string(message.payload.substr(0, kFirstBytes))});
}

void Engine::fold_message(const journal::Record& record) {
  ++counters_.messages;
  const auto message = journal::decode_message(record.body);
  if (!message) {
    quarantine(record, {}, 0, "malformed", "the journal record is no message; it was written by another version");
    return;
  }
  if (message->cut()) {
    quarantine(record, *message, 0, "too_large",
               std::to_string(message->size) + " bytes are over the limit (max_payload); only the first " +
                   std::to_string(message->payload.size()) + " were kept: send smaller messages");
    return;
  }
  const auto topic = parse_topic(message->topic);
  if (!topic || (topic->what != "telemetry" && topic->what != "event" && topic->what != "batch")) {
    quarantine(record, *message, 0, "unknown_topic",
               "expected fettle/v1/<asset>/telemetry, .../event (JSON) or .../batch (Protobuf)");
    return;
  }
  const auto index = registry_.asset_index(topic->asset);
  if (!index) {
    quarantine(record, *message, 0, "unknown_asset",
               "no asset " + quoted(topic->asset) + " in the catalog; declare it with `fettle apply`");
    return;
  }
  const auto malformed = topic->what == "batch" ? direct::decode_batch(message->payload, telemetry_)
                                                : direct::decode_json(message->payload, telemetry_);
  if (malformed) {
    quarantine(record, *message, 0, malformed->reason, malformed->detail);
    return;
  }
  // What shares one event time is applied together, and earlier event times first.
  groups_.assign(telemetry_.groups.begin(), telemetry_.groups.end());
  std::stable_sort(groups_.begin(), groups_.end(), [&](const direct::Group& a, const direct::Group& b) {
    return a.time.value_or(record.received) < b.time.value_or(record.received);
  });
  for (const direct::Group& group : groups_) fold_group(assets_[*index], group, record, *message);
}

bool Engine::resolve(const AssetState& asset, const direct::Value& value, Item& item, const journal::Record& record,
                     const journal::Message& message, std::uint32_t place) {
  const ModelInfo& model = *asset.info->model;
  const auto found = model.signal_index.find(value.signal);
  if (found == model.signal_index.end()) {
    quarantine(record, message, place, "unknown_signal",
               "model " + model.id + " has no signal " + quoted(value.signal) + "; it has: " + known_signals(model));
    return false;
  }
  const SignalInfo& signal = model.signals[found->second];
  item = {found->second, place, value.number};
  if (value.kind == direct::ValueKind::wrong) {
    quarantine(record, message, place, "not_a_number",
               signal.name + " is " + std::string(value.text) + "; expected a finite number");
    return false;
  }
  if (signal.kind == catalog::STATE) {
    const auto state = signal.states.find(value.text);
    if (value.kind != direct::ValueKind::text || state == signal.states.end()) {
      quarantine(record, message, place, "unknown_state",
                 signal.name + " is " +
                     (value.kind == direct::ValueKind::text ? quoted(value.text) : std::string("a number")) +
                     "; expected one of: " + known_states(signal));
      return false;
    }
    item.value = state->second;
    return true;
  }
  if (value.kind != direct::ValueKind::number) {
    quarantine(record, message, place, "not_a_number",
               signal.name + " is the text " + quoted(value.text) + "; expected a number");
    return false;
  }
  if (signal.numerator > 0) {
    const auto counts = Metering::counts(signal, value.number);
    if (!counts || (signal.kind == catalog::REGISTER && *counts < 0)) {
      quarantine(record, message, place, "out_of_range",
                 signal.name + " cannot be counted in steps of its resolution" +
                     (counts ? std::string("; a register is never negative") : std::string(": it is too large")));
      return false;
    }
  }
  return true;
}

bool Engine::admit_time(const AssetState& asset, Time time, const journal::Record& record,
                        const journal::Message& message, std::uint32_t place) {
  if (time > record.received + options_.max_future) {
    quarantine(record, message, place, "in_the_future",
               "stamped " + time_text(time) + ", received " + time_text(record.received) +
                   "; more than 5 min ahead: set the device's clock");
    return false;
  }
  if (time < asset.info->commissioned) {
    quarantine(record, message, place, "before_commissioning",
               "stamped " + time_text(time) + ", before the asset's commissioning at " +
                   time_text(asset.info->commissioned) + ": set the device's clock, or the date in the catalog");
    return false;
  }
  if (options_.retention.count() > 0 && time < record.received - options_.retention) {
    quarantine(record, message, place, "too_old", "stamped " + time_text(time) + ", older than the retention");
    return false;
  }
  return true;
}

std::uint32_t Engine::message_row(const journal::Record& record, const journal::Message& message) {
  if (message_row_of_ != record.sequence) {
    effects_.messages.push_back({record.sequence, record.received, std::string(message.topic),
                                 XXH3_64bits(message.payload.data(), message.payload.size())});
    message_row_of_ = record.sequence;
  }
  return static_cast<std::uint32_t>(effects_.messages.size() - 1);
}

std::optional<std::uint8_t> Engine::admit(AssetState& asset, std::uint32_t signal, Time time, double value,
                                          std::uint8_t flags, const journal::Record& record,
                                          const journal::Message& message) {
  Series& series = asset.series[signal];
  const bool event = asset.info->model->signals[signal].kind == catalog::EVENT;
  if (series.id && time <= series.head) {
    if (time == series.head && value == series.head_value) {
      ++counters_.duplicates;
      return std::nullopt;
    }
    const std::vector<Point> same = history_.at(series, time);
    if (std::any_of(same.begin(), same.end(), [&](const Point& p) { return p.value == value; })) {
      ++counters_.duplicates;
      return std::nullopt;
    }
    if (!event && !same.empty()) {
      flags |= kConflict;
      ++counters_.conflicts;
    }
  }
  if ((series.evaluated && time <= *series.evaluated) ||
      (asset.newest && time < *asset.newest - asset.info->model->lateness)) {
    flags |= kLate;
    ++counters_.late;
  }
  if (!series.id) {
    series.id = next_series_++;
    effects_.series.push_back({*series.id, asset.info->id, asset.info->model->signals[signal].name});
  }
  ++counters_.readings;
  effects_.readings.push_back({*series.id, time, value, flags, message_row(record, message)});
  return flags;
}

void Engine::fold_group(AssetState& asset, const direct::Group& group, const journal::Record& record,
                        const journal::Message& message) {
  const ModelInfo& model = *asset.info->model;
  const Time time = group.time.value_or(record.received);
  const std::uint8_t stamped = group.time ? std::uint8_t{0} : std::uint8_t{kUnstamped};
  items_.clear();
  if (group.count == 0) return;
  if (!admit_time(asset, time, record, message, group.first)) return;
  for (std::uint32_t i = group.first; i < group.first + group.count; ++i) {
    Item item;
    if (!resolve(asset, telemetry_.values[i], item, record, message, i)) continue;
    if (!group.time && model.signals[item.signal].added_up) {
      quarantine(record, message, i, "needs_timestamp",
                 model.signals[item.signal].name +
                     " is metered by sums or counts, and without \"ts\" a message delivered twice would count twice");
      continue;
    }
    items_.push_back(item);
  }
  // States first: they say which band the readings of the same instant belong to.
  std::stable_partition(items_.begin(), items_.end(),
                        [&](const Item& item) { return model.signals[item.signal].kind == catalog::STATE; });
  readings_.clear();
  bool any = false;
  for (const Item& item : items_) {
    const auto flags = admit(asset, item.signal, time, item.value, stamped, record, message);
    if (!flags) continue;
    any = true;
    Series& series = asset.series[item.signal];
    std::optional<Point> previous;
    if (!series.days.runs().empty()) previous = Point{series.head, series.head_value, 0};
    const Point point{time, item.value, *flags};
    history_.add(series, point);
    if (model.signals[item.signal].kind == catalog::STATE) {
      metering_.state(asset, item.signal, point);
    } else {
      metering_.reading(asset, item.signal, point, previous);
    }
    if ((*flags & kLate) == 0) {
      series.evaluated = time;
      readings_.push_back({item.signal, item.value, rules::Quality::good});
    }
  }
  if (!any) return;
  if (!asset.newest || time > *asset.newest) {
    asset.newest = time;
    asset.newest_session = session_time();
  }
  if (!readings_.empty() && asset.rules) {
    evaluate(asset, time);
    transitions(asset, record);
  }
}

// ---- rules
// -----------------------------------------------------------------------------------------------------------

void Engine::update_entitlement(AssetState& asset, Time at) {
  for (std::size_t i = 0; i < asset.info->rules.size(); ++i) {
    Time ended = at;
    bool entitled = false;
    for (const SubscriptionInfo& subscription : asset.info->rules[i].entitled) {
      if (at >= subscription.term.start && at < subscription.term.end) entitled = true;
      if (subscription.term.end <= at) ended = subscription.term.end;
    }
    asset.rules->set_entitled(i, entitled, entitled ? at : ended, transitions_);
  }
}

void Engine::evaluate(AssetState& asset, Time time) {
  update_entitlement(asset, time);
  asset.rules->apply(time, session_time(), readings_, transitions_);
}

void Engine::transitions(AssetState& asset, const journal::Record& record) {
  for (const rules::Transition& transition : transitions_) {
    if (transition.kind == rules::TransitionKind::raised) {
      maintenance_.raised(asset, transition, record.sequence, now_, effects_);
    } else {
      maintenance_.cleared(asset, transition, effects_);
    }
  }
  transitions_.clear();
}

Time Engine::session_time() const {
  return (session_down_ ? down_since_ : now_) - down_total_;
}

void Engine::advance_assets(const journal::Record& record) {
  if (session_down_) return;
  const Time session = session_time();
  for (AssetState& asset : assets_) {
    if (!asset.rules || !asset.newest) continue;
    const ModelInfo& model = *asset.info->model;
    const rules::Duration elapsed = std::clamp(session - asset.newest_session, rules::Duration(0), model.max_gap);
    const Time asset_now = model.ticks_move_clock ? *asset.newest + elapsed : *asset.newest;
    if (asset.rules->next_asset_due() > asset_now && asset.rules->next_tick_due() > session) continue;
    update_entitlement(asset, asset_now);
    asset.rules->advance(asset_now, session, transitions_);
    transitions(asset, record);
  }
}

void Engine::fold_session(const journal::Record& record) {
  const auto session = journal::decode_session(record.body);
  if (!session || session->up == !session_down_) return;
  if (session->up) {
    down_total_ += now_ - down_since_;
    session_down_ = false;
  } else {
    session_down_ = true;
    down_since_ = now_;
  }
}

// ---- commands and catalog
// ----------------------------------------------------------------------------------------------

void Engine::fold_command(const journal::Record& record) {
  Command command;
  Outcome outcome{false, "the journal record is no command; it was written by another version"};
  if (command.ParseFromArray(record.body.data(), static_cast<int>(record.body.size()))) {
    switch (command.command_case()) {
      case Command::kCloseWorkOrder:
        outcome = maintenance_.close(command.close_work_order(), now_, effects_);
        break;
      case Command::kRunInvoices: {
        const auto last_reading = [this](const std::string& asset, const std::string& meter) -> std::optional<Time> {
          const auto index = registry_.asset_index(asset);
          if (!index) return std::nullopt;
          const AssetState& state = assets_[*index];
          for (const MeterInfo& info : state.info->model->meters) {
            if (info.id == meter && state.series[info.signal].id) return state.series[info.signal].head;
          }
          return std::nullopt;
        };
        outcome = invoicing_.run(Time(std::chrono::milliseconds(command.run_invoices().until_ms())), now_, last_reading,
                                 effects_);
        break;
      }
      case Command::kMakeCheckpoint:
        outcome = {true, "{}"};
        break;
      case Command::COMMAND_NOT_SET:
        break;
    }
  }
  pending_answers_.push_back({record.sequence, std::move(outcome)});
}

void Engine::fold_catalog(const journal::Record& record) {
  catalog::CatalogChange change;
  if (!change.ParseFromArray(record.body.data(), static_cast<int>(record.body.size()))) {
    pending_answers_.push_back({record.sequence, {false, "the journal record is no catalog change"}});
    return;
  }
  const std::vector<catalog::Entry> entries(change.entries().begin(), change.entries().end());
  for (const catalog::Entry& entry : entries) {
    auto [kind, id] = key_of(entry);
    effects_.catalog.push_back({std::move(kind), std::move(id), record.sequence, entry.SerializeAsString()});
  }
  for (std::string& problem : registry_.apply(entries)) reports_.push_back(std::move(problem));
  rebuild_assets();
  pending_answers_.push_back({record.sequence, {true, "{}"}});
}

// The assets of the new registry, each with what it had: series by signal name, rules by pack and id where the state
// still has the same meaning.
void Engine::rebuild_assets() {
  TextMap<AssetState> old;
  for (AssetState& asset : assets_) old.emplace(asset.id, std::move(asset));
  assets_.clear();
  assets_.resize(registry_.assets().size());
  for (std::size_t i = 0; i < assets_.size(); ++i) {
    AssetState& asset = assets_[i];
    asset.info = &registry_.assets()[i];
    asset.id = asset.info->id;
    asset.series.resize(asset.info->model->signals.size());
    const auto before = old.find(asset.id);
    if (before != old.end()) {
      AssetState& former = before->second;
      for (std::size_t s = 0; s < former.signal_names.size(); ++s) {
        const auto index = asset.info->model->signal_index.find(former.signal_names[s]);
        if (index != asset.info->model->signal_index.end()) asset.series[index->second] = std::move(former.series[s]);
      }
      asset.newest = former.newest;
      asset.newest_session = former.newest_session;
    }
    for (const SignalInfo& signal : asset.info->model->signals) asset.signal_names.push_back(signal.name);
    for (const RuleOnAsset& rule : asset.info->rules) {
      const RuleInfo& info = asset.info->model->rules[rule.rule];
      asset.rule_names.emplace_back(info.pack, info.source.id());
    }
    asset.cuts = asset.info->cuts;
    attach_rules(asset, before == old.end() ? nullptr : &before->second);
    if (before != old.end() && before->second.cuts != asset.cuts) {
      std::vector<Time> moved;
      std::set_symmetric_difference(before->second.cuts.begin(), before->second.cuts.end(), asset.cuts.begin(),
                                    asset.cuts.end(), std::back_inserter(moved));
      metering_.recut(asset, moved);
    }
  }
}

void Engine::attach_rules(AssetState& asset, const AssetState* old) {
  std::vector<rules::RuleInstance> instances;
  for (const RuleOnAsset& rule : asset.info->rules) {
    instances.push_back({asset.info->model->rules[rule.rule].compiled, rule.overrides});
  }
  asset.open_episodes.assign(instances.size(), {});
  if (!instances.empty()) {
    asset.rules = std::make_unique<rules::AssetRules>(std::move(instances), asset.info->model->signals.size(),
                                                      asset.info->model->max_gap);
  }
  if (old == nullptr) return;
  const Time at = asset.newest.value_or(now_);
  for (std::size_t former = 0; former < old->rule_names.size(); ++former) {
    const std::string& episode = old->open_episodes[former];
    const auto same = std::find(asset.rule_names.begin(), asset.rule_names.end(), old->rule_names[former]);
    if (same == asset.rule_names.end()) {
      maintenance_.end(episode, at, "not_entitled", effects_);
      continue;
    }
    const auto i = static_cast<std::size_t>(same - asset.rule_names.begin());
    std::string state;
    old->rules->save(former, state);
    if (asset.rules->load(i, state)) {
      asset.open_episodes[i] = episode;
    } else {
      maintenance_.end(episode, at, "rule_changed", effects_);
      reports_.push_back("rule " + asset.rule_names[i].first + '/' + asset.rule_names[i].second + " on asset " +
                         asset.id + " changed its meaning: its state starts anew");
    }
  }
}

}  // namespace fettle::engine
