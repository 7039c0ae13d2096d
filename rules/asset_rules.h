#pragma once
// The rules of one asset, with their state: readings and time in, episodes opened and cleared out.
//
// No clock, no I/O, not thread-safe; the engine owns one per asset that any rule watches. The same calls give the same
// transitions, bit for bit, whatever was saved and loaded in between.
//
// Time. Two clocks come in. *Event time* is the asset's own: apply() carries the stamp of the readings, and advance()
// says how far the asset's clock has moved on without any (ticks; the caller bounds it by max_gap and freezes it while
// the session is down). `for`, `keep_for` and `cooldown` follow it. *Tick time* is the gateway's; absent() follows it.
// Both only move forward; a call that would move one back leaves it where it is. A timer that ran out between two calls
// fires at its own due moment, in order, before the new readings are looked at: a raise is dated by the rule, not by
// the call that noticed it. Progress of a delay between two readings counts at most max_gap.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/rule.h"

namespace fettle::rules {

enum class Quality : std::uint8_t { good, stale, bad };

struct SignalReading {
  SignalIndex signal = 0;
  double value = 0;  // finite; a state's index; in the signal's declared unit
  Quality quality = Quality::good;
};

enum class TransitionKind : std::uint8_t { raised, cleared };
enum class ClearReason : std::uint8_t { none, condition, not_entitled };

struct Transition {
  std::size_t rule = 0;  // index into the rules that AssetRules was made with
  TransitionKind kind = TransitionKind::raised;
  Time at;     // event time: when the delay was complete
  Time since;  // raised: when the condition became true (at - for, or earlier where it paused)
  ClearReason reason = ClearReason::none;
};

// One rule on this asset: the program and the parameters that differ from the rule's own (by position in
// parameters_of).
struct RuleInstance {
  std::shared_ptr<const CompiledRule> rule;  // shared with every asset of the model and the catalog
  std::vector<std::optional<double>> overrides;
};

// The programs of an asset's rules and the order of their state in memory: the same for every asset with the same
// rules. Immutable; shared by the assets and by threads.
class RuleSet {
 public:
  // `signal_count` = size of the model's vocabulary.
  RuleSet(std::vector<std::shared_ptr<const CompiledRule>> rules, std::size_t signal_count, Duration max_gap);
  ~RuleSet();
  RuleSet(const RuleSet&) = delete;
  RuleSet& operator=(const RuleSet&) = delete;

  std::size_t size() const;
  // Of one asset's rules, all together.
  std::size_t state_bytes() const;
  // A hash of the rules' signatures, in order.
  std::uint64_t signature() const;

 private:
  friend class AssetRules;
  struct Layout;
  std::unique_ptr<const Layout> layout_;
};

class AssetRules {
 public:
  // `overrides`: by rule, then by position in parameters_of; where there is none, the rule's own values hold. May be
  // shorter than the set, or empty.
  explicit AssetRules(std::shared_ptr<const RuleSet> set,
                      std::span<const std::vector<std::optional<double>>> overrides = {});
  // With a set of its own. `signal_count` = size of the model's vocabulary.
  AssetRules(std::vector<RuleInstance> rules, std::size_t signal_count, Duration max_gap);
  ~AssetRules();
  AssetRules(AssetRules&&) noexcept;
  AssetRules& operator=(AssetRules&&) noexcept;

  // The readings of one message that share one event time: applied together, then every rule that reads one of them is
  // evaluated once. `tick` is the gateway's time at which they came in. Transitions are appended to `out`. A reading
  // older than the newest of its signal changes nothing.
  void apply(Time event, Time tick, std::span<const SignalReading> readings, std::vector<Transition>& out);

  // Time went on without readings: the asset's clock stands at `asset_now`, the gateway's at `tick`.
  void advance(Time asset_now, Time tick, std::vector<Transition>& out);

  // Signals became unknown (session lost). Rules that read them become unknown; open episodes stay open. From the
  // asset's clock on: call advance() first to let time go on until the loss. absent() goes on counting.
  void mark_stale(std::span<const SignalIndex> signals, Time tick);

  // Whether the asset's subscription entitles it to the rule now. Losing it clears an open episode at `at`
  // with ClearReason::not_entitled; without it nothing is raised, though operators keep their state warm. Entitled at
  // first. Once entitled again, a rule begins with the next reading of its signals.
  void set_entitled(std::size_t rule, bool entitled, Time at, std::vector<Transition>& out);

  // The earliest asset time, and the earliest tick, at which advance() could raise or clear something.
  // Time::max() where nothing is pending. May be too early where a delay was reset since, never too late.
  Time next_asset_due() const;
  Time next_tick_due() const;

  bool raised(std::size_t rule) const;

  // The state of one rule as bytes, and back. Load before the first apply(): the clocks come with it. load() refuses
  // (false, state unchanged) bytes of another signature or length: the caller then leaves the rule to start neutral and
  // reports it.
  void save(std::size_t rule, std::string& out) const;
  bool load(std::size_t rule, std::string_view bytes);

  // The state of all rules at once: shorter and quicker than one by one, for the same set and parameters only.
  // load_all() refuses (false, state unchanged) bytes of another set.
  void save_all(std::string& out) const;
  bool load_all(std::string_view bytes);

 private:
  class State;
  std::shared_ptr<const RuleSet> set_;   // shared with the assets that have the same rules
  std::unique_ptr<std::byte[]> buffer_;  // State: its header, then each rule's episode, parameters and operators
};

}  // namespace fettle::rules
