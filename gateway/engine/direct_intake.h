#pragma once
// Telemetry of devices that do not speak Sparkplug, on its way to Intake: topics, payloads, signals by name.
//
// Topics fettle/v1/<asset>/telemetry and .../event carry JSON, .../batch the project's Protobuf (gateway/direct). A
// caller that decoded a foreign payload itself hands it in as Telemetry. The engine's thread only.

#include <optional>
#include <string_view>
#include <vector>

#include "gateway/direct/telemetry.h"
#include "gateway/engine/claims.h"
#include "gateway/engine/intake.h"
#include "gateway/journal/record.h"

namespace fettle::engine {

class DirectIntake {
 public:
  // A topic of ours: fettle/v1/<asset>/<what>.
  struct Topic {
    std::string_view asset;
    std::string_view what;  // telemetry, event, batch, or something else
  };
  static std::optional<Topic> parse(std::string_view topic);
  // Whether its last part is one of telemetry, event and batch.
  static bool ours(const Topic& topic) {
    return topic.what == "telemetry" || topic.what == "event" || topic.what == "batch";
  }

  DirectIntake(FoldState& fold, Intake& intake, Claims& claims) : fold_(fold), intake_(intake), claims_(claims) {}

  // A message on one of our topics, of this asset; null: of an asset nobody has declared. What cannot be used goes to
  // the quarantine, what nobody claims to Claims.
  void fold(const Topic& topic, AssetState* asset, Origin& origin);

  // Readings of the asset by signal name, grouped by stamp: earlier event times first.
  void apply(const direct::Telemetry& telemetry, AssetState& asset, Origin& origin);

 private:
  void apply(const direct::Telemetry& telemetry, const direct::Group& group, AssetState& asset, Origin& origin);
  bool resolve(const ModelInfo& model, const direct::Value& value, Reading& reading, const Origin& origin);
  std::optional<std::uint32_t> signal_of(const ModelInfo& model, std::string_view name);

  FoldState& fold_;
  Intake& intake_;
  Claims& claims_;

  // Reused from message to message.
  direct::Telemetry telemetry_;
  std::vector<direct::Group> groups_;
  std::vector<Reading> readings_;
  std::vector<Discovery::Reading> unknown_;
  std::uint32_t expected_ = 0;  // the signal that mostly comes next: devices name theirs in the model's order
};

}  // namespace fettle::engine
