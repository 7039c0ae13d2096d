#include "gateway/catalog/zones.h"

#include <date/tz.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <utility>
#include <vector>

#include "gateway/catalog/posix_rule.h"
#include "gateway/catalog/suggestion.h"

namespace fettle::catalog {
namespace {

using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;
using std::chrono::year;

constexpr sys_seconds kFirst = sys_days{year{1990} / 1 / 1};
constexpr sys_seconds kEnd = sys_days{year{2101} / 1 / 1};
constexpr const char* kZoneFiles = "/usr/share/zoneinfo/";

// Names in the database that are no places: the host's own setting, and a mark for "not configured".
bool is_place(std::string_view name) {
  return name != "localtime" && name != "posixrules" && name != "Factory";
}

const date::time_zone* find_zone(std::string_view name) {
  if (name.empty() || !is_place(name)) return nullptr;
  const auto& zones = date::get_tzdb().zones;
  const auto found = std::lower_bound(zones.begin(), zones.end(), name,
                                      [](const date::time_zone& zone, std::string_view n) { return zone.name() < n; });
  return found != zones.end() && found->name() == name ? &*found : nullptr;
}

std::string unknown_zone(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& zone : date::get_tzdb().zones) {
    if (is_place(zone.name())) names.push_back(zone.name());
  }
  const std::string near = nearest(name, names);
  return "there is no time zone \"" + std::string(name) + "\"; expected an IANA name such as Europe/Berlin" +
         (near.empty() ? "" : ", did you mean " + near + "?");
}

// The last line of a zone file (RFC 8536, 3.3).
std::optional<PosixRule> closing_rule(const std::string& name) {
  std::ifstream in(kZoneFiles + name, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (bytes.size() < 2 || bytes.back() != '\n') return std::nullopt;
  const std::size_t before = bytes.rfind('\n', bytes.size() - 2);
  if (before == std::string::npos) return std::nullopt;
  return PosixRule::parse(std::string_view(bytes).substr(before + 1, bytes.size() - before - 2));
}

std::vector<billing::Zone::Change> changes_of(const date::time_zone& zone) {
  std::vector<billing::Zone::Change> changes;
  const auto append = [&](sys_seconds from, seconds offset) {
    // A change of name or of the daylight flag alone is none here.
    if (changes.empty() || changes.back().offset != offset) changes.push_back({from, offset});
  };
  auto span = zone.get_info(kFirst);
  append(kFirst, span.offset);
  sys_seconds recorded = kFirst;
  while (span.end < kEnd) {
    recorded = span.end;
    span = zone.get_info(span.end);
    append(recorded, span.offset);
  }
  const auto rule = closing_rule(zone.name());
  if (!rule) return changes;
  const auto last_year = std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(recorded)).year();
  for (const auto& change : rule->changes(last_year, year{2100})) {
    const auto from = std::chrono::floor<seconds>(change.from);
    if (from > recorded && from < kEnd) append(from, change.offset);
  }
  return changes;
}

}  // namespace

billing::Result<billing::Zone> load_zone(std::string_view name) {
  try {
    const date::time_zone* zone = find_zone(name);
    if (zone == nullptr) return billing::Error{billing::Error::Code::missing, unknown_zone(name)};
    return billing::Zone(changes_of(*zone));
  } catch (const std::exception& error) {
    return billing::Error{billing::Error::Code::missing,
                          "time zone \"" + std::string(name) + "\" cannot be read: " + error.what()};
  }
}

std::string zone_fault(std::string_view name) {
  try {
    return find_zone(name) == nullptr ? unknown_zone(name) : std::string();
  } catch (const std::exception& error) {
    return std::string("the time-zone database cannot be read: ") + error.what();
  }
}

}  // namespace fettle::catalog
