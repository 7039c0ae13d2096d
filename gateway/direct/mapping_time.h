#pragma once
// When a foreign reading was taken: epoch numbers and ISO 8601 texts, with or without a zone, as UTC.
//
// Pure. Zones come in as a function, so that this folder needs no zone database.

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

#include "gateway/direct/mapping_json.h"
#include "gateway/direct/telemetry.h"

namespace fettle::direct {

using LocalTime = std::chrono::local_time<std::chrono::milliseconds>;

// The instants at which a zone's clocks show a time: none in the gap where clocks go forward, two where they go back.
struct Instants {
  std::optional<Time> first;
  std::optional<Time> second;  // later than `first`
};
using ZoneClock = std::function<Instants(LocalTime)>;

// Of a time that clocks show twice the later one is meant, unless it lies so far ahead of when the message was
// received that it cannot have been.
inline constexpr std::chrono::milliseconds kAheadAtMost = std::chrono::minutes(5);

enum class StampFormat { unix_s, unix_ms, unix_us, unix_ns, iso8601 };

// A number's text, exact to the last digit: digits finer than a millisecond are cut (towards the past). Nothing for
// what is no number or lies beyond the year 287,000.
std::optional<Time> epoch_time(std::string_view text, StampFormat format);

// ISO 8601. A text that names no zone is of `zone`; where that is empty, or the time does not exist there, nothing.
std::optional<Time> iso_time(std::string_view text, const ZoneClock& zone, Time received);

// What a node says in one of the formats. Numbers in quotes are numbers too.
std::optional<Time> stamp_of(const JsonNode& node, StampFormat format, const ZoneClock& zone, Time received);

}  // namespace fettle::direct
