#pragma once
// Everything the gateway has to do with MQTT brokers, made and ended together: the direct session, a Sparkplug session
// for each configured broker, and the publisher of events with the feed that fills it.

#include <memory>
#include <string>
#include <vector>

#include "gateway/app/core.h"
#include "gateway/app/event_feed.h"
#include "gateway/app/metrics.h"
#include "gateway/engine/sparkplug_intake.h"
#include "gateway/mqtt/direct_session.h"
#include "gateway/mqtt/event_publisher.h"
#include "gateway/mqtt/sparkplug_session.h"

namespace fettle::app {

class Links {
 public:
  // Looks over addresses, names, passwords and certificates; connects to nothing yet.
  static Result<std::unique_ptr<Links>> make(const Config& config, Core& core, Log log);
  ~Links();
  // What make() would refuse, all at once; for `fettle check`.
  static std::vector<std::string> check(const Config& config);

  void start();
  // Ends all of them. False where a message is in hand that could not be kept: the process must then end without more
  // ado, so that the broker keeps it.
  bool stop();

  // From the engine's thread; none of them waits.
  void committed();  // something was committed
  void request(const engine::RebirthRequest& request);
  void subscribe(const std::vector<std::string>& filters);  // topics of the catalog's mappings

  // For metrics and readiness; any thread.
  std::vector<SessionState> sessions() const;
  std::optional<EventsState> events() const;
  std::uint64_t rebirths_sent() const;

 private:
  Links(Core& core, Log log) : core_(core), log_(std::move(log)) {}
  Result<void> make_direct(const Config& config);
  Result<void> make_sparkplug(const Config& config);
  Result<void> make_events(const Config& config);

  Core& core_;
  Log log_;
  std::unique_ptr<mqtt_adapter::DirectSession> direct_;
  std::vector<std::unique_ptr<mqtt_adapter::SparkplugSession>> sparkplug_;
  std::unique_ptr<mqtt_adapter::EventPublisher> publisher_;
  std::unique_ptr<EventFeed> feed_;  // after the publisher: it offers to it
};

}  // namespace fettle::app
