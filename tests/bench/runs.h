#pragma once
// One run: a subscriber as a child process, the whole workload through the broker, and what that took.

#include <chrono>
#include <cstdint>
#include <filesystem>

#include "tests/bench/publisher.h"
#include "tests/bench/workload.h"
#include "tests/e2e/harness/broker.h"

namespace fettle::bench {

struct Measured {
  double messages_per_second = 0;    // from the first publish until the last message has arrived
  double processor_per_message = 0;  // microseconds, user and system, of the subscriber, in the same time
  double peak_memory = 0;            // megabytes (10^6)
  double foreign_share = 0;          // of the processors, taken by other processes meanwhile: machine.h
};

struct Load {
  const Workload& workload;
  const Packets& packets;
  const e2e::Broker& broker;
};

struct GatewayMeasured : Measured {
  double bytes_per_reading = 0;  // by which the store grew, after its shutdown
};

// `fettle serve` on a new data folder in `folder`, which must not exist; a message has arrived when it is committed.
// Throws where the gateway made of the messages anything else than it must.
GatewayMeasured run_gateway(const Load& load, const std::filesystem::path& folder);

// The empty subscriber (empty_subscriber.h); a message has arrived when its callback has seen it.
Measured run_yardstick(const Load& load, const std::filesystem::path& folder);

}  // namespace fettle::bench
