#pragma once
// Time zones by their IANA name, out of the operating system's database (Debian package tzdata), as values for billing.
//
// Recorded changes are read through Howard Hinnant's tz library; beyond them the zone file's own rule is continued, so
// that a year after 2037 still has its summer.

#include <string>
#include <string_view>

#include "billing/error.h"
#include "billing/zone.h"

namespace fettle::catalog {

// The zone's offsets from 1990 to the end of 2100. Error: missing, with the nearest name where one is near. Safe to
// call from several threads.
billing::Result<billing::Zone> load_zone(std::string_view name);

// Nothing wrong: an empty text. Else what load_zone would say, without the work of reading the zone.
std::string zone_fault(std::string_view name);

}  // namespace fettle::catalog
