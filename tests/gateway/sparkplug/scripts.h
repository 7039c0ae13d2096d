#pragma once
// Scripts for a host: messages, ticks and lost brokers, from a random seed or from a fuzzer's bytes. They are near
// enough to what edge nodes send to get past the first check, and wrong in every way they can be.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "gateway/sparkplug/host_nodes.h"

namespace fettle::sparkplug::testing {

struct Step {
  enum class Kind { message, tick, broker_down, broker_up };
  Kind kind = Kind::tick;
  std::int64_t now = 0;  // ms; never goes back
  std::string broker;
  std::string topic;
  std::string payload;
  std::uint64_t sequence = 0;
  std::uint64_t hash = 0;
};

struct Script {
  HostOptions options;
  std::vector<Step> steps;
};

// `next()` gives one byte after another and is asked for a few per step; steps are made until it says `done()`.
Script make_script(const std::function<std::uint8_t()>& next, const std::function<bool()>& done);
Script random_script(unsigned seed, std::size_t steps);

void run_step(const Step& step, HostNodes& nodes, Output& out);

}  // namespace fettle::sparkplug::testing
