#pragma once
// One simulated lift: traffic over the day, what it does to doors, motor and energy register, and the wear that is
// injected. Only additions, multiplications and divisions, so the same seed gives the same bits on every machine.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "firmware-sim/message.h"
#include "firmware-sim/random.h"

namespace fettle::sim {

// The noise-free closing time from which on the door controller reports faults.
inline constexpr double kDoorFaultLimitSeconds = 3.0;

// Vibration velocity at which ISO 10816-3 (group 1, rigid) puts a machine into zone D: damage is to be expected.
inline constexpr double kBearingLimitMmPerSecond = 4.5;

enum class LiftMode { kNormal, kInspection, kFire };
std::string_view mode_name(LiftMode mode);

// What is wrong with a lift, from when. Wear begins once; a repair ends all wear of the lift for good.
struct LiftFaults {
  std::optional<EventTime> door_wear_starts;  // the limit is reached about three days later
  double door_wear_days = 3.0;                // from the start of the wear to the limit, for a door that began at 2.0 s
  std::optional<EventTime> bearing_wear_starts;
  std::optional<EventTime> repaired;
};

struct LiftSample {
  EventTime at;
  double door_close_seconds = 0;       // as measured
  double door_close_true_seconds = 0;  // without measurement noise
  double motor_celsius = 0;
  double vibration_mm_per_second = 0;       // as measured
  double vibration_true_mm_per_second = 0;  // without measurement noise
  std::int64_t trips = 0;                   // register
  std::int64_t energy_hundredths_kwh = 0;   // register, in its resolution
  LiftMode mode = LiftMode::kNormal;
  bool door_fault = false;  // at this instant
};

class Lift {
 public:
  Lift(std::uint64_t seed, LiftFaults faults);

  // The state `interval` after the previous sample, at `at`. Draws the same random numbers whatever the faults are, so
  // a fleet with and without them differs in nothing else.
  LiftSample advance(EventTime at, std::chrono::milliseconds interval);

 private:
  LiftMode mode_at(EventTime at, double hours);
  double worn_days(std::optional<EventTime> starts, EventTime at) const;

  Random random_;
  LiftFaults faults_;
  double door_base_seconds_;
  double vibration_base_;
  double traffic_;  // of this building, relative to an average one
  std::int64_t inspection_day_;
  std::int64_t trips_;
  double energy_wh_;
  double heat_ = 0;  // kelvin above ambient
  EventTime fire_ends_{EventTime::min()};
};

}  // namespace fettle::sim
