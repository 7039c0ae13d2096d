#include "rules/asset_rules.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "rules/episode.h"
#include "rules/operator_state.h"
#include "rules/point_state.h"
#include "rules/program.h"
#include "rules/rule_layout.h"

namespace fettle::rules {
namespace {

std::int64_t ms(Time time) {
  return time.time_since_epoch().count();
}
Time time_at(std::int64_t ms) {
  return Time(Duration(ms));
}

struct SavedRule {
  std::uint64_t signature = 0;
  std::uint64_t checksum = 0;  // of what follows
  Clocks clocks;
  Episode episode;
};
static_assert(std::is_trivially_copyable_v<SavedRule>);
constexpr std::size_t kUnsummed = 2 * sizeof(std::uint64_t);

std::uint64_t checksum(std::string_view bytes) {  // FNV-1a, 64 bit
  std::uint64_t sum = kSumStart;
  for (const char c : bytes) sum = (sum ^ static_cast<std::uint8_t>(c)) * kSumPrime;
  return sum;
}

}  // namespace

// One asset's rules at work: the set's layout over the asset's buffer. Made for each call; owns neither.
class AssetRules::State {
 public:
  State(const RuleSet& set, std::byte* bytes)
      : layout(*set.layout_),
        buffer(bytes),
        header(*reinterpret_cast<Header*>(bytes)),
        clocks(header.clocks),
        affected(reinterpret_cast<std::uint64_t*>(bytes + sizeof(Header))) {}

  void start(std::span<const std::vector<std::optional<double>>> overrides);

  const RuleSet::Layout& layout;
  std::byte* buffer;
  Header& header;
  Clocks& clocks;
  std::uint64_t* affected;  // bit per rule: to be evaluated; all zero between calls

  Episode& episode(std::size_t rule) const { return *reinterpret_cast<Episode*>(buffer + layout.slots[rule].episode); }
  double* parameters(std::size_t rule) const {
    return reinterpret_cast<double*>(buffer + layout.slots[rule].parameters);
  }
  std::byte* operators(std::size_t rule) const { return buffer + layout.slots[rule].operators; }

  // The asset's clock cannot pass this without readings.
  std::int64_t horizon() const { return clocks.newest == kNever ? kNever : clocks.newest + layout.max_gap; }
  std::int64_t running_at(std::int64_t date) const {
    return clocks.newest == kNever ? 0
                                   : clocks.running + std::clamp<std::int64_t>(date - clocks.newest, 0, layout.max_gap);
  }
  Moment moment_at(std::int64_t date) const { return {date, running_at(date)}; }

  std::size_t signal_count() const { return layout.first_watch.size() - 1; }
  std::span<const Watch> watches_of(SignalIndex signal) const {
    const std::uint32_t first = layout.first_watch[signal];
    return std::span(layout.watches).subspan(first, layout.first_watch[signal + 1] - first);
  }
  void mark(std::size_t rule) { affected[rule / 64] |= std::uint64_t{1} << (rule % 64); }
  template <typename F>
  void each_affected(F evaluate_rule);

  ProgramInputs inputs(std::size_t rule) const {
    return {layout.slots[rule].rule->uses, operators(rule), parameters(rule), clocks.newest, clocks.tick};
  }
  void run_feeds(std::size_t rule) const;
  void lose_feeds(std::size_t rule) const;
  Truth raise_condition(std::size_t rule) const;
  Truth clear_condition(std::size_t rule) const;
  void evaluate(std::size_t rule, Moment moment, std::vector<Transition>& out);
  void emit(std::size_t rule, const Change& change, ClearReason reason, std::vector<Transition>& out) const;

  std::int64_t due_date(std::size_t rule) const;
  std::int64_t silence_due(const Watch& silence) const;
  void run_timers(std::int64_t asset_to, std::int64_t tick_to, std::vector<Transition>& out) {
    if (header.asset_due > asset_to && header.tick_due > tick_to) return;
    fire_due(asset_to, tick_to, out);
  }
  void fire_due(std::int64_t asset_to, std::int64_t tick_to, std::vector<Transition>& out);
  void end_silence_at(std::int64_t tick, std::vector<Transition>& out);
  void find_due();
  void move_to(std::int64_t event, std::int64_t tick);
};

void AssetRules::State::start(std::span<const std::vector<std::optional<double>>> overrides) {
  ::new (buffer) Header();
  std::fill_n(affected, layout.words, 0U);
  for (std::size_t r = 0; r < layout.slots.size(); ++r) {
    const CompiledRule& rule = *layout.slots[r].rule;
    ::new (buffer + layout.slots[r].episode) Episode();
    for (std::size_t p = 0; p < rule.parameters.size(); ++p) {
      const bool overridden = r < overrides.size() && p < overrides[r].size() && overrides[r][p];
      parameters(r)[p] = overridden ? *overrides[r][p] : rule.parameters[p].value;
    }
    for (const OperatorUse& use : rule.uses) rules::start(use, operators(r) + use.offset);
  }
}

// ---- evaluation ----------------------------------------------------------------------------------------------------

template <typename F>
void AssetRules::State::each_affected(F evaluate_rule) {
  for (std::size_t word = 0; word < layout.words; ++word) {
    while (affected[word] != 0) {
      const auto bit = static_cast<std::size_t>(std::countr_zero(affected[word]));
      affected[word] &= affected[word] - 1;
      evaluate_rule(word * 64 + bit);
    }
  }
}

// The operators that watch conditions are shown what these are now.
void AssetRules::State::run_feeds(std::size_t rule) const {
  const CompiledRule& compiled = *layout.slots[rule].rule;
  for (const Feed& feed : compiled.feeds) {
    const OperatorUse& use = compiled.uses[feed.use];
    const OperatorReading observed{clocks.newest, clocks.tick, run(feed.program, inputs(rule)), clocks.newest};
    take(use, operators(rule) + use.offset, observed, layout.max_gap);
  }
}

// Signals became unknown: so may have conditions, from the asset's time on.
void AssetRules::State::lose_feeds(std::size_t rule) const {
  const CompiledRule& compiled = *layout.slots[rule].rule;
  for (const Feed& feed : compiled.feeds) {
    const OperatorUse& use = compiled.uses[feed.use];
    if (!std::isnan(run(feed.program, inputs(rule)))) continue;
    lose(use, operators(rule) + use.offset, clocks.asset, layout.max_gap);
  }
}

Truth AssetRules::State::raise_condition(std::size_t rule) const {
  const CompiledRule& compiled = *layout.slots[rule].rule;
  const Truth when = truth_of(run(compiled.when, inputs(rule)));
  if (when == Truth::no || compiled.suppress_when.empty()) return when;
  return conjunction(when, negation(truth_of(run(compiled.suppress_when, inputs(rule)))));
}

// While `when` itself is true nothing clears, whatever `clear` says: otherwise the two could chase each other.
Truth AssetRules::State::clear_condition(std::size_t rule) const {
  const CompiledRule& compiled = *layout.slots[rule].rule;
  const Truth when = truth_of(run(compiled.when, inputs(rule)));
  if (compiled.clear.empty() || when == Truth::yes) return negation(when);
  return truth_of(run(compiled.clear, inputs(rule)));
}

void AssetRules::State::evaluate(std::size_t rule, Moment moment, std::vector<Transition>& out) {
  run_feeds(rule);
  Episode& e = episode(rule);
  if (e.entitlement == Entitlement::none) return;
  const Delays& delays = layout.slots[rule].delays;
  const auto change = is_open(e) ? observe_clear(e, delays, clear_condition(rule), moment)
                                 : observe_raise(e, delays, raise_condition(rule), moment);
  if (change)
    emit(rule, *change, change->kind == TransitionKind::cleared ? ClearReason::condition : ClearReason::none, out);
  if (is_running(e)) header.asset_due = std::min(header.asset_due, due_date(rule));
}

void AssetRules::State::emit(std::size_t rule, const Change& change, ClearReason reason,
                             std::vector<Transition>& out) const {
  out.push_back({rule, change.kind, time_at(change.at), time_at(change.since), reason});
}

// ---- timers --------------------------------------------------------------------------------------------------------

// The date at which the rule's running delay is over, if nothing more is heard; kEndOfTime if none runs.
std::int64_t AssetRules::State::due_date(std::size_t rule) const {
  const Episode& e = episode(rule);
  if (!is_running(e)) return kEndOfTime;
  const std::int64_t over = clocks.newest + std::max<std::int64_t>(e.due - clocks.running, 0);
  return e.phase == Phase::pending ? std::max(over, e.cooldown_until) : over;
}

// The tick at which absent() becomes true; kEndOfTime if it is already, or nothing was ever heard.
std::int64_t AssetRules::State::silence_due(const Watch& silence) const {
  const std::int64_t heard = reinterpret_cast<const SilenceState*>(buffer + silence.state)->heard;
  if (heard == kNever) return kEndOfTime;
  const std::int64_t due = heard + silence.use->window;
  return due > clocks.tick ? due : kEndOfTime;
}

void AssetRules::State::find_due() {
  header.asset_due = kEndOfTime;
  for (std::size_t r = 0; r < layout.slots.size(); ++r) header.asset_due = std::min(header.asset_due, due_date(r));
  header.tick_due = kEndOfTime;
  for (const Watch& silence : layout.silences) header.tick_due = std::min(header.tick_due, silence_due(silence));
}

// Fires what is due up to these times, in the order of its dates. A silence is dated by the asset's time at its newest
// reading and the ticks since: so a device's skew cancels.
void AssetRules::State::fire_due(std::int64_t asset_to, std::int64_t tick_to, std::vector<Transition>& out) {
  const std::size_t count = layout.slots.size();
  for (;;) {
    std::size_t first = count;
    std::int64_t date = kEndOfTime;
    for (std::size_t r = 0; r < count; ++r) {
      const std::int64_t due = due_date(r);
      if (due > asset_to || due >= date) continue;
      date = due;
      first = r;
    }
    std::int64_t silence = kEndOfTime;
    for (const Watch& watch : layout.silences) silence = std::min(silence, silence_due(watch));
    const bool silence_first = silence <= tick_to && clocks.newest + (silence - clocks.newest_tick) < date;
    if (silence_first) {
      end_silence_at(silence, out);
    } else if (first < count) {
      const Change change = complete(episode(first), layout.slots[first].delays, date);
      emit(first, change, change.kind == TransitionKind::cleared ? ClearReason::condition : ClearReason::none, out);
    } else {
      break;
    }
  }
  find_due();
}

void AssetRules::State::end_silence_at(std::int64_t tick, std::vector<Transition>& out) {
  for (const Watch& silence : layout.silences) {
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
  clocks.running += std::min(gap, layout.max_gap);
  clocks.newest = event;
  clocks.newest_tick = clocks.tick;
  clocks.asset = std::max(clocks.asset, event);
  if (gap - layout.max_gap < kForget) return;
  for (std::size_t r = 0; r < layout.slots.size(); ++r) restart(episode(r), layout.slots[r].delays, moment_at(event));
}

// ---- the public face -----------------------------------------------------------------------------------------------

RuleSet::RuleSet(std::vector<std::shared_ptr<const CompiledRule>> rules, std::size_t signal_count, Duration max_gap)
    : layout_(std::make_unique<const Layout>(std::move(rules), signal_count, max_gap)) {}
RuleSet::~RuleSet() = default;

std::size_t RuleSet::size() const {
  return layout_->slots.size();
}
std::size_t RuleSet::state_bytes() const {
  return layout_->bytes;
}
std::uint64_t RuleSet::signature() const {
  return layout_->signature;
}

AssetRules::AssetRules(std::shared_ptr<const RuleSet> set,
                       std::span<const std::vector<std::optional<double>>> overrides)
    : set_(std::move(set)), buffer_(std::make_unique<std::byte[]>(set_->state_bytes())) {
  State(*set_, buffer_.get()).start(overrides);
}

AssetRules::AssetRules(std::vector<RuleInstance> rules, std::size_t signal_count, Duration max_gap) {
  std::vector<std::shared_ptr<const CompiledRule>> programs;
  std::vector<std::vector<std::optional<double>>> overrides;
  for (RuleInstance& rule : rules) {
    programs.push_back(std::move(rule.rule));
    overrides.push_back(std::move(rule.overrides));
  }
  *this = AssetRules(std::make_shared<const RuleSet>(std::move(programs), signal_count, max_gap), overrides);
}

AssetRules::~AssetRules() = default;
AssetRules::AssetRules(AssetRules&&) noexcept = default;
AssetRules& AssetRules::operator=(AssetRules&&) noexcept = default;

void AssetRules::apply(Time event, Time tick, std::span<const SignalReading> readings, std::vector<Transition>& out) {
  State s(*set_, buffer_.get());
  s.run_timers(std::min(ms(event), s.horizon()), ms(tick), out);
  s.move_to(ms(event), ms(tick));
  for (const SignalReading& reading : readings) {
    if (reading.signal >= s.signal_count()) continue;
    const bool good = reading.quality == Quality::good && std::isfinite(reading.value);
    const OperatorReading taken{ms(event), s.clocks.tick, good ? reading.value : kUnknown, s.clocks.newest};
    for (const Watch& watch : s.watches_of(reading.signal)) {
      take(*watch.use, s.buffer + watch.state, taken, s.layout.max_gap, s.parameters(watch.rule));
      s.mark(watch.rule);
      if (watch.use->kind == OperatorKind::absent) {
        s.header.tick_due = std::min(s.header.tick_due, s.silence_due(watch));
      }
    }
  }
  const Moment now = s.moment_at(s.clocks.newest);
  s.each_affected([&](std::size_t rule) { s.evaluate(rule, now, out); });
  // A cooldown that ended in a gap of the data lets a rule raise now that was not among the affected.
  s.run_timers(s.clocks.newest, s.clocks.tick, out);
}

void AssetRules::advance(Time asset_now, Time tick, std::vector<Transition>& out) {
  State s(*set_, buffer_.get());
  const std::int64_t to = std::min(ms(asset_now), s.horizon());
  s.run_timers(to, ms(tick), out);
  s.clocks.asset = std::max(s.clocks.asset, to);
  s.clocks.tick = std::max(s.clocks.tick, ms(tick));
}

void AssetRules::mark_stale(std::span<const SignalIndex> signals, Time) {
  State s(*set_, buffer_.get());
  if (s.clocks.newest == kNever) return;  // nothing is known yet
  for (const SignalIndex signal : signals) {
    if (signal >= s.signal_count()) continue;
    for (const Watch& watch : s.watches_of(signal)) {
      lose(*watch.use, s.buffer + watch.state, s.clocks.asset, s.layout.max_gap);
      s.mark(watch.rule);
    }
  }
  // Less knowledge never makes an unknown condition known, nor turns one round: all that can happen is a pause.
  const Moment now = s.moment_at(s.clocks.asset);
  s.each_affected([&](std::size_t rule) {
    s.lose_feeds(rule);
    Episode& e = s.episode(rule);
    if (!is_running(e)) return;
    const Truth condition = is_open(e) ? s.clear_condition(rule) : s.raise_condition(rule);
    if (condition == Truth::unknown) pause(e, now);
  });
}

void AssetRules::set_entitled(std::size_t rule, bool entitled, Time at, std::vector<Transition>& out) {
  State s(*set_, buffer_.get());
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
  const State s(*set_, buffer_.get());
  return s.header.asset_due > s.horizon() ? Time::max() : time_at(s.header.asset_due);
}

Time AssetRules::next_tick_due() const {
  const State s(*set_, buffer_.get());
  return s.header.tick_due == kEndOfTime ? Time::max() : time_at(s.header.tick_due);
}

bool AssetRules::raised(std::size_t rule) const {
  return is_open(State(*set_, buffer_.get()).episode(rule));
}

void AssetRules::save(std::size_t rule, std::string& out) const {
  const State s(*set_, buffer_.get());
  const CompiledRule& compiled = *s.layout.slots[rule].rule;
  SavedRule saved;
  saved.signature = compiled.signature;
  saved.clocks = s.clocks;
  saved.episode = s.episode(rule);
  const std::size_t begin = out.size();
  out.resize(begin + sizeof(SavedRule) + compiled.state_bytes);
  char* bytes = out.data() + begin;
  std::memcpy(bytes, &saved, sizeof(saved));
  std::memcpy(bytes + sizeof(saved), s.operators(rule), compiled.state_bytes);
  saved.checksum = checksum(std::string_view(out).substr(begin + kUnsummed));
  std::memcpy(bytes + offsetof(SavedRule, checksum), &saved.checksum, sizeof(saved.checksum));
}

bool AssetRules::load(std::size_t rule, std::string_view bytes) {
  State s(*set_, buffer_.get());
  const CompiledRule& compiled = *s.layout.slots[rule].rule;
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

void AssetRules::save_all(std::string& out) const {
  const std::uint64_t signature = set_->signature();
  out.append(reinterpret_cast<const char*>(&signature), sizeof(signature));
  out.append(reinterpret_cast<const char*>(buffer_.get()), set_->state_bytes());
}

bool AssetRules::load_all(std::string_view bytes) {
  std::uint64_t signature = 0;
  if (bytes.size() != sizeof(signature) + set_->state_bytes()) return false;
  std::memcpy(&signature, bytes.data(), sizeof(signature));
  if (signature != set_->signature()) return false;
  std::memcpy(buffer_.get(), bytes.data() + sizeof(signature), set_->state_bytes());
  return true;
}

}  // namespace fettle::rules
