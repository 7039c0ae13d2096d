#include "gateway/engine/outbox.h"

#include <boost/json.hpp>
#include <cstdio>

namespace fettle::engine {
namespace {

namespace json = boost::json;

// RFC 3339, as CloudEvents asks for: 2026-01-31T13:45:00.123Z.
std::string rfc3339(Time time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return text;
}

json::object data_of(const WorkOrderRow& order, const WorkOrderEventRow& event) {
  json::object data{{"work_order", order.id},
                    {"asset", order.asset},
                    {"customer", order.customer},
                    {"site", order.site},
                    {"rule", order.pack + '/' + order.rule},
                    {"state", order.state},
                    {"priority", order.priority},
                    {"title", order.title},
                    {"action", order.action},
                    {"failure_mode", order.failure_mode},
                    {"raised_at", rfc3339(order.raised_at)},
                    {"occurrences", order.occurrences},
                    {"entitlement", order.entitlement}};
  if (order.due_at) data["due_at"] = rfc3339(*order.due_at);
  if (order.closed_at) data["closed_at"] = rfc3339(*order.closed_at);
  data["event"] = json::object{{"number", event.number},  {"from", event.from},   {"to", event.to},
                               {"at", rfc3339(event.at)}, {"actor", event.actor}, {"reason", event.reason}};
  return data;
}

}  // namespace

OutboxRow outbox_row(const WorkOrderRow& order, const WorkOrderEventRow& event, std::uint64_t number) {
  OutboxRow row;
  row.id = number;
  row.at = event.recorded_at;
  row.kind = "work_order." + event.to;
  row.subject = order.id;
  const json::object cloud_event{{"specversion", "1.0"},
                                 {"id", order.id + '/' + std::to_string(event.number)},
                                 {"source", "/fettle/work-orders"},
                                 {"type", "fettle." + row.kind},
                                 {"subject", order.id},
                                 {"time", rfc3339(event.recorded_at)},
                                 {"datacontenttype", "application/json"},
                                 {"data", data_of(order, event)}};
  row.body = json::serialize(cloud_event);
  return row;
}

}  // namespace fettle::engine
