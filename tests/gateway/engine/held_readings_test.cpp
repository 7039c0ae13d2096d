#include "gateway/engine/held_readings.h"

#include <gtest/gtest.h>

namespace fettle::engine {
namespace {

Time at(std::int64_t seconds) {
  return Time(std::chrono::seconds(seconds));
}

// A message with one reading of asset 0.
void add(HeldReadings& held, Sequence arrived, std::int64_t time, double value, std::uint8_t flags, std::int64_t now) {
  held.begin_message(arrived, at(now), "spBv1.0/g/DDATA/n/d", 7, 1);
  held.add(0, 3, at(time), value, flags, false, at(now));
}

std::vector<double> values(const std::vector<HeldReadings::Reading>& readings) {
  std::vector<double> out;
  for (const auto& reading : readings) out.push_back(reading.value);
  return out;
}

TEST(HeldReadings, WaitUntilNothingHistoricalHasComeForAWhile) {
  HeldReadings held(at(100));
  EXPECT_EQ(held.due(), at(110));
  add(held, 1, 100, 1, 0, 105);
  EXPECT_EQ(held.due(), at(110));
  add(held, 2, 50, 2, kHistorical, 108);
  EXPECT_EQ(held.due(), at(118));
}

TEST(HeldReadings, NeverWaitLongerThanTheirBound) {
  HeldReadings held(at(0));
  for (std::int64_t now = 0; now < 2000; now += 5) add(held, static_cast<Sequence>(now), now, 1, kHistorical, now);
  EXPECT_EQ(held.due(), Time(HeldReadings::kLongest));
}

TEST(HeldReadings, ComeOutByAssetAndEventTime) {
  HeldReadings held(at(100));
  add(held, 1, 100, 5, 0, 100);
  add(held, 2, 60, 1, kHistorical, 101);
  held.begin_message(3, at(101), "spBv1.0/g/DDATA/n/e", 8, 1);
  held.add(1, 0, at(10), 9, kHistorical, true, at(101));
  add(held, 4, 70, 2, kHistorical, 102);
  const auto taken = held.take(HeldReadings::Which::all);
  EXPECT_EQ(values(taken), (std::vector<double>{1, 2, 5, 9}));
  EXPECT_TRUE(taken[3].transient);
  EXPECT_EQ(held.message_of(taken[3]).hash, 8U);
  EXPECT_EQ(held.topic_of(held.message_of(taken[3])), "spBv1.0/g/DDATA/n/e");
  EXPECT_EQ(held.message_of(taken[0]).arrived, 2U);
  EXPECT_EQ(held.size(), 0U);
}

TEST(HeldReadings, WhenThereAreTooManyThePastComesOutEarly) {
  HeldReadings held(at(100));
  add(held, 1, 100, 5, 0, 100);
  add(held, 2, 60, 1, kHistorical, 101);
  add(held, 3, 101, 6, 0, 101);
  add(held, 4, 70, 2, kHistorical, 102);
  EXPECT_EQ(values(held.take(HeldReadings::Which::past)), (std::vector<double>{1, 2}));
  held.forget_taken();
  const auto rest = held.take(HeldReadings::Which::all);
  EXPECT_EQ(values(rest), (std::vector<double>{5, 6}));
  EXPECT_EQ(held.message_of(rest[1]).arrived, 3U);
}

TEST(HeldReadings, WithoutAPastTheOlderHalfComesOut) {
  HeldReadings held(at(100));
  for (std::int64_t i = 0; i < 10; ++i)
    add(held, static_cast<Sequence>(i), 100 + i, static_cast<double>(i), 0, 100 + i);
  EXPECT_EQ(values(held.take(HeldReadings::Which::past)), (std::vector<double>{0, 1, 2, 3, 4}));
  held.forget_taken();
  EXPECT_EQ(values(held.take(HeldReadings::Which::all)), (std::vector<double>{5, 6, 7, 8, 9}));
}

TEST(HeldReadings, WhatIsHereTwiceCanGo) {
  HeldReadings held(at(100));
  add(held, 1, 60, 1, 0, 100);
  add(held, 2, 60, 1, kHistorical, 101);  // repeated
  add(held, 3, 60, 2, kHistorical, 101);  // another value: a conflict, not a repeat
  add(held, 4, 70, 1, kHistorical, 101);
  add(held, 5, 70, 1, kHistorical, 102);
  EXPECT_EQ(held.drop_repeats(), 2U);
  const auto taken = held.take(HeldReadings::Which::all);
  EXPECT_EQ(values(taken), (std::vector<double>{1, 2, 1}));
  EXPECT_EQ(held.message_of(taken[0]).arrived, 1U);
  EXPECT_EQ(held.message_of(taken[2]).arrived, 4U);
}

TEST(HeldReadings, ComeBackFromTheirBytesAsTheyWere) {
  HeldReadings held(at(100));
  add(held, 1, 100, 5, 0, 100);
  add(held, 2, 60, 1, kHistorical | kBad, 101);
  HeldState state;
  held.to_proto(state);
  auto again = HeldReadings::from_proto(state);
  ASSERT_TRUE(again);
  HeldState same;
  again->to_proto(same);
  EXPECT_EQ(state.SerializeAsString(), same.SerializeAsString());
  EXPECT_EQ(again->due(), held.due());
  state.set_message(0, 9);
  EXPECT_FALSE(HeldReadings::from_proto(state));
}

}  // namespace
}  // namespace fettle::engine
