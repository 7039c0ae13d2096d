// The evidence chain: from a work order, or an invoice line, back to the messages it rests on.

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <set>

#include "gateway/app/commands.h"
#include "gateway/app/output.h"

namespace fettle::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kShownRecords = 3;  // usage records shown at each end of a line's list, as text

std::string hash_text(std::uint64_t hash) {
  char text[24];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
  return text;
}

// One stored reading with the message that brought it.
json::object reading_json(const std::string& signal, const store::FoundReading& found) {
  return {{"signal", signal},
          {"time", text_of(found.reading.time)},
          {"value", found.reading.value},
          {"message",
           {{"sequence", found.message.sequence},
            {"received", text_of(found.message.received)},
            {"topic", found.message.topic},
            {"xxh3", hash_text(found.message.hash)}}}};
}

void print_reading(const char* label, const json::object& reading) {
  const json::object& message = reading.at("message").as_object();
  char number[32];
  std::snprintf(number, sizeof number, "%.12g", reading.at("value").as_double());
  std::printf("    %-6s %s %s = %s  <- message %lld on %s, received %s, xxh3 %s\n", label,
              reading.at("time").as_string().c_str(), reading.at("signal").as_string().c_str(),
              reading.contains("state") ? reading.at("state").as_string().c_str() : number,
              static_cast<long long>(message.at("sequence").to_number<std::int64_t>()),
              message.at("topic").as_string().c_str(), message.at("received").as_string().c_str(),
              message.at("xxh3").as_string().c_str());
}

std::optional<json::object> find(store::Reader& reader, const std::string& asset, const std::string& signal,
                                 engine::Time time) {
  const auto found = reader.find_reading(asset, signal, time);
  if (!found || found->empty()) return std::nullopt;
  return reading_json(signal, found->back());
}

json::object evidence_json(store::Reader& reader, const engine::EpisodeRow& episode) {
  json::object out{{"episode", episode.id},
                   {"rule", episode.pack + " v" + std::to_string(episode.pack_version) + " / " + episode.rule},
                   {"title", episode.title},
                   {"condition", episode.condition},
                   {"parameters", episode.parameters},
                   {"since", text_of(episode.since)},
                   {"raised_at", text_of(episode.raised_at)},
                   {"completed_by_record", episode.raised_sequence},
                   {"cleared_at", episode.cleared_at ? json::value(text_of(*episode.cleared_at)) : json::value()}};
  json::array signals;
  std::set<std::string> names;
  for (const engine::EvidencePoint& point : episode.evidence) names.insert(point.signal);
  for (const std::string& name : names) {
    json::array points;
    for (const engine::EvidencePoint& point : episode.evidence) {
      if (point.signal != name) continue;
      json::object kept{{"time", text_of(point.time)}, {"value", point.value}};
      if (!point.state.empty()) kept["state"] = point.state;
      points.push_back(std::move(kept));
    }
    json::object signal{{"signal", name}, {"readings", points.size()}};
    const auto of_signal = [&](const engine::EvidencePoint& point) { return point.signal == name; };
    const auto first = std::find_if(episode.evidence.begin(), episode.evidence.end(), of_signal);
    const auto last = std::find_if(episode.evidence.rbegin(), episode.evidence.rend(), of_signal);
    for (const auto& [key, point] : {std::pair("first", &*first), std::pair("last", &*last)}) {
      auto found = find(reader, episode.asset, name, point->time);
      if (!found) continue;
      if (!point->state.empty()) (*found)["state"] = point->state;
      signal[key] = std::move(*found);
    }
    signal["points"] = std::move(points);
    signals.push_back(std::move(signal));
  }
  out["signals"] = std::move(signals);
  return out;
}

void print_evidence(const json::object& episode) {
  std::printf("  episode %s, rule %s: %s\n", episode.at("episode").as_string().c_str(),
              episode.at("rule").as_string().c_str(), episode.at("title").as_string().c_str());
  std::printf("    when %s\n", episode.at("condition").as_string().c_str());
  if (!episode.at("parameters").as_string().empty()) {
    std::printf("    with %s\n", episode.at("parameters").as_string().c_str());
  }
  std::printf("    true since %s, raised %s by record %lld, %s%s\n", episode.at("since").as_string().c_str(),
              episode.at("raised_at").as_string().c_str(),
              static_cast<long long>(episode.at("completed_by_record").to_number<std::int64_t>()),
              episode.at("cleared_at").is_null() ? "not cleared" : "cleared ",
              episode.at("cleared_at").is_null() ? "" : episode.at("cleared_at").as_string().c_str());
  for (const auto& value : episode.at("signals").as_array()) {
    const json::object& signal = value.as_object();
    std::printf("    %s: %lld readings kept\n", signal.at("signal").as_string().c_str(),
                static_cast<long long>(signal.at("readings").to_number<std::int64_t>()));
    if (signal.contains("first")) print_reading("first", signal.at("first").as_object());
    if (signal.contains("last")) print_reading("last", signal.at("last").as_object());
  }
}

struct LineId {
  std::string invoice;
  std::uint32_t number = 0;
};

std::optional<LineId> parse_line_id(const std::string& id) {
  const std::size_t slash = id.rfind('/');
  if (slash == std::string::npos || slash + 1 == id.size() || id.size() - slash > 10) return std::nullopt;
  std::uint32_t number = 0;
  for (std::size_t i = slash + 1; i < id.size(); ++i) {
    if (id[i] < '0' || id[i] > '9') return std::nullopt;
    number = number * 10 + static_cast<std::uint32_t>(id[i] - '0');
  }
  return LineId{id.substr(0, slash), number};
}

json::object record_json(const engine::FrozenUsage& usage, const MeterText& form) {
  return {{"start", text_of(usage.start)},
          {"end", text_of(usage.end)},
          {"quantity", quantity_text(usage.quantity, form.scale)},
          {"revision", usage.revision},
          {"first_reading", text_of(usage.first_reading)},
          {"last_reading", text_of(usage.last_reading)}};
}

json::object line_json(store::Reader& reader, const std::string& id, const engine::InvoiceRow& invoice,
                       const engine::InvoiceLineRow& line, const MeterTexts& meters) {
  json::object out{{"invoice_line", id},
                   {"invoice", invoice.id},
                   {"final", invoice.final},
                   {"title", line.title},
                   {"asset", line.asset},
                   {"meter", line.meter},
                   {"band", line.band},
                   {"period", {{"start", text_of(line.period_start)}, {"end", text_of(line.period_end)}}},
                   {"quantity", line.quantity},
                   {"unit", line.unit},
                   {"unit_price", line.unit_price},
                   {"amount", quantity_text(line.amount, invoice.exponent)},
                   {"currency", invoice.currency}};
  const MeterText form = meters.of(line.asset, line.meter);
  std::int64_t sum = 0;
  json::array records;
  for (const engine::FrozenUsage& usage : line.usage) {
    sum += usage.quantity;
    records.push_back(record_json(usage, form));
  }
  out["usage_records"] = std::move(records);
  out["usage_total"] = quantity_text(sum, form.scale);
  if (line.usage.empty()) return out;
  const std::string signal = meters.signal_of(line.asset, line.meter);
  const auto by_first = [](const auto& a, const auto& b) { return a.first_reading < b.first_reading; };
  const auto by_last = [](const auto& a, const auto& b) { return a.last_reading < b.last_reading; };
  const auto first = std::min_element(line.usage.begin(), line.usage.end(), by_first);
  const auto last = std::max_element(line.usage.begin(), line.usage.end(), by_last);
  if (const auto found = find(reader, line.asset, signal, first->first_reading)) out["first_reading"] = *found;
  if (const auto found = find(reader, line.asset, signal, last->last_reading)) out["last_reading"] = *found;
  return out;
}

void print_record(const json::object& record, const std::string& unit) {
  std::printf("    %s .. %s  %12s %s  revision %lld\n", record.at("start").as_string().c_str(),
              record.at("end").as_string().c_str(), record.at("quantity").as_string().c_str(), unit.c_str(),
              static_cast<long long>(record.at("revision").to_number<std::int64_t>()));
}

void print_line(const json::object& line) {
  const auto text = [&](const char* key) { return std::string(line.at(key).as_string()); };
  std::printf("%s: %s for asset %s\n  %s %s x %s = %s %s\n", text("invoice_line").c_str(), text("title").c_str(),
              text("asset").c_str(), text("quantity").c_str(), text("unit").c_str(), text("unit_price").c_str(),
              text("amount").c_str(), text("currency").c_str());
  const json::array& records = line.at("usage_records").as_array();
  if (records.empty()) {
    std::printf("  a fixed fee: it rests on the subscription alone\n");
    return;
  }
  std::printf("  %zu usage records of meter %s, %s %s in all:\n", records.size(), text("meter").c_str(),
              text("usage_total").c_str(), text("unit").c_str());
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (i == kShownRecords && records.size() > 2 * kShownRecords) {
      std::printf("    ... %zu more (--json lists all)\n", records.size() - 2 * kShownRecords);
      i = records.size() - kShownRecords;
    }
    print_record(records[i].as_object(), text("unit"));
  }
  std::printf("  resting on the readings from the first to the last:\n");
  if (line.contains("first_reading")) print_reading("first", line.at("first_reading").as_object());
  if (line.contains("last_reading")) print_reading("last", line.at("last_reading").as_object());
}

}  // namespace

int explain_work_order(const Config& config, const std::string& id, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto found = value_or_fail(reader->work_order(id));
  if (!found) return 1;
  if (!*found) return fail("no work order " + id + "; `fettle work-order list` shows them");
  const engine::WorkOrderRow& order = (*found)->order;
  json::array episodes;
  for (const engine::EpisodeRow& episode : (*found)->episodes) episodes.push_back(evidence_json(*reader, episode));
  if (format == Format::json) {
    std::printf("%s\n", json::serialize(json::object{{"work_order", id},
                                                     {"asset", order.asset},
                                                     {"state", order.state},
                                                     {"entitlement", order.entitlement},
                                                     {"episodes", std::move(episodes)}})
                            .c_str());
    return 0;
  }
  std::printf("%s (%s, %s) on asset %s: %s\n  entitlement %s\n", id.c_str(), order.priority.c_str(),
              order.state.c_str(), order.asset.c_str(), order.action.c_str(), order.entitlement.c_str());
  for (const auto& episode : episodes) print_evidence(episode.as_object());
  return 0;
}

int explain_invoice_line(const Config& config, const std::string& id, Format format) {
  const auto line_id = parse_line_id(id);
  if (!line_id) return fail(id + " is no line id; expected <invoice>/<line>, such as FD-2026-000001/2");
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto invoice = value_or_fail(reader->invoice(line_id->invoice));
  if (!invoice) return 1;
  const auto line = value_or_fail(reader->invoice_line(line_id->invoice, line_id->number));
  if (!line) return 1;
  if (!*invoice || !*line) {
    return fail("no line " + std::to_string(line_id->number) + " of an invoice " + line_id->invoice +
                "; `fettle invoice list` and `fettle invoice show` name them");
  }
  const auto catalog = value_or_fail(reader->catalog());
  if (!catalog) return 1;
  const json::object out = line_json(*reader, id, **invoice, **line, MeterTexts(*catalog));
  if (format == Format::json) {
    std::printf("%s\n", json::serialize(out).c_str());
  } else {
    print_line(out);
  }
  return 0;
}

}  // namespace fettle::app
