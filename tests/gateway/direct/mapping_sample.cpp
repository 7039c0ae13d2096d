#include "tests/gateway/direct/mapping_sample.h"

#include <array>
#include <charconv>
#include <map>
#include <span>

#include "gateway/catalog/catalog_reader.h"
#include "gateway/catalog/units.h"
#include "gateway/catalog/zones.h"
#include "gateway/engine/mapping_entries.h"

namespace fettle::direct {
namespace {

constexpr std::string_view kModels = R"(models:
  - id: m
    signals:
      - {name: temperature, kind: gauge, unit: degC}
      - {name: energy, kind: register, unit: kWh, resolution: 0.01}
      - {name: mode, kind: state, states: ["off", "on", "1", "true"]}
      - {name: level, kind: gauge, unit: "1"}
  - {id: f, signals: [{name: temperature, kind: gauge, unit: degF}]}
  - {id: k, signals: [{name: power, kind: gauge, unit: kW}]}
assets:
  - {id: m-1, model: m, commissioned: 2026-01-01}
  - {id: m-2, model: m, commissioned: 2026-01-01}
)";

std::string shortest(double value) {
  std::array<char, 64> text{};
  const auto [end, unused] = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end};
}

std::string in_words(const Telemetry& telemetry) {
  std::string out;
  for (const Group& group : telemetry.groups) {
    out += out.empty() ? "@" : "; @";
    if (group.time) out += std::to_string(group.time->time_since_epoch().count());
    for (std::uint32_t i = group.first; i < group.first + group.count; ++i) {
      const Value& value = telemetry.values[i];
      out += ' ' + std::string(value.signal);
      if (value.kind == ValueKind::number) out += '=' + shortest(value.number);
      if (value.kind == ValueKind::text) out += "=\"" + std::string(value.text) + '"';
      if (value.kind == ValueKind::wrong) out += '!' + std::string(value.text);
    }
  }
  return out;
}

}  // namespace

Time trial_now() {
  return Time(std::chrono::sys_days(std::chrono::year(2026) / 7 / 1)) + std::chrono::hours(12);
}

std::string_view Trial::model_of(std::string_view asset) {
  static const std::map<std::string_view, std::string_view> kModelOf = {
      {"m-1", "m"}, {"m-2", "m"}, {"f-1", "f"}, {"k-1", "k"}};
  const auto found = kModelOf.find(asset);
  return found == kModelOf.end() ? std::string_view() : found->second;
}

Trial::Trial(const std::string& mappings) {
  const std::vector<catalog::SourceFile> files = {{"models.yaml", std::string(kModels)},
                                                  {"mappings.yaml", "mappings:\n" + mappings}};
  const auto read = catalog::read_catalog(files, {});
  if (read.has_error()) {
    for (const auto& fault : read.error()) ADD_FAILURE() << catalog::to_string(fault);
    return;
  }
  std::map<std::string, catalog::Mapping> entries;
  std::map<std::string, catalog::Model> models;
  for (const catalog::Entry& entry : read->entries()) {
    if (entry.has_mapping()) entries[entry.mapping().id()] = entry.mapping();
    if (entry.has_model()) models[entry.model().id()] = entry.model();
  }
  const engine::Lookups lookups = {catalog::unit_parser(), [](const std::string& name) -> std::optional<billing::Zone> {
                                     auto zone = catalog::load_zone(name);
                                     if (!zone) return std::nullopt;
                                     return *zone;
                                   }};
  std::vector<std::string> problems;
  mappings_ = engine::make_mappings(entries, models, lookups, problems);
  for (const std::string& problem : problems) ADD_FAILURE() << problem;
}

std::string Trial::of(std::string_view topic, std::string_view payload, Time received) {
  std::string asset;
  Malformed why;
  switch (mappings_.apply({topic, payload, received}, &Trial::model_of, telemetry_, asset, why)) {
    case Mappings::Outcome::no_mapping:
      return "no mapping";
    case Mappings::Outcome::passed_over:
      return "passed over";
    case Mappings::Outcome::unknown_asset:
      return "unknown asset " + asset;
    case Mappings::Outcome::malformed:
      return why.reason + ": " + why.detail;
    case Mappings::Outcome::readings:
      break;
  }
  return asset + ' ' + in_words(telemetry_);
}

std::string one_mapping(const std::string& lines, const std::vector<std::string>& signals) {
  std::string out = "  - id: t\n    topic: t/{asset}\n    asset: \"{asset}\"\n";
  std::size_t start = 0;
  while (start < lines.size()) {
    const std::size_t end = std::min(lines.find('\n', start), lines.size());
    out += "    " + lines.substr(start, end - start) + '\n';
    start = end + 1;
  }
  out += "    signals:\n";
  for (const std::string& signal : signals) out += "      - " + signal + '\n';
  return out;
}

}  // namespace fettle::direct
