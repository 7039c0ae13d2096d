#pragma once
// Everything the engine remembers of one asset between records. Checkpointed (checkpoint_parts.h); the engine's thread.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/dispatch/work_order.h"
#include "gateway/engine/history.h"
#include "gateway/engine/registry.h"
#include "rules/asset_rules.h"

namespace fettle::engine {

// An episode that was raised and not cleared yet.
struct OpenEpisode {
  std::uint32_t rule = 0;  // position in the asset's RuleList
  bool deferred = false;   // raised from a backlog: asks for work if it is still open when the backlog ends
  EpisodeRow row;          // without its evidence, which the store keeps
};

// A work order that is not closed yet. At most one per rule.
struct LiveOrder {
  WorkOrderRow row;
  dispatch::WorkOrder order;
};

// What a meter has measured in the asset's open cell, of one band.
struct OpenCell {
  std::int64_t quantity = 0;  // as UsageRow
  Time first_reading;
  Time last_reading;
  std::uint32_t readings = 0;
  std::uint32_t revision = 0;  // 0: nothing was ever measured
  UsageQuality quality = UsageQuality::measured;
  bool changed = false;  // since it was last written to the store
};

struct AssetState {
  const AssetInfo* info = nullptr;  // in the registry; renewed when the catalog changes
  std::uint32_t number = 0;         // in the registry and in the checkpoint's PartList; likewise
  // What the state below is arranged by, kept so that it finds its place again after a catalog change.
  std::string id;
  std::shared_ptr<const ModelInfo> model;     // shared with the registry
  std::shared_ptr<const RuleList> rule_list;  // likewise
  std::vector<Time> cuts;

  std::vector<Series> series;        // by the model's signal index
  std::optional<Time> newest;        // newest event time admitted
  Time newest_session;               // the asset's session time (Intake::session_time) at which it came in
  std::uint32_t session = 0;         // that its last reading came through: index into Sessions
  rules::Duration session_shift{0};  // added to that session's time, so that the asset's never jumps between sessions
  bool held = false;                 // its readings wait: ticks leave it alone
  bool offline = false;              // its node or device is: ticks leave its event clock alone, silence goes on
  // Its signals are unknown since its last reading, but patient rules have not been told: they are before they are
  // evaluated again, unless what the node buffered meanwhile comes first.
  bool stale_pending = false;
  bool backlog = false;  // between begin_backlog and end_backlog

  billing::Period open;         // that the cells are of: the one of the newest event time (Metering)
  std::vector<OpenCell> cells;  // by MeterInfo::first_cell and band; empty where the model has no meters

  // By Lane: the rules of the RuleList that are in it; absent where there are none.
  std::unique_ptr<rules::AssetRules> rules[kLanes];
  // By Lane: the span of event time in which the entitlement that `rules` were told of last is the same.
  billing::Period entitlement[kLanes];
  std::vector<OpenEpisode> open_episodes;
  std::vector<LiveOrder> orders;  // kept by (pack, rule) while they live, also without the rule
};

}  // namespace fettle::engine
