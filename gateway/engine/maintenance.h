#pragma once
// From a rule's transition to an episode, and from an episode to a work order: once, with its evidence.
//
// Ids come from content: an episode's from (pack, rule, asset, raise time), a work order's from its first episode. So a
// fold done twice writes the same rows. At most one work order lives per (asset, rule): what comes again while it lives
// is one more occurrence of it. The engine's thread only.

#include <map>
#include <optional>
#include <string>
#include <tuple>

#include "gateway/dispatch/work_order.h"
#include "gateway/engine/asset_state.h"
#include "gateway/engine/checkpoint.pb.h"
#include "gateway/engine/command.pb.h"

namespace fettle::engine {

struct Outcome {
  bool ok = false;
  std::string text;  // ok: JSON for the caller; else what is wrong and how to mend it
};

class Maintenance {
 public:
  static constexpr std::size_t kMaxEvidence = 256;  // readings kept per signal

  explicit Maintenance(History& history) : history_(history) {}

  // `sequence` is the record that completed the condition, `now` the gateway's time there.
  void raised(AssetState& asset, const rules::Transition& transition, Sequence sequence, Time now, Effects& effects);
  void cleared(AssetState& asset, const rules::Transition& transition, Effects& effects);
  // Ends an open episode, never before it was raised. Nothing where there is no open one of that id.
  void end(const std::string& episode, Time at, std::string reason, Effects& effects);

  Outcome close(const CloseWorkOrder& command, Time now, Effects& effects);

  void save(WorkingState& out) const;
  void load(const WorkingState& in);

 private:
  struct Live {
    WorkOrderRow row;
    dispatch::WorkOrder order;
  };
  using RuleKey = std::tuple<std::string, std::string, std::string>;  // asset, pack, rule

  void ask_for_work(const AssetInfo& asset, const RuleInfo& rule, const RuleOnAsset& on_asset, EpisodeRow& episode,
                    Time now, Effects& effects);
  std::vector<EvidencePoint> evidence(AssetState& asset, const RuleInfo& rule, Time until);

  History& history_;
  std::map<RuleKey, Live> orders_;
  std::map<std::string, EpisodeRow> episodes_;  // open ones by id, without their evidence
};

// "EP-" or "WO-" and 12 letters and digits (60 bits) of a hash of the parts.
std::string content_id(std::string_view prefix, std::string_view pack, std::string_view rule, std::string_view asset,
                       Time raised_at);

}  // namespace fettle::engine
