#pragma once
// The way of readings, whoever decoded them: admission, history, metering, rules, and what these cause.
//
// A caller (DirectIntake, the Sparkplug intake) names the asset, the signal by its index in the asset's model, and the
// message it came in; everything else is the same for all of them. The engine's thread only.

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/asset_state.h"
#include "gateway/engine/fold_state.h"
#include "gateway/engine/maintenance.h"
#include "gateway/engine/metering.h"

namespace fettle::engine {

// The message that readings came in. It may have waited (a reorder buffer, a rejoin, an unclaimed device) before the
// record that is being folded brought its readings forth.
class Origin {
 public:
  // Of the record being folded.
  Origin(Sequence record, Time at, std::uint32_t through, std::string_view on, std::string_view bytes)
      : arrived(record), received(at), session(through), topic(on), payload(bytes) {}
  // Of a message that waited: of its payload only the hash is left.
  Origin(Sequence record, Time at, std::uint32_t through, std::string_view on, std::uint64_t payload_hash)
      : arrived(record), received(at), session(through), topic(on), hash_(payload_hash) {}

  Sequence arrived;        // of the record that the message is
  Time received;           // when it arrived
  std::uint32_t session;   // it came through: index into Sessions
  std::string_view topic;  // the caller keeps topic and payload alive
  std::string_view payload;

  std::uint64_t hash();  // XXH3-64 of the payload, computed once and only if asked for

 private:
  std::optional<std::uint64_t> hash_;
};

// A value that names a signal of the asset's model.
struct Reading {
  std::uint32_t signal = 0;  // index in ModelInfo::signals
  std::uint32_t place = 0;   // in the message, for the quarantine
  double value = 0;          // finite; a state's index for state signals
  std::uint8_t flags = 0;    // kUnstamped, kBad, kHistorical
  bool transient = false;    // for rules only: neither stored nor metered
};

// Which of the asset's rules see readings, and whether they are stored.
enum class Lanes : std::uint8_t {
  both,          // stored and metered, all rules
  patient_only,  // stored and metered, all rules but those of priority P1: they have seen them already
  urgent_only,   // rules of priority P1 only: the readings wait, and will come again with patient_only
};

// What a device said of a signal: a number, or a text.
struct RawValue {
  std::optional<std::string_view> text;  // absent: `number`
  double number = 0;
};

class Intake {
 public:
  // `touch` is called with an asset before anything of it changes (copy-on-write of the checkpoint,
  // checkpoint_parts.h).
  Intake(FoldState& fold, History& history, Metering& metering, Maintenance& maintenance,
         std::function<void(const AssetState&)> touch)
      : fold_(fold), history_(history), metering_(metering), maintenance_(maintenance), touch_(std::move(touch)) {}

  // Whether readings with this event time may come in at all: not too far in the future, not before the asset was
  // commissioned, not older than the retention. If not, that is in the quarantine, once for all of them: apply() asks
  // as well; a caller asks first where it would otherwise complain of single readings.
  bool in_time(const AssetState& asset, Time event, const Origin& origin, std::uint32_t place,
               Lanes lanes = Lanes::both);

  // The readings of one message that share one event time. A reading that is not admitted goes to the quarantine or is
  // counted as a duplicate.
  void apply(AssetState& asset, Time event, std::span<const Reading> readings, Origin& origin,
             Lanes lanes = Lanes::both);

  // The value of a reading of that signal: a state's index, or the number. Nothing where it is none, and then it is in
  // the quarantine with the reason.
  std::optional<double> resolve(const ModelInfo& model, std::uint32_t signal, const RawValue& value,
                                const Origin& origin, std::uint32_t place);

  // `item`: which reading of the message; 0 also for the whole message. `reason` is a word, `detail` a sentence.
  void quarantine(const Origin& origin, std::uint32_t item, std::string reason, std::string detail);

  // Signals became unknown since their last reading (a node or device died, its broker was lost): to the rules of these
  // lanes, until their next reading. An empty list means all signals of the asset.
  void mark_stale(AssetState& asset, std::span<const rules::SignalIndex> signals, Lanes lanes = Lanes::both);

  // A tick: the asset's clock moves on. Assets that are held, or whose session is down, stand still.
  void advance(AssetState& asset);

  // Held readings are about to be let go, and have been. An episode that is raised and cleared in between is recorded
  // and asks for no work; what is still open at the end asks for it then.
  void begin_backlog(AssetState& asset);
  void end_backlog(AssetState& asset);

  // The asset's session time: gateway time without the outages of the sessions that its readings came through.
  Time session_time(const AssetState& asset) const {
    return fold_.sessions.time(asset.session, fold_.now) + asset.session_shift;
  }

 private:
  // The flags of the reading if it was admitted; nothing where it is a duplicate.
  std::optional<std::uint8_t> admit(AssetState& asset, Time time, const Reading& reading, Origin& origin);
  std::optional<std::uint8_t> compare(AssetState& asset, Time time, const Reading& reading);
  bool is_late(const AssetState& asset, const Series& series, Time time) const;
  void store(AssetState& asset, std::uint32_t signal, const Point& point);
  bool take(AssetState& asset, Time time, const Reading& reading, Origin& origin);
  std::uint32_t message_row(Origin& origin);
  void follow_session(AssetState& asset, std::uint32_t session);
  void evaluate(AssetState& asset, Time time, Lane lane);
  void update_entitlement(AssetState& asset, Lane lane, Time at);
  void transitions(AssetState& asset, Lane lane);
  void note_unstored(const AssetState& asset, Time time);

  FoldState& fold_;
  History& history_;
  Metering& metering_;
  Maintenance& maintenance_;
  std::function<void(const AssetState&)> touch_;

  // Reused from message to message.
  std::vector<rules::SignalReading> seen_;  // by rules
  std::vector<EvidencePoint> unstored_;
  std::vector<rules::Transition> transitions_;
};

}  // namespace fettle::engine
