#include "gateway/engine/claims.h"

#include <algorithm>

namespace fettle::engine {
namespace {

const SignalInfo* signal_of(const ModelInfo& model, std::string_view name, bool metric, std::uint32_t& index) {
  for (std::size_t i = 0; i < model.signals.size(); ++i) {
    if ((metric ? model.signals[i].metric : model.signals[i].name) != name) continue;
    index = static_cast<std::uint32_t>(i);
    return &model.signals[i];
  }
  return nullptr;
}

}  // namespace

Discovery::Message Claims::message_of(Origin& origin) {
  return {origin.arrived, origin.received, origin.topic, origin.hash(), origin.session, {}};
}

void Claims::unknown_asset(std::string_view asset, const direct::Telemetry& telemetry, Origin& origin) {
  std::vector<Discovery::Reading> readings;
  for (const direct::Group& group : telemetry.groups) {
    for (std::uint32_t i = group.first; i < group.first + group.count; ++i) {
      const direct::Value& value = telemetry.values[i];
      if (value.kind == direct::ValueKind::wrong) continue;
      Discovery::Reading& reading = readings.emplace_back();
      reading.name = value.signal;
      reading.time = group.time.value_or(origin.received);
      reading.type = value.kind == direct::ValueKind::number ? "number" : "text";
      reading.number = value.number;
      if (value.kind == direct::ValueKind::text) reading.text = value.text;
    }
  }
  Discovery::Message message = message_of(origin);
  message.payload = origin.payload;
  if (discovery_.add(source_of(asset), {}, message, readings)) return;
  intake_.quarantine(origin, 0, "too_many_devices",
                     "no asset \"" + std::string(asset.substr(0, 128)) + "\" in the catalog, and " +
                         std::to_string(Discovery::kMaxSources) +
                         " unclaimed devices are listed already (`fettle discovered`): declare it with `fettle apply`, "
                         "or keep it off the broker");
}

void Claims::unknown_signals(const AssetState& asset, std::span<const Discovery::Reading> readings, Origin& origin) {
  if (readings.empty()) return;
  if (discovery_.add(source_of(asset.id), asset.id, message_of(origin), readings)) return;
  intake_.quarantine(origin, 0, "too_many_devices",
                     asset.id + " sends signals that its model does not have, and " +
                         std::to_string(Discovery::kMaxSources) +
                         " sources of unclaimed readings are listed already (`fettle discovered`): add them to the "
                         "model, or let the device be silent about them");
}

void Claims::claim() {
  for (const std::string& source : discovery_.sources()) {
    const auto asset = sparkplug(source) ? registry_.asset_of_source(source)
                                         : registry_.asset_index(std::string_view(source).substr(source_of({}).size()));
    if (asset) claim(source, assets_[*asset]);
  }
}

void Claims::claim(const std::string& source, AssetState& asset) {
  const ModelInfo& model = *asset.info->model;
  std::uint32_t index = 0;
  const auto claimed = [&](const std::string& name) {
    return !name.empty() && signal_of(model, name, sparkplug(source), index) != nullptr;
  };
  const auto messages = discovery_.take(source, asset.id, claimed);
  for (const Discovery::TakenMessage& message : messages) {
    if (message.payload.empty()) {
      apply(message, asset, sparkplug(source));
      continue;
    }
    Origin origin(message.arrived, message.received, message.session, message.topic, message.payload);
    refold_(asset, origin);
  }
}

void Claims::apply(const Discovery::TakenMessage& message, AssetState& asset, bool metric) {
  const ModelInfo& model = *asset.info->model;
  Origin origin(message.arrived, message.received, message.session, message.topic, message.hash);
  std::vector<std::pair<Time, Reading>> readings;
  std::uint32_t place = 0;
  for (const Discovery::TakenReading& taken : message.readings) {
    Reading reading;
    reading.place = place++;
    reading.flags = taken.flags;
    const SignalInfo* signal = signal_of(model, taken.name, metric, reading.signal);
    if (signal == nullptr || (taken.birth && signal->kind == catalog::EVENT)) continue;
    if ((taken.flags & kUnstamped) != 0 && signal->added_up) {
      intake_.quarantine(origin, reading.place, "needs_timestamp",
                         signal->name +
                             " is metered by sums or counts, and without a timestamp a message delivered "
                             "twice would count twice");
      continue;
    }
    RawValue raw{std::nullopt, taken.number};
    if (taken.text) raw.text = *taken.text;
    const auto value = intake_.resolve(model, reading.signal, raw, origin, reading.place);
    if (!value) continue;
    reading.value = *value;
    readings.emplace_back(taken.time, reading);
  }
  std::stable_sort(readings.begin(), readings.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<Reading> group;
  for (std::size_t i = 0; i < readings.size();) {
    group.clear();
    const Time time = readings[i].first;
    for (; i < readings.size() && readings[i].first == time; ++i) group.push_back(readings[i].second);
    intake_.apply(asset, time, group, origin);
  }
}

}  // namespace fettle::engine
