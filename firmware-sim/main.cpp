// fettle-sim: recorded and simulated equipment on a real broker.

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>

#include "firmware-sim/clocked_source.h"
#include "firmware-sim/edge_fleet.h"
#include "firmware-sim/json_messages.h"
#include "firmware-sim/json_readings.h"
#include "firmware-sim/options.h"
#include "firmware-sim/publisher.h"

namespace {

using namespace fettle::sim;

std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only touch lock-free atomics");

void request_stop(int) {
  stop_requested = true;
}

void print_line(std::FILE* stream, const std::string& line) {
  std::fprintf(stream, "%s\n", line.c_str());
  std::fflush(stream);
}

int wanting(const std::string& why) {
  print_line(stderr, "fettle-sim: " + why);
  return kExitWanting;
}

std::string addresses(const Invocation& run) {
  std::string text;
  for (const auto& broker : run.brokers) text += (text.empty() ? "" : ", ") + broker.uri;
  return text;
}

// Prints the report and turns its outcome into an exit code.
template <class Report>
int conclude(const Invocation& run, const Report& report, std::uint64_t connections) {
  if (run.report == ReportFormat::kJson) {
    print_line(stdout, report_json(report));
  } else if (run.chatter == Chatter::kNormal || report.outcome != Outcome::kDone) {
    print_line(stdout, report_line(report));
  }
  switch (report.outcome) {
    case Outcome::kDone:
      return kExitDone;
    case Outcome::kStopped:
      return kExitStopped;
    case Outcome::kRefused:
      return wanting(addresses(run) + ": " + report.why);
    case Outcome::kFailed:
      return wanting(report.why);
    case Outcome::kUnreachable:
      break;
  }
  const auto& limits = run.limits;
  const bool never = connections == 0;
  return wanting(addresses(run) + ": " + (never ? "no connection to the broker" : "the broker did not come back") +
                 " within " + std::to_string((never ? limits.connect_timeout : limits.give_up).count() / 1000) +
                 " s: " + report.why + "; start the broker, or name another with --broker, or wait longer with " +
                 (never ? "--connect-timeout" : "--give-up"));
}

Progress progress_of(const Invocation& run) {
  return run.chatter == Chatter::kQuiet ? Progress::silent() : Progress::on(stderr);
}

int publish(const Invocation& run, MessageSource& source) {
  const PublishReport report =
      publish_all(source, run.brokers.front(), run.limits, run.pace, progress_of(run), stop_requested);
  return conclude(run, report, report.counts.connections);
}

// FNV-1a, 64 bits (Fowler, Noll, Vo): the same on every machine.
std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

int publish(const Invocation& run, ReadingSource& source) {
  EdgeRun edge;
  edge.plan = *run.edge;
  edge.brokers = run.brokers;
  edge.limits = run.limits;
  edge.pace = run.pace;
  edge.identity = hash_of(run.identity);
  edge.say = [](const std::string& line) { print_line(stderr, "fettle-sim: " + line); };
  const auto report = run_edge_nodes(source, edge, progress_of(run), stop_requested);
  if (!report) return wanting(report.error().text);
  return conclude(run, *report, report->connections);
}

int run_replay(const Invocation& run, const ReplayCommand& command) {
  auto messages = load_recording(command.dataset, command.folder, command.recording);
  if (!messages) return wanting(messages.error().text);
  if (messages->empty()) return wanting(command.folder.string() + ": the recording has a header but no rows");
  EventTime end{EventTime::min()};
  for (const auto& message : *messages) end = std::max(end, message.at);
  auto assets = assets_in(*messages);
  ListedMessages listed(arrange(std::move(*messages), command.order, command.repeats, command.seed));
  if (run.edge) {
    if (!assets) return wanting(assets.error().text);
    JsonReadings readings(listed, std::move(*assets));
    return publish(run, readings);
  }
  if (command.order == ReplayOrder::kRecorded) {
    ClockedSource source(listed);
    return publish(run, source);
  }
  ClockedSource source(listed, end);
  return publish(run, source);
}

int run_fleet(const Invocation& run, const FleetCommand& command) {
  if (command.truth == Truth::kPrinted) {
    for (const auto& fault : injected_faults(command.plan)) print_line(stdout, truth_line(fault));
  }
  Fleet fleet(command.plan);
  if (run.edge) {
    JsonReadings readings(fleet, lift_assets(command.plan.lifts));
    return publish(run, readings);
  }
  ClockedSource source(fleet);
  return publish(run, source);
}

int run_load(const Invocation& run, const LoadCommand& command) {
  Load load(command.plan);
  if (command.output == LoadOutput::kCatalog) {
    const auto sources = run.edge ? source_paths(load.assets(), *run.edge) : std::vector<std::string>();
    std::fputs(load_catalog(command.plan, sources).c_str(), stdout);
    return kExitDone;
  }
  if (run.edge) return publish(run, load);
  JsonMessages messages(load);
  ClockedSource source(messages);
  return publish(run, source);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto parsed = parse_command_line(argc, argv);
    if (const int* code = std::get_if<int>(&parsed)) return *code;
    const auto& run = std::get<Invocation>(parsed);
    std::signal(SIGINT, request_stop);
    std::signal(SIGTERM, request_stop);
    if (const auto* replay = std::get_if<ReplayCommand>(&run.command)) return run_replay(run, *replay);
    if (const auto* fleet = std::get_if<FleetCommand>(&run.command)) return run_fleet(run, *fleet);
    return run_load(run, std::get<LoadCommand>(run.command));
  } catch (const std::exception& failure) {
    return wanting(failure.what());
  }
}
