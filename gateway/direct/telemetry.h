#pragma once
// What a device's payload says, before anybody asks whether it is true: signals by name, values by kind, stamps.
//
// decode_json() and decode_batch() fill a Telemetry that is reused from message to message, so that steady traffic
// allocates nothing. Pure; one Telemetry per thread.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fettle::direct {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

inline constexpr std::size_t kMaxReadings = 10'000;  // of one message

enum class ValueKind : std::uint8_t {
  number,  // `number`, finite
  text,    // `text`
  wrong,   // no value of a signal; `text` says what stands there
};

struct Value {
  std::string_view signal;
  ValueKind kind = ValueKind::wrong;
  double number = 0;
  std::string_view text;
};

// The readings that share one stamp: values[first .. first + count).
struct Group {
  std::optional<Time> time;  // absent: the device sent none
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

struct Telemetry {
  std::vector<Group> groups;  // in order of the payload
  std::vector<Value> values;
  std::string arena;  // what the views of `values` point into

  void clear(std::size_t payload_size);
};

// Why nothing of a payload could be used.
struct Malformed {
  std::string reason;  // a word: malformed, too_many_readings
  std::string detail;  // what, where, what was expected
};

// {"ts": ms or ISO 8601, "<signal>": number | text | true | false, ...} or an array of such. A null value is left out.
std::optional<Malformed> decode_json(std::string_view payload, Telemetry& out);

// fettle.direct.Batch of telemetry.proto.
std::optional<Malformed> decode_batch(std::string_view payload, Telemetry& out);

// ISO 8601 with date, time and zone: 2026-01-31T13:45[:30[.123]](Z | +hh:mm | +hhmm | +hh). Nothing for anything else.
std::optional<Time> parse_iso8601(std::string_view text);

}  // namespace fettle::direct
