#pragma once
// Readings as the JSON messages of a device that does not speak Sparkplug.

#include "firmware-sim/message.h"
#include "firmware-sim/reading.h"

namespace fettle::sim {

// Each batch becomes one message on the asset's telemetry topic: an object, or an array where the batch holds several
// times, one object for each run of readings with the same time.
class JsonMessages : public MessageSource {
 public:
  // `readings` must outlive this.
  explicit JsonMessages(ReadingSource& readings) : readings_(readings) {}

  std::optional<Message> next() override;
  double fraction() const override { return readings_.fraction(); }

 private:
  ReadingSource& readings_;
};

}  // namespace fettle::sim
