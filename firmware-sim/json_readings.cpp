#include "firmware-sim/json_readings.h"

#include <algorithm>
#include <boost/json.hpp>
#include <stdexcept>

#include "firmware-sim/fleet.h"

namespace fettle::sim {
namespace {

// "fettle/v1/<asset>/telemetry" or ".../event"
std::string asset_of(const std::string& topic) {
  constexpr std::string_view kPrefix = "fettle/v1/";
  const std::size_t end = topic.rfind('/');
  if (!topic.starts_with(kPrefix) || end == std::string::npos || end < kPrefix.size()) return {};
  return topic.substr(kPrefix.size(), end - kPrefix.size());
}

// Calls f(object) for the object, or for each of the array of objects, that a payload is.
template <typename F>
void each_object(const std::string& payload, F f) {
  const auto parsed = boost::json::parse(payload);
  if (parsed.is_array()) {
    for (const auto& entry : parsed.as_array()) f(entry.as_object());
  } else {
    f(parsed.as_object());
  }
}

SignalType type_of(const boost::json::value& value) {
  return value.is_string() ? SignalType::kText : SignalType::kNumber;
}

Signal signal_named(std::string name, SignalType type) {
  return {std::move(name), type, type == SignalType::kText ? Report::kChanges : Report::kEvery};
}

SignalValue value_of(const boost::json::value& value) {
  if (value.is_string()) return std::string(value.as_string());
  return value.to_number<double>();
}

}  // namespace

Result<std::vector<Asset>> assets_in(const std::vector<Message>& messages) {
  std::vector<Asset> assets;
  std::unordered_map<std::string, std::size_t> places;
  for (const auto& message : messages) {
    if (message.kind == MessageKind::kClock) continue;
    const std::string id = asset_of(message.topic);
    const auto [place, is_new] = places.emplace(id, assets.size());
    if (is_new) assets.push_back({id, {}});
    auto& signals = assets[place->second].signals;
    std::optional<Problem> problem;
    each_object(message.payload, [&](const boost::json::object& object) {
      for (const auto& [name, value] : object) {
        if (name == "ts" || value.is_null()) continue;
        const auto known = std::ranges::find(signals, std::string_view(name.data(), name.size()), &Signal::name);
        if (known == signals.end()) {
          signals.push_back(signal_named(name, type_of(value)));
        } else if (known->type != type_of(value)) {
          problem = Problem{id + ": signal " + known->name + " is a number in one message and a text in another"};
        }
      }
    });
    if (problem) return *problem;
  }
  return assets;
}

std::vector<Asset> lift_assets(std::uint64_t lifts) {
  std::vector<Asset> assets;
  for (std::uint64_t i = 0; i < lifts; ++i) {
    Asset asset{lift_name(i), {}};
    for (const auto* name : {"door_close_time", "motor_temperature", "vibration", "trips", "energy"})
      asset.signals.push_back(signal_named(name, SignalType::kNumber));
    asset.signals.push_back(signal_named("mode", SignalType::kText));
    asset.signals.push_back(signal_named("door_fault", SignalType::kNumber));
    assets.push_back(std::move(asset));
  }
  return assets;
}

JsonReadings::JsonReadings(MessageSource& messages, std::vector<Asset> assets)
    : messages_(messages), assets_(std::move(assets)) {
  for (std::size_t i = 0; i < assets_.size(); ++i) {
    asset_by_topic_[telemetry_topic(assets_[i].id)] = static_cast<std::uint32_t>(i);
    asset_by_topic_[event_topic(assets_[i].id)] = static_cast<std::uint32_t>(i);
  }
}

std::optional<Batch> JsonReadings::next() {
  const auto message = messages_.next();
  if (!message) return std::nullopt;
  const auto asset = asset_by_topic_.find(message->topic);
  if (asset == asset_by_topic_.end()) throw std::runtime_error(message->topic + " belongs to no asset of this source");
  const auto& signals = assets_[asset->second].signals;
  Batch batch{asset->second, message->at, {}};
  each_object(message->payload, [&](const boost::json::object& object) {
    const EventTime at{std::chrono::milliseconds(object.at("ts").to_number<std::int64_t>())};
    for (const auto& [name, value] : object) {
      if (name == "ts" || value.is_null()) continue;
      const auto known = std::ranges::find(signals, std::string_view(name.data(), name.size()), &Signal::name);
      if (known == signals.end())
        throw std::runtime_error(message->topic + ": signal " + std::string(name) + " unknown");
      batch.readings.push_back({static_cast<std::uint32_t>(known - signals.begin()), at, value_of(value)});
    }
  });
  return batch;
}

}  // namespace fettle::sim
