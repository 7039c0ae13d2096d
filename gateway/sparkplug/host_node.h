#pragma once
// What HostNodes remembers of one edge node's session. Part of host_nodes.h; not for use elsewhere.

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/sparkplug/host_output.h"
#include "gateway/sparkplug/topic.h"

namespace fettle::sparkplug {

// A message that came before its turn.
struct Waiting {
  std::uint8_t seq = 0;
  MessageType type = MessageType::ndata;
  SourceId source = kNoSource;
  std::uint64_t sequence = 0;
  std::uint64_t hash = 0;
  Time received;
  std::string topic;
  std::string payload;

  std::size_t bytes() const { return topic.size() + payload.size(); }
};

struct HostNode {
  SourceId source = kNoSource;
  std::vector<SourceId> devices;  // in order of first sight

  // ---- the session, from NBIRTH to NDEATH or the loss of the broker
  bool session = false;
  std::uint16_t broker = 0;
  std::optional<std::int64_t> bd_seq;  // absent: the birth had none, and any NDEATH ends the session
  std::optional<Time> birth_stamp;     // payload timestamp of the NBIRTH
  Time birth_received;
  std::uint64_t birth_hash = 0;
  bool rebirth = false;        // the NBIRTH came in a session that stood
  bool after_absence = false;  // it did not
  bool aliases_kept = true;    // no alias changed its meaning with the last NBIRTH

  // ---- order
  std::uint8_t next_seq = 0;
  Time last_in_order;
  static constexpr std::size_t kRecent = 32;    // messages that are known again when they are delivered twice
  std::array<std::uint32_t, kRecent> recent{};  // low half of the hash of the message with that seq modulo kRecent
  std::vector<Waiting> waiting;                 // by seq, counted from next_seq
  std::size_t waiting_bytes = 0;
  std::optional<Time> gap_deadline;  // while something waits
  Time gap_since;                    // received time of the last message in order before it
  std::uint8_t gap_expected = 0;
  std::uint8_t gap_got = 0;
  std::uint16_t gap_missing = 0;
  std::uint8_t lost_first = 0;  // the newest gap that was lost in this session: lost_count numbers from here
  std::uint16_t lost_count = 0;

  // ---- rebirth requests
  std::string rebirth_reason;  // empty: none is wanted
  std::uint16_t ask_broker = 0;
  std::optional<Time> rebirth_due;
  std::optional<Time> last_request;
  std::optional<Time> next_allowed;
  std::chrono::milliseconds interval{0};  // until the request after the last; 0: none was made

  std::optional<Time> scheduled;  // its place in HostNodes::due_
};

}  // namespace fettle::sparkplug
