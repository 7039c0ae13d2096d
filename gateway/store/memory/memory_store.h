#pragma once
// The store in memory: for back-tests, which keep nothing, and for tests, which look at everything. One thread.

#include <map>
#include <set>
#include <string>
#include <vector>

#include "gateway/engine/ports.h"

namespace fettle::store {

class MemoryStore : public engine::Store {
 public:
  engine::StoreResult<void> commit(const engine::Effects& effects) override;
  engine::StoreResult<void> commit(const engine::Effects& effects, const engine::Checkpoint& checkpoint) override;
  engine::Sequence committed() override { return committed_; }
  engine::StoreResult<engine::Checkpoint> load_checkpoint() override { return checkpoint_; }
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
  const engine::Counters& counters() const { return counters_; }
  std::size_t reading_count() const;

 private:
  engine::Sequence committed_ = 0;
  engine::Checkpoint checkpoint_;
  std::string failure_;
  std::vector<engine::CatalogRow> catalog_;
  std::vector<engine::SeriesRow> series_;
  std::map<engine::SeriesId, std::multimap<engine::Time, engine::StoredReading>> readings_;
  std::map<std::string, engine::EpisodeRow> episodes_;
  std::map<std::string, engine::WorkOrderRow> work_orders_;
  std::map<std::pair<std::string, std::uint32_t>, engine::WorkOrderEventRow> work_order_events_;
  std::map<std::string, engine::InvoiceRow> invoices_;
  std::map<engine::UsageKey, engine::UsageRow> usage_;
  std::map<std::pair<engine::Sequence, std::uint32_t>, engine::QuarantineRow> quarantine_;
  engine::Counters counters_;
};

}  // namespace fettle::store
