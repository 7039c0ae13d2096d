#include "billing/register.h"

#include <algorithm>

#include "billing/exact.h"

namespace fettle::billing {
namespace {

constexpr std::int64_t kMillisecondsPerHour = 3'600'000;

// increment <= max_rate * elapsed, without rounding.
bool plausible(std::int64_t increment, std::int64_t max_rate, Duration elapsed) {
  return Int128{increment} * kMillisecondsPerHour <= Int128{max_rate} * elapsed.count();
}

Step kind_of(const RegisterSpec& spec, Duration elapsed, std::int64_t older, std::int64_t newer) {
  if (newer >= older) {
    const std::int64_t rise = newer - older;
    if (spec.max_rate && !plausible(rise, *spec.max_rate, elapsed)) return {0, StepKind::disputed};
    return {rise, StepKind::rise};
  }
  if (!spec.max_rate) return {0, StepKind::disputed};
  if (spec.width && older < *spec.width) {
    const std::int64_t rolled = *spec.width - older + newer;
    if (plausible(rolled, *spec.max_rate, elapsed)) return {rolled, StepKind::rollover};
  }
  if (plausible(newer, *spec.max_rate, elapsed)) return {newer, StepKind::reset};
  return {0, StepKind::disputed};
}

// The hour of t, cut at the nearest cuts on both sides.
Period cell_of(Time t, const Zone& zone, const std::vector<Time>& cuts) {
  Period cell = zone.hour_of(t);
  const auto after = std::upper_bound(cuts.begin(), cuts.end(), t);
  if (after != cuts.end()) cell.end = std::min(cell.end, *after);
  if (after != cuts.begin()) cell.start = std::max(cell.start, *(after - 1));
  return cell;
}

}  // namespace

Step step_between(const RegisterSpec& spec, Time older_at, std::int64_t older, Time newer_at, std::int64_t newer) {
  if (older < 0 || newer < 0 || older_at >= newer_at) return {0, StepKind::disputed};
  const Duration elapsed = newer_at - older_at;
  Step step = kind_of(spec, elapsed, older, newer);
  step.interpolated = spec.expected_interval > Duration{0} && elapsed > spec.expected_interval;
  return step;
}

std::vector<Share> spread(Time from, Time to, std::int64_t increment, const Zone& zone, const std::vector<Time>& cuts) {
  std::vector<Share> shares;
  if (increment <= 0) return shares;
  if (to <= from) {
    shares.push_back({cell_of(from, zone, cuts), increment});
    return shares;
  }
  std::int64_t given = 0;
  for (Time at = from; at < to;) {
    const Period cell = cell_of(at, zone, cuts);
    std::int64_t until_here = increment;
    if (cell.end < to) {
      // Truncation is the floor: both factors are positive, and the result is at most `increment`.
      until_here = static_cast<std::int64_t>(Int128{increment} * (cell.end - from).count() / (to - from).count());
    }
    if (until_here > given) shares.push_back({cell, until_here - given});
    given = until_here;
    at = cell.end;
  }
  return shares;
}

}  // namespace fettle::billing
