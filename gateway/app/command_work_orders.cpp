// Episodes and work orders as people and programs read them.

#include <boost/json.hpp>
#include <cstdio>

#include "gateway/app/commands.h"
#include "gateway/app/output.h"

namespace fettle::app {
namespace {

namespace json = boost::json;

json::value time_or_null(const std::optional<engine::Time>& time) {
  return time ? json::value(text_of(*time)) : json::value(nullptr);
}

json::object json_of(const engine::EpisodeRow& episode) {
  return {{"id", episode.id},
          {"asset", episode.asset},
          {"pack", episode.pack},
          {"pack_version", episode.pack_version},
          {"rule", episode.rule},
          {"since", text_of(episode.since)},
          {"raised_at", text_of(episode.raised_at)},
          {"cleared_at", time_or_null(episode.cleared_at)},
          {"clear_reason", episode.clear_reason},
          {"work_order", episode.work_order}};
}

json::object json_of(const engine::WorkOrderRow& order) {
  return {{"id", order.id},
          {"asset", order.asset},
          {"customer", order.customer},
          {"site", order.site},
          {"pack", order.pack},
          {"rule", order.rule},
          {"state", order.state},
          {"priority", order.priority},
          {"title", order.title},
          {"action", order.action},
          {"failure_mode", order.failure_mode},
          {"details", json::parse(order.details)},
          {"raised_at", text_of(order.raised_at)},
          {"due_at", time_or_null(order.due_at)},
          {"closed_at", time_or_null(order.closed_at)},
          {"occurrences", order.occurrences},
          {"entitlement", order.entitlement}};
}

template <typename Row>
void print_array(const std::vector<Row>& rows) {
  json::array all;
  for (const Row& row : rows) all.push_back(json_of(row));
  std::printf("%s\n", json::serialize(all).c_str());
}

}  // namespace

int list_episodes(const Config& config, const std::string& asset, std::size_t limit, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto episodes = value_or_fail(reader->episodes(asset, limit));
  if (!episodes) return 1;
  if (format == Format::json) {
    print_array(*episodes);
    return 0;
  }
  for (const engine::EpisodeRow& episode : *episodes) {
    std::printf("%s %-16s %s/%s raised %s, %s%s\n", episode.id.c_str(), episode.asset.c_str(), episode.pack.c_str(),
                episode.rule.c_str(), text_of(episode.raised_at).c_str(),
                episode.cleared_at ? ("cleared " + text_of(*episode.cleared_at)).c_str() : "open",
                episode.work_order.empty() ? "" : (", " + episode.work_order).c_str());
  }
  return 0;
}

int list_work_orders(const Config& config, const std::string& state, std::size_t limit, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto orders = value_or_fail(reader->work_orders(state, limit));
  if (!orders) return 1;
  if (format == Format::json) {
    print_array(*orders);
    return 0;
  }
  for (const engine::WorkOrderRow& order : *orders) {
    std::printf("%s %s %-8s %-16s raised %s, %s: %s%s\n", order.id.c_str(), order.priority.c_str(), order.state.c_str(),
                order.asset.c_str(), text_of(order.raised_at).c_str(), order.title.c_str(), order.action.c_str(),
                order.occurrences > 1 ? (" (" + std::to_string(order.occurrences) + " occurrences)").c_str() : "");
  }
  return 0;
}

int show_work_order(const Config& config, const std::string& id, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto found = value_or_fail(reader->work_order(id));
  if (!found) return 1;
  if (!*found) return fail("no work order " + id + "; `fettle work-order list` shows them");
  const engine::WorkOrderRow& order = (*found)->order;
  if (format == Format::json) {
    json::object out = json_of(order);
    json::array events;
    for (const engine::WorkOrderEventRow& event : (*found)->events) {
      events.push_back(json::object{{"number", event.number},
                                    {"from", event.from},
                                    {"to", event.to},
                                    {"at", text_of(event.at)},
                                    {"recorded_at", text_of(event.recorded_at)},
                                    {"actor", event.actor},
                                    {"reason", event.reason}});
    }
    json::array episodes;
    for (const engine::EpisodeRow& episode : (*found)->episodes) episodes.push_back(json_of(episode));
    out["events"] = std::move(events);
    out["episodes"] = std::move(episodes);
    std::printf("%s\n", json::serialize(out).c_str());
    return 0;
  }
  std::printf("%s %s %s: %s\n  asset %s, site %s, customer %s\n  action %s\n", order.id.c_str(), order.priority.c_str(),
              order.state.c_str(), order.title.c_str(), order.asset.c_str(), order.site.c_str(), order.customer.c_str(),
              order.action.c_str());
  std::printf("  needs %s\n", order.details.c_str());
  if (order.due_at) std::printf("  due %s\n", text_of(*order.due_at).c_str());
  std::printf("  entitlement %s\n", order.entitlement.c_str());
  for (const engine::WorkOrderEventRow& event : (*found)->events) {
    std::printf("  %s %s%s%s by %s: %s\n", text_of(event.at).c_str(), event.from.c_str(),
                event.from.empty() ? "" : " -> ", event.to.c_str(), event.actor.c_str(), event.reason.c_str());
  }
  return 0;
}

}  // namespace fettle::app
