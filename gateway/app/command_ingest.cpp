// What came in, what nobody claims, what did not come: `fettle readings`, `fettle discovered`, `fettle losses`.

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "gateway/app/commands.h"
#include "gateway/app/output.h"

namespace fettle::app {

namespace json = boost::json;

namespace {

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

unsigned long long whole(std::uint64_t value) {
  return value;
}

}  // namespace

int list_discovered(const Config& config, std::size_t limit, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto rows = value_or_fail(reader->discovered(limit));
  if (!rows) return 1;
  json::array all;
  for (const engine::DiscoveredRow& row : *rows) {
    if (format == Format::json) {
      all.push_back(json::object{{"source", row.source},
                                 {"signal", row.name},
                                 {"asset", row.asset},
                                 {"type", row.type},
                                 {"sample", row.sample},
                                 {"first_seen", text_of(row.first_seen)},
                                 {"last_seen", text_of(row.last_seen)},
                                 {"count", row.count},
                                 {"kept", row.kept},
                                 {"dropped", row.dropped}});
      continue;
    }
    const bool device = row.name.empty();
    std::printf("%s %s%s%s: %s%s%s; %llu %s since %s, %llu kept, %llu dropped; newest: %s\n",
                text_of(row.last_seen).c_str(), row.source.c_str(), device ? "" : " ", row.name.c_str(),
                device              ? "a device that no asset claims"
                : row.asset.empty() ? "a signal of it"
                                    : "a signal that the model of asset ",
                device || row.asset.empty() ? "" : row.asset.c_str(),
                device || row.asset.empty() ? "" : " does not have", whole(row.count), device ? "messages" : "readings",
                text_of(row.first_seen).c_str(), whole(row.kept), whole(row.dropped), row.sample.c_str());
  }
  if (format == Format::json) {
    std::printf("%s\n", json::serialize(all).c_str());
  } else if (rows->empty()) {
    std::printf("every device and signal that was heard is claimed by the catalog\n");
  }
  return 0;
}

int list_losses(const Config& config, const std::string& node, std::size_t limit, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto rows = value_or_fail(reader->losses(node, limit));
  if (!rows) return 1;
  json::array all;
  for (const store::LossDetail& detail : *rows) {
    const engine::LossRow& loss = detail.loss;
    if (format == Format::json) {
      json::array refills;
      for (const engine::LossRefillRow& refill : detail.refills) {
        refills.push_back(
            json::object{{"asset", refill.asset}, {"signal", refill.signal}, {"readings", refill.readings}});
      }
      all.push_back(json::object{{"node", loss.node},
                                 {"number", loss.number},
                                 {"kind", loss.kind},
                                 {"state", loss.state},
                                 {"from", text_of(loss.from)},
                                 {"to", text_of(loss.to)},
                                 {"messages", loss.messages},
                                 {"refilled", loss.refilled},
                                 {"refills", std::move(refills)}});
      continue;
    }
    std::printf("%s/%u %s, %s: %s until %s", loss.node.c_str(), loss.number, loss.kind.c_str(), loss.state.c_str(),
                text_of(loss.from).c_str(), loss.state == "open" ? "now" : text_of(loss.to).c_str());
    if (loss.messages > 0) std::printf(", %u messages missing", loss.messages);
    std::printf(", %llu readings refilled\n", whole(loss.refilled));
    for (const engine::LossRefillRow& refill : detail.refills) {
      std::printf("    %s %s: %llu refilled\n", refill.asset.c_str(), refill.signal.c_str(), whole(refill.readings));
    }
  }
  if (format == Format::json) {
    std::printf("%s\n", json::serialize(all).c_str());
  } else if (rows->empty()) {
    std::printf("no losses are known%s%s\n", node.empty() ? "" : " of ", node.c_str());
  }
  return 0;
}

int list_readings(const Config& config, const ReadingsQuery& query, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto position = value_or_fail(reader->position());
  if (!position) return 1;
  engine::Time until = position->now + std::chrono::milliseconds(1);
  if (!query.until.empty()) {
    const auto time = date_argument(query.until, "--until");
    if (!time) return 1;
    until = *time;
  }
  engine::Time from = until - std::chrono::days(1);
  if (!query.from.empty()) {
    const auto time = date_argument(query.from, "--from");
    if (!time) return 1;
    from = *time;
  }
  const auto series = value_or_fail(reader->series());
  if (!series) return 1;
  const bool known = std::any_of(series->begin(), series->end(), [&](const engine::SeriesRow& row) {
    return row.asset == query.asset && row.signal == query.signal;
  });
  if (!known) {
    return fail("no reading of " + query.asset + ' ' + query.signal +
                " was ever stored; check both names (`fettle discovered` lists what nobody claims)");
  }
  const auto found = value_or_fail(reader->range(query.asset, query.signal, from, until, query.limit));
  if (!found) return 1;
  const bool spans = found->span.count() > 0;
  json::array all;
  for (const store::RangePoint& point : found->points) {
    if (format == Format::json) {
      json::object out{{"time", text_of(point.start)}, {"mean", point.mean}};
      if (spans) {
        out["min"] = point.least;
        out["max"] = point.largest;
        out["readings"] = point.readings;
      }
      all.push_back(std::move(out));
      continue;
    }
    std::printf("%s %s", text_of(point.start).c_str(), number_text(point.mean).c_str());
    if (spans) {
      std::printf(" (%s to %s, %llu readings)", number_text(point.least).c_str(), number_text(point.largest).c_str(),
                  whole(point.readings));
    }
    std::printf("\n");
  }
  if (format == Format::json) {
    std::printf("%s\n", json::serialize(json::object{{"span_ms", found->span.count()}, {"points", all}}).c_str());
  } else if (found->points.empty()) {
    std::printf("no readings of %s %s from %s until %s\n", query.asset.c_str(), query.signal.c_str(),
                text_of(from).c_str(), text_of(until).c_str());
  }
  return 0;
}

}  // namespace fettle::app
