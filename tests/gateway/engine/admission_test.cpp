// Which readings come in, as what, and what is said about the others.

#include <gtest/gtest.h>

#include "gateway/direct/telemetry.pb.h"
#include "tests/gateway/engine/contents.h"
#include "tests/gateway/engine/tape.h"

namespace fettle::engine::trial {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

class Admission : public testing::Test {
 protected:
  Admission() { tape.catalog(kStart, whole_plant()); }

  // Received an hour after kStart unless a test says otherwise.
  void send(std::string_view json) { tape.telemetry(kStart + hours(1), "a", json); }
  void send(Time at, std::string_view signal, std::string_view value) { send(json_of(at, signal, value)); }

  void run(EngineOptions options) {
    Engine engine(store, lookups(), options);
    engine.start().value();
    play(engine, tape, one_batch(), tape.last());
    ASSERT_TRUE(engine.checkpoint());
  }
  void run() { run(EngineOptions()); }

  std::vector<StoredReading> stored(std::string_view signal) {
    for (const SeriesRow& series : store.load_series().value()) {
      if (series.signal != signal) continue;
      return store.readings(series.id, Time::min(), Time::max(), ~Sequence{0}).value();
    }
    return {};
  }
  std::int64_t used(const std::string& meter) {
    std::int64_t sum = 0;
    for (const auto& [key, row] : store.all_usage()) {
      if (key.meter == meter) sum += row.quantity;
    }
    return sum;
  }
  // The only quarantined item.
  QuarantineRow refused() {
    EXPECT_EQ(store.quarantine().size(), 1U);
    EXPECT_EQ(store.counters().quarantined, 1U);
    return store.quarantine().empty() ? QuarantineRow() : store.quarantine().begin()->second;
  }
  void expect_refused(std::string_view reason, std::string_view part_of_detail) {
    run();
    const QuarantineRow row = refused();
    EXPECT_EQ(row.reason, reason);
    EXPECT_NE(row.detail.find(part_of_detail), std::string::npos) << row.detail;
    EXPECT_EQ(store.reading_count(), 0U);
  }

  store::MemoryStore store;
  Tape tape;
};

TEST_F(Admission, TheSameReadingTwiceIsOneReadingAndADuplicate) {
  send(kStart, "temperature", "20");
  send(kStart + seconds(10), "temperature", "21");
  send(kStart + seconds(10), "temperature", "21");  // at the head
  send(kStart, "temperature", "20");                // behind it
  run();
  EXPECT_EQ(stored("temperature").size(), 2U);
  EXPECT_EQ(store.counters().readings, 2U);
  EXPECT_EQ(store.counters().duplicates, 2U);
  EXPECT_EQ(store.counters().late, 0U);
  EXPECT_EQ(store.counters().messages, 4U);
}

TEST_F(Admission, AnotherValueAtTheSameTimeIsAConflictAndBothAreKept) {
  send(kStart, "energy", "10.00");
  send(kStart + hours(1), "energy", "12.00");
  send(kStart + hours(1), "energy", "11.00");  // the smaller one: nothing changes
  send(kStart + hours(1), "energy", "13.00");  // the largest is canonical
  run();
  const auto readings = stored("energy");
  ASSERT_EQ(readings.size(), 4U);
  EXPECT_EQ(readings[1].flags, 0);
  EXPECT_EQ(readings[2].flags, kConflict | kLate);
  EXPECT_EQ(readings[3].flags, kConflict | kLate);
  EXPECT_EQ(store.counters().conflicts, 2U);
  EXPECT_EQ(used("drawn"), 300);
}

TEST_F(Admission, AConflictSentTwiceIsADuplicateTheSecondTime) {
  send(kStart, "temperature", "20");
  send(kStart, "temperature", "30");
  send(kStart, "temperature", "20");
  send(kStart, "temperature", "30");
  run();
  EXPECT_EQ(stored("temperature").size(), 2U);
  EXPECT_EQ(store.counters().conflicts, 1U);
  EXPECT_EQ(store.counters().duplicates, 2U);
}

TEST_F(Admission, EventsAreIdentifiedWithTheirValue) {
  send(kStart, "pulse", "0.3");
  send(kStart, "pulse", "0.5");
  send(kStart, "pulse", "0.3");
  run();
  EXPECT_EQ(stored("pulse").size(), 2U);
  EXPECT_EQ(store.counters().conflicts, 0U);
  EXPECT_EQ(store.counters().duplicates, 1U);
  EXPECT_EQ(used("pulsed"), 8);
  EXPECT_EQ(used("pulses"), 2);
}

TEST_F(Admission, WhatIsNotNewerThanTheNewestEvaluatedOfItsSeriesIsLate) {
  send(kStart + seconds(30), "temperature", "20");
  send(kStart + seconds(20), "temperature", "21");
  send(kStart + seconds(20), "pulse", "0.3");  // another series: not late
  run();
  EXPECT_EQ(stored("temperature").front().flags, kLate);
  EXPECT_EQ(stored("temperature").back().flags, 0);
  EXPECT_EQ(stored("pulse").front().flags, 0);
  EXPECT_EQ(store.counters().late, 1U);
}

TEST_F(Admission, WhatIsFurtherBehindTheAssetThanItsLatenessIsLateButMetered) {
  send(kStart + seconds(90), "temperature", "20");
  send(kStart + seconds(30), "pulse", "0.3");                   // just within 60 s
  send(kStart + seconds(30) - milliseconds(1), "stroke", "1");  // just beyond
  run();
  EXPECT_EQ(stored("pulse").front().flags, 0);
  EXPECT_EQ(stored("stroke").front().flags, kLate);
  EXPECT_EQ(store.counters().late, 1U);
  EXPECT_EQ(used("strokes"), 1);
}

TEST_F(Admission, LateReadingsAreNeverEvaluatedByRules) {
  tape.catalog(kStart, pack_text(2, R"(rules { id: "hot" model: "press/m1" when { text: "temperature > 80 degC" }
                                        work_order { priority: "P1" } })"));
  send(kStart + minutes(30), "pulse", "0.1");
  send(kStart + minutes(10), "temperature", "99");
  run();
  EXPECT_TRUE(store.episodes().empty());
  send(kStart + minutes(30), "temperature", "99");
  run();
  EXPECT_EQ(store.episodes().size(), 1U);
}

TEST_F(Admission, ALateReadingDoesNotMoveWhatCountsAsEvaluated) {
  send(kStart + minutes(10), "pulse", "0.1");
  send(kStart, "temperature", "20");                             // late: far behind the asset
  send(kStart + minutes(9) + seconds(30), "temperature", "21");  // in time, and newer
  run();
  EXPECT_EQ(stored("temperature")[0].flags, kLate);
  EXPECT_EQ(stored("temperature")[1].flags, 0);
}

TEST_F(Admission, GroupsOfAMessageAreTakenInOrderOfTheirTime) {
  send(R"([{"ts":)" + std::to_string(ms(kStart + seconds(20))) + R"(,"temperature":22},{"ts":)" +
       std::to_string(ms(kStart)) + R"(,"temperature":20},{"ts":)" + std::to_string(ms(kStart + seconds(10))) +
       R"(,"temperature":21}])");
  run();
  EXPECT_EQ(stored("temperature").size(), 3U);
  EXPECT_EQ(store.counters().late, 0U);
  EXPECT_EQ(store.counters().messages, 1U);
}

TEST_F(Admission, AStateOfTheSameInstantSaysTheBandWhereverItStandsInTheMessage) {
  send(R"({"ts":)" + std::to_string(ms(kStart)) + R"(,"pulse":0.3,"mode":"night"})");
  run();
  EXPECT_EQ(store.all_usage().begin()->first.band, "night");
  EXPECT_EQ(used("pulsed"), 3);
}

TEST_F(Admission, AMessageWithoutAStampGetsTheReceivedTime) {
  send(R"({"temperature":20})");
  run();
  const auto readings = stored("temperature");
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_EQ(readings[0].time, kStart + hours(1));
  EXPECT_EQ(readings[0].flags, kUnstamped);
}

TEST_F(Admission, UnstampedReadingsAreNotSummed) {
  send(R"({"pulse":0.3})");
  expect_refused("needs_timestamp", "pulse is metered by sums or counts");
}

TEST_F(Admission, UnstampedReadingsAreNotCounted) {
  send(R"({"stroke":1})");
  expect_refused("needs_timestamp", "stroke is metered by sums or counts");
}

TEST_F(Admission, AFewMinutesInTheFutureAreAllowed) {
  send(kStart + hours(1) + minutes(5), "temperature", "20");
  run();
  EXPECT_EQ(store.reading_count(), 1U);
}

TEST_F(Admission, TheFutureIsQuarantined) {
  send(kStart + hours(1) + minutes(5) + milliseconds(1), "temperature", "20");
  expect_refused("in_the_future", "more than 5 min ahead");
  EXPECT_EQ(refused().received, kStart + hours(1));
  EXPECT_EQ(refused().topic, "fettle/v1/a/telemetry");
}

TEST_F(Admission, TheTimeBeforeCommissioningIsQuarantined) {
  send(kStart - hours(240) - milliseconds(1), "temperature", "20");
  expect_refused("before_commissioning", "before the asset's commissioning at");
}

TEST_F(Admission, TheInstantOfCommissioningIsAllowed) {
  send(kStart - hours(240), "temperature", "20");
  run();
  EXPECT_EQ(store.reading_count(), 1U);
}

TEST_F(Admission, WhatIsOlderThanTheRetentionIsQuarantined) {
  send(kStart, "temperature", "20");
  send(kStart - milliseconds(1), "temperature", "20");
  EngineOptions options;
  options.retention = hours(1);
  run(options);
  EXPECT_EQ(store.reading_count(), 1U);
  EXPECT_EQ(refused().reason, "too_old");
  EXPECT_NE(refused().detail.find("older than the retention"), std::string::npos);
}

TEST_F(Admission, TopicsOfOtherFormsAreQuarantined) {
  tape.message(kStart, "fettle/v1/a/other", "{}");
  expect_refused("unknown_topic", "expected fettle/v1/<asset>/telemetry");
}

TEST_F(Admission, TopicsOfOtherRootsAreQuarantined) {
  tape.message(kStart, "factory/a", "{}");
  expect_refused("unknown_topic", "expected fettle/v1/<asset>/telemetry");
}

TEST_F(Admission, AnUnknownAssetIsDiscoveredAndItsReadingsWait) {
  tape.telemetry(kStart, "ghost", "{\"temperature\":1}");
  run();
  EXPECT_TRUE(store.quarantine().empty());
  EXPECT_EQ(store.reading_count(), 0U);
  ASSERT_TRUE(store.discovered().contains({"fettle/v1/ghost", ""}));
  EXPECT_EQ(store.discovered().at({"fettle/v1/ghost", ""}).count, 1U);
}

TEST_F(Admission, AnUnknownSignalIsDiscoveredAndItsReadingsWait) {
  send(kStart, "temprature", "20");
  run();
  EXPECT_TRUE(store.quarantine().empty());
  EXPECT_EQ(store.reading_count(), 0U);
  ASSERT_TRUE(store.discovered().contains({"fettle/v1/a", "temprature"}));
  EXPECT_EQ(store.discovered().at({"fettle/v1/a", "temprature"}).asset, "a");
}

TEST_F(Admission, UnknownStatesAreQuarantinedWithTheKnownOnes) {
  send(kStart, "mode", "\"dusk\"");
  expect_refused("unknown_state", "mode is \"dusk\"; expected one of: day, night, off");
}

TEST_F(Admission, ANumberIsNoState) {
  send(kStart, "mode", "1");
  expect_refused("unknown_state", "mode is a number; expected one of: day, night, off");
}

TEST_F(Admission, ATextIsNoNumber) {
  send(kStart, "temperature", "\"20\"");
  expect_refused("not_a_number", "temperature is the text \"20\"; expected a number");
}

TEST_F(Admission, AnObjectIsNoNumber) {
  send(kStart, "temperature", "{}");
  expect_refused("not_a_number", "temperature is an object; expected a finite number");
}

TEST_F(Admission, ARegisterIsNeverNegative) {
  send(kStart, "energy", "-0.01");
  expect_refused("out_of_range", "a register is never negative");
}

TEST_F(Admission, WhatCannotBeCountedExactlyIsQuarantined) {
  send(kStart, "energy", "1e15");
  expect_refused("out_of_range", "it is too large");
}

TEST_F(Admission, AnEventMayBeNegative) {
  send(kStart, "pulse", "-0.2");
  run();
  EXPECT_EQ(used("pulsed"), -2);
}

TEST_F(Admission, BrokenJsonIsQuarantinedWithItsFirstBytes) {
  const std::string payload = "{\"temperature\":" + std::string(100, ' ');
  send(payload);
  expect_refused("malformed", "not JSON at byte");
  EXPECT_EQ(refused().first_bytes, payload.substr(0, 64));
}

TEST_F(Admission, ABrokenBatchIsQuarantined) {
  tape.message(kStart, "fettle/v1/a/batch", "\xff\xff");
  expect_refused("malformed", "no fettle.direct.Batch");
}

TEST_F(Admission, ABatchIsReadAsReadings) {
  direct::Batch batch;
  auto& reading = *batch.add_readings();
  reading.set_signal("temperature");
  reading.set_time_ms(ms(kStart));
  reading.set_number(20);
  tape.message(kStart, "fettle/v1/a/batch", batch.SerializeAsString());
  run();
  EXPECT_EQ(stored("temperature").size(), 1U);
}

TEST_F(Admission, ACutMessageIsQuarantinedWhole) {
  std::string body;
  encode(journal::Message{1000, "fettle/v1/a/telemetry", "{\"temperature\":20}"}, body);
  tape.append(journal::Kind::message, kStart, body);
  expect_refused("too_large", "1000 bytes are over the limit (max_payload); only the first 18 were kept");
}

TEST_F(Admission, ARecordThatIsNoMessageIsQuarantined) {
  tape.append(journal::Kind::message, kStart, "");
  expect_refused("malformed", "the journal record is no message");
}

TEST_F(Admission, OneBadValueDoesNotSpoilTheOthersAndIsNamedByItsPlace) {
  send(R"({"ts":)" + std::to_string(ms(kStart)) + R"(,"temperature":20,"energy":"much","mode":"day"})");
  run();
  EXPECT_EQ(store.reading_count(), 2U);
  EXPECT_EQ(refused().item, 1U);
}

TEST_F(Admission, EachBadGroupOfAMessageIsQuarantinedOnce) {
  const std::string past = std::to_string(ms(kStart - hours(1000)));
  send("[{\"ts\":" + past + ",\"temperature\":20,\"mode\":\"day\"},{\"ts\":" + past + ",\"temperature\":21}]");
  run();
  EXPECT_EQ(store.quarantine().size(), 2U);
  EXPECT_EQ(store.counters().quarantined, 2U);
}

TEST_F(Admission, GroupsWithoutReadingsAreNothing) {
  const std::string past = std::to_string(ms(kStart - hours(1000)));
  send("[{\"ts\":" + past + "},{\"ts\":" + past + ",\"temperature\":21},{\"ts\":" + past + "}]");
  run();
  EXPECT_EQ(store.quarantine().size(), 1U);
  EXPECT_EQ(store.counters().quarantined, 1U);
}

TEST_F(Admission, AMessageNamesItsRecordForEachReading) {
  send(kStart, "temperature", "20");
  send(R"({"ts":)" + std::to_string(ms(kStart + seconds(1))) + R"(,"temperature":20.5,"mode":"day"})");
  run();
  EXPECT_EQ(stored("temperature")[0].sequence, 2U);
  EXPECT_EQ(stored("temperature")[1].sequence, 3U);
  EXPECT_EQ(stored("mode")[0].sequence, 3U);
}

TEST_F(Admission, IsTheSameInOneRunAndRecordByRecord) {
  for (int i = 0; i < 60; ++i) {
    send(kStart + seconds(i % 17), i % 3 == 0 ? "pulse" : "temperature", std::to_string(i % 5));
  }
  run();
  store::MemoryStore other;
  play_all(other, tape, every(1));
  EXPECT_EQ(difference(contents_of(store), contents_of(other)), "");
}

}  // namespace
}  // namespace fettle::engine::trial
