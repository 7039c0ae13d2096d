#pragma once
// At-least-once delivery in order, as a state machine without I/O: what happened goes in, what to do next comes out.
//
// Every message handed in is kept until the broker has acknowledged it. When the connection is lost, all that is not
// acknowledged is published again on the next one, in the original order, before anything new: messages may arrive
// twice, but none is lost and no first arrival overtakes another.

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <variant>

#include "firmware-sim/message.h"

namespace fettle::sim {

// Timeouts only; nothing here has to do with event time.
using Instant = std::chrono::steady_clock::time_point;

// Position of a message in the order of handing in, from 1.
using Sequence = std::uint64_t;

struct DeliveryLimits {
  std::size_t inflight = 128;                         // unacknowledged messages
  std::chrono::milliseconds connect_timeout{10'000};  // until the first connection
  std::chrono::milliseconds give_up{60'000};          // without a connection, later on
  std::chrono::milliseconds first_backoff{100};       // between two attempts; doubles up to longest_backoff
  std::chrono::milliseconds longest_backoff{2'000};
};

enum class Refusal {
  kTemporary,  // nobody there, or the broker is still starting
  kPermanent,  // wrong credentials: given up at once, unless a connection has been accepted before
};

// What to do next.
struct Connect {};
struct Publish {
  Sequence sequence;
  const Message* message;  // lives until the next call of the machine
};
struct NeedMessage {};  // call offer() or no_more_messages(); until then this is the answer
struct Wait {
  Instant until;  // or until something happens
};
struct Finished {};  // every message is acknowledged
struct GaveUp {
  Refusal refusal;  // permanent: waiting longer would not have helped
  std::string why;  // the last failure of the connection, as reported
};
using DeliveryStep = std::variant<Connect, Publish, NeedMessage, Wait, Finished, GaveUp>;

struct DeliveryCounts {
  std::uint64_t sent = 0;          // distinct messages published at least once, clock messages left out
  std::uint64_t clock_sent = 0;    // distinct clock messages
  std::uint64_t acknowledged = 0;  // distinct messages of both sorts
  std::uint64_t resent = 0;        // repeats on a later connection
  std::uint64_t connections = 0;   // accepted by the broker
};

class Delivery {
 public:
  Delivery(const DeliveryLimits& limits, Instant now);

  DeliveryStep next(Instant now);

  // Only as an answer to NeedMessage.
  void offer(Message message);
  void no_more_messages();

  void on_connected(Instant now);
  void on_connect_failed(Instant now, Refusal refusal, std::string why);
  void on_connection_lost(Instant now, std::string why);

  // The broker has the message. In any order, from any connection, more than once: all the same.
  void on_acknowledged(Sequence sequence);

  bool connected() const { return state_ == State::kConnected; }
  bool ever_connected() const { return counts_.connections > 0; }
  const DeliveryCounts& counts() const { return counts_; }

 private:
  enum class State { kDisconnected, kConnecting, kConnected, kRefused };

  struct Entry {
    Message message;
    bool published = false;  // on any connection
    bool acknowledged = false;
  };

  DeliveryStep next_connected(Instant now);
  Instant deadline() const;
  void schedule_retry(Instant now);

  DeliveryLimits limits_;
  State state_ = State::kDisconnected;
  std::deque<Entry> window_;
  Sequence first_ = 1;           // of window_.front()
  std::size_t unpublished_ = 0;  // index of the first entry not yet published on this connection
  bool exhausted_ = false;
  bool progressed_ = false;  // something was acknowledged on this connection
  Instant disconnected_since_;
  Instant connected_at_;
  Instant retry_at_;
  std::chrono::milliseconds backoff_;
  std::string last_failure_;
  DeliveryCounts counts_;
};

}  // namespace fettle::sim
