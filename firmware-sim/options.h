#pragma once
// The command line of fettle-sim.

#include <chrono>
#include <filesystem>
#include <optional>
#include <variant>

#include "firmware-sim/delivery.h"
#include "firmware-sim/fleet.h"
#include "firmware-sim/pace.h"
#include "firmware-sim/paho_link.h"
#include "firmware-sim/replay.h"

namespace fettle::sim {

inline constexpr int kExitDone = 0;
inline constexpr int kExitWanting = 1;
inline constexpr int kExitMisuse = 2;
inline constexpr int kExitStopped = 130;

enum class ReportFormat { kLine, kJson };
enum class Chatter { kNormal, kQuiet };
enum class Truth { kUntold, kPrinted };

struct ReplayCommand {
  Dataset dataset = Dataset::kSteel;
  std::filesystem::path folder;
  RecordingOptions recording;
  ReplayOrder order = ReplayOrder::kRecorded;
  Repeats repeats = Repeats::kOnce;
  std::uint64_t seed = 1;
};

struct FleetCommand {
  FleetPlan plan;
  Truth truth = Truth::kUntold;
};

struct Invocation {
  std::variant<ReplayCommand, FleetCommand> command;
  BrokerAddress broker;
  DeliveryLimits limits;
  Pace pace = Pace::unlimited();
  ReportFormat report = ReportFormat::kLine;
  Chatter chatter = Chatter::kNormal;
};

// What to run, or the exit code where there is nothing to run: --help was asked for, or the command line is wrong (then
// what and how to mend it is on stderr).
std::variant<Invocation, int> parse_command_line(int argc, char** argv);

}  // namespace fettle::sim
