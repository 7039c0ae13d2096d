#pragma once
// The durable MQTT session for devices that do not speak Sparkplug: whatever it acknowledges is in the journal.
//
// Paho sends PUBACK after the message callback returns, so the callback appends and then returns. Where the journal is
// at its bound, or the disk refuses, the callback holds: the broker then keeps the backlog (QoS 1, durable session).
// Nothing is thrown out of a callback. A thread of its own connects, subscribes, and connects again after a loss.
//
// MQTT 3.1.1 with clean session off: that is all a durable session needs, and every broker speaks it.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/journal/clock.h"
#include "gateway/journal/journal.h"
#include "gateway/mqtt/broker_access.h"
#include "gateway/mqtt/intake.h"

namespace mqtt {
class async_client;
class message;
}  // namespace mqtt

namespace fettle::mqtt_adapter {

struct DirectOptions : BrokerAccess {
  std::string name = "direct";      // in session records and logs
  std::string client_id;            // the broker keeps the backlog under this name: never change it
  std::vector<std::string> topics;  // filters, subscribed with QoS 1
  std::chrono::seconds keep_alive{30};
  std::size_t max_payload = 256U << 10U;  // bytes; a longer payload is journaled cut, for the quarantine
};

class DirectSession {
 public:
  DirectSession(DirectOptions options, journal::Journal& journal, journal::Clock& clock, SessionLog log);
  ~DirectSession();
  DirectSession(const DirectSession&) = delete;
  DirectSession& operator=(const DirectSession&) = delete;

  // Begins to connect; returns at once.
  void start();

  // Disconnects and ends the thread. False where a message is held that must not be acknowledged (the disk refuses):
  // the process must then end without destroying the session, so that the broker keeps the message.
  bool stop();

  // Topic filters beside those of the options, all of them; subscribed at once where the session is up. Any thread.
  void subscribe_to(std::vector<std::string> filters);

  const std::string& name() const { return options_.name; }
  bool connected() const { return connected_; }
  // Connections made so far.
  std::uint64_t connections() const { return connections_; }
  // Messages whose callback had to wait for the journal.
  std::uint64_t held() const { return intake_.held(); }

 private:
  void run();
  bool connect();
  void receive(const ::mqtt::message& message);
  void record_session(bool up);
  void subscribe(const std::string& filter);
  void subscribe_further();
  void wait(std::chrono::milliseconds at_most);

  DirectOptions options_;
  SessionLog log_;
  Intake intake_;

  std::unique_ptr<::mqtt::async_client> client_;
  std::thread thread_;
  std::thread disconnecting_;
  std::mutex mutex_;  // guards the condition and what stands below it up to the atomics
  std::condition_variable changed_;
  std::vector<std::string> further_;  // filters of subscribe_to()
  bool further_changed_ = false;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> connected_{false};
  std::atomic<bool> lost_{false};
  std::atomic<bool> disconnected_{false};  // for good
  std::atomic<std::uint64_t> connections_{0};
  std::string body_;  // the callback's own
};

}  // namespace fettle::mqtt_adapter
