#include "rules/episode.h"

#include <algorithm>
#include <cmath>

namespace fettle::rules {
namespace {

void begin_delay(Episode& episode, Phase phase, std::int64_t delay, Moment moment) {
  episode.phase = phase;
  episode.due = moment.running + delay;
  episode.paused_since = kNever;
}

void resume(Episode& episode, Moment moment) {
  if (episode.paused_since == kNever) return;
  episode.due += moment.running;
  episode.paused_since = kNever;
}

Change raise(Episode& episode, std::int64_t date) {
  episode.phase = Phase::raised;
  episode.paused_since = kNever;
  episode.changed = std::max(date, episode.changed);
  return {TransitionKind::raised, episode.changed, std::min(episode.since, episode.changed)};
}

Change clear(Episode& episode, std::int64_t date) {
  episode.phase = Phase::idle;
  episode.paused_since = kNever;
  episode.changed = std::max(date, episode.changed);
  return {TransitionKind::cleared, episode.changed, episode.since};
}

}  // namespace

Truth truth_of(double value) {
  return std::isnan(value) ? Truth::unknown : value == 0.0 ? Truth::no : Truth::yes;
}

Truth negation(Truth a) {
  return a == Truth::unknown ? a : a == Truth::yes ? Truth::no : Truth::yes;
}

Truth conjunction(Truth a, Truth b) {
  if (a == Truth::no || b == Truth::no) return Truth::no;
  return a == Truth::yes && b == Truth::yes ? Truth::yes : Truth::unknown;
}

bool is_open(const Episode& episode) {
  return episode.phase == Phase::raised || episode.phase == Phase::clearing;
}

bool is_running(const Episode& episode) {
  return (episode.phase == Phase::pending || episode.phase == Phase::clearing) && episode.paused_since == kNever;
}

void pause(Episode& episode, Moment moment) {
  if (!is_running(episode)) return;
  episode.due -= moment.running;
  episode.paused_since = moment.date;
}

std::optional<Change> observe_raise(Episode& episode, const Delays& delays, Truth condition, Moment moment) {
  if (condition == Truth::unknown) {
    pause(episode, moment);
    return std::nullopt;
  }
  if (condition == Truth::no) {
    episode.phase = Phase::idle;
    episode.paused_since = kNever;
    return std::nullopt;
  }
  const bool forgotten = episode.paused_since != kNever && moment.date - episode.paused_since >= kForget;
  if (episode.phase == Phase::idle || forgotten) {
    episode.since = moment.date;
    begin_delay(episode, Phase::pending, delays.on, moment);
  }
  resume(episode, moment);
  if (moment.running < episode.due || moment.date < episode.cooldown_until) return std::nullopt;
  return raise(episode, moment.date);
}

std::optional<Change> observe_clear(Episode& episode, const Delays& delays, Truth condition, Moment moment) {
  if (condition == Truth::unknown) {
    pause(episode, moment);
    return std::nullopt;
  }
  if (condition == Truth::no) {
    episode.phase = Phase::raised;
    episode.paused_since = kNever;
    return std::nullopt;
  }
  if (episode.phase == Phase::raised) begin_delay(episode, Phase::clearing, delays.off, moment);
  resume(episode, moment);
  if (moment.running < episode.due) return std::nullopt;
  return complete(episode, delays, moment.date);
}

Change complete(Episode& episode, const Delays& delays, std::int64_t date) {
  if (episode.phase == Phase::pending) return raise(episode, date);
  const Change change = clear(episode, date);
  episode.cooldown_until = change.at + delays.cooldown;
  return change;
}

void restart(Episode& episode, const Delays& delays, Moment moment) {
  if (episode.phase != Phase::pending || !is_running(episode)) return;
  episode.since = moment.date;
  begin_delay(episode, Phase::pending, delays.on, moment);
}

std::optional<Change> end_entitlement(Episode& episode, std::int64_t date) {
  const bool open = is_open(episode);
  episode.entitlement = Entitlement::none;
  episode.phase = Phase::idle;
  episode.paused_since = kNever;
  if (!open) return std::nullopt;
  return clear(episode, date);
}

}  // namespace fettle::rules
