#pragma once
// Entries compared: what an apply would add, change or leave alone. Nothing is removed by leaving it out of a file.

#include <string>
#include <vector>

#include "gateway/engine/catalog.pb.h"
#include "gateway/engine/entry_key.h"

namespace fettle::catalog {

// The entry as bytes; equal entries give equal bytes (maps in order of their keys), so comparing bytes compares
// entries. Holds within one version of Protobuf; entries read
// back from elsewhere are encoded anew before they are compared.
std::string encode(const Entry& entry);

// Each as "asset lift-001", in the order declared.
struct CatalogDiff {
  std::vector<std::string> added;
  std::vector<std::string> changed;
  std::vector<std::string> unchanged;

  bool empty() const { return added.empty() && changed.empty(); }
};

// `existing` may be in any order; the last of two entries with one key counts.
CatalogDiff diff(const std::vector<Entry>& existing, const std::vector<Entry>& declared);

// The declared entries that differ from what exists: what has to be journaled.
CatalogChange changes_only(const std::vector<Entry>& existing, const CatalogChange& declared);

// For people: "+ asset lift-001" per added entry, "~ asset lift-002" per changed one, then
// "1 added, 1 changed, 12 unchanged".
std::string to_text(const CatalogDiff& diff);

}  // namespace fettle::catalog
