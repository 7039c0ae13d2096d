#pragma once
// From catalog entries to the mappings that the engine applies to foreign messages.
//
// Units are resolved here, per model, and not when a mapping is declared: one mapping serves assets of many models, and
// a model may be declared after it. Pure but for the two lookups; one thread.

#include <map>
#include <string>
#include <vector>

#include "billing/zone.h"
#include "gateway/direct/mapping.h"
#include "gateway/engine/catalog.pb.h"
#include "gateway/engine/registry.h"

namespace fettle::engine {

// The entries as mappings. A mapping that cannot be made (the catalog checks it before it is journaled) is told in
// `problems` and left out.
direct::Mappings make_mappings(const std::map<std::string, catalog::Mapping>& entries,
                               const std::map<std::string, catalog::Model>& models, const Lookups& lookups,
                               std::vector<std::string>& problems);

// The zone's clock for stamps that name no zone.
direct::ZoneClock zone_clock(billing::Zone zone);

}  // namespace fettle::engine
