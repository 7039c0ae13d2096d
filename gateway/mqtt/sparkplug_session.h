#pragma once
// The gateway as a Sparkplug Host Application at one broker: does with Paho what sparkplug::HostSession decides, takes
// what edge nodes send into the journal, and sends what the engine asks of them.
//
// What it receives is appended to the journal as journal::Kind::sparkplug before the callback returns; STATE messages,
// its own and other hosts', are not. Sparkplug's data comes with QoS 0, so nobody keeps what the callback holds back:
// it holds all the same, and where that lasts longer than the keep-alive the broker ends the session, publishes the
// Will (STATE offline), and the edge nodes buffer until the host is back. No exception leaves a callback.
//
// Threads: one of its own connects, publishes and ends the session; the engine and others only put into its queue. No
// automatic reconnect of Paho: each connection needs a Will with its own timestamp, and gets a client of its own, so
// that nothing of an old connection is sent in a new one.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "gateway/journal/clock.h"
#include "gateway/journal/journal.h"
#include "gateway/mqtt/broker_access.h"
#include "gateway/mqtt/intake.h"
#include "gateway/sparkplug/host_session.h"

namespace mqtt {
class async_client;
class message;
}  // namespace mqtt

namespace fettle::mqtt_adapter {

struct SparkplugOptions : BrokerAccess {
  std::string name;       // of the connection, in records and logs; at most 255 bytes
  std::string client_id;  // no other client of the broker has it
  std::string host_id;
  std::vector<std::string> groups;  // empty: all
  std::chrono::seconds keep_alive{30};
  std::size_t max_payload = 1U << 20U;  // bytes; a longer payload is journaled cut, for the quarantine
};

class SparkplugSession {
 public:
  // Fails where host_id or a group cannot be part of a topic.
  static AccessResult<std::unique_ptr<SparkplugSession>> make(SparkplugOptions options, journal::Journal& journal,
                                                              journal::Clock& clock, SessionLog log);
  ~SparkplugSession();
  SparkplugSession(const SparkplugSession&) = delete;
  SparkplugSession& operator=(const SparkplugSession&) = delete;

  // Begins to connect; returns at once.
  void start();
  // Publishes the death certificate, disconnects, ends the thread. A message in hand that the journal refuses is given
  // up: with QoS 0 nobody would send it again. Waits for callbacks of other sessions, since Paho has one mutex for all.
  void stop();
  // The same without waiting for the end: first for all sessions, so that none waits for the callback of another.
  void begin_stop();

  // Queues a command (QoS 0, not retained) for an edge node or device of this broker; any thread, never blocks on Paho.
  // False where the session is down or kMaxRequests wait: it is not sent then, and may be asked again.
  bool request(std::string topic, std::string payload);
  static constexpr std::size_t kMaxRequests = 1'000;

  const std::string& name() const { return options_.name; }
  // Born: subscribed, and the birth certificate handed over.
  bool online() const { return online_; }

  struct Counts {
    std::uint64_t connections = 0;      // made so far
    std::uint64_t held = 0;             // messages whose callback had to wait for the journal
    std::uint64_t given_up = 0;         // messages that the journal refused until the end
    std::uint64_t foreign_states = 0;   // STATE messages of other hosts
    std::uint64_t requests_sent = 0;    // handed to Paho
    std::uint64_t requests_failed = 0;  // refused by Paho, or still waiting when the session was lost
  };
  Counts counts() const;

 private:
  struct Request {
    std::string topic;
    std::string payload;
  };
  struct StateMessage {
    std::string payload;
    sparkplug::Retained retained = sparkplug::Retained::no;
  };
  class Published;  // the token of what was published last

  SparkplugSession(SparkplugOptions options, sparkplug::HostSession host, journal::Journal& journal,
                   journal::Clock& clock, SessionLog log);

  void run();
  void perform(sparkplug::SessionActions actions);
  sparkplug::SessionActions perform_one(const sparkplug::SessionAction& action);
  sparkplug::SessionActions connect(const sparkplug::Connect& how);
  sparkplug::SessionActions subscribe(const sparkplug::Subscribe& what);
  void publish(const sparkplug::Certificate& certificate);
  void disconnect();
  void drop_client();
  void send(const Request& request);
  void forget_requests();
  void receive(const ::mqtt::message& message);
  void receive_state(std::string_view topic, const std::string& payload, sparkplug::Retained retained);
  void record_session(bool up);
  void wake();

  SparkplugOptions options_;
  sparkplug::HostSession host_;  // the thread's own
  std::string own_topic_;
  SessionLog log_;
  Intake intake_;

  std::unique_ptr<::mqtt::async_client> client_;  // the thread's own
  std::unique_ptr<Published> published_;          // the thread's own
  std::chrono::steady_clock::time_point retry_at_{};
  bool session_recorded_ = false;  // the journal says that the session is up
  std::thread thread_;

  std::mutex mutex_;  // guards down to the blank line; never held while Paho is called
  std::condition_variable changed_;
  std::deque<Request> requests_;
  std::deque<StateMessage> states_;  // own STATE messages that the thread has not seen yet

  std::atomic<bool> stopping_{false};
  std::atomic<bool> lost_{false};
  std::atomic<bool> online_{false};
  std::atomic<std::uint64_t> connections_{0};
  std::atomic<std::uint64_t> given_up_{0};
  std::atomic<std::uint64_t> foreign_states_{0};
  std::atomic<std::uint64_t> requests_sent_{0};
  std::atomic<std::uint64_t> requests_failed_{0};
  std::string body_;  // the callback's own
};

}  // namespace fettle::mqtt_adapter
