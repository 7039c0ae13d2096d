#include "tests/gateway/engine/plant.h"

#include <google/protobuf/text_format.h>

#include <stdexcept>

#include "gateway/catalog/units.h"

namespace fettle::engine::trial {
namespace {

constexpr std::chrono::hours kBefore{240};

std::string number(std::int64_t value) {
  return std::to_string(value);
}

}  // namespace

Lookups lookups() {
  return {catalog::unit_parser(), [](const std::string& name) -> std::optional<billing::Zone> {
            using std::chrono::minutes;
            if (name == "UTC") return billing::Zone();
            if (name == "Half/Past") return billing::Zone({{Time(), minutes(330)}});
            if (name == "Sum/Mer") {
              return billing::Zone({{Time(), minutes(60)}, {kStart + std::chrono::hours(3), minutes(120)}});
            }
            return std::nullopt;
          }};
}

catalog::CatalogChange catalog_of(const std::string& text) {
  catalog::CatalogChange change;
  if (!google::protobuf::TextFormat::ParseFromString(text, &change)) {
    throw std::invalid_argument("no catalog change: " + text);
  }
  return change;
}

std::string model_text() {
  return model_text("", "LIVE");
}

std::string model_text(std::string_view further_signals, std::string_view upload) {
  return R"(entries { model { id: "press/m1" max_gap_ms: 900000 lateness_ms: 60000 upload: )" + std::string(upload) +
         std::string(further_signals) + R"(
    signals { name: "temperature" unit: "degC" kind: GAUGE }
    signals { name: "mode" unit: "1" kind: STATE states: "day" states: "night" states: "off" }
    signals { name: "energy" unit: "kWh" kind: REGISTER resolution: "0.01" rollover: "1000" max_rate: "100"
              expected_interval_ms: 7200000 }
    signals { name: "pulse" unit: "kWh" kind: EVENT resolution: "0.1" }
    signals { name: "stroke" unit: "1" kind: EVENT }
    meters { id: "drawn" signal: "energy" kind: DIFFERENCE }
    meters { id: "pulsed" signal: "pulse" kind: SUM dimension: "mode" }
    meters { id: "pulses" signal: "pulse" kind: COUNT dimension: "mode" }
    meters { id: "strokes" signal: "stroke" kind: COUNT } } }
)";
}

std::string parties_text(std::string_view zone) {
  return R"(entries { seller { id: "s" name: "Seller" country: "AA" invoice_prefix: "S" grace_ms: 172800000
      longest_grace_ms: 864000000 vat_rates { country: "AA" category: "S" percent: "20" } } }
    entries { customer { id: "c" name: "Customer" country: "AA" currency: "EUR" zone: ")" +
         std::string(zone) + R"(" } }
    entries { site { id: "c/hall" customer: "c" country: "AA" zone: "UTC" } }
)";
}

std::string asset_text(std::string_view id) {
  return R"(entries { asset { id: ")" + std::string(id) +
         R"(" model: "press/m1" customer: "c" site: "c/hall" commissioned_ms: )" + number(ms(kStart - kBefore)) +
         " } }\n";
}

std::string hot_rule(std::string_view when, std::string_view priority) {
  return R"(rules { id: "hot" title: "Too hot" model: "press/m1" for_ms: 600000
      parameters { key: "limit" value { text: "80 degC" line: 1 column: 1 } } when { text: ")" +
         std::string(when) + R"(" line: 2 column: 1 } work_order { priority: ")" + std::string(priority) +
         R"(" failure_mode: "OHE" action: "Clean the cooler" skills: "cooling" due_ms: 432000000
      parts { part: "filter" quantity: 2 } checklist: "look" } }
)";
}

std::string pack_text(int version, std::string_view rules) {
  return R"(entries { pack { id: "care" version: )" + std::to_string(version) + ' ' + std::string(rules) + " } }\n";
}

std::string pack_text() {
  return pack_text(1, hot_rule("temperature > limit", "P3"));
}

std::string plan_text() {
  return R"(entries { plan { id: "full" title: "Full service" seller: "s" currency: "EUR" packs: "care"
    charges { id: "drawn" title: "Energy" kind: STANDARD meter: "press/m1:drawn" prices { price: "2.50" } }
    charges { id: "pulsed" title: "Pulses" kind: STANDARD meter: "press/m1:pulsed"
              prices { band: "day" price: "1.00" } prices { price: "0.40" } }
    charges { id: "base" title: "Base fee" kind: FIXED amount: "30.00" } } }
)";
}

std::string subscription_text(std::string_view id, std::string_view assets, Time start, std::int64_t end_ms) {
  std::string text = R"(entries { subscription { id: ")" + std::string(id) +
                     R"(" customer: "c" plan: "full" start_ms: )" + number(ms(start)) + " end_ms: " + number(end_ms);
  while (!assets.empty()) {
    const std::size_t space = std::min(assets.find(' '), assets.size());
    text += R"( assets: ")" + std::string(assets.substr(0, space)) + '"';
    assets.remove_prefix(std::min(space + 1, assets.size()));
  }
  return text + " } }\n";
}

std::string whole_plant() {
  return model_text() + parties_text("UTC") + asset_text("a") + asset_text("b") + pack_text() + plan_text() +
         subscription_text("sub", "a b", kStart - kBefore, 0);
}

}  // namespace fettle::engine::trial
