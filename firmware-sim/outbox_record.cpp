#include "firmware-sim/outbox_record.h"

#include <algorithm>
#include <variant>

namespace fettle::sim::record {

void put_readings(std::string& out, const Batch& batch) {
  put(out, static_cast<std::uint32_t>(batch.readings.size()));
  for (const auto& reading : batch.readings) {
    put(out, reading.signal);
    put(out, std::int64_t{reading.at.time_since_epoch().count()});
    put(out, static_cast<std::uint8_t>(reading.value.index()));
    if (const auto* text = std::get_if<std::string>(&reading.value)) {
      put(out, static_cast<std::uint32_t>(text->size()));
      out += *text;
    } else if (const auto* number = std::get_if<double>(&reading.value)) {
      put(out, *number);
    } else {
      put(out, std::get<std::int64_t>(reading.value));
    }
  }
}

bool get_readings(Reader& in, Batch& batch) {
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && !in.failed(); ++i) {
    SignalReading reading;
    reading.signal = in.get<std::uint32_t>();
    reading.at = EventTime(std::chrono::milliseconds(in.get<std::int64_t>()));
    switch (in.get<std::uint8_t>()) {
      case 0:
        reading.value = in.get<double>();
        break;
      case 1:
        reading.value = in.get<std::int64_t>();
        break;
      case 2:
        reading.value = std::string(in.get_text(in.get<std::uint32_t>()));
        break;
      default:
        return false;
    }
    batch.at = i == 0 ? reading.at : std::max(batch.at, reading.at);
    batch.readings.push_back(std::move(reading));
  }
  return in.complete();
}

}  // namespace fettle::sim::record
