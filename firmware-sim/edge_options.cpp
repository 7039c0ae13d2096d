#include "firmware-sim/edge_options.h"

#include "firmware-sim/stamp.h"
#include "gateway/sparkplug/topic.h"

namespace fettle::sim {
namespace {

constexpr double kSlowestFlush = 1;
constexpr double kFastestFlush = 1e7;

void check_id(const std::string& option, const std::string& id) {
  if (const auto problem = sparkplug::problem_of_id(id))
    misuse(option, "'" + id + "' " + *problem + "; it stands in MQTT topics");
}

}  // namespace

void misuse(const std::string& option, const std::string& what) {
  throw CLI::ValidationError(option, what);
}

std::chrono::milliseconds duration_of(const std::string& option, const std::string& text) {
  const auto duration = parse_duration(text);
  if (!duration || duration->count() == 0)
    misuse(option, "'" + text + "' is no duration; write for instance 90s, 5m, 12h or 35d");
  return *duration;
}

void add_edge_options(CLI::App& app, EdgeOptions& typed) {
  const auto add = [&](const char* name, auto& value, const char* help) {
    return app.add_option(name, value, help)->needs("--sparkplug");
  };
  app.add_flag("--sparkplug", typed.sparkplug, "as Sparkplug B edge nodes; each asset is a device");
  add("--group", typed.group, "group id")->capture_default_str();
  add("--node", typed.node, "edge node id; several are called <id>-1, <id>-2 ...")->capture_default_str();
  add("--nodes", typed.nodes, "how many edge nodes share the assets, each with its own connection")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, kMostNodes));
  add("--primary-host", typed.primary_host, "host id whose STATE decides whether anything is published");
  app.add_flag("--aliases", typed.aliases, "data name metrics by alias")->needs("--sparkplug");
  app.add_flag("--on-change", typed.on_change, "report every signal by exception")->needs("--sparkplug");
  add("--per-message", typed.per_message, "metrics in a message, at most")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, kMostPerMessage));
  add("--buffer", typed.buffer, "file that keeps readings until the host has them, over restarts");
  add("--buffer-size", typed.buffer_bytes, "bytes kept there for each node, at most; then the oldest are dropped")
      ->capture_default_str()
      ->check(CLI::Range(kLeastOutboxBytes, std::uint64_t{1} << 40U));
  add("--overlap", typed.overlap,
      "what was sent this long before a loss is sent again as history, and the end waits as long; longer than the 45 s "
      "for which a broker may take a dead gateway for alive (1.5 times its keep-alive of 30 s); 0s: nothing")
      ->capture_default_str();
  add("--flush-rate", typed.flush_rate, "historical readings a second of each node, at most")
      ->capture_default_str()
      ->check(CLI::Range(kSlowestFlush, kFastestFlush));
  app.add_flag("--hold-open", typed.hold_open, "stay connected at the end, until SIGTERM")->needs("--sparkplug");
  app.add_flag("--clock", typed.clock,
               "move the clock of a gateway with `clock: recording`, first of all before the births")
      ->needs("--sparkplug");
}

std::optional<EdgePlan> edge_plan_of(const EdgeOptions& typed) {
  if (!typed.sparkplug) return std::nullopt;
  EdgePlan plan;
  check_id("--group", typed.group);
  check_id("--node", typed.node);
  if (!typed.primary_host.empty()) {
    check_id("--primary-host", typed.primary_host);
    plan.primary_host = typed.primary_host;
  }
  plan.group = typed.group;
  plan.node = typed.node;
  plan.nodes = typed.nodes;
  if (typed.aliases) plan.aliases = sparkplug::edge::Aliases::every_metric;
  if (typed.on_change) plan.by_exception = ByException::kEverywhere;
  plan.per_message = typed.per_message;
  if (typed.buffer) plan.buffer = *typed.buffer;
  plan.limits.bytes = typed.buffer_bytes;
  const auto overlap = parse_duration(typed.overlap);
  if (!overlap) misuse("--overlap", "'" + typed.overlap + "' is no duration; write for instance 0s, 10s or 1m");
  plan.limits.overlap = *overlap;
  plan.flush_rate = typed.flush_rate;
  if (typed.hold_open) plan.at_the_end = AtTheEnd::kHoldOpen;
  if (typed.clock) plan.clock = ClockMessages::kSent;
  return plan;
}

std::string edge_identity(const EdgeOptions& typed) {
  return typed.group + '/' + typed.node + '/' + std::to_string(typed.nodes);
}

}  // namespace fettle::sim
