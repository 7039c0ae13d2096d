#include "gateway/sparkplug/commands.h"

#include "gateway/sparkplug/topic.h"

namespace fettle::sparkplug {
namespace {

std::uint64_t stamp(Time time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

std::optional<Malformed> add(const Source& source, const MetricWrite& write, wire::Payload& payload) {
  const std::uint32_t index = source.find(write.metric);
  if (index == PlaceIndex::kNone || !source.metrics[index].born) {
    return Malformed("unknown_metric", "the birth of " + source.path + " has no metric \"" + write.metric + '"');
  }
  const MetricEntry& entry = source.metrics[index];
  if (!is_basic(entry.type)) {
    return Malformed("wrong_type", source.path + ", \"" + write.metric + "\": a " + std::string(name_of(entry.type)) +
                                       " cannot be written; expected a metric with a single value");
  }
  wire::Metric& metric = *payload.add_metrics();
  if (entry.alias && write.metric != kRebirthMetric) {
    metric.set_alias(*entry.alias);
  } else {
    metric.set_name(write.metric);
  }
  if (write.timestamp) metric.set_timestamp(stamp(*write.timestamp));
  if (auto problem = set_value(metric, entry.type, write.value)) {
    problem->detail = source.path + ", \"" + write.metric + "\": " + problem->detail;
    return problem;
  }
  return std::nullopt;
}

}  // namespace

CommandMessage rebirth_command(std::string_view group, std::string_view node, Time now) {
  wire::Payload payload;
  payload.set_timestamp(stamp(now));
  wire::Metric& metric = *payload.add_metrics();
  metric.set_name(std::string(kRebirthMetric));
  metric.set_timestamp(stamp(now));
  metric.set_datatype(static_cast<std::uint32_t>(DataType::boolean));
  metric.set_boolean_value(true);
  CommandMessage out;
  out.topic = format_topic(MessageType::ncmd, group, node);
  out.payload = payload.SerializeAsString();
  return out;
}

Result<CommandMessage> write_command(const Source& source, std::span<const MetricWrite> writes, Time now) {
  if (!source.online) {
    return Malformed("offline", source.path + " is offline: what is sent now would reach nobody");
  }
  if (writes.empty()) return Malformed("nothing_to_write", "a command to " + source.path + " writes no metric");
  wire::Payload payload;
  payload.set_timestamp(stamp(now));
  for (const MetricWrite& write : writes) {
    if (auto problem = add(source, write, payload)) return *problem;
  }
  CommandMessage out;
  out.topic = format_topic(source.is_node() ? MessageType::ncmd : MessageType::dcmd, source.group, source.node_name,
                           source.device);
  out.payload = payload.SerializeAsString();
  return out;
}

}  // namespace fettle::sparkplug
