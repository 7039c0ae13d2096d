// Sparkplug nodes into the engine: which signals they feed, what waits after a rejoin, what is unknown, lost,
// unclaimed.

#include <gtest/gtest.h>

#include <random>

#include "gateway/sparkplug/payload.pb.h"
#include "tests/gateway/engine/contents.h"
#include "tests/gateway/engine/tape.h"

namespace fettle::engine::trial {
namespace {

using sparkplug::wire::Metric;
using sparkplug::wire::Payload;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint32_t kDouble = 10;
constexpr std::uint32_t kString = 12;
constexpr std::uint32_t kInt64 = 4;
constexpr std::uint32_t kInt32 = 3;

Metric number(std::string_view name, Time at, double value) {
  Metric metric;
  metric.set_name(std::string(name));
  metric.set_timestamp(static_cast<std::uint64_t>(ms(at)));
  metric.set_datatype(kDouble);
  metric.set_double_value(value);
  return metric;
}

Metric text(std::string_view name, Time at, std::string_view value) {
  Metric metric = number(name, at, 0);
  metric.set_datatype(kString);
  metric.set_string_value(std::string(value));
  return metric;
}

Metric historical(Metric metric) {
  metric.set_is_historical(true);
  return metric;
}

Metric null(std::string_view name, Time at) {
  Metric metric = number(name, at, 0);
  metric.clear_value();
  metric.set_is_null(true);
  return metric;
}

Metric bad(Metric metric) {
  metric.mutable_properties()->add_keys("Quality");
  auto& quality = *metric.mutable_properties()->add_values();
  quality.set_type(kInt32);
  quality.set_int_value(0);
  return metric;
}

// Node n of group g with device d, writing onto a tape.
class Edge {
 public:
  explicit Edge(Tape& tape) : tape_(&tape) {}

  void node_birth(Time at) {
    Payload payload;
    Metric& bd_seq = *payload.add_metrics();
    bd_seq.set_name("bdSeq");
    bd_seq.set_datatype(kInt64);
    bd_seq.set_long_value(bd_seq_);
    seq_ = 0;
    send(at, "NBIRTH", false, payload, true);
  }
  void device_birth(Time at, std::vector<Metric> metrics) { data(at, "DBIRTH", std::move(metrics)); }
  void data(Time at, std::vector<Metric> metrics) { data(at, "DDATA", std::move(metrics)); }
  void device_death(Time at) { data(at, "DDEATH", {}); }
  void node_death(Time at) {
    Payload payload;
    Metric& bd_seq = *payload.add_metrics();
    bd_seq.set_name("bdSeq");
    bd_seq.set_datatype(kInt64);
    bd_seq.set_long_value(bd_seq_++);
    send(at, "NDEATH", false, payload, false);
  }
  void lose_one() { seq_ = (seq_ + 1) % 256; }

  void session(Time at, bool up) {
    std::string body;
    encode(journal::Session{up, "broker"}, body);
    tape_->append(journal::Kind::session, at, std::move(body));
  }

 private:
  void data(Time at, std::string_view type, std::vector<Metric> metrics) {
    Payload payload;
    for (Metric& metric : metrics) *payload.add_metrics() = std::move(metric);
    send(at, type, true, payload, true);
  }
  void send(Time at, std::string_view type, bool device, Payload& payload, bool sequenced) {
    payload.set_timestamp(static_cast<std::uint64_t>(ms(at)));
    if (sequenced) {
      payload.set_seq(seq_);
      seq_ = (seq_ + 1) % 256;
    }
    const std::string bytes = payload.SerializeAsString();
    const std::string topic = "spBv1.0/g/" + std::string(type) + (device ? "/n/d" : "/n");
    std::string body;
    encode(journal::SparkplugMessage{"broker", {static_cast<std::uint32_t>(bytes.size()), topic, bytes}}, body);
    tape_->append(journal::Kind::sparkplug, at, std::move(body));
  }

  Tape* tape_;
  std::uint64_t seq_ = 0;
  std::uint64_t bd_seq_ = 0;
};

std::string fed_asset(std::string_view id) {
  return R"(entries { asset { id: ")" + std::string(id) +
         R"(" model: "press/m1" customer: "c" site: "c/hall" sources: "g/n/d" commissioned_ms: )" +
         std::to_string(ms(kStart - std::chrono::days(10))) + " } }\n";
}

std::string plant_with(std::string_view priority) {
  return model_text() + parties_text("UTC") + fed_asset("a") + pack_text(1, hot_rule("temperature > limit", priority)) +
         plan_text() + subscription_text("sub", "a", kStart - std::chrono::days(9), 0);
}

class Sparkplug : public testing::Test {
 protected:
  Sparkplug() : edge(tape) {}
  void plant(std::string_view priority = "P3") { tape.catalog(kStart, plant_with(priority)); }
  // Births, and the wait for a past that is none.
  void joined(Time at) {
    edge.session(at, true);
    edge.node_birth(at);
    edge.device_birth(at, all(at, 20));
    tape.ticks(at + seconds(1), at + seconds(12), seconds(1));
  }
  static std::vector<Metric> all(Time at, double temperature, double energy = 100) {
    return {number("temperature", at, temperature), number("energy", at, energy), number("pulse", at, 0.5),
            number("stroke", at, 1), text("mode", at, "day")};
  }
  void run(const Cuts& cuts = one_batch()) {
    store = store::MemoryStore();
    play_all(store, tape, cuts);
  }
  std::size_t readings_of(std::string_view signal) {
    std::size_t count = 0;
    for (const SeriesRow& row : store.load_series().value()) {
      if (row.signal == signal) count += store.readings(row.id, Time::min(), Time::max(), ~Sequence{0}).value().size();
    }
    return count;
  }
  std::int64_t usage(std::string_view meter) {
    std::int64_t sum = 0;
    for (const auto& [key, row] : store.all_usage()) sum += key.meter == meter ? row.quantity : 0;
    return sum;
  }

  Tape tape;
  store::MemoryStore store;
  Edge edge;
};

TEST_F(Sparkplug, ADeviceFeedsTheSignalsOfTheAssetThatNamesIt) {
  plant();
  joined(kStart);
  edge.data(kStart + seconds(20),
            {number("energy", kStart + seconds(20), 100.5), number("pulse", kStart + seconds(19), 2)});
  run();
  EXPECT_EQ(readings_of("energy"), 2U);
  EXPECT_EQ(readings_of("temperature"), 1U);
  EXPECT_EQ(usage("drawn"), 50);
  EXPECT_EQ(usage("pulsed"), 20);
  EXPECT_EQ(store.counters().quarantined, 0U);
}

TEST_F(Sparkplug, ABirthRepeatsWhatIsAndIsNoEvent) {
  plant();
  joined(kStart);
  edge.node_birth(kStart + seconds(30));
  edge.device_birth(kStart + seconds(30), all(kStart + seconds(30), 21));
  run();
  EXPECT_EQ(readings_of("pulse"), 0U);
  EXPECT_EQ(usage("strokes"), 0);
  EXPECT_EQ(readings_of("temperature"), 2U);
}

TEST_F(Sparkplug, AfterARejoinThePastIsAppliedBeforeTheNow) {
  plant();
  joined(kStart);
  const Time back = kStart + minutes(60);
  edge.node_death(kStart + minutes(1));
  edge.node_birth(back);
  edge.device_birth(back, all(back, 20, 102.99));
  edge.data(back + seconds(1), {number("energy", back + seconds(1), 103)});
  for (int minute = 2; minute < 60; ++minute) {
    const Time then = kStart + minutes(minute);
    edge.data(back + seconds(2), {historical(number("energy", then, 100 + minute * 0.05)),
                                  historical(number("temperature", then, minute > 20 && minute < 40 ? 90 : 30))});
  }
  tape.ticks(back + seconds(3), back + seconds(20), seconds(1));
  run();
  EXPECT_EQ(usage("drawn"), 300);
  EXPECT_EQ(store.counters().late, 0U);
  // It was hot for twenty minutes and is no longer: that is on record, and nobody has to go there.
  ASSERT_EQ(store.episodes().size(), 1U);
  const EpisodeRow& episode = store.episodes().begin()->second;
  EXPECT_EQ(episode.raised_at, kStart + minutes(31));
  EXPECT_EQ(episode.cleared_at, kStart + minutes(40));
  EXPECT_TRUE(store.work_orders().empty());
}

TEST_F(Sparkplug, AnEpisodeThatIsStillOpenWhenThePastIsInAsksForWork) {
  plant();
  joined(kStart);
  const Time back = kStart + minutes(40);
  edge.node_death(kStart + minutes(1));
  edge.node_birth(back);
  edge.device_birth(back, all(back, 90));
  for (int minute = 2; minute < 40; ++minute) {
    edge.data(back + seconds(2), {historical(number("temperature", kStart + minutes(minute), minute > 20 ? 90 : 30))});
  }
  tape.ticks(back + seconds(3), back + seconds(20), seconds(1));
  run();
  ASSERT_EQ(store.work_orders().size(), 1U);
  EXPECT_EQ(store.work_orders().begin()->second.raised_at, kStart + minutes(31));
}

TEST_F(Sparkplug, APriorityOneRuleDoesNotWaitForThePast) {
  plant("P1");
  joined(kStart);
  const Time back = kStart + minutes(40);
  edge.node_death(kStart + minutes(1));
  edge.node_birth(back);
  edge.device_birth(back, all(back, 90));
  // The node goes on flushing, so its readings are held; twelve minutes of live heat.
  for (int half = 0; half < 24; ++half) {
    const Time now = back + seconds(30 * half + 1);
    for (int step = 0; step < 6; ++step) {
      edge.data(now + seconds(5 * step),
                {number("temperature", now + seconds(5 * step), 90),
                 historical(number("energy", kStart + minutes(2) + seconds(half * 6 + step), 101))});
    }
  }
  run();
  ASSERT_EQ(store.work_orders().size(), 1U);
  EXPECT_EQ(store.work_orders().begin()->second.raised_at, back + minutes(10));
  EXPECT_EQ(readings_of("energy"), 1U);  // the rest still waits
}

TEST_F(Sparkplug, ASignalIsUnknownToRulesFromTheDeathOfItsNodeOn) {
  plant();
  joined(kStart);
  const Time hot = kStart + seconds(30);
  edge.data(hot, {number("temperature", hot, 90)});
  edge.node_death(hot + minutes(1));
  tape.ticks(hot + minutes(2), hot + minutes(30), minutes(1));
  run();
  EXPECT_TRUE(store.episodes().empty());
}

TEST_F(Sparkplug, ALostBrokerMakesSignalsUnknownToo) {
  plant();
  joined(kStart);
  const Time hot = kStart + seconds(30);
  edge.data(hot, {number("temperature", hot, 90)});
  edge.session(hot + minutes(1), false);
  edge.session(hot + minutes(2), true);
  tape.ticks(hot + minutes(2), hot + minutes(30), minutes(1));
  run();
  EXPECT_TRUE(store.episodes().empty());
}

TEST_F(Sparkplug, NullIsUnknownAndBadIsKeptButNeverMetered) {
  plant();
  joined(kStart);
  const Time at = kStart + seconds(30);
  edge.data(at, {number("temperature", at, 90), bad(number("energy", at, 500))});
  edge.data(at + minutes(1), {null("temperature", at + minutes(1))});
  tape.ticks(at + minutes(2), at + minutes(30), minutes(1));
  edge.data(at + minutes(30), {number("energy", at + minutes(30), 101)});
  run();
  EXPECT_TRUE(store.episodes().empty());
  EXPECT_EQ(readings_of("temperature"), 2U);
  EXPECT_EQ(readings_of("energy"), 3U);
  EXPECT_EQ(usage("drawn"), 100);
}

TEST_F(Sparkplug, AStateIsItsTextOrItsPosition) {
  plant();
  joined(kStart);
  const Time at = kStart + seconds(30);
  Metric position = number("mode", at, 0);
  position.set_datatype(kInt32);
  position.set_int_value(1);
  edge.data(at, {position});
  edge.data(at + seconds(1), {number("pulse", at + seconds(1), 3)});
  edge.data(at + seconds(2), {text("mode", at + seconds(2), "broken")});
  run();
  ASSERT_EQ(store.quarantine().size(), 1U);
  EXPECT_EQ(store.quarantine().begin()->second.reason, "unknown_state");
  for (const auto& [key, row] : store.all_usage()) {
    if (key.meter == "pulsed") {
      EXPECT_EQ(key.band, "night");
    }
  }
}

TEST_F(Sparkplug, AMissingMessageAsksForARebirthAndStandsInTheLedger) {
  plant();
  joined(kStart);
  const Time at = kStart + seconds(30);
  edge.lose_one();
  edge.data(at, {number("energy", at, 100.5)});
  tape.ticks(at + seconds(1), at + seconds(6), seconds(1));
  Engine engine(store, lookups());
  engine.start().value();
  play(engine, tape, one_batch(), tape.last());
  const auto requests = engine.take_rebirth_requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].broker, "broker");
  EXPECT_EQ(requests[0].group, "g");
  EXPECT_EQ(requests[0].node, "n");
  engine.commit().value();
  ASSERT_FALSE(store.losses().empty());
  const LossRow& loss = store.losses().rbegin()->second;
  EXPECT_EQ(loss.kind, "gap");
  EXPECT_EQ(loss.state, "lost");
  EXPECT_EQ(loss.messages, 1U);
  // What arrived is history, and the register heals.
  EXPECT_EQ(usage("drawn"), 0);  // open usage is written with a checkpoint
  engine.checkpoint().value();
  EXPECT_EQ(usage("drawn"), 50);
}

TEST_F(Sparkplug, AnOfflineSpellAndWhatRefilledItStandInTheLedger) {
  plant();
  joined(kStart);
  edge.node_death(kStart + minutes(1));
  const Time back = kStart + minutes(10);
  edge.node_birth(back);
  edge.device_birth(back, all(back, 20));
  edge.data(back + seconds(1), {historical(number("energy", kStart + minutes(5), 101))});
  tape.ticks(back + seconds(2), back + seconds(20), seconds(1));
  run();
  ASSERT_EQ(store.losses().size(), 1U);
  const LossRow& loss = store.losses().begin()->second;
  EXPECT_EQ(loss.node, "g/n");
  EXPECT_EQ(loss.kind, "offline");
  EXPECT_EQ(loss.state, "over");
  EXPECT_EQ(loss.from, kStart + minutes(1));
  EXPECT_EQ(loss.to, back);
  EXPECT_EQ(loss.refilled, 1U);
}

TEST_F(Sparkplug, WhatAnUnclaimedDeviceSentIsProcessedOnceItIsClaimed) {
  tape.catalog(kStart, model_text() + parties_text("UTC") + pack_text() + plan_text());
  joined(kStart);
  for (int minute = 1; minute <= 10; ++minute) {
    const Time at = kStart + minutes(minute);
    edge.data(at, {number("energy", at, 100 + minute), number("pulse", at, 1)});
  }
  run();
  EXPECT_EQ(store.counters().readings, 0U);
  ASSERT_FALSE(store.discovered().empty());
  EXPECT_EQ(store.discovered().begin()->second.source, "g/n/d");  // the node itself says nothing
  EXPECT_TRUE(store.discovered().contains({"g/n/d", "energy"}));

  tape.catalog(kStart + minutes(11), fed_asset("a") + subscription_text("sub", "a", kStart - std::chrono::days(9), 0));
  run();
  EXPECT_EQ(usage("drawn"), 1000);
  EXPECT_EQ(usage("pulsed"), 100);
  EXPECT_FALSE(store.discovered().contains({"g/n/d", "energy"}));
}

TEST_F(Sparkplug, ASignalThatTheModelLearnsLaterGetsWhatWasSent) {
  plant();
  joined(kStart);
  const Time at = kStart + seconds(30);
  edge.node_birth(at);
  std::vector<Metric> metrics = all(at, 20);
  metrics.push_back(number("vibration", at, 1));
  edge.device_birth(at, metrics);
  edge.data(at + seconds(1), {number("vibration", at + seconds(1), 2.5)});
  run();
  EXPECT_TRUE(store.discovered().contains({"g/n/d", "vibration"}));
  tape.catalog(at + minutes(1), model_text(R"( signals { name: "vibration" unit: "mm/s" kind: GAUGE })", "LIVE"));
  run();
  EXPECT_EQ(readings_of("vibration"), 2U);
  EXPECT_FALSE(store.discovered().contains({"g/n/d", "vibration"}));
}

TEST_F(Sparkplug, TheSameJournalGivesTheSameHoweverItIsCutAndWhereverItStops) {
  for (std::uint32_t seed = 1; seed <= 25; ++seed) {
    tape = Tape();
    edge = Edge(tape);
    plant();
    joined(kStart);
    std::minstd_rand random(seed);
    Time now = kStart + seconds(20);
    bool online = true;
    double energy = 100;
    std::vector<Metric> buffered;
    for (int step = 0; step < 400; ++step) {
      now += seconds(1 + random() % 20);
      tape.tick(now);
      energy += 0.01;
      std::vector<Metric> metrics{number("energy", now, energy),
                                  number("temperature", now, 60 + static_cast<double>(random() % 40)),
                                  number("pulse", now, 0.5)};
      const auto dice = random() % 100;
      if (!online) {
        for (Metric& metric : metrics) buffered.push_back(historical(std::move(metric)));
        if (dice < 20) {
          online = true;
          edge.node_birth(now);
          edge.device_birth(now, all(now, 70));
          while (!buffered.empty()) {
            const std::size_t some = std::min<std::size_t>(buffered.size(), 1 + random() % 10);
            edge.data(now, {buffered.begin(), buffered.begin() + static_cast<std::ptrdiff_t>(some)});
            buffered.erase(buffered.begin(), buffered.begin() + static_cast<std::ptrdiff_t>(some));
          }
        }
      } else if (dice < 4) {
        edge.lose_one();
      } else if (dice < 8) {
        edge.node_death(now);
        online = false;
      } else if (dice < 10) {
        edge.session(now, false);
        edge.session(now, true);
      } else {
        edge.data(now, std::move(metrics));
      }
    }
    run();
    const auto expected = contents_of(store);
    EXPECT_GT(store.counters().readings, 200U);

    store::MemoryStore cut;
    play_all(cut, tape, at_random(seed));
    EXPECT_EQ(difference(expected, contents_of(cut)), "") << "seed " << seed;

    // Ended without a word at some record, and again at another.
    store::MemoryStore stopped;
    for (const Sequence stop : {tape.last() / 3, tape.last() / 2, tape.last()}) {
      Engine engine(stopped, lookups());
      engine.start().value();
      play(engine, tape, at_random(seed + 1), stop);
    }
    play_all(stopped, tape, at_random(seed + 2));
    EXPECT_EQ(difference(expected, contents_of(stopped)), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace fettle::engine::trial
