#pragma once
// The engine: a deterministic fold over the journal, and the only writer of the store.
//
// The same records give the same effects, whoever feeds them: the running gateway, a restart, the command line without
// a gateway, a back-test. The caller (app/engine_loop.h, or a test) hands over records in order and says when to
// commit; how records are cut into batches changes nothing.
//
// Times. *Event time* is a reading's own stamp. *Gateway time* is the newest received time of a record. *Session time*
// is gateway time without the outages of the MQTT session (sessions.h): it moves assets' clocks on between readings,
// and absent() follows it.
//
// One thread. fold() throws StoreFailure where the store cannot be read; commit() and checkpoint() report, and can be
// tried again (a full disk).

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gateway/engine/asset_parts.h"
#include "gateway/engine/asset_state.h"
#include "gateway/engine/checkpointer.h"
#include "gateway/engine/claims.h"
#include "gateway/engine/direct_intake.h"
#include "gateway/engine/discovery.h"
#include "gateway/engine/fold_state.h"
#include "gateway/engine/intake.h"
#include "gateway/engine/invoicing.h"
#include "gateway/engine/maintenance.h"
#include "gateway/engine/mapping_entries.h"
#include "gateway/engine/metering.h"
#include "gateway/engine/registry.h"
#include "gateway/engine/sparkplug_intake.h"
#include "gateway/journal/record.h"

namespace fettle::engine {

class Engine {
 public:
  // A batch ends with so many records, or with the record that brings it to so many readings: they bound what a commit
  // holds in memory, some hundred bytes a reading.
  static constexpr std::size_t kBatchRecords = 4096;
  static constexpr std::size_t kBatchReadings = 65'536;

  Engine(Store& store, Lookups lookups, EngineOptions options = {}, sparkplug::HostOptions host = {});
  ~Engine();

  // Loads the checkpoint. The caller then feeds the records after the returned sequence.
  StoreResult<Sequence> start();

  // Whether a checkpoint must be made right before and right after this record is folded (an invoice run reads usage
  // from the store, and what it posts must commit with the state that knows it).
  static bool needs_checkpoint(const journal::Record& record);

  void fold(const journal::Record& record);

  // Commits the effects since the last commit, and the next slice of the checkpoint where one is in the making. Nothing
  // to do: returns at once. After an error the same may be tried again, also after more was folded.
  StoreResult<void> commit();

  // Begins a checkpoint as of what was folded; the commits from now on carry it in slices. Nothing while replaying, or
  // where one is in the making already.
  void begin_checkpoint();
  bool checkpointing() const { return checkpointer_.on(); }
  // About so many bytes of parts go with one commit; Checkpointer::kSliceBytes unless said otherwise.
  void set_slice_bytes(std::int64_t bytes) { slice_bytes_ = bytes; }
  // A commit should come before this record is folded: the batch has enough readings; or a checkpoint is in the making,
  // and what must be kept aside for it is to stay small.
  bool wants_commit_before(const journal::Record& record) const;
  // The newest checkpoint that counts: the journal is needed from the record after it on.
  Sequence checkpointed() const { return checkpointer_.figures().as_of; }
  const Checkpointer::Figures& checkpoint_figures() const { return checkpointer_.figures(); }

  // A whole checkpoint as of what was folded, with as many commits as it takes. Afterwards the store has all usage.
  // Nothing while replaying.
  StoreResult<void> checkpoint();

  // Whoever has working state of its own beside the engine's: part of every checkpoint. Before start(); it outlives the
  // engine's use of it.
  void add_source(PartSource& source) { checkpointer_.add(source); }

  struct Answer {
    Sequence sequence = 0;  // of the command
    Outcome outcome;
  };
  // Outcomes of commands whose effects are committed, once each.
  std::vector<Answer> take_answers();
  // What a person should know (a rule that did not compile any more, state that did not fit), once each.
  std::vector<std::string> take_reports();
  // Sparkplug nodes to be asked for their births, once each; never while replaying.
  std::vector<RebirthRequest> take_rebirth_requests() { return sparkplug_.take_requests(); }
  // How much was quarantined since the last call, by reason; nothing of what was replayed.
  std::map<std::string, std::uint64_t, std::less<>> take_refusals() { return std::exchange(fold_.refusals, {}); }

  Sequence folded() const { return folded_; }
  Time now() const { return fold_.now; }
  bool replaying() const { return folded_ < committed_; }
  const Counters& counters() const { return fold_.counters; }
  // What of them stood in the store already at start(). Once replaying() is over.
  const Counters& counted_before() const { return counted_before_; }
  const Registry& registry() const { return registry_; }
  const std::vector<AssetState>& assets() const { return assets_; }
  // Changes of the catalog folded since start().
  std::uint64_t catalog_changes() const { return catalog_changes_; }
  const SparkplugIntake& sparkplug() const { return sparkplug_; }
  const Discovery& discovery() const { return discovery_; }

 private:
  void fold_message(const journal::Record& record);
  void fold_foreign(Origin& origin);
  void refold(AssetState& asset, Origin& origin);
  void fold_session(const journal::Record& record);
  void fold_command(const journal::Record& record);
  Outcome run_invoices(const RunInvoices& command);
  Outcome close_order(const CloseWorkOrder& command);
  void complete_effects();
  bool leave_replay();
  void finish_batch();

  // engine_catalog.cpp
  void fold_catalog(const journal::Record& record);
  void rebuild_assets();
  void rebuild_mappings();
  void rebuild_asset(const AssetInfo& info, AssetState& asset, AssetState* former);
  void attach_rules(AssetState& asset, AssetState* former);
  void renumber(const TextMap<AssetState>& former);
  void keep_rule(AssetState& asset, std::uint32_t position, AssetState& former, std::uint32_t old_position);

  // engine_state.cpp
  // Part "engine": the clock, the sessions, numbers and counters. Small, and saved in every round.
  CheckpointPart own_part() const;
  std::string restore_own(std::span<const CheckpointPart> parts);
  void discovered_parts(std::vector<CheckpointPart>& out);
  std::string restore_discovered(std::span<const CheckpointPart> parts);
  StoreResult<void> load_catalog(Sequence as_of);
  StoreResult<void> restore(Sequence checkpoint);

  Store& store_;
  FoldState fold_;
  Registry registry_;
  History history_;
  Metering metering_;
  Maintenance maintenance_;
  Invoicing invoicing_;
  std::vector<AssetState> assets_;  // by the registry's asset index
  AssetParts asset_parts_;
  Intake intake_;
  Discovery discovery_;
  Claims claims_;
  DirectIntake direct_;
  SparkplugIntake sparkplug_;
  direct::Mappings mappings_;
  std::uint64_t catalog_changes_ = 0;
  direct::Telemetry mapped_;  // reused from message to message

  EagerParts own_parts_;
  EagerParts discovered_parts_;
  Checkpointer checkpointer_;
  std::int64_t slice_bytes_ = Checkpointer::kSliceBytes;
  Sequence folded_ = 0;
  Sequence committed_ = 0;  // what the store stands at: effects up to here are not written again

  Counters counted_before_;

  std::vector<Answer> pending_answers_;
  std::vector<Answer> answers_;
  std::vector<std::string> reports_;
};

}  // namespace fettle::engine
