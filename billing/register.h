#pragma once
// Cumulative registers: what the difference of two readings means, and which hours it belongs to.
//
// Counts are whole multiples of the register's resolution, as int64. Formulas: a drop is a *rollover* only if
// width - older + newer <= max_rate * elapsed; else a *reset* only if newer <= max_rate * elapsed; else *disputed*,
// with increment 0 until a person enters what happened. A rise beyond max_rate * elapsed is disputed too.

#include <cstdint>
#include <optional>
#include <vector>

#include "billing/error.h"
#include "billing/zone.h"

namespace fettle::billing {

struct RegisterSpec {
  std::optional<std::int64_t> width;     // rolls over from width - 1 to 0; > 0
  std::optional<std::int64_t> max_rate;  // counts per hour; absent: any rise is plausible, and no drop is
  Duration expected_interval{0};         // 0: none; a longer gap makes the difference interpolated
};

enum class StepKind : std::uint8_t { rise, rollover, reset, disputed };

struct Step {
  std::int64_t increment = 0;  // >= 0 always
  StepKind kind = StepKind::rise;
  bool interpolated = false;
  bool operator==(const Step&) const = default;
};

// Pre: older_at < newer_at, counts >= 0; what breaks this is disputed. Never negative. A register that showed `width`
// or more cannot have rolled over. `interpolated` is set by the elapsed time alone, whatever the kind.
Step step_between(const RegisterSpec& spec, Time older_at, std::int64_t older, Time newer_at, std::int64_t newer);

// A share of a difference for one cell.
struct Share {
  Period cell;
  std::int64_t quantity = 0;
};

// Spreads `increment`, which grew evenly over [from, to), over the zone's hours by cumulative floor: the shares are
// >= 0 and sum to `increment` exactly. `cuts` (ascending instants: changes of subscription, owner or price) split
// cells further. A share's cell is whole, not clipped to [from, to), so that it identifies the usage record. Shares of
// 0 are left out, so an increment of 0 has none. Where from == to (an event) the cell of that instant has all of it.
// Pre: from <= to.
std::vector<Share> spread(Time from, Time to, std::int64_t increment, const Zone& zone, const std::vector<Time>& cuts);

}  // namespace fettle::billing
