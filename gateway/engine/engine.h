#pragma once
// The engine: a deterministic fold over the journal, and the only writer of the store.
//
// The same records give the same effects, whoever feeds them: the running gateway, a restart, the command line without
// a gateway, a back-test. The caller (engine/loop.h, or a test) hands over records in order and says when to commit;
// how records are cut into batches changes nothing.
//
// Times. *Event time* is a reading's own stamp. *Gateway time* is the newest received time of a record. *Session time*
// is gateway time without the outages of the MQTT session: it moves assets' clocks on between readings, and absent()
// follows it, so that what the broker holds back is not taken for silence.
//
// One thread. fold() throws StoreFailure where the store cannot be read; commit() and checkpoint() report, and can be
// tried again (a full disk).

#include <memory>
#include <string>
#include <vector>

#include "gateway/direct/telemetry.h"
#include "gateway/engine/asset_state.h"
#include "gateway/engine/invoicing.h"
#include "gateway/engine/maintenance.h"
#include "gateway/engine/metering.h"
#include "gateway/engine/registry.h"
#include "gateway/journal/record.h"

namespace fettle::engine {

struct EngineOptions {
  rules::Duration max_future{std::chrono::minutes(5)};  // a stamp further ahead of the received time is quarantined
  rules::Duration retention{0};                         // an older stamp is quarantined; 0: nothing is too old
};

class Engine {
 public:
  static constexpr std::size_t kBatchRecords = 4096;

  Engine(Store& store, Lookups lookups, EngineOptions options = {});
  ~Engine();

  // Loads the checkpoint. The caller then feeds the records after the returned sequence.
  StoreResult<Sequence> start();

  // Whether a checkpoint must be made right before and right after this record is folded (an invoice run reads usage
  // from the store, and what it posts must commit with the state that knows it).
  static bool needs_checkpoint(const journal::Record& record);

  void fold(const journal::Record& record);

  // Commits the effects since the last commit. Nothing to do: returns at once.
  StoreResult<void> commit();
  // The same with the working state and all usage, synced.
  StoreResult<void> checkpoint();
  bool wants_checkpoint() const { return metering_.open() >= Metering::kMaxOpen; }

  struct Answer {
    Sequence sequence = 0;  // of the command
    Outcome outcome;
  };
  // Outcomes of commands whose effects are committed, once each.
  std::vector<Answer> take_answers();
  // What a person should know (a rule that did not compile any more, state that did not fit), once each.
  std::vector<std::string> take_reports();

  Sequence folded() const { return folded_; }
  Time now() const { return now_; }
  bool replaying() const { return folded_ < committed_; }
  const Counters& counters() const { return counters_; }
  const Registry& registry() const { return registry_; }

 private:
  struct Item;  // a value of a message that names a signal of the asset

  void fold_message(const journal::Record& record);
  void fold_group(AssetState& asset, const direct::Group& group, const journal::Record& record,
                  const journal::Message& message);
  bool resolve(const AssetState& asset, const direct::Value& value, Item& item, const journal::Record& record,
               const journal::Message& message, std::uint32_t place);
  bool admit_time(const AssetState& asset, Time time, const journal::Record& record, const journal::Message& message,
                  std::uint32_t place);
  // The flags of the reading if it was admitted; nothing where it is a duplicate.
  std::optional<std::uint8_t> admit(AssetState& asset, std::uint32_t signal, Time time, double value,
                                    std::uint8_t flags, const journal::Record& record, const journal::Message& message);
  void evaluate(AssetState& asset, Time time);
  void transitions(AssetState& asset, const journal::Record& record);
  void update_entitlement(AssetState& asset, Time at);
  void advance_assets(const journal::Record& record);
  void fold_session(const journal::Record& record);
  void fold_command(const journal::Record& record);
  void fold_catalog(const journal::Record& record);
  void quarantine(const journal::Record& record, const journal::Message& message, std::uint32_t item,
                  std::string reason, std::string detail);
  void rebuild_assets();
  void attach_rules(AssetState& asset, const AssetState* old);
  Time session_time() const;
  std::uint32_t message_row(const journal::Record& record, const journal::Message& message);
  std::string working_state() const;
  bool restore(const std::string& state);
  void finish_batch();

  Store& store_;
  EngineOptions options_;
  Registry registry_;
  History history_;
  Metering metering_;
  Maintenance maintenance_;
  Invoicing invoicing_;

  std::vector<AssetState> assets_;  // by the registry's asset index
  Time now_;
  bool session_down_ = false;
  Time down_since_;
  rules::Duration down_total_{0};
  SeriesId next_series_ = 0;
  Counters counters_;
  Sequence folded_ = 0;
  Sequence committed_ = 0;  // what the store stands at: effects up to here are not written again
  Sequence checkpointed_ = 0;

  Effects effects_;
  Sequence message_row_of_ = 0;  // the record that effects_.messages.back() is of
  std::vector<Answer> pending_answers_;
  std::vector<Answer> answers_;
  std::vector<std::string> reports_;

  // Reused from message to message.
  direct::Telemetry telemetry_;
  std::vector<direct::Group> groups_;
  std::vector<Item> items_;
  std::vector<rules::SignalReading> readings_;
  std::vector<rules::Transition> transitions_;
};

}  // namespace fettle::engine
