#include "gateway/store/sqlite/reader.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/contract/store_rows.h"
#include "tests/gateway/store/scratch.h"

namespace fettle::store {
namespace {

using engine::Effects;
using namespace engine::contract;

class ReaderTest : public testing::Test {
 protected:
  void commit(const Effects& effects) {
    const auto done = store_->commit(effects);
    ASSERT_TRUE(done) << done.error().message;
  }

  ScratchFolder folder_;
  std::unique_ptr<SqliteStore> store_ = open_store(folder_.file("store.db"));
  std::unique_ptr<Reader> reader_ = Reader::open(folder_.file("store.db")).value();  // on the live store throughout
};

TEST_F(ReaderTest, AWorkOrderComesWithItsEventsEpisodesAndEvidence) {
  Effects effects = effects_at(1);
  effects.work_orders = {open_order()};
  effects.work_order_events = {{"WO-1", 2, "proposed", "open", at(3), at(4), "entitlement", "included"},
                               {"WO-1", 1, "", "proposed", at(1), at(2), "rule doors/slow-close", ""}};
  effects.episodes = {raised_episode()};
  effects.episodes[0].evidence.push_back({"close_time", at(960), std::nan(""), ""});
  commit(effects);

  const auto detail = reader_->work_order("WO-1").value();
  ASSERT_TRUE(detail);
  EXPECT_EQ(detail->order.details, open_order().details);
  EXPECT_EQ(detail->order.due_at, at(9'000));
  EXPECT_FALSE(detail->order.closed_at);
  ASSERT_EQ(detail->events.size(), 2U);
  EXPECT_EQ(detail->events[0].to, "proposed");
  EXPECT_EQ(detail->events[1].from, "proposed");
  EXPECT_EQ(detail->events[1].recorded_at, at(4));
  ASSERT_EQ(detail->episodes.size(), 1U);
  const engine::EpisodeRow& episode = detail->episodes[0];
  EXPECT_EQ(episode.parameters, "limit = 0.4 s");
  EXPECT_EQ(episode.raised_sequence, 17U);
  ASSERT_EQ(episode.evidence.size(), 3U);
  EXPECT_EQ(episode.evidence[1].state, "closing");
  EXPECT_EQ(episode.evidence[0].value, 0.5);
  EXPECT_TRUE(std::isnan(episode.evidence[2].value));
  EXPECT_FALSE(reader_->work_order("WO-2").value());
}

TEST_F(ReaderTest, AClearKeepsTheEvidenceOfTheRaise) {
  Effects raise = effects_at(1);
  raise.work_orders = {open_order()};
  raise.episodes = {raised_episode()};
  commit(raise);
  Effects clear = effects_at(2);
  clear.episodes = {raised_episode()};
  clear.episodes[0].evidence.clear();
  clear.episodes[0].cleared_at = at(5'000);
  clear.episodes[0].clear_reason = "condition";
  commit(clear);
  const auto episode = reader_->episode("EP-1").value();
  ASSERT_TRUE(episode);
  EXPECT_EQ(episode->cleared_at, at(5'000));
  EXPECT_EQ(episode->clear_reason, "condition");
  EXPECT_EQ(episode->work_order, "WO-1");
  EXPECT_EQ(episode->evidence.size(), 2U);
}

TEST_F(ReaderTest, ListsAreNewestFirstFilteredAndBounded) {
  Effects effects = effects_at(1);
  for (int i = 0; i < 5; ++i) {
    engine::WorkOrderRow order = open_order();
    order.id = "WO-" + std::to_string(i);
    order.raised_at = at(i);
    order.state = i % 2 == 0 ? "open" : "closed";
    effects.work_orders.push_back(order);
    engine::EpisodeRow episode = raised_episode();
    episode.id = "EP-" + std::to_string(i);
    episode.asset = i == 3 ? "lift-3" : "lift-1";
    episode.raised_at = at(i);
    episode.work_order = "";
    effects.episodes.push_back(episode);
  }
  commit(effects);
  EXPECT_EQ(reader_->work_orders("", 100).value().size(), 5U);
  const auto open = reader_->work_orders("open", 2).value();
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[0].id, "WO-4");
  EXPECT_EQ(open[1].id, "WO-2");
  EXPECT_EQ(reader_->episodes("", 3).value().size(), 3U);
  const auto of_three = reader_->episodes("lift-3", 100).value();
  ASSERT_EQ(of_three.size(), 1U);
  EXPECT_EQ(of_three[0].id, "EP-3");
  EXPECT_EQ(of_three[0].work_order, "");
}

TEST_F(ReaderTest, AnInvoiceComesWhole) {
  Effects effects = effects_at(1);
  effects.invoices = {final_invoice(1), draft()};
  commit(effects);
  const auto listed = reader_->invoices().value();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_FALSE(listed[0].final);
  EXPECT_EQ(listed[1].id, "F-2018-1");
  const auto invoice = reader_->invoice("F-2018-1").value();
  ASSERT_TRUE(invoice);
  EXPECT_EQ(content_hash(*invoice), content_hash(final_invoice(1)));  // every field, lines, usage and VAT
  const auto line = reader_->invoice_line("F-2018-1", 1).value();
  ASSERT_TRUE(line);
  ASSERT_EQ(line->usage.size(), 2U);
  EXPECT_EQ(line->usage[1].quantity, 200);
  EXPECT_EQ(line->usage[1].first_reading, at(3'600'001));
  EXPECT_FALSE(reader_->invoice_line("F-2018-1", 2).value());
  EXPECT_FALSE(reader_->invoice("F-2018-2").value());
}

TEST_F(ReaderTest, ADraftIsReplacedAndRemovedWithItsFinal) {
  Effects first = effects_at(1);
  first.invoices = {draft()};
  commit(first);
  Effects second = effects_at(2);
  second.invoices = {draft()};
  second.invoices[0].lines.clear();
  second.invoices[0].net = 0;
  second.invoices[0].waiting_for = "telemetry of meter-1";
  commit(second);
  const auto replaced = reader_->invoice(draft().id).value();
  ASSERT_TRUE(replaced);
  EXPECT_TRUE(replaced->lines.empty());
  EXPECT_EQ(replaced->waiting_for, "telemetry of meter-1");

  Effects third = effects_at(3);
  third.invoices = {draft(), final_invoice(1)};
  third.removed_drafts = {draft().id, "draft/never/was"};
  commit(third);
  ASSERT_EQ(reader_->invoices().value().size(), 1U);
  EXPECT_TRUE(reader_->invoices().value()[0].final);
  Database database(folder_.file("store.db"), Access::read_only);
  EXPECT_EQ(database.integer("SELECT count(*) FROM invoice_line_usage"), 1);
}

TEST_F(ReaderTest, UsageIsTotalledPerAssetMeterAndBandWithinTheRange) {
  Effects effects = effects_at(1);
  effects.usage = {hour(0, 1, "peak"), hour(1, 2, "peak"), hour(2, 4, "peak"), hour(1, 8, "off")};
  effects.usage[1].quality = engine::UsageQuality::interpolated;
  commit(effects);
  const auto totals = reader_->usage_totals(at(0), at(7'200'000)).value();
  ASSERT_EQ(totals.size(), 2U);
  EXPECT_EQ(totals[0].band, "off");
  EXPECT_EQ(totals[0].quantity, 8);
  EXPECT_EQ(totals[1].quantity, 3);
  EXPECT_EQ(totals[1].records, 2U);
  EXPECT_EQ(totals[1].start, at(0));
  EXPECT_EQ(totals[1].end, at(7'200'000));
  EXPECT_EQ(totals[1].quality, engine::UsageQuality::interpolated);
  EXPECT_EQ(reader_->usage("meter-1", "energy", at(0), at(7'200'000)).value().size(), 3U);
}

TEST_F(ReaderTest, AReadingIsFoundWithItsMessage) {
  Effects effects = readings_at(1, 5, 0);
  effects.series = {{0, "press-1", "force"}};
  effects.readings[2].flags = engine::kConflict;
  commit(effects);
  const auto found = reader_->find_reading("press-1", "force", at(3)).value();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].reading.value, 3.0);
  EXPECT_EQ(found[0].reading.flags, engine::kConflict);
  EXPECT_EQ(found[0].reading.sequence, 3U);
  EXPECT_EQ(found[0].message.sequence, 3U);
  EXPECT_EQ(found[0].message.topic, message(3).topic);
  EXPECT_EQ(found[0].message.received, message(3).received);
  EXPECT_EQ(found[0].message.hash, message(3).hash);
  EXPECT_TRUE(reader_->find_reading("press-1", "force", at(6)).value().empty());
  EXPECT_TRUE(reader_->find_reading("press-1", "none", at(3)).value().empty());
}

TEST_F(ReaderTest, SeesWhatIsCommittedWhileItIsOpen) {
  Effects first = readings_at(1, 2, 0);
  first.series = {{0, "press-1", "force"}};
  first.counters = {2, 2, 1, 0, 0, 0};
  const auto stamp_before = reader_->change_stamp().value();
  commit(first);
  EXPECT_NE(reader_->change_stamp().value(), stamp_before);
  EXPECT_EQ(reader_->change_stamp().value(), reader_->change_stamp().value());
  EXPECT_EQ(reader_->find_readings("press-1", "force", at(0), at(100)).value().size(), 2U);
  EXPECT_EQ(reader_->counters().value().counters.duplicates, 1U);

  commit(with_checkpoint(readings_at(3, 4, 0), "state"));
  const auto found = reader_->find_readings("press-1", "force", at(2), at(100)).value();
  ASSERT_EQ(found.size(), 5U);
  EXPECT_EQ(found[4].message.sequence, 6U);
  const StorePosition position = reader_->position().value();
  EXPECT_EQ(position.committed, 6U);
  EXPECT_EQ(position.checkpoint, 6U);
  EXPECT_EQ(position.now, at(6'000));
}

TEST_F(ReaderTest, QuarantineIsNewestFirst) {
  Effects effects = effects_at(9);
  effects.quarantine = {{3, 0, at(3), "a", "malformed", "not JSON", std::string("\0{", 2)},
                        {9, 1, at(9), "b", "unknown_signal", "no signal x", "{}"}};
  commit(effects);
  const auto rows = reader_->quarantine(10).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].sequence, 9U);
  EXPECT_EQ(rows[0].item, 1U);
  EXPECT_EQ(rows[0].reason, "unknown_signal");
  EXPECT_EQ(rows[1].first_bytes, std::string("\0{", 2));
  EXPECT_EQ(reader_->quarantine(1).value().size(), 1U);
}

TEST_F(ReaderTest, TheOutboxKeepsEventsUntilTheyAreDelivered) {
  Effects effects = effects_at(1);
  effects.outbox = {{1, at(5), "work_order.opened", "WO-1", "{}"}, {2, at(6), "work_order.closed", "WO-1", "{}"}};
  commit(effects);
  commit(effects);  // given again
  ASSERT_EQ(reader_->outbox(0, 10).value().size(), 2U);
  EXPECT_EQ(reader_->outbox(0, 1).value()[0].kind, "work_order.opened");
  const auto after = reader_->outbox(1, 10).value();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].id, 2U);
  EXPECT_EQ(after[0].at, at(6));
  EXPECT_EQ(after[0].subject, "WO-1");
  Effects delivered = effects_at(2);
  delivered.delivered = 1;
  commit(delivered);
  ASSERT_EQ(reader_->outbox(0, 10).value().size(), 1U);
  EXPECT_EQ(reader_->outbox(0, 10).value()[0].id, 2U);
}

TEST_F(ReaderTest, WhatIsDiscoveredIsListedUntilItIsClaimed) {
  Effects effects = effects_at(1);
  effects.discovered = {{"g/n", "", "", "", "", at(1), at(2), 3, 2, 1},
                        {"g/n", "temp", "press-1", "Float", "21.5", at(1), at(9), 7, 6, 1}};
  commit(effects);
  effects.discovered[0].count = 4;
  commit(effects);
  const auto found = reader_->discovered(10).value();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "temp");
  EXPECT_EQ(found[0].asset, "press-1");
  EXPECT_EQ(found[0].type, "Float");
  EXPECT_EQ(found[0].sample, "21.5");
  EXPECT_EQ(found[0].last_seen, at(9));
  EXPECT_EQ(found[0].kept, 6U);
  EXPECT_EQ(found[0].dropped, 1U);
  EXPECT_EQ(found[1].count, 4U);
  EXPECT_EQ(reader_->discovered(1).value().size(), 1U);
  Effects claim = effects_at(2);
  claim.claimed = {{"g/n", ""}, {"never", "seen"}};
  commit(claim);
  EXPECT_EQ(reader_->discovered(10).value().size(), 1U);
}

TEST_F(ReaderTest, LossesComeNewestFirstWithWhatWasSentAfter) {
  Effects effects = effects_at(1);
  effects.losses = {{"g/a", 1, "gap", "lost", at(10), at(20), 3, 0},
                    {"g/a", 2, "offline", "over", at(30), at(40), 0, 5},
                    {"g/b", 1, "gap", "open", at(50), at(50), 1, 0}};
  effects.refills = {{"g/a", 2, "press-1", "force", 3}, {"g/a", 2, "press-1", "a", 2}};
  commit(effects);
  effects.losses.resize(1);
  effects.losses[0].state = "healed";
  commit(effects);
  const auto all = reader_->losses("", 10).value();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].loss.node, "g/b");
  EXPECT_EQ(all[1].loss.number, 2U);
  EXPECT_EQ(all[1].loss.refilled, 5U);
  ASSERT_EQ(all[1].refills.size(), 2U);
  EXPECT_EQ(all[1].refills[1].signal, "force");
  EXPECT_EQ(all[1].refills[1].readings, 3U);
  EXPECT_EQ(all[2].loss.state, "healed");
  EXPECT_EQ(all[2].loss.to, at(20));
  EXPECT_EQ(all[2].loss.messages, 3U);
  EXPECT_EQ(reader_->losses("g/a", 10).value().size(), 2U);
  EXPECT_EQ(reader_->losses("", 1).value().size(), 1U);
}

TEST_F(ReaderTest, CatalogIsAsOfNow) {
  Effects effects = effects_at(9);
  effects.catalog = {{"asset", "a", 1, "old"}, {"asset", "a", 9, "new"}};
  commit(effects);
  ASSERT_EQ(reader_->catalog().value().size(), 1U);
  EXPECT_EQ(reader_->catalog().value()[0].body, "new");
}

TEST(Reader, NeedsAStoreThatIsThere) {
  const ScratchFolder folder;
  const auto reader = Reader::open(folder.file("none.db"));
  ASSERT_FALSE(reader);
  EXPECT_NE(reader.error().message.find("none.db"), std::string::npos);
}

TEST(Reader, WorksWhereTheGatewayDoesNotRun) {
  const ScratchFolder folder;
  ASSERT_TRUE(open_store(folder.file("store.db"))->commit(effects_at(4)));
  EXPECT_EQ(Reader::open(folder.file("store.db")).value()->position().value().committed, 4U);
}

}  // namespace
}  // namespace fettle::store
