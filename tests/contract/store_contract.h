#pragma once
// What every engine::Store must do, whatever it is made of. Include in one test file per adapter and instantiate:
//
//   INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values(StoreFactory{...}), name_of_factory);
//
// A factory makes an empty store under test; reopening it must show what was committed.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "gateway/engine/ports.h"
#include "tests/contract/store_rows.h"

namespace fettle::engine::contract {

class StoreUnderTest {
 public:
  virtual ~StoreUnderTest() = default;
  virtual Store& store() = 0;
  virtual void reopen() = 0;
};

struct StoreFactory {
  std::string name;
  std::function<std::unique_ptr<StoreUnderTest>()> make;
};

inline std::string name_of_factory(const testing::TestParamInfo<StoreFactory>& factory) {
  return factory.param.name;
}

// ---- the contract
// ----------------------------------------------------------------------------------------------------

class StoreContract : public testing::TestWithParam<StoreFactory> {
 protected:
  Store& store() { return under_test_->store(); }
  void reopen() { under_test_->reopen(); }
  void commit(const Effects& effects) {
    const auto done = store().commit(effects);
    ASSERT_TRUE(done) << done.error().message;
  }
  std::vector<StoredReading> all_readings(SeriesId series) {
    return store().readings(series, Time::min(), Time::max(), ~Sequence{0}).value();
  }

 private:
  std::unique_ptr<StoreUnderTest> under_test_ = GetParam().make();
};

TEST_P(StoreContract, AnEmptyStoreHasNothing) {
  EXPECT_EQ(store().committed(), 0U);
  EXPECT_EQ(checkpoint_of(store()).sequence, 0U);
  EXPECT_TRUE(checkpoint_of(store()).parts.empty());
  EXPECT_TRUE(store().load_catalog(100).value().empty());
  EXPECT_TRUE(store().load_series().value().empty());
  EXPECT_TRUE(all_readings(0).empty());
  EXPECT_FALSE(store().usage(UsageKey{"a", "m", "", at(0)}).value());
  EXPECT_TRUE(store().usage("a", "m", Time::min(), Time::max()).value().empty());
  EXPECT_TRUE(store().posted("sub").value().empty());
  EXPECT_EQ(store().last_invoice_number("seller-1", 2018).value(), 0U);
}

TEST_P(StoreContract, WhatWasCommittedIsThereAfterReopening) {
  Effects effects = readings_at(1, 3, 0);
  effects.series = {{0, "press-1", "force"}, {1, "press-1", "temperature"}};
  effects.readings[1].flags = kLate | kUnstamped;
  const std::string state("state\0with zero", 15);
  commit(with_checkpoint(effects, state, {hour(0, 100), hour(1, 200, "peak")}));
  reopen();

  EXPECT_EQ(store().committed(), 3U);
  EXPECT_EQ(checkpoint_of(store()).sequence, 3U);
  EXPECT_EQ(text(checkpoint_of(store())), "engine=" + state);
  const auto series = store().load_series().value();
  ASSERT_EQ(series.size(), 2U);
  EXPECT_EQ(series[1].id, 1U);
  EXPECT_EQ(series[1].asset, "press-1");
  EXPECT_EQ(series[1].signal, "temperature");
  const auto readings = all_readings(0);
  ASSERT_EQ(readings.size(), 3U);
  EXPECT_EQ(fields(readings[1]), std::tuple(at(2), 2.0, std::uint8_t{kLate | kUnstamped}, Sequence{2}));
  EXPECT_TRUE(same(store().usage(hour(1, 0, "peak").key).value().value(), hour(1, 200, "peak")));
}

TEST_P(StoreContract, ACommitWithoutACheckpointKeepsTheLastOne) {
  commit(with_checkpoint(effects_at(5), "five"));
  commit(effects_at(9));
  EXPECT_EQ(store().committed(), 9U);
  EXPECT_EQ(checkpoint_of(store()).sequence, 5U);
  EXPECT_EQ(text(checkpoint_of(store())), "engine=five");
}

TEST_P(StoreContract, GivingTheSameEffectsAgainChangesNothing) {
  Effects effects = readings_at(1, 50, 0);
  effects.series = {{0, "press-1", "force"}};
  effects.work_orders = {open_order()};
  effects.work_order_events = {{"WO-1", 1, "", "open", at(1'000), at(1'001), "rule doors/slow-close", ""}};
  effects.episodes = {raised_episode()};
  effects.invoices = {final_invoice(1)};
  effects.catalog = {{"asset", "press-1", 1, "body"}};
  effects.quarantine = {{2, 0, at(5), "t", "malformed", "not JSON", "\x01\x02"}};
  effects = with_checkpoint(effects, "s", {hour(0, 100)});
  for (int round = 0; round < 3; ++round) {
    commit(effects);
    EXPECT_EQ(all_readings(0).size(), 50U);
    EXPECT_EQ(store().load_series().value().size(), 1U);
    EXPECT_EQ(store().load_catalog(50).value().size(), 1U);
    ASSERT_EQ(store().posted("sub-1").value().size(), 1U);
    EXPECT_EQ(store().posted("sub-1").value()[0].amount, 300);
    EXPECT_EQ(store().usage("meter-1", "energy", Time::min(), Time::max()).value().size(), 1U);
    if (round == 1) reopen();
  }
}

TEST_P(StoreContract, AFailedCommitLeavesEverythingAsItWasAndTheNextOneWorks) {
  Effects before = readings_at(1, 2, 0);
  before.series = {{0, "press-1", "force"}};
  before.invoices = {final_invoice(1)};
  commit(with_checkpoint(before, "two", {hour(0, 100)}));

  Effects bad = readings_at(3, 2, 1);
  bad.series = {{1, "press-1", "temperature"}};
  bad.catalog = {{"asset", "press-1", 3, "body"}};
  bad.invoices = {final_invoice(2), final_invoice(1)};
  bad.invoices[1].net += 1;  // a final that stands already, changed
  bad = with_checkpoint(bad, "four", {hour(0, 999)});
  const auto failed = store().commit(bad);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("F-2018-1"), std::string::npos) << failed.error().message;

  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(store().committed(), 2U);
    EXPECT_EQ(text(checkpoint_of(store())), "engine=two");
    EXPECT_EQ(store().load_series().value().size(), 1U);
    EXPECT_TRUE(store().load_catalog(100).value().empty());
    EXPECT_TRUE(all_readings(1).empty());
    EXPECT_EQ(store().last_invoice_number("seller-1", 2018).value(), 1U);
    EXPECT_EQ(store().usage(hour(0, 0).key).value()->quantity, 100);
    reopen();
  }

  bad.invoices.pop_back();
  commit(bad);
  EXPECT_EQ(store().committed(), 4U);
  EXPECT_EQ(all_readings(1).size(), 2U);
  EXPECT_EQ(store().last_invoice_number("seller-1", 2018).value(), 2U);
  EXPECT_EQ(store().usage(hour(0, 0).key).value()->quantity, 999);
}

TEST_P(StoreContract, ASeriesNeverChangesItsMeaning) {
  Effects first = effects_at(1);
  first.series = {{0, "press-1", "force"}};
  commit(first);
  Effects other = effects_at(2);
  other.series = {{0, "press-2", "force"}};
  EXPECT_FALSE(store().commit(other));
  Effects again = effects_at(2);
  again.series = {{1, "press-1", "force"}};
  EXPECT_FALSE(store().commit(again));
  EXPECT_EQ(store().load_series().value().at(0).asset, "press-1");
}

TEST_P(StoreContract, AReadingThatNamesNoMessageIsRefused) {
  Effects effects = readings_at(1, 2, 0);
  effects.readings[1].message = 2;
  EXPECT_FALSE(store().commit(effects));
  EXPECT_EQ(store().committed(), 0U);
}

TEST_P(StoreContract, TheCatalogIsAsOfASequence) {
  Effects effects = effects_at(30);
  effects.catalog = {{"asset", "a", 10, "a10"},
                     {"asset", "b", 10, "b10"},
                     {"plan", "a", 12, "plan12"},
                     {"asset", "a", 20, "a20"},
                     {"asset", "a", 30, "a30"}};
  commit(effects);
  const auto bodies = [&](Sequence as_of) {
    std::vector<std::string> found;
    for (const CatalogRow& row : store().load_catalog(as_of).value()) found.push_back(row.body);
    std::sort(found.begin(), found.end());
    return found;
  };
  using Bodies = std::vector<std::string>;
  EXPECT_EQ(bodies(9), Bodies{});
  EXPECT_EQ(bodies(10), (Bodies{"a10", "b10"}));
  EXPECT_EQ(bodies(19), (Bodies{"a10", "b10", "plan12"}));
  EXPECT_EQ(bodies(20), (Bodies{"a20", "b10", "plan12"}));
  EXPECT_EQ(bodies(1'000), (Bodies{"a30", "b10", "plan12"}));
}

TEST_P(StoreContract, ReadingsEqualANaiveModelOverManyRandomBlocks) {
  std::mt19937 random(20180101);
  const auto roll = [&](int from, int to) { return std::uniform_int_distribution<int>(from, to)(random); };
  // A few series often, hundreds seldom.
  const auto any_series = [&] { return static_cast<SeriesId>(roll(0, 1) == 0 ? roll(0, 3) : roll(0, 600)); };
  struct Kept {
    SeriesId series;
    StoredReading reading;
  };
  std::vector<Kept> model;
  Sequence sequence = 0;
  std::size_t hits = 0;
  const auto ask = [&](SeriesId series, Time from, Time to, Sequence before) {
    std::vector<StoredReading> expected;
    for (const Kept& kept : model) {
      const StoredReading& reading = kept.reading;
      if (kept.series == series && reading.time >= from && reading.time < to && reading.sequence < before) {
        expected.push_back(reading);
      }
    }
    std::stable_sort(expected.begin(), expected.end(), [](const StoredReading& a, const StoredReading& b) {
      return std::tie(a.time, a.sequence) < std::tie(b.time, b.sequence);
    });
    const auto found = store().readings(series, from, to, before).value();
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) ASSERT_EQ(fields(found[i]), fields(expected[i]));
    hits += found.size();
  };
  const auto check = [&] {
    for (int question = 0; question < 60; ++question) {
      const Time from = at(roll(-100, 2'000));
      ask(any_series(), from, from + std::chrono::milliseconds(roll(0, 900)),
          static_cast<Sequence>(roll(0, static_cast<int>(sequence) + 5)));
      // At the very edges of a reading that is there.
      const Kept& kept = model.at(static_cast<std::size_t>(roll(0, static_cast<int>(model.size()) - 1)));
      const StoredReading& reading = kept.reading;
      ask(kept.series, reading.time, reading.time + std::chrono::milliseconds(1), reading.sequence);
      ask(kept.series, reading.time, reading.time + std::chrono::milliseconds(1), reading.sequence + 1);
      ask(kept.series, reading.time - std::chrono::milliseconds(50), reading.time, reading.sequence + 1);
    }
  };
  for (int batch = 0; batch < 300; ++batch) {
    Effects effects;
    effects.first = sequence + 1;
    const int messages = roll(1, 12);
    for (int i = 0; i < messages; ++i) {
      // Now and then several messages that had to wait are stored by one record.
      if (i == 0 || roll(0, 3) > 0) sequence += static_cast<Sequence>(roll(1, 3));
      effects.messages.push_back(message(sequence));
      effects.messages.back().arrived = sequence - static_cast<Sequence>(roll(0, 1)) * (sequence / 2);
      for (int readings = roll(1, 4); readings > 0; --readings) {
        const ReadingRow row{any_series(), at(batch * 5 + roll(-50, 50)), roll(-1'000, 1'000) / 7.0,
                             static_cast<std::uint8_t>(roll(0, 31)), static_cast<std::uint32_t>(i)};
        effects.readings.push_back(row);
        model.push_back({row.series, {row.time, row.value, row.flags, sequence}});
      }
    }
    effects.committed = sequence;
    commit(effects);
    if (batch % 60 == 30) check();
    if (batch == 150) reopen();
  }
  check();
  EXPECT_GT(hits, 1'000U);
}

// ---- checkpoints
// -----------------------------------------------------------------------------------------------------

namespace checkpoints {

inline Effects slice(Sequence committed, Sequence as_of, std::vector<CheckpointPart> parts) {
  Effects effects = effects_at(committed);
  effects.parts_as_of = as_of;
  effects.parts = std::move(parts);
  return effects;
}
inline Effects last_slice(Sequence committed, Sequence as_of, std::vector<CheckpointPart> parts) {
  Effects effects = slice(committed, as_of, std::move(parts));
  effects.checkpoint = true;
  return effects;
}

}  // namespace checkpoints

TEST_P(StoreContract, ACheckpointCountsFromTheCommitOnThatSaysSo) {
  using namespace checkpoints;
  commit(last_slice(5, 5, {{"a", "a5"}, {"b", "b5"}, {"c", "c5"}}));
  commit(slice(11, 10, {{"b", "b10"}, {"d", "d10"}}));
  EXPECT_EQ(checkpoint_of(store()).sequence, 5U);
  std::vector<std::string> taken;
  ASSERT_TRUE(store().load_parts([&](const CheckpointPart& part) {
    taken.push_back(part.key);
    return taken.size() < 2;
  }));
  EXPECT_EQ(taken, (std::vector<std::string>{"a", "b"})) << "no more than is taken";
  EXPECT_EQ(text(checkpoint_of(store())), "a=a5 b=b5 c=c5");
  commit(slice(12, 10, {{"c", ""}}));
  EXPECT_EQ(text(checkpoint_of(store())), "a=a5 b=b5 c=c5");
  commit(last_slice(13, 10, {}));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(store().committed(), 13U);
    EXPECT_EQ(checkpoint_of(store()).sequence, 10U);
    EXPECT_EQ(text(checkpoint_of(store())), "a=a5 b=b10 d=d10");
    reopen();
  }
}

TEST_P(StoreContract, PartsOfACheckpointThatNeverBecameWholeAreForgotten) {
  using namespace checkpoints;
  commit(last_slice(5, 5, {{"a", "a5"}, {"b", "b5"}}));
  commit(slice(11, 10, {{"a", "a10"}, {"b", ""}, {"x", "x10"}}));
  reopen();
  EXPECT_EQ(text(checkpoint_of(store())), "a=a5 b=b5");
  commit(slice(21, 20, {{"a", "a20"}}));
  commit(slice(26, 25, {{"b", "b25"}}));  // the one of 20 was given up
  commit(last_slice(27, 25, {{"c", "c25"}}));
  EXPECT_EQ(text(checkpoint_of(store())), "a=a5 b=b25 c=c25");
}

TEST_P(StoreContract, AKeyMayGoAndComeBackWithinOneCheckpoint) {
  using namespace checkpoints;
  commit(last_slice(5, 5, {{"a", "a5"}, {"b", "b5"}}));
  commit(slice(11, 10, {{"a", ""}, {"b", ""}}));
  commit(last_slice(12, 10, {{"a", "again"}}));
  EXPECT_EQ(text(checkpoint_of(store())), "a=again");
}

// Random rounds against a map: parts change, go, and come back; rounds are given up; the store is opened again.
TEST_P(StoreContract, CheckpointsEqualANaiveModelOverManyRounds) {
  using namespace checkpoints;
  std::mt19937 random(7);
  const auto roll = [&](int from, int to) { return std::uniform_int_distribution<int>(from, to)(random); };
  std::map<std::string, std::string> counting;
  Sequence sequence = 1;
  for (int round = 0; round < 60; ++round) {
    const Sequence as_of = sequence;
    auto next = counting;
    const int slices = roll(1, 4);
    const bool given_up = roll(0, 3) == 0;
    for (int i = 0; i < slices; ++i) {
      std::vector<CheckpointPart> parts;
      for (int part = roll(0, 5); part > 0; --part) {
        const std::string key = "part/" + std::to_string(roll(0, 12));
        const std::string state =
            roll(0, 4) == 0 ? "" : key + " as of " + std::to_string(as_of) + std::string(200, 's');
        parts.push_back({key, state});
        next.erase(key);
        if (!state.empty()) next[key] = state;
      }
      const bool last = i + 1 == slices && !given_up;
      commit(last ? last_slice(++sequence, as_of, parts) : slice(++sequence, as_of, parts));
      if (last) counting = next;
    }
    ++sequence;
    if (roll(0, 5) == 0) reopen();
    std::map<std::string, std::string> found;
    for (const CheckpointPart& part : checkpoint_of(store()).parts) found[part.key] = part.state;
    ASSERT_EQ(found, counting) << round;
  }
}

TEST_P(StoreContract, PartsWithoutACheckpointOrFromTheFutureAreRefused) {
  using namespace checkpoints;
  commit(last_slice(5, 5, {{"a", "a5"}}));
  EXPECT_FALSE(store().commit(slice(6, 0, {{"a", "a"}})));
  EXPECT_FALSE(store().commit(slice(6, 7, {{"a", "a"}})));
  EXPECT_FALSE(store().commit(slice(6, 4, {{"a", "a"}})));
  EXPECT_FALSE(store().commit(last_slice(6, 0, {})));
  EXPECT_EQ(store().committed(), 5U);
  EXPECT_EQ(text(checkpoint_of(store())), "a=a5");
}

// ---- rows
// ------------------------------------------------------------------------------------------------------------

TEST_P(StoreContract, UsageIsByKeyAndByRange) {
  std::vector<UsageRow> rows = {hour(0, 1, "peak"), hour(0, 2, "off"), hour(1, 3, "peak"), hour(2, 4, "peak")};
  rows[3].quality = UsageQuality::disputed;
  UsageRow other = hour(1, 9);
  other.key.meter = "water";
  Effects first = effects_at(1);
  first.usage = {rows[3], other, rows[0], rows[2], rows[1]};
  commit(first);

  const auto found = store().usage("meter-1", "energy", at(0), at(7'200'000)).value();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_TRUE(same(found[0], rows[1]));  // off before peak
  EXPECT_TRUE(same(found[1], rows[0]));
  EXPECT_TRUE(same(found[2], rows[2]));
  EXPECT_TRUE(same(store().usage(rows[3].key).value().value(), rows[3]));

  rows[0].quantity = 77;
  rows[0].revision = 2;
  Effects second = effects_at(2);
  second.usage = {rows[0]};
  commit(second);
  EXPECT_TRUE(same(store().usage(rows[0].key).value().value(), rows[0]));
  EXPECT_EQ(store().usage("meter-1", "energy", Time::min(), Time::max()).value().size(), 4U);
}

TEST_P(StoreContract, PostedSumsFinalLinesOnly) {
  Effects effects = effects_at(1);
  InvoiceRow correction = final_invoice(2);
  correction.lines[0].correction = true;
  correction.lines[0].posted_quantity = -50;
  correction.lines[0].amount = -60;
  InvoiceLineRow fee = correction.lines[0];
  fee.number = 2;
  fee.charge = "fee";
  fee.meter.clear();
  fee.band.clear();
  fee.usage.clear();
  fee.posted_quantity = 0;
  fee.amount = 1'000;
  correction.lines.push_back(fee);
  effects.invoices = {final_invoice(1), correction, draft()};
  commit(effects);

  const auto posted = store().posted("sub-1").value();
  ASSERT_EQ(posted.size(), 2U);
  EXPECT_EQ(fields(posted[0]),
            fields(PostedLine{"sub-1", "energy", "meter-1", "peak", at(0), at(7'200'000), 250, 240}));
  EXPECT_EQ(fields(posted[1]), fields(PostedLine{"sub-1", "fee", "meter-1", "", at(0), at(7'200'000), 0, 1'000}));
  EXPECT_TRUE(store().posted("sub-2").value().empty());
}

TEST_P(StoreContract, NumbersAreCountedPerSellerAndYearOverFinals) {
  Effects effects = effects_at(1);
  InvoiceRow next_year = final_invoice(1);
  next_year.id = "F-2019-1";
  next_year.number_year = 2019;
  effects.invoices = {final_invoice(1), final_invoice(2), next_year, draft()};
  commit(effects);
  EXPECT_EQ(store().last_invoice_number("seller-1", 2018).value(), 2U);
  EXPECT_EQ(store().last_invoice_number("seller-1", 2019).value(), 1U);
  EXPECT_EQ(store().last_invoice_number("seller-2", 2018).value(), 0U);
}

TEST_P(StoreContract, TwoFinalsCannotHaveOneNumber) {
  Effects effects = effects_at(1);
  effects.invoices = {final_invoice(1), final_invoice(1)};
  effects.invoices[1].id = "F-2018-other";
  EXPECT_FALSE(store().commit(effects));
}

TEST_P(StoreContract, AFinalCannotBecomeADraftNorBeRemoved) {
  Effects effects = effects_at(1);
  effects.invoices = {final_invoice(1)};
  commit(effects);
  Effects back = effects_at(2);
  back.invoices = {final_invoice(1)};
  back.invoices[0].final = false;
  EXPECT_FALSE(store().commit(back));
  Effects removal = effects_at(2);
  removal.removed_drafts = {"F-2018-1"};
  EXPECT_FALSE(store().commit(removal));
  EXPECT_EQ(store().last_invoice_number("seller-1", 2018).value(), 1U);
  EXPECT_EQ(store().committed(), 1U);
}

TEST_P(StoreContract, AnEventOfNoWorkOrderIsRefused) {
  Effects effects = effects_at(1);
  effects.work_order_events = {{"WO-none", 1, "", "open", at(1), at(1), "", ""}};
  EXPECT_FALSE(store().commit(effects));
  EXPECT_EQ(store().committed(), 0U);
}

}  // namespace fettle::engine::contract
