#pragma once
// The options of the command line that are about Sparkplug edge nodes.

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "firmware-sim/edge_plan.h"

namespace fettle::sim {

// As typed.
struct EdgeOptions {
  bool sparkplug = false;
  std::string group = EdgePlan{}.group;
  std::string node = EdgePlan{}.node;
  std::size_t nodes = 1;
  std::string primary_host;
  bool aliases = false;
  bool on_change = false;
  std::size_t per_message = kMostPerMessage;
  std::optional<std::string> buffer;
  std::uint64_t buffer_bytes = kDefaultOutboxBytes;
  std::string overlap = std::to_string(kDefaultOverlap.count()) + "s";
  double flush_rate = EdgePlan{}.flush_rate;
  bool hold_open = false;
  bool clock = false;
};

void add_edge_options(CLI::App& app, EdgeOptions& typed);

// The plan, or nothing without --sparkplug. Throws CLI::ParseError for what cannot be.
std::optional<EdgePlan> edge_plan_of(const EdgeOptions& typed);

// What of it decides which batch goes to which node.
std::string edge_identity(const EdgeOptions& typed);

// Throws the complaint about an option that makes the command line end with misuse.
[[noreturn]] void misuse(const std::string& option, const std::string& what);

// A duration more than 0; throws as misuse() does.
std::chrono::milliseconds duration_of(const std::string& option, const std::string& text);

}  // namespace fettle::sim
