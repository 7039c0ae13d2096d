#include <gtest/gtest.h>

#include <cmath>

#include "gateway/direct/telemetry.h"
#include "gateway/direct/telemetry.pb.h"

namespace fettle::direct {
namespace {

Reading& add(Batch& batch, const char* signal) {
  Reading& reading = *batch.add_readings();
  reading.set_signal(signal);
  return reading;
}

TEST(Batch, ReadingsOfOneStampAreOneGroup) {
  Batch batch;
  add(batch, "a").set_number(1.5);
  batch.mutable_readings(0)->set_time_ms(10);
  add(batch, "mode").set_state("fire");
  batch.mutable_readings(1)->set_time_ms(10);
  add(batch, "b").set_flag(true);
  Telemetry out;
  ASSERT_FALSE(decode_batch(batch.SerializeAsString(), out));
  ASSERT_EQ(out.groups.size(), 2U);
  EXPECT_EQ(out.groups[0].count, 2U);
  EXPECT_EQ(out.groups[0].time, Time(std::chrono::milliseconds(10)));
  EXPECT_FALSE(out.groups[1].time);
  EXPECT_EQ(out.values[0].signal, "a");
  EXPECT_EQ(out.values[0].number, 1.5);
  EXPECT_EQ(out.values[1].text, "fire");
  EXPECT_EQ(out.values[2].number, 1.0);
}

TEST(Batch, NanInfinityAndNoValueAreWrongValuesOfTheirSignalOnly) {
  Batch batch;
  add(batch, "a").set_number(std::nan(""));
  add(batch, "b").set_number(INFINITY);
  add(batch, "c");
  add(batch, "d").set_number(2);
  Telemetry out;
  ASSERT_FALSE(decode_batch(batch.SerializeAsString(), out));
  ASSERT_EQ(out.values.size(), 4U);
  EXPECT_EQ(out.values[0].kind, ValueKind::wrong);
  EXPECT_EQ(out.values[0].text, "NaN");
  EXPECT_EQ(out.values[1].kind, ValueKind::wrong);
  EXPECT_EQ(out.values[2].kind, ValueKind::wrong);
  EXPECT_EQ(out.values[3].kind, ValueKind::number);
}

TEST(Batch, EveryTruncationIsDecodedOrRefused) {
  Batch batch;
  for (int i = 0; i < 5; ++i) add(batch, "signal").set_number(i);
  const std::string whole = batch.SerializeAsString();
  Telemetry out;
  int refused = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) refused += decode_batch(whole.substr(0, size), out) ? 1 : 0;
  EXPECT_EQ(refused, static_cast<int>(whole.size()) - 5) << "only the five whole prefixes are batches";
}

TEST(Batch, TooManyReadingsAreRefused) {
  Batch batch;
  for (std::size_t i = 0; i <= kMaxReadings; ++i) add(batch, "s").set_number(1);
  Telemetry out;
  EXPECT_EQ(decode_batch(batch.SerializeAsString(), out)->reason, "too_many_readings");
}

}  // namespace
}  // namespace fettle::direct
