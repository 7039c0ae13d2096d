#include "gateway/engine/loss_ledger.h"

#include <gtest/gtest.h>

namespace fettle::engine {
namespace {

Time at(std::int64_t seconds) {
  return Time(std::chrono::seconds(seconds));
}

Effects rows(LossLedger& ledger) {
  Effects effects;
  ledger.rows("g/n", effects);
  return effects;
}

TEST(LossLedger, AGapIsOpenThenHealedOrLost) {
  LossLedger ledger;
  ledger.gap_opened(at(10), 2);
  Effects effects = rows(ledger);
  ASSERT_EQ(effects.losses.size(), 1U);
  EXPECT_EQ(effects.losses[0].node, "g/n");
  EXPECT_EQ(effects.losses[0].number, 1U);
  EXPECT_EQ(effects.losses[0].state, "open");
  EXPECT_EQ(effects.losses[0].messages, 2U);
  ledger.gap_closed(at(11), true, 2);
  EXPECT_EQ(rows(ledger).losses[0].state, "healed");
  ledger.gap_opened(at(20), 1);
  ledger.gap_closed(at(22), false, 3);
  effects = rows(ledger);
  EXPECT_EQ(effects.losses[0].number, 2U);
  EXPECT_EQ(effects.losses[0].state, "lost");
  EXPECT_EQ(effects.losses[0].messages, 3U);
  EXPECT_EQ(effects.losses[0].to, at(22));
  EXPECT_TRUE(rows(ledger).losses.empty());
}

TEST(LossLedger, ASpellOfflineIsOneHoweverOftenItIsSaid) {
  LossLedger ledger;
  ledger.offline(at(10));
  ledger.offline(at(12));
  ledger.unreadable(at(13));
  ledger.online(at(20));
  ledger.online(at(21));
  const Effects effects = rows(ledger);
  ASSERT_EQ(effects.losses.size(), 1U);
  EXPECT_EQ(effects.losses[0].kind, "offline");
  EXPECT_EQ(effects.losses[0].state, "over");
  EXPECT_EQ(effects.losses[0].from, at(10));
  EXPECT_EQ(effects.losses[0].to, at(20));
  EXPECT_EQ(effects.losses[0].messages, 1U);
}

TEST(LossLedger, HistoryCountsForTheLossWhoseTimeItIsOf) {
  LossLedger ledger;
  ledger.offline(at(10));
  ledger.online(at(20));
  ledger.offline(at(30));
  ledger.online(at(40));
  rows(ledger);
  for (const char* signal : {"flow", "heat", "flow", "heat"}) ledger.refilled("a", signal, at(15));
  ledger.refilled("a", "flow", at(35));
  ledger.refilled("a", "flow", at(25));  // of no loss
  const Effects effects = rows(ledger);
  ASSERT_EQ(effects.losses.size(), 2U);
  EXPECT_EQ(effects.losses[0].refilled, 4U);
  EXPECT_EQ(effects.losses[1].refilled, 1U);
  ASSERT_EQ(effects.refills.size(), 3U);
  EXPECT_EQ(effects.refills[0].signal, "flow");
  EXPECT_EQ(effects.refills[0].readings, 2U);
  EXPECT_EQ(effects.refills[1].readings, 2U);
  EXPECT_EQ(effects.refills[2].number, 2U);
}

TEST(LossLedger, RemembersTheNewestLossesOnly) {
  LossLedger ledger;
  for (std::int64_t i = 0; i < 40; ++i) {
    ledger.offline(at(10 * i));
    ledger.online(at(10 * i + 5));
  }
  rows(ledger);
  ledger.refilled("a", "flow", at(2));  // the first one stands as it is
  EXPECT_TRUE(rows(ledger).losses.empty());
  ledger.refilled("a", "flow", at(392));
  EXPECT_EQ(rows(ledger).losses[0].number, 40U);
}

TEST(LossLedger, ComesBackFromItsBytesAsItWas) {
  LossLedger ledger;
  ledger.offline(at(10));
  ledger.refilled("a", "flow", at(15));
  ledger.gap_opened(at(11), 1);
  rows(ledger);
  NodePart part;
  ledger.save(part);
  LossLedger again;
  again.load(part);
  again.online(at(20));
  again.refilled("a", "flow", at(16));
  const Effects effects = rows(again);
  ASSERT_EQ(effects.losses.size(), 1U + 1U);
  EXPECT_EQ(effects.losses[0].state, "over");
  NodePart same;
  ledger.save(same);
  EXPECT_EQ(part.SerializeAsString(), same.SerializeAsString());
}

}  // namespace
}  // namespace fettle::engine
