#include "tests/gateway/engine/contents.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "tests/gateway/engine/plant.h"

namespace fettle::engine::trial {
namespace {

constexpr std::size_t kAll = 1'000'000;
constexpr std::size_t kShown = 8;  // differences, each way

std::string text(Time time) {
  return std::to_string(ms(time));
}
std::string text(const std::optional<Time>& time) {
  return time ? text(*time) : "-";
}
const std::string& text(const std::string& value) {
  return value;
}
std::string text(const char* value) {
  return value;
}
template <typename Number>
requires std::is_arithmetic_v<Number> std::string text(Number value) {
  std::ostringstream out;
  out.precision(17);
  out << +value;
  return out.str();
}

template <typename... Parts>
std::string line(const Parts&... parts) {
  std::string out;
  ((out += text(parts), out += '|'), ...);
  return out;
}

struct Lines {
  std::vector<std::string> all;

  void add(const EpisodeRow& row) {
    all.push_back(line("episode", row.id, row.asset, row.pack, row.pack_version, row.rule, row.title, row.condition,
                       row.parameters, row.since, row.raised_at, row.raised_sequence, row.cleared_at, row.clear_reason,
                       row.work_order));
    for (const EvidencePoint& point : row.evidence) {
      all.push_back(line("evidence", row.id, point.signal, point.time, point.value, point.state));
    }
  }
  void add(const WorkOrderRow& row) {
    all.push_back(line("order", row.id, row.asset, row.customer, row.site, row.pack, row.rule, row.state, row.priority,
                       row.title, row.action, row.failure_mode, row.details, row.raised_at, row.due_at, row.closed_at,
                       row.occurrences, row.entitlement));
  }
  void add(const WorkOrderEventRow& row) {
    all.push_back(
        line("event", row.work_order, row.number, row.from, row.to, row.at, row.recorded_at, row.actor, row.reason));
  }
  void add(const InvoiceRow& row) {
    all.push_back(line("invoice", row.id, row.final, row.number_year, row.number_index, row.seller, row.seller_snapshot,
                       row.customer, row.customer_snapshot, row.currency, row.exponent, row.period_start,
                       row.period_end, row.zone, row.issued_at, row.net, row.tax, row.gross, row.waiting_for));
    for (const VatRow& vat : row.vat) all.push_back(line("vat", row.id, vat.category, vat.percent, vat.base, vat.tax));
    for (const InvoiceLineRow& item : row.lines) add(row.id, item);
  }
  void add(const std::string& invoice, const InvoiceLineRow& row) {
    all.push_back(line("line", invoice, row.number, row.subscription, row.charge, row.asset, row.meter, row.band,
                       row.period_start, row.period_end, row.title, row.quantity, row.unit, row.unit_price, row.amount,
                       row.posted_quantity, row.correction));
    for (const FrozenUsage& usage : row.usage) {
      all.push_back(line("frozen", invoice, row.number, usage.start, usage.end, usage.quantity, usage.revision,
                         usage.first_reading, usage.last_reading));
    }
  }
  void add(const UsageRow& row) {
    all.push_back(
        line("usage", row.key.asset, row.key.meter, row.key.band, row.key.start, usage_text(row), row.revision));
  }
  void add(const QuarantineRow& row) {
    all.push_back(
        line("quarantine", row.sequence, row.item, row.received, row.topic, row.reason, row.detail, row.first_bytes));
  }
  void add(const Counters& row) {
    all.push_back(
        line("counters", row.messages, row.readings, row.duplicates, row.conflicts, row.late, row.quarantined));
  }
  std::vector<std::string> sorted() {
    std::sort(all.begin(), all.end());
    return std::move(all);
  }
};

}  // namespace

std::string usage_text(const UsageRow& row) {
  return line(row.end, row.quantity, row.readings, row.first_reading, row.last_reading, static_cast<int>(row.quality));
}

std::vector<std::string> contents_of(store::MemoryStore& store) {
  Lines lines;
  for (const SeriesRow& series : store.load_series().value()) {
    for (const StoredReading& reading : store.readings(series.id, Time::min(), Time::max(), ~Sequence{0}).value()) {
      lines.all.push_back(
          line("reading", series.asset, series.signal, reading.time, reading.value, reading.flags, reading.sequence));
    }
  }
  for (const auto& [id, row] : store.episodes()) lines.add(row);
  for (const auto& [id, row] : store.work_orders()) lines.add(row);
  for (const auto& [key, row] : store.work_order_events()) lines.add(row);
  for (const auto& [id, row] : store.invoices()) lines.add(row);
  for (const auto& [key, row] : store.all_usage()) lines.add(row);
  for (const auto& [key, row] : store.quarantine()) lines.add(row);
  lines.add(store.counters());
  return lines.sorted();
}

std::vector<std::string> contents_of(store::Reader& reader) {
  Lines lines;
  const Time from = kStart - std::chrono::days(3650);
  const Time to = kStart + std::chrono::days(3650);
  for (const SeriesRow& series : reader.series().value()) {
    for (const store::FoundReading& found : reader.find_readings(series.asset, series.signal, from, to).value()) {
      lines.all.push_back(line("reading", series.asset, series.signal, found.reading.time, found.reading.value,
                               found.reading.flags, found.message.sequence));
    }
  }
  for (const EpisodeRow& row : reader.episodes("", kAll).value()) lines.add(*reader.episode(row.id).value());
  for (const WorkOrderRow& row : reader.work_orders("", kAll).value()) {
    lines.add(row);
    const auto whole = reader.work_order(row.id).value();
    for (const WorkOrderEventRow& event : whole->events) lines.add(event);
  }
  for (const InvoiceRow& row : reader.invoices().value()) {
    InvoiceRow whole = *reader.invoice(row.id).value();
    for (InvoiceLineRow& item : whole.lines) item = *reader.invoice_line(row.id, item.number).value();
    lines.add(whole);
  }
  for (const store::UsageTotal& total : reader.usage_totals(from, to).value()) {
    for (const UsageRow& row : reader.usage(total.asset, total.meter, from, to).value()) {
      if (row.key.band == total.band) lines.add(row);
    }
  }
  for (const QuarantineRow& row : reader.quarantine(kAll).value()) lines.add(row);
  lines.add(reader.counters().value().counters);
  return lines.sorted();
}

std::string difference(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
  const auto only_in = [](const auto& a, const auto& b, std::string_view mark) {
    std::vector<std::string> only;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(only));
    std::string out;
    for (std::size_t i = 0; i < std::min(only.size(), kShown); ++i) out += std::string(mark) + only[i] + '\n';
    return out;
  };
  return only_in(expected, found, "- ") + only_in(found, expected, "+ ");
}

std::map<UsageKey, std::string> measured_usage(const store::MemoryStore& store) {
  std::map<UsageKey, std::string> usage;
  for (const auto& [key, row] : store.all_usage()) {
    if (row.readings > 0 || row.quantity != 0) usage[key] = usage_text(row);
  }
  return usage;
}

}  // namespace fettle::engine::trial
