#pragma once
// From a rule's transition to an episode, and from an episode to a work order: once, with its evidence.
//
// Ids come from content: an episode's from (pack, rule, asset, raise time), a work order's from its first episode. So a
// fold done twice writes the same rows. At most one work order lives per (asset, rule): what comes again while it lives
// is one more occurrence of it. What is open lives in the AssetState. The engine's thread only.

#include <span>
#include <string>

#include "gateway/engine/asset_state.h"
#include "gateway/engine/checkpoint.pb.h"
#include "gateway/engine/command.pb.h"
#include "gateway/engine/fold_state.h"

namespace fettle::engine {

struct Outcome {
  bool ok = false;
  std::string text;  // ok: JSON for the caller; else what is wrong and how to mend it
};

class Maintenance {
 public:
  static constexpr std::size_t kMaxEvidence = 256;  // readings kept per signal

  Maintenance(FoldState& fold, History& history) : fold_(fold), history_(history) {}

  // The rule at `position` of the asset's list raised. `unstored` are readings that led to it and are not in the
  // history yet (a P1 rule that did not wait): they stand in the evidence too. In a backlog the episode is recorded and
  // work is asked for only if it is still open when the backlog ends.
  void raised(AssetState& asset, std::uint32_t position, const rules::Transition& transition,
              std::span<const EvidencePoint> unstored);
  void cleared(AssetState& asset, std::uint32_t position, Time at, std::string reason);
  // Ends an episode taken out of an asset's open ones, never before it was raised.
  void end(EpisodeRow episode, Time at, std::string reason);

  // What is still open of the episodes of a backlog asks for work.
  void end_backlog(AssetState& asset);

  // The asset with a live order of that id; null: there is none.
  static AssetState* asset_of(std::span<AssetState> assets, const std::string& order);
  // `asset` as asset_of() found it.
  Outcome close(AssetState* asset, const CloseWorkOrder& command);

  static void save(const AssetState& asset, OpenWork& out);
  static void load(const OpenWork& in, AssetState& asset);

 private:
  void tell(LiveOrder& live, const dispatch::Event& event);
  void ask_for_work(AssetState& asset, OpenEpisode& open);
  void repeat(LiveOrder& live, dispatch::Priority priority, EpisodeRow& episode);
  std::vector<EvidencePoint> evidence(AssetState& asset, const RuleInfo& rule, Time until);

  FoldState& fold_;
  History& history_;
};

// "EP-" or "WO-" and 12 letters and digits (60 bits) of a hash of the parts.
std::string content_id(std::string_view prefix, std::string_view pack, std::string_view rule, std::string_view asset,
                       Time raised_at);

}  // namespace fettle::engine
