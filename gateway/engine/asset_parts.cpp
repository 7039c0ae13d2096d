#include "gateway/engine/asset_parts.h"

#include "gateway/engine/maintenance.h"
#include "gateway/engine/part_bytes.h"

namespace fettle::engine {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::int64_t kUsageBytes = 512;  // a usage record costs about as much to write as this much of a part

// What an asset's part begins with.
struct Head {
  std::uint64_t model_layout = 0;
  std::uint64_t rule_layout = 0;
  Time newest;
  Time newest_session;
  rules::Duration session_shift{0};
  Time open_start;
  Time open_end;
  std::uint32_t session = 0;
  bool heard = false;
  bool held = false;
  bool backlog = false;
  std::uint8_t offline = 0;  // 1: it is, 2: and its signals are to be marked stale
};

// A series, followed by its runs of days.
struct SavedSeries {
  SeriesId id = 0;
  std::uint32_t signal = 0;
  Time head;
  double head_value = 0;
  Time evaluated;
  std::uint32_t runs = 0;
  std::uint32_t unused = 0;
};

struct SavedCell {
  std::int64_t quantity = 0;
  Time first_reading;
  Time last_reading;
  std::uint32_t readings = 0;
  std::uint32_t revision = 0;
  std::uint32_t place = 0;
  UsageQuality quality = UsageQuality::measured;
  bool changed = false;
  std::uint16_t unused = 0;
};

void save_series(const AssetState& asset, PartWriter& out) {
  std::uint32_t count = 0;
  for (const Series& series : asset.series) count += series.known() || series.evaluated != Time::min() ? 1 : 0;
  out.put(count);
  for (std::uint32_t s = 0; s < asset.series.size(); ++s) {
    const Series& series = asset.series[s];
    if (!series.known() && series.evaluated == Time::min()) continue;
    const std::vector<Days::Run> runs = series.days.runs();
    out.put(SavedSeries{series.id, s, series.head, series.head_value, series.evaluated,
                        static_cast<std::uint32_t>(runs.size()), 0});
    for (const Days::Run& run : runs) out.put(run);
  }
}

bool load_series(PartReader& in, AssetState& asset) {
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t n = 0; n < count && in.ok(); ++n) {
    const auto saved = in.get<SavedSeries>();
    if (saved.signal >= asset.series.size()) return false;
    Series& series = asset.series[saved.signal];
    series.id = saved.id;
    series.head = saved.head;
    series.head_value = saved.head_value;
    series.evaluated = saved.evaluated;
    std::vector<Days::Run> runs;
    for (std::uint32_t run = 0; run < saved.runs && in.ok(); ++run) runs.push_back(in.get<Days::Run>());
    series.days.restore(std::move(runs));
  }
  return in.ok();
}

void save_cells(const AssetState& asset, PartWriter& out) {
  std::uint32_t count = 0;
  for (const OpenCell& cell : asset.cells) count += cell.revision > 0 ? 1 : 0;
  out.put(count);
  for (std::uint32_t place = 0; place < asset.cells.size(); ++place) {
    const OpenCell& cell = asset.cells[place];
    if (cell.revision == 0) continue;
    out.put(SavedCell{cell.quantity, cell.first_reading, cell.last_reading, cell.readings, cell.revision, place,
                      cell.quality, cell.changed, 0});
  }
}

bool load_cells(PartReader& in, AssetState& asset) {
  const auto count = in.get<std::uint32_t>();
  for (std::uint32_t n = 0; n < count && in.ok(); ++n) {
    const auto saved = in.get<SavedCell>();
    if (saved.place >= asset.cells.size()) return false;
    asset.cells[saved.place] = {saved.quantity, saved.first_reading, saved.last_reading, saved.readings,
                                saved.revision, saved.quality,       saved.changed};
  }
  return in.ok();
}

void save_rules(const AssetState& asset, PartWriter& out) {
  for (const auto& lane : asset.rules) {
    std::string state;
    if (lane) lane->save_all(state);
    out.text(state);
  }
}

bool load_rules(PartReader& in, AssetState& asset) {
  for (const auto& lane : asset.rules) {
    const std::string_view state = in.text();
    if (lane ? !lane->load_all(state) : !state.empty()) return false;
  }
  return in.ok();
}

}  // namespace

CheckpointPart AssetParts::save(std::uint32_t number) {
  AssetState& asset = assets_[number];
  written_ += static_cast<std::int64_t>(metering_.flush(asset)) * kUsageBytes;
  CheckpointPart part{std::string(kPrefix) + asset.id, {}};
  PartWriter out(part.state);
  const auto offline = static_cast<std::uint8_t>(asset.offline ? (asset.stale_pending ? 2 : 1) : 0);
  out.put(kFormat);
  out.put(Head{asset.model->layout, asset.rule_list->layout, asset.newest.value_or(Time()), asset.newest_session,
               asset.session_shift, asset.open.start, asset.open.end, asset.session, asset.newest.has_value(),
               asset.held, asset.backlog, offline});
  save_series(asset, out);
  save_cells(asset, out);
  save_rules(asset, out);
  if (!asset.orders.empty() || !asset.open_episodes.empty()) {
    OpenWork work;
    Maintenance::save(asset, work);
    out.text(work.SerializeAsString());
  } else {
    out.text({});
  }
  return part;
}

bool AssetParts::restore(CheckpointPart part) {
  const auto index = registry_.asset_index(std::string_view(part.key).substr(kPrefix.size()));
  if (!index) return true;  // its model is gone; the part stays until it comes back
  AssetState& asset = assets_[*index];
  PartReader in(part.state);
  if (in.get<std::uint8_t>() != kFormat) return false;
  const auto head = in.get<Head>();
  if (head.model_layout != asset.model->layout || head.rule_layout != asset.rule_list->layout) return false;
  if (head.heard) asset.newest = head.newest;
  asset.newest_session = head.newest_session;
  asset.session_shift = head.session_shift;
  asset.open = {head.open_start, head.open_end};
  asset.session = head.session;
  asset.held = head.held;
  asset.backlog = head.backlog;
  asset.offline = head.offline != 0;
  asset.stale_pending = head.offline == 2;
  if (!load_series(in, asset) || !load_cells(in, asset) || !load_rules(in, asset)) return false;
  const std::string_view work = in.text();
  OpenWork open;
  if (!open.ParseFromArray(work.data(), static_cast<int>(work.size()))) return false;
  Maintenance::load(open, asset);
  return in.at_end();
}

bool AssetParts::take(std::int64_t& room, std::vector<CheckpointPart>& out) {
  const auto save_counting = [&](std::uint32_t number) {
    CheckpointPart part = save(number);
    room -= std::exchange(written_, 0);
    return part;
  };
  return list_.take(room, out, save_counting);
}

void AssetParts::before_renumbering() {
  list_.save_listed([this](std::uint32_t number) { return save(number); });
}

}  // namespace fettle::engine
