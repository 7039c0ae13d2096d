#pragma once
// A Sparkplug Host Application's session with one MQTT server: when it connects, with which Will, what it subscribes to
// and how it tells the edge nodes that it is there (STATE birth) or not (STATE death). Specification 3.0, chapter 5,
// "Sparkplug Host Application Session Establishment" and "... Termination".
//
// Not the edge nodes' data: that is HostNodes. No socket, no clock, no thread: what happened goes in, what is to be
// done comes out, in order, and the caller does it (gateway/mqtt/sparkplug_session.h). A host with several servers has
// one of these for each, so that each server has timestamps of its own. Not thread-safe: calls come one after the
// other.
//
// MQTT 3.1.1 or 5: Connect says what each of them needs; Fettle's adapter speaks 3.1.1.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/sparkplug/malformed.h"

namespace fettle::sparkplug {

struct HostSessionOptions {
  std::string host_id;              // unique among all hosts of the servers
  std::vector<std::string> groups;  // whose edge nodes are heard; empty: all
  std::chrono::milliseconds first_retry{250};
  std::chrono::milliseconds last_retry{15'000};  // the wait doubles up to this
};

// A message to be published, or to be registered as the Will.
struct Certificate {
  std::string topic;
  std::string payload;  // {"online":true,"timestamp":1780272000000}
  int qos = 1;
  bool retain = true;
};

// Send CONNECT, with this Will. Answer: connected() or lost().
struct Connect {
  Certificate will;
  bool clean_start = true;                 // 3.1.1: Clean Session; 5: Clean Start
  std::chrono::seconds session_expiry{0};  // 5 only
};
struct Subscription {
  std::string filter;
  int qos = 1;
};
// Send one SUBSCRIBE. Answer: subscribed() or lost().
struct Subscribe {
  std::vector<Subscription> subscriptions;
};
struct Publish {
  Certificate certificate;
};
// End the session with DISCONNECT, once everything published before has been delivered.
struct Disconnect {};
// Close what there is of the connection, wait, then call start().
struct RetryAfter {
  std::chrono::milliseconds wait{0};
};
// Something a person should know. Nothing else follows from it.
struct Warning {
  std::string text;
};
using SessionAction = std::variant<Connect, Subscribe, Publish, Disconnect, RetryAfter, Warning>;
using SessionActions = std::vector<SessionAction>;

enum class Retained : std::uint8_t { no, yes };
enum class Granted : std::uint8_t { all, not_all };

class HostSession {
 public:
  using Time = std::chrono::sys_time<std::chrono::milliseconds>;  // UTC

  // Fails with reason bad_topic where an id cannot be part of a topic; the detail says which and why.
  static Result<HostSession> make(HostSessionOptions options);

  // At the beginning, and after each RetryAfter. `now` goes into the Will. Nothing after stop().
  SessionActions start(Time now);
  // CONNACK has come and accepts.
  SessionActions connected();
  // SUBACK has come. Where the server refuses one of the subscriptions the host must not say that it is online, since
  // the nodes would send what it cannot hear.
  SessionActions subscribed(Granted granted);
  // The connection could not be made, or has gone.
  SessionActions lost();
  // A message came on own_topic().
  SessionActions state_message(std::string_view payload, Retained retained);
  // The host goes away on purpose. `now` goes into the death certificate.
  SessionActions stop(Time now);

  // Between the birth certificate and the end of the session.
  bool online() const { return phase_ == Phase::online; }
  const std::string& own_topic() const { return own_topic_; }  // spBv1.0/STATE/<host_id>

 private:
  enum class Phase : std::uint8_t { idle, connecting, subscribing, online, stopped };

  HostSession(HostSessionOptions options, std::string own_topic);
  Certificate certificate(bool online, Time time) const;
  Time stamp(Time now);
  SessionActions retry();

  HostSessionOptions options_;
  std::string own_topic_;
  Phase phase_ = Phase::idle;
  Time stamp_{};  // of this connection's Will and birth; never goes back, since nodes ignore what is older
  std::chrono::milliseconds wait_;
};

// What a STATE payload says. Anything that is not a JSON object with the members "online" (true or false) and
// "timestamp" (whole ms since 1970) is no certificate; other members are passed over.
struct StateCertificate {
  bool online = false;
  std::int64_t timestamp = 0;  // ms
};
std::optional<StateCertificate> parse_state(std::string_view payload);

}  // namespace fettle::sparkplug
