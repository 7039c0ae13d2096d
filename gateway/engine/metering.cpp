#include "gateway/engine/metering.h"

#include <algorithm>
#include <cmath>

namespace fettle::engine {
namespace {

UsageQuality quality_of(const billing::Step& step) {
  if (step.kind == billing::StepKind::disputed) return UsageQuality::disputed;
  return step.interpolated ? UsageQuality::interpolated : UsageQuality::measured;
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

void Metering::reading(AssetState& asset, std::uint32_t signal, const Point& point,
                       const std::optional<Point>& previous_head) {
  const bool newest = !previous_head || point.time > previous_head->time;
  for (const MeterInfo& meter : asset.info->model->meters) {
    if (meter.signal != signal) continue;
    if (meter.kind == catalog::DIFFERENCE) {
      if (newest) {
        if (previous_head) add_difference(asset, meter, *previous_head, point);
      } else {
        const auto before = history_.before(asset.series[signal], point.time);
        const auto after = history_.at_or_after(asset.series[signal], point.time + std::chrono::milliseconds(1));
        recompute(asset, meter, before ? before->time : point.time, after ? after->time : point.time);
      }
      continue;
    }
    // A sum or count: the reading belongs to its own stamp, whatever stands around it.
    const Cell part = event_part(asset.info->model->signals[signal], meter, point);
    add(asset, meter, band_at(asset, meter, point.time), cell_of(*asset.info, point.time), part);
  }
}

void Metering::state(AssetState& asset, std::uint32_t signal, const Point& point) {
  for (const MeterInfo& meter : asset.info->model->meters) {
    if (!meter.dimension || *meter.dimension != signal) continue;
    const Series& metered = asset.series[meter.signal];
    if (!metered.id || metered.head < point.time) continue;  // the usual case: nothing is there that it could move
    const auto next = history_.at_or_after(asset.series[signal], point.time + std::chrono::milliseconds(1));
    const Time to = std::min(next ? next->time : Time::max(), metered.head + std::chrono::milliseconds(1));
    recompute(asset, meter, point.time, to);
  }
}

void Metering::recut(AssetState& asset, const std::vector<Time>& instants) {
  for (const MeterInfo& meter : asset.info->model->meters) {
    for (const Time instant : instants) {
      const billing::Period hour = asset.info->zone->hour_of(instant);
      recompute(asset, meter, hour.start, hour.end);
      // A cut that was taken back leaves the record that began there without a cell of its own.
      const billing::Period cell = cell_of(*asset.info, instant);
      if (cell.start != instant) replace(asset, meter, {instant, cell.end}, {});
    }
  }
}

std::vector<UsageRow> Metering::usage() const {
  std::vector<UsageRow> rows;
  rows.reserve(cells_.size());
  for (const auto& [key, row] : cells_) rows.push_back(row);
  return rows;
}

std::string Metering::band_at(AssetState& asset, const MeterInfo& meter, Time time) {
  if (!meter.dimension) return {};
  const auto state = history_.before(asset.series[*meter.dimension], time + std::chrono::milliseconds(1));
  if (!state) return {};
  const auto& texts = asset.info->model->signals[*meter.dimension].state_texts;
  const auto index = static_cast<std::size_t>(state->value);
  return index < texts.size() ? texts[index] : std::string();
}

UsageRow& Metering::row(const AssetState& asset, const MeterInfo& meter, const std::string& band,
                        const billing::Period& cell) {
  UsageKey key{asset.info->id, meter.id, band, cell.start};
  if (const auto found = cells_.find(key); found != cells_.end()) {
    found->second.end = cell.end;  // a cut may have come or gone since
    return found->second;
  }
  auto stored = store_.usage(key);
  if (!stored) throw StoreFailure(stored.error().message);
  UsageRow row;
  if (*stored) {
    row = **stored;
  } else {
    row.key = key;
    row.revision = 0;
  }
  row.end = cell.end;
  return cells_.emplace(std::move(key), std::move(row)).first->second;
}

void Metering::merge(Cell& into, const Cell& part) {
  into.first = into.readings == 0 ? part.first : std::min(into.first, part.first);
  into.last = into.readings == 0 ? part.last : std::max(into.last, part.last);
  into.quantity += part.quantity;
  into.readings += part.readings;
  into.quality = std::max(into.quality, part.quality);
}

void Metering::add(const AssetState& asset, const MeterInfo& meter, const std::string& band,
                   const billing::Period& cell, const Cell& part) {
  UsageRow& row = this->row(asset, meter, band, cell);
  Cell sum{row.quantity, row.readings, row.first_reading, row.last_reading, row.quality};
  merge(sum, part);
  write(row, sum);
}

void Metering::write(UsageRow& row, const Cell& cell) {
  row.quantity = cell.quantity;
  row.readings = cell.readings;
  row.first_reading = cell.first;
  row.last_reading = cell.last;
  row.quality = cell.quality;
  ++row.revision;
}

void Metering::add_difference(const AssetState& asset, const MeterInfo& meter, const Point& from, const Point& to) {
  const SignalInfo& signal = asset.info->model->signals[meter.signal];
  for (const auto& [cell, part] : difference_parts(*asset.info, signal, from, to)) add(asset, meter, {}, cell, part);
}

// What the difference of two neighbours gives to which cells.
std::vector<std::pair<billing::Period, Metering::Cell>> Metering::difference_parts(const AssetInfo& asset,
                                                                                   const SignalInfo& signal,
                                                                                   const Point& from, const Point& to) {
  const billing::Step step = billing::step_between(signal.reg, from.time, counts(signal, from.value).value_or(0),
                                                   to.time, counts(signal, to.value).value_or(0));
  const Cell whole{0, 1, from.time, to.time, quality_of(step)};
  // In dispute nothing is billed, and a person can see it.
  if (step.kind == billing::StepKind::disputed) return {{cell_of(asset, to.time), whole}};
  std::vector<std::pair<billing::Period, Cell>> parts;
  for (const billing::Share& share : billing::spread(from.time, to.time, step.increment, *asset.zone, asset.cuts)) {
    parts.emplace_back(share.cell, whole);
    parts.back().second.quantity = share.quantity;
  }
  return parts;
}

Metering::Cell Metering::event_part(const SignalInfo& signal, const MeterInfo& meter, const Point& point) {
  const std::int64_t quantity = meter.kind == catalog::COUNT ? 1 : counts(signal, point.value).value_or(0);
  return {quantity, 1, point.time, point.time, UsageQuality::measured};
}

// Every cell that touches [from, to), from the readings as they now stand. Of differences also the cell that begins at
// `to`: a dispute stands in the cell of its newer reading.
void Metering::recompute(AssetState& asset, const MeterInfo& meter, Time from, Time to) {
  const bool differences = meter.kind == catalog::DIFFERENCE;
  billing::Period cell = cell_of(*asset.info, from);
  const billing::Period last = cell_of(*asset.info, differences ? to : to - std::chrono::milliseconds(1));
  std::map<Time, Cell> computed;
  if (differences) computed = compute_differences(asset, meter, {cell.start, last.end});
  for (; cell.start <= last.start; cell = cell_of(*asset.info, cell.end)) {
    if (!differences) {
      replace(asset, meter, cell, compute_events(asset, meter, cell));
      continue;
    }
    const auto found = computed.find(cell.start);
    replace(asset, meter, cell, found == computed.end() ? Bands() : Bands{{std::string(), found->second}});
  }
}

Metering::Bands Metering::compute_events(AssetState& asset, const MeterInfo& meter, const billing::Period& cell) {
  Bands bands;
  const SignalInfo& signal = asset.info->model->signals[meter.signal];
  for (const Point& point : history_.range(asset.series[meter.signal], cell.start, cell.end)) {
    merge(bands[band_at(asset, meter, point.time)], event_part(signal, meter, point));
  }
  return bands;
}

std::map<Time, Metering::Cell> Metering::compute_differences(AssetState& asset, const MeterInfo& meter,
                                                             const billing::Period& span) {
  std::map<Time, Cell> cells;
  const SignalInfo& signal = asset.info->model->signals[meter.signal];
  const Series& series = asset.series[meter.signal];
  // Every pair of neighbours that overlaps the span, and the one that ends on its first instant.
  auto older = history_.before(series, span.start);
  if (!older) older = history_.at_or_after(series, span.start);
  while (older && older->time < span.end) {
    const auto newer = history_.at_or_after(series, older->time + std::chrono::milliseconds(1));
    if (!newer) break;
    for (const auto& [cell, part] : difference_parts(*asset.info, signal, *older, *newer)) {
      if (cell.start >= span.start && cell.start < span.end) merge(cells[cell.start], part);
    }
    older = newer;
  }
  return cells;
}

void Metering::replace(const AssetState& asset, const MeterInfo& meter, const billing::Period& cell,
                       const Bands& bands) {
  std::vector<std::string> all{std::string()};
  if (meter.dimension) {
    const auto& texts = asset.info->model->signals[*meter.dimension].state_texts;
    all.insert(all.end(), texts.begin(), texts.end());
  }
  for (const std::string& band : all) {
    const auto found = bands.find(band);
    const UsageKey key{asset.info->id, meter.id, band, cell.start};
    if (found == bands.end() && !cells_.contains(key)) {
      const auto stored = store_.usage(key);
      if (!stored) throw StoreFailure(stored.error().message);
      if (!*stored) continue;
    }
    UsageRow& row = this->row(asset, meter, band, cell);
    const Cell now = found == bands.end() ? Cell{0, 0, cell.start, cell.start, UsageQuality::measured} : found->second;
    if (row.quantity == now.quantity && row.readings == now.readings && row.quality == now.quality &&
        row.first_reading == now.first && row.last_reading == now.last) {
      continue;
    }
    write(row, now);
  }
}

}  // namespace fettle::engine
