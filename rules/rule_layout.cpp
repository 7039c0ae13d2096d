#include "rules/rule_layout.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace fettle::rules {

RuleSet::Layout::Layout(std::vector<std::shared_ptr<const CompiledRule>> rules, std::size_t signal_count,
                        Duration longest_gap)
    : words((rules.size() + 63) / 64), max_gap(longest_gap.count()) {
  std::size_t offset = sizeof(Header) + words * sizeof(std::uint64_t);
  for (auto& rule : rules) {
    Slot slot;
    slot.delays = {rule->for_.count(), rule->keep_for.count(), rule->cooldown.count()};
    slot.episode = offset;
    slot.parameters = slot.episode + sizeof(Episode);
    slot.operators = slot.parameters + rule->parameters.size() * sizeof(double);
    offset += state_bytes_of(*rule);
    signature = (signature ^ rule->signature) * kSumPrime;
    slot.rule = std::move(rule);
    slots.push_back(std::move(slot));
  }
  bytes = offset;
  watch_signals(signal_count);
}

void RuleSet::Layout::watch_signals(std::size_t signal_count) {
  std::vector<std::pair<SignalIndex, Watch>> all;
  for (std::uint32_t r = 0; r < slots.size(); ++r) {
    for (const OperatorUse& use : slots[r].rule->uses) {
      if (watches_condition(use)) continue;
      assert(use.signal < signal_count);
      all.push_back({use.signal, {r, &use, slots[r].operators + use.offset}});
      if (use.kind == OperatorKind::absent) silences.push_back(all.back().second);
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  first_watch.assign(signal_count + 1, static_cast<std::uint32_t>(all.size()));
  for (std::size_t i = all.size(); i-- > 0;) first_watch[all[i].first] = static_cast<std::uint32_t>(i);
  for (std::size_t s = signal_count; s-- > 0;) first_watch[s] = std::min(first_watch[s], first_watch[s + 1]);
  for (const auto& [signal, watch] : all) watches.push_back(watch);
}

}  // namespace fettle::rules
