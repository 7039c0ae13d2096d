#pragma once
// Reading a store from outside the engine: the command line, HTTP, verification. Never writes.
//
// Opened on a live store (also of a running gateway) or a backup. Each call sees one state of the store and holds it no
// longer than it runs. One thread per Reader; any number of Readers.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/range_query.h"
#include "gateway/store/sqlite/reading_lookup.h"

namespace fettle::store {

struct WorkOrderDetail {
  engine::WorkOrderRow order;
  std::vector<engine::WorkOrderEventRow> events;
  std::vector<engine::EpisodeRow> episodes;  // with their evidence
};

struct UsageTotal {
  std::string asset;
  std::string meter;
  std::string band;
  std::int64_t quantity = 0;  // in the last decimal of the resolution
  std::uint64_t records = 0;
  engine::Time start;                                             // of the first record
  engine::Time end;                                               // of the last
  engine::UsageQuality quality = engine::UsageQuality::measured;  // the worst
};

struct StoreCounters {
  engine::Counters counters;
  std::uint64_t quarantine_removed = 0;  // rows beyond the quarantine's bound
};

struct StorePosition {
  engine::Sequence committed = 0;
  engine::Time now;  // the gateway's time there
  engine::Sequence checkpoint = 0;
};

struct LossDetail {
  engine::LossRow loss;
  std::vector<engine::LossRefillRow> refills;  // by asset and signal
};

class Reader {
 public:
  template <typename T>
  using Result = engine::StoreResult<T>;

  // The file must be there and of this Fettle's schema.
  static Result<std::unique_ptr<Reader>> open(const std::filesystem::path& file);

  // Newest first; an empty state means every state.
  Result<std::vector<engine::WorkOrderRow>> work_orders(const std::string& state, std::size_t limit);
  Result<std::optional<WorkOrderDetail>> work_order(const std::string& id);
  // Newest first, without evidence; an empty asset means every asset.
  Result<std::vector<engine::EpisodeRow>> episodes(const std::string& asset, std::size_t limit);
  Result<std::optional<engine::EpisodeRow>> episode(const std::string& id);  // with its evidence

  // Drafts first, then by seller and number; without lines and VAT.
  Result<std::vector<engine::InvoiceRow>> invoices();
  Result<std::optional<engine::InvoiceRow>> invoice(const std::string& id);
  // With its frozen usage.
  Result<std::optional<engine::InvoiceLineRow>> invoice_line(const std::string& invoice, std::uint32_t number);

  // Sums over the records with from <= start < to, as they were last committed.
  Result<std::vector<UsageTotal>> usage_totals(engine::Time from, engine::Time to);
  Result<std::vector<engine::UsageRow>> usage(const std::string& asset, const std::string& meter, engine::Time from,
                                              engine::Time to);

  Result<StoreCounters> counters();
  Result<std::vector<engine::QuarantineRow>> quarantine(std::size_t limit);  // newest first
  // With id > after, ascending.
  Result<std::vector<engine::OutboxRow>> outbox(std::uint64_t after, std::size_t limit);
  // Seen last first.
  Result<std::vector<engine::DiscoveredRow>> discovered(std::size_t limit);
  // Newest first, with what was refilled since; an empty node means every node.
  Result<std::vector<LossDetail>> losses(const std::string& node, std::size_t limit);
  Result<std::vector<engine::CatalogRow>> catalog();  // as of now
  Result<std::vector<engine::SeriesRow>> series();
  Result<StorePosition> position();
  // Differs from the last call's where somebody has committed in between.
  Result<std::int64_t> change_stamp();

  // All stored readings of the signal at that time: one, more where they conflict, none.
  Result<std::vector<FoundReading>> find_reading(const std::string& asset, const std::string& signal,
                                                 engine::Time time);
  // from <= time < to, ordered by (time, sequence).
  Result<std::vector<FoundReading>> find_readings(const std::string& asset, const std::string& signal,
                                                  engine::Time from, engine::Time to);
  // The signal with from <= time < to for a plot of at most max_points: its readings where they are that few, else
  // spans of equal length, multiples of a minute where readings were cut by retention and left roll-ups. Bad readings,
  // and those that are no number, do not count; of several at one time the largest does. A span that begins before
  // `from` holds only what lies behind it, but for roll-ups, which are taken whole. A long question is answered in
  // pages, each of one state of the store, so that none is held for longer than a few seconds. Refused: max_points
  // below 2, an empty or endless range.
  Result<SignalRange> range(const std::string& asset, const std::string& signal, engine::Time from, engine::Time to,
                            std::size_t max_points);
  // Readings decoded in one page of range(): below two seconds on one core of a small machine.
  static constexpr std::uint64_t kPageReadings = 32U << 20U;

 private:
  explicit Reader(const std::filesystem::path& file);
  std::optional<engine::SeriesId> find_series(const std::string& asset, const std::string& signal);
  ReadingLookup& lookup();
  void load_evidence(engine::EpisodeRow& episode);

  std::unique_ptr<Database> database_;
  std::unique_ptr<ReadingLookup> lookup_;  // made with the first question for readings
  Compressor compressor_;
};

}  // namespace fettle::store
