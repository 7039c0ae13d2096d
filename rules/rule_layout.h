#pragma once
// Where the state of each of an asset's rules lies in its buffer, and which operators read which signal: the inside of
// a RuleSet. Immutable; shared by the assets and by threads. Nothing but asset_rules.cpp and rule_layout.cpp needs it.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "rules/asset_rules.h"
#include "rules/episode.h"
#include "rules/operator_state.h"
#include "rules/program.h"

namespace fettle::rules {

inline constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();

// FNV-1a, 64 bit.
inline constexpr std::uint64_t kSumStart = 14695981039346656037ULL;
inline constexpr std::uint64_t kSumPrime = 1099511628211ULL;

// The asset's clocks. Rules share them, yet each saves a copy, so that its state stands alone.
struct Clocks {
  std::int64_t newest = kNever;       // event time of the newest reading
  std::int64_t newest_tick = kNever;  // tick at which it came
  std::int64_t asset = kNever;        // how far timers have been run; newest <= asset <= newest + max_gap, mostly
  std::int64_t tick = kNever;         // how far silences have been looked at
  std::int64_t running = 0;           // running time at `newest`: event time less what gaps exceeded max_gap by
};

// What an asset's buffer begins with; the bits of the affected rules follow, then the rules.
struct Header {
  Clocks clocks;
  // Nothing is due before these. They may be early, never late: a delay that was reset leaves them where they are.
  std::int64_t asset_due = kEndOfTime;
  std::int64_t tick_due = kEndOfTime;
};
static_assert(std::is_trivially_copyable_v<Header>);

// One rule's place in the asset's buffer: Episode, parameters, states of operators, one after another.
struct Slot {
  std::shared_ptr<const CompiledRule> rule;  // shared with whoever else runs it
  Delays delays;
  std::size_t episode = 0;  // offsets in the buffer
  std::size_t parameters = 0;
  std::size_t operators = 0;
};

// An operator that reads a signal.
struct Watch {
  std::uint32_t rule = 0;
  const OperatorUse* use = nullptr;  // in the rule
  std::size_t state = 0;             // offset in the buffer
};

struct RuleSet::Layout {
  std::vector<Slot> slots;
  std::vector<std::uint32_t> first_watch;  // by signal, one more than there are: where its watches begin
  std::vector<Watch> watches;
  std::vector<Watch> silences;  // the absent() operators
  std::size_t words = 0;        // of the affected rules' bits
  std::size_t bytes = 0;        // of a buffer
  std::int64_t max_gap = 0;
  std::uint64_t signature = kSumStart;

  Layout(std::vector<std::shared_ptr<const CompiledRule>> rules, std::size_t signal_count, Duration longest_gap);
  void watch_signals(std::size_t signal_count);
};

}  // namespace fettle::rules
