#include "gateway/engine/metering.h"

#include <algorithm>
#include <cmath>

namespace fettle::engine {
namespace {

constexpr Time kUnset = Time::min();

void widen(Time& first, Time& last, Time from, Time to) {
  first = first == kUnset ? from : std::min(first, from);
  last = last == kUnset ? to : std::max(last, to);
}

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
  const double scaled = value * static_cast<double>(signal.numerator) / static_cast<double>(signal.denominator);
  if (!(std::fabs(scaled) < 9.007199254740992e15)) return std::nullopt;  // 2^53
  return std::llround(scaled);
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
    const auto counted = counts(asset.info->model->signals[signal], point.value);
    Cell part;
    part.quantity = meter.kind == catalog::COUNT ? 1 : counted.value_or(0);
    part.readings = 1;
    part.first = part.last = point.time;
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
  if (const auto found = cells_.find(key); found != cells_.end()) return found->second;
  auto stored = store_.usage(key);
  if (!stored) throw StoreFailure(stored.error().message);
  UsageRow row;
  if (*stored) {
    row = **stored;
  } else {
    row.key = key;
    row.revision = 0;
    row.first_reading = row.last_reading = kUnset;
  }
  row.end = cell.end;
  return cells_.emplace(std::move(key), std::move(row)).first->second;
}

void Metering::add(const AssetState& asset, const MeterInfo& meter, const std::string& band,
                   const billing::Period& cell, const Cell& part) {
  UsageRow& row = this->row(asset, meter, band, cell);
  row.quantity += part.quantity;
  row.readings += part.readings;
  widen(row.first_reading, row.last_reading, part.first, part.last);
  row.quality = std::max(row.quality, part.quality);
  ++row.revision;
}

void Metering::add_difference(const AssetState& asset, const MeterInfo& meter, const Point& from, const Point& to) {
  const SignalInfo& signal = asset.info->model->signals[meter.signal];
  const billing::Step step = billing::step_between(signal.reg, from.time, counts(signal, from.value).value_or(0),
                                                   to.time, counts(signal, to.value).value_or(0));
  const Cell part{0, 1, from.time, to.time, quality_of(step)};
  if (step.kind == billing::StepKind::disputed) {
    add(asset, meter, {}, cell_of(*asset.info, to.time), part);  // nothing is billed, and a person can see it
    return;
  }
  for (const billing::Share& share :
       billing::spread(from.time, to.time, step.increment, *asset.info->zone, asset.info->cuts)) {
    Cell own = part;
    own.quantity = share.quantity;
    add(asset, meter, {}, share.cell, own);
  }
}

// Every cell that touches [from, to), from the readings as they now stand.
void Metering::recompute(AssetState& asset, const MeterInfo& meter, Time from, Time to) {
  for (billing::Period cell = cell_of(*asset.info, from);; cell = cell_of(*asset.info, cell.end)) {
    replace(asset, meter, cell,
            meter.kind == catalog::DIFFERENCE ? compute_differences(asset, meter, cell)
                                              : compute_events(asset, meter, cell));
    if (cell.end > to || (cell.end == to && meter.kind != catalog::DIFFERENCE)) break;
  }
}

Metering::Bands Metering::compute_events(AssetState& asset, const MeterInfo& meter, const billing::Period& cell) {
  Bands bands;
  const SignalInfo& signal = asset.info->model->signals[meter.signal];
  const bool events = signal.kind == catalog::EVENT;
  const std::vector<Point> points = history_.range(asset.series[meter.signal], cell.start, cell.end);
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (!events && i + 1 < points.size() && points[i + 1].time == points[i].time) continue;
    Cell& band = bands[band_at(asset, meter, points[i].time)];
    if (band.readings == 0) band.first = band.last = kUnset;
    band.quantity += meter.kind == catalog::COUNT ? 1 : counts(signal, points[i].value).value_or(0);
    ++band.readings;
    widen(band.first, band.last, points[i].time, points[i].time);
  }
  return bands;
}

Metering::Bands Metering::compute_differences(AssetState& asset, const MeterInfo& meter, const billing::Period& cell) {
  Bands bands;
  const SignalInfo& signal = asset.info->model->signals[meter.signal];
  const Series& series = asset.series[meter.signal];
  // Every pair of neighbours that overlaps the cell, and the one that ends on its first instant: a dispute stands in
  // the cell of its newer reading.
  auto older = history_.before(series, cell.start);
  if (!older) older = history_.at_or_after(series, cell.start);
  Cell total;
  total.first = total.last = kUnset;
  bool any = false;
  while (older && older->time < cell.end) {
    const auto newer = history_.at_or_after(series, older->time + std::chrono::milliseconds(1));
    if (!newer) break;
    const billing::Step step = billing::step_between(signal.reg, older->time, counts(signal, older->value).value_or(0),
                                                     newer->time, counts(signal, newer->value).value_or(0));
    std::optional<std::int64_t> share;
    if (step.kind == billing::StepKind::disputed) {
      if (cell_of(*asset.info, newer->time) == cell) share = 0;
    } else {
      for (const billing::Share& part :
           billing::spread(older->time, newer->time, step.increment, *asset.info->zone, asset.info->cuts)) {
        if (part.cell == cell) share = part.quantity;
      }
    }
    if (share) {
      any = true;
      total.quantity += *share;
      ++total.readings;
      widen(total.first, total.last, older->time, newer->time);
      total.quality = std::max(total.quality, quality_of(step));
    }
    older = newer;
  }
  if (any) bands[{}] = total;
  return bands;
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
    const Cell now = found == bands.end() ? Cell{0, 0, cell.start, cell.start, UsageQuality::measured}
                                          : found->second;
    if (row.quantity == now.quantity && row.readings == now.readings && row.quality == now.quality &&
        row.first_reading == now.first && row.last_reading == now.last) {
      continue;
    }
    row.quantity = now.quantity;
    row.readings = now.readings;
    row.quality = now.quality;
    row.first_reading = now.first;
    row.last_reading = now.last;
    ++row.revision;
  }
}

}  // namespace fettle::engine
