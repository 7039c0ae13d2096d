// The way of readings that Sparkplug needs beyond what a direct device does: rules that do not wait, backlogs, readings
// that the device calls bad, readings that are not kept, and one clock per session.

#include "gateway/engine/intake.h"

#include <gtest/gtest.h>

#include <memory>

#include "gateway/store/memory/memory_store.h"
#include "tests/gateway/engine/plant.h"

namespace fettle::engine::trial {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint32_t kTemperature = 0;  // signals of press/m1
constexpr std::uint32_t kMode = 1;
constexpr std::uint32_t kPulse = 3;

// Rules `hot` (P3) and `burning` (P1), both on the temperature.
std::string two_rules() {
  std::string burning = hot_rule("temperature > limit", "P1");
  burning.replace(burning.find("\"hot\""), 5, "\"burning\"");
  return pack_text(2, hot_rule("temperature > limit", "P3") + burning);
}

class IntakeTest : public testing::Test {
 protected:
  IntakeTest()
      : registry(lookups()),
        history(store),
        metering(fold, store, history),
        maintenance(fold, history),
        intake(fold, history, metering, maintenance, [this](const AssetState&) { ++touched; }) {
    const catalog::CatalogChange change = catalog_of(whole_plant() + two_rules());
    EXPECT_TRUE(registry.apply({change.entries().begin(), change.entries().end()}).empty());
    asset.info = &registry.assets().at(*registry.asset_index("a"));
    asset.id = asset.info->id;
    asset.model = asset.info->model;
    asset.rule_list = asset.info->rule_list;
    asset.cuts = asset.info->cuts;
    asset.series.resize(asset.model->signals.size());
    asset.cells.resize(asset.model->cells);
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      if (asset.rule_list->sets[lane]) {
        asset.rules[lane] = std::make_unique<rules::AssetRules>(asset.rule_list->sets[lane]);
      }
    }
    history.begin_batch(1);
  }

  void send(Time at, Reading reading, Lanes lanes = Lanes::both, std::uint32_t session = Sessions::kDirect) {
    fold.now = std::max(fold.now, at);
    ++fold.folding;
    Origin origin(fold.folding, fold.now, session, "topic", std::string_view("payload"));
    intake.apply(asset, at, std::span(&reading, 1), origin, lanes);
  }
  void temperature(Time at, double value, Lanes lanes = Lanes::both) {
    send(at, {kTemperature, 0, value, 0, false}, lanes);
  }
  std::vector<std::string> raised() const {
    std::vector<std::string> rules;
    for (const EpisodeRow& row : fold.effects.episodes) {
      if (!row.cleared_at && !row.evidence.empty()) rules.push_back(row.rule);
    }
    return rules;
  }

  store::MemoryStore store;
  FoldState fold{};
  Registry registry;
  History history;
  Metering metering;
  Maintenance maintenance;
  Intake intake;
  AssetState asset;
  int touched = 0;
};

using Names = std::vector<std::string>;

TEST_F(IntakeTest, EveryRuleSeesReadingsThatDoNotWait) {
  for (int minute = 0; minute <= 10; ++minute) temperature(kStart + minutes(minute), 90);
  EXPECT_EQ(raised(), (Names{"hot", "burning"}));
  EXPECT_EQ(fold.effects.readings.size(), 11U);
  EXPECT_EQ(fold.effects.work_orders.size(), 2U);
}

TEST_F(IntakeTest, RulesOfPriorityOneSeeHeldReadingsAtOnceAndTheOthersWhenTheyAreLetGo) {
  for (int minute = 0; minute <= 10; ++minute) temperature(kStart + minutes(minute), 90, Lanes::urgent_only);
  EXPECT_EQ(raised(), Names{"burning"});
  EXPECT_TRUE(fold.effects.readings.empty());
  EXPECT_EQ(fold.counters.readings, 0U);
  ASSERT_EQ(fold.effects.episodes.front().evidence.size(), 1U);
  EXPECT_EQ(fold.effects.episodes.front().evidence.front().value, 90);
  for (int minute = 0; minute <= 10; ++minute) temperature(kStart + minutes(minute), 90, Lanes::patient_only);
  EXPECT_EQ(raised(), (Names{"burning", "hot"}));
  EXPECT_EQ(fold.effects.readings.size(), 11U);
  EXPECT_EQ(fold.counters.late, 0U);
}

TEST_F(IntakeTest, AnEpisodeThatBeganAndEndedInABacklogAsksForNoWork) {
  intake.begin_backlog(asset);
  for (int minute = 0; minute <= 12; ++minute) temperature(kStart + minutes(minute), 90);
  temperature(kStart + minutes(13), 20);
  intake.end_backlog(asset);
  EXPECT_EQ(raised(), (Names{"hot", "burning"}));
  EXPECT_TRUE(asset.open_episodes.empty());
  EXPECT_TRUE(fold.effects.work_orders.empty());
}

TEST_F(IntakeTest, AnEpisodeStillOpenWhenTheBacklogEndsAsksForWorkThen) {
  intake.begin_backlog(asset);
  for (int minute = 0; minute <= 12; ++minute) temperature(kStart + minutes(minute), 90);
  EXPECT_TRUE(fold.effects.work_orders.empty());
  intake.end_backlog(asset);
  ASSERT_EQ(fold.effects.work_orders.size(), 2U);
  EXPECT_EQ(fold.effects.work_orders.front().raised_at, kStart + minutes(10));
  EXPECT_EQ(fold.effects.episodes.back().work_order, fold.effects.work_orders.back().id);
  intake.end_backlog(asset);
  EXPECT_EQ(fold.effects.work_orders.size(), 2U) << "once";
}

TEST_F(IntakeTest, ABadReadingIsKeptToLookAtAndUnknownToEverythingElse) {
  for (int minute = 0; minute <= 5; ++minute) temperature(kStart + minutes(minute), 90);
  for (int minute = 6; minute <= 12; ++minute) send(kStart + minutes(minute), {kTemperature, 0, 90, kBad, false});
  send(kStart + minutes(12), {kPulse, 0, 5, kBad, false});
  EXPECT_TRUE(raised().empty()) << "unknown pauses the delay";
  EXPECT_EQ(fold.effects.readings.back().flags, kBad);
  EXPECT_EQ(asset.series[kTemperature].head, kStart + minutes(5));
  EXPECT_FALSE(asset.series[kPulse].spoken());
  metering.flush(asset);
  EXPECT_TRUE(fold.effects.usage.empty());
  EXPECT_TRUE(history.range(asset.series[kTemperature], kStart + minutes(6), kStart + minutes(20)).empty());
}

TEST_F(IntakeTest, BadReadingsInTheStoreDoNotComeBackAsHistory) {
  temperature(kStart, 20);
  send(kStart + minutes(1), {kTemperature, 0, 99, kBad, false});
  temperature(kStart + minutes(2), 21);
  fold.effects.first = 1;
  fold.effects.committed = fold.folding;
  ASSERT_TRUE(store.commit(fold.effects));
  history.begin_batch(fold.folding + 1);
  const auto found = history.range(asset.series[kTemperature], kStart, kStart + minutes(10));
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[1].value, 21);
}

TEST_F(IntakeTest, ATransientReadingIsForRulesOnly) {
  for (int minute = 0; minute <= 10; ++minute) {
    send(kStart + minutes(minute), {kTemperature, 0, 90, 0, true});
    send(kStart + minutes(minute), {kPulse, 0, 1, 0, true});
  }
  EXPECT_EQ(raised().size(), 0U) << "their evidence is not in the history";
  EXPECT_EQ(fold.effects.episodes.size(), 2U);
  EXPECT_TRUE(fold.effects.readings.empty());
  metering.flush(asset);
  EXPECT_TRUE(fold.effects.usage.empty());
}

TEST_F(IntakeTest, AReadingSentAfterTheFactSaysSo) {
  send(kStart, {kTemperature, 0, 20, kHistorical, false});
  EXPECT_EQ(fold.effects.readings.front().flags, kHistorical);
}

TEST_F(IntakeTest, StateValuesResolveByTheirTextAndNothingElse) {
  Origin origin(1, kStart, Sessions::kDirect, "topic", std::string_view());
  EXPECT_EQ(intake.resolve(*asset.model, kMode, {"night", 0}, origin, 0), 1);
  EXPECT_EQ(intake.resolve(*asset.model, kMode, {"noon", 0}, origin, 0), std::nullopt);
  EXPECT_EQ(intake.resolve(*asset.model, kMode, {std::nullopt, 1}, origin, 0), std::nullopt);
  EXPECT_EQ(fold.effects.quarantine.size(), 2U);
}

TEST_F(IntakeTest, NothingChangesBeforeItWasTouched) {
  temperature(kStart, 20);
  EXPECT_EQ(touched, 1);
  intake.advance(asset);
  EXPECT_EQ(touched, 1) << "nothing is due";
  intake.begin_backlog(asset);
  EXPECT_EQ(touched, 2);
}

// ---- sessions ------------------------------------------------------------------------------------------------------

TEST_F(IntakeTest, AnAssetsClockStandsStillWhileItsOwnSessionIsDown) {
  const std::uint32_t plant = fold.sessions.index_of("plant");
  for (int minute = 0; minute <= 5; ++minute) {
    send(kStart + minutes(minute), {kTemperature, 0, 90, 0, false}, Lanes::both, plant);
  }
  fold.sessions.change("plant", kStart + minutes(6), false);
  fold.now = kStart + minutes(14);
  intake.advance(asset);
  EXPECT_TRUE(raised().empty());
  fold.sessions.change("plant", kStart + minutes(14), true);
  fold.now = kStart + minutes(18);
  intake.advance(asset);
  EXPECT_EQ(raised().size(), 2U) << "6 of its minutes before the outage and 4 after it";
}

TEST_F(IntakeTest, AnotherSessionsOutageDoesNotConcernIt) {
  for (int minute = 0; minute <= 5; ++minute) temperature(kStart + minutes(minute), 90);
  fold.sessions.change("plant", kStart + minutes(6), false);
  fold.now = kStart + minutes(11);
  intake.advance(asset);
  EXPECT_EQ(raised().size(), 2U);
}

TEST_F(IntakeTest, AHeldAssetIsLeftAloneByTicks) {
  for (int minute = 0; minute <= 5; ++minute) temperature(kStart + minutes(minute), 90);
  asset.held = true;
  fold.now = kStart + minutes(14);
  intake.advance(asset);
  EXPECT_TRUE(raised().empty());
}

TEST_F(IntakeTest, ChangingTheSessionDoesNotMoveTheAssetsTime) {
  temperature(kStart, 20);
  const std::uint32_t plant = fold.sessions.index_of("plant");
  fold.sessions.change("plant", kStart, false);
  fold.sessions.change("plant", kStart + minutes(30), true);
  fold.now = kStart + minutes(30);
  const Time before = intake.session_time(asset);
  send(kStart + minutes(30), {kTemperature, 0, 20, 0, false}, Lanes::both, plant);
  EXPECT_EQ(intake.session_time(asset), before);
  fold.now += seconds(7);
  EXPECT_EQ(intake.session_time(asset), before + seconds(7));
}

TEST(SessionsTest, TheGatewaysStartTakesAllOfThemDown) {
  Sessions sessions;
  const std::uint32_t plant = sessions.index_of("plant");
  sessions.change(Sessions::kStart, kStart, false);
  EXPECT_TRUE(sessions.down(Sessions::kDirect));
  EXPECT_TRUE(sessions.down(plant));
  sessions.change("plant", kStart + minutes(5), true);
  EXPECT_TRUE(sessions.down(Sessions::kDirect));
  EXPECT_FALSE(sessions.down(plant));
  EXPECT_EQ(sessions.time(plant, kStart + minutes(6)), kStart + minutes(1));
  EXPECT_EQ(sessions.time(Sessions::kDirect, kStart + minutes(6)), kStart);
}

}  // namespace
}  // namespace fettle::engine::trial
