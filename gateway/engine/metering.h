#pragma once
// Usage out of readings: the meters of each model, as usage records of an hour of the customer's zone.
//
// Usage is a fold over the *sorted* readings. A reading that is the newest of its series adds what it adds; one that
// comes late, or changes what an older one meant, has the cells it touches computed again from their neighbours. Both
// give the same records, so the order of arrival never matters (property test in tests/gateway/engine).
//
// A *cell* is a record's hour, cut where subscriptions begin and end. Of each asset one is *open*: that of its newest
// event time. What is measured there is working state (AssetState::cells); it is written when the cell closes, and now
// and then before, so that people see it. The fold never reads a record of an open cell from the store. Records of
// closed cells are effects: a late reading changes the record itself, which is read from this batch or the store.
// While the journal is replayed they stand in the store already, further on than the fold, and are left alone.
//
// The engine's thread only. Throws StoreFailure where the store cannot be read.

#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "gateway/engine/asset_state.h"
#include "gateway/engine/fold_state.h"

namespace fettle::engine {

class Metering {
 public:
  Metering(FoldState& fold, Store& store, History& history) : fold_(fold), store_(store), history_(history) {}

  // Readings with this event time are about to be admitted: opens the cell of that time if it is newer than the open
  // one, which closes.
  void move_to(AssetState& asset, Time event) {
    if (event >= asset.open.end) roll_to(asset, event);
  }

  // A reading was admitted (and added to the history). `previous` is the series' head before it, if it had one.
  void reading(AssetState& asset, std::uint32_t signal, const Point& point, const Point* previous);

  // A state signal has a reading at `point`: readings of meters that it divides, and that are there already, may now
  // belong to another band.
  void state(AssetState& asset, std::uint32_t signal, const Point& point);

  // The catalog changed: takes over the cells of `former`, whose model and cuts may have been others, and computes
  // again what lies around the instants that cells are cut at now and were not before, or the other way round.
  void take_over(AssetState& asset, AssetState& former);

  // Writes what changed in the asset's open cell since it was last written. Pre: not replaying. Returns the records.
  std::size_t flush(AssetState& asset);

  // The records of the batch were committed, or thrown away.
  void begin_batch() { rows_.clear(); }

  // In counts (SignalInfo), rounded to the resolution; nothing where the value is beyond what 53 bits hold exactly.
  static std::optional<std::int64_t> counts(const SignalInfo& signal, double value);

 private:
  struct Measured {  // what readings give to one cell
    std::int64_t quantity = 0;
    std::uint32_t readings = 0;
    Time first;
    Time last;
    UsageQuality quality = UsageQuality::measured;
  };
  using Bands = std::map<std::uint32_t, Measured>;  // by band

  template <typename Record>
  static void merge(Record& into, const Measured& part);
  static bool same(const OpenCell& cell, const Measured& measured);
  static void write(OpenCell& cell, const Measured& measured);
  static Measured event_part(const SignalInfo& signal, const MeterInfo& meter, const Point& point);
  static std::vector<std::pair<billing::Period, Measured>> difference_parts(const AssetInfo& asset,
                                                                            const SignalInfo& signal, const Point& from,
                                                                            const Point& to);

  void roll_to(AssetState& asset, Time event);
  static OpenCell& cell(AssetState& asset, const MeterInfo& meter, std::uint32_t band);
  UsageRow& row(const AssetState& asset, const MeterInfo& meter, std::uint32_t band, Time start);
  UsageRow* pending(const UsageKey& key, std::uint64_t hash);
  UsageRow* closed(const AssetState& asset, const MeterInfo& meter, std::uint32_t band, const billing::Period& period);
  void emit(const AssetState& asset, const MeterInfo& meter, std::uint32_t band, const billing::Period& period,
            const OpenCell& cell);
  void emit_all(AssetState& asset);
  void add(AssetState& asset, const MeterInfo& meter, std::uint32_t band, const billing::Period& period,
           const Measured& part);
  void add_event(AssetState& asset, const MeterInfo& meter, const Point& point);
  void add_difference(AssetState& asset, const MeterInfo& meter, const Point& from, const Point& to);
  void recompute(AssetState& asset, const MeterInfo& meter, Time from, Time to);
  void recut(AssetState& asset, const std::vector<Time>& instants);
  Bands compute_events(AssetState& asset, const MeterInfo& meter, const billing::Period& period);
  // By the start of their cell, for the cells that begin within the span.
  std::map<Time, Measured> compute_differences(AssetState& asset, const MeterInfo& meter, const billing::Period& span);
  void replace(AssetState& asset, const MeterInfo& meter, const billing::Period& period, const Bands& bands);
  void replace_closed(const AssetState& asset, const MeterInfo& meter, const billing::Period& period,
                      const Bands& bands);
  std::uint32_t band_at(AssetState& asset, const MeterInfo& meter, Time time);

  FoldState& fold_;
  Store& store_;
  History& history_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> rows_;  // hash of the key -> place in Effects::usage
};

// The cell that an instant lies in: the zone's hour, cut where subscriptions begin and end.
billing::Period cell_of(const AssetInfo& asset, Time time);

}  // namespace fettle::engine
