#pragma once
// Publishes events (work orders raised, closed ...) for other systems: QoS 1, in the order offered, at least once.
//
// It keeps what was offered until the broker has acknowledged it, and after a lost connection publishes again, in
// order, what was not; a receiver tells repeats by the event's id in the payload. What it keeps is in memory: the
// outbox that feeds it keeps the events themselves and offers them again after a restart, from the first one not
// delivered on.
//
// Threads: offer() from any; `delivered` is told from the publisher's own thread, in the order of acknowledgement, and
// must be quick. Paho is called by that thread alone.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/mqtt/broker_access.h"
#include "gateway/mqtt/intake.h"

namespace mqtt {
class async_client;
}  // namespace mqtt

namespace fettle::mqtt_adapter {

inline constexpr const char* kEventTopic = "fettle/v1/events/";  // followed by the kind of the event

struct EventOptions : BrokerAccess {
  std::string client_id;  // no other client of the broker has it
  std::chrono::seconds keep_alive{30};
  std::size_t max_queued = 10'000;  // events offered and not yet acknowledged
  std::size_t window = 100;         // events published and not yet acknowledged
};

class EventPublisher {
 public:
  using Delivered = std::function<void(std::uint64_t id)>;

  EventPublisher(EventOptions options, Delivered delivered, SessionLog log);
  ~EventPublisher();
  EventPublisher(const EventPublisher&) = delete;
  EventPublisher& operator=(const EventPublisher&) = delete;

  // Begins to connect; returns at once.
  void start();
  // Disconnects and ends the thread; what was not acknowledged is not delivered. Nothing is told after it.
  void stop();
  // The same without waiting for the end.
  void begin_stop();

  // Takes an event, to be published at once where the session is up. False where max_queued are kept, and it is to be
  // offered again later; an event of more than kMaxPayload bytes is never taken. `id` is the caller's own.
  bool offer(std::uint64_t id, std::string topic, std::string payload);
  static constexpr std::size_t kMaxPayload = 256U << 10U;  // bytes

  bool connected() const { return connected_; }

  struct Counts {
    std::uint64_t connections = 0;
    std::uint64_t published = 0;  // repeats included
    std::uint64_t delivered = 0;
    std::uint64_t queued = 0;  // offered and not yet acknowledged, now
  };
  Counts counts() const;

 private:
  struct Event {
    std::uint64_t id = 0;
    std::string topic;
    std::string payload;
    bool acknowledged = false;
  };
  class Acknowledgements;

  void run();
  bool connect();
  void serve();
  void publish(std::uint64_t serial, const Event& event);
  void acknowledged(std::uint64_t serial);
  void lost();

  EventOptions options_;
  Delivered delivered_;
  SessionLog log_;

  std::unique_ptr<Acknowledgements> acknowledgements_;  // outlives the client, which tells it
  std::unique_ptr<::mqtt::async_client> client_;        // the thread's own
  std::thread thread_;

  mutable std::mutex mutex_;  // guards down to the blank line; never held while Paho or `delivered` is called
  std::condition_variable changed_;
  std::deque<Event> events_;            // offered and not yet acknowledged, save for some behind the first
  std::uint64_t first_ = 1;             // serial of events_.front(): 1, 2, 3 ... in the order offered
  std::uint64_t next_ = 1;              // serial of the first one not published in this connection
  std::size_t in_flight_ = 0;           // published in this connection and not acknowledged
  std::vector<std::uint64_t> to_tell_;  // ids acknowledged and not yet told

  std::atomic<bool> stopping_{false};
  std::atomic<bool> connected_{false};
  std::atomic<bool> lost_{false};
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::uint64_t> told_{0};
};

}  // namespace fettle::mqtt_adapter
