#include "gateway/store/sqlite/effect_writer.h"

namespace fettle::store {

EffectWriter::EffectWriter(Database& database)
    : database_(database),
      parts_(database),
      invoices_(database),
      // A trigger refuses another asset or signal under an id that exists.
      series_(database,
              "INSERT INTO series (id, asset, signal) VALUES (?1, ?2, ?3) "
              "ON CONFLICT (id) DO UPDATE SET asset = excluded.asset, signal = excluded.signal"),
      block_(
          database,
          "INSERT OR REPLACE INTO reading_block (first_sequence, last_sequence, min_time, max_time, readings, series, "
          "block) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"),
      work_order_(database,
                  "INSERT INTO work_order (id, asset, customer, site, pack, rule, state, priority, title, action, "
                  "failure_mode, details, raised_at, due_at, closed_at, occurrences, entitlement) VALUES (?1, ?2, ?3, "
                  "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) "
                  "ON CONFLICT (id) DO UPDATE SET asset = excluded.asset, customer = excluded.customer, "
                  "site = excluded.site, pack = excluded.pack, rule = excluded.rule, state = excluded.state, "
                  "priority = excluded.priority, title = excluded.title, action = excluded.action, "
                  "failure_mode = excluded.failure_mode, details = excluded.details, raised_at = excluded.raised_at, "
                  "due_at = excluded.due_at, closed_at = excluded.closed_at, occurrences = excluded.occurrences, "
                  "entitlement = excluded.entitlement"),
      work_order_event_(database,
                        "INSERT OR REPLACE INTO work_order_event (work_order, number, from_state, to_state, at, "
                        "recorded_at, actor, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
      episode_(database,
               "INSERT INTO episode (id, asset, pack, pack_version, rule, title, condition, parameters, since, "
               "raised_at, raised_sequence, cleared_at, clear_reason, work_order) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
               "?8, ?9, ?10, ?11, ?12, ?13, nullif(?14, '')) "
               "ON CONFLICT (id) DO UPDATE SET asset = excluded.asset, pack = excluded.pack, "
               "pack_version = excluded.pack_version, rule = excluded.rule, title = excluded.title, "
               "condition = excluded.condition, parameters = excluded.parameters, since = excluded.since, "
               "raised_at = excluded.raised_at, raised_sequence = excluded.raised_sequence, "
               "cleared_at = excluded.cleared_at, clear_reason = excluded.clear_reason, "
               "work_order = excluded.work_order"),
      forget_evidence_(database, "DELETE FROM evidence WHERE episode = ?1"),
      evidence_(database,
                "INSERT INTO evidence (episode, number, signal, time, value, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"),
      quarantine_(
          database,
          "INSERT INTO quarantine (sequence, item, reason, received, topic, detail, first_bytes) VALUES (?1, ?2, "
          "?3, ?4, ?5, ?6, ?7) ON CONFLICT (sequence, item, reason) DO NOTHING"),
      trim_quarantine_(database,
                       "DELETE FROM quarantine WHERE (sequence, item, reason) IN (SELECT sequence, item, reason FROM "
                       "quarantine ORDER BY sequence, item, reason LIMIT ?1)"),
      catalog_(database,
               "INSERT INTO catalog_entry (kind, id, sequence, body) VALUES (?1, ?2, ?3, ?4) "
               "ON CONFLICT (kind, id, sequence) DO UPDATE SET body = excluded.body"),
      committed_(database, "UPDATE committed SET sequence = ?1, now = ?2"),
      counters_(database,
                "UPDATE counters SET messages = ?1, readings = ?2, duplicates = ?3, conflicts = ?4, late = ?5, "
                "quarantined = ?6, quarantine_removed = quarantine_removed + ?7"),
      usage_(
          database,
          "INSERT INTO usage_record (asset, meter, band, start, end, quantity, readings, first_reading, last_reading, "
          "quality, revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
          "ON CONFLICT (asset, meter, start, band) DO UPDATE SET end = excluded.end, quantity = excluded.quantity, "
          "readings = excluded.readings, first_reading = excluded.first_reading, "
          "last_reading = excluded.last_reading, quality = excluded.quality, revision = excluded.revision"),
      outbox_(database, "INSERT OR REPLACE INTO outbox (id, at, kind, subject, body) VALUES (?1, ?2, ?3, ?4, ?5)"),
      delivered_(database, "DELETE FROM outbox WHERE id <= ?1"),
      discovered_(database,
                  "INSERT OR REPLACE INTO discovered (source, name, asset, type, sample, first_seen, last_seen, count, "
                  "kept, dropped) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
      claimed_(database, "DELETE FROM discovered WHERE source = ?1 AND name = ?2"),
      loss_(database,
            "INSERT OR REPLACE INTO loss (node, number, kind, state, from_time, to_time, messages, refilled) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"),
      refill_(database,
              "INSERT OR REPLACE INTO loss_refill (node, number, asset, signal, readings) VALUES (?1, ?2, ?3, ?4, "
              "?5)") {
  recount();
}

void EffectWriter::write(const engine::Effects& effects) {
  for (const engine::SeriesRow& series : effects.series) series_.run(series.id, series.asset, series.signal);
  write_work(effects);
  // A draft may be made and removed in one batch, so removals come last.
  for (const engine::InvoiceRow& invoice : effects.invoices) invoices_.write(invoice);
  for (const std::string& draft : effects.removed_drafts) invoices_.remove_draft(draft);
  for (const engine::CatalogRow& entry : effects.catalog) {
    catalog_.run(entry.kind, entry.id, entry.sequence, Blob{entry.body});
  }
  write_quarantine(effects);
  for (const engine::UsageRow& usage : effects.usage) {
    usage_.run(usage.key.asset, usage.key.meter, usage.key.band, usage.key.start, usage.end, usage.quantity,
               usage.readings, usage.first_reading, usage.last_reading, usage.quality, usage.revision);
  }
  write_outside(effects);
  write_losses(effects);
  parts_.write(effects);
  committed_.run(effects.committed, effects.now);
}

void EffectWriter::write_work(const engine::Effects& effects) {
  for (const engine::WorkOrderRow& order : effects.work_orders) {
    work_order_.run(order.id, order.asset, order.customer, order.site, order.pack, order.rule, order.state,
                    order.priority, order.title, order.action, order.failure_mode, order.details, order.raised_at,
                    order.due_at, order.closed_at, order.occurrences, order.entitlement);
  }
  for (const engine::WorkOrderEventRow& event : effects.work_order_events) {
    work_order_event_.run(event.work_order, event.number, event.from, event.to, event.at, event.recorded_at,
                          event.actor, event.reason);
  }
  for (const engine::EpisodeRow& episode : effects.episodes) write_episode(episode);
}

void EffectWriter::write_episode(const engine::EpisodeRow& episode) {
  episode_.run(episode.id, episode.asset, episode.pack, episode.pack_version, episode.rule, episode.title,
               episode.condition, episode.parameters, episode.since, episode.raised_at, episode.raised_sequence,
               episode.cleared_at, episode.clear_reason, episode.work_order);
  if (episode.evidence.empty()) return;  // a clear: what the raise gave stays
  forget_evidence_.run(episode.id);
  std::uint32_t number = 0;
  for (const engine::EvidencePoint& point : episode.evidence) {
    evidence_.run(episode.id, ++number, point.signal, point.time, point.value, point.state);
  }
}

void EffectWriter::write_quarantine(const engine::Effects& effects) {
  for (const engine::QuarantineRow& row : effects.quarantine) {
    quarantine_.run(row.sequence, row.item, row.reason, row.received, row.topic, row.detail, Blob{row.first_bytes});
    quarantined_ += database_.changes();
  }
  std::int64_t removed = 0;
  if (quarantined_ > kQuarantineRows) {
    trim_quarantine_.run(quarantined_ - kQuarantineRows);
    removed = database_.changes();
    quarantined_ -= removed;
  }
  const engine::Counters& counters = effects.counters;
  counters_.run(counters.messages, counters.readings, counters.duplicates, counters.conflicts, counters.late,
                counters.quarantined, removed);
}

// What is delivered may have been added by the same batch, so removals come last; claims likewise.
void EffectWriter::write_outside(const engine::Effects& effects) {
  for (const engine::OutboxRow& row : effects.outbox) outbox_.run(row.id, row.at, row.kind, row.subject, row.body);
  if (effects.delivered > 0) delivered_.run(effects.delivered);
  for (const engine::DiscoveredRow& row : effects.discovered) {
    discovered_.run(row.source, row.name, row.asset, row.type, row.sample, row.first_seen, row.last_seen, row.count,
                    row.kept, row.dropped);
  }
  for (const auto& [source, name] : effects.claimed) claimed_.run(source, name);
}

void EffectWriter::write_losses(const engine::Effects& effects) {
  for (const engine::LossRow& row : effects.losses) {
    loss_.run(row.node, row.number, row.kind, row.state, row.from, row.to, row.messages, row.refilled);
  }
  for (const engine::LossRefillRow& row : effects.refills) {
    refill_.run(row.node, row.number, row.asset, row.signal, row.readings);
  }
}

void EffectWriter::write_block(const BlockEncoder::Encoded& encoded) {
  const BlockSummary& summary = encoded.summary;
  block_.run(summary.first_sequence, summary.last_sequence, summary.min_time, summary.max_time, summary.readings,
             Blob{encoded.series}, Blob{encoded.block});
}

void EffectWriter::recount() {
  quarantined_ = database_.integer("SELECT count(*) FROM quarantine");
  parts_.reload();
}

}  // namespace fettle::store
