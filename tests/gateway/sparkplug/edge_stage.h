#pragma once
// What the tests of the edge node share: a node whose actions are executed by nobody, decoded with Protobuf's own code.

#include <gtest/gtest.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "gateway/sparkplug/edge_node.h"
#include "gateway/sparkplug/payload.pb.h"
#include "gateway/sparkplug/topic.h"

namespace fettle::sparkplug::edge {

using std::chrono::milliseconds;

struct Published {
  std::string topic;
  MessageType type = MessageType::state;
  std::string device;  // empty: of the node itself
  wire::Payload payload;
  int qos = -1;
  bool retain = true;
};

// Fails the test where the topic or the payload is none of Sparkplug.
Published decoded(const Publish& publication);

std::uint64_t millis(Time time);

// The metric of this name, or with this alias; fails the test where it is not there exactly once.
const wire::Metric& metric_named(const wire::Payload& payload, std::string_view name);
const wire::Metric& metric_aliased(const wire::Payload& payload, std::uint64_t alias);
bool has_metric(const wire::Payload& payload, std::string_view name);

// A group "plant" with node "line-1", two devices "press" and "oven" with two numbers and a text each, and two metrics
// of the node itself.
EdgeConfig plain_config();

class Stage {
 public:
  explicit Stage(EdgeConfig config) : node(std::move(config)) {}

  // Runs a call of the node, a millisecond after the one before, and keeps what it wants done.
  template <class F>
  auto operator()(F call) {
    now += milliseconds(1);
    struct Collect {
      Stage& stage;
      ~Collect() { stage.collect(); }
    } collect{*this};
    return call(node, now);
  }

  void start() {
    (*this)([](EdgeNode& n, Time t) { n.start(t); });
  }
  void connected() {
    (*this)([](EdgeNode& n, Time t) { n.connected(t); });
  }
  void disconnected() {
    (*this)([](EdgeNode& n, Time t) { n.disconnected(t); });
  }
  void stop() {
    (*this)([](EdgeNode& n, Time t) { n.stop(t); });
  }
  void message(const std::string& topic, const std::string& payload) {
    (*this)([&](EdgeNode& n, Time t) { n.message(topic, payload, t); });
  }
  void state(const std::string& host, bool online, Time at);
  // Passes the time until the node wants to do something, and lets it.
  void wait();

  Written write(std::optional<std::size_t> device, std::vector<Reading> readings) {
    return (*this)([&](EdgeNode& n, Time t) { return n.write(device, std::move(readings), t); });
  }
  Written write(std::optional<std::size_t> device, std::size_t metric, Value value) {
    return write(device, {{metric, std::move(value), now, Quality::good}});
  }
  Written write_history(std::optional<std::size_t> device, std::vector<Reading> readings) {
    return (*this)([&](EdgeNode& n, Time t) { return n.write_history(device, readings, t); });
  }

  // A command with these metrics to the node, or to a device.
  void command(const std::string& device, const wire::Payload& payload);
  void ask_for_rebirth();

  // What was wanted since the last clear(), in order.
  std::vector<Published> published() const;
  std::vector<Published> published(MessageType type) const;
  Published only(MessageType type) const;  // fails the test where there is not exactly one
  template <class Wanted>
  std::vector<Wanted> wanted() const {
    std::vector<Wanted> found;
    for (const auto& action : actions) {
      if (const auto* one = std::get_if<Wanted>(&action)) found.push_back(*one);
    }
    return found;
  }
  void clear() { actions.clear(); }

  EdgeNode node;
  Time now{std::chrono::sys_days(std::chrono::year(2026) / 3 / 1)};
  std::vector<Action> actions;

 private:
  void collect();
};

// A stage whose node is connected and, where it has a primary host "fettle", has seen it online.
Stage online(EdgeConfig config);

}  // namespace fettle::sparkplug::edge
