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
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/journal/clock.h"
#include "gateway/journal/journal.h"

namespace mqtt {
class async_client;
class message;
}  // namespace mqtt

namespace fettle::mqtt_adapter {

struct DirectOptions {
  std::string name = "direct";  // in session records and logs
  std::string broker;           // tcp://host:port
  std::string client_id;        // the broker keeps the backlog under this name: never change it
  std::string username;         // empty: none
  std::string password;
  std::vector<std::string> topics;  // filters, subscribed with QoS 1
  std::chrono::seconds keep_alive{30};
  std::size_t max_payload = 256U << 10U;  // bytes; a longer payload is journaled cut, for the quarantine
};

// Told from the session's own threads; must be quick and must not call back.
using SessionLog = std::function<void(const std::string& message)>;

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

  bool connected() const { return connected_; }

 private:
  void run();
  bool connect();
  void receive(const ::mqtt::message& message);
  void receive_clock(std::string_view payload);
  void append(journal::Kind kind, std::string_view body);
  void record_session(bool up);
  void wait(std::chrono::milliseconds at_most);

  DirectOptions options_;
  journal::Journal& journal_;
  journal::Clock& clock_;
  SessionLog log_;

  std::unique_ptr<::mqtt::async_client> client_;
  std::thread thread_;
  std::mutex mutex_;  // guards the condition only
  std::condition_variable changed_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> connected_{false};
  std::atomic<bool> lost_{false};
  std::atomic<bool> holding_{false};
  std::string body_;  // the callback's own
};

}  // namespace fettle::mqtt_adapter
