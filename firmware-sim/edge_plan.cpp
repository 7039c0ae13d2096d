#include "firmware-sim/edge_plan.h"

namespace fettle::sim {
namespace {

using sparkplug::DataType;
using sparkplug::edge::MetricDefinition;
using sparkplug::edge::Reporting;

DataType data_type(SignalType type) {
  switch (type) {
    case SignalType::kInteger:
      return DataType::int64;
    case SignalType::kText:
      return DataType::string;
    case SignalType::kNumber:
      break;
  }
  return DataType::float64;
}

MetricDefinition metric_of(const Signal& signal, const EdgePlan& plan) {
  const bool changes_only = signal.report == Report::kChanges || plan.by_exception == ByException::kEverywhere;
  MetricDefinition metric;
  metric.name = signal.name;
  metric.type = data_type(signal.type);
  metric.reporting = changes_only ? Reporting::on_change : Reporting::always;
  return metric;
}

// The first asset of a node; nodes share the assets as equally as may be.
std::size_t first_asset(std::size_t node, std::size_t assets, const EdgePlan& plan) {
  return (node * assets + plan.nodes - 1) / plan.nodes;
}

}  // namespace

std::vector<std::string> node_names(const EdgePlan& plan) {
  if (plan.nodes == 1) return {plan.node};
  std::vector<std::string> names;
  for (std::size_t i = 1; i <= plan.nodes; ++i) names.push_back(plan.node + "-" + std::to_string(i));
  return names;
}

std::size_t node_of_asset(std::size_t asset, std::size_t assets, const EdgePlan& plan) {
  return asset * plan.nodes / assets;
}

std::size_t device_of_asset(std::size_t asset, std::size_t assets, const EdgePlan& plan) {
  return asset - first_asset(node_of_asset(asset, assets, plan), assets, plan);
}

std::vector<std::string> source_paths(const std::vector<Asset>& assets, const EdgePlan& plan) {
  const auto names = node_names(plan);
  std::vector<std::string> paths;
  for (std::size_t i = 0; i < assets.size(); ++i)
    paths.push_back(plan.group + "/" + names[node_of_asset(i, assets.size(), plan)] + "/" + assets[i].id);
  return paths;
}

std::vector<sparkplug::edge::EdgeConfig> edge_configs(const std::vector<Asset>& assets, const EdgePlan& plan,
                                                      std::size_t servers) {
  std::vector<sparkplug::edge::EdgeConfig> configs;
  for (const auto& name : node_names(plan)) {
    sparkplug::edge::EdgeConfig config;
    config.group = plan.group;
    config.node = name;
    config.aliases = plan.aliases;
    config.primary_host = plan.primary_host;
    config.servers = servers;
    configs.push_back(std::move(config));
  }
  for (std::size_t i = 0; i < assets.size(); ++i) {
    sparkplug::edge::DeviceDefinition device{assets[i].id, {}};
    for (const auto& signal : assets[i].signals) device.metrics.push_back(metric_of(signal, plan));
    configs[node_of_asset(i, assets.size(), plan)].devices.push_back(std::move(device));
  }
  return configs;
}

}  // namespace fettle::sim
