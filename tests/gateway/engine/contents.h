#pragma once
// Everything a store shows, as lines of text that two stores can be compared by.

#include <map>
#include <string>
#include <vector>

#include "gateway/store/memory/memory_store.h"
#include "gateway/store/sqlite/reader.h"

namespace fettle::engine::trial {

// One line per reading, episode, work order, event, invoice, invoice line, usage record, quarantined item, and one for
// the counters; sorted.
std::vector<std::string> contents_of(store::MemoryStore& store);
std::vector<std::string> contents_of(store::Reader& reader);

// The lines that only one of them has, "- " and "+ " before them, at most a few of each; empty where they are equal.
std::string difference(const std::vector<std::string>& expected, const std::vector<std::string>& found);

// Usage that rests on readings, without its revision: what does not depend on the order of arrival.
std::map<UsageKey, std::string> measured_usage(const store::MemoryStore& store);
std::string usage_text(const UsageRow& row);

}  // namespace fettle::engine::trial
