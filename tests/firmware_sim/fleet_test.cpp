// The simulated fleet: the same bytes for a seed, registers that only rise, and wear that gives a rule its chance.

#include "firmware-sim/fleet.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <set>
#include <string>

#include "firmware-sim/stamp.h"

namespace fettle::sim {
namespace {

const EventTime kStart = *parse_iso8601("2026-01-01T00:00:00Z");

FleetPlan plan_of(std::uint64_t seed) {
  FleetPlan plan;
  plan.start = kStart;
  plan.seed = seed;
  return plan;
}

FleetPlan short_plan(std::uint64_t seed) {
  FleetPlan plan = plan_of(seed);
  plan.messages = 3'000;
  return plan;
}

std::vector<Message> all_of(const FleetPlan& plan) {
  Fleet fleet(plan);
  std::vector<Message> messages;
  while (auto message = fleet.next()) messages.push_back(std::move(*message));
  return messages;
}

boost::json::object fields(const Message& message) {
  return boost::json::parse(message.payload).as_object();
}

EventTime stamp(const boost::json::object& object) {
  return EventTime(std::chrono::milliseconds(object.at("ts").as_int64()));
}

std::optional<InjectedFault> fault_of(const FleetPlan& plan, FaultKind kind) {
  for (const auto& fault : injected_faults(plan)) {
    if (fault.kind == kind) return fault;
  }
  return std::nullopt;
}

TEST(Fleet, TheSamePlanGivesTheSameBytes) {
  EXPECT_EQ(all_of(short_plan(7)), all_of(short_plan(7)));
  EXPECT_NE(all_of(short_plan(7)), all_of(short_plan(8)));
}

TEST(Fleet, AMessageHoldsTheSignalsInTheirResolution) {
  const auto messages = all_of(short_plan(7));
  EXPECT_EQ(messages.front().topic, "fettle/v1/lift-001/telemetry");
  EXPECT_EQ(messages.front().at, kStart);
  // Pins the bytes of a seed: a change here changes every reproducible run.
  EXPECT_EQ(messages.front().payload,
            R"({"ts":1767225600000,"door_close_time":1.989,"motor_temperature":20.6,"vibration":1.12,)"
            R"("trips":230804,"energy":7385.73,"mode":"normal"})");
}

TEST(Fleet, TheDefaultRunHasEveryLiftAtEveryStep) {
  std::map<std::string, EventTime> last;
  std::uint64_t telemetry = 0;
  for (const auto& message : all_of(plan_of(1))) {
    if (message.kind != MessageKind::kTelemetry) continue;
    ++telemetry;
    const auto previous = last.find(message.topic);
    if (previous != last.end()) {
      ASSERT_EQ(message.at - previous->second, std::chrono::minutes(5)) << message.topic;
    }
    last[message.topic] = message.at;
  }
  EXPECT_EQ(telemetry, 50'400u);
  ASSERT_EQ(last.size(), 5u);
  for (const auto& [topic, at] : last) EXPECT_EQ(at, kStart + std::chrono::days(35) - std::chrono::minutes(5)) << topic;
}

TEST(Fleet, RegistersOnlyRise) {
  std::map<std::string, std::pair<std::int64_t, double>> last;
  for (const auto& message : all_of(plan_of(3))) {
    if (message.kind != MessageKind::kTelemetry) continue;
    const auto object = fields(message);
    auto& [trips, energy] = last[message.topic];
    ASSERT_GE(object.at("trips").as_int64(), trips);
    ASSERT_GE(object.at("energy").as_double(), energy);
    trips = object.at("trips").as_int64();
    energy = object.at("energy").as_double();
  }
}

TEST(Fleet, ModeIsPublishedAtTheStartAndOnChangeOnly) {
  std::map<std::string, std::string> mode;
  std::set<std::string> seen;
  for (const auto& message : all_of(plan_of(5))) {
    if (message.kind != MessageKind::kTelemetry) continue;
    const auto object = fields(message);
    const auto* value = object.if_contains("mode");
    if (mode.count(message.topic) == 0) {
      ASSERT_NE(value, nullptr) << "first message of " << message.topic;
    }
    if (value == nullptr) continue;
    const std::string name(value->as_string().c_str());
    EXPECT_NE(name, mode[message.topic]);
    mode[message.topic] = name;
    seen.insert(name);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"fire", "inspection", "normal"}));
}

TEST(Fleet, WearReachesTheLimitThreeDaysLaterAndBeforeTheFirstDoorFault) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto faults = injected_faults(plan_of(seed));
    int doors = 0;
    for (const auto& fault : faults) {
      if (fault.kind != FaultKind::kDoorWear) continue;
      ++doors;
      ASSERT_TRUE(fault.reaches_limit && fault.first_door_fault) << truth_line(fault);
      EXPECT_GE(*fault.reaches_limit, fault.starts + std::chrono::hours(60));
      EXPECT_LE(*fault.reaches_limit, fault.starts + std::chrono::hours(84));
      EXPECT_GE(*fault.first_door_fault, *fault.reaches_limit);
      EXPECT_GE(fault.starts, kStart + std::chrono::days(8)) << "a rule must see the healthy door first";
    }
    EXPECT_EQ(doors, 2);
    EXPECT_EQ(faults.size(), 3u);
  }
}

TEST(Fleet, WhatIsPublishedAgreesWithTheTruth) {
  const FleetPlan plan = plan_of(4);
  std::map<std::string, InjectedFault> truth;
  for (const auto& fault : injected_faults(plan)) {
    if (fault.kind == FaultKind::kDoorWear) truth["fettle/v1/" + fault.asset] = fault;
  }
  std::map<std::string, std::uint64_t> door_faults;
  for (const auto& message : all_of(plan)) {
    const std::string asset = message.topic.substr(0, message.topic.rfind('/'));
    const auto object = fields(message);
    if (message.kind == MessageKind::kEvent) {
      if (door_faults[asset]++ == 0) {
        EXPECT_EQ(stamp(object), truth.at(asset).first_door_fault);
      }
      EXPECT_EQ(message.topic, asset + "/event");
      EXPECT_EQ(object.at("door_fault").as_int64(), 1);
      continue;
    }
    const double seconds = object.at("door_close_time").as_double();
    const auto fault = truth.find(asset);
    if (fault == truth.end() || stamp(object) < fault->second.starts) {
      EXPECT_NEAR(seconds, 2.0, 0.2) << "a healthy door";
    } else if (stamp(object) < *fault->second.reaches_limit - std::chrono::hours(12)) {
      EXPECT_LT(seconds, kDoorFaultLimitSeconds) << "below the limit until it is nearly there";
    }
  }
  ASSERT_EQ(door_faults.size(), truth.size());
  for (const auto& [asset, fault] : truth) EXPECT_EQ(door_faults[asset], fault.door_faults) << asset;
}

TEST(Fleet, VibrationGrowsOnTheLiftWithTheWornBearing) {
  const FleetPlan plan = plan_of(2);
  const auto fault = fault_of(plan, FaultKind::kBearingWear);
  ASSERT_TRUE(fault && fault->reaches_limit);
  double highest_before = 0;
  double lowest_after = 1e9;
  for (const auto& message : all_of(plan)) {
    if (message.topic != telemetry_topic(fault->asset)) continue;
    const double vibration = fields(message).at("vibration").as_double();
    if (message.at < fault->starts) highest_before = std::max(highest_before, vibration);
    if (message.at >= *fault->reaches_limit) lowest_after = std::min(lowest_after, vibration);
  }
  EXPECT_LT(highest_before, 2.0);
  EXPECT_GT(lowest_after, 0.8 * kBearingLimitMmPerSecond);
}

TEST(Fleet, WithoutFaultsNothingElseChanges) {
  FleetPlan plan = plan_of(6);
  std::vector<std::string> with, without;
  const auto undisturbed = [](const Message& message) {
    auto object = fields(message);
    return std::to_string(object.at("ts").as_int64()) + " " + std::to_string(object.at("trips").as_int64()) + " " +
           boost::json::serialize(object.at("energy"));
  };
  for (const auto& message : all_of(plan)) {
    if (message.kind == MessageKind::kTelemetry) with.push_back(undisturbed(message));
  }
  plan.faults = Faults::kNone;
  EXPECT_TRUE(injected_faults(plan).empty());
  for (const auto& message : all_of(plan)) {
    ASSERT_EQ(message.kind, MessageKind::kTelemetry) << "a door fault without faults";
    without.push_back(undisturbed(message));
  }
  EXPECT_EQ(with, without);
}

TEST(Fleet, ARepairInTimeAvoidsEveryDoorFault) {
  FleetPlan plan = plan_of(9);
  const auto worn = fault_of(plan, FaultKind::kDoorWear);
  ASSERT_TRUE(worn && worn->door_faults > 0);
  const EventTime repaired = *worn->reaches_limit - std::chrono::hours(6);
  plan.repairs[worn->asset] = repaired;
  const auto mended = fault_of(plan, FaultKind::kDoorWear);
  ASSERT_TRUE(mended);
  EXPECT_EQ(mended->asset, worn->asset);
  EXPECT_EQ(mended->door_faults, 0u);
  EXPECT_EQ(mended->repaired, repaired);
  EXPECT_FALSE(mended->reaches_limit);
}

TEST(Fleet, TheRunIsCutAtTheNumberOfMessages) {
  FleetPlan plan = plan_of(1);
  plan.messages = 7;
  const auto messages = all_of(plan);
  ASSERT_EQ(messages.size(), 7u);
  EXPECT_EQ(messages.back().topic, "fettle/v1/lift-002/telemetry");
  EXPECT_EQ(messages.back().at, kStart + std::chrono::minutes(5));
}

TEST(Fleet, TruthIsOneJsonObjectALine) {
  InjectedFault fault{"lift-002", FaultKind::kDoorWear, EventTime(std::chrono::milliseconds(5)), {}, {}, {}, 0};
  EXPECT_EQ(truth_line(fault), R"({"asset":"lift-002","fault":"door_wear","starts":5,"reaches_limit":null,)"
                               R"("repaired":null,"first_door_fault":null,"door_faults":0})");
  fault.kind = FaultKind::kBearingWear;
  fault.reaches_limit = EventTime(std::chrono::milliseconds(9));
  EXPECT_EQ(truth_line(fault),
            R"({"asset":"lift-002","fault":"bearing_wear","starts":5,"reaches_limit":9,"repaired":null})");
}

TEST(FleetPlan, ImpossiblePlansAreRefusedWithAReason) {
  const auto complaint = [](auto change) {
    FleetPlan plan = plan_of(1);
    change(plan);
    const auto problem = check_plan(plan);
    return problem ? problem->text : "none";
  };
  EXPECT_EQ(complaint([](FleetPlan&) {}), "none");
  EXPECT_EQ(complaint([](FleetPlan& p) { p.lifts = 0; }), "--lifts is 0, expected 1 to 10000");
  EXPECT_EQ(complaint([](FleetPlan& p) { p.interval = std::chrono::milliseconds(1); }),
            "--interval is 1 ms, expected 1s to 24h");
  EXPECT_EQ(complaint([](FleetPlan& p) { p.repairs["lift-006"] = kStart; }),
            "--repair names 'lift-006', expected one of lift-001 to lift-005");
  EXPECT_NE(complaint([](FleetPlan& p) { p.messages = 0; }).find("the run has 0 messages"), std::string::npos);
  EXPECT_NE(complaint([](FleetPlan& p) {
              p.interval = std::chrono::hours(24);
              p.messages = 1'000'000;
            }).find("more than 100 simulated years"),
            std::string::npos);
}

}  // namespace
}  // namespace fettle::sim
