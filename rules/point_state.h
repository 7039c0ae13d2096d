#pragma once
// The states of operators that keep a few numbers instead of a window: prev, changed, every, age, ewma, cusum, then,
// absent, last. Plain bytes, saved as they are. The formulas are those of docs/reference/rule-language.md.
//
// Where two readings of a signal have one event time the one heard later replaces the other. All times are ms since
// 1970-01-01T00:00Z. NaN stands for unknown. Not thread-safe.

#include <cstdint>

#include "rules/operator_state.h"

namespace fettle::rules {

struct LastState {
  double value;          // NaN: unknown
  std::int64_t reading;  // event time of the newest reading
};

struct SilenceState {
  std::int64_t heard;  // tick of the newest reading, good or bad
};

struct MomentState {
  std::int64_t good;     // event time of the newest good reading
  std::int64_t reading;  // of the newest
};

// prev, changed, every. A lost session makes them unknown but forgets nothing: a register that passed its mark
// meanwhile has passed it.
struct StepState {
  double value;          // of the newest reading; NaN: a bad one
  double before;         // the newest good one of an earlier event time
  std::int64_t reading;  // event time
  std::int64_t came;     // the asset's newest event time when it came: until time goes on it "just came"
  std::int64_t lost;     // 1: since then the session was lost
};

// ewma: the mean of all values, each weighted by the integral of 2^(-age / half-life) over the time that it held (in
// units of half-life / ln 2), of an event signal by 2^(-age / half-life).
struct DecayState {
  double mean;
  double weight;
  double held;              // the newest value; NaN: unknown
  std::int64_t reading;     // event time of the newest reading
  std::int64_t accounted;   // up to here `mean` and `weight` are complete
  std::int64_t held_until;  // gauge: `held` counts until then
};

// cusum: E. S. Page, "Continuous Inspection Schemes", Biometrika 41 (1954), 100-115.
struct PageState {
  double settled;        // the sum without the newest reading
  double sum;            // with it
  std::int64_t reading;  // event time
  std::int64_t known;    // 1: the newest reading is good, its session was not lost
};

// then: when its first condition was true last.
struct RecentState {
  std::int64_t newest;    // until then it was true
  std::int64_t observed;  // event time of the newest evaluation
  double held;            // the condition since then: 1, 0, NaN
};

void start(StepState& state);
void take(StepState& state, const OperatorReading& reading);
double value_of(const StepState& state, OperatorKind kind, std::int64_t event, double n);

void start(DecayState& state);
void take(const OperatorUse& use, DecayState& state, const OperatorReading& reading, std::int64_t max_gap);
void bring_to(const OperatorUse& use, DecayState& state, std::int64_t event);
double value_of(const DecayState& state);

void start(PageState& state);
void take(PageState& state, const OperatorReading& reading, double slack);

void start(RecentState& state);
void take(RecentState& state, const OperatorReading& reading, std::int64_t max_gap);
double value_of(const RecentState& state, std::int64_t within, std::int64_t event);

}  // namespace fettle::rules
