// SparkplugIntake: its parts of a checkpoint.

#include <map>

#include "gateway/engine/sparkplug_intake.h"

namespace fettle::engine {

using sparkplug::HostNodes;
using sparkplug::SourceId;

namespace {

constexpr std::string_view kHostParts = "sparkplug/";
constexpr std::string_view kOurParts = "rejoin/";
constexpr std::string_view kTables = "/tables";
constexpr std::uint32_t kPartsOfNode = 2;

HostNodes::Changed part_of(std::uint32_t number) {
  return {number / kPartsOfNode, number % kPartsOfNode == 0 ? HostNodes::Part::tables : HostNodes::Part::session};
}
std::uint32_t number_of(HostNodes::Changed part) {
  return part.node * kPartsOfNode + (part.part == HostNodes::Part::tables ? 0 : 1);
}

}  // namespace

// ---- saving

void SparkplugIntake::host_changes(HostNodes::Changed part) {
  const std::uint32_t number = number_of(part);
  if (number >= host_parts_.size()) {
    host_parts_.resize((std::size_t{part.node} + 1) * kPartsOfNode);
    rejoin_parts_.resize(std::size_t{part.node} + 1);
  }
  host_parts_.touch(number, [this](std::uint32_t which) { return save_host(which); });
}

CheckpointPart SparkplugIntake::save_host(std::uint32_t number) const {
  const HostNodes::Changed part = part_of(number);
  return {std::string(kHostParts) + host_.key(part), host_.save(part)};
}

CheckpointPart SparkplugIntake::save_rejoin(std::uint32_t number) const {
  const SourceId id = host_.source_of_node(number);
  NodePart part;
  if (const auto found = nodes_.find(id); found != nodes_.end()) {
    if (found->second.held) found->second.held->to_proto(*part.mutable_held());
    found->second.ledger.save(part);
  }
  return {std::string(kOurParts) + host_.source(id).path, part.SerializeAsString()};
}

void SparkplugIntake::begin_round() {
  host_parts_.begin_round();
  rejoin_parts_.begin_round();
}

bool SparkplugIntake::take(std::int64_t& room, std::vector<CheckpointPart>& out) {
  return host_parts_.take(room, out, [this](std::uint32_t number) { return save_host(number); }) &&
         rejoin_parts_.take(room, out, [this](std::uint32_t number) { return save_rejoin(number); });
}

std::size_t SparkplugIntake::early_bytes() const {
  return host_parts_.early_bytes() + rejoin_parts_.early_bytes();
}

// ---- restoring

bool SparkplugIntake::owns(std::string_view key) const {
  return key.starts_with(kHostParts) || key.starts_with(kOurParts);
}

// Tables at once, they may be large; sessions and what refers to sources when all tables are there.
bool SparkplugIntake::restore(CheckpointPart part) {
  if (part.key.starts_with(kHostParts) && part.key.ends_with(kTables)) return !host_.load(part.state);
  to_restore_.push_back(std::move(part));
  return true;
}

std::string SparkplugIntake::restored() {
  std::map<std::string_view, SourceId> by_path;
  for (SourceId id = 0; id < host_.sources(); ++id) {
    by_path.emplace(host_.source(id).path, id);
    node_of(id).sources.push_back(id);
  }
  for (const CheckpointPart& part : to_restore_) {
    if (part.key.starts_with(kHostParts)) {
      if (const auto problem = host_.load(part.state)) return "part " + part.key + ": " + problem->detail;
      continue;
    }
    const auto found = by_path.find(std::string_view(part.key).substr(kOurParts.size()));
    if (found == by_path.end()) return "part " + part.key + ", of a node that is not known,";
    if (std::string problem = restore_rejoin(part, found->second); !problem.empty()) return problem;
  }
  to_restore_ = {};
  host_parts_.resize(host_.nodes() * kPartsOfNode);
  host_parts_.all_saved();
  rejoin_parts_.resize(host_.nodes());
  rejoin_parts_.all_saved();
  return {};
}

std::string SparkplugIntake::restore_rejoin(const CheckpointPart& part, SourceId id) {
  NodePart saved;
  if (!saved.ParseFromString(part.state)) return "part " + part.key;
  Node& node = node_of(id);
  node.ledger.load(saved);
  if (!saved.has_held()) return {};
  auto held = HeldReadings::from_proto(saved.held());
  if (!held || !fits(*held)) return "part " + part.key + ", with readings of other assets,";
  node.held = std::make_unique<HeldReadings>(std::move(*held));
  holding_.push_back(id);
  return {};
}

bool SparkplugIntake::fits(const HeldReadings& held) const {
  return held.every([&](std::uint32_t asset, std::uint32_t signal) {
    return asset < assets_.size() && signal < assets_[asset].info->model->signals.size();
  });
}

}  // namespace fettle::engine
