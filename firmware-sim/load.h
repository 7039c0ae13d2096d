#pragma once
// A synthetic load: any number of assets with any number of signals, one step a second. Every value is a pure function
// of seed, asset, signal and time, so that whoever receives it can tell what should have come without having seen it
// sent.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "firmware-sim/problem.h"
#include "firmware-sim/reading.h"

namespace fettle::sim {

inline constexpr std::uint64_t kMostLoadAssets = 100'000;
inline constexpr std::uint64_t kMostLoadSignals = 1'000;
inline constexpr std::chrono::seconds kLoadStep{1};

struct LoadPlan {
  std::uint64_t assets = 10;
  std::uint64_t signals = 10;  // of each asset
  EventTime start;             // a whole second, not before 2020
  std::uint64_t steps = 60;
  std::uint64_t seed = 1;
};

// Says what is wrong with a plan.
std::optional<Problem> check_load(const LoadPlan& plan);

// Signals take turns: gauge_1, register_2, event_3, gauge_4 ...
enum class LoadKind { kGauge, kRegister, kEvent };
LoadKind load_kind(std::uint64_t signal);  // counted from 0
std::string load_signal_name(std::uint64_t signal);
std::string load_asset_name(std::uint64_t asset);  // "load-00001" for 0

// A gauge in hundredths: 20.00 to 59.99, never the same at two following steps. A register in whole units, which grows
// by at least 1 and at most 17 a step. An event's amount in whole units, 1 to 100.
std::int64_t load_value(std::uint64_t seed, std::uint64_t asset, std::uint64_t signal, EventTime at);

// Registers never grow by more in an hour; the catalog says so.
inline constexpr std::int64_t kFastestLoadRegister = std::int64_t{17} * 3'600;

// At every step one batch of each asset, in the order of their numbers.
class Load : public ReadingSource {
 public:
  // Precondition: check_load(plan) finds nothing.
  explicit Load(const LoadPlan& plan);

  const std::vector<Asset>& assets() const override { return assets_; }
  std::optional<Batch> next() override;
  double fraction() const override;

 private:
  LoadPlan plan_;
  std::vector<Asset> assets_;
  std::uint64_t sent_ = 0;
};

// The YAML that makes a gateway take this load: a model, its meters, a rule pack, a plan that bills every meter,
// seller, customer, the assets and their subscription. `sources` is each asset's device on the broker,
// "<group>/<node>/<device>"; empty for assets that send JSON.
std::string load_catalog(const LoadPlan& plan, const std::vector<std::string>& sources);

}  // namespace fettle::sim
