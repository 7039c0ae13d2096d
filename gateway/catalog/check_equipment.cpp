#include <map>
#include <string>

#include "gateway/catalog/checks.h"
#include "gateway/catalog/suggestion.h"

namespace fettle::catalog {
namespace {

const Signal* signal_of(const Model& model, const std::string& name) {
  for (const Signal& signal : model.signals()) {
    if (signal.name() == name) return &signal;
  }
  return nullptr;
}

std::string no_such_signal(const Model& model, const std::string& name) {
  std::vector<std::string> names;
  for (const Signal& signal : model.signals()) names.push_back(signal.name());
  const std::string near = nearest(name, names);
  return "there is no signal " + name + " in this model" +
         (near.empty() ? "; declare it under signals" : "; did you mean " + near + "?");
}

void check_signal(const Whole& whole, const Item& item, int index, const Meter& meter, const Signal& signal) {
  const std::string name = "meter " + meter.id();
  const Path at_signal = {"meters", index, "signal"};
  if (signal.kind() == SIGNAL_KIND_UNSPECIFIED) return;
  if (meter.kind() == DIFFERENCE && signal.kind() != REGISTER) {
    whole.report(item, at_signal,
                 name + " of kind difference needs a signal of kind register, and " + signal.name() +
                     " is none; declare it a register, or meter an event signal with kind sum or count");
  } else if ((meter.kind() == SUM || meter.kind() == COUNT) && signal.kind() != EVENT) {
    whole.report(item, at_signal,
                 name + " of kind " + (meter.kind() == SUM ? "sum" : "count") + " needs a signal of kind event, and " +
                     signal.name() + " is none; declare it an event, or meter a register with kind difference");
  } else if (meter.kind() != COUNT && meter.kind() != METER_KIND_UNSPECIFIED && signal.resolution().empty()) {
    whole.report(item, at_signal,
                 name + " counts in whole multiples of its signal's resolution, and " + signal.name() +
                     " has none; add resolution: 0.01 or what the device counts in");
  }
}

void check_dimension(const Whole& whole, const Item& item, int index, const Meter& meter, const Model& model) {
  if (meter.dimension().empty()) return;
  const std::string name = "meter " + meter.id();
  const Path at_dimension = {"meters", index, "dimension"};
  if (meter.kind() == DIFFERENCE) {
    whole.report(item, at_dimension,
                 name +
                     " of kind difference has a dimension; a register's increase spreads over time and has no one "
                     "state: remove dimension, or meter an event signal with kind sum");
    return;
  }
  const Signal* signal = signal_of(model, meter.dimension());
  if (signal == nullptr) {
    whole.report(item, at_dimension, name + ": " + no_such_signal(model, meter.dimension()));
  } else if (signal->kind() != STATE && signal->kind() != SIGNAL_KIND_UNSPECIFIED) {
    whole.report(
        item, at_dimension,
        name + " has the dimension " + signal->name() + ", which is no state; expected a signal of kind state");
  }
}

// Stored quantities are whole multiples of the resolution, stored states are indexes: neither may change its meaning.
void check_replaced(const Whole& whole, const Item& item) {
  if (item.before == nullptr) return;
  const Model& now = item.entry->model();
  for (const Signal& old : item.before->model().signals()) {
    int index = 0;
    while (index < now.signals_size() && now.signals(index).name() != old.name()) ++index;
    if (index == now.signals_size()) continue;
    const Signal& signal = now.signals(index);
    const auto refuse = [&](std::string_view key, const std::string& change) {
      whole.report(item, {"signals", index, key},
                   "signal " + old.name() + " " + change +
                       ", and stored readings keep the old meaning; give the changed signal another name");
    };
    if (signal.kind() != old.kind() && signal.kind() != SIGNAL_KIND_UNSPECIFIED) refuse("kind", "changes its kind");
    if (signal.unit() != old.unit() && !signal.unit().empty()) {
      refuse("unit", "changes its unit from " + old.unit() + " to " + signal.unit());
    }
    if (!old.resolution().empty() && signal.resolution() != old.resolution()) {
      refuse("resolution", "changes its resolution from " + old.resolution() +
                               (signal.resolution().empty() ? " to none" : " to " + signal.resolution()));
    }
    for (int i = 0; i < old.states_size(); ++i) {
      if (i < signal.states_size() && signal.states(i) == old.states(i)) continue;
      refuse("states", "no longer has " + old.states(i) + " as state number " + std::to_string(i + 1) +
                           " (new states go at the end)");
      break;
    }
  }
}

void check_model(const Whole& whole, const Item& item) {
  const Model& model = item.entry->model();
  for (int i = 0; i < model.meters_size(); ++i) {
    const Meter& meter = model.meters(i);
    if (!meter.signal().empty()) {
      const Signal* signal = signal_of(model, meter.signal());
      if (signal == nullptr) {
        whole.report(item, {"meters", i, "signal"},
                     "meter " + meter.id() + ": " + no_such_signal(model, meter.signal()));
      } else {
        check_signal(whole, item, i, meter, *signal);
      }
    }
    check_dimension(whole, item, i, meter, model);
  }
  check_replaced(whole, item);
}

void check_asset(const Whole& whole, const Item& item) {
  const Asset& asset = item.entry->asset();
  whole.refers(item, {"model"}, Entry::kModel, asset.model());
  whole.refers(item, {"customer"}, Entry::kCustomer, asset.customer());
  if (!whole.refers(item, {"site"}, Entry::kSite, asset.site())) return;
  const Site& site = *whole.site(asset.site());
  if (asset.customer() == site.customer() || site.customer().empty()) return;
  whole.report(item, {"site"},
               "stands at site " + site.id() + " of customer " + site.customer() + ", but belongs to " +
                   (asset.customer().empty() ? "nobody; add customer: " + site.customer()
                                             : "customer " + asset.customer() + "; correct one of the two"),
               whole.find(Entry::kSite, site.id()));
}

// A source belongs to one asset, or its readings would have no owner.
void check_sources(const Whole& whole) {
  std::map<std::string_view, const Item*> owners;
  for (const auto& [id, item] : whole.of(Entry::kAsset)) {
    const Asset& asset = item.entry->asset();
    for (int i = 0; i < asset.sources_size(); ++i) {
      if (asset.sources(i).empty()) continue;  // reported by the reader
      const auto [owner, added] = owners.emplace(asset.sources(i), &item);
      if (added) continue;
      // At the one of the two that is declared now, so that the fault has a place.
      const bool here = item.declared != nullptr || owner->second->declared == nullptr;
      const Item& at = here ? item : *owner->second;
      const Item& other = here ? *owner->second : item;
      const std::string message =
          "the source " + asset.sources(i) + " already belongs to asset " + other.entry->asset().id();
      if (here) {
        whole.report(at, {"sources", i}, message + "; a source has one asset");
      } else {
        whole.report(at, {"sources"}, message + "; a source has one asset");
      }
    }
  }
}

}  // namespace

void check_equipment(const Whole& whole) {
  for (const auto& [id, item] : whole.of(Entry::kModel)) check_model(whole, item);
  for (const auto& [id, item] : whole.of(Entry::kSite)) {
    whole.refers(item, {"customer"}, Entry::kCustomer, item.entry->site().customer());
  }
  for (const auto& [id, item] : whole.of(Entry::kAsset)) check_asset(whole, item);
  check_sources(whole);
}

}  // namespace fettle::catalog
