#pragma once
// The store in memory: for back-tests, which keep nothing, and for tests, which look at everything. One thread.

#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "gateway/engine/ports.h"

namespace fettle::store {

class MemoryStore : public engine::Store {
 public:
  engine::StoreResult<void> commit(const engine::Effects& effects) override;
  engine::Sequence committed() override { return committed_; }
  engine::StoreResult<engine::Sequence> checkpointed() override;
  engine::StoreResult<void> load_parts(const std::function<bool(engine::CheckpointPart)>& take) override;
  engine::StoreResult<std::vector<engine::CatalogRow>> load_catalog(engine::Sequence as_of) override;
  engine::StoreResult<std::vector<engine::SeriesRow>> load_series() override;
  engine::StoreResult<std::vector<engine::StoredReading>> readings(engine::SeriesId series, engine::Time from,
                                                                   engine::Time to, engine::Sequence before) override;
  engine::StoreResult<std::optional<engine::UsageRow>> usage(const engine::UsageKey& key) override;
  engine::StoreResult<std::vector<engine::UsageRow>> usage(const std::string& asset, const std::string& meter,
                                                           engine::Time from, engine::Time to) override;
  engine::StoreResult<std::vector<engine::PostedLine>> posted(const std::string& subscription) override;
  engine::StoreResult<std::uint32_t> last_invoice_number(const std::string& seller, int year) override;

  // The next commit fails with this, once: for tests of what a full disk does.
  void fail_next(std::string message) { failure_ = std::move(message); }

  const std::map<std::string, engine::EpisodeRow>& episodes() const { return episodes_; }
  const std::map<std::string, engine::WorkOrderRow>& work_orders() const { return work_orders_; }
  const std::map<std::pair<std::string, std::uint32_t>, engine::WorkOrderEventRow>& work_order_events() const {
    return work_order_events_;
  }
  const std::map<std::string, engine::InvoiceRow>& invoices() const { return invoices_; }
  const std::map<engine::UsageKey, engine::UsageRow>& all_usage() const { return usage_; }
  const std::map<std::pair<engine::Sequence, std::uint32_t>, engine::QuarantineRow>& quarantine() const {
    return quarantine_;
  }
  const std::map<std::uint64_t, engine::OutboxRow>& outbox() const { return outbox_; }
  const std::map<std::pair<std::string, std::string>, engine::DiscoveredRow>& discovered() const { return discovered_; }
  const std::map<std::pair<std::string, std::uint32_t>, engine::LossRow>& losses() const { return losses_; }
  // Key: (node, number, asset, signal).
  using RefillKey = std::tuple<std::string, std::uint32_t, std::string, std::string>;
  const std::map<RefillKey, engine::LossRefillRow>& refills() const { return refills_; }
  const engine::Counters& counters() const { return counters_; }
  std::size_t reading_count() const;

 private:
  using Stored = std::multimap<engine::Time, engine::StoredReading>;

  void keep_readings(const engine::Effects& effects);
  void keep_parts(const engine::Effects& effects);

  engine::Sequence committed_ = 0;
  engine::Sequence checkpoint_ = 0;           // that counts
  std::map<std::string, std::string> parts_;  // of it
  engine::Sequence pending_as_of_ = 0;        // the checkpoint in the making, 0: none
  std::map<std::string, std::string> pending_;
  std::string failure_;
  std::vector<engine::CatalogRow> catalog_;
  std::vector<engine::SeriesRow> series_;
  std::map<engine::SeriesId, Stored> readings_;
  engine::Sequence readings_from_ = 0;  // first record of the last batch that was kept
  std::map<std::string, engine::EpisodeRow> episodes_;
  std::map<std::string, engine::WorkOrderRow> work_orders_;
  std::map<std::pair<std::string, std::uint32_t>, engine::WorkOrderEventRow> work_order_events_;
  std::map<std::string, engine::InvoiceRow> invoices_;
  std::map<engine::UsageKey, engine::UsageRow> usage_;
  std::map<std::pair<engine::Sequence, std::uint32_t>, engine::QuarantineRow> quarantine_;
  std::map<std::uint64_t, engine::OutboxRow> outbox_;
  std::map<std::pair<std::string, std::string>, engine::DiscoveredRow> discovered_;
  std::map<std::pair<std::string, std::uint32_t>, engine::LossRow> losses_;
  std::map<RefillKey, engine::LossRefillRow> refills_;
  engine::Counters counters_;
};

}  // namespace fettle::store
