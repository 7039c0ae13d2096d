#pragma once
// What identifies an entry of the catalog, wherever it is read, stored or applied. Pure.

#include <string>
#include <utility>

#include "gateway/engine/catalog.pb.h"

namespace fettle::catalog {

// "model", "asset", "seller", "customer", "site", "pack", "plan", "subscription", "mapping"; "nothing" for an empty
// entry.
std::string kind_name(Entry::EntryCase kind);

// The kind's name and the id.
std::pair<std::string, std::string> entry_key(const Entry& entry);

}  // namespace fettle::catalog
