// From readings to episodes and work orders: entitlement, occurrences, evidence, identity, and what ticks do.

#include <gtest/gtest.h>

#include "tests/gateway/engine/contents.h"
#include "tests/gateway/engine/tape.h"

namespace fettle::engine::trial {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

class Rules : public testing::Test {
 protected:
  void plant() { tape.catalog(kStart, whole_plant()); }
  // The same with another set of rules in pack care.
  void plant(std::string_view rules) { tape.catalog(kStart, whole_plant() + pack_text(2, rules)); }
  void temperature(Time at, std::string_view value) { tape.reading(at, "a", "temperature", value); }
  // Readings of one value every minute over [from, to].
  void hold(Time from, Time to, std::string_view value) {
    for (Time at = from; at <= to; at += minutes(1)) temperature(at, value);
  }
  void run() { run(one_batch()); }
  void run(const Cuts& cuts) {
    store = store::MemoryStore();
    answers = play_all(store, tape, cuts);
  }
  const EpisodeRow& episode() const { return store.episodes().begin()->second; }
  const WorkOrderRow& order() const { return store.work_orders().begin()->second; }

  Tape tape;
  store::MemoryStore store;
  std::vector<Engine::Answer> answers;
};

TEST_F(Rules, AnEpisodeNamesItsRuleItsTimesAndItsParameters) {
  plant();
  hold(kStart, kStart + minutes(4), "79");
  hold(kStart + minutes(5), kStart + minutes(20), "90");
  hold(kStart + minutes(21), kStart + minutes(22), "70");
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().asset, "a");
  EXPECT_EQ(episode().pack, "care");
  EXPECT_EQ(episode().pack_version, 1U);
  EXPECT_EQ(episode().rule, "hot");
  EXPECT_EQ(episode().title, "Too hot");
  EXPECT_EQ(episode().condition, "temperature > limit");
  EXPECT_EQ(episode().parameters, "limit = 80 degC");
  EXPECT_EQ(episode().since, kStart + minutes(5));
  EXPECT_EQ(episode().raised_at, kStart + minutes(15));
  EXPECT_EQ(episode().raised_sequence, 17U);  // 1 catalog, then the minutes 0 to 15
  EXPECT_EQ(episode().cleared_at, kStart + minutes(21));
  EXPECT_EQ(episode().clear_reason, "condition");
  EXPECT_EQ(episode().work_order, order().id);
}

TEST_F(Rules, AnAssetsOwnParameterIsWhatCountsAndWhatIsShown) {
  plant();
  tape.catalog(kStart, R"(entries { asset { id: "a" model: "press/m1" customer: "c" site: "c/hall"
                          parameters { key: "care/hot.limit" value: "95 degC" } } })");
  hold(kStart, kStart + minutes(20), "90");
  hold(kStart + minutes(21), kStart + minutes(40), "96");
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().since, kStart + minutes(21));
  EXPECT_EQ(episode().parameters, "limit = 95 degC");
}

TEST_F(Rules, AWorkOrderIsProposedAndOpenedByTheSubscription) {
  plant();
  hold(kStart, kStart + minutes(10), "90");
  run();
  ASSERT_EQ(store.work_orders().size(), 1U);
  EXPECT_EQ(order().state, "open");
  EXPECT_EQ(order().priority, "P3");
  EXPECT_EQ(order().customer, "c");
  EXPECT_EQ(order().site, "c/hall");
  EXPECT_EQ(order().failure_mode, "OHE");
  EXPECT_EQ(order().action, "Clean the cooler");
  EXPECT_EQ(order().details, R"({"skills":["cooling"],"parts":[{"part":"filter","quantity":2}],"checklist":["look"]})");
  EXPECT_EQ(order().raised_at, kStart + minutes(10));
  EXPECT_EQ(order().due_at, kStart + minutes(10) + hours(120));
  EXPECT_EQ(order().occurrences, 1U);
  EXPECT_EQ(order().entitlement, "included: plan full by subscription sub");
  ASSERT_EQ(store.work_order_events().size(), 2U);
  const WorkOrderEventRow& proposed = store.work_order_events().at({order().id, 1});
  EXPECT_EQ(proposed.from + ">" + proposed.to, ">proposed");
  EXPECT_EQ(proposed.actor, "care/hot");
  EXPECT_EQ(proposed.reason, "episode " + episode().id);
  const WorkOrderEventRow& opened = store.work_order_events().at({order().id, 2});
  EXPECT_EQ(opened.from + ">" + opened.to, "proposed>open");
  EXPECT_EQ(opened.actor, "entitlement");
}

TEST_F(Rules, WhatComesAgainWhileTheOrderLivesIsAnOccurrenceOfIt) {
  plant();
  for (int times = 0; times < 3; ++times) {
    hold(kStart + hours(times), kStart + hours(times) + minutes(12), "90");
    temperature(kStart + hours(times) + minutes(13), "20");
  }
  run();
  EXPECT_EQ(store.episodes().size(), 3U);
  ASSERT_EQ(store.work_orders().size(), 1U);
  EXPECT_EQ(order().occurrences, 3U);
  EXPECT_EQ(store.work_order_events().size(), 2U);
  for (const auto& [id, row] : store.episodes()) EXPECT_EQ(row.work_order, order().id);
}

TEST_F(Rules, ClosingTheOrderFreesTheRuleForANewOne) {
  plant();
  hold(kStart, kStart + minutes(12), "90");
  temperature(kStart + minutes(13), "20");
  run();
  const std::string first = order().id;
  tape.close_order(kStart + minutes(30), first);
  tape.close_order(kStart + minutes(31), first);
  hold(kStart + hours(1), kStart + hours(1) + minutes(12), "90");
  run();
  ASSERT_EQ(store.work_orders().size(), 2U);
  EXPECT_EQ(store.work_orders().at(first).state, "closed");
  EXPECT_EQ(store.work_orders().at(first).closed_at, kStart + minutes(30));
  EXPECT_EQ(store.work_order_events().at({first, 3}).actor, "ann");
  EXPECT_EQ(store.work_order_events().at({first, 3}).reason, "done");
  ASSERT_EQ(answers.size(), 3U);
  EXPECT_TRUE(answers[1].outcome.ok);
  EXPECT_FALSE(answers[2].outcome.ok);
  EXPECT_NE(answers[2].outcome.text.find("no live work order has the id " + first), std::string::npos);
}

TEST_F(Rules, ThePriorityOfALiveOrderOnlyRises) {
  plant(hot_rule("temperature > limit", "P3"));
  const auto again = [&](int hour) {
    hold(kStart + hours(hour), kStart + hours(hour) + minutes(12), "90");
    temperature(kStart + hours(hour) + minutes(13), "20");
  };
  again(0);
  tape.catalog(kStart + minutes(30), pack_text(3, hot_rule("temperature > limit", "P1")));
  again(1);
  run();
  EXPECT_EQ(order().priority, "P1");
  tape.catalog(kStart + minutes(90), pack_text(4, hot_rule("temperature > limit", "P4")));
  again(2);
  run();
  EXPECT_EQ(order().priority, "P1");
  EXPECT_EQ(order().occurrences, 3U);
}

TEST_F(Rules, NothingIsRaisedOutsideOfTheSubscription) {
  tape.catalog(kStart, model_text() + parties_text("UTC") + asset_text("a") + pack_text() + plan_text() +
                           subscription_text("sub", "a", kStart + hours(2), ms(kStart + hours(3))));
  hold(kStart, kStart + minutes(30), "90");
  run();
  EXPECT_TRUE(store.episodes().empty());
  hold(kStart + hours(4), kStart + hours(5), "90");
  run();
  EXPECT_TRUE(store.episodes().empty());
}

TEST_F(Rules, EntitlementIsTestedAtTheEventTimeNotAtTheTimeOfReceiving) {
  tape.catalog(kStart, model_text() + parties_text("UTC") + asset_text("a") + pack_text() + plan_text() +
                           subscription_text("sub", "a", kStart, ms(kStart + hours(1))));
  for (int minute = 0; minute <= 15; ++minute) {
    tape.telemetry(kStart + hours(20), "a", json_of(kStart + minutes(minute), "temperature", "90"));
  }
  run();
  EXPECT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(order().state, "open");
}

TEST_F(Rules, TheEndOfTheSubscriptionClosesTheEpisodeAndLeavesTheOrder) {
  tape.catalog(kStart, model_text() + parties_text("UTC") + asset_text("a") + pack_text() + plan_text() +
                           subscription_text("sub", "a", kStart, ms(kStart + hours(1))));
  hold(kStart, kStart + minutes(59), "90");
  temperature(kStart + minutes(61), "90");
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().cleared_at, kStart + hours(1));
  EXPECT_EQ(episode().clear_reason, "not_entitled");
  EXPECT_EQ(order().state, "open");
}

TEST_F(Rules, EvidenceIsEveryReadingOfTheRulesSignalsInItsSpanWhileTheyFit) {
  plant();
  tape.reading(kStart, "a", "pulse", "0.1");  // of no interest to the rule
  hold(kStart + minutes(1), kStart + minutes(15), "90");
  run();
  ASSERT_EQ(episode().evidence.size(), 11U);
  EXPECT_EQ(episode().evidence.front().time, kStart + minutes(1));
  EXPECT_EQ(episode().evidence.back().time, kStart + minutes(11));
  EXPECT_EQ(episode().evidence.back().signal, "temperature");
  EXPECT_EQ(episode().evidence.back().value, 90);
}

TEST_F(Rules, EvidenceIsThinnedToItsBoundWithTheFirstAndTheLast) {
  plant();
  const Time first = kStart + seconds(1);
  for (Time at = first; at <= kStart + minutes(11); at += seconds(1)) temperature(at, "90");
  run();
  const auto& evidence = episode().evidence;
  ASSERT_EQ(evidence.size(), Maintenance::kMaxEvidence);
  EXPECT_EQ(evidence.front().time, first);
  EXPECT_EQ(evidence.back().time, first + minutes(10));
  for (std::size_t i = 1; i < evidence.size(); ++i) EXPECT_LT(evidence[i - 1].time, evidence[i].time);
}

TEST_F(Rules, EvidenceOfAStateIsItsTextAndBeginsWithWhatHeldBefore) {
  plant(R"(rules { id: "hot" model: "press/m1" for_ms: 600000
           when { text: "temperature > 80 degC && mode == \"night\"" line: 1 column: 1 } })");
  tape.reading(kStart, "a", "mode", "\"night\"");
  hold(kStart + hours(3), kStart + hours(3) + minutes(10), "90");
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_TRUE(store.work_orders().empty());
  const auto& evidence = episode().evidence;
  const auto state = std::find_if(evidence.begin(), evidence.end(), [](const auto& p) { return p.signal == "mode"; });
  ASSERT_NE(state, evidence.end());
  EXPECT_EQ(state->state, "night");
  EXPECT_EQ(state->time, kStart);
}

TEST_F(Rules, IdsComeFromContentOnly) {
  plant();
  hold(kStart, kStart + minutes(10), "90");
  run();
  const std::string episode_id = episode().id;
  const std::string order_id = order().id;
  EXPECT_EQ(episode_id, content_id("EP-", "care", "hot", "a", kStart + minutes(10)));
  EXPECT_EQ(order_id, content_id("WO-", "care", "hot", "a", kStart + minutes(10)));

  // The same readings later in another journal, after other assets and other orders.
  Tape other;
  other.catalog(kStart + hours(9), whole_plant());
  for (int minute = 0; minute <= 10; ++minute) {
    other.telemetry(kStart + hours(9), "b", json_of(kStart + minutes(minute), "temperature", "99"));
  }
  for (int minute = 0; minute <= 10; ++minute) {
    other.telemetry(kStart + hours(9), "a", json_of(kStart + minutes(minute), "temperature", "90"));
  }
  store::MemoryStore second;
  play_all(second, other, every(3));
  EXPECT_TRUE(second.episodes().contains(episode_id));
  EXPECT_TRUE(second.work_orders().contains(order_id));
}

TEST(ContentId, DiffersWhereverItsPartsDiffer) {
  const std::string id = content_id("EP-", "pack", "rule", "asset", kStart);
  EXPECT_EQ(id.size(), 15U);
  EXPECT_EQ(id, content_id("EP-", "pack", "rule", "asset", kStart));
  EXPECT_NE(id, content_id("WO-", "pack", "rule", "asset", kStart));
  EXPECT_NE(id, content_id("EP-", "packr", "ule", "asset", kStart));
  EXPECT_NE(id, content_id("EP-", "pack", "rule", "asset", kStart + std::chrono::milliseconds(1)));
}

// ---- ticks -------------------------------------------------------------------------------------------------------

TEST_F(Rules, AnOnDelayIsCompletedByTicks) {
  plant();
  temperature(kStart, "90");
  tape.ticks(kStart + seconds(1), kStart + minutes(12), seconds(7));
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().raised_at, kStart + minutes(10)) << "dated by the rule, not by the tick that noticed it";
}

TEST_F(Rules, TicksDoNotCarryAnOnDelayBeyondTheGapAValueHolds) {
  plant(R"(rules { id: "hot" model: "press/m1" for_ms: 960000 when { text: "temperature > 80 degC" } })");
  temperature(kStart, "90");
  tape.ticks(kStart, kStart + hours(3), seconds(30));
  run();
  EXPECT_TRUE(store.episodes().empty()) << "16 min of delay, and a value holds 15";
}

TEST_F(Rules, AClockThatRunsBehindIsMovedByTheTimeThatPassedNotToTheGatewaysTime) {
  plant();
  tape.telemetry(kStart + hours(1), "a", json_of(kStart, "temperature", "90"));
  tape.tick(kStart + hours(1) + minutes(9));
  run();
  EXPECT_TRUE(store.episodes().empty());
  tape.tick(kStart + hours(1) + minutes(10));
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().raised_at, kStart + minutes(10));
}

TEST_F(Rules, TimeStandsStillWhileTheSessionIsDown) {
  plant();
  tape.session_up(kStart);
  temperature(kStart, "90");
  tape.tick(kStart + minutes(4));
  tape.session_down(kStart + minutes(5));
  tape.ticks(kStart + minutes(6), kStart + hours(2), minutes(1));
  tape.session_up(kStart + hours(2));
  tape.tick(kStart + hours(2) + minutes(4) + seconds(59));
  run();
  EXPECT_TRUE(store.episodes().empty());
  tape.tick(kStart + hours(2) + minutes(5));
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().raised_at, kStart + minutes(10));
}

TEST_F(Rules, ASecondUpOrDownChangesNothing) {
  plant();
  temperature(kStart, "90");
  tape.session_down(kStart + minutes(5));
  tape.session_down(kStart + minutes(8));
  tape.session_up(kStart + hours(1));
  tape.session_up(kStart + hours(1) + minutes(1));
  tape.tick(kStart + hours(1) + minutes(5));
  run();
  EXPECT_EQ(store.episodes().size(), 1U);
}

TEST_F(Rules, TicksDoNotMoveTheClockOfDevicesThatUploadInBatches) {
  tape.catalog(kStart, whole_plant() + model_text("", "BATCH"));
  temperature(kStart, "90");
  tape.ticks(kStart, kStart + hours(3), minutes(1));
  run();
  EXPECT_TRUE(store.episodes().empty());
  tape.telemetry(kStart + hours(3), "a", json_of(kStart + minutes(11), "temperature", "90"));
  run();
  EXPECT_EQ(store.episodes().size(), 1U);
}

TEST_F(Rules, SilenceIsNoticedByTicks) {
  plant(R"(rules { id: "silent" model: "press/m1" when { text: "absent(temperature, 30m) " }
           work_order { priority: "P4" } })");
  temperature(kStart, "20");
  tape.ticks(kStart, kStart + minutes(29), minutes(1));
  run();
  EXPECT_TRUE(store.episodes().empty());
  tape.ticks(kStart + minutes(29), kStart + minutes(40), minutes(1));
  temperature(kStart + minutes(41), "20");
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().raised_at, kStart + minutes(30));
  EXPECT_EQ(episode().cleared_at, kStart + minutes(41));
}

TEST_F(Rules, TheBrokersSilenceIsNotTheAssets) {
  plant(R"(rules { id: "silent" model: "press/m1" when { text: "absent(temperature, 30m) " } })");
  temperature(kStart, "20");
  tape.session_down(kStart + minutes(10));
  tape.ticks(kStart + minutes(10), kStart + hours(5), minutes(5));
  tape.session_up(kStart + hours(5));
  tape.tick(kStart + hours(5) + minutes(19));
  run();
  EXPECT_TRUE(store.episodes().empty());
  tape.tick(kStart + hours(5) + minutes(20));
  run();
  EXPECT_EQ(store.episodes().size(), 1U);
}

}  // namespace
}  // namespace fettle::engine::trial
