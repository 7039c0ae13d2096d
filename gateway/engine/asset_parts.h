#pragma once
// The assets' parts of a checkpoint, "asset/<id>": an asset's series, rules, open usage, orders and episodes as bytes,
// and back. With each part saved, the asset's open usage is written to the store too, so that people see it.
//
// A part is arranged by the asset's model and rules as they were; it says by which (ModelInfo::layout,
// RuleList::layout), and an asset that gets another arrangement is saved anew. The engine's thread only.

#include <functional>
#include <string>
#include <vector>

#include "gateway/engine/asset_state.h"
#include "gateway/engine/checkpoint_parts.h"
#include "gateway/engine/metering.h"

namespace fettle::engine {

class AssetParts : public PartSource {
 public:
  AssetParts(std::vector<AssetState>& assets, const Registry& registry, Metering& metering)
      : assets_(assets), registry_(registry), metering_(metering) {}

  // Before anything of the asset changes.
  void touch(const AssetState& asset) {
    list_.touch(asset.number, [this](std::uint32_t number) { return save(number); });
  }

  // Around a change of the catalog: before the assets are numbered anew, and after, with the number that each had
  // before where its part is arranged as it was, else PartList::kNew.
  void before_renumbering();
  void renumber(const std::vector<std::uint32_t>& former) { list_.renumber(former); }

  static constexpr std::string_view kPrefix = "asset/";
  bool owns(std::string_view key) const override { return key.starts_with(kPrefix); }
  void begin_round() override { list_.begin_round(); }
  bool take(std::int64_t& room, std::vector<CheckpointPart>& out) override;
  std::size_t early_bytes() const override { return list_.early_bytes(); }
  bool restore(CheckpointPart part) override;
  std::string restored() override {
    list_.all_saved();
    return {};
  }

 private:
  CheckpointPart save(std::uint32_t number);

  std::vector<AssetState>& assets_;
  const Registry& registry_;
  Metering& metering_;
  PartList list_;
  std::int64_t written_ = 0;  // bytes of usage records that came with the parts being taken
};

}  // namespace fettle::engine
