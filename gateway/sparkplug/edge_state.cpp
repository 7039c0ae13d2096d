#include "gateway/sparkplug/edge_state.h"

#include <boost/json.hpp>

namespace fettle::sparkplug::edge {

std::optional<HostState> parse_state(std::string_view payload) {
  if (payload.size() > kLongestState) return std::nullopt;
  boost::json::error_code failure;
  const auto parsed = boost::json::parse(payload, failure);
  if (failure || !parsed.is_object()) return std::nullopt;
  const auto* online = parsed.as_object().if_contains("online");
  const auto* timestamp = parsed.as_object().if_contains("timestamp");
  if (online == nullptr || timestamp == nullptr || !online->is_bool()) return std::nullopt;
  boost::json::error_code no_number;
  const auto milliseconds = timestamp->to_number<std::uint64_t>(no_number);
  if (no_number) return std::nullopt;
  const auto time = time_of(milliseconds);
  if (!time) return std::nullopt;
  return HostState{online->get_bool(), *time};
}

}  // namespace fettle::sparkplug::edge
