#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "gateway/catalog/checks.h"
#include "gateway/catalog/suggestion.h"
#include "gateway/catalog/units.h"
#include "gateway/direct/mapping.h"

namespace fettle::catalog {
namespace {

// A model's signal with a mapping's name.
struct Target {
  const Item* model = nullptr;
  const Signal* signal = nullptr;
};
using Targets = std::map<std::string, std::vector<Target>, std::less<>>;

Targets targets_of(const Whole& whole) {
  Targets targets;
  for (const auto& [id, item] : whole.of(Entry::kModel)) {
    for (const Signal& signal : item.entry->model().signals()) targets[signal.name()].push_back({&item, &signal});
  }
  return targets;
}

// Why readings of the mapping could not become readings of the model's signal; empty: they can.
std::string misfit(const MappedSignal& mapped, const Signal& signal) {
  if (signal.kind() == STATE) {
    if (!mapped.unit().empty() || !mapped.scale().empty() || !mapped.offset().empty()) {
      return "it is a state there, and a state has no unit, scale or offset";
    }
    for (const MappedText& value : mapped.values()) {
      if (value.leave_out()) continue;
      const auto& states = signal.states();
      if (std::find(states.begin(), states.end(), value.to()) != states.end()) continue;
      const std::string near = nearest(value.to(), states);
      return value.to() + " is none of its states" + (near.empty() ? "" : "; did you mean " + near + "?");
    }
    return {};
  }
  for (const MappedText& value : mapped.values()) {
    if (!value.leave_out() && !direct::number_of(value.to())) {
      return value.to() + " is no number, and it is no state there";
    }
  }
  if (mapped.unit().empty()) return {};
  const auto from = parse_unit(mapped.unit());
  const auto to = parse_unit(signal.unit());
  if (!from || !to || rules::commensurable(*from, *to)) return {};  // what is no unit was reported where it stands
  return mapped.unit() + " cannot be converted to its " + signal.unit();
}

void check_signal(const Whole& whole, const Item& item, int index, const MappedSignal& mapped, const Targets& targets) {
  if (mapped.signal().empty() || mapped.signal().find('{') != std::string::npos) return;
  const auto found = targets.find(mapped.signal());
  if (found == targets.end()) {
    if (mapped.optional() || whole.partial()) return;
    std::vector<std::string_view> names;
    for (const auto& [name, unused] : targets) names.push_back(name);
    const std::string near = nearest(mapped.signal(), names);
    whole.report(
        item, {"signals", index, "signal"},
        "no model has a signal " + mapped.signal() +
            (near.empty() ? "; declare it in a model, or add optional: true" : "; did you mean " + near + "?"));
    return;
  }
  std::string first;
  for (const Target& target : found->second) {
    const std::string fault = misfit(mapped, *target.signal);
    if (fault.empty()) return;  // one model is enough: a mapping serves assets of several
    if (first.empty()) first = "model " + target.model->entry->model().id() + ": " + fault;
  }
  whole.report(item, {"signals", index, "signal"}, "signal " + mapped.signal() + " fits no model that has it; " + first,
               found->second.front().model);
}

void check_topics(const Whole& whole) {
  struct Filter {
    const Item* item;
    direct::TopicFilter topic;
  };
  std::vector<Filter> seen;
  for (const auto& [id, item] : whole.of(Entry::kMapping)) {
    auto topic = direct::parse_topic_filter(item.entry->mapping().topic());
    if (topic.has_error()) continue;  // reported where it stands
    for (const Filter& other : seen) {
      const auto relation = direct::overlap(*topic, other.topic);
      if (relation != direct::Overlap::same && relation != direct::Overlap::crossing) continue;
      const bool here = item.declared != nullptr;
      const Item& at = here ? item : *other.item;
      const Mapping& one = at.entry->mapping();
      const Mapping& two = (here ? *other.item : item).entry->mapping();
      whole.report(at, {"topic"},
                   "a message on " + direct::shared_topic(*topic, other.topic) + " would match its topic " +
                       one.topic() + " and " + two.topic() + " of mapping " + two.id() +
                       (relation == direct::Overlap::same ? "; remove one of the two"
                                                          : ", neither being closer; make one of the topics narrower"));
    }
    seen.push_back({&item, std::move(*topic)});
  }
}

}  // namespace

void check_mappings(const Whole& whole) {
  const Items& mappings = whole.of(Entry::kMapping);
  if (mappings.empty()) return;
  if (mappings.size() > direct::kMaxMappings) {
    for (const auto& [id, item] : mappings) {
      if (item.declared == nullptr) continue;
      whole.report(item, {},
                   "the catalog would have " + std::to_string(mappings.size()) + " mappings; at most " +
                       std::to_string(direct::kMaxMappings) + " are allowed");
      break;
    }
    return;
  }
  check_topics(whole);
  const Targets targets = targets_of(whole);
  for (const auto& [id, item] : mappings) {
    const Mapping& mapping = item.entry->mapping();
    for (int i = 0; i < mapping.signals_size(); ++i) check_signal(whole, item, i, mapping.signals(i), targets);
    for (const MappedText& name : mapping.assets()) {
      whole.refers(item, {"assets", std::string_view(name.from())}, Entry::kAsset, name.to());
    }
  }
}

}  // namespace fettle::catalog
