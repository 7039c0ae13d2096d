#pragma once
// Everything the engine remembers of one asset between records. Checkpointed (checkpoint.proto); the engine's thread.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gateway/engine/history.h"
#include "gateway/engine/registry.h"
#include "rules/asset_rules.h"

namespace fettle::engine {

struct AssetState {
  const AssetInfo* info = nullptr;  // in the registry; renewed when the catalog changes
  // What the state below is arranged by, kept so that it finds its place again after a catalog change.
  std::string id;
  std::vector<std::string> signal_names;
  std::vector<std::pair<std::string, std::string>> rule_names;  // pack, rule
  std::vector<Time> cuts;

  std::vector<Series> series;                // by the model's signal index
  std::optional<Time> newest;                // newest event time admitted
  Time newest_session;                       // session time (engine.h) at which it came in
  std::unique_ptr<rules::AssetRules> rules;  // absent where no rule watches it
  std::vector<std::string> open_episodes;    // by position in info->rules: the open episode's id, or empty
};

}  // namespace fettle::engine
