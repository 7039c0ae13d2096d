// Sequence numbers: what waits, what heals, what is lost, and when a rebirth is asked for.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/messages.h"

namespace fettle::sparkplug::testing {
namespace {

// NDATA of n1 with Speed = its sequence number.
P data(std::uint64_t seq, std::int64_t stamp = 950) {
  return {seq, stamp, {M::aliased(1).number(static_cast<double>(seq))}};
}

Host born(const HostOptions& options = {}) {
  Host host(options);
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  return host;
}

TEST(Order, NumbersRunOverAllMessagesOfANodeAndWrap) {
  COVERS("payloads-sequence-num-incrementing", "payloads-sequence-num-always-included", "topics-ndata-seq-num",
         "topics-ddata-seq-num", "topics-dbirth-seq", "topics-ddeath-seq-num", "payloads-ndata-seq-inc",
         "payloads-ddata-seq-inc", "payloads-dbirth-seq-inc", "payloads-ddeath-seq-inc", "payloads-ndata-seq",
         "payloads-ddata-seq", "payloads-dbirth-seq", "message-flow-device-birth-publish-dbirth-payload-seq");
  Host host = born();
  host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 901));
  for (std::uint64_t i = 2; i < 600; ++i) {
    const std::string told =
        i % 2 == 0 ? host.send(Host::topic("NDATA"), data(i % 256))
                   : host.send(Host::topic("DDATA", "n1", "d1"), P(i % 256, 950, {M::aliased(11).number(1)}));
    ASSERT_EQ(told.find("gap"), std::string::npos) << i << ": " << told;
    ASSERT_NE(told.find("data"), std::string::npos) << i << ": " << told;
  }
}

TEST(Order, AMessageOutOfOrderWaitsAndIsAppliedInOrderWhenTheMissingOneComes) {
  COVERS("operational-behavior-host-reordering-start", "operational-behavior-host-reordering-success");
  Host host = born();
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(2)), "gap plant/n1 opened 1 got 2 missing 1");
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(3)), "");
  host.now += 1'999;
  EXPECT_EQ(
      host.send(Host::topic("NDATA"), data(1)),
      "data plant/n1 Speed=1@950; gap plant/n1 healed 1 got 2 missing 1; data plant/n1 Speed=2@950; data plant/n1 "
      "Speed=3@950");
  EXPECT_EQ(host.tick(600'000), "") << "the timer was stopped";
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(4)), "data plant/n1 Speed=4@950");
  EXPECT_EQ(host.nodes.waiting_bytes(), 0u);
}

TEST(Order, WhatWaitedSaysWhereItCameFrom) {
  Host host = born();
  host.send(Host::topic("NDATA"), data(2));
  host.now += 500;
  host.send(Host::topic("NDATA"), data(1));
  ASSERT_EQ(host.out.events.size(), 3u);
  const Event& waited = host.out.events[2];
  EXPECT_EQ(waited.origin.sequence, 2u) << "its own journal record";
  EXPECT_EQ(waited.origin.received, Time(std::chrono::milliseconds(1'000)));
  EXPECT_EQ(waited.origin.topic, Host::topic("NDATA"));
  EXPECT_EQ(waited.origin.hash, std::hash<std::string>()(data(2).bytes()));
  EXPECT_EQ(host.out.events[0].origin.sequence, 3u);
}

TEST(Order, AfterTheTimeoutWhatWaitedIsHistoryAndOneRebirthIsAskedFor) {
  COVERS("operational-behavior-host-reordering-rebirth");
  Host host = born();
  host.send(Host::topic("NDATA"), data(3));
  host.send(Host::topic("NDATA"), data(4));
  EXPECT_EQ(host.tick(1'999), "");
  EXPECT_EQ(
      host.tick(1),
      "gap plant/n1 lost 1 got 3 missing 2; data plant/n1 Speed=3@950~; data plant/n1 Speed=4@950~; rebirth plant/n1 "
      "gap");
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(5)), "data plant/n1 Speed=5@950") << "in order again";
  EXPECT_EQ(host.nodes.counters().messages_lost, 2u);
}

TEST(Order, TheTimeoutIsAnOptionAndZeroMeansNotToWait) {
  COVERS("operational-behavior-host-reordering-param");
  HostOptions options;
  options.reorder_timeout = std::chrono::milliseconds(30'000);
  Host patient = born(options);
  patient.send(Host::topic("NDATA"), data(2));
  EXPECT_EQ(patient.tick(29'999), "");
  EXPECT_NE(patient.tick(1), "");

  options.reorder_timeout = std::chrono::milliseconds(0);
  Host brisk = born(options);
  EXPECT_EQ(
      brisk.send(Host::topic("NDATA"), data(2)),
      "gap plant/n1 opened 1 got 2 missing 1; gap plant/n1 lost 1 got 2 missing 1; data plant/n1 Speed=2@950; rebirth "
      "plant/n1 gap");
  EXPECT_EQ(brisk.send(Host::topic("NDATA"), data(3)), "data plant/n1 Speed=3@950");
}

TEST(Order, AnyMessageThatArrivesAfterTheTimeoutEndsTheWait) {
  Host host = born();
  host.send(Host::topic("NDATA"), data(2));
  host.now += 2'000;
  EXPECT_EQ(host.send(Host::topic("NBIRTH", "n2"), Host::birth(0, 900)),
            "gap plant/n1 lost 1 got 2 missing 1; data plant/n1 Speed=2@950~; rebirth plant/n1 gap; discovered "
            "plant/n2; born "
            "plant/n2 after absence; data plant/n2 birth Speed=1.5@900 Count=7@900");
}

TEST(Order, ASecondGapBehindTheFirstIsWaitedForInTurn) {
  Host host = born();
  host.send(Host::topic("NDATA"), data(2));
  host.send(Host::topic("NDATA"), data(4));
  host.now += 1'000;
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(1)),
            "data plant/n1 Speed=1@950; gap plant/n1 healed 1 got 2 missing 1; data plant/n1 Speed=2@950; gap plant/n1 "
            "opened 3 got 4 missing 1");
  EXPECT_EQ(host.tick(1'000), "gap plant/n1 lost 3 got 4 missing 1; data plant/n1 Speed=4@950~; rebirth plant/n1 gap")
      << "no message waits longer than the timeout";
}

TEST(Order, AWideGapNarrowsUntilItIsClosed) {
  Host host = born();
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(4)), "gap plant/n1 opened 1 got 4 missing 3");
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(1)), "data plant/n1 Speed=1@950");
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(3)), "");
  EXPECT_EQ(
      host.send(Host::topic("NDATA"), data(2)),
      "data plant/n1 Speed=2@950; gap plant/n1 healed 1 got 3 missing 1; data plant/n1 Speed=3@950; data plant/n1 "
      "Speed=4@950");
}

TEST(Order, TheSameMessageTwiceCountsOnce) {
  Host host = born();
  host.send(Host::topic("NDATA"), data(1));
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(1)), "");
  host.send(Host::topic("NDATA"), data(3));
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(3)), "") << "also while it waits";
  EXPECT_EQ(host.nodes.counters().duplicates, 2u);
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(2)),
            "data plant/n1 Speed=2@950; gap plant/n1 healed 2 got 3 missing 1; data plant/n1 Speed=3@950");
}

TEST(Order, AMessageOfALostGapThatComesAfterAllIsHistory) {
  Host host = born();
  host.send(Host::topic("NDATA"), data(2));
  host.tick(2'000);
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(1)), "data plant/n1 Speed=1@950~");
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(3)), "data plant/n1 Speed=3@950");
}

TEST(Order, BirthsAndDeathsOfDevicesWaitLikeData) {
  Host host = born();
  EXPECT_EQ(host.send(Host::topic("DDATA", "n1", "d1"), P(2, 951, {M::aliased(11).number(3)})),
            "discovered plant/n1/d1; gap plant/n1 opened 1 got 2 missing 1");
  EXPECT_EQ(host.send(Host::topic("DDEATH", "n1", "d1"), P(3, 952)), "");
  EXPECT_EQ(host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 950)),
            "born plant/n1/d1 after absence; data plant/n1/d1 birth Temperature=20.5@950; gap plant/n1 healed 1 got 2 "
            "missing "
            "1; data plant/n1/d1 Temperature=3@951; died plant/n1/d1 @952");
}

TEST(Order, WhatWaitsBeforeABirthOrDeathIsHistoryOfTheSessionThatEnds) {
  Host host = born();
  host.send(Host::topic("NDATA"), data(2));
  EXPECT_EQ(
      host.send(Host::topic("NBIRTH"), Host::birth(0, 1'000)),
      "gap plant/n1 lost 1 got 2 missing 1; data plant/n1 Speed=2@950~; born plant/n1 rebirth; data plant/n1 birth "
      "Speed=1.5@1000 Count=7@1000")
      << "and no rebirth is asked for";
  host.send(Host::topic("NDATA"), data(2, 1'001));
  EXPECT_EQ(host.send(Host::topic("NDEATH"), Host::death(0)),
            "gap plant/n1 lost 1 got 2 missing 1; data plant/n1 Speed=2@1001~; died plant/n1 @1000");
  EXPECT_EQ(host.tick(600'000), "");
}

TEST(Order, DataThatARebirthOvertookIsHistory) {
  Host host = born();
  host.now = 5'000;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 5'000));
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(1, 4'999)), "data plant/n1 Speed=1@4999~")
      << "its number would be next, its time says it is from before";
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(1, 5'001)), "data plant/n1 Speed=1@5001");
  host.now = 7'001;
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(2, 4'998)), "data plant/n1 Speed=2@4998")
      << "later on, a clock that was set back must not cost data";
}

TEST(Order, DataThatARebirthOvertookIsNotReadWithAliasesThatChanged) {
  Host host = born();
  host.now = 5'000;
  P birth = Host::birth(0, 5'000);
  birth.payload.mutable_metrics(2)->set_alias(2);
  birth.payload.mutable_metrics(3)->set_alias(1);
  host.send(Host::topic("NBIRTH"), birth);
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(1, 4'999)), "refused overtaken");
}

// ---- bounds of the buffer

TEST(Order, ABufferThatIsFullWaitsNoLonger) {
  struct Row {
    const char* title;
    HostOptions options;
  };
  Row rows[] = {{"messages", {}}, {"bytes", {}}, {"bytes of all nodes", {}}};
  rows[0].options.max_waiting_messages = 2;
  rows[1].options.max_waiting_bytes = 2 * (data(2).bytes().size() + Host::topic("NDATA").size());
  rows[2].options.max_waiting_bytes_all = rows[1].options.max_waiting_bytes;
  for (const Row& row : rows) {
    Host host = born(row.options);
    host.send(Host::topic("NDATA"), data(2));
    EXPECT_EQ(host.send(Host::topic("NDATA"), data(3)), "") << row.title;
    EXPECT_EQ(
        host.send(Host::topic("NDATA"), data(5)),
        "gap plant/n1 lost 1 got 2 missing 2; data plant/n1 Speed=2@950~; data plant/n1 Speed=3@950~; data plant/n1 "
        "Speed=5@950~; rebirth plant/n1 gap")
        << row.title;
    EXPECT_EQ(host.nodes.waiting_bytes(), 0u) << row.title;
  }
}

TEST(Order, TwoMessagesOfOneNumberCannotBothBeWaitedFor) {
  Host host = born();
  host.send(Host::topic("NDATA"), data(2));
  const std::string told = host.send(Host::topic("NDATA"), P(2, 951, {M::aliased(1).number(9)}));
  EXPECT_EQ(told,
            "gap plant/n1 lost 1 got 2 missing 1; data plant/n1 Speed=2@950~; rebirth plant/n1 gap; data plant/n1 "
            "Speed=9@951~")
      << "neither is lost";
}

// ---- rebirth requests

TEST(Rebirths, AreRepeatedAtGrowingIntervalsUntilABirthComes) {
  Host host = born();
  std::vector<std::int64_t> asked;
  host.send(Host::topic("NDATA"), data(2));
  for (int i = 0; i < 4'000; ++i) {
    if (host.tick(500).find("rebirth") != std::string::npos) asked.push_back(host.now);
  }
  ASSERT_GE(asked.size(), 8u);
  for (std::size_t i = 1; i < asked.size(); ++i) {
    const std::int64_t interval = std::min<std::int64_t>(5'000LL << (i - 1), 300'000);
    EXPECT_GE(asked[i] - asked[i - 1], interval);
    EXPECT_LE(asked[i] - asked[i - 1], interval + interval / 2 + 500);
  }
  host.send(Host::topic("NBIRTH"), Host::birth(0, host.now));
  EXPECT_EQ(host.tick(3'600'000), "");
}

TEST(Rebirths, AreNoMoreFrequentWhenTroubleFollowsEachBirth) {
  Host host = born();
  int requests = 0;
  for (int i = 0; i < 3'600; ++i) {  // an hour; the node is born at once and then sends what no birth explains
    host.now += 1'000;
    const std::string told = host.send(Host::topic("NDATA"), P(1, host.now, {M::aliased(99).number(1)}));
    if (told.find("rebirth ") != std::string::npos) ++requests;
    host.send(Host::topic("NBIRTH"), Host::birth(0, host.now));
  }
  EXPECT_GE(requests, 10);
  EXPECT_LE(requests, 40);
}

TEST(Rebirths, OfManyNodesAreSpread) {
  Host host;
  std::vector<std::int64_t> second(200, 0);
  for (std::size_t i = 0; i < second.size(); ++i) host.send(Host::topic("NDATA", "n" + std::to_string(i)), data(5));
  std::size_t most_at_once = 0;
  for (int i = 0; i < 100; ++i) {
    host.tick(100);
    most_at_once = std::max(most_at_once, host.out.events.size());
  }
  EXPECT_EQ(host.nodes.counters().rebirth_requests, 400u) << "each was asked twice";
  EXPECT_LE(most_at_once, 30u);
}

TEST(Rebirths, OfANodeThatDiedAreForgotten) {
  Host host = born();
  host.send(Host::topic("NDATA"), data(2));
  host.tick(2'000);
  host.send(Host::topic("NDEATH"), Host::death(0));
  EXPECT_EQ(host.tick(3'600'000), "");
  EXPECT_FALSE(host.nodes.next_due());
}

// ---- a law

// Whatever order messages arrive in, as long as it is in time and within the bounds: the same samples in the same
// order.
TEST(Order, OfArrivalChangesNothingWithinTheTimeout) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    std::vector<std::uint64_t> numbers(100);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i + 1;
    constexpr std::size_t kReach = 9;  // how far a message may move
    for (std::size_t i = 0; i + kReach < numbers.size(); i += kReach) {
      std::shuffle(numbers.begin() + static_cast<std::ptrdiff_t>(i),
                   numbers.begin() + static_cast<std::ptrdiff_t>(i + kReach), random);
    }
    Host host = born();
    std::string all;
    const auto send = [&](std::uint64_t number) {
      host.send(Host::topic("NDATA"), data(number));
      for (const Event& event : host.out.events) {
        EXPECT_NE(event.kind, EventKind::rebirth_request) << "seed " << seed;
        if (event.kind == EventKind::data) all += std::to_string(host.out.samples[event.first_sample].number) + ' ';
      }
    };
    for (const std::uint64_t number : numbers) {
      host.now += 5;
      if (random() % 4 == 0) send(number);  // sometimes twice
      send(number);
    }
    std::string expected;
    for (std::size_t i = 1; i <= numbers.size(); ++i) expected += std::to_string(static_cast<double>(i)) + ' ';
    ASSERT_EQ(all, expected) << "seed " << seed;
  }
}

}  // namespace
}  // namespace fettle::sparkplug::testing
