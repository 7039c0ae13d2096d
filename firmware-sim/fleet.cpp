#include "firmware-sim/fleet.h"

#include <algorithm>
#include <numeric>

#include "firmware-sim/json_text.h"
#include "firmware-sim/random.h"

namespace fettle::sim {
namespace {

using std::chrono::milliseconds;

// Neighbouring seeds must not give neighbouring lifts: the finaliser of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t lift_seed(std::uint64_t fleet_seed, std::uint64_t index) {
  std::uint64_t z = fleet_seed + (index + 1) * 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

EventTime step_time(const FleetPlan& plan, std::uint64_t step) {
  return plan.start + plan.interval * static_cast<std::int64_t>(step);
}

std::uint64_t step_count(const FleetPlan& plan) {
  return (plan.messages + plan.lifts - 1) / plan.lifts;
}

// Two lifts of five get worn doors, one lift a worn bearing, another one if there are enough. Wear begins between a
// quarter and two thirds of the run, so that a rule has seen the healthy lift first and there is time for the damage to
// come.
std::vector<LiftFaults> plan_faults(const FleetPlan& plan) {
  std::vector<LiftFaults> faults(plan.lifts);
  for (std::uint64_t i = 0; i < plan.lifts; ++i) {
    const auto repair = plan.repairs.find(lift_name(i));
    if (repair != plan.repairs.end()) faults[i].repaired = repair->second;
  }
  if (plan.faults == Faults::kNone) return faults;
  Random random(plan.seed);
  std::vector<std::size_t> order(plan.lifts);
  std::iota(order.begin(), order.end(), std::size_t{0});
  shuffle(order, random);
  const double run_millis = static_cast<double>(plan.interval.count()) * static_cast<double>(step_count(plan));
  const auto onset = [&](double from, double to) {
    const double share = from + (to - from) * random.unit();
    const auto whole_seconds = static_cast<std::int64_t>(run_millis * share / 1000.0);
    return plan.start + std::chrono::seconds(whole_seconds);
  };
  const std::uint64_t worn_doors = std::max<std::uint64_t>(1, plan.lifts * 2 / 5);
  for (std::uint64_t i = 0; i < worn_doors; ++i) {
    auto& lift = faults[order[i]];
    lift.door_wear_starts = onset(0.25, 0.65);
    lift.door_wear_days = 2.8 + 0.4 * random.unit();
  }
  faults[order[worn_doors % plan.lifts]].bearing_wear_starts = onset(0.25, 0.5);
  return faults;
}

std::optional<EventTime> repair_of(std::optional<EventTime> starts, const LiftFaults& faults, EventTime end) {
  if (!starts || !faults.repaired || *faults.repaired < *starts || *faults.repaired > end) return std::nullopt;
  return faults.repaired;
}

void add_time(JsonObject& object, std::string_view name, std::optional<EventTime> time) {
  if (time) {
    object.number(name, millis_text(*time));
  } else {
    object.null(name);
  }
}

}  // namespace

std::string lift_name(std::uint64_t index) {
  std::string number = std::to_string(index + 1);
  if (number.size() < 3) number.insert(0, 3 - number.size(), '0');
  return "lift-" + number;
}

std::optional<Problem> check_plan(const FleetPlan& plan) {
  if (plan.lifts < 1 || plan.lifts > kMostLifts)
    return Problem{"--lifts is " + std::to_string(plan.lifts) + ", expected 1 to " + std::to_string(kMostLifts)};
  if (plan.interval < std::chrono::seconds(1) || plan.interval > std::chrono::hours(24))
    return Problem{"--interval is " + std::to_string(plan.interval.count()) + " ms, expected 1s to 24h"};
  if (plan.messages < 1 || plan.messages > kMostMessages) {
    return Problem{"the run has " + std::to_string(plan.messages) + " messages, expected 1 to " +
                   std::to_string(kMostMessages) + "; change --duration, --interval, --lifts or --messages"};
  }
  if (step_count(plan) > 36'525ULL * 86'400'000ULL / static_cast<std::uint64_t>(plan.interval.count()))
    return Problem{"the run lasts more than 100 simulated years; give fewer --messages or a shorter --interval"};
  for (const auto& [asset, when] : plan.repairs) {
    bool known = false;
    for (std::uint64_t i = 0; i < plan.lifts && !known; ++i) known = asset == lift_name(i);
    if (!known) {
      return Problem{"--repair names '" + asset + "', expected one of " + lift_name(0) + " to " +
                     lift_name(plan.lifts - 1)};
    }
  }
  return std::nullopt;
}

std::string truth_line(const InjectedFault& fault) {
  JsonObject object;
  object.text("asset", fault.asset);
  object.text("fault", fault.kind == FaultKind::kDoorWear ? "door_wear" : "bearing_wear");
  object.number("starts", millis_text(fault.starts));
  add_time(object, "reaches_limit", fault.reaches_limit);
  add_time(object, "repaired", fault.repaired);
  if (fault.kind == FaultKind::kDoorWear) {
    add_time(object, "first_door_fault", fault.first_door_fault);
    object.number("door_faults", std::to_string(fault.door_faults));
  }
  return std::move(object).finish();
}

Fleet::Fleet(const FleetPlan& plan) : plan_(plan) {
  const auto faults = plan_faults(plan);
  units_.reserve(plan.lifts);
  for (std::uint64_t i = 0; i < plan.lifts; ++i)
    units_.push_back({lift_name(i), Lift(lift_seed(plan.seed, i), faults[i]), std::nullopt});
}

std::optional<Message> Fleet::next() {
  if (event_) return std::exchange(event_, std::nullopt);
  if (sent_ == plan_.messages) return std::nullopt;
  Unit& unit = units_[sent_ % plan_.lifts];
  const LiftSample sample = unit.lift.advance(step_time(plan_, sent_ / plan_.lifts), plan_.interval);
  ++sent_;
  if (sample.door_fault) {
    JsonObject object;
    object.number("ts", millis_text(sample.at)).number("door_fault", "1");
    event_ = Message{MessageKind::kEvent, event_topic(unit.asset), std::move(object).finish(), sample.at};
  }
  return telemetry(unit, sample);
}

double Fleet::fraction() const {
  return static_cast<double>(sent_) / static_cast<double>(plan_.messages);
}

Message Fleet::telemetry(Unit& unit, const LiftSample& sample) const {
  JsonObject object;
  object.number("ts", millis_text(sample.at))
      .number("door_close_time", fixed_text(sample.door_close_seconds, 3))
      .number("motor_temperature", fixed_text(sample.motor_celsius, 1))
      .number("vibration", fixed_text(sample.vibration_mm_per_second, 2))
      .number("trips", std::to_string(sample.trips))
      .number("energy", hundredths_text(sample.energy_hundredths_kwh));
  if (unit.published_mode != sample.mode) {
    object.text("mode", mode_name(sample.mode));
    unit.published_mode = sample.mode;
  }
  return {MessageKind::kTelemetry, telemetry_topic(unit.asset), std::move(object).finish(), sample.at};
}

std::vector<InjectedFault> injected_faults(const FleetPlan& plan) {
  std::vector<InjectedFault> found;
  const auto faults = plan_faults(plan);
  const EventTime end = step_time(plan, step_count(plan) - 1);
  for (std::uint64_t i = 0; i < plan.lifts; ++i) {
    if (!faults[i].door_wear_starts && !faults[i].bearing_wear_starts) continue;
    InjectedFault door{lift_name(i), FaultKind::kDoorWear, {}, {}, {}, {}, 0};
    InjectedFault bearing{lift_name(i), FaultKind::kBearingWear, {}, {}, {}, {}, 0};
    Lift lift(lift_seed(plan.seed, i), faults[i]);
    // A last step that is cut short leaves the lifts at the end of the order without it.
    for (std::uint64_t step = 0; step * plan.lifts + i < plan.messages; ++step) {
      const LiftSample sample = lift.advance(step_time(plan, step), plan.interval);
      if (!door.reaches_limit && sample.door_close_true_seconds >= kDoorFaultLimitSeconds)
        door.reaches_limit = sample.at;
      if (!bearing.reaches_limit && sample.vibration_true_mm_per_second >= kBearingLimitMmPerSecond)
        bearing.reaches_limit = sample.at;
      if (!sample.door_fault) continue;
      if (!door.first_door_fault) door.first_door_fault = sample.at;
      ++door.door_faults;
    }
    if (faults[i].door_wear_starts) {
      door.starts = *faults[i].door_wear_starts;
      door.repaired = repair_of(door.starts, faults[i], end);
      found.push_back(std::move(door));
    }
    if (faults[i].bearing_wear_starts) {
      bearing.starts = *faults[i].bearing_wear_starts;
      bearing.repaired = repair_of(bearing.starts, faults[i], end);
      found.push_back(std::move(bearing));
    }
  }
  return found;
}

}  // namespace fettle::sim
