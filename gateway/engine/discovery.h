#pragma once
// Devices and signals that no catalog entry claims: what they are called, what they say, and their last readings, kept
// within bounds until somebody claims them. Then the engine takes the readings out and processes them as it would have.
//
// A *source* is where readings come from: "fettle/v1/<asset>" for a direct device, the Sparkplug path
// "<group>/<node>[/<device>]" for a node or device. Of an unknown direct device whole messages are kept, since what
// they mean depends on its model; of the others readings. A source of a known asset is here only for the signals that
// its model does not have. Working state: checkpointed by source (discovery.proto). The engine's thread.

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/engine/registry.h"

namespace fettle::engine {

class Discovery {
 public:
  // Of each the newest stay; what falls out is counted in DiscoveredRow::dropped.
  static constexpr std::size_t kMaxSources = 10'000;
  static constexpr std::size_t kMaxSignals = 1'000;       // names of one source
  static constexpr std::size_t kMaxKeptOfSource = 4'096;  // readings; kPayloadUnit bytes of a kept payload are one, too
  static constexpr std::size_t kMaxKept = 200'000;        // of all sources
  static constexpr std::size_t kPayloadUnit = 64;
  static constexpr std::size_t kMaxText = 128;  // bytes of a sample

  // The message that readings came in.
  struct Message {
    Sequence arrived = 0;
    Time received;
    std::string_view topic;
    std::uint64_t hash = 0;
    std::uint32_t session = 0;  // index of the session's clock in the engine
    std::string_view payload;   // not empty: it is kept instead of the readings
  };

  struct Reading {
    std::string_view name;
    std::string_view type;  // DiscoveredRow::type
    Time time;
    std::uint8_t flags = 0;  // ReadingFlag
    double number = 0;
    std::optional<std::string_view> text;  // instead of the number
    bool birth = false;                    // a Sparkplug birth's current value: no event
  };

  // A message of the source came in, with these unclaimed readings. `asset` is empty where the device is unknown. False
  // where there is no room for one source more: the caller quarantines the message.
  bool add(std::string_view source, std::string_view asset, const Message& message, std::span<const Reading> readings);

  struct TakenReading {
    Time time;
    std::uint8_t flags = 0;
    std::string name;
    double number = 0;
    std::optional<std::string> text;
    bool birth = false;
  };
  struct TakenMessage {
    Sequence arrived = 0;
    Time received;
    std::string topic;
    std::uint64_t hash = 0;
    std::uint32_t session = 0;
    std::string payload;                 // the whole message, or ...
    std::vector<TakenReading> readings;  // ... those of its readings that are claimed
  };
  // Takes out the kept readings of a source that `claimed(name)` says are claimed now, in order of arrival; `asset` is
  // what the source belongs to from now on. A source with nothing unclaimed left is forgotten.
  template <typename Claimed>
  std::vector<TakenMessage> take(const std::string& source, const std::string& asset, Claimed&& claimed);

  std::vector<std::string> sources() const;
  std::size_t kept() const { return kept_; }

  // Rows that changed since the last call, and keys that are gone.
  void rows(std::vector<DiscoveredRow>& changed, std::vector<std::pair<std::string, std::string>>& gone);

  // One source's state as bytes; empty where it is not here.
  std::string save(const std::string& source) const;
  // False where the bytes are of another form.
  bool load(const std::string& source, const std::string& state);
  // Sources changed or forgotten since the last call, for the checkpoint.
  std::vector<std::string> take_touched();

 private:
  struct Signal {
    std::string name;
    std::string type;
    std::string sample;
    Time first;
    Time last;
    std::uint64_t count = 0;
    std::uint64_t kept = 0;
    std::uint64_t dropped = 0;
    bool changed = false;  // since the last rows()
  };
  struct Kept {
    std::uint32_t signal = 0;
    Time time;
    std::uint8_t flags = 0;
    double number = 0;
    std::optional<std::string> text;
    bool birth = false;
  };
  struct KeptMessage {
    Sequence arrived = 0;
    Time received;
    std::string topic;
    std::uint64_t hash = 0;
    std::uint32_t session = 0;
    std::string payload;
    std::vector<Kept> readings;  // of a kept payload: what was in it, without values
    std::size_t weight() const { return readings.size() + (payload.size() + kPayloadUnit - 1) / kPayloadUnit; }
  };
  struct Source {
    std::string asset;
    std::string sample;  // the beginning of its newest kept payload
    Time first;
    Time last;
    std::uint64_t count = 0;
    std::uint64_t dropped = 0;
    std::vector<Signal> signals;
    TextMap<std::uint32_t> index;
    std::deque<KeptMessage> messages;
    std::size_t kept = 0;  // weights of `messages`
    bool changed = false;
  };

  Signal* signal_of(Source& source, const Reading& reading, Time received);
  void drop_oldest(const std::string& name, Source& source);
  void make_room(const std::string& name, Source& source);
  void forget_if_empty(const std::string& name);
  void touch(const std::string& name);

  std::map<std::string, Source, std::less<>> sources_;
  std::size_t kept_ = 0;
  std::set<std::string> touched_;  // since the last take_touched()
  std::set<std::string> changed_;  // since the last rows()
  std::vector<std::pair<std::string, std::string>> gone_;
};

template <typename Claimed>
std::vector<Discovery::TakenMessage> Discovery::take(const std::string& source, const std::string& asset,
                                                     Claimed&& claimed) {
  std::vector<TakenMessage> taken;
  const auto found = sources_.find(source);
  if (found == sources_.end()) return taken;
  Source& from = found->second;
  if (from.asset.empty() && !asset.empty()) gone_.emplace_back(source, std::string());
  from.asset = asset;
  std::vector<bool> wanted;
  for (const Signal& signal : from.signals) wanted.push_back(claimed(signal.name));
  std::size_t left_weight = 0;
  for (KeptMessage& message : from.messages) {
    TakenMessage out{message.arrived,
                     message.received,
                     std::move(message.topic),
                     message.hash,
                     message.session,
                     std::move(message.payload),
                     {}};
    message.payload.clear();
    std::vector<Kept> left;
    for (Kept& reading : message.readings) {
      Signal& signal = from.signals[reading.signal];
      if (!out.payload.empty()) {
        --signal.kept;
      } else if (!wanted[reading.signal]) {
        left.push_back(std::move(reading));
      } else {
        out.readings.push_back(
            {reading.time, reading.flags, signal.name, reading.number, std::move(reading.text), reading.birth});
      }
    }
    message.readings = std::move(left);
    if (!message.readings.empty()) message.topic = out.topic;
    left_weight += message.weight();
    if (!out.readings.empty() || !out.payload.empty()) taken.push_back(std::move(out));
  }
  kept_ -= from.kept - left_weight;
  from.kept = left_weight;
  std::erase_if(from.messages, [](const KeptMessage& message) { return message.readings.empty(); });
  // Names keep their places, which the kept readings refer to; a claimed one is emptied and no longer listed.
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i] || from.signals[i].name.empty()) continue;
    gone_.emplace_back(source, from.signals[i].name);
    from.index.erase(from.signals[i].name);
    from.signals[i] = Signal();
  }
  touch(source);
  forget_if_empty(source);
  return taken;
}

}  // namespace fettle::engine
