// The delivery machine, driven by hand: no broker, no socket, no time but the one given.

#include "firmware-sim/delivery.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace fettle::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

DeliveryLimits limits(std::size_t inflight) {
  DeliveryLimits chosen;
  chosen.inflight = inflight;
  return chosen;
}

Message message(int number) {
  return {MessageKind::kTelemetry, "t", std::to_string(number), {}};
}

// Plays the part of publisher and broker for messages 1 .. total.
class Driver {
 public:
  Driver(std::size_t inflight, int total) : machine(limits(inflight), now), left_(total) {}

  // Steps until the machine waits, is finished or gives up; records what it published.
  DeliveryStep run() {
    for (;;) {
      DeliveryStep step = machine.next(now);
      if (const auto* publish = std::get_if<Publish>(&step)) {
        published.push_back(publish->message->payload);
        EXPECT_EQ(std::to_string(publish->sequence), publish->message->payload);
      } else if (std::holds_alternative<NeedMessage>(step)) {
        if (given_ == left_) {
          machine.no_more_messages();
        } else {
          machine.offer(message(++given_));
        }
      } else {
        return step;
      }
    }
  }

  void connect() {
    ASSERT_TRUE(std::holds_alternative<Connect>(run()));
    machine.on_connected(now);
  }

  // As a broker that comes back: waits out the pause before the next attempt.
  void reconnect() {
    now += seconds(2);
    connect();
  }

  std::vector<std::string> take_published() { return std::exchange(published, {}); }

  Instant now{};
  Delivery machine;
  std::vector<std::string> published;

 private:
  int given_ = 0;
  int left_;
};

using Texts = std::vector<std::string>;

TEST(Delivery, NothingIsPublishedBeforeTheConnection) {
  Driver driver(3, 5);
  EXPECT_TRUE(std::holds_alternative<Connect>(driver.run()));
  EXPECT_TRUE(std::holds_alternative<Wait>(driver.run()));
  EXPECT_TRUE(driver.published.empty());
}

TEST(Delivery, TheWindowBoundsWhatIsUnacknowledged) {
  Driver driver(3, 5);
  driver.connect();
  EXPECT_TRUE(std::holds_alternative<Wait>(driver.run()));
  EXPECT_EQ(driver.take_published(), (Texts{"1", "2", "3"}));
  driver.machine.on_acknowledged(1);
  driver.run();
  EXPECT_EQ(driver.take_published(), (Texts{"4"}));
}

TEST(Delivery, FinishedOnlyWhenEverythingIsAcknowledged) {
  Driver driver(10, 2);
  driver.connect();
  EXPECT_TRUE(std::holds_alternative<Wait>(driver.run()));
  driver.machine.on_acknowledged(1);
  EXPECT_TRUE(std::holds_alternative<Wait>(driver.run()));
  driver.machine.on_acknowledged(2);
  EXPECT_TRUE(std::holds_alternative<Finished>(driver.run()));
  EXPECT_EQ(driver.machine.counts().sent, 2u);
  EXPECT_EQ(driver.machine.counts().acknowledged, 2u);
}

TEST(Delivery, TheUnacknowledgedGoFirstAndInOrderOnTheNextConnection) {
  Driver driver(4, 6);
  driver.connect();
  driver.run();
  driver.machine.on_acknowledged(1);
  driver.run();
  EXPECT_EQ(driver.take_published(), (Texts{"1", "2", "3", "4", "5"}));
  driver.machine.on_connection_lost(driver.now, "gone");
  driver.reconnect();
  driver.run();
  EXPECT_EQ(driver.take_published(), (Texts{"2", "3", "4", "5"}));
  driver.machine.on_acknowledged(2);
  driver.run();
  EXPECT_EQ(driver.take_published(), (Texts{"6"}));
  EXPECT_EQ(driver.machine.counts().resent, 4u);
  EXPECT_EQ(driver.machine.counts().sent, 6u);
  EXPECT_EQ(driver.machine.counts().connections, 2u);
}

TEST(Delivery, ALateAcknowledgementOfTheOldConnectionSparesARepeat) {
  Driver driver(4, 4);
  driver.connect();
  driver.run();
  driver.take_published();
  driver.machine.on_connection_lost(driver.now, "gone");
  driver.machine.on_acknowledged(1);
  driver.machine.on_acknowledged(3);
  driver.reconnect();
  driver.run();
  EXPECT_EQ(driver.take_published(), (Texts{"2", "4"}));
}

TEST(Delivery, AcknowledgementsInAnyOrderCountOnce) {
  Driver driver(4, 4);
  driver.connect();
  driver.run();
  for (const Sequence sequence : {3, 3, 1, 99, 0, 4, 1, 2, 2}) driver.machine.on_acknowledged(sequence);
  EXPECT_EQ(driver.machine.counts().acknowledged, 4u);
  EXPECT_TRUE(std::holds_alternative<Finished>(driver.run()));
}

TEST(Delivery, AConnectionLostWhileResendingStartsAgainFromTheOldest) {
  Driver driver(3, 3);
  driver.connect();
  driver.run();
  driver.take_published();
  driver.machine.on_connection_lost(driver.now, "gone");
  driver.reconnect();
  ASSERT_TRUE(std::holds_alternative<Publish>(driver.machine.next(driver.now)));  // the first of three
  driver.machine.on_connection_lost(driver.now, "gone");
  driver.reconnect();
  driver.run();
  EXPECT_EQ(driver.take_published(), (Texts{"1", "2", "3"}));
}

TEST(Delivery, ClockMessagesAreCountedApart) {
  Driver driver(3, 0);
  driver.connect();
  ASSERT_TRUE(std::holds_alternative<NeedMessage>(driver.machine.next(driver.now)));
  driver.machine.offer({MessageKind::kClock, "c", "{}", {}});
  driver.machine.next(driver.now);
  EXPECT_EQ(driver.machine.counts().sent, 0u);
  EXPECT_EQ(driver.machine.counts().clock_sent, 1u);
}

TEST(Delivery, AttemptsBackOffUpToTwoSeconds) {
  Driver driver(1, 1);
  std::vector<milliseconds> pauses;
  for (int attempt = 0; attempt < 7; ++attempt) {
    ASSERT_TRUE(std::holds_alternative<Connect>(driver.run()));
    driver.machine.on_connect_failed(driver.now, Refusal::kTemporary, "refused");
    const auto step = driver.run();
    ASSERT_TRUE(std::holds_alternative<Wait>(step));
    const Instant until = std::get<Wait>(step).until;
    pauses.push_back(std::chrono::duration_cast<milliseconds>(until - driver.now));
    driver.now = until;
  }
  std::vector<int> counts;
  for (const auto pause : pauses) counts.push_back(static_cast<int>(pause.count()));
  EXPECT_EQ(counts, (std::vector<int>{100, 200, 400, 800, 1600, 2000, 2000}));
}

TEST(Delivery, GivesUpAfterTheConnectTimeoutAndSaysWhy) {
  Driver driver(1, 1);
  ASSERT_TRUE(std::holds_alternative<Connect>(driver.run()));
  driver.machine.on_connect_failed(driver.now, Refusal::kTemporary, "refused");
  driver.now += milliseconds(9'999);
  EXPECT_TRUE(std::holds_alternative<Connect>(driver.run()));
  driver.now += milliseconds(1);
  const auto step = driver.run();
  ASSERT_TRUE(std::holds_alternative<GaveUp>(step));
  EXPECT_EQ(std::get<GaveUp>(step).why, "refused");
  EXPECT_EQ(std::get<GaveUp>(step).refusal, Refusal::kTemporary);
}

TEST(Delivery, GivesUpOnALostConnectionAfterItsOwnTime) {
  Driver driver(1, 2);
  driver.connect();
  driver.run();
  driver.machine.on_acknowledged(1);
  driver.now += std::chrono::hours(5);
  driver.machine.on_connection_lost(driver.now, "gone");
  driver.now += milliseconds(59'999);
  EXPECT_TRUE(std::holds_alternative<Connect>(driver.run()));
  driver.now += milliseconds(1);
  EXPECT_TRUE(std::holds_alternative<GaveUp>(driver.run()));
}

TEST(Delivery, ABrokerThatAcceptsAndDropsForEverIsGivenUp) {
  Driver driver(1, 2);
  driver.connect();
  driver.run();
  driver.machine.on_acknowledged(1);
  driver.machine.on_connection_lost(driver.now, "gone");
  int connections = 0;
  for (; connections < 1000; ++connections) {
    driver.now += seconds(2);
    if (!std::holds_alternative<Connect>(driver.run())) break;
    driver.machine.on_connected(driver.now);
    driver.run();
    driver.machine.on_connection_lost(driver.now, "dropped");
  }
  EXPECT_TRUE(std::holds_alternative<GaveUp>(driver.run()));
  EXPECT_EQ(connections, 29);
}

TEST(Delivery, WrongCredentialsEndTheFirstAttemptAtOnce) {
  Driver driver(1, 1);
  ASSERT_TRUE(std::holds_alternative<Connect>(driver.run()));
  driver.machine.on_connect_failed(driver.now, Refusal::kPermanent, "not authorized");
  const auto step = driver.run();
  ASSERT_TRUE(std::holds_alternative<GaveUp>(step));
  EXPECT_EQ(std::get<GaveUp>(step).refusal, Refusal::kPermanent);
}

TEST(Delivery, ARestartingBrokerMayRefuseForAWhile) {
  Driver driver(1, 1);
  driver.connect();
  driver.run();
  driver.machine.on_connection_lost(driver.now, "gone");
  driver.now += seconds(1);
  ASSERT_TRUE(std::holds_alternative<Connect>(driver.run()));
  driver.machine.on_connect_failed(driver.now, Refusal::kPermanent, "not authorized");
  EXPECT_TRUE(std::holds_alternative<Wait>(driver.run()));
}

// The law of the machine: whatever the network does, what arrives for the first time arrives complete and in order.
TEST(Delivery, WhateverTheNetworkDoesNothingIsLostOrOvertaken) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    constexpr int kTotal = 60;
    Delivery machine(limits(1 + seed % 9), Instant{});
    Instant now{};
    int given = 0;
    int first_arrivals = 0;
    std::vector<Sequence> on_the_wire;  // in order, of this connection
    bool finished = false;
    for (int round = 0; round < 20'000 && !finished; ++round) {
      now += milliseconds(100);
      // The broker takes the next message and acknowledges it; the acknowledgement may die with the connection.
      if (!on_the_wire.empty() && random() % 2 == 0) {
        const Sequence sequence = on_the_wire.front();
        on_the_wire.erase(on_the_wire.begin());
        if (sequence > static_cast<Sequence>(first_arrivals)) {
          ASSERT_EQ(sequence, static_cast<Sequence>(first_arrivals) + 1) << "overtaken or lost, seed " << seed;
          ++first_arrivals;
        }
        if (random() % 4 != 0) {
          machine.on_acknowledged(sequence);
        } else {
          machine.on_connection_lost(now, "cut");
          on_the_wire.clear();
        }
      }
      auto step = machine.next(now);
      if (std::holds_alternative<Connect>(step)) machine.on_connected(now);
      if (const auto* publish = std::get_if<Publish>(&step)) on_the_wire.push_back(publish->sequence);
      if (std::holds_alternative<NeedMessage>(step)) {
        if (given == kTotal) {
          machine.no_more_messages();
        } else {
          machine.offer(message(++given));
        }
      }
      ASSERT_FALSE(std::holds_alternative<GaveUp>(step)) << "seed " << seed;
      finished = std::holds_alternative<Finished>(step);
    }
    EXPECT_TRUE(finished) << "seed " << seed;
    EXPECT_EQ(first_arrivals, kTotal) << "seed " << seed;
  }
}

}  // namespace
}  // namespace fettle::sim
