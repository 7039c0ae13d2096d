#pragma once
// The life cycle of one rule on one asset: on-delay, raised, off-delay, cooldown; what unknown and entitlement do to
// it.
//
//   idle --condition true--> pending --on-delay over, cooldown over--> raised --clear true--> clearing --off-delay
//   over--> idle
//
// Pure: conditions and moments in, changes out. Two times come in with each: the date, and the asset's running time,
// which stands still in the gaps of its data, so that a delay counts only time of which something is known. Unknown
// pauses a delay; the on-delay begins anew after kForget of it.

#include <cstdint>
#include <optional>

#include "rules/asset_rules.h"
#include "rules/operator_state.h"

namespace fettle::rules {

inline constexpr std::int64_t kForget = std::int64_t{24} * 3'600'000;  // ms

enum class Truth : std::uint8_t { no, yes, unknown };

// Of a condition's value: 1, 0 or NaN.
Truth truth_of(double value);
Truth negation(Truth a);
Truth conjunction(Truth a, Truth b);

enum class Phase : std::uint8_t { idle, pending, raised, clearing };
enum class Entitlement : std::uint8_t { none, held };

// Plain bytes: saved and loaded as they are. Times in ms.
struct Episode {
  std::int64_t since = kNever;           // date at which the condition became true
  std::int64_t due = 0;                  // running time at which the delay is over; while paused: what is left of it
  std::int64_t paused_since = kNever;    // date; kNever: not paused
  std::int64_t cooldown_until = kNever;  // date
  std::int64_t changed = kNever;         // date of the newest raise or clear; no later one is dated before it
  Phase phase = Phase::idle;
  Entitlement entitlement = Entitlement::held;
  std::uint8_t unused[6] = {};
};

struct Delays {
  std::int64_t on = 0;
  std::int64_t off = 0;
  std::int64_t cooldown = 0;
};

struct Moment {
  std::int64_t date = 0;
  std::int64_t running = 0;  // the asset's running time at that date
};

struct Change {
  TransitionKind kind = TransitionKind::raised;
  std::int64_t at = 0;
  std::int64_t since = 0;
};

bool is_open(const Episode& episode);  // raised or clearing

// The condition to raise (pre: not open) or to clear (pre: open) was found to be this at that moment.
std::optional<Change> observe_raise(Episode& episode, const Delays& delays, Truth condition, Moment moment);
std::optional<Change> observe_clear(Episode& episode, const Delays& delays, Truth condition, Moment moment);

// The condition became unknown.
void pause(Episode& episode, Moment moment);

// Whether a delay is running, so that time alone can raise or clear.
bool is_running(const Episode& episode);

// The delay is over at that date. Pre: running.
Change complete(Episode& episode, const Delays& delays, std::int64_t date);

// A running on-delay begins anew: too long a gap in the data.
void restart(Episode& episode, const Delays& delays, Moment moment);

// The entitlement ended: what is open is cleared, without a cooldown, since nothing was found right.
std::optional<Change> end_entitlement(Episode& episode, std::int64_t date);

}  // namespace fettle::rules
