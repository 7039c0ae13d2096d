// fettle-sim: recorded and simulated equipment on a real broker.

#include <atomic>
#include <csignal>
#include <cstdio>
#include <exception>
#include <memory>

#include "firmware-sim/clocked_source.h"
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

int publish(const Invocation& run, MessageSource& source) {
  const Progress progress = run.chatter == Chatter::kQuiet ? Progress::silent() : Progress::on(stderr);
  const PublishReport report = publish_all(source, run.broker, run.limits, run.pace, progress, stop_requested);
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
      return wanting(run.broker.uri + ": " + report.why);
    case Outcome::kUnreachable:
      break;
  }
  const auto& limits = run.limits;
  const bool never = report.counts.connections == 0;
  return wanting(run.broker.uri + ": " + (never ? "no connection to the broker" : "the broker did not come back") +
                 " within " + std::to_string((never ? limits.connect_timeout : limits.give_up).count() / 1000) +
                 " s: " + report.why + "; start the broker, or name another with --broker, or wait longer with " +
                 (never ? "--connect-timeout" : "--give-up"));
}

int run_replay(const Invocation& run, const ReplayCommand& command) {
  auto messages = load_recording(command.dataset, command.folder, command.recording);
  if (!messages) return wanting(messages.error().text);
  EventTime end{EventTime::min()};
  for (const auto& message : *messages) end = std::max(end, message.at);
  const bool nothing = messages->empty();
  ListedMessages listed(arrange(std::move(*messages), command.order, command.repeats, command.seed));
  if (nothing) return wanting(command.folder.string() + ": the recording has a header but no rows");
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
  ClockedSource source(fleet);
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
    return run_fleet(run, std::get<FleetCommand>(run.command));
  } catch (const std::exception& failure) {
    return wanting(failure.what());
  }
}
