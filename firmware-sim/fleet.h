#pragma once
// A fleet of simulated lifts as a source of messages: the same plan gives the same bytes.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "firmware-sim/lift.h"
#include "firmware-sim/message.h"
#include "firmware-sim/problem.h"

namespace fettle::sim {

inline constexpr std::uint64_t kMostLifts = 10'000;
inline constexpr std::uint64_t kMostMessages = 1'000'000'000;

enum class Faults { kNone, kInjected };

struct FleetPlan {
  std::uint64_t lifts = 5;
  EventTime start;
  std::chrono::milliseconds interval = std::chrono::minutes(5);
  std::uint64_t messages = 50'400;  // of telemetry; the last step may be cut short
  std::uint64_t seed = 1;
  Faults faults = Faults::kInjected;
  std::map<std::string, EventTime> repairs;  // asset -> when its worn parts are replaced
};

// "lift-001" for the first, counted from 0.
std::string lift_name(std::uint64_t index);

// Says what is wrong with a plan: a size out of bounds, or a repair of a lift that is not in the fleet.
std::optional<Problem> check_plan(const FleetPlan& plan);

enum class FaultKind { kDoorWear, kBearingWear };

// The truth about one injected fault over the time of the plan; what lies beyond it is absent.
struct InjectedFault {
  std::string asset;
  FaultKind kind = FaultKind::kDoorWear;
  EventTime starts;
  std::optional<EventTime> reaches_limit;     // first sample whose noise-free value is at the limit
  std::optional<EventTime> repaired;          // only where the repair ended the wear
  std::optional<EventTime> first_door_fault;  // door wear only
  std::uint64_t door_faults = 0;              // door wear only
};

// One JSON object, without a line end.
std::string truth_line(const InjectedFault& fault);

class Fleet : public MessageSource {
 public:
  // Precondition: check_plan(plan) finds nothing.
  explicit Fleet(const FleetPlan& plan);

  // At every step one telemetry message of each lift, in the order of their numbers; a door fault follows the telemetry
  // of its lift as an event with the same time.
  std::optional<Message> next() override;
  double fraction() const override;

 private:
  struct Unit {
    std::string asset;
    Lift lift;
    std::optional<LiftMode> published_mode;
  };

  Message telemetry(Unit& unit, const LiftSample& sample) const;

  FleetPlan plan_;
  std::vector<Unit> units_;
  std::uint64_t sent_ = 0;  // telemetry messages
  std::optional<Message> event_;
};

// What the fleet of this plan suffers, lift by lift. Runs the simulation once without publishing.
std::vector<InjectedFault> injected_faults(const FleetPlan& plan);

}  // namespace fettle::sim
