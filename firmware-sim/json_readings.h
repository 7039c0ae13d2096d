#pragma once
// The JSON messages of recordings and of the lift fleet as readings, for devices that do not send JSON.

#include <string>
#include <unordered_map>
#include <vector>

#include "firmware-sim/message.h"
#include "firmware-sim/problem.h"
#include "firmware-sim/reading.h"

namespace fettle::sim {

// Every asset and signal that occurs in the messages, in the order of first occurrence. Signals that hold texts are
// reported on change, as their devices do in JSON; numbers always. A signal that is a number here and a text there is a
// problem.
Result<std::vector<Asset>> assets_in(const std::vector<Message>& messages);

// The lifts of a fleet of this size, with all that they may ever report.
std::vector<Asset> lift_assets(std::uint64_t lifts);

class JsonReadings : public ReadingSource {
 public:
  // `messages` must outlive this, and hold telemetry and events of `assets` only; anything else throws
  // std::runtime_error.
  JsonReadings(MessageSource& messages, std::vector<Asset> assets);

  const std::vector<Asset>& assets() const override { return assets_; }
  std::optional<Batch> next() override;
  double fraction() const override { return messages_.fraction(); }

 private:
  MessageSource& messages_;
  std::vector<Asset> assets_;
  std::unordered_map<std::string, std::uint32_t> asset_by_topic_;  // both topics of each
};

}  // namespace fettle::sim
