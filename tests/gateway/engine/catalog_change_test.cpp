// The catalog changes while telemetry comes in: what keeps its state, what starts anew, what ends.

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/gateway/engine/contents.h"
#include "tests/gateway/engine/tape.h"

namespace fettle::engine::trial {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

class CatalogChange : public testing::Test {
 protected:
  CatalogChange() { tape.catalog(kStart, whole_plant()); }

  void hold(Time from, Time to, std::string_view value) {
    for (Time at = from; at <= to; at += minutes(1)) tape.reading(at, "a", "temperature", value);
  }
  void run() {
    store = store::MemoryStore();
    Engine engine(store, lookups());
    engine.start().value();
    play(engine, tape, one_batch(), tape.last());
    ASSERT_TRUE(engine.checkpoint());
    reports = engine.take_reports();
  }
  // After a restart at every record as well.
  void expect_same_after_restarts() {
    store::MemoryStore restarted;
    for (Sequence to = 1; to <= tape.last(); ++to) {
      Engine engine(restarted, lookups());
      engine.start().value();
      play(engine, tape, at_random(static_cast<std::uint32_t>(to / 9)), to);
    }
    play_all(restarted, tape, one_batch());
    EXPECT_EQ(difference(contents_of(store), contents_of(restarted)), "");
  }
  const EpisodeRow& episode() const { return store.episodes().begin()->second; }

  Tape tape;
  store::MemoryStore store;
  std::vector<std::string> reports;
};

TEST_F(CatalogChange, AnUnchangedRuleKeepsItsDelay) {
  hold(kStart, kStart + minutes(5), "90");
  tape.catalog(kStart + minutes(5), asset_text("z"));
  hold(kStart + minutes(6), kStart + minutes(10), "90");
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().since, kStart);
  EXPECT_TRUE(reports.empty());
  expect_same_after_restarts();
}

TEST_F(CatalogChange, AnOpenEpisodeSurvivesAndIsClearedLater) {
  hold(kStart, kStart + minutes(15), "90");
  tape.catalog(kStart + minutes(15), pack_text(2, hot_rule("temperature > limit", "P2")));
  hold(kStart + minutes(16), kStart + minutes(17), "20");
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().cleared_at, kStart + minutes(16));
  EXPECT_EQ(episode().pack_version, 1U) << "the version that raised it";
  EXPECT_FALSE(episode().evidence.empty());
  expect_same_after_restarts();
}

TEST_F(CatalogChange, ARuleOfAnotherMeaningStartsAnewAndItsEpisodeEnds) {
  hold(kStart, kStart + minutes(15), "90");
  tape.catalog(kStart + minutes(15), pack_text(2, hot_rule("mean(temperature, 2h) > limit", "P2")));
  hold(kStart + minutes(16), kStart + minutes(17), "20");
  run();
  ASSERT_EQ(reports.size(), 2U) << "one for each asset";
  EXPECT_EQ(reports[0], "rule care/hot on asset a changed its meaning: its state starts anew");
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().cleared_at, kStart + minutes(15));
  EXPECT_EQ(episode().clear_reason, "rule_changed");
  EXPECT_EQ(store.work_orders().begin()->second.state, "open");
  expect_same_after_restarts();
}

TEST_F(CatalogChange, ARuleThatLeavesThePackClosesItsEpisode) {
  hold(kStart, kStart + minutes(15), "90");
  tape.catalog(kStart + minutes(15), pack_text(2, ""));
  hold(kStart + minutes(16), kStart + minutes(17), "90");
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().cleared_at, kStart + minutes(15));
  EXPECT_EQ(episode().clear_reason, "not_entitled");
  expect_same_after_restarts();
}

TEST_F(CatalogChange, AnAssetTakenOutOfTheSubscriptionLosesItsEpisodes) {
  hold(kStart, kStart + minutes(15), "90");
  tape.catalog(kStart + minutes(15), subscription_text("sub", "b", kStart - hours(240), 0));
  hold(kStart + minutes(16), kStart + minutes(17), "90");
  run();
  ASSERT_EQ(store.episodes().size(), 1U);
  EXPECT_EQ(episode().clear_reason, "not_entitled");
  EXPECT_EQ(episode().cleared_at, kStart + minutes(15));
  expect_same_after_restarts();
}

TEST_F(CatalogChange, SignalsAreFoundAgainByNameWhateverTheirPlace) {
  tape.reading(kStart, "a", "energy", "10");
  tape.reading(kStart, "a", "mode", "\"night\"");
  hold(kStart, kStart + minutes(5), "90");
  tape.catalog(kStart + minutes(5), model_text(R"( signals { name: "humidity" unit: "1" kind: GAUGE } )", "LIVE"));
  hold(kStart + minutes(6), kStart + minutes(10), "90");
  tape.reading(kStart + minutes(20), "a", "energy", "12");
  tape.reading(kStart + minutes(20), "a", "pulse", "0.5");
  tape.reading(kStart + minutes(20), "a", "humidity", "50");
  tape.telemetry(kStart + minutes(20), "a", json_of(kStart, "energy", "10"));
  run();
  EXPECT_EQ(store.counters().duplicates, 1U);
  EXPECT_EQ(store.counters().quarantined, 0U);
  EXPECT_EQ(store.all_usage().at({"a", "drawn", "", kStart}).quantity, 200);
  EXPECT_EQ(store.all_usage().at({"a", "pulsed", "night", kStart}).quantity, 5);
  const auto series = store.load_series().value();
  EXPECT_EQ(series.size(), 5U);
  expect_same_after_restarts();
}

TEST_F(CatalogChange, WhatALaterAssetSaidBeforeItsDeclarationIsProcessedThen) {
  tape.reading(kStart, "late", "temperature", "20");
  tape.catalog(kStart + minutes(1), asset_text("late"));
  tape.reading(kStart + minutes(2), "late", "temperature", "21");
  run();
  EXPECT_EQ(store.counters().quarantined, 0U);
  EXPECT_EQ(store.reading_count(), 2U);
  expect_same_after_restarts();
}

TEST_F(CatalogChange, AnEndThatIsMovedLeavesNoUsageInCellsThatAreNoMore) {
  const Time first_end = kStart + minutes(20);
  const Time last_end = kStart + minutes(40);
  tape.telemetry(kStart + hours(1), "a", json_of(kStart, "energy", "10"));
  tape.telemetry(kStart + hours(1), "a", json_of(kStart + minutes(50), "energy", "15"));
  for (int minute = 5; minute < 60; minute += 10) {
    tape.telemetry(kStart + hours(1), "a", json_of(kStart + minutes(minute), "pulse", "1"));
  }
  tape.catalog(kStart + hours(1), subscription_text("sub", "a", kStart - hours(240), ms(first_end)));
  tape.make_checkpoint(kStart + hours(1));
  tape.catalog(kStart + hours(1), subscription_text("sub", "a", kStart - hours(240), ms(last_end)));
  run();
  std::map<std::string, std::int64_t> sums;
  for (const auto& [key, row] : store.all_usage()) sums[key.meter] += row.quantity;
  EXPECT_EQ(sums["drawn"], 500);
  EXPECT_EQ(sums["pulsed"], 60);
  EXPECT_EQ(store.all_usage().at({"a", "pulsed", "", kStart}).quantity, 40);
  EXPECT_EQ(store.all_usage().at({"a", "pulsed", "", last_end}).quantity, 20);
  EXPECT_EQ(store.all_usage().at({"a", "pulsed", "", first_end}).quantity, 0);
  expect_same_after_restarts();
}

TEST_F(CatalogChange, WhatCannotBeResolvedIsTold) {
  tape.catalog(kStart, parties_text("No/Where") + pack_text(2, hot_rule("nothing > limit", "P1")) +
                           R"(entries { asset { id: "odd" model: "ghost" } })");
  run();
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_EQ(reports[0], "customer c: no time zone \"No/Where\"; UTC stands in");
  EXPECT_TRUE(reports[1].starts_with("rule care/hot: "));
  EXPECT_EQ(reports[2], "asset odd: no model ghost");
}

}  // namespace
}  // namespace fettle::engine::trial
