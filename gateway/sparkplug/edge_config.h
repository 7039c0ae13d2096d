#pragma once
// How an edge node is set up, and what Sparkplug 3.0 demands of that before anything is sent.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/sparkplug/edge_value.h"

namespace fettle::sparkplug::edge {

// What one node may announce; the same bounds a gateway puts on what it takes.
inline constexpr std::size_t kMostDevices = 10'000;
inline constexpr std::size_t kMostMetricsPerSource = 10'000;

// The command that every node takes (Sparkplug 3.0, 6.4.7.1) and the number of its session.
inline constexpr std::string_view kRebirthMetric = "Node Control/Rebirth";
inline constexpr std::string_view kSessionMetric = "bdSeq";
// The property that carries the quality of a value (6.4.12).
inline constexpr std::string_view kQualityProperty = "Quality";

enum class Aliases { none, every_metric };
enum class Protocol { mqtt311, mqtt5 };

struct EdgeConfig {
  std::string group;
  std::string node;
  std::vector<MetricDefinition> metrics;  // of the node itself; bdSeq and the rebirth command come by themselves
  std::vector<TemplateDefinition> templates;
  std::vector<DeviceDefinition> devices;
  Aliases aliases = Aliases::none;

  // The host without which nothing is published; absent: the node publishes whenever it is connected.
  std::optional<std::string> primary_host;
  std::size_t servers = 1;  // how many there are to walk over
  Protocol protocol = Protocol::mqtt311;

  // bdSeq of the first CONNECT: 0 for a node that never connected, else one more than the last, as the caller kept it.
  std::uint8_t first_session = 0;

  std::chrono::milliseconds first_backoff{100};  // between two attempts to connect; doubles up to longest_backoff
  std::chrono::milliseconds longest_backoff{5'000};
  std::chrono::milliseconds state_patience{5'000};  // for the host's STATE on one server when there are several
};

// What is wrong with a configuration and how to mend it: ids that cannot stand in a topic, names that are missing,
// twice there or different only by case, values that are not of their type, templates that nobody defines. Absent:
// nothing.
std::optional<std::string> problem_of(const EdgeConfig& config);

// The same over the nodes of one infrastructure: a group and a node id together name one node only, and two of them
// differ by more than case.
std::optional<std::string> problem_of(std::span<const EdgeConfig> nodes);

// What is wrong with `value` as a value of this type, e.g. "300 does not fit Int8". Null fits every type. Instances are
// compared with `templates`.
std::optional<std::string> mismatch(DataType type, const Value& value, std::span<const TemplateDefinition> templates);

}  // namespace fettle::sparkplug::edge
