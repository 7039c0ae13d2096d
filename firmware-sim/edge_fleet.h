#pragma once
// Publishes a source of readings as Sparkplug edge nodes, each with a connection of its own, at the pace asked for.
//
// A source with a pace goes on measuring while a host is away, and what it measures is kept. One without a pace waits
// for the host: it can, and would otherwise run through all its data at once. One thread, the caller's, besides Paho's
// own.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "firmware-sim/broker_address.h"
#include "firmware-sim/edge_plan.h"
#include "firmware-sim/pace.h"
#include "firmware-sim/progress.h"
#include "firmware-sim/publisher.h"
#include "firmware-sim/reading.h"

namespace fettle::sim {

struct EdgeReport {
  Outcome outcome = Outcome::kDone;
  std::string why;        // of kUnreachable and kRefused, and of a failure of the disk
  bool complete = false;  // the source is exhausted and everything is sent
  std::size_t nodes = 0;
  std::uint64_t batches = 0;     // taken from the source, without those an earlier run had taken
  std::uint64_t live = 0;        // readings
  std::uint64_t historical = 0;  // readings, repeats included
  std::uint64_t unchanged = 0;   // readings left out by exception
  std::uint64_t pending = 0;     // readings kept and not sent
  std::uint64_t dropped = 0;     // readings lost because the buffer was full
  std::uint64_t publications = 0;
  std::uint64_t connections = 0;
  std::uint64_t births = 0;    // of nodes
  std::uint64_t rebirths = 0;  // of these, asked for by a host
  std::uint64_t host_absences = 0;
  std::chrono::duration<double> duration{0};
};

// One JSON object, without a line end.
std::string report_json(const EdgeReport& report);
// The same for a person, one line without a line end.
std::string report_line(const EdgeReport& report);

struct EdgeRun {
  EdgePlan plan;
  std::vector<BrokerAddress> brokers;  // all nodes walk over them; at least one
  DeliveryLimits limits;               // connect_timeout and give_up count here
  Pace pace = Pace::unlimited();
  std::uint64_t identity = 0;                   // of what is published, so that a buffer is not taken for another's
  std::function<void(const std::string&)> say;  // a line for a person: waiting for the host, readings dropped
};

// Runs until everything is sent and out of doubt (or, held open, until `stop`), `stop` is set, the brokers are away
// longer than the limits, or the disk fails. A problem is one of the plan or of the buffer, before anything was sent.
Result<EdgeReport> run_edge_nodes(ReadingSource& source, const EdgeRun& run, Progress progress,
                                  const std::atomic<bool>& stop);

}  // namespace fettle::sim
