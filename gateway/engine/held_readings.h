#pragma once
// Readings of one rejoined Sparkplug node that wait until its past has come in, to be applied in order of event time.
//
// After an absence a node's births bring *now* before its flush brings the past. So what it sends is held until kQuiet
// of gateway time have gone by without a historical reading, at most kLongest, and then taken out sorted. Bounded: when
// kMost readings are held, the past that is there is taken out early; what is newer waits on.
// Working state of the engine's; values only, no store. The engine's thread.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/engine/registry.h"
#include "gateway/engine/sparkplug.pb.h"
#include "rules/rule.h"

namespace fettle::engine {

class HeldReadings {
 public:
  static constexpr rules::Duration kQuiet{std::chrono::seconds(10)};
  static constexpr rules::Duration kLongest{std::chrono::minutes(15)};
  static constexpr std::size_t kMost = 100'000;  // readings of one node; 32 bytes each

  struct Message {
    Sequence arrived = 0;
    Time received;
    std::uint32_t topic = 0;  // topic_of()
    std::uint64_t hash = 0;
    std::uint32_t session = 0;
  };
  struct Reading {
    Time time;
    double value = 0;
    std::uint32_t asset = 0;    // index in the registry: the catalog does not change while something is held
    std::uint32_t message = 0;  // message_of()
    std::uint16_t signal = 0;
    std::uint8_t flags = 0;
    bool transient = false;
  };

  // Begins at gateway time `now`.
  explicit HeldReadings(Time now) : since_(now), historical_(now) {}
  // Of bytes that to_proto() made; nothing is checked beyond what keeps indices in range.
  static std::optional<HeldReadings> from_proto(const HeldState& in);
  void to_proto(HeldState& out) const;

  // A message whose readings follow. `topic` is remembered once.
  void begin_message(Sequence arrived, Time received, std::string_view topic, std::uint64_t hash,
                     std::uint32_t session);
  void add(std::uint32_t asset, std::uint32_t signal, Time time, double value, std::uint8_t flags, bool transient,
           Time now);

  std::size_t size() const { return readings_.size(); }
  bool full() const { return readings_.size() >= kMost; }
  // When it is over, if nothing historical comes until then.
  Time due() const { return std::min(historical_ + kQuiet, since_ + kLongest); }

  // Takes readings out, by (asset, time, arrival): all, or only the past, those not newer than the newest historical
  // one (half of what is held, the older one, where that would be none). What they refer to stays until forget_taken().
  enum class Which : std::uint8_t { all, past };
  std::vector<Reading> take(Which which);
  void forget_taken();
  // Takes out readings that are here twice (a node repeats what may have been lost) and says how many; of equal ones
  // the first to arrive stays.
  std::size_t drop_repeats();

  // Whether f(asset, signal) holds for all readings.
  template <typename F>
  bool every(F f) const {
    return std::all_of(readings_.begin(), readings_.end(),
                       [&](const Reading& reading) { return f(reading.asset, reading.signal); });
  }

  const Message& message_of(const Reading& reading) const { return messages_[reading.message]; }
  const std::string& topic_of(const Message& message) const { return topics_[message.topic]; }

 private:
  Time since_;
  Time historical_;
  Time newest_past_ = Time::min();  // event time of the newest historical reading held
  std::vector<std::string> topics_;
  TextMap<std::uint32_t> topic_index_;
  std::vector<Message> messages_;
  std::vector<Reading> readings_;  // in order of arrival
};

}  // namespace fettle::engine
