// Events on their way to other systems: in order, at least once, through lost connections, without waiting.

#include "gateway/mqtt/event_publisher.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <numeric>

#include "tests/gateway/mqtt/listener.h"
#include "tests/gateway/mqtt/session_stage.h"

namespace fettle::mqtt_adapter {
namespace {

using e2e::Broker;
using e2e::until;
using testing::Listener;
using testing::SessionStage;

// The ids that were delivered, as the publisher told them.
class Ledger {
 public:
  EventPublisher::Delivered note() {
    return [this](std::uint64_t id) {
      const std::scoped_lock lock(mutex_);
      ids_.push_back(id);
    };
  }
  std::vector<std::uint64_t> ids() const {
    const std::scoped_lock lock(mutex_);
    return ids_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> ids_;
};

std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> ids(last - first + 1);
  std::iota(ids.begin(), ids.end(), first);
  return ids;
}

EventOptions options_for(const Broker& broker) {
  EventOptions options;
  options.broker = broker.uri();
  options.client_id = "fettle-events";
  return options;
}

const std::string kTopic = std::string(kEventTopic) + "raised";

// The numbers a listener heard as payloads.
std::vector<std::uint64_t> numbers(const Listener& listener) {
  std::vector<std::uint64_t> found;
  for (const std::string& line : listener.heard()) {
    EXPECT_TRUE(line.starts_with("0 1 " + kTopic + ' ')) << line;
    found.push_back(std::stoull(line.substr(line.rfind(' ') + 1)));
  }
  return found;
}

TEST(EventPublisher, PublishesInOrderAndTellsWhatWasDelivered) {
  SessionStage stage;
  const Broker broker(stage.folder() / "broker");
  const Listener listener(broker.port(), "fettle/v1/events/#", stage.folder() / "heard");
  Ledger ledger;
  EventPublisher publisher(options_for(broker), ledger.note(), stage.log());
  // Offered before there is a session, and while it comes up: nothing is lost.
  for (std::uint64_t id = 1; id <= 500; ++id) ASSERT_TRUE(publisher.offer(id, kTopic, std::to_string(id)));
  publisher.start();
  for (std::uint64_t id = 501; id <= 2'000; ++id) ASSERT_TRUE(publisher.offer(id, kTopic, std::to_string(id)));
  ASSERT_TRUE(until([&] { return ledger.ids().size() == 2'000; })) << stage.all_logged();
  ASSERT_TRUE(until([&] { return numbers(listener).size() == 2'000; }));
  EXPECT_EQ(ledger.ids(), from_to(1, 2'000));
  EXPECT_EQ(numbers(listener), from_to(1, 2'000)) << "each once, in order, since no connection was lost";
  const auto counts = publisher.counts();
  EXPECT_EQ(counts.published, 2'000U);
  EXPECT_EQ(counts.delivered, 2'000U);
  EXPECT_EQ(counts.queued, 0U);
  publisher.stop();
}

TEST(EventPublisher, WhatWasNotAcknowledgedIsPublishedAgainInOrder) {
  SessionStage stage;
  Broker broker(stage.folder() / "broker");
  Ledger ledger;
  EventPublisher publisher(options_for(broker), ledger.note(), stage.log());
  publisher.start();
  ASSERT_TRUE(publisher.offer(1, kTopic, "1"));
  ASSERT_TRUE(until([&] { return ledger.ids().size() == 1; })) << stage.all_logged();
  for (int round = 0; round < 3; ++round) {
    broker.kill();
    const std::uint64_t before = 1 + static_cast<std::uint64_t>(round) * 300;
    for (std::uint64_t id = before + 1; id <= before + 300; ++id) {
      ASSERT_TRUE(publisher.offer(id, kTopic, std::to_string(id)));
    }
    ASSERT_TRUE(until([&] { return !publisher.connected(); }));
    broker.start();
    const Listener listener(broker.port(), "fettle/v1/events/#", stage.folder() / ("heard-" + std::to_string(round)));
    ASSERT_TRUE(until([&] { return ledger.ids().size() == before + 300; })) << stage.all_logged();
  }
  EXPECT_EQ(ledger.ids(), from_to(1, 901)) << "each told once";
  EXPECT_GE(publisher.counts().connections, 4U);
  publisher.stop();
}

TEST(EventPublisher, KilledInTheMiddleOfAFlowTheBrokerStillGetsEveryEventInOrder) {
  SessionStage stage;
  Broker broker(stage.folder() / "broker");
  Ledger ledger;
  EventPublisher publisher(options_for(broker), ledger.note(), stage.log());
  publisher.start();
  constexpr std::uint64_t kEvents = 6'000;
  std::uint64_t offered = 0;
  for (; offered < kEvents / 2; ++offered)
    ASSERT_TRUE(publisher.offer(offered + 1, kTopic, std::to_string(offered + 1)));
  ASSERT_TRUE(until([&] { return ledger.ids().size() > 200; })) << stage.all_logged();
  broker.kill();
  const std::size_t acknowledged = ledger.ids().size();
  broker.start();
  const Listener listener(broker.port(), "fettle/v1/events/#", stage.folder() / "heard");
  for (; offered < kEvents; ++offered) ASSERT_TRUE(publisher.offer(offered + 1, kTopic, std::to_string(offered + 1)));
  ASSERT_TRUE(until([&] { return ledger.ids().size() == kEvents; })) << stage.all_logged();
  EXPECT_EQ(ledger.ids(), from_to(1, kEvents));
  EXPECT_GE(acknowledged, 200U);
  // The second half, which the listener cannot have missed, in order; repeats begin earlier, never out of order.
  ASSERT_TRUE(until([&] {
    const auto heard = numbers(listener);
    return !heard.empty() && heard.back() == kEvents;
  }));
  const auto heard = numbers(listener);
  EXPECT_TRUE(std::is_sorted(heard.begin(), heard.end()));
  EXPECT_EQ(std::adjacent_find(heard.begin(), heard.end()), heard.end());
  const auto half = std::lower_bound(heard.begin(), heard.end(), kEvents / 2 + 1);
  EXPECT_EQ(std::vector<std::uint64_t>(half, heard.end()), from_to(kEvents / 2 + 1, kEvents));
  publisher.stop();
}

TEST(EventPublisher, TakesNoMoreThanItsBoundAndNothingOverLong) {
  SessionStage stage;
  EventOptions options;
  options.broker = "tcp://127.0.0.1:1";
  options.client_id = "nobody";
  options.max_queued = 3;
  EventPublisher publisher(
      options, [](std::uint64_t) {}, stage.log());
  EXPECT_FALSE(publisher.offer(9, kTopic, std::string(EventPublisher::kMaxPayload + 1, 'x')));
  for (std::uint64_t id = 1; id <= 3; ++id) EXPECT_TRUE(publisher.offer(id, kTopic, "x"));
  EXPECT_FALSE(publisher.offer(4, kTopic, "x"));
  EXPECT_EQ(publisher.counts().queued, 3U);
}

TEST(EventPublisher, EndsWhetherThereIsABrokerOrNot) {
  SessionStage stage;
  EventOptions options;
  options.broker = "tcp://127.0.0.1:1";
  options.client_id = "nobody";
  EventPublisher publisher(
      options, [](std::uint64_t) {}, stage.log());
  publisher.start();
  ASSERT_TRUE(until([&] { return stage.logged("nothing answers at 127.0.0.1 port 1"); })) << stage.all_logged();
  publisher.stop();
  publisher.stop();
}

// A figure for the report, with a bound so wide that only a poll would break it: Paho's receive thread sleeps up to
// 100 ms, its sender must not.
TEST(EventPublisher, PublishesAtOnceAlsoAfterAWhileOfSilence) {
  SessionStage stage;
  const Broker broker(stage.folder() / "broker");
  const Listener listener(broker.port(), "fettle/v1/events/#", stage.folder() / "heard");
  Ledger ledger;
  EventPublisher publisher(options_for(broker), ledger.note(), stage.log());
  publisher.start();
  ASSERT_TRUE(until([&] { return publisher.connected(); })) << stage.all_logged();
  std::vector<double> latencies;
  for (std::uint64_t id = 1; id <= 20; ++id) {
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_TRUE(publisher.offer(id, kTopic, std::to_string(id)));
    ASSERT_TRUE(until([&] { return numbers(listener).size() == id; }));
    latencies.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    ASSERT_TRUE(until([&] { return ledger.ids().size() == id; }));
  }
  std::sort(latencies.begin(), latencies.end());
  std::cout << "offer to listener: median " << latencies[10] << " ms, longest " << latencies[19]
            << " ms (the test looks every 5 ms)\n";
  EXPECT_LT(latencies[10], 100.0);
  publisher.stop();
}

}  // namespace
}  // namespace fettle::mqtt_adapter
