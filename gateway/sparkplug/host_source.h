#pragma once
// One edge node or device as a host knows it: its path and its table of metrics. Pure.

#include <boost/flyweight.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/sparkplug/host_output.h"

namespace fettle::sparkplug {

// Open addressing over 32-bit entries of some other table: the caller hashes and compares, this finds places.
class PlaceIndex {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  // The entry among those inserted under `hash` for which is_it(entry) holds; kNone without one.
  template <typename IsIt>
  std::uint32_t find(std::uint64_t hash, IsIt is_it) const {
    if (places_.empty()) return kNone;
    const std::size_t mask = places_.size() - 1;
    for (std::size_t at = short_of(hash) & mask;; at = (at + 1) & mask) {
      if (places_[at].entry == kNone) return kNone;
      if (places_[at].hash == short_of(hash) && is_it(places_[at].entry)) return places_[at].entry;
    }
  }
  void insert(std::uint64_t hash, std::uint32_t entry);
  void clear();
  // Room for so many entries in all.
  void reserve(std::size_t entries);

 private:
  struct Place {
    std::uint32_t hash = 0;
    std::uint32_t entry = kNone;
  };
  // Fibonacci hashing (Knuth, The Art of Computer Programming, 6.4): 2^64 over the golden ratio.
  static std::uint32_t short_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>((hash * 0x9E3779B97F4A7C15U) >> 32U);
  }
  void insert_short(std::uint32_t hash, std::uint32_t entry);

  std::vector<Place> places_;  // a power of two, at most three quarters full
  std::size_t used_ = 0;
};

// Devices of one kind have the same names: each text is there once. May be used in several threads.
using SharedName = boost::flyweight<std::string>;

// There may be millions of them: 32 bytes.
struct MetricEntry {
  SharedName name;  // of a member, an element or a cell: composed (HostNodes)
  std::optional<std::uint64_t> alias;
  DataType type = DataType::unknown;
  bool born = false;     // it is in the source's present birth
  bool control = false;  // bdSeq and Node Control/...: part of the protocol, never a sample
};

struct Source {
  SourceId id = kNoSource;
  SourceId node = kNoSource;  // of a device: its edge node; of a node: itself
  std::string path;           // <group>/<node> or <group>/<node>/<device>
  std::string group;
  std::string node_name;
  std::string device;     // empty: a node
  bool online = false;    // born, and not dead, stale or out of reach since
  bool appeared = false;  // it was born at least once
  bool dead = false;      // a death said so, and no birth came since
  // +1 with every change of the table. A metric keeps its index as long as the table has room for names that are no
  // longer used; when it has none, the unused ones go and all indices change.
  std::uint64_t generation = 0;
  std::vector<MetricEntry> metrics;

  bool is_node() const { return id == node; }
  // Index of the metric of this name or alias; PlaceIndex::kNone without one. Aliases are of the present birth.
  std::uint32_t find(std::string_view name) const {
    return by_name.find(std::hash<std::string_view>()(name),
                        [&](std::uint32_t entry) { return metrics[entry].name.get() == name; });
  }
  std::uint32_t find_alias(std::uint64_t alias) const {
    return by_alias.find(alias, [&](std::uint32_t entry) { return metrics[entry].alias == alias; });
  }
  // Room for so many metrics and no more; what is in the table stays.
  void reserve(std::size_t metrics_in_all);
  // Adds a metric at the end of the table. The caller has made sure that there is none of that name.
  std::uint32_t add(std::string_view name, DataType type);
  void rebuild_indices();

  PlaceIndex by_name;
  PlaceIndex by_alias;
};

}  // namespace fettle::sparkplug
