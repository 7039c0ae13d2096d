#include "gateway/engine/metering.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace fettle::engine {
namespace {

constexpr std::chrono::milliseconds kInstant{1};

UsageQuality quality_of(const billing::Step& step) {
  if (step.kind == billing::StepKind::disputed) return UsageQuality::disputed;
  return step.interpolated ? UsageQuality::interpolated : UsageQuality::measured;
}

std::uint64_t hash_of(const UsageKey& key) {
  std::uint64_t hash = static_cast<std::uint64_t>(key.start.time_since_epoch().count());
  for (const std::string* text : {&key.asset, &key.meter, &key.band}) {
    hash = XXH3_64bits_withSeed(text->data(), text->size(), hash);
  }
  return hash;
}

}  // namespace

billing::Period cell_of(const AssetInfo& asset, Time time) {
  billing::Period cell = asset.zone->hour_of(time);
  for (const Time cut : asset.cuts) {
    if (cut <= time && cut > cell.start) cell.start = cut;
    if (cut > time && cut < cell.end) cell.end = cut;
  }
  return cell;
}

std::optional<std::int64_t> Metering::counts(const SignalInfo& signal, double value) {
  const double scaled = value * static_cast<double>(signal.numerator);
  if (!(std::fabs(scaled) < 9.007199254740992e15)) return std::nullopt;  // 2^53
  return std::llround(scaled / static_cast<double>(signal.step)) * signal.step;
}

// ---- records -------------------------------------------------------------------------------------------------------

OpenCell& Metering::cell(AssetState& asset, const MeterInfo& meter, std::uint32_t band) {
  return asset.cells[meter.first_cell + band];
}

UsageRow* Metering::pending(const UsageKey& key, std::uint64_t hash) {
  const auto [first, last] = rows_.equal_range(hash);
  for (auto it = first; it != last; ++it) {
    UsageRow& row = fold_.effects.usage[it->second];
    if (row.key == key) return &row;
  }
  return nullptr;
}

// The record of this batch with that key; a new one with revision 0 where it has none.
UsageRow& Metering::row(const AssetState& asset, const MeterInfo& meter, std::uint32_t band, Time start) {
  UsageKey key{asset.id, meter.id, band_text(*asset.model, meter, band), start};
  const std::uint64_t hash = hash_of(key);
  if (UsageRow* found = pending(key, hash)) return *found;
  rows_.emplace(hash, static_cast<std::uint32_t>(fold_.effects.usage.size()));
  UsageRow& made = fold_.effects.usage.emplace_back();
  made.key = std::move(key);
  made.revision = 0;
  return made;
}

// The record of a closed cell as it stands, to be changed; null where there is none.
UsageRow* Metering::closed(const AssetState& asset, const MeterInfo& meter, std::uint32_t band,
                           const billing::Period& period) {
  const UsageKey key{asset.id, meter.id, band_text(*asset.model, meter, band), period.start};
  if (UsageRow* found = pending(key, hash_of(key))) return found;
  auto stored = store_.usage(key);
  if (!stored) throw StoreFailure(stored.error().message);
  if (!*stored) return nullptr;
  UsageRow& found = row(asset, meter, band, period.start);
  found = std::move(**stored);
  return &found;
}

void Metering::emit(const AssetState& asset, const MeterInfo& meter, std::uint32_t band, const billing::Period& period,
                    const OpenCell& cell) {
  UsageRow& written = row(asset, meter, band, period.start);
  written.end = period.end;
  written.quantity = cell.quantity;
  written.readings = cell.readings;
  written.first_reading = cell.first_reading;
  written.last_reading = cell.last_reading;
  written.quality = cell.quality;
  written.revision = cell.revision;
}

std::size_t Metering::flush(AssetState& asset) {
  std::size_t written = 0;
  for (const MeterInfo& meter : asset.model->meters) {
    for (std::uint32_t band = 0; band < meter.bands; ++band) {
      OpenCell& open = cell(asset, meter, band);
      if (!std::exchange(open.changed, false)) continue;
      emit(asset, meter, band, asset.open, open);
      ++written;
    }
  }
  return written;
}

// The open cell closes.
void Metering::emit_all(AssetState& asset) {
  if (!fold_.replaying) flush(asset);
  std::fill(asset.cells.begin(), asset.cells.end(), OpenCell());
}

// No reading is as new as `event`, so in its cell nothing was measured yet.
void Metering::roll_to(AssetState& asset, Time event) {
  emit_all(asset);
  asset.open = cell_of(*asset.info, event);
}

template <typename Record>
void Metering::merge(Record& into, const Measured& part) {
  into.first_reading = into.readings == 0 ? part.first : std::min(into.first_reading, part.first);
  into.last_reading = into.readings == 0 ? part.last : std::max(into.last_reading, part.last);
  into.quantity += part.quantity;
  into.readings += part.readings;
  into.quality = std::max(into.quality, part.quality);
  ++into.revision;
}

bool Metering::same(const OpenCell& cell, const Measured& measured) {
  return cell.quantity == measured.quantity && cell.readings == measured.readings && cell.quality == measured.quality &&
         cell.first_reading == measured.first && cell.last_reading == measured.last;
}

void Metering::write(OpenCell& cell, const Measured& measured) {
  cell = {measured.quantity, measured.first,   measured.last, measured.readings,
          cell.revision + 1, measured.quality, true};
}

void Metering::add(AssetState& asset, const MeterInfo& meter, std::uint32_t band, const billing::Period& period,
                   const Measured& part) {
  if (period.start == asset.open.start) {
    OpenCell& open = cell(asset, meter, band);
    merge(open, part);
    open.changed = true;
    return;
  }
  if (fold_.replaying) return;
  UsageRow* found = closed(asset, meter, band, period);
  UsageRow& changed = found != nullptr ? *found : row(asset, meter, band, period.start);
  changed.end = period.end;  // a cut may have come or gone since
  merge(changed, part);
}

// ---- readings ------------------------------------------------------------------------------------------------------

void Metering::reading(AssetState& asset, std::uint32_t signal, const Point& point, const Point* previous) {
  for (const std::uint32_t place : asset.model->signals[signal].meters) {
    const MeterInfo& meter = asset.model->meters[place];
    if (meter.kind != catalog::DIFFERENCE) {
      add_event(asset, meter, point);
    } else if (previous == nullptr || point.time > previous->time) {
      if (previous != nullptr) add_difference(asset, meter, *previous, point);
    } else {
      const auto before = history_.before(asset.series[signal], point.time);
      const auto after = history_.at_or_after(asset.series[signal], point.time + kInstant);
      recompute(asset, meter, before ? before->time : point.time, after ? after->time : point.time);
    }
  }
}

void Metering::state(AssetState& asset, std::uint32_t signal, const Point& point) {
  for (const std::uint32_t place : asset.model->signals[signal].divides) {
    const MeterInfo& meter = asset.model->meters[place];
    const Series& metered = asset.series[meter.signal];
    if (!metered.known() || metered.head < point.time) continue;  // the usual case: nothing is there that it could move
    const auto next = history_.at_or_after(asset.series[signal], point.time + kInstant);
    const Time to = std::min(next ? next->time : Time::max(), metered.head + kInstant);
    recompute(asset, meter, point.time, to);
  }
}

std::uint32_t Metering::band_at(AssetState& asset, const MeterInfo& meter, Time time) {
  if (!meter.dimension) return 0;
  const auto state = history_.before(asset.series[*meter.dimension], time + kInstant);
  if (!state) return 0;
  const auto band = static_cast<std::uint32_t>(state->value) + 1;
  return band < meter.bands ? band : 0;
}

Metering::Measured Metering::event_part(const SignalInfo& signal, const MeterInfo& meter, const Point& point) {
  const std::int64_t quantity = meter.kind == catalog::COUNT ? 1 : counts(signal, point.value).value_or(0);
  return {quantity, 1, point.time, point.time, UsageQuality::measured};
}

// A sum or count: the reading belongs to its own stamp, whatever stands around it.
void Metering::add_event(AssetState& asset, const MeterInfo& meter, const Point& point) {
  const bool in_open = point.time >= asset.open.start && point.time < asset.open.end;
  const billing::Period period = in_open ? asset.open : cell_of(*asset.info, point.time);
  if (!in_open && fold_.replaying) return;
  add(asset, meter, band_at(asset, meter, point.time), period,
      event_part(asset.model->signals[meter.signal], meter, point));
}

void Metering::add_difference(AssetState& asset, const MeterInfo& meter, const Point& from, const Point& to) {
  const SignalInfo& signal = asset.model->signals[meter.signal];
  if (from.time < asset.open.start || to.time >= asset.open.end) {
    for (const auto& [period, part] : difference_parts(*asset.info, signal, from, to)) {
      add(asset, meter, 0, period, part);
    }
    return;
  }
  // Both lie in the open cell: it has all of the difference.
  const billing::Step step = billing::step_between(signal.reg, from.time, counts(signal, from.value).value_or(0),
                                                   to.time, counts(signal, to.value).value_or(0));
  if (step.increment == 0 && step.kind != billing::StepKind::disputed) return;
  add(asset, meter, 0, asset.open, {step.increment, 1, from.time, to.time, quality_of(step)});
}

// What the difference of two neighbours gives to which cells.
std::vector<std::pair<billing::Period, Metering::Measured>> Metering::difference_parts(const AssetInfo& asset,
                                                                                       const SignalInfo& signal,
                                                                                       const Point& from,
                                                                                       const Point& to) {
  const billing::Step step = billing::step_between(signal.reg, from.time, counts(signal, from.value).value_or(0),
                                                   to.time, counts(signal, to.value).value_or(0));
  const Measured whole{0, 1, from.time, to.time, quality_of(step)};
  // In dispute nothing is billed, and a person can see it.
  if (step.kind == billing::StepKind::disputed) return {{cell_of(asset, to.time), whole}};
  std::vector<std::pair<billing::Period, Measured>> parts;
  for (const billing::Share& share : billing::spread(from.time, to.time, step.increment, *asset.zone, asset.cuts)) {
    parts.emplace_back(share.cell, whole);
    parts.back().second.quantity = share.quantity;
  }
  return parts;
}

// ---- anew from the readings ----------------------------------------------------------------------------------------

// Every cell that touches [from, to), from the readings as they now stand. Of differences also the cell that begins at
// `to`: a dispute stands in the cell of its newer reading. While replaying, only the open one.
void Metering::recompute(AssetState& asset, const MeterInfo& meter, Time from, Time to) {
  const bool differences = meter.kind == catalog::DIFFERENCE;
  if (fold_.replaying) from = std::max(from, asset.open.start);
  const Time end = differences ? to : to - kInstant;
  if (from > end) return;
  billing::Period period = cell_of(*asset.info, from);
  const billing::Period last = cell_of(*asset.info, end);
  std::map<Time, Measured> computed;
  if (differences) computed = compute_differences(asset, meter, {period.start, last.end});
  for (; period.start <= last.start; period = cell_of(*asset.info, period.end)) {
    if (!differences) {
      replace(asset, meter, period, compute_events(asset, meter, period));
      continue;
    }
    const auto found = computed.find(period.start);
    replace(asset, meter, period, found == computed.end() ? Bands() : Bands{{0, found->second}});
  }
}

Metering::Bands Metering::compute_events(AssetState& asset, const MeterInfo& meter, const billing::Period& period) {
  std::map<std::uint32_t, OpenCell> sums;
  const SignalInfo& signal = asset.model->signals[meter.signal];
  for (const Point& point : history_.range(asset.series[meter.signal], period.start, period.end)) {
    merge(sums[band_at(asset, meter, point.time)], event_part(signal, meter, point));
  }
  Bands bands;
  for (const auto& [band, sum] : sums) {
    bands[band] = {sum.quantity, sum.readings, sum.first_reading, sum.last_reading, sum.quality};
  }
  return bands;
}

std::map<Time, Metering::Measured> Metering::compute_differences(AssetState& asset, const MeterInfo& meter,
                                                                 const billing::Period& span) {
  std::map<Time, OpenCell> sums;
  const SignalInfo& signal = asset.model->signals[meter.signal];
  Series& series = asset.series[meter.signal];
  // Every pair of neighbours that overlaps the span, and the one that ends on its first instant.
  auto older = history_.before(series, span.start);
  if (!older) older = history_.at_or_after(series, span.start);
  while (older && older->time < span.end) {
    const auto newer = history_.at_or_after(series, older->time + kInstant);
    if (!newer) break;
    for (const auto& [period, part] : difference_parts(*asset.info, signal, *older, *newer)) {
      if (period.start >= span.start && period.start < span.end) merge(sums[period.start], part);
    }
    older = newer;
  }
  std::map<Time, Measured> cells;
  for (const auto& [start, sum] : sums) {
    cells[start] = {sum.quantity, sum.readings, sum.first_reading, sum.last_reading, sum.quality};
  }
  return cells;
}

void Metering::replace(AssetState& asset, const MeterInfo& meter, const billing::Period& period, const Bands& bands) {
  if (period.start != asset.open.start) {
    if (!fold_.replaying) replace_closed(asset, meter, period, bands);
    return;
  }
  for (std::uint32_t band = 0; band < meter.bands; ++band) {
    OpenCell& open = cell(asset, meter, band);
    const auto found = bands.find(band);
    if (found == bands.end() && open.revision == 0) continue;
    const Measured now = found == bands.end() ? Measured{0, 0, period.start, period.start, {}} : found->second;
    if (!same(open, now)) write(open, now);
  }
}

void Metering::replace_closed(const AssetState& asset, const MeterInfo& meter, const billing::Period& period,
                              const Bands& bands) {
  for (std::uint32_t band = 0; band < meter.bands; ++band) {
    const auto found = bands.find(band);
    UsageRow* known = closed(asset, meter, band, period);
    if (found == bands.end() && known == nullptr) continue;
    UsageRow& changed = known != nullptr ? *known : row(asset, meter, band, period.start);
    const Measured now = found == bands.end() ? Measured{0, 0, period.start, period.start, {}} : found->second;
    OpenCell cell{changed.quantity,
                  changed.first_reading,
                  changed.last_reading,
                  changed.readings,
                  changed.revision,
                  changed.quality,
                  false};
    if (!same(cell, now)) write(cell, now);
    emit(asset, meter, band, period, cell);
  }
}

// ---- catalog changes -----------------------------------------------------------------------------------------------

void Metering::take_over(AssetState& asset, AssetState& former) {
  const billing::Period open = asset.newest ? cell_of(*asset.info, *asset.newest) : billing::Period();
  const bool same_cell = open.start == former.open.start;
  if (!same_cell && !fold_.replaying) {
    for (OpenCell& old : former.cells) old.changed = old.revision > 0;
    flush(former);
  }
  asset.open = open;
  asset.cells.assign(asset.model->cells, OpenCell());
  for (const MeterInfo& old : former.model->meters) {
    const auto meter = std::find_if(asset.model->meters.begin(), asset.model->meters.end(),
                                    [&](const MeterInfo& other) { return other.id == old.id; });
    for (std::uint32_t band = 0; same_cell && band < old.bands; ++band) {
      OpenCell& measured = cell(former, old, band);
      const std::string text = band_text(*former.model, old, band);
      bool placed = false;
      for (std::uint32_t b = 0; meter != asset.model->meters.end() && b < meter->bands && !placed; ++b) {
        if (band_text(*asset.model, *meter, b) != text) continue;
        cell(asset, *meter, b) = measured;
        cell(asset, *meter, b).changed |= measured.revision > 0 && open.end != former.open.end;
        placed = true;
      }
      if (!placed && measured.changed && !fold_.replaying) emit(former, old, band, former.open, measured);
    }
  }
  if (former.cuts == asset.cuts) return;
  std::vector<Time> moved;
  std::set_symmetric_difference(former.cuts.begin(), former.cuts.end(), asset.cuts.begin(), asset.cuts.end(),
                                std::back_inserter(moved));
  recut(asset, moved);
}

void Metering::recut(AssetState& asset, const std::vector<Time>& instants) {
  for (const MeterInfo& meter : asset.model->meters) {
    for (const Time instant : instants) {
      const billing::Period hour = asset.info->zone->hour_of(instant);
      recompute(asset, meter, hour.start, hour.end);
      // A cut that was taken back leaves the record that began there without a cell of its own.
      const billing::Period period = cell_of(*asset.info, instant);
      if (period.start != instant && !fold_.replaying) replace_closed(asset, meter, {instant, period.end}, {});
    }
  }
}

}  // namespace fettle::engine
