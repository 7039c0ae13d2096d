#pragma once
// What HostNodes makes of messages and time: events in order, and the samples that belong to them.
//
// An Output is reused: the caller clears it, hands it in, reads it. Views point into the arrival's own bytes, into
// Output::kept, or into HostNodes (broker names): they live until the next clear() or change of those. Pure; one
// thread.

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/sparkplug/data_type.h"
#include "gateway/sparkplug/value.h"

namespace fettle::sparkplug {

using SourceId = std::uint32_t;  // dense, from 0, in order of first sight; nodes and devices share them
inline constexpr SourceId kNoSource = ~SourceId{0};

// One message as a broker delivered it.
struct Arrival {
  std::string_view broker;  // the configured name of the connection it came by
  std::string_view topic;
  std::string_view payload;
  Time received;
  std::uint64_t sequence = 0;  // of its journal record
  std::uint64_t hash = 0;      // of its payload; equal hashes are taken for equal payloads
};

// The message an event comes from: with data that waited in a reorder buffer it is an earlier one than the arrival.
struct Origin {
  std::uint64_t sequence = 0;
  Time received;
  std::string_view topic;
  std::uint64_t hash = 0;
};

enum class SampleKind : std::uint8_t {
  integer,  // number, and integer exactly
  number,   // number, finite
  text,     // text, UTF-8
  null,     // said to be absent (is_null), or without any value
  opaque,   // Bytes and File: text holds the bytes
  wrong,    // no value of its type; text says what stands there
};

struct Sample {
  std::uint32_t metric = 0;  // index into Source::metrics
  DataType type = DataType::unknown;
  SampleKind kind = SampleKind::null;
  Quality quality = Quality::good;
  bool historical = false;  // is_historical, or it waited behind a message that never came
  bool transient = false;   // act upon it, do not store it
  bool unstamped = false;   // neither metric nor payload has a time: `time` is when it was received
  Time time;
  double number = 0;
  std::int64_t integer = 0;
  std::string_view text;
};

enum class EventKind : std::uint8_t {
  discovered,  // source is seen for the first time
  born,        // source is online; its values follow as `data` with `birth`
  data,        // samples of source
  died,        // source is offline and its metrics stale as of `at`; after a node's follow those of its devices
  stale,       // source's metrics are stale as of `at`, nothing said that it died: rebirth of its node, lost broker
  gap,         // sequence numbers of node `source` are missing, or no longer
  rebirth_request,  // NCMD to be sent to node `source` over `broker`, because of `reason`
  refused,          // a message, or part of it, was of no use: for the quarantine
};

enum class GapState : std::uint8_t {
  opened,  // missing messages are waited for
  healed,  // they came in time, and everything was applied in order
  lost,    // they did not; what waited behind them follows as historical data
};

struct Event {
  EventKind kind = EventKind::data;
  SourceId source = kNoSource;  // kNoSource: refused before it was known whose it is
  bool birth = false;           // data: the values a birth gave
  bool rebirth = false;         // born: in a session that stood already
  bool after_absence = false;   // born: it, its node, or the way to it was not online before
  std::uint32_t first_sample = 0;
  std::uint32_t sample_count = 0;
  Time at;                        // host's time of the event; died by DDEATH: the timestamp in it
  std::optional<Time> timestamp;  // of the payload
  Origin origin;                  // born, data, died, refused, gap: the message behind it, if there is one
  GapState gap = GapState::opened;
  std::uint8_t expected = 0;  // gap: sequence number that should have come, and the one that came
  std::uint8_t got = 0;
  std::uint16_t missing = 0;  // gap: how many; opened and healed: up to the next one at hand; lost: all in the buffer
  Time since;                 // gap: received time of the last message in order before it
  std::string_view broker;
  std::string_view reason;  // refused, rebirth_request: a word
  std::string_view detail;  // the same in a sentence: what, where, expected
};

struct Output {
  std::vector<Event> events;
  std::vector<Sample> samples;
  std::deque<std::string> kept;  // texts and messages that views above point into

  void clear() {
    events.clear();
    samples.clear();
    kept.clear();
  }
};

}  // namespace fettle::sparkplug
