#include "gateway/engine/sparkplug_intake.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <unordered_map>

namespace fettle::engine {

using sparkplug::Event;
using sparkplug::EventKind;
using sparkplug::Sample;
using sparkplug::SampleKind;
using sparkplug::Source;
using sparkplug::SourceId;

namespace {

std::string sentence_of(const Event& event, const Source& source) {
  return source.path + ": " + (event.detail.empty() ? std::string(event.reason) : std::string(event.detail));
}

}  // namespace

SparkplugIntake::SparkplugIntake(FoldState& fold, Intake& intake, const Registry& registry,
                                 std::vector<AssetState>& assets, Discovery& discovery,
                                 std::function<void(const AssetState&)> touch, sparkplug::HostOptions options)
    : fold_(fold),
      intake_(intake),
      registry_(registry),
      assets_(assets),
      discovery_(discovery),
      touch_(std::move(touch)),
      host_(options) {
  host_.before_changes([this](sparkplug::HostNodes::Changed part) { host_changes(part); });
}

// ---- input ---------------------------------------------------------------------------------------------------------

void SparkplugIntake::fold(const journal::Record& record) {
  const auto message = journal::decode_sparkplug(record.body);
  if (!message) {
    Origin origin(record.sequence, record.received, Sessions::kDirect, {}, record.body);
    intake_.quarantine(origin, 0, "malformed", "the journal record is no message; it was written by another version");
    return;
  }
  session_ = fold_.sessions.index_of(message->broker);
  sequence_ = record.sequence;
  payload_ = message->message.payload;
  if (message->message.cut()) {
    Origin origin(record.sequence, record.received, session_, message->message.topic, payload_);
    intake_.quarantine(origin, 0, "too_large",
                       std::to_string(message->message.size) +
                           " bytes are over the limit (sparkplug.max_payload); only "
                           "the first " +
                           std::to_string(payload_.size()) + " were kept: send smaller messages");
    return;
  }
  sparkplug::Arrival arrival;
  arrival.broker = message->broker;
  arrival.topic = message->message.topic;
  arrival.payload = payload_;
  arrival.received = fold_.now;
  arrival.sequence = record.sequence;
  arrival.hash = XXH3_64bits(payload_.data(), payload_.size());
  out_.clear();
  host_.message(arrival, out_);
  handle();
  payload_ = {};
}

void SparkplugIntake::tick() {
  if (const auto due = host_.next_due(); due && *due <= fold_.now) {
    out_.clear();
    host_.tick(fold_.now, out_);
    handle();
  }
  const std::vector<SourceId> holding = holding_;
  std::size_t released = 0;
  for (const SourceId id : holding) {
    const auto& held = node_of(id).held;
    if (!held || held->due() > fold_.now) continue;
    if (released >= kReleasedAtOnce) break;  // the others with the records that follow
    released += held->size();
    release(id, HeldReadings::Which::all);
  }
}

void SparkplugIntake::session_down(std::string_view broker) {
  session_ = fold_.sessions.index_of(broker);
  out_.clear();
  host_.broker_down(broker, fold_.now, out_);
  handle();
}

void SparkplugIntake::session_up(std::string_view broker) {
  host_.broker_up(broker, fold_.now);
}

std::vector<RebirthRequest> SparkplugIntake::take_requests() {
  return std::exchange(requests_, {});
}

std::size_t SparkplugIntake::held() const {
  std::size_t count = 0;
  for (const SourceId id : holding_) count += nodes_.at(id).held->size();
  return count;
}

// ---- what the host made of it --------------------------------------------------------------------------------------

void SparkplugIntake::handle() {
  for (const Event& event : out_.events) {
    switch (event.kind) {
      case EventKind::discovered:
        node_of(event.source).sources.push_back(event.source);
        break;
      case EventKind::born:
        born(event);
        break;
      case EventKind::data:
        data(event);
        break;
      case EventKind::died:
      case EventKind::stale:
        stale(event);
        break;
      case EventKind::gap:
        gap(event);
        break;
      case EventKind::rebirth_request:
        if (!fold_.replaying && requests_.size() < kMaxRequests) {
          const Source& source = host_.source(event.source);
          requests_.push_back({std::string(event.broker), source.group, source.node_name, sentence_of(event, source)});
        }
        break;
      case EventKind::refused:
        refused(event);
        break;
    }
  }
}

SparkplugIntake::Node& SparkplugIntake::node_of(SourceId source) {
  return nodes_[host_.source(source).node];
}

// Before its part is changed.
SparkplugIntake::Node& SparkplugIntake::change(SourceId source) {
  Node& node = node_of(source);
  rejoin_parts_.touch(host_.node_number(source), [this](std::uint32_t number) { return save_rejoin(number); });
  const SourceId id = host_.source(source).node;
  if (ledger_dirty_.empty() || ledger_dirty_.back() != id) ledger_dirty_.push_back(id);
  return node;
}

Origin SparkplugIntake::origin_of(const sparkplug::Origin& origin) const {
  // Of the message in hand the payload is still here, for the quarantine.
  if (origin.sequence == sequence_ && !payload_.empty()) {
    return {origin.sequence, origin.received, session_, origin.topic, payload_};
  }
  return {origin.sequence, origin.received, session_, origin.topic, origin.hash};
}

void SparkplugIntake::born(const Event& event) {
  const Source& source = host_.source(event.source);
  if (!source.is_node()) return;
  Node& node = change(event.source);
  node.ledger.online(fold_.now);
  if (!event.after_absence || node.held) return;
  node.held = std::make_unique<HeldReadings>(fold_.now);
  holding_.push_back(source.id);
}

void SparkplugIntake::stale(const Event& event) {
  if (host_.source(event.source).is_node()) change(event.source).ledger.offline(fold_.now);
  mark_offline(event.source);
}

// The source's signals are unknown to rules since their last reading. P1 rules are told at once; the others wait for
// what the node may have buffered meanwhile, while the asset's clock stands still. An asset with several sources goes
// on hearing from the others, so that it cannot wait.
void SparkplugIntake::mark_offline(SourceId id) {
  const Binding& binding = this->binding(id);
  if (!binding.asset) return;
  std::vector<rules::SignalIndex> signals;
  for (const std::int32_t signal : binding.signals) {
    if (signal != kUnclaimed) signals.push_back(static_cast<rules::SignalIndex>(signal));
  }
  if (signals.empty()) return;
  AssetState& asset = assets_[*binding.asset];
  const bool waits = asset.info->sources.size() == 1;
  intake_.mark_stale(asset, signals, waits ? Lanes::urgent_only : Lanes::both);
  asset.offline = true;
  asset.stale_pending = waits;
}

// The asset is heard again. `refilled`: what it says goes on where it had stopped, so it never was unknown.
void SparkplugIntake::mark_online(AssetState& asset, bool refilled) {
  if (!asset.offline) return;
  touch_(asset);
  if (asset.stale_pending && !refilled) intake_.mark_stale(asset, {}, Lanes::patient_only);
  asset.offline = asset.stale_pending = false;
}

void SparkplugIntake::gap(const Event& event) {
  LossLedger& ledger = change(event.source).ledger;
  if (event.gap == sparkplug::GapState::opened) {
    ++gaps_.opened;
    ledger.gap_opened(event.since, event.missing);
    return;
  }
  const bool healed = event.gap == sparkplug::GapState::healed;
  ++(healed ? gaps_.healed : gaps_.lost);
  ledger.gap_closed(fold_.now, healed, event.missing);
}

void SparkplugIntake::refused(const Event& event) {
  // It cannot be read, and the births that could have told how are asked for: a loss, to be refilled.
  if (event.reason == "before_birth" && event.source != sparkplug::kNoSource) {
    change(event.source).ledger.unreadable(fold_.now);
    return;
  }
  intake_.quarantine(origin_of(event.origin), 0, std::string(event.reason), std::string(event.detail));
}

// ---- data ----------------------------------------------------------------------------------------------------------

const SparkplugIntake::Binding& SparkplugIntake::binding(SourceId id) {
  if (bindings_.size() <= id) bindings_.resize(host_.sources());
  Binding& binding = bindings_[id];
  const Source& source = host_.source(id);
  if (binding.generation == source.generation + 1) return binding;
  binding.generation = source.generation + 1;
  binding.asset = registry_.asset_of_source(source.path);
  binding.signals.assign(source.metrics.size(), kUnclaimed);
  if (!binding.asset) return binding;
  std::unordered_map<std::string_view, std::int32_t> by_metric;
  for (const SignalInfo& signal : assets_[*binding.asset].info->model->signals) {
    by_metric.emplace(signal.metric, static_cast<std::int32_t>(by_metric.size()));
  }
  for (std::size_t metric = 0; metric < source.metrics.size(); ++metric) {
    if (source.metrics[metric].control) continue;
    const auto found = by_metric.find(source.metrics[metric].name.get());
    if (found != by_metric.end()) binding.signals[metric] = found->second;
  }
  return binding;
}

void SparkplugIntake::data(const Event& event) {
  const Source& source = host_.source(event.source);
  const Binding& binding = this->binding(event.source);
  Origin origin = origin_of(event.origin);
  readings_.clear();
  bool all_claimed = binding.asset.has_value();
  for (std::uint32_t i = event.first_sample; i < event.first_sample + event.sample_count; ++i) {
    const Sample& sample = out_.samples[i];
    const std::int32_t signal = binding.signals[sample.metric];
    if (signal == kUnclaimed) {
      all_claimed = false;
      continue;
    }
    Timed& timed = readings_.emplace_back();
    timed.time = sample.time;
    timed.reading.place = i - event.first_sample;
    const ModelInfo& model = *assets_[*binding.asset].info->model;
    if (!read(sample, model, static_cast<std::uint32_t>(signal), event.birth, origin, timed.reading)) {
      readings_.pop_back();
    }
  }
  if (!all_claimed) {
    unclaimed(event, source, binding,
              {event.origin.sequence, event.origin.received, event.origin.topic, event.origin.hash, session_, {}});
  }
  if (readings_.empty()) return;
  const auto earlier = [](const Timed& a, const Timed& b) { return a.time < b.time; };
  if (!std::is_sorted(readings_.begin(), readings_.end(), earlier)) {
    std::stable_sort(readings_.begin(), readings_.end(), earlier);
  }
  Node& node = node_of(event.source);
  if (node.held) {
    hold(event, *binding.asset, origin, node);
  } else {
    let_in(event, assets_[*binding.asset], origin);
  }
}

void SparkplugIntake::unclaimed(const Event& event, const Source& source, const Binding& binding,
                                Discovery::Message message) {
  discovered_.clear();
  for (std::uint32_t i = event.first_sample; i < event.first_sample + event.sample_count; ++i) {
    const Sample& sample = out_.samples[i];
    const bool usable =
        sample.kind == SampleKind::integer || sample.kind == SampleKind::number || sample.kind == SampleKind::text;
    if (binding.signals[sample.metric] != kUnclaimed || !usable || sample.transient) continue;
    Discovery::Reading& reading = discovered_.emplace_back();
    reading.name = source.metrics[sample.metric].name.get();
    reading.type = sparkplug::name_of(sample.type);
    reading.time = sample.time;
    reading.flags =
        static_cast<std::uint8_t>((sample.historical ? kHistorical : 0) | (sample.unstamped ? kUnstamped : 0) |
                                  (sample.quality != sparkplug::Quality::good ? kBad : 0));
    reading.birth = event.birth;
    reading.number = sample.number;
    if (sample.kind == SampleKind::text) reading.text = sample.text;
  }
  if (discovered_.empty()) return;
  const std::string_view asset = binding.asset ? std::string_view(assets_[*binding.asset].id) : std::string_view();
  if (discovery_.add(source.path, asset, message, discovered_)) return;
  intake_.quarantine(origin_of(event.origin), 0, "too_many_devices",
                     source.path + " sends what no asset claims, and " + std::to_string(Discovery::kMaxSources) +
                         " unclaimed devices are listed already (`fettle discovered`): claim some (an asset's "
                         "`sources`), or keep the others off the broker");
}

// Whether the sample is a reading of the signal; what is wrong with it is in the quarantine.
bool SparkplugIntake::read(const Sample& sample, const ModelInfo& model, std::uint32_t index, bool birth,
                           const Origin& origin, Reading& reading) {
  const SignalInfo& signal = model.signals[index];
  reading.signal = index;
  reading.flags =
      static_cast<std::uint8_t>((sample.historical ? kHistorical : 0) | (sample.unstamped ? kUnstamped : 0) |
                                (sample.quality != sparkplug::Quality::good ? kBad : 0));
  reading.transient = sample.transient;
  if (sample.kind == SampleKind::null) {
    if (sample.historical) return false;
    reading.flags |= kBad;
    reading.transient = true;
    return true;
  }
  if (birth && signal.kind == catalog::EVENT) return false;
  if (sample.kind == SampleKind::wrong || sample.kind == SampleKind::opaque) {
    intake_.quarantine(origin, reading.place, "not_a_number",
                       signal.name + " is " +
                           (sample.kind == SampleKind::opaque ? std::string("a block of bytes")
                                                              : std::string(sample.text.substr(0, 128))) +
                           "; expected " + (signal.kind == catalog::STATE ? "a state" : "a finite number"));
    return false;
  }
  if (sample.unstamped && signal.added_up) {
    intake_.quarantine(origin, reading.place, "needs_timestamp",
                       signal.name +
                           " is metered by sums or counts, and without a timestamp a message delivered twice "
                           "would count twice");
    return false;
  }
  const bool position = signal.kind == catalog::STATE && sample.kind == SampleKind::integer && sample.integer >= 0 &&
                        static_cast<std::size_t>(sample.integer) < signal.state_texts.size();
  if (position) {
    reading.value = static_cast<double>(sample.integer);
    return true;
  }
  RawValue raw{std::nullopt, sample.number};
  if (sample.kind == SampleKind::text) raw.text = sample.text;
  const auto value = intake_.resolve(model, index, raw, origin, reading.place);
  if (!value) return false;
  reading.value = *value;
  return true;
}

// Calls apply(time, readings) for the readings of each event time, in order.
template <typename Apply>
void SparkplugIntake::each_time(Apply apply) {
  for (std::size_t first = 0; first < readings_.size();) {
    std::size_t last = first;
    group_.clear();
    while (last < readings_.size() && readings_[last].time == readings_[first].time) {
      group_.push_back(readings_[last++].reading);
    }
    apply(readings_[first].time);
    first = last;
  }
}

void SparkplugIntake::let_in(const Event& event, AssetState& asset, Origin& origin) {
  // Data without a birth is of a session that never broke.
  mark_online(asset, !event.birth);
  each_time([&](Time time) { intake_.apply(asset, time, group_, origin); });
  const bool historical = std::any_of(readings_.begin(), readings_.end(),
                                      [](const Timed& timed) { return (timed.reading.flags & kHistorical) != 0; });
  if (!historical) return;
  LossLedger& ledger = change(event.source).ledger;
  for (const Timed& timed : readings_) {
    if ((timed.reading.flags & kHistorical) == 0) continue;
    ledger.refilled(asset.id, asset.info->model->signals[timed.reading.signal].name, timed.time);
  }
}

// ---- rejoin --------------------------------------------------------------------------------------------------------

void SparkplugIntake::hold(const Event& event, std::uint32_t index, Origin& origin, Node& node) {
  AssetState& asset = assets_[index];
  if (!asset.held) {
    touch_(asset);
    asset.held = true;
  }
  change(event.source);
  node.held->begin_message(origin.arrived, origin.received, origin.topic, event.origin.hash, origin.session);
  for (const Timed& timed : readings_) {
    const Reading& reading = timed.reading;
    node.held->add(index, reading.signal, timed.time, reading.value, reading.flags, reading.transient, fold_.now);
    if ((reading.flags & kHistorical) != 0) {
      node.ledger.refilled(asset.id, asset.info->model->signals[reading.signal].name, timed.time);
    }
  }
  // What is urgent does not wait; to it the past is late.
  std::erase_if(readings_, [](const Timed& timed) { return (timed.reading.flags & kHistorical) != 0; });
  if (asset.rules[static_cast<std::size_t>(Lane::urgent)]) {
    each_time([&](Time time) { intake_.apply(asset, time, group_, origin, Lanes::urgent_only); });
  }
  if (!node.held->full()) return;
  fold_.counters.duplicates += node.held->drop_repeats();
  // Where most of it is new, the past has to go on now.
  if (node.held->size() > HeldReadings::kMost / 4 * 3) {
    release(host_.source(event.source).node, HeldReadings::Which::past);
  }
}

void SparkplugIntake::release(SourceId id, HeldReadings::Which which) {
  Node& node = change(id);
  std::vector<HeldReadings::Reading> taken = node.held->take(which);
  const auto same_group = [](const HeldReadings::Reading& a, const HeldReadings::Reading& b) {
    return a.asset == b.asset && a.time == b.time && a.message == b.message;
  };
  for (std::size_t first = 0; first < taken.size();) {
    const std::uint32_t index = taken[first].asset;
    AssetState& asset = assets_[index];
    intake_.begin_backlog(asset);
    asset.held = false;
    mark_online(asset, std::any_of(taken.begin() + static_cast<std::ptrdiff_t>(first), taken.end(),
                                   [&](const HeldReadings::Reading& reading) {
                                     return reading.asset == index && (reading.flags & kHistorical) != 0 &&
                                            (!asset.newest || reading.time >= *asset.newest);
                                   }));
    while (first < taken.size() && taken[first].asset == index) {
      const HeldReadings::Reading& head = taken[first];
      const HeldReadings::Message& message = node.held->message_of(head);
      Origin origin(message.arrived, message.received, message.session, node.held->topic_of(message), message.hash);
      group_.clear();
      for (; first < taken.size() && same_group(head, taken[first]); ++first) {
        group_.push_back({taken[first].signal, 0, taken[first].value, taken[first].flags, taken[first].transient});
      }
      intake_.apply(asset, head.time, group_, origin, Lanes::patient_only);
    }
    intake_.end_backlog(asset);
    asset.held = true;
  }
  if (which == HeldReadings::Which::past) {
    node.held->forget_taken();
    return;
  }
  node.held.reset();
  std::erase(holding_, id);
  for (const SourceId source : node.sources) {
    if (const auto asset = binding(source).asset) {
      touch_(assets_[*asset]);
      assets_[*asset].held = false;
    }
    // A device that went again meanwhile is unknown after what it said.
    if (!host_.source(source).online) mark_offline(source);
  }
}

// ---- catalog, batches ----------------------------------------------------------------------------------------------

void SparkplugIntake::before_catalog_change() {
  const std::vector<SourceId> holding = holding_;
  for (const SourceId id : holding) release(id, HeldReadings::Which::all);
}

void SparkplugIntake::catalog_changed() {
  for (Binding& binding : bindings_) binding.generation = 0;
}

void SparkplugIntake::finish_batch() {
  for (const SourceId id : ledger_dirty_) nodes_[id].ledger.rows(host_.source(id).path, fold_.effects);
  ledger_dirty_.clear();
}

}  // namespace fettle::engine
