#include "gateway/engine/direct_intake.h"

#include <algorithm>

namespace fettle::engine {

std::optional<DirectIntake::Topic> DirectIntake::parse(std::string_view topic) {
  constexpr std::string_view kRoot = "fettle/v1/";
  if (!topic.starts_with(kRoot)) return std::nullopt;
  topic.remove_prefix(kRoot.size());
  const std::size_t slash = topic.find('/');
  if (slash == std::string_view::npos || slash == 0) return std::nullopt;
  return Topic{topic.substr(0, slash), topic.substr(slash + 1)};
}

void DirectIntake::fold(const Topic& topic, AssetState* asset, Origin& origin) {
  const auto malformed = topic.what == "batch" ? direct::decode_batch(origin.payload, telemetry_)
                                               : direct::decode_json(origin.payload, telemetry_);
  if (malformed) {
    intake_.quarantine(origin, 0, malformed->reason, malformed->detail);
    return;
  }
  if (asset == nullptr) {
    claims_.unknown_asset(topic.asset, telemetry_, origin);
  } else {
    apply(telemetry_, *asset, origin);
  }
}

void DirectIntake::apply(const direct::Telemetry& telemetry, AssetState& asset, Origin& origin) {
  const auto earlier = [&](const direct::Group& a, const direct::Group& b) {
    return a.time.value_or(origin.received) < b.time.value_or(origin.received);
  };
  if (std::is_sorted(telemetry.groups.begin(), telemetry.groups.end(), earlier)) {
    for (const direct::Group& group : telemetry.groups) apply(telemetry, group, asset, origin);
    return;
  }
  groups_.assign(telemetry.groups.begin(), telemetry.groups.end());
  std::stable_sort(groups_.begin(), groups_.end(), earlier);
  for (const direct::Group& group : groups_) apply(telemetry, group, asset, origin);
}

std::optional<std::uint32_t> DirectIntake::signal_of(const ModelInfo& model, std::string_view name) {
  if (expected_ >= model.signals.size()) expected_ = 0;
  if (expected_ < model.signals.size() && model.signals[expected_].name == name) return expected_++;
  const auto found = model.signal_index.find(name);
  if (found == model.signal_index.end()) return std::nullopt;
  expected_ = found->second + 1;
  return found->second;
}

bool DirectIntake::resolve(const ModelInfo& model, const direct::Value& value, Reading& reading, const Origin& origin) {
  const auto signal = signal_of(model, value.signal);
  if (!signal) {
    if (value.kind == direct::ValueKind::wrong) {
      intake_.quarantine(origin, reading.place, "unknown_signal",
                         "model " + model.id + " has no signal \"" + std::string(value.signal.substr(0, 128)) +
                             "\", and its value is " + std::string(value.text) + ", which no signal can have");
      return false;
    }
    Discovery::Reading& unknown = unknown_.emplace_back();
    unknown.name = value.signal;
    unknown.type = value.kind == direct::ValueKind::number ? "number" : "text";
    unknown.flags = reading.flags;
    unknown.number = value.number;
    if (value.kind == direct::ValueKind::text) unknown.text = value.text;
    return false;
  }
  reading.signal = *signal;
  if (value.kind == direct::ValueKind::wrong) {
    intake_.quarantine(origin, reading.place, "not_a_number",
                       std::string(value.signal) + " is " + std::string(value.text) + "; expected a finite number");
    return false;
  }
  RawValue raw{std::nullopt, value.number};
  if (value.kind == direct::ValueKind::text) raw.text = value.text;
  const auto number = intake_.resolve(model, *signal, raw, origin, reading.place);
  if (!number) return false;
  reading.value = *number;
  return true;
}

void DirectIntake::apply(const direct::Telemetry& telemetry, const direct::Group& group, AssetState& asset,
                         Origin& origin) {
  const ModelInfo& model = *asset.info->model;
  const Time event = group.time.value_or(origin.received);
  readings_.clear();
  unknown_.clear();
  if (group.count == 0 || !intake_.in_time(asset, event, origin, group.first)) return;
  for (std::uint32_t i = group.first; i < group.first + group.count; ++i) {
    Reading reading;
    reading.place = i;
    reading.flags = group.time ? std::uint8_t{0} : std::uint8_t{kUnstamped};
    if (!resolve(model, telemetry.values[i], reading, origin)) continue;
    const SignalInfo& signal = model.signals[reading.signal];
    if (!group.time && signal.added_up) {
      intake_.quarantine(origin, i, "needs_timestamp",
                         signal.name +
                             " is metered by sums or counts, and without \"ts\" a message delivered twice would count "
                             "twice");
      continue;
    }
    readings_.push_back(reading);
  }
  if (!unknown_.empty()) {
    for (Discovery::Reading& unknown : unknown_) unknown.time = event;
    claims_.unknown_signals(asset, unknown_, origin);
  }
  intake_.apply(asset, event, readings_, origin);
}

}  // namespace fettle::engine
