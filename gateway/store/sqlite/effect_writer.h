#pragma once
// Writes effects as rows, by content keys: the same rows given again change nothing.
//
// Begins and ends no transaction. Remembers nothing that a rollback would make wrong, but the number of quarantined
// rows and which checkpoint is in the making, which its owner reloads with recount() after one. Throws DatabaseError.

#include <cstdint>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/block_encoder.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/invoice_rows.h"
#include "gateway/store/sqlite/part_writer.h"

namespace fettle::store {

// Rows of the quarantine that are kept; of more, the oldest are removed and counted.
inline constexpr std::int64_t kQuarantineRows = 100'000;

class EffectWriter {
 public:
  explicit EffectWriter(Database& database);

  // All but the readings. Pre: within the caller's write transaction.
  void write(const engine::Effects& effects);
  void write_block(const BlockEncoder::Encoded& encoded);

  // Removes what a checkpoint that never became whole has left behind. Pre: nobody can go on with it.
  void forget_unfinished() { parts_.forget_unfinished(); }
  // What was counted and remembered in memory, from the file again: after a rollback.
  void recount();

 private:
  void write_work(const engine::Effects& effects);
  void write_episode(const engine::EpisodeRow& episode);
  void write_quarantine(const engine::Effects& effects);
  void write_outside(const engine::Effects& effects);
  void write_losses(const engine::Effects& effects);

  Database& database_;
  PartWriter parts_;
  InvoiceWriter invoices_;
  Statement series_;
  Statement block_;
  Statement work_order_;
  Statement work_order_event_;
  Statement episode_;
  Statement forget_evidence_;
  Statement evidence_;
  Statement quarantine_;
  Statement trim_quarantine_;
  Statement catalog_;
  Statement committed_;
  Statement counters_;
  Statement usage_;
  Statement outbox_;
  Statement delivered_;
  Statement discovered_;
  Statement claimed_;
  Statement loss_;
  Statement refill_;
  std::int64_t quarantined_ = 0;  // rows in the quarantine
};

}  // namespace fettle::store
