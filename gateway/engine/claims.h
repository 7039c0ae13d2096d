#pragma once
// What nobody claims, on its way to Discovery, and what it said, on its way into the engine once somebody does.
//
// A catalog entry claims a direct device by an asset of its id, a Sparkplug device by naming its path among an asset's
// sources, a signal by adding it to the model. The engine's thread.

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/direct/telemetry.h"
#include "gateway/engine/discovery.h"
#include "gateway/engine/intake.h"

namespace fettle::engine {

class Claims {
 public:
  // `refold` takes a kept message of an asset that is known now, as if it came in again.
  using Refold = std::function<void(AssetState& asset, Origin& origin)>;

  Claims(Discovery& discovery, Intake& intake, const Registry& registry, std::vector<AssetState>& assets, Refold refold)
      : discovery_(discovery), intake_(intake), registry_(registry), assets_(assets), refold_(std::move(refold)) {}

  static std::string source_of(std::string_view asset) { return "fettle/v1/" + std::string(asset); }

  // A message of a direct device that is no asset. `telemetry` is what can be said of its signals (empty: nothing).
  void unknown_asset(std::string_view asset, const direct::Telemetry& telemetry, Origin& origin);
  // Readings of one message that name signals which the asset's model does not have.
  void unknown_signals(const AssetState& asset, std::span<const Discovery::Reading> readings, Origin& origin);

  // The catalog changed: what is claimed now is processed, in order of arrival.
  void claim();

 private:
  void claim(const std::string& source, AssetState& asset);
  // `metric`: names are those of Sparkplug metrics.
  void apply(const Discovery::TakenMessage& message, AssetState& asset, bool metric);
  static Discovery::Message message_of(Origin& origin);
  static bool sparkplug(const std::string& source) { return !source.starts_with("fettle/v1/"); }

  Discovery& discovery_;
  Intake& intake_;
  const Registry& registry_;
  std::vector<AssetState>& assets_;
  Refold refold_;
};

}  // namespace fettle::engine
