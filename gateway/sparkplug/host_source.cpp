#include "gateway/sparkplug/host_source.h"

namespace fettle::sparkplug {

void PlaceIndex::clear() {
  places_.clear();
  used_ = 0;
}

void PlaceIndex::insert(std::uint64_t hash, std::uint32_t entry) {
  constexpr std::size_t kSmallest = 8;
  if ((used_ + 1) * 2 > places_.size()) {
    std::vector<Place> old(places_.empty() ? kSmallest : places_.size() * 2);
    old.swap(places_);
    used_ = 0;
    for (const Place& place : old) {
      if (place.entry != kNone) insert(place.whole_hash, place.entry);
    }
  }
  const std::size_t mask = places_.size() - 1;
  std::size_t at = spread(hash) & mask;
  while (places_[at].entry != kNone) at = (at + 1) & mask;
  places_[at] = {hash, static_cast<std::uint32_t>(hash), entry};
  ++used_;
}

std::uint32_t Source::add(std::string_view name, DataType type) {
  const auto entry = static_cast<std::uint32_t>(metrics.size());
  MetricEntry& added = metrics.emplace_back();
  added.name = name;
  added.type = type;
  added.control = name == "bdSeq" || name.starts_with("Node Control/") || name.starts_with("Device Control/");
  by_name.insert(std::hash<std::string_view>()(name), entry);
  return entry;
}

void Source::rebuild_indices() {
  by_name.clear();
  by_alias.clear();
  for (std::uint32_t entry = 0; entry < metrics.size(); ++entry) {
    by_name.insert(std::hash<std::string_view>()(metrics[entry].name), entry);
    if (metrics[entry].alias) by_alias.insert(*metrics[entry].alias, entry);
  }
}

}  // namespace fettle::sparkplug
