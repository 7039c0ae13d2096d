// What cannot be admitted is kept with its reason, and nothing good is lost beside it.

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <limits>

#include "gateway/direct/telemetry.pb.h"
#include "tests/e2e/harness/fleet_stage.h"
#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

std::int64_t now_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string batch_of(std::int64_t time, std::initializer_list<double> vibrations) {
  direct::Batch batch;
  for (const double vibration : vibrations) {
    direct::Reading& reading = *batch.add_readings();
    reading.set_signal("vibration");
    reading.set_time_ms(time++);
    reading.set_number(vibration);
  }
  return batch.SerializeAsString();
}

struct Bad {
  std::string what;
  std::string topic;
  std::string payload;
  std::string reason;
  std::string detail;               // a part of what the person is told
  std::uint64_t good_readings = 0;  // that the same message brings
};

std::vector<Bad> bad_messages(std::int64_t now) {
  const std::string telemetry = "fettle/v1/lift-001/telemetry";
  const std::string batch = "fettle/v1/lift-001/batch";
  const std::string ts = "{\"ts\":" + std::to_string(now) + ',';
  const std::string truncated = batch_of(now, {1.5, 1.6});
  return {
      {"malformed JSON", telemetry, ts + "\"vibration\":1.2", "malformed", "not JSON at byte"},
      {"no JSON at all", telemetry, std::string("\x00\xff\x80 no", 6), "malformed", "not JSON at byte 0"},
      {"an empty message", telemetry, "", "malformed", "not JSON"},
      {"NaN in JSON", telemetry, ts + "\"vibration\":NaN}", "malformed", "not JSON at byte"},
      {"NaN in Protobuf", batch, batch_of(now + 100, {std::numeric_limits<double>::quiet_NaN(), 1.7}), "not_a_number",
       "NaN", 1},
      {"infinity in Protobuf", batch, batch_of(now + 200, {std::numeric_limits<double>::infinity()}), "not_a_number",
       "infinite"},
      {"a text for a number", telemetry, ts + "\"vibration\":\"#VALUE!\"}", "not_a_number", "#VALUE!"},
      {"an unknown state", telemetry, ts + "\"mode\":\"holiday\"}", "unknown_state", "holiday"},
      {"a stamp of 1970", telemetry, R"({"ts":"1970-01-01T00:00:00Z","vibration":1.2})", "before_commissioning",
       "before the asset's commissioning"},
      {"a stamp of 2099", telemetry, R"({"ts":"2099-01-01T00:00:00Z","vibration":1.2})", "in_the_future",
       "more than 5 min ahead"},
      {"1 MiB", telemetry, std::string(1U << 20U, 'x'), "too_large", "1048576 bytes"},
      {"truncated Protobuf", batch, truncated.substr(0, truncated.size() - 3), "malformed", "no fettle.direct.Batch"},
      {"an unknown topic", "fettle/v1/lift-001/diagnostics", ts + "\"vibration\":1.2}", "unknown_topic",
       "expected fettle/v1/<asset>/telemetry"},
  };
}

TEST(Quarantine, KeepsWhatIsRefusedWithItsReasonAndLosesNothingElse) {
  Stage stage(ClockKind::system,
              "topics: [fettle/v1/+/telemetry, fettle/v1/+/event, fettle/v1/+/batch, fettle/v1/+/diagnostics]");
  stage.gateway.start();
  apply_fleet_catalog(stage.gateway);

  std::uint64_t good = 0;
  std::uint64_t readings = 0;
  const std::int64_t begin = now_ms() - 60'000;
  const auto publish_good = [&] {
    const std::string payload =
        "{\"ts\":" + std::to_string(begin + static_cast<std::int64_t>(good) * 1000) + ",\"vibration\":1.25}";
    stage.broker.publish("fettle/v1/lift-002/telemetry", payload);
    ++good;
    ++readings;
  };
  const std::vector<Bad> bad = bad_messages(now_ms());
  publish_good();
  for (const Bad& message : bad) {
    stage.broker.publish(message.topic, message.payload);
    readings += message.good_readings;
    publish_good();
  }
  stage.gateway.wait_for_readings(readings);

  EXPECT_TRUE(stage.gateway.running());
  const Counters counters = stage.gateway.counters();
  EXPECT_EQ(counters.messages, good + bad.size());
  EXPECT_EQ(counters.readings, readings);
  EXPECT_EQ(counters.quarantined, bad.size());
  EXPECT_EQ(counters.duplicates, 0U);

  json::array rows = stage.gateway.json({"quarantine"}).as_array();
  ASSERT_EQ(rows.size(), bad.size()) << json::serialize(rows);
  std::reverse(rows.begin(), rows.end());  // newest first: now as they were published
  for (std::size_t i = 0; i < bad.size(); ++i) {
    SCOPED_TRACE(bad[i].what + ": " + json::serialize(rows[i]));
    EXPECT_EQ(rows[i].at("topic").as_string(), bad[i].topic);
    EXPECT_EQ(rows[i].at("reason").as_string(), bad[i].reason);
    EXPECT_NE(std::string(rows[i].at("detail").as_string()).find(bad[i].detail), std::string::npos);
    // The first bytes as they came, where they can be printed.
    const std::string first_bytes(rows[i].at("first_bytes").as_string());
    const std::string start = bad[i].payload.substr(0, 8);
    if (start.find_first_not_of("{}\":#abcdefghijklmnopqrstuvwxyz0123456789,") == std::string::npos) {
      EXPECT_TRUE(first_bytes.starts_with(start));
    }
    EXPECT_LE(first_bytes.size(), 4 * 64U);
  }

  // The gateway goes on, also after it was started again.
  EXPECT_EQ(stage.gateway.stop(), 0);
  stage.gateway.start();
  publish_good();
  stage.gateway.wait_for_readings(readings);
  EXPECT_EQ(stage.gateway.counters().quarantined, bad.size());
  EXPECT_EQ(verify(stage.gateway.data()).code, 0);
}

// The broker's own limit: what is larger is not taken from the device in the first place.
TEST(Quarantine, TheShippedBrokerRefusesPacketsOverTwoMebibytes) {
  Stage stage(ClockKind::system);
  stage.gateway.start();
  apply_fleet_catalog(stage.gateway);
  EXPECT_THROW(stage.broker.publish("fettle/v1/lift-001/telemetry", std::string(2U << 20U, 'x')), std::runtime_error);
  stage.broker.publish("fettle/v1/lift-001/telemetry", std::string(2'000'000, 'x'));
  stage.broker.publish("fettle/v1/lift-001/telemetry", "{\"ts\":" + std::to_string(now_ms()) + ",\"vibration\":1.25}");
  stage.gateway.wait_for_readings(1);
  EXPECT_EQ(stage.gateway.counters().quarantined, 1U);
}

}  // namespace
}  // namespace fettle::e2e
