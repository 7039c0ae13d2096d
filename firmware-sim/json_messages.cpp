#include "firmware-sim/json_messages.h"

#include <array>
#include <charconv>

#include "firmware-sim/json_text.h"

namespace fettle::sim {
namespace {

// The shortest decimal that is this double again.
std::string number_text(double value) {
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return {buffer.data(), end.ptr};
}

void add(JsonObject& object, const std::string& name, const SignalValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    object.text(name, *text);
  } else if (const auto* number = std::get_if<double>(&value)) {
    object.number(name, number_text(*number));
  } else {
    object.number(name, std::to_string(std::get<std::int64_t>(value)));
  }
}

}  // namespace

std::optional<Message> JsonMessages::next() {
  const auto batch = readings_.next();
  if (!batch) return std::nullopt;
  const auto& asset = readings_.assets()[batch->asset];
  std::vector<std::string> objects;
  for (std::size_t i = 0; i < batch->readings.size();) {
    const EventTime at = batch->readings[i].at;
    JsonObject object;
    object.number("ts", millis_text(at));
    for (; i < batch->readings.size() && batch->readings[i].at == at; ++i)
      add(object, asset.signals[batch->readings[i].signal].name, batch->readings[i].value);
    objects.push_back(std::move(object).finish());
  }
  std::string payload = objects.size() == 1 ? objects.front() : "[";
  for (std::size_t i = 0; i < objects.size() && objects.size() > 1; ++i) payload += (i == 0 ? "" : ",") + objects[i];
  if (objects.size() > 1) payload += ']';
  return Message{MessageKind::kTelemetry, telemetry_topic(asset.id), std::move(payload), batch->at};
}

}  // namespace fettle::sim
