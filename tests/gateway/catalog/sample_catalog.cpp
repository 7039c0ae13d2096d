#include "tests/gateway/catalog/sample_catalog.h"

namespace fettle::catalog {

const std::string& sample_catalog() {
  static const std::string kText = R"(models:
  - id: lift/gen2
    signals:
      - {name: temperature, kind: gauge, unit: degC}
      - {name: energy, kind: register, unit: kWh, resolution: 0.01, rollover: 100000, max_rate: 50}
      - {name: band, kind: state, states: [low, high]}
      - {name: pulse, kind: event, unit: kWh, resolution: 0.1}
    meters:
      - {id: energy, kind: difference, signal: energy}
      - {id: pulses, kind: sum, signal: pulse, dimension: band}
      - {id: number, kind: count, signal: pulse}
seller:
  id: demo
  name: Demo GmbH
  country: DE
  invoice_prefix: FD
  vat_rates:
    - {country: DE, category: S, percent: 19}
customers:
  - {id: acme, name: Acme, country: DE, zone: Europe/Berlin, currency: EUR}
sites:
  - {id: tower, customer: acme, country: DE, zone: Europe/Berlin}
assets:
  - {id: lift-1, model: lift/gen2, customer: acme, site: tower, commissioned: 2025-06-01}
  - id: lift-2
    model: lift/gen2
    customer: acme
    commissioned: 2025-06-01T12:00:00+02:00
    parameters: {heat/hot.limit: 70 degC}
plans:
  - id: care
    seller: demo
    currency: EUR
    packs: [heat]
    charges:
      - {id: base, kind: fixed, amount: 49.00}
      - {id: energy, kind: standard, meter: "lift/gen2:energy", price: 0.32}
      - {id: pulses, kind: standard, meter: "lift/gen2:pulses", prices: {low: 0.10, high: 0.20}}
subscriptions:
  - {id: acme-care, customer: acme, plan: care, assets: [lift-1, lift-2], start: 2026-01-01}
)";
  return kText;
}

const std::string& sample_pack() {
  static const std::string kText = R"(pack: heat
version: 1
rules:
  - rule: hot
    model: lift/gen2
    parameters: {limit: 80 degC}
    when: temperature > limit
    for: 10m
    work_order:
      priority: P2
      action: Look at the motor
      parts: [{part: fan, quantity: 2}, {part: belt}]
)";
  return kText;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) {
    ADD_FAILURE() << "the sample has no " << from;
    return text;
  }
  EXPECT_EQ(text.find(from, at + 1), std::string::npos) << "the sample has more than one " << from;
  return text.replace(at, from.size(), to);
}

std::vector<std::string> faults_of(const std::vector<SourceFile>& files, const std::vector<Entry>& existing) {
  const auto result = read_catalog(files, existing);
  std::vector<std::string> faults;
  if (result.has_error()) {
    for (const FileDiagnostic& diagnostic : result.error()) faults.push_back(to_string(diagnostic));
  }
  return faults;
}

testing::AssertionResult same_faults(const std::vector<std::string>& faults, const std::vector<std::string>& expected) {
  std::size_t next = 0;
  bool same = true;
  for (const std::string& each : expected) {
    const bool prefix = each.ends_with('*');
    const std::string text = prefix ? each.substr(0, each.size() - 1) : each;
    const auto fits = [&] {
      return next < faults.size() && (prefix ? faults[next].starts_with(text) : faults[next] == text);
    };
    same = same && fits();
    while (fits()) {
      ++next;
      if (!prefix) break;
    }
  }
  same = same && next == faults.size();
  if (same) return testing::AssertionSuccess();
  auto result = testing::AssertionFailure() << "reported:\n";
  for (const std::string& fault : faults) result << "  " << fault << "\n";
  result << "expected:\n";
  for (const std::string& fault : expected) result << "  " << fault << "\n";
  return result;
}

std::vector<Entry> entries_of(const std::vector<SourceFile>& files, const std::vector<Entry>& existing) {
  const auto result = read_catalog(files, existing);
  if (result.has_error()) {
    for (const FileDiagnostic& diagnostic : result.error()) ADD_FAILURE() << to_string(diagnostic);
    return {};
  }
  return {result->entries().begin(), result->entries().end()};
}

std::vector<Entry> sample_entries() {
  return entries_of({{"c.yaml", sample_catalog()}, {"p.yaml", sample_pack()}});
}

}  // namespace fettle::catalog
