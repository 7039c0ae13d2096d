#pragma once
// Usage out of readings: the meters of each model, as usage records of an hour of the customer's zone.
//
// Usage is a fold over the *sorted* readings. A reading that is the newest of its series adds what it adds; one that
// comes late, or changes what an older one meant, has the cells it touches computed again from their neighbours. Both
// give the same records, so the order of arrival never matters (property test in tests/gateway/engine).
//
// Open usage lives here and is handed over with each checkpoint; the store holds usage as of the last one.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gateway/engine/asset_state.h"

namespace fettle::engine {

class Metering {
 public:
  // Records held before a checkpoint must be made; about 200 bytes each.
  static constexpr std::size_t kMaxOpen = 200'000;

  Metering(Store& store, History& history) : store_(store), history_(history) {}

  // A reading was admitted (and added to the history). `previous_head` is the series' head before it, if it had one.
  void reading(AssetState& asset, std::uint32_t signal, const Point& point, const std::optional<Point>& previous_head);

  // A state signal has a reading at `point`: readings of meters that it divides, and that are there already, may now
  // belong to another band.
  void state(AssetState& asset, std::uint32_t signal, const Point& point);

  // The asset's subscriptions changed: cells around these instants are cut differently.
  void recut(AssetState& asset, const std::vector<Time>& instants);

  std::size_t open() const { return cells_.size(); }
  // All records changed since the last stored(). Whoever has them stored says so; until then they stay here.
  std::vector<UsageRow> usage() const;
  void stored() { cells_.clear(); }

  // In counts (SignalInfo), rounded to the resolution; nothing where the value is beyond what 53 bits hold exactly.
  static std::optional<std::int64_t> counts(const SignalInfo& signal, double value);

 private:
  struct Cell {
    std::int64_t quantity = 0;
    std::uint32_t readings = 0;
    Time first;
    Time last;
    UsageQuality quality = UsageQuality::measured;
  };
  using Bands = std::map<std::string, Cell>;

  static void merge(Cell& into, const Cell& part);
  static void write(UsageRow& row, const Cell& cell);
  static Cell event_part(const SignalInfo& signal, const MeterInfo& meter, const Point& point);
  static std::vector<std::pair<billing::Period, Cell>> difference_parts(const AssetInfo& asset,
                                                                        const SignalInfo& signal, const Point& from,
                                                                        const Point& to);

  UsageRow& row(const AssetState& asset, const MeterInfo& meter, const std::string& band, const billing::Period& cell);
  void add(const AssetState& asset, const MeterInfo& meter, const std::string& band, const billing::Period& cell,
           const Cell& part);
  void add_difference(const AssetState& asset, const MeterInfo& meter, const Point& from, const Point& to);
  void recompute(AssetState& asset, const MeterInfo& meter, Time from, Time to);
  Bands compute_events(AssetState& asset, const MeterInfo& meter, const billing::Period& cell);
  // By the start of their cell, for the cells that begin within the span.
  std::map<Time, Cell> compute_differences(AssetState& asset, const MeterInfo& meter, const billing::Period& span);
  void replace(const AssetState& asset, const MeterInfo& meter, const billing::Period& cell, const Bands& bands);
  std::string band_at(AssetState& asset, const MeterInfo& meter, Time time);

  Store& store_;
  History& history_;
  std::map<UsageKey, UsageRow> cells_;
};

// The cell that an instant lies in: the zone's hour, cut where subscriptions begin and end.
billing::Period cell_of(const AssetInfo& asset, Time time);

}  // namespace fettle::engine
