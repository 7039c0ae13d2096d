#include "tests/bench/workload.h"

#include <cstdio>

namespace fettle::bench {
namespace {

constexpr std::size_t kStampBytes = 20;    // {"ts":1767225600000}
constexpr std::size_t kReadingBytes = 26;  // ,"interval_energy_1":12.34
constexpr std::size_t kMostReadings = 64;  // of a message: a model's signals

}  // namespace

std::string signal_name(std::size_t index) {
  return "interval_energy_" + std::to_string(index + 1);
}

std::string asset_name(std::size_t index) {
  char name[32];
  std::snprintf(name, sizeof name, "meter-%03zu", index);
  return name;
}

std::string node_name(std::size_t asset, std::size_t nodes) {
  return "node-" + std::to_string(asset % nodes + 1);
}

std::string make_catalog(std::size_t assets, std::size_t signals, Condition condition, std::size_t nodes) {
  std::string signal_list;
  std::string meters;
  std::string charges;
  std::string rules;
  for (std::size_t i = 0; i < signals; ++i) {
    const std::string name = signal_name(i);
    signal_list.append("      - {name: ").append(name).append(", kind: event, unit: kWh, resolution: 0.01}\n");
    meters.append("      - {id: ").append(name).append(", kind: sum, signal: ").append(name).append("}\n");
    charges.append("      - {id: ").append(name).append(", kind: standard, meter: \"smart-meter:");
    charges.append(name).append("\", price: 0.1200}\n");
    rules.append("  - rule: high-").append(std::to_string(i + 1));
    rules.append("\n    model: smart-meter\n    parameters: {limit: 90 kWh}\n    when: ");
    rules.append(condition == Condition::window ? "mean(" + name + ", 15m)" : name);
    rules.append(" > limit\n    for: 5m\n    tests:\n      - name: high use is noticed\n        readings: {");
    rules.append(name).append(": constant(95 kWh, 1h, every 1m)}\n        expect: [{cleared_after: never}]\n");
  }
  std::string list;
  std::string names;
  for (std::size_t i = 0; i < assets; ++i) {
    list += "  - {id: " + asset_name(i) + ", model: smart-meter, customer: acme, commissioned: 2020-01-01";
    if (nodes > 0) list += std::string(", sources: [") + kGroup + '/' + node_name(i, nodes) + '/' + asset_name(i) + ']';
    list += "}\n";
    names += (i == 0 ? "" : ", ") + asset_name(i);
  }
  return "models:\n  - id: smart-meter\n    signals:\n" + signal_list + "    meters:\n" + meters +
         "customers:\n  - {id: acme, name: Acme GmbH, country: DE, zone: Europe/Berlin, currency: EUR}\n" +
         "seller:\n  id: bench\n  name: Bench GmbH\n  country: DE\n  invoice_prefix: B\n  vat_rates:\n" +
         "    - {country: DE, category: S, percent: 19}\n" + "assets:\n" + list +
         "plans:\n  - id: energy\n    seller: bench\n    currency: EUR\n    packs: [high-use]\n    charges:\n" +
         charges + "subscriptions:\n  - {id: acme-energy, customer: acme, plan: energy, start: 2020-01-01, assets: [" +
         names + "]}\n---\npack: high-use\nversion: 1\nrules:\n" + rules;
}

Workload make_workload(std::size_t messages, std::size_t payload,
                       std::chrono::sys_time<std::chrono::milliseconds> now) {
  Workload load;
  const std::size_t fit = payload < kStampBytes ? 0 : (payload - kStampBytes) / kReadingBytes;
  load.readings_per_message = std::min(std::max<std::size_t>(fit, 1), kMostReadings);
  load.catalog = make_catalog(kAssets, load.readings_per_message, Condition::window, 0);
  load.expected.readings = messages * load.readings_per_message;
  load.expected.episodes = load.readings_per_message;
  const auto rounds = static_cast<std::int64_t>(messages / kAssets + 1);
  const auto start = now - rounds * kInterval;
  load.messages.reserve(messages);
  for (std::size_t i = 0; i < messages; ++i) {
    const std::size_t asset = i % kAssets;
    const auto time = start + static_cast<std::int64_t>(i / kAssets) * kInterval;
    std::string text = "{\"ts\":" + std::to_string(time.time_since_epoch().count());
    for (std::size_t signal = 0; signal < load.readings_per_message; ++signal) {
      const std::int64_t value = value_of(asset, i, signal);
      load.expected.metered += value;
      char number[32];
      std::snprintf(number, sizeof number, "%lld.%02lld", static_cast<long long>(value / 100),
                    static_cast<long long>(value % 100));
      text += ",\"" + signal_name(signal) + "\":" + number;
    }
    load.messages.push_back({"fettle/v1/" + asset_name(asset) + "/telemetry", text + '}'});
  }
  return load;
}

}  // namespace fettle::bench
