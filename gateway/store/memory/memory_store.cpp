#include "gateway/store/memory/memory_store.h"

#include <algorithm>
#include <utility>

namespace fettle::store {

using engine::CatalogRow;
using engine::CheckpointPart;
using engine::DiscoveredRow;
using engine::Effects;
using engine::EpisodeRow;
using engine::InvoiceLineRow;
using engine::InvoiceRow;
using engine::LossRefillRow;
using engine::LossRow;
using engine::OutboxRow;
using engine::PostedLine;
using engine::QuarantineRow;
using engine::ReadingRow;
using engine::Sequence;
using engine::SeriesId;
using engine::SeriesRow;
using engine::StoredReading;
using engine::StoreError;
using engine::StoreResult;
using engine::Time;
using engine::UsageKey;
using engine::UsageRow;
using engine::WorkOrderEventRow;
using engine::WorkOrderRow;

StoreResult<void> MemoryStore::commit(const Effects& effects) {
  if (!failure_.empty()) return StoreError{std::exchange(failure_, {})};
  committed_ = effects.committed;
  counters_ = effects.counters;
  for (const SeriesRow& row : effects.series) {
    if (row.id >= series_.size()) series_.push_back(row);
  }
  keep_readings(effects);
  for (const QuarantineRow& row : effects.quarantine) quarantine_[{row.sequence, row.item}] = row;
  for (const EpisodeRow& row : effects.episodes) {
    EpisodeRow& kept = episodes_[row.id];
    auto former = std::exchange(kept.evidence, {});
    kept = row;
    if (row.evidence.empty()) kept.evidence = std::move(former);
  }
  for (const WorkOrderRow& row : effects.work_orders) work_orders_[row.id] = row;
  for (const WorkOrderEventRow& row : effects.work_order_events) work_order_events_[{row.work_order, row.number}] = row;
  for (const std::string& draft : effects.removed_drafts) invoices_.erase(draft);
  for (const InvoiceRow& row : effects.invoices) invoices_[row.id] = row;
  catalog_.insert(catalog_.end(), effects.catalog.begin(), effects.catalog.end());
  for (const UsageRow& row : effects.usage) usage_[row.key] = row;
  for (const OutboxRow& row : effects.outbox) outbox_[row.id] = row;
  outbox_.erase(outbox_.begin(), outbox_.upper_bound(effects.delivered));
  for (const DiscoveredRow& row : effects.discovered) discovered_[{row.source, row.name}] = row;
  for (const auto& key : effects.claimed) discovered_.erase(key);
  for (const LossRow& row : effects.losses) losses_[{row.node, row.number}] = row;
  for (const LossRefillRow& row : effects.refills) refills_[{row.node, row.number, row.asset, row.signal}] = row;
  keep_parts(effects);
  return {};
}

// A batch given again takes the place of what it gave before.
void MemoryStore::keep_readings(const Effects& effects) {
  if (effects.readings.empty()) return;
  if (effects.first <= readings_from_) {
    for (auto& [series, stored] : readings_) {
      std::erase_if(stored, [&](const auto& entry) { return entry.second.sequence >= effects.first; });
    }
  }
  readings_from_ = effects.first;
  for (const ReadingRow& reading : effects.readings) {
    readings_[reading.series].emplace(reading.time, StoredReading{reading.time, reading.value, reading.flags,
                                                                  effects.messages[reading.message].sequence});
  }
}

void MemoryStore::keep_parts(const Effects& effects) {
  if (effects.parts_as_of == 0) return;
  if (effects.parts_as_of != pending_as_of_) pending_.clear();
  pending_as_of_ = effects.parts_as_of;
  for (const CheckpointPart& part : effects.parts) pending_[part.key] = part.state;
  if (!effects.checkpoint) return;
  for (auto& [key, state] : pending_) {
    if (state.empty()) {
      parts_.erase(key);
    } else {
      parts_[key] = std::move(state);
    }
  }
  pending_.clear();
  checkpoint_ = std::exchange(pending_as_of_, 0);
}

StoreResult<Sequence> MemoryStore::checkpointed() {
  return checkpoint_;
}

StoreResult<void> MemoryStore::load_parts(const std::function<bool(CheckpointPart)>& take) {
  for (const auto& [key, state] : parts_) {
    if (!take({key, state})) break;
  }
  return {};
}

StoreResult<std::vector<CatalogRow>> MemoryStore::load_catalog(Sequence as_of) {
  std::map<std::pair<std::string, std::string>, CatalogRow> newest;
  for (const CatalogRow& row : catalog_) {
    if (row.sequence <= as_of) newest[{row.kind, row.id}] = row;
  }
  std::vector<CatalogRow> rows;
  for (auto& [key, row] : newest) rows.push_back(std::move(row));
  return rows;
}

StoreResult<std::vector<SeriesRow>> MemoryStore::load_series() {
  return series_;
}

StoreResult<std::vector<StoredReading>> MemoryStore::readings(SeriesId series, Time from, Time to, Sequence before) {
  std::vector<StoredReading> found;
  const auto& all = readings_[series];
  for (auto it = all.lower_bound(from); it != all.end() && it->first < to; ++it) {
    if (it->second.sequence < before) found.push_back(it->second);
  }
  std::stable_sort(found.begin(), found.end(), [](const StoredReading& a, const StoredReading& b) {
    return std::pair(a.time, a.sequence) < std::pair(b.time, b.sequence);
  });
  return found;
}

StoreResult<std::optional<UsageRow>> MemoryStore::usage(const UsageKey& key) {
  const auto found = usage_.find(key);
  if (found == usage_.end()) return std::optional<UsageRow>();
  return std::optional<UsageRow>(found->second);
}

StoreResult<std::vector<UsageRow>> MemoryStore::usage(const std::string& asset, const std::string& meter, Time from,
                                                      Time to) {
  std::vector<UsageRow> rows;
  for (const auto& [key, row] : usage_) {
    if (key.asset == asset && key.meter == meter && key.start >= from && key.start < to) rows.push_back(row);
  }
  std::sort(rows.begin(), rows.end(), [](const UsageRow& a, const UsageRow& b) {
    return std::pair(a.key.start, a.key.band) < std::pair(b.key.start, b.key.band);
  });
  return rows;
}

StoreResult<std::vector<PostedLine>> MemoryStore::posted(const std::string& subscription) {
  using Key = std::tuple<std::string, std::string, std::string, Time, Time>;
  std::map<Key, PostedLine> sums;
  for (const auto& [id, invoice] : invoices_) {
    if (!invoice.final) continue;
    for (const InvoiceLineRow& line : invoice.lines) {
      if (line.subscription != subscription) continue;
      PostedLine& sum = sums[{line.charge, line.asset, line.band, line.period_start, line.period_end}];
      sum.subscription = subscription;
      sum.charge = line.charge;
      sum.asset = line.asset;
      sum.band = line.band;
      sum.period_start = line.period_start;
      sum.period_end = line.period_end;
      sum.quantity += line.posted_quantity;
      sum.amount += line.amount;
    }
  }
  std::vector<PostedLine> lines;
  for (auto& [key, line] : sums) lines.push_back(std::move(line));
  return lines;
}

StoreResult<std::uint32_t> MemoryStore::last_invoice_number(const std::string& seller, int year) {
  std::uint32_t last = 0;
  for (const auto& [id, invoice] : invoices_) {
    if (invoice.final && invoice.seller == seller && invoice.number_year == year) {
      last = std::max(last, invoice.number_index);
    }
  }
  return last;
}

std::size_t MemoryStore::reading_count() const {
  std::size_t count = 0;
  for (const auto& [series, readings] : readings_) count += readings.size();
  return count;
}

}  // namespace fettle::store
