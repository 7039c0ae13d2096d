#include "gateway/sparkplug/host_source.h"

#include <algorithm>

namespace fettle::sparkplug {

void PlaceIndex::clear() {
  places_.clear();
  used_ = 0;
}

void PlaceIndex::reserve(std::size_t entries) {
  constexpr std::size_t kSmallest = 8;
  std::size_t places = std::max(kSmallest, places_.size());
  while (entries * 4 > places * 3) places *= 2;
  if (places == places_.size()) return;
  std::vector<Place> old(places);
  old.swap(places_);
  used_ = 0;
  for (const Place& place : old) {
    if (place.entry != kNone) insert_short(place.hash, place.entry);
  }
}

void PlaceIndex::insert(std::uint64_t hash, std::uint32_t entry) {
  reserve(used_ + 1);
  insert_short(short_of(hash), entry);
}

void PlaceIndex::insert_short(std::uint32_t hash, std::uint32_t entry) {
  const std::size_t mask = places_.size() - 1;
  std::size_t at = hash & mask;
  while (places_[at].entry != kNone) at = (at + 1) & mask;
  places_[at] = {hash, entry};
  ++used_;
}

void Source::reserve(std::size_t metrics_in_all) {
  metrics.reserve(metrics_in_all);
  by_name.reserve(metrics_in_all);
}

std::uint32_t Source::add(std::string_view name, DataType type) {
  const auto entry = static_cast<std::uint32_t>(metrics.size());
  MetricEntry& added = metrics.emplace_back();
  added.name = std::string(name);
  added.type = type;
  added.control = name == "bdSeq" || name.starts_with("Node Control/") || name.starts_with("Device Control/");
  by_name.insert(std::hash<std::string_view>()(name), entry);
  return entry;
}

void Source::rebuild_indices() {
  by_name.clear();
  by_alias.clear();
  for (std::uint32_t entry = 0; entry < metrics.size(); ++entry) {
    by_name.insert(std::hash<std::string_view>()(metrics[entry].name.get()), entry);
    if (metrics[entry].alias) by_alias.insert(*metrics[entry].alias, entry);
  }
}

}  // namespace fettle::sparkplug
