#pragma once
// Sparkplug edge nodes of fettle-sim with store and forward, a load of which every value can be told beforehand, and a
// gateway that is their primary host.

#include <chrono>
#include <cstdint>
#include <string>

#include "tests/e2e/harness/stage.h"
#include "tests/e2e/harness/state.h"

namespace fettle::e2e {

struct SparkplugStage : Stage {
  static constexpr std::uint64_t kAssets = 20;
  static constexpr std::uint64_t kSignals = 6;         // of each asset: two gauges, two registers, two event signals
  static constexpr std::chrono::seconds kSpan{1'800};  // of event time, a reading of each signal a second
  static constexpr std::uint64_t kReadings = kAssets * kSignals * 1'800;
  static constexpr std::chrono::seconds kPatience{180};

  // Does not start the gateway.
  SparkplugStage();

  // The gateway, with the load's catalog, online as a host.
  void start();
  // Whether the gateway's STATE says so.
  bool online() const;
  // Options of fettle-sim for that load, whose nodes keep what the host does not hear; `more` says how fast it is.
  Words load(const Words& more) const;
  std::string simulation_log() const { return text_of(folder.path() / "sim.log"); }
  std::unique_ptr<Process> launch_load(const Words& more) const;
  // Until all readings are there: what is held after the last rejoin is let go some seconds after the flush. Throws
  // where they do not come.
  void settle();
};

// Fails the test unless every value of the load is stored, once and right, and no other.
void expect_values_of_load(const Gateway& gateway);

// Episodes without their work orders: one that is over when it becomes known raises none.
Lines bare_episodes_of(const Gateway& gateway);

}  // namespace fettle::e2e
