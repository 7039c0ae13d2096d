#pragma once
// What the fold of a record works on beside the assets: the effects of the batch in the making, and the engine's few
// global facts. The Engine owns the one there is; its parts (Intake, Metering, Maintenance ...) hold a reference.

#include <functional>
#include <map>
#include <string>

#include "gateway/engine/ports.h"
#include "gateway/engine/sessions.h"

namespace fettle::engine {

struct EngineOptions {
  rules::Duration max_future{std::chrono::minutes(5)};  // a stamp further ahead of the received time is quarantined
  rules::Duration retention{0};                         // an older stamp is quarantined; 0: nothing is too old
  bool keep_events = false;                             // in the outbox, until they are delivered
};

struct FoldState {
  EngineOptions options;

  // Working state.
  Time now;  // gateway time: the newest received time of a record
  Sessions sessions;
  SeriesId next_series = 0;
  std::uint64_t last_event = 0;  // number of the newest work-order event, in the outbox or not
  Counters counters;

  // The batch in the making. While `replaying`, effects stand in the store already, and those here are thrown away.
  Effects effects;
  Sequence folding = 0;  // the record being folded
  bool replaying = false;

  // What was quarantined since somebody took it, by reason; not of what is replayed. Reasons are words of the program.
  std::map<std::string, std::uint64_t, std::less<>> refusals;
};

}  // namespace fettle::engine
