#include "firmware-sim/lift.h"

#include <algorithm>
#include <array>

namespace fettle::sim {
namespace {

using std::chrono::days;
using std::chrono::milliseconds;

// Trips an hour of an office building, hour by hour from midnight UTC.
constexpr std::array<double, 24> kTripsPerHour = {1,  1,  1,  1,  1,  3,  12, 28, 40, 26, 18, 20,
                                                  32, 30, 18, 16, 20, 34, 28, 14, 8,  5,  3,  2};
constexpr double kWeekendShare = 0.3;

constexpr double kDoorWearSeconds = 1.0;     // what the wear adds until the limit
constexpr double kDoorWearCapSeconds = 1.4;  // a worn roller does not get slower for ever
constexpr double kFaultsPerTrip = 0.01;      // of a door beyond its limit

constexpr double kBearingDays = 10.0;      // until the limit
constexpr double kBearingCapMmPerS = 9.0;  // then the mounting takes it

constexpr double kHeatHours = 0.7;     // time constant of the motor
constexpr double kHeatPerTrip = 0.55;  // kelvin
constexpr double kStandbyWatts = 45.0;

constexpr std::int64_t kInspectionEveryDays = 30;
constexpr std::chrono::hours kInspectionFrom{10};
constexpr std::chrono::hours kInspectionUntil{12};
constexpr double kFiresPerHour = 1.0 / (45 * 24);
constexpr std::chrono::minutes kFireLasts{20};

double hours_of(milliseconds time) {
  return static_cast<double>(time.count()) / 3'600'000.0;
}

// A wave over the day like a sine, of two parabolas: -1 at 03:00, 1 at 15:00.
double daily_wave(double hour_of_day) {
  double phase = (hour_of_day - 9.0) / 12.0;  // one half wave is 1 long
  if (phase < 0) phase += 2.0;
  return phase < 1.0 ? 4.0 * phase * (1.0 - phase) : -4.0 * (phase - 1.0) * (2.0 - phase);
}

double trips_per_hour(EventTime at) {
  const auto day = std::chrono::floor<days>(at);
  const auto hour = static_cast<std::size_t>((at - day) / std::chrono::hours(1));
  const std::chrono::weekday weekday(day);
  const bool weekend = weekday == std::chrono::Saturday || weekday == std::chrono::Sunday;
  return kTripsPerHour[hour] * (weekend ? kWeekendShare : 1.0);
}

}  // namespace

std::string_view mode_name(LiftMode mode) {
  switch (mode) {
    case LiftMode::kInspection:
      return "inspection";
    case LiftMode::kFire:
      return "fire";
    case LiftMode::kNormal:
      break;
  }
  return "normal";
}

Lift::Lift(std::uint64_t seed, LiftFaults faults)
    : random_(seed),
      faults_(faults),
      door_base_seconds_(2.0 + 0.05 * random_.bell()),
      vibration_base_(1.1 + 0.2 * random_.bell()),
      traffic_(0.8 + 0.4 * random_.unit()),
      inspection_day_(static_cast<std::int64_t>(random_.below(kInspectionEveryDays))),
      trips_(static_cast<std::int64_t>(50'000 + random_.below(400'000))),
      energy_wh_(static_cast<double>(trips_) * 32.0) {}

LiftSample Lift::advance(EventTime at, milliseconds interval) {
  const double hours = hours_of(interval);
  LiftSample sample;
  sample.at = at;
  sample.mode = mode_at(at, hours);

  // Each draw is a statement of its own: within one expression the order of two draws would be the compiler's choice.
  const double busyness = 0.6 + 0.8 * random_.unit();
  const double rounding = random_.unit();
  const double drawn_trips = trips_per_hour(at) * traffic_ * hours * busyness + rounding;
  const std::int64_t trips = sample.mode == LiftMode::kNormal ? static_cast<std::int64_t>(drawn_trips) : 0;
  trips_ += trips;
  sample.trips = trips_;

  energy_wh_ += kStandbyWatts * hours + static_cast<double>(trips) * (27.0 + 10.0 * random_.unit());
  sample.energy_hundredths_kwh = static_cast<std::int64_t>(energy_wh_ / 10.0);

  const double door_days = worn_days(faults_.door_wear_starts, at);
  const double door_wear = std::min(kDoorWearSeconds * door_days / faults_.door_wear_days, kDoorWearCapSeconds);
  sample.door_close_true_seconds = door_base_seconds_ + door_wear;
  sample.door_close_seconds = sample.door_close_true_seconds + 0.12 * random_.bell();

  const double bearing_progress = worn_days(faults_.bearing_wear_starts, at) / kBearingDays;
  const double bearing_wear =
      std::min((kBearingLimitMmPerSecond - vibration_base_) * bearing_progress * bearing_progress, kBearingCapMmPerS);
  sample.vibration_true_mm_per_second = vibration_base_ + bearing_wear;
  sample.vibration_mm_per_second = sample.vibration_true_mm_per_second * (1.0 + 0.15 * random_.bell());

  heat_ = heat_ / (1.0 + hours / kHeatHours) + static_cast<double>(trips) * kHeatPerTrip;
  heat_ = std::min(heat_, 60.0);
  const double hour_of_day = hours_of(at - std::chrono::floor<days>(at));
  sample.motor_celsius = 24.0 + 4.0 * daily_wave(hour_of_day) + heat_ + 1.5 * bearing_wear + 0.8 * random_.bell();

  const double fault_draw = random_.unit();
  const double fault_chance = std::min(0.5, static_cast<double>(trips) * kFaultsPerTrip);
  sample.door_fault = sample.door_close_true_seconds >= kDoorFaultLimitSeconds && fault_draw < fault_chance;
  return sample;
}

LiftMode Lift::mode_at(EventTime at, double hours) {
  const bool alarm = random_.unit() < kFiresPerHour * hours;
  if (alarm && at >= fire_ends_) fire_ends_ = at + kFireLasts;
  if (at < fire_ends_) return LiftMode::kFire;
  const auto day = std::chrono::floor<days>(at);
  const bool inspection_day = (day.time_since_epoch().count() + inspection_day_) % kInspectionEveryDays == 0;
  const auto clock = at - day;
  return inspection_day && clock >= kInspectionFrom && clock < kInspectionUntil ? LiftMode::kInspection
                                                                                : LiftMode::kNormal;
}

// Days since the wear began, 0 before it and after a repair that came later than its beginning.
double Lift::worn_days(std::optional<EventTime> starts, EventTime at) const {
  if (!starts || at < *starts) return 0.0;
  if (faults_.repaired && *faults_.repaired >= *starts && at >= *faults_.repaired) return 0.0;
  return hours_of(at - *starts) / 24.0;
}

}  // namespace fettle::sim
