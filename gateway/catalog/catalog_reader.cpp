#include "gateway/catalog/catalog_reader.h"

#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "gateway/catalog/checks.h"
#include "gateway/catalog/entries.h"
#include "gateway/catalog/zones.h"

namespace fettle::catalog {
namespace {

// Zones by name, each read once.
class Zones {
 public:
  // nullptr where there is none; then the customer's own entry was reported.
  const billing::Zone* find(const std::string& name) {
    auto [at, added] = zones_.try_emplace(name);
    if (added) {
      auto zone = load_zone(name);
      if (zone.has_value()) at->second = std::move(*zone);
    }
    return at->second ? &*at->second : nullptr;
  }

 private:
  std::map<std::string, std::optional<billing::Zone>> zones_;
};

// Bare dates of subscriptions are days of the customer's zone, wherever that customer is declared.
void resolve_days(const std::vector<Entry>& existing, std::vector<Declared>& declared) {
  std::map<std::string, std::string> zone_of;
  for (const Entry& entry : existing) {
    if (entry.has_customer()) zone_of[entry.customer().id()] = entry.customer().zone();
  }
  for (const Declared& each : declared) {
    if (each.entry.has_customer()) zone_of[each.entry.customer().id()] = each.entry.customer().zone();
  }
  Zones zones;
  for (Declared& each : declared) {
    if (!each.start_day && !each.end_day) continue;
    Subscription& subscription = *each.entry.mutable_subscription();
    const auto found = zone_of.find(subscription.customer());
    const billing::Zone* zone = found == zone_of.end() ? nullptr : zones.find(found->second);
    if (zone == nullptr) continue;
    if (each.start_day) subscription.set_start_ms(zone->day_start(*each.start_day).time_since_epoch().count());
    if (each.end_day) subscription.set_end_ms(zone->day_start(*each.end_day).time_since_epoch().count());
  }
}

bool within_limit(std::size_t entries, const std::vector<Declared>& declared, Diagnostics& diagnostics) {
  if (entries <= kMaxEntries) return true;
  const Declared& last = declared.back();
  diagnostics.add(last.file->name(), last.node->at,
                  "the catalog would have " + std::to_string(entries) + " entries; at most " +
                      std::to_string(kMaxEntries) + " are allowed");
  return false;
}

}  // namespace

void throw_exception_from_error(const std::vector<FileDiagnostic>& diagnostics, const boost::source_location&) {
  throw std::runtime_error(diagnostics.empty() ? "the catalog was refused" : to_string(diagnostics.front()));
}

boost::system::result<CatalogChange, std::vector<FileDiagnostic>> read_catalog(std::span<const SourceFile> files,
                                                                               const std::vector<Entry>& existing,
                                                                               RuleTests tests) {
  Diagnostics diagnostics;
  std::deque<YamlFile> trees;
  std::vector<Declared> declared;
  Completeness completeness = Completeness::whole;
  for (const SourceFile& file : files) {
    YamlFile& tree = trees.emplace_back(file.name, file.text);
    if (!tree.parse(diagnostics)) completeness = Completeness::partial;
    const Source source{tree, diagnostics};
    for (const YamlNode* document : tree.documents()) read_document(source, *document, declared);
  }
  resolve_days(existing, declared);
  if (within_limit(declared.size(), declared, diagnostics)) {
    const Whole whole(existing, declared, completeness, diagnostics);
    if (within_limit(whole.size(), declared, diagnostics)) {
      check_equipment(whole);
      check_offers(whole);
      check_packs(whole, tests);
      check_mappings(whole);
    }
  }
  if (!diagnostics.empty()) return diagnostics.sorted();
  CatalogChange change;
  for (Declared& each : declared) *change.add_entries() = std::move(each.entry);
  return change;
}

}  // namespace fettle::catalog
