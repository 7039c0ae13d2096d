#include <sstream>

#include "firmware-sim/load.h"

namespace fettle::sim {
namespace {

// What happens often enough that a run of a minute raises and clears several of each, on values that are drawn evenly:
// a gauge's mean of ten steps is 40 +- 3.7, an event of 1 to 100 passes 95 in one step of twenty, a register of slope 1
// to 9 spends a tenth of its way in the first 50 of every 500.
void write_rule(std::ostream& out, std::uint64_t signal) {
  const std::string name = load_signal_name(signal);
  out << "  - rule: "
      << "watch-" << signal + 1 << "\n    model: load/device\n";
  const char* once = "";  // readings that raise in the second minute and clear in the third
  switch (load_kind(signal)) {
    case LoadKind::kGauge:
      once = "[constant(40, 1m, every 1s), constant(46, 1m, every 1s), constant(40, 1m, every 1s)]";
      out << "    when: mean(" << name << ", 10s) > 44\n    clear: mean(" << name << ", 10s) < 42\n";
      break;
    case LoadKind::kRegister:
      once = "steps(470, 501, 560, every 1m)";
      out << "    when: " << name << " % 500 < 50\n";
      break;
    case LoadKind::kEvent:
      once = "steps(50, 96, 80, every 1m)";
      out << "    when: " << name << " > 95\n    clear: " << name << " < 90\n";
      break;
  }
  out << "    work_order:\n      priority: P4\n      failure_mode: OTH\n      action: Look at " << name
      << "\n      skills: [load]\n      due: 5d\n    tests:\n      - name: raised and cleared\n        readings: {"
      << name << ": " << once << "}\n        expect: [{raised_after: 1m .. 1m30s, cleared_after: 2m .. 2m30s}]\n";
}

void write_signal(std::ostream& out, std::uint64_t signal) {
  out << "      - {name: " << load_signal_name(signal);
  switch (load_kind(signal)) {
    case LoadKind::kGauge:
      out << ", kind: gauge, unit: 1}\n";
      return;
    case LoadKind::kRegister:
      out << ", kind: register, unit: 1, resolution: 1, max_rate: " << kFastestLoadRegister << "}\n";
      return;
    case LoadKind::kEvent:
      break;
  }
  out << ", kind: event, unit: 1, resolution: 1}\n";
}

// A gauge has no quantity to bill; the others have one meter each.
bool is_metered(std::uint64_t signal) {
  return load_kind(signal) != LoadKind::kGauge;
}

void write_model(std::ostream& out, const LoadPlan& plan) {
  out << "models:\n  - id: load/device\n    title: Synthetic load\n    signals:\n";
  for (std::uint64_t i = 0; i < plan.signals; ++i) write_signal(out, i);
  bool any = false;
  for (std::uint64_t i = 0; i < plan.signals; ++i) {
    if (!is_metered(i)) continue;
    if (!std::exchange(any, true)) out << "    meters:\n";
    const char* kind = load_kind(i) == LoadKind::kRegister ? "difference" : "sum";
    out << "      - {id: " << load_signal_name(i) << ", kind: " << kind << ", signal: " << load_signal_name(i) << "}\n";
  }
}

void write_parties(std::ostream& out, const LoadPlan& plan) {
  out << "seller:\n  id: load-seller\n  name: Load Services\n  country: DE\n  invoice_prefix: LD\n  vat_rates:\n"
         "    - {country: DE, category: S, percent: 19}\n"
         "customers:\n  - {id: load-customer, name: Load Customer, country: DE, zone: Etc/UTC, currency: EUR}\n"
         "plans:\n  - id: load-plan\n    seller: load-seller\n    currency: EUR\n    packs: [load-watch]\n    "
         "charges:\n"
         "      - {id: base, kind: fixed, amount: 10.00}\n";
  for (std::uint64_t i = 0; i < plan.signals; ++i) {
    if (!is_metered(i)) continue;
    out << "      - {id: " << load_signal_name(i) << ", kind: standard, meter: \"load/device:" << load_signal_name(i)
        << "\", price: 0.0001}\n";
  }
}

}  // namespace

std::string load_catalog(const LoadPlan& plan, const std::vector<std::string>& sources) {
  std::ostringstream out;
  out << "# What `fettle-sim load` sends, with these options. One rule for each signal, one meter for each register "
         "and "
         "event.\n";
  write_model(out, plan);
  write_parties(out, plan);
  out << "assets:\n";
  for (std::uint64_t i = 0; i < plan.assets; ++i) {
    out << "  - {id: " << load_asset_name(i)
        << ", model: load/device, customer: load-customer, commissioned: 2020-01-01";
    if (i < sources.size()) out << ", sources: [" << sources[i] << "]";
    out << "}\n";
  }
  out << "subscriptions:\n  - {id: load-subscription, customer: load-customer, plan: load-plan, start: 2020-01-01, "
         "assets: [";
  for (std::uint64_t i = 0; i < plan.assets; ++i) out << (i == 0 ? "" : ", ") << load_asset_name(i);
  out << "]}\n---\npack: load-watch\nversion: 1\nrules:\n";
  for (std::uint64_t i = 0; i < plan.signals; ++i) write_rule(out, i);
  return std::move(out).str();
}

}  // namespace fettle::sim
