#include <cmath>

#include "gateway/direct/telemetry.h"
#include "gateway/direct/telemetry.pb.h"

namespace fettle::direct {
namespace {

std::string_view keep(Telemetry& out, std::string_view text) {
  const std::size_t at = out.arena.size();
  out.arena.append(text);
  return std::string_view(out.arena).substr(at);
}

Value value_of(const Reading& reading, Telemetry& out) {
  Value value;
  value.signal = keep(out, reading.signal());
  switch (reading.value_case()) {
    case Reading::kNumber:
      value.number = reading.number();
      if (std::isfinite(value.number)) {
        value.kind = ValueKind::number;
      } else {
        value.text = std::isnan(value.number) ? "NaN" : "an infinite number";
      }
      break;
    case Reading::kFlag:
      value.kind = ValueKind::number;
      value.number = reading.flag() ? 1 : 0;
      break;
    case Reading::kState:
      value.kind = ValueKind::text;
      value.text = keep(out, reading.state());
      break;
    case Reading::VALUE_NOT_SET:
      value.text = "no value";
      break;
  }
  return value;
}

}  // namespace

std::optional<Malformed> decode_batch(std::string_view payload, Telemetry& out) {
  out.clear(payload.size());
  thread_local Batch batch;  // keeps its memory from message to message
  if (!batch.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return Malformed{"malformed", "the " + std::to_string(payload.size()) +
                                      " bytes are no fettle.direct.Batch (truncated, or of another message type)"};
  }
  if (static_cast<std::size_t>(batch.readings_size()) > kMaxReadings) {
    return Malformed{"too_many_readings", std::to_string(batch.readings_size()) + " readings in one message; at most " +
                                              std::to_string(kMaxReadings) + ": send several messages"};
  }
  for (const Reading& reading : batch.readings()) {
    std::optional<Time> time;
    if (reading.has_time_ms()) time = Time(std::chrono::milliseconds(reading.time_ms()));
    if (out.groups.empty() || out.groups.back().time != time) {
      out.groups.push_back({time, static_cast<std::uint32_t>(out.values.size()), 0});
    }
    out.values.push_back(value_of(reading, out));
    ++out.groups.back().count;
  }
  return std::nullopt;
}

}  // namespace fettle::direct
