#pragma once
// Sparkplug messages on their way to Intake: the host's knowledge of nodes (gateway/sparkplug), which asset and signal
// a metric is, what must wait after a rejoin, and what was lost.
//
// An asset names the nodes and devices it is fed by (Asset.sources); a metric feeds the signal of its name, or the one
// that names it (Signal.metric). Metrics nobody claims go to Discovery. Values:
// - A birth repeats the current value: of gauges, registers and states that is a reading like any other, of event
// signals
//   it is none, since nothing happened.
// - is_null makes a signal unknown to rules and is not stored; so does Quality BAD or STALE, which is stored, flagged.
// - is_transient is for rules only. is_historical is flagged, and after a rejoin waited for (HeldReadings).
// - A state signal takes its text, or an integer: the position among the model's states.
// On NDEATH, DDEATH and loss of the broker the assets concerned are offline: P1 rules take their signals for unknown at
// once; for the others the asset's clock stands still until what the node buffered is in (docs/adr/0008).
//
// Working state, checkpointed in parts: of each node its tables and its session as the host knows them
// ("sparkplug/<group>/<node>/..."), and what waits and was lost ("rejoin/<group>/<node>"). The engine's thread only.

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/engine/checkpoint_parts.h"
#include "gateway/engine/discovery.h"
#include "gateway/engine/held_readings.h"
#include "gateway/engine/intake.h"
#include "gateway/engine/loss_ledger.h"
#include "gateway/journal/record.h"
#include "gateway/sparkplug/host_nodes.h"

namespace fettle::engine {

// An NCMD to be sent: Node Control/Rebirth = true.
struct RebirthRequest {
  std::string broker;  // the configured name of the connection
  std::string group;
  std::string node;
  std::string reason;  // a sentence, for the log
};

class SparkplugIntake : public PartSource {
 public:
  static constexpr std::size_t kMaxRequests = 10'000;  // not yet taken; more are not kept: they are repeated anyway
  // Held readings that one record lets go, and those of a node more: what a batch takes is bounded by it.
  static constexpr std::size_t kReleasedAtOnce = 32'768;

  SparkplugIntake(FoldState& fold, Intake& intake, const Registry& registry, std::vector<AssetState>& assets,
                  Discovery& discovery, std::function<void(const AssetState&)> touch,
                  sparkplug::HostOptions options = {});

  // A record of kind sparkplug.
  void fold(const journal::Record& record);
  // Time went on: waits that are over.
  void tick();
  // The session with a broker is about to be recorded as down, or was recorded as up.
  void session_down(std::string_view broker);
  void session_up(std::string_view broker);

  // Around a change of the catalog: readings that wait are let go first; then metrics find their signals anew.
  void before_catalog_change();
  void catalog_changed();

  // Ledger rows of the batch, into its effects.
  void finish_batch();

  std::vector<RebirthRequest> take_requests();
  const sparkplug::HostNodes& nodes() const { return host_; }
  std::size_t held() const;
  struct Gaps {  // since construction; not checkpointed
    std::uint64_t opened = 0;
    std::uint64_t healed = 0;
    std::uint64_t lost = 0;
  };
  const Gaps& gaps() const { return gaps_; }

  // PartSource (sparkplug_parts.cpp). Parts are restored before anything is folded.
  bool owns(std::string_view key) const override;
  void begin_round() override;
  bool take(std::int64_t& room, std::vector<CheckpointPart>& out) override;
  std::size_t early_bytes() const override;
  bool restore(CheckpointPart part) override;
  std::string restored() override;

 private:
  // Which signal each metric of a source feeds.
  struct Binding {
    std::uint64_t generation = 0;  // of the source's table; 0: not made
    std::optional<std::uint32_t> asset;
    std::vector<std::int32_t> signals;  // by metric; kUnclaimed where no signal takes it
  };
  static constexpr std::int32_t kUnclaimed = -1;

  struct Node {
    std::unique_ptr<HeldReadings> held;  // absent: nothing waits
    LossLedger ledger;
    std::vector<sparkplug::SourceId> sources;  // the node and its devices
  };

  const Binding& binding(sparkplug::SourceId id);
  Node& node_of(sparkplug::SourceId source);
  Node& change(sparkplug::SourceId source);
  void handle();
  void born(const sparkplug::Event& event);
  void stale(const sparkplug::Event& event);
  void gap(const sparkplug::Event& event);
  void refused(const sparkplug::Event& event);
  void data(const sparkplug::Event& event);
  void unclaimed(const sparkplug::Event& event, const sparkplug::Source& source, const Binding& binding,
                 Discovery::Message message);
  bool read(const sparkplug::Sample& sample, const ModelInfo& model, std::uint32_t signal, bool birth,
            const Origin& origin, Reading& reading);
  void let_in(const sparkplug::Event& event, AssetState& asset, Origin& origin);
  void hold(const sparkplug::Event& event, std::uint32_t asset, Origin& origin, Node& node);
  void release(sparkplug::SourceId id, HeldReadings::Which which);
  void mark_offline(sparkplug::SourceId id);
  void mark_online(AssetState& asset, bool refilled);
  void host_changes(sparkplug::HostNodes::Changed part);
  CheckpointPart save_host(std::uint32_t number) const;
  CheckpointPart save_rejoin(std::uint32_t number) const;
  std::string restore_rejoin(const CheckpointPart& part, sparkplug::SourceId id);
  bool fits(const HeldReadings& held) const;
  Origin origin_of(const sparkplug::Origin& origin) const;
  template <typename Apply>
  void each_time(Apply apply);

  FoldState& fold_;
  Intake& intake_;
  const Registry& registry_;
  std::vector<AssetState>& assets_;
  Discovery& discovery_;
  std::function<void(const AssetState&)> touch_;

  sparkplug::HostNodes host_;
  sparkplug::Output out_;
  std::vector<Binding> bindings_;                  // by source
  std::map<sparkplug::SourceId, Node> nodes_;      // by the node's source
  std::vector<sparkplug::SourceId> holding_;       // nodes with held readings
  std::vector<sparkplug::SourceId> ledger_dirty_;  // nodes whose ledger has news for the batch
  std::vector<RebirthRequest> requests_;
  Gaps gaps_;

  PartList host_parts_;    // two of each node, by its number: tables and session
  PartList rejoin_parts_;  // by the node's number
  std::vector<CheckpointPart> to_restore_;

  // Of the message being folded.
  std::uint32_t session_ = 0;
  Sequence sequence_ = 0;
  std::string_view payload_;
  // Reused from message to message.
  struct Timed {
    Time time;
    Reading reading;
  };
  std::vector<Timed> readings_;
  std::vector<Reading> group_;
  std::vector<Discovery::Reading> discovered_;
};

}  // namespace fettle::engine
