#pragma once
// The data sets that can be replayed: the text of a recording in, the messages of its devices out, in the file's order.
// No files and no clock here. Numbers keep the decimal text of the recording, so nothing is rounded on the way.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "firmware-sim/csv.h"
#include "firmware-sim/message.h"
#include "firmware-sim/problem.h"

namespace fettle::sim {

struct RecordingOptions {
  std::string asset_prefix;                                             // put before every asset's name
  std::uint64_t row_limit = std::numeric_limits<std::uint64_t>::max();  // rows read from each file
};

// A 15-minute energy meter of a steel works: asset steel-meter-1, one message a row. The stamps are local time in
// Seoul, nine hours ahead of UTC all year; the last interval of a day is stamped 00:00 of that same day, and stays so.
Result<std::vector<Message>> parse_steel(const CsvText& csv, const RecordingOptions& options);

// Temperature of a large machine: asset machine-1, one message a row, stamps taken as UTC. The recording jumps back
// once; the order of the file is kept.
Result<std::vector<Message>> parse_nab(const CsvText& csv, const RecordingOptions& options);

// Ageing of one battery cell: asset battery-<cell>. Discharge samples go out as arrays of at most kSamplesPerMessage,
// and at the end of every cycle an event with the cycle's capacity. A cycle cut off by the row limit has no such event.
Result<std::vector<Message>> parse_battery(const CsvText& csv, std::string_view cell, const RecordingOptions& options);

inline constexpr std::size_t kSamplesPerMessage = 50;

// Several recordings as one, by event time; each keeps its own order, and at equal times the earlier in the list goes
// first.
std::vector<Message> merge_by_time(std::vector<std::vector<Message>> recordings);

}  // namespace fettle::sim
