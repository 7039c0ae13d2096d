#pragma once
// One run: a subscriber as a child process, the whole load through the broker, and what that took.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/feed.h"
#include "tests/bench/workload.h"
#include "tests/e2e/harness/broker.h"

namespace fettle::bench {

struct Measured {
  double messages_per_second = 0;    // from the first publish until the last message has arrived
  double processor_per_message = 0;  // microseconds, user and system, of the subscriber, in the same time
  double peak_memory = 0;            // megabytes (10^6)
  double foreign_share = 0;          // of the processors, taken by other processes meanwhile: machine.h
};

// What is sent, and what a gateway must make of it.
struct Scenario {
  const e2e::Broker& broker;
  std::string catalog;              // YAML, for `fettle apply`
  std::string configuration;        // of the gateway, but for its data folder: the sessions
  std::string session_up;           // what the gateway says when it hears the devices
  std::string client_id;            // of the gateway's durable session; empty: it has none
  std::vector<std::string> topics;  // what the empty subscriber subscribes to
  int qos = 1;
  bool sparkplug = false;
  Expected expected;
  std::function<std::unique_ptr<Feed>()> connect;  // a publisher for one run
};

struct GatewayMeasured : Measured {
  double bytes_per_reading = 0;  // by which the store grew, after its shutdown
};

// `fettle serve` on a new data folder in `folder`, which must not exist; a message has arrived when it is committed.
// Throws where a message was lost, or the gateway made of the messages anything else than it must.
GatewayMeasured run_gateway(const Scenario& scenario, const std::filesystem::path& folder);

// The empty subscriber (empty_subscriber.h); a message has arrived when its callback has seen it. Throws where one was
// lost.
Measured run_yardstick(const Scenario& scenario, const std::filesystem::path& folder);

struct RestartMeasured : Measured {
  double seconds = 0;  // from the start of the process until the last message is committed
};

// A data folder in `folder`, which must not exist, whose journal holds all messages of the load and whose store none of
// them, as a crash may leave it; then `fettle serve` on it. Throws where it makes anything else of the messages than it
// must, or, where that takes seconds, does not say how far it is.
RestartMeasured run_restart(const Workload& workload, const std::filesystem::path& folder);

}  // namespace fettle::bench
