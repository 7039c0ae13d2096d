#include "gateway/store/sqlite/reader.h"

#include <limits>

#include "gateway/store/sqlite/guarded.h"
#include "gateway/store/sqlite/invoice_rows.h"
#include "gateway/store/sqlite/migrations.h"
#include "gateway/store/sqlite/queries.h"
#include "gateway/store/sqlite/range_query.h"

namespace fettle::store {
namespace {

using engine::EpisodeRow;
using engine::WorkOrderRow;

constexpr const char* kOrderColumns =
    "id, asset, customer, site, pack, rule, state, priority, title, action, failure_mode, details, raised_at, due_at, "
    "closed_at, occurrences, entitlement";

WorkOrderRow take_order(Row& row) {
  WorkOrderRow order;
  row.into(order.id, order.asset, order.customer, order.site, order.pack, order.rule, order.state, order.priority,
           order.title, order.action, order.failure_mode, order.details, order.raised_at, order.due_at, order.closed_at,
           order.occurrences, order.entitlement);
  return order;
}

constexpr const char* kEpisodeColumns =
    "id, asset, pack, pack_version, rule, title, condition, parameters, since, raised_at, raised_sequence, cleared_at, "
    "clear_reason, coalesce(work_order, '')";

EpisodeRow take_episode(Row& row) {
  EpisodeRow episode;
  row.into(episode.id, episode.asset, episode.pack, episode.pack_version, episode.rule, episode.title,
           episode.condition, episode.parameters, episode.since, episode.raised_at, episode.raised_sequence,
           episode.cleared_at, episode.clear_reason, episode.work_order);
  return episode;
}

std::vector<engine::WorkOrderEventRow> load_events(Database& database, const std::string& work_order) {
  std::vector<engine::WorkOrderEventRow> events;
  Statement(database,
            "SELECT work_order, number, from_state, to_state, at, recorded_at, actor, reason FROM work_order_event "
            "WHERE work_order = ?1 ORDER BY number")
      .each(
          [&](Row& row) {
            engine::WorkOrderEventRow& event = events.emplace_back();
            row.into(event.work_order, event.number, event.from, event.to, event.at, event.recorded_at, event.actor,
                     event.reason);
          },
          work_order);
  return events;
}

}  // namespace

Reader::Result<std::unique_ptr<Reader>> Reader::open(const std::filesystem::path& file) {
  return guarded([&] { return std::unique_ptr<Reader>(new Reader(file)); });
}

Reader::Reader(const std::filesystem::path& file) : database_(std::make_unique<Database>(file, Access::read_only)) {
  require_schema(*database_);
}

// ---- work orders and episodes
// ----------------------------------------------------------------------------------------

Reader::Result<std::vector<WorkOrderRow>> Reader::work_orders(const std::string& state, std::size_t limit) {
  return guarded([&] {
    std::vector<WorkOrderRow> orders;
    Statement(*database_, std::string("SELECT ") + kOrderColumns +
                              " FROM work_order WHERE ?1 IN ('', state) ORDER BY raised_at DESC, id LIMIT ?2")
        .each([&](Row& row) { orders.push_back(take_order(row)); }, state, limit);
    return orders;
  });
}

Reader::Result<std::optional<WorkOrderDetail>> Reader::work_order(const std::string& id) {
  return guarded([&] {
    Transaction snapshot(*database_, Transaction::Kind::read);
    std::optional<WorkOrderDetail> detail;
    Statement(*database_, std::string("SELECT ") + kOrderColumns + " FROM work_order WHERE id = ?1")
        .each([&](Row& row) { detail.emplace().order = take_order(row); }, id);
    if (!detail) return detail;
    detail->events = load_events(*database_, id);
    Statement(*database_,
              std::string("SELECT ") + kEpisodeColumns + " FROM episode WHERE work_order = ?1 ORDER BY raised_at, id")
        .each([&](Row& row) { detail->episodes.push_back(take_episode(row)); }, id);
    for (EpisodeRow& episode : detail->episodes) load_evidence(episode);
    return detail;
  });
}

Reader::Result<std::vector<EpisodeRow>> Reader::episodes(const std::string& asset, std::size_t limit) {
  return guarded([&] {
    std::vector<EpisodeRow> episodes;
    Statement(*database_, std::string("SELECT ") + kEpisodeColumns +
                              " FROM episode WHERE ?1 IN ('', asset) ORDER BY raised_at DESC, id LIMIT ?2")
        .each([&](Row& row) { episodes.push_back(take_episode(row)); }, asset, limit);
    return episodes;
  });
}

Reader::Result<std::optional<EpisodeRow>> Reader::episode(const std::string& id) {
  return guarded([&] {
    Transaction snapshot(*database_, Transaction::Kind::read);
    std::optional<EpisodeRow> episode;
    Statement(*database_, std::string("SELECT ") + kEpisodeColumns + " FROM episode WHERE id = ?1")
        .each([&](Row& row) { episode = take_episode(row); }, id);
    if (episode) load_evidence(*episode);
    return episode;
  });
}

void Reader::load_evidence(EpisodeRow& episode) {
  Statement(*database_, "SELECT signal, time, value, state FROM evidence WHERE episode = ?1 ORDER BY number")
      .each(
          [&](Row& row) {
            engine::EvidencePoint& point = episode.evidence.emplace_back();
            row.into(point.signal, point.time, point.value, point.state);
          },
          episode.id);
}

// ---- invoices and usage
// ----------------------------------------------------------------------------------------------

Reader::Result<std::vector<engine::InvoiceRow>> Reader::invoices() {
  return guarded([&] { return load_invoices(*database_); });
}

Reader::Result<std::optional<engine::InvoiceRow>> Reader::invoice(const std::string& id) {
  return guarded([&] {
    Transaction snapshot(*database_, Transaction::Kind::read);
    auto stored = load_invoice(*database_, compressor_, id);
    return stored ? std::optional(std::move(stored->invoice)) : std::nullopt;
  });
}

Reader::Result<std::optional<engine::InvoiceLineRow>> Reader::invoice_line(const std::string& invoice,
                                                                           std::uint32_t number) {
  return guarded([&] { return load_invoice_line(*database_, compressor_, invoice, number); });
}

Reader::Result<std::vector<UsageTotal>> Reader::usage_totals(engine::Time from, engine::Time to) {
  return guarded([&] {
    std::vector<UsageTotal> totals;
    Statement(*database_,
              "SELECT asset, meter, band, sum(quantity), count(*), min(start), max(end), max(quality) "
              "FROM usage_record WHERE start >= ?1 AND start < ?2 GROUP BY asset, meter, band "
              "ORDER BY asset, meter, band")
        .each(
            [&](Row& row) {
              UsageTotal& total = totals.emplace_back();
              row.into(total.asset, total.meter, total.band, total.quantity, total.records, total.start, total.end,
                       total.quality);
            },
            from, to);
    return totals;
  });
}

Reader::Result<std::vector<engine::UsageRow>> Reader::usage(const std::string& asset, const std::string& meter,
                                                            engine::Time from, engine::Time to) {
  return guarded([&] { return load_usage(*database_, asset, meter, from, to); });
}

// ---- the rest
// --------------------------------------------------------------------------------------------------------

Reader::Result<StoreCounters> Reader::counters() {
  return guarded([&] {
    StoreCounters stored;
    engine::Counters& counters = stored.counters;
    Statement(*database_,
              "SELECT messages, readings, duplicates, conflicts, late, quarantined, quarantine_removed FROM counters")
        .each([&](Row& row) {
          row.into(counters.messages, counters.readings, counters.duplicates, counters.conflicts, counters.late,
                   counters.quarantined, stored.quarantine_removed);
        });
    return stored;
  });
}

Reader::Result<std::vector<engine::QuarantineRow>> Reader::quarantine(std::size_t limit) {
  return guarded([&] {
    std::vector<engine::QuarantineRow> rows;
    Statement(*database_,
              "SELECT sequence, item, received, topic, reason, detail, first_bytes FROM quarantine "
              "ORDER BY sequence DESC, item DESC, reason DESC LIMIT ?1")
        .each(
            [&](Row& row) {
              engine::QuarantineRow& entry = rows.emplace_back();
              row.into(entry.sequence, entry.item, entry.received, entry.topic, entry.reason, entry.detail,
                       entry.first_bytes);
            },
            limit);
    return rows;
  });
}

Reader::Result<std::vector<engine::OutboxRow>> Reader::outbox(std::uint64_t after, std::size_t limit) {
  return guarded([&] {
    std::vector<engine::OutboxRow> rows;
    Statement(*database_, "SELECT id, at, kind, subject, body FROM outbox WHERE id > ?1 ORDER BY id LIMIT ?2")
        .each(
            [&](Row& row) {
              engine::OutboxRow& event = rows.emplace_back();
              row.into(event.id, event.at, event.kind, event.subject, event.body);
            },
            after, limit);
    return rows;
  });
}

Reader::Result<std::vector<engine::DiscoveredRow>> Reader::discovered(std::size_t limit) {
  return guarded([&] {
    std::vector<engine::DiscoveredRow> rows;
    Statement(*database_,
              "SELECT source, name, asset, type, sample, first_seen, last_seen, count, kept, dropped FROM discovered "
              "ORDER BY last_seen DESC, source, name LIMIT ?1")
        .each(
            [&](Row& row) {
              engine::DiscoveredRow& found = rows.emplace_back();
              row.into(found.source, found.name, found.asset, found.type, found.sample, found.first_seen,
                       found.last_seen, found.count, found.kept, found.dropped);
            },
            limit);
    return rows;
  });
}

Reader::Result<std::vector<LossDetail>> Reader::losses(const std::string& node, std::size_t limit) {
  return guarded([&] {
    Transaction snapshot(*database_, Transaction::Kind::read);
    std::vector<LossDetail> losses;
    Statement(*database_,
              "SELECT node, number, kind, state, from_time, to_time, messages, refilled FROM loss "
              "WHERE ?1 IN ('', node) ORDER BY from_time DESC, node, number DESC LIMIT ?2")
        .each(
            [&](Row& row) {
              engine::LossRow& loss = losses.emplace_back().loss;
              row.into(loss.node, loss.number, loss.kind, loss.state, loss.from, loss.to, loss.messages, loss.refilled);
            },
            node, limit);
    Statement refills(*database_,
                      "SELECT node, number, asset, signal, readings FROM loss_refill WHERE node = ?1 AND number = ?2 "
                      "ORDER BY asset, signal");
    for (LossDetail& detail : losses) {
      refills.each(
          [&](Row& row) {
            engine::LossRefillRow& refill = detail.refills.emplace_back();
            row.into(refill.node, refill.number, refill.asset, refill.signal, refill.readings);
          },
          detail.loss.node, detail.loss.number);
    }
    return losses;
  });
}

Reader::Result<std::vector<engine::CatalogRow>> Reader::catalog() {
  return guarded([&] { return load_catalog(*database_, std::numeric_limits<std::int64_t>::max()); });
}

Reader::Result<std::vector<engine::SeriesRow>> Reader::series() {
  return guarded([&] { return load_series(*database_); });
}

Reader::Result<StorePosition> Reader::position() {
  return guarded([&] {
    StorePosition position;
    Statement(*database_, "SELECT committed.sequence, now, checkpoint.sequence FROM committed CROSS JOIN checkpoint")
        .each([&](Row& row) { row.into(position.committed, position.now, position.checkpoint); });
    return position;
  });
}

Reader::Result<std::int64_t> Reader::change_stamp() {
  return guarded([&] { return database_->integer("PRAGMA data_version"); });
}

// ---- readings
// --------------------------------------------------------------------------------------------------------

Reader::Result<std::vector<FoundReading>> Reader::find_reading(const std::string& asset, const std::string& signal,
                                                               engine::Time time) {
  return find_readings(asset, signal, time, time + std::chrono::milliseconds(1));
}

Reader::Result<std::vector<FoundReading>> Reader::find_readings(const std::string& asset, const std::string& signal,
                                                                engine::Time from, engine::Time to) {
  return guarded([&]() -> std::vector<FoundReading> {
    Transaction snapshot(*database_, Transaction::Kind::read);
    const auto series = find_series(asset, signal);
    if (!series) return {};
    return lookup().find_with_messages(*series, from, to);
  });
}

Reader::Result<SignalRange> Reader::range(const std::string& asset, const std::string& signal, engine::Time from,
                                          engine::Time to, std::size_t max_points) {
  return guarded([&]() -> SignalRange {
    std::optional<engine::SeriesId> series;
    {
      Transaction snapshot(*database_, Transaction::Kind::read);
      series = find_series(asset, signal);
      if (!series) return {};
      (void)lookup();
    }
    return RangeQuery(*database_, *lookup_, *series, from, to, max_points).run(kPageReadings);
  });
}

std::optional<engine::SeriesId> Reader::find_series(const std::string& asset, const std::string& signal) {
  std::optional<engine::SeriesId> series;
  Statement(*database_, "SELECT id FROM series WHERE asset = ?1 AND signal = ?2")
      .each([&](Row& row) { row.into(series.emplace()); }, asset, signal);
  return series;
}

// Up to date with the caller's snapshot.
ReadingLookup& Reader::lookup() {
  if (lookup_) {
    lookup_->refresh();
  } else {
    lookup_ = std::make_unique<ReadingLookup>(*database_);
  }
  return *lookup_;
}

}  // namespace fettle::store
