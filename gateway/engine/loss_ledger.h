#pragma once
// The loss ledger of one Sparkplug node: what did not come, as far as sequence numbers and births tell, and what its
// own buffer brought back since. Working state of the engine's; pure.

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/engine/sparkplug.pb.h"

namespace fettle::engine {

class LossLedger {
 public:
  static constexpr std::size_t kRecent = 16;  // losses that can still be refilled; older ones stand as they are
  static constexpr std::size_t kMaxRefillSignals = 10'000;  // signals of one loss that are told apart

  // Sequence numbers are missing: between the message received at `from` and now.
  void gap_opened(Time from, std::uint32_t messages);
  // The newest open gap was filled in time by what came out of order, or is a loss for good.
  void gap_closed(Time now, bool healed, std::uint32_t messages);
  // The node (or the way to it) is gone since `from`; said again changes nothing.
  void offline(Time from);
  // A message came that nobody can read, because the node's births are not known.
  void unreadable(Time now);
  // It is back.
  void online(Time now);
  // A historical reading of a signal came in.
  void refilled(std::string_view asset, std::string_view signal, Time time);

  // Rows changed since the last call, added to the effects.
  void rows(const std::string& node, Effects& effects);

  void save(NodePart& out) const;
  void load(const NodePart& in);

 private:
  struct Refill {
    std::string asset;
    std::string signal;
    std::uint64_t readings = 0;
    bool changed = false;
  };
  struct Loss {
    std::uint32_t number = 0;
    std::string kind;
    std::string state;
    Time from;
    Time to;
    std::uint32_t messages = 0;
    std::uint64_t refilled = 0;
    std::vector<Refill> refills;
    std::size_t expected = 0;  // the refill that probably comes next
    bool changed = false;
  };

  Loss& open(std::string kind, Time from);
  Loss* newest(std::string_view kind);

  std::uint32_t last_ = 0;
  std::deque<Loss> recent_;  // ascending by number
  bool changed_ = false;
};

}  // namespace fettle::engine
