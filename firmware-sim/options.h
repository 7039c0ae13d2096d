#pragma once
// The command line of fettle-sim.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "firmware-sim/broker_address.h"
#include "firmware-sim/delivery.h"
#include "firmware-sim/edge_plan.h"
#include "firmware-sim/fleet.h"
#include "firmware-sim/load.h"
#include "firmware-sim/pace.h"
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

enum class LoadOutput { kReadings, kCatalog };

struct LoadCommand {
  LoadPlan plan;
  LoadOutput output = LoadOutput::kReadings;
};

struct Invocation {
  std::variant<ReplayCommand, FleetCommand, LoadCommand> command;
  std::vector<BrokerAddress> brokers;  // one; with edge nodes perhaps several
  std::optional<EdgePlan> edge;        // absent: devices that send JSON
  std::string identity;                // the options that decide what is published
  DeliveryLimits limits;
  Pace pace = Pace::unlimited();
  ReportFormat report = ReportFormat::kLine;
  Chatter chatter = Chatter::kNormal;
};

// What to run, or the exit code where there is nothing to run: --help was asked for, or the command line is wrong (then
// what and how to mend it is on stderr).
std::variant<Invocation, int> parse_command_line(int argc, char** argv);

}  // namespace fettle::sim
