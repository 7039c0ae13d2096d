#include "rules/asset_rules.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "rules/episode.h"
#include "rules/operator_state.h"
#include "rules/program.h"

namespace fettle::rules {
namespace {

constexpr std::int64_t kEndOfTime = std::numeric_limits<std::int64_t>::max();

std::int64_t ms(Time time) {
  return time.time_since_epoch().count();
}
Time time_at(std::int64_t ms) {
  return Time(Duration(ms));
}

// The asset's clocks. Rules share them, yet each saves a copy, so that its state stands alone.
struct Clocks {
  std::int64_t newest = kNever;       // event time of the newest reading
  std::int64_t newest_tick = kNever;  // tick at which it came
  std::int64_t asset = kNever;        // how far timers have been run; newest <= asset <= newest + max_gap, mostly
  std::int64_t tick = kNever;         // how far silences have been looked at
  std::int64_t running = 0;           // running time at `newest`: event time less what gaps exceeded max_gap by
};

struct SavedRule {
  std::uint64_t signature = 0;
  std::uint64_t checksum = 0;  // of what follows
  Clocks clocks;
  Episode episode;
};
static_assert(std::is_trivially_copyable_v<SavedRule>);
constexpr std::size_t kUnsummed = 2 * sizeof(std::uint64_t);

std::uint64_t checksum(std::string_view bytes) {  // FNV-1a, 64 bit
  std::uint64_t sum = 14695981039346656037ULL;
  for (const char c : bytes) sum = (sum ^ static_cast<std::uint8_t>(c)) * 1099511628211ULL;
  return sum;
}

// One rule's place in the asset's buffer: Episode, parameters, states of operators.
struct Slot {
  std::shared_ptr<const CompiledRule> rule;
  std::size_t offset = 0;
};

// An operator that reads a signal.
struct Watch {
  std::uint32_t rule = 0;
  std::uint32_t use = 0;
};

Delays delays_of(const CompiledRule& rule) {
  return {rule.for_.count(), rule.keep_for.count(), rule.cooldown.count()};
}

}  // namespace

struct AssetRules::State {
  std::vector<Slot> slots;
  std::unique_ptr<std::byte[]> buffer;     // of all rules, one allocation
  std::vector<std::uint32_t> first_watch;  // by signal, one more than there are: where its watches begin
  std::vector<Watch> watches;
  std::vector<Watch> silences;          // the absent() operators
  std::vector<std::uint64_t> affected;  // bit per rule: to be evaluated; all zero between calls
  std::int64_t max_gap = 0;
  Clocks clocks;
  // Nothing is due before these. They may be early, never late: a delay that was reset leaves them where they are.
  std::int64_t asset_due = kEndOfTime;
  std::int64_t tick_due = kEndOfTime;

  Episode& episode(std::size_t rule) const { return *reinterpret_cast<Episode*>(buffer.get() + slots[rule].offset); }
  double* parameters(std::size_t rule) const {
    return reinterpret_cast<double*>(buffer.get() + slots[rule].offset + sizeof(Episode));
  }
  std::byte* operators(std::size_t rule) const {
    return buffer.get() + slots[rule].offset + sizeof(Episode) + slots[rule].rule->parameters.size() * sizeof(double);
  }
  std::byte* state_of(const Watch& watch) const { return operators(watch.rule) + use_of(watch).offset; }
  const OperatorUse& use_of(const Watch& watch) const { return slots[watch.rule].rule->uses[watch.use]; }

  void place(std::vector<RuleInstance> instances);
  void watch_signals(std::size_t signal_count);

  // The asset's clock cannot pass this without readings.
  std::int64_t horizon() const { return clocks.newest == kNever ? kNever : clocks.newest + max_gap; }
  std::int64_t running_at(std::int64_t date) const {
    return clocks.newest == kNever ? 0 : clocks.running + std::clamp<std::int64_t>(date - clocks.newest, 0, max_gap);
  }
  Moment moment_at(std::int64_t date) const { return {date, running_at(date)}; }

  std::size_t signal_count() const { return first_watch.size() - 1; }
  void mark(std::size_t rule) { affected[rule / 64] |= std::uint64_t{1} << (rule % 64); }
  template <typename F>
  void each_affected(F evaluate_rule);

  ProgramInputs inputs(std::size_t rule) const {
    return {slots[rule].rule->uses, operators(rule), parameters(rule), clocks.newest, clocks.tick};
  }
  Truth raise_condition(std::size_t rule) const;
  Truth clear_condition(std::size_t rule) const;
  void evaluate(std::size_t rule, Moment moment, std::vector<Transition>& out);
  void emit(std::size_t rule, const Change& change, ClearReason reason, std::vector<Transition>& out) const;

  std::int64_t due_date(std::size_t rule) const;
  std::int64_t silence_due(const Watch& silence) const;
  void run_timers(std::int64_t asset_to, std::int64_t tick_to, std::vector<Transition>& out);
  void end_silence_at(std::int64_t tick, std::vector<Transition>& out);
  void find_due();
  void move_to(std::int64_t event, std::int64_t tick);
};

// ---- construction
// ------------------------------------------------------------------------------------------------------

void AssetRules::State::place(std::vector<RuleInstance> instances) {
  std::size_t size = 0;
  for (RuleInstance& instance : instances) {
    slots.push_back({std::move(instance.rule), size});
    size += state_bytes_of(*slots.back().rule);
  }
  buffer = std::make_unique<std::byte[]>(size);
  for (std::size_t r = 0; r < slots.size(); ++r) {
    const CompiledRule& rule = *slots[r].rule;
    ::new (buffer.get() + slots[r].offset) Episode();
    const auto& overrides = instances[r].overrides;
    for (std::size_t p = 0; p < rule.parameters.size(); ++p) {
      parameters(r)[p] = p < overrides.size() && overrides[p] ? *overrides[p] : rule.parameters[p].value;
    }
    for (const OperatorUse& use : rule.uses) start(use, operators(r) + use.offset);
  }
  affected.assign((slots.size() + 63) / 64, 0);
}

void AssetRules::State::watch_signals(std::size_t signal_count) {
  std::vector<std::pair<SignalIndex, Watch>> all;
  for (std::uint32_t r = 0; r < slots.size(); ++r) {
    const auto& uses = slots[r].rule->uses;
    for (std::uint32_t u = 0; u < uses.size(); ++u) {
      assert(uses[u].signal < signal_count);
      all.push_back({uses[u].signal, {r, u}});
      if (uses[u].kind == OperatorKind::absent) silences.push_back({r, u});
    }
  }
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  first_watch.assign(signal_count + 1, static_cast<std::uint32_t>(all.size()));
  for (std::size_t i = all.size(); i-- > 0;) first_watch[all[i].first] = static_cast<std::uint32_t>(i);
  for (std::size_t s = signal_count; s-- > 0;) first_watch[s] = std::min(first_watch[s], first_watch[s + 1]);
  for (const auto& [signal, watch] : all) watches.push_back(watch);
}

// ---- evaluation
// --------------------------------------------------------------------------------------------------------

template <typename F>
void AssetRules::State::each_affected(F evaluate_rule) {
  for (std::size_t word = 0; word < affected.size(); ++word) {
    while (affected[word] != 0) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(affected[word]));
      affected[word] &= affected[word] - 1;
      evaluate_rule(word * 64 + bit);
    }
  }
}

Truth AssetRules::State::raise_condition(std::size_t rule) const {
  const CompiledRule& compiled = *slots[rule].rule;
  const Truth when = truth_of(run(compiled.when, inputs(rule)));
  if (when == Truth::no || compiled.suppress_when.empty()) return when;
  return conjunction(when, negation(truth_of(run(compiled.suppress_when, inputs(rule)))));
}

// While `when` itself is true nothing clears, whatever `clear` says: otherwise the two could chase each other.
Truth AssetRules::State::clear_condition(std::size_t rule) const {
  const CompiledRule& compiled = *slots[rule].rule;
  const Truth when = truth_of(run(compiled.when, inputs(rule)));
  if (compiled.clear.empty() || when == Truth::yes) return negation(when);
  return truth_of(run(compiled.clear, inputs(rule)));
}

void AssetRules::State::evaluate(std::size_t rule, Moment moment, std::vector<Transition>& out) {
  Episode& e = episode(rule);
  if (e.entitlement == Entitlement::none) return;
  const Delays delays = delays_of(*slots[rule].rule);
  const auto change = is_open(e) ? observe_clear(e, delays, clear_condition(rule), moment)
                                 : observe_raise(e, delays, raise_condition(rule), moment);
  if (change)
    emit(rule, *change, change->kind == TransitionKind::cleared ? ClearReason::condition : ClearReason::none, out);
  if (is_running(e)) asset_due = std::min(asset_due, due_date(rule));
}

void AssetRules::State::emit(std::size_t rule, const Change& change, ClearReason reason,
                             std::vector<Transition>& out) const {
  out.push_back({rule, change.kind, time_at(change.at), time_at(change.since), reason});
}

// ---- timers
// ------------------------------------------------------------------------------------------------------------

// The date at which the rule's running delay is over, if nothing more is heard; kEndOfTime if none runs.
std::int64_t AssetRules::State::due_date(std::size_t rule) const {
  const Episode& e = episode(rule);
  if (!is_running(e)) return kEndOfTime;
  const std::int64_t over = clocks.newest + std::max<std::int64_t>(e.due - clocks.running, 0);
  return e.phase == Phase::pending ? std::max(over, e.cooldown_until) : over;
}

// The tick at which absent() becomes true; kEndOfTime if it is already, or nothing was ever heard.
std::int64_t AssetRules::State::silence_due(const Watch& silence) const {
  const std::int64_t heard = reinterpret_cast<const SilenceState*>(state_of(silence))->heard;
  if (heard == kNever) return kEndOfTime;
  const std::int64_t due = heard + use_of(silence).window;
  return due > clocks.tick ? due : kEndOfTime;
}

void AssetRules::State::find_due() {
  asset_due = kEndOfTime;
  for (std::size_t r = 0; r < slots.size(); ++r) asset_due = std::min(asset_due, due_date(r));
  tick_due = kEndOfTime;
  for (const Watch& silence : silences) tick_due = std::min(tick_due, silence_due(silence));
}

// Fires what is due up to these times, in the order of its dates. A silence is dated by the asset's time at its newest
// reading and the ticks since: so a device's skew cancels.
void AssetRules::State::run_timers(std::int64_t asset_to, std::int64_t tick_to, std::vector<Transition>& out) {
  if (asset_due > asset_to && tick_due > tick_to) return;
  for (;;) {
    std::size_t first = slots.size();
    std::int64_t date = kEndOfTime;
    for (std::size_t r = 0; r < slots.size(); ++r) {
      const std::int64_t due = due_date(r);
      if (due > asset_to || due >= date) continue;
      date = due;
      first = r;
    }
    std::int64_t silence = kEndOfTime;
    for (const Watch& watch : silences) silence = std::min(silence, silence_due(watch));
    const bool silence_first = silence <= tick_to && clocks.newest + (silence - clocks.newest_tick) < date;
    if (silence_first) {
      end_silence_at(silence, out);
    } else if (first < slots.size()) {
      const Change change = complete(episode(first), delays_of(*slots[first].rule), date);
      emit(first, change, change.kind == TransitionKind::cleared ? ClearReason::condition : ClearReason::none, out);
    } else {
      break;
    }
  }
  find_due();
}

void AssetRules::State::end_silence_at(std::int64_t tick, std::vector<Transition>& out) {
  for (const Watch& silence : silences) {
    if (silence_due(silence) == tick) mark(silence.rule);
  }
  clocks.tick = tick;
  const Moment moment = moment_at(clocks.newest + (tick - clocks.newest_tick));
  each_affected([&](std::size_t rule) { evaluate(rule, moment, out); });
}

// The readings of an event time are about to be applied.
void AssetRules::State::move_to(std::int64_t event, std::int64_t tick) {
  clocks.tick = std::max(clocks.tick, tick);
  if (clocks.newest != kNever && event <= clocks.newest) return;
  const std::int64_t gap = clocks.newest == kNever ? 0 : event - clocks.newest;
  clocks.running += std::min(gap, max_gap);
  clocks.newest = event;
  clocks.newest_tick = clocks.tick;
  clocks.asset = std::max(clocks.asset, event);
  if (gap - max_gap < kForget) return;
  for (std::size_t r = 0; r < slots.size(); ++r) restart(episode(r), delays_of(*slots[r].rule), moment_at(event));
}

// ---- the public face
// ---------------------------------------------------------------------------------------------------

AssetRules::AssetRules(std::vector<RuleInstance> rules, std::size_t signal_count, Duration max_gap)
    : state_(std::make_unique<State>()) {
  state_->max_gap = max_gap.count();
  state_->place(std::move(rules));
  state_->watch_signals(signal_count);
}

AssetRules::~AssetRules() = default;
AssetRules::AssetRules(AssetRules&&) noexcept = default;
AssetRules& AssetRules::operator=(AssetRules&&) noexcept = default;

void AssetRules::apply(Time event, Time tick, std::span<const SignalReading> readings, std::vector<Transition>& out) {
  State& s = *state_;
  s.run_timers(std::min(ms(event), s.horizon()), ms(tick), out);
  s.move_to(ms(event), ms(tick));
  for (const SignalReading& reading : readings) {
    if (reading.signal >= s.signal_count()) continue;
    const bool good = reading.quality == Quality::good && std::isfinite(reading.value);
    const OperatorReading taken{ms(event), s.clocks.tick, good ? reading.value : kUnknown};
    for (std::uint32_t w = s.first_watch[reading.signal]; w < s.first_watch[reading.signal + 1]; ++w) {
      const Watch& watch = s.watches[w];
      take(s.use_of(watch), s.state_of(watch), taken, s.max_gap);
      s.mark(watch.rule);
      if (s.use_of(watch).kind == OperatorKind::absent) s.tick_due = std::min(s.tick_due, s.silence_due(watch));
    }
  }
  const Moment now = s.moment_at(s.clocks.newest);
  s.each_affected([&](std::size_t rule) { s.evaluate(rule, now, out); });
  // A cooldown that ended in a gap of the data lets a rule raise now that was not among the affected.
  s.run_timers(s.clocks.newest, s.clocks.tick, out);
}

void AssetRules::advance(Time asset_now, Time tick, std::vector<Transition>& out) {
  State& s = *state_;
  const std::int64_t to = std::min(ms(asset_now), s.horizon());
  s.run_timers(to, ms(tick), out);
  s.clocks.asset = std::max(s.clocks.asset, to);
  s.clocks.tick = std::max(s.clocks.tick, ms(tick));
}

void AssetRules::mark_stale(std::span<const SignalIndex> signals, Time) {
  State& s = *state_;
  if (s.clocks.newest == kNever) return;  // nothing is known yet
  for (const SignalIndex signal : signals) {
    if (signal >= s.signal_count()) continue;
    for (std::uint32_t w = s.first_watch[signal]; w < s.first_watch[signal + 1]; ++w) {
      lose(s.use_of(s.watches[w]), s.state_of(s.watches[w]), s.clocks.asset);
      s.mark(s.watches[w].rule);
    }
  }
  // Less knowledge never makes an unknown condition known, nor turns one round: all that can happen is a pause.
  const Moment now = s.moment_at(s.clocks.asset);
  s.each_affected([&](std::size_t rule) {
    Episode& e = s.episode(rule);
    if (!is_running(e)) return;
    const Truth condition = is_open(e) ? s.clear_condition(rule) : s.raise_condition(rule);
    if (condition == Truth::unknown) pause(e, now);
  });
}

void AssetRules::set_entitled(std::size_t rule, bool entitled, Time at, std::vector<Transition>& out) {
  State& s = *state_;
  const Entitlement now = entitled ? Entitlement::held : Entitlement::none;
  if (s.episode(rule).entitlement == now) return;
  if (entitled) {
    s.episode(rule).entitlement = now;
    return;
  }
  const std::int64_t to = std::min(ms(at), s.horizon());
  s.run_timers(to, s.clocks.tick, out);
  s.clocks.asset = std::max(s.clocks.asset, to);
  if (const auto change = end_entitlement(s.episode(rule), ms(at))) {
    s.emit(rule, *change, ClearReason::not_entitled, out);
  }
}

Time AssetRules::next_asset_due() const {
  return state_->asset_due > state_->horizon() ? Time::max() : time_at(state_->asset_due);
}

Time AssetRules::next_tick_due() const {
  return state_->tick_due == kEndOfTime ? Time::max() : time_at(state_->tick_due);
}

bool AssetRules::raised(std::size_t rule) const {
  return is_open(state_->episode(rule));
}

void AssetRules::save(std::size_t rule, std::string& out) const {
  const CompiledRule& compiled = *state_->slots[rule].rule;
  SavedRule saved;
  saved.signature = compiled.signature;
  saved.clocks = state_->clocks;
  saved.episode = state_->episode(rule);
  const std::size_t begin = out.size();
  out.resize(begin + sizeof(SavedRule) + compiled.state_bytes);
  char* bytes = out.data() + begin;
  std::memcpy(bytes, &saved, sizeof(saved));
  std::memcpy(bytes + sizeof(saved), state_->operators(rule), compiled.state_bytes);
  saved.checksum = checksum(std::string_view(out).substr(begin + kUnsummed));
  std::memcpy(bytes + offsetof(SavedRule, checksum), &saved.checksum, sizeof(saved.checksum));
}

bool AssetRules::load(std::size_t rule, std::string_view bytes) {
  State& s = *state_;
  const CompiledRule& compiled = *s.slots[rule].rule;
  SavedRule saved;
  if (bytes.size() != sizeof(saved) + compiled.state_bytes) return false;
  std::memcpy(&saved, bytes.data(), sizeof(saved));
  if (saved.signature != compiled.signature || saved.checksum != checksum(bytes.substr(kUnsummed))) return false;
  if (s.clocks.newest == kNever || saved.clocks.newest > s.clocks.newest) {
    s.clocks = saved.clocks;
  } else if (is_running(saved.episode)) {
    saved.episode.due += s.clocks.running - saved.clocks.running;  // what is left of the delay stays
  }
  s.episode(rule) = saved.episode;
  std::memcpy(s.operators(rule), bytes.data() + sizeof(saved), compiled.state_bytes);
  s.find_due();
  return true;
}

}  // namespace fettle::rules
