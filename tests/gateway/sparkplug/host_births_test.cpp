// Births, deaths and lost brokers: who is online, since when, and what a host says about it.

#include <gtest/gtest.h>

#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/messages.h"

namespace fettle::sparkplug::testing {
namespace {

TEST(Births, ANodeIsDiscoveredBornAndTellsItsValues) {
  COVERS("topics-nbirth-topic", "topics-nbirth-metrics", "payloads-nbirth-timestamp", "topics-nbirth-timestamp");
  Host host;
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), Host::birth(0, 900)),
            "discovered plant/n1; born plant/n1 after absence; data plant/n1 birth Speed=1.5@900 Count=7@900");
  const Source& source = host.nodes.source(0);
  EXPECT_TRUE(source.online);
  EXPECT_EQ(source.generation, 1u);
  ASSERT_EQ(source.metrics.size(), 4u);
  EXPECT_EQ(source.metrics[2].name, "Speed");
  EXPECT_EQ(source.metrics[2].alias, 1u);
  EXPECT_EQ(source.metrics[2].type, DataType::float64);
}

TEST(Births, TheProtocolsOwnMetricsAreInTheTableAndGiveNoSamples) {
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  EXPECT_TRUE(host.nodes.source(0).metrics[0].control);
  EXPECT_TRUE(host.nodes.source(0).metrics[1].control);
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 950, {M::named("Node Control/Rebirth").flag(true)})), "");
}

TEST(Births, ARebirthKeepsIndicesAndGenerationWhereNothingChanged) {
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  host.now = 9'000;
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), Host::birth(0, 8'900)),
            "born plant/n1 rebirth; data plant/n1 birth Speed=1.5@8900 Count=7@8900");
  EXPECT_EQ(host.nodes.source(0).generation, 1u);
  P changed = Host::birth(0, 9'900);
  changed.payload.mutable_metrics(3)->set_name("Total");
  host.now = 10'000;
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), changed),
            "born plant/n1 rebirth; data plant/n1 birth Speed=1.5@9900 Total=7@9900");
  const Source& source = host.nodes.source(0);
  EXPECT_EQ(source.generation, 2u);
  EXPECT_FALSE(source.metrics[3].born) << "Count was not born again";
  EXPECT_EQ(source.find("Total"), 4u);
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 10'000, {M::aliased(2).integer(8)})), "data plant/n1 Total=8@10000");
}

TEST(Births, AnyFirstSequenceNumberIsTakenAndCountedOnFrom) {
  COVERS("topics-nbirth-seq-num", "payloads-nbirth-seq", "payloads-sequence-num-req-nbirth",
         "message-flow-edge-node-birth-publish-nbirth-payload-seq");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(255, 900));
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(0, 950, {M::aliased(1).number(2)})), "data plant/n1 Speed=2@950");
  EXPECT_EQ(host.send(Host::topic("NBIRTH", "n2"), Host::birth(256, 900)),
            "discovered plant/n2; refused no_seq; rebirth plant/n2 no_seq");
}

TEST(Births, ANewSessionIsNoRebirthAndFollowsAnAbsence) {
  COVERS("topics-nbirth-bdseq-increment", "payloads-nbirth-bdseq");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900, 4));
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), Host::birth(0, 950, 5)),
            "born plant/n1 after absence; data plant/n1 birth Speed=1.5@950 Count=7@950");
}

TEST(Births, TheSameBirthTwiceIsOneBirth) {
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), Host::birth(0, 900)), "");
  EXPECT_EQ(host.nodes.counters().duplicates, 1u);
  host.send(Host::topic("NDATA"), P(1, 950, {M::aliased(1).number(2)}));
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), Host::birth(0, 900)),
            "born plant/n1 rebirth; data plant/n1 birth Speed=1.5@900 Count=7@900")
      << "after other messages the same bytes restart the numbers all the same";
}

TEST(Births, DevicesAreStaleAfterTheirNodesBirthUntilTheirOwn) {
  COVERS("message-flow-device-birth-publish-nbirth-wait", "topics-dbirth-topic", "topics-dbirth-metrics");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  EXPECT_EQ(host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 901)),
            "discovered plant/n1/d1; born plant/n1/d1 after absence; data plant/n1/d1 birth Temperature=20.5@901");
  host.now = 5'000;
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), Host::birth(0, 4'900)),
            "stale plant/n1/d1 @5000; born plant/n1 rebirth; data plant/n1 birth Speed=1.5@4900 Count=7@4900");
  EXPECT_EQ(host.send(Host::topic("DDATA", "n1", "d1"), P(1, 4'950, {M::aliased(11).number(3)})),
            "refused before_birth; rebirth plant/n1 before_birth");
  EXPECT_EQ(host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(2, 4'960)),
            "born plant/n1/d1 rebirth; data plant/n1/d1 birth Temperature=20.5@4960");
}

TEST(Births, DevicesOfTwoNodesMayHaveTheSameIdAndTheSameAliases) {
  COVERS("topic-structure-namespace-duplicate-device-id-across-edge-node",
         "topic-structure-namespace-unique-edge-node-descriptor", "payloads-nbirth-edge-node-descriptor",
         "payloads-alias-uniqueness");
  Host host;
  host.send(Host::topic("NBIRTH", "n1"), Host::birth(0, 900));
  host.send(Host::topic("NBIRTH", "n2"), Host::birth(0, 900));
  host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 900));
  host.send(Host::topic("DBIRTH", "n2", "d1"), Host::device_birth(1, 900));
  P other(2, 900, {M::named("Pressure").alias(11).at(900).type(DataType::float64).number(3)});
  host.send(Host::topic("DBIRTH", "n1", "d2"), other);
  EXPECT_EQ(host.send(Host::topic("DDATA", "n2", "d1"), P(2, 950, {M::aliased(11).number(4)})),
            "data plant/n2/d1 Temperature=4@950");
  EXPECT_EQ(host.send(Host::topic("DDATA", "n1", "d2"), P(3, 950, {M::aliased(11).number(5)})),
            "data plant/n1/d2 Pressure=5@950")
      << "an alias is looked up within its source, so that a breach of uniqueness mixes nothing up";
}

// ---- what a birth may not leave out

struct FlawedMetric {
  const char* title;
  M metric;
  std::string expected;  // what follows "born ...; "
};

TEST(Births, AFlawedMetricIsRefusedAloneAndTheRestCounts) {
  COVERS("payloads-name-requirement", "payloads-alias-birth-requirement", "payloads-metric-datatype-req",
         "payloads-metric-datatype-value", "payloads-metric-datatype-value-type");
  const std::string data = "data plant/n1 birth Speed=1.5@900 Count=7@900";
  const FlawedMetric rows[] = {
      {"no name", M::aliased(5).type(DataType::float64).number(1), data + "; refused no_name"},
      {"empty name", M::named("").type(DataType::float64).number(1), data + "; refused no_name"},
      {"no type, and an integer that could be signed", M::named("X").integer(1), data + "; refused no_datatype"},
      {"no type, and no doubt", M::named("X").at(1).number(2.5), data + " X=2.5@1"},
      {"a type nobody knows", M::named("X").type(static_cast<DataType>(35)).number(1),
       data + "; refused unknown_datatype"},
      {"a name given twice", M::named("Speed").type(DataType::float64).number(9),
       data + " Speed=9@900; refused name_twice"},
      {"an alias given twice", M::named("X").alias(1).at(1).type(DataType::float64).number(2),
       data + " X=2@1; refused alias_twice"},
  };
  for (const FlawedMetric& row : rows) {
    Host host;
    P birth = Host::birth(0, 900);
    *birth.payload.add_metrics() = row.metric.metric;
    EXPECT_EQ(host.send(Host::topic("NBIRTH"), birth),
              "discovered plant/n1; born plant/n1 after absence; " + row.expected)
        << row.title;
  }
}

TEST(Births, AnAliasThatTwoMetricsClaimIsNobodys) {
  Host host;
  P birth = Host::birth(0, 900);
  *birth.payload.add_metrics() = M::named("X").alias(1).type(DataType::float64).number(2).metric;
  host.send(Host::topic("NBIRTH"), birth);
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 950, {M::aliased(1).number(4)})),
            "refused unknown_alias; rebirth plant/n1 unknown_metric");
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(2, 960, {M::named("X").number(5)})), "data plant/n1 X=5@960");
}

// ---- deaths

TEST(Deaths, AnNdeathOfThisSessionTakesTheNodeAndItsDevicesAtTheHostsTime) {
  COVERS("operational-behavior-edge-node-termination-host-action-ndeath-node-offline",
         "operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale",
         "operational-behavior-edge-node-termination-host-action-ndeath-devices-offline",
         "operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale", "payloads-ndeath-bdseq",
         "topics-ndeath-topic", "topics-ndeath-payload", "topics-ndeath-seq", "payloads-ndeath-seq");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900, 3));
  host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 901));
  host.send(Host::topic("DBIRTH", "n1", "d2"), Host::device_birth(2, 902));
  host.now = 60'000;
  P death = Host::death(3);
  death.payload.set_timestamp(5);  // when the will was registered: says nothing about when the node died
  EXPECT_EQ(host.send(Host::topic("NDEATH"), death),
            "died plant/n1 @60000; died plant/n1/d1 @60000; died plant/n1/d2 @60000");
  for (SourceId id = 0; id < 3; ++id) EXPECT_FALSE(host.nodes.source(id).online);
}

TEST(Deaths, AnNdeathOfAnotherSessionAndASecondOneAreIgnored) {
  COVERS("topics-nbirth-bdseq-matching", "topics-nbirth-bdseq-included");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900, 3));
  EXPECT_EQ(host.send(Host::topic("NDEATH"), Host::death(2)), "");
  EXPECT_EQ(host.send(Host::topic("NDEATH"), P(std::nullopt, 1, {})), "") << "no bdSeq at all";
  EXPECT_TRUE(host.nodes.source(0).online);
  EXPECT_EQ(host.send(Host::topic("NDEATH"), Host::death(3)), "died plant/n1 @1000");
  EXPECT_EQ(host.send(Host::topic("NDEATH"), Host::death(3)), "");
  EXPECT_EQ(host.nodes.counters().ignored_deaths, 3u);
}

TEST(Deaths, BdSeqMayBeSignedOrUnsigned) {
  COVERS("message-flow-edge-node-birth-publish-nbirth-payload-bdSeq");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900, 255));
  const P death(std::nullopt, std::nullopt, {M::named("bdSeq").type(DataType::uint64).whole(255)});
  EXPECT_EQ(host.send(Host::topic("NDEATH"), death), "died plant/n1 @1000");
}

TEST(Deaths, ADdeathTakesOneDeviceAtTheTimeItSays) {
  COVERS("operational-behavior-edge-node-termination-host-action-ddeath-devices-offline",
         "operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale",
         "payloads-ddeath-timestamp", "payloads-ddeath-seq", "payloads-ddeath-seq-number", "topics-ddeath-topic",
         "operational-behavior-device-ddeath");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 901));
  host.send(Host::topic("DBIRTH", "n1", "d2"), Host::device_birth(2, 902));
  EXPECT_EQ(host.send(Host::topic("DDEATH", "n1", "d1"), P(3, 955)), "died plant/n1/d1 @955");
  EXPECT_EQ(host.send(Host::topic("DDEATH", "n1", "d1"), P(4, 956)), "") << "it is no news";
  EXPECT_EQ(host.send(Host::topic("DDATA", "n1", "d2"), P(5, 957, {M::aliased(11).number(1)})),
            "data plant/n1/d2 Temperature=1@957");
  EXPECT_EQ(host.send(Host::topic("DDATA", "n1", "d1"), P(6, 957, {M::aliased(11).number(1)})),
            "refused before_birth; rebirth plant/n1 before_birth");
  EXPECT_EQ(host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(7, 970)),
            "born plant/n1/d1 after absence; data plant/n1/d1 birth Temperature=20.5@970");
}

TEST(Deaths, DevicesThatWereNotBornAgainDieWithTheirNode) {
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 901));
  host.send(Host::topic("NBIRTH"), Host::birth(0, 950));
  EXPECT_EQ(host.send(Host::topic("NDEATH"), Host::death(0)), "died plant/n1 @1000; died plant/n1/d1 @1000");
}

// ---- brokers

TEST(Brokers, ALostBrokerMakesStaleWhatWasOnlineOverIt) {
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 901));
  host.broker = "b2";
  host.send(Host::topic("NBIRTH", "n2"), Host::birth(0, 900));
  host.broker = "b1";
  host.now = 7'000;
  EXPECT_EQ(host.lose_broker(), "stale plant/n1 @7000; stale plant/n1/d1 @7000");
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), Host::birth(0, 7'100)),
            "born plant/n1 after absence; data plant/n1 birth Speed=1.5@7100 Count=7@7100");
  EXPECT_EQ(host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 7'200)),
            "born plant/n1/d1 after absence; data plant/n1/d1 birth Temperature=20.5@7200");
}

TEST(Brokers, NodesThatStaySilentAfterARejoinAreAskedAndOthersAreNot) {
  Host host;
  host.send(Host::topic("NBIRTH", "n1"), Host::birth(0, 900));
  host.send(Host::topic("NBIRTH", "n2"), Host::birth(0, 900));
  host.send(Host::topic("NBIRTH", "dead"), Host::birth(0, 900));
  host.send(Host::topic("NDEATH", "dead"), Host::death(0));
  host.lose_broker();
  host.nodes.broker_up("b1", Time(std::chrono::milliseconds(host.now)));
  host.send(Host::topic("NBIRTH", "n2"), Host::birth(0, 1'900));
  EXPECT_EQ(host.tick(4'999), "") << "they have the first seconds to be born by themselves";
  EXPECT_EQ(host.tick(10'001), "rebirth plant/n1 rejoin");
}

TEST(Brokers, ANodeBelongsToTheBrokerOfItsLastBirth) {
  COVERS("operational-behavior-primary-application-state-with-multiple-servers-single-server",
         "intro-edge-node-id-uniqueness");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900, 1));
  host.broker = "b2";
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 950, {M::aliased(1).number(2)})), "");
  EXPECT_EQ(host.nodes.counters().foreign_broker, 1u);
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), Host::birth(0, 960, 2)),
            "born plant/n1 after absence; data plant/n1 birth Speed=1.5@960 Count=7@960");
  host.broker = "b1";
  EXPECT_EQ(host.send(Host::topic("NDEATH"), Host::death(1)), "") << "the will of the session it left";
  EXPECT_EQ(host.send(Host::topic("NDEATH"), Host::death(2)), "") << "not even with the right number";
  EXPECT_EQ(host.lose_broker(), "");
  host.broker = "b2";
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 970, {M::aliased(1).number(2)})), "data plant/n1 Speed=2@970");
}

// ---- everything else that arrives

TEST(Messages, OfOtherHostsAreIgnoredAndForeignOnesRefused) {
  COVERS("topic-structure-namespace-a", "topic-structure",
         "topic-structure-namespace-device-id-associated-message-types",
         "topic-structure-namespace-device-id-non-associated-message-types");
  Host host;
  EXPECT_EQ(host.send("spBv1.0/STATE/other", "{\"online\":true}"), "");
  EXPECT_EQ(host.send(Host::topic("NCMD"), P(std::nullopt, 1)), "");
  EXPECT_EQ(host.send(Host::topic("DCMD", "n1", "d1"), P(std::nullopt, 1)), "");
  EXPECT_EQ(host.nodes.counters().foreign_hosts, 3u);
  EXPECT_EQ(host.send("spBv1.0/plant/NSTATUS/n1", P(0, 1)), "refused unknown_type");
  EXPECT_EQ(host.send("spAv1.0/plant/NBIRTH/n1", P(0, 1)), "refused not_sparkplug");
  EXPECT_EQ(host.send("spBv1.0/plant/NBIRTH/n1/d1", P(0, 1)), "refused bad_topic");
  EXPECT_EQ(host.send("spBv1.0/plant/DDATA/n1", P(0, 1)), "refused bad_topic");
  EXPECT_EQ(host.nodes.sources(), 0u);
}

TEST(Messages, BeforeABirthAskForOne) {
  COVERS("payloads-ndata-order", "payloads-ddata-order", "payloads-dbirth-order");
  Host host;
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(7, 900, {M::aliased(1).number(2)})),
            "discovered plant/n1; refused before_birth; rebirth plant/n1 before_birth");
  EXPECT_EQ(host.send(Host::topic("DBIRTH", "n2", "d1"), Host::device_birth(1, 900)),
            "discovered plant/n2; discovered plant/n2/d1; refused before_birth; rebirth plant/n2 before_birth");
  EXPECT_EQ(host.send(Host::topic("DDEATH", "n3", "d1"), P(1, 900)),
            "discovered plant/n3; discovered plant/n3/d1; refused before_birth; rebirth plant/n3 before_birth");
}

TEST(Messages, ThatAreNoPayloadAskForABirth) {
  COVERS("message-flow-edge-node-birth-publish-nbirth-payload", "message-flow-device-birth-publish-dbirth-payload");
  Host host;
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), "{\"metrics\":[]}"),
            "discovered plant/n1; refused malformed; rebirth plant/n1 malformed");
  EXPECT_NE(host.out.events[1].detail.find("byte"), std::string_view::npos) << host.out.events[1].detail;
}

TEST(Messages, BeyondTheBoundsAreRefused) {
  HostOptions options;
  options.max_nodes = 1;
  options.max_devices = 1;
  options.max_metrics = 4;
  Host host(options);
  P birth = Host::birth(0, 900);
  *birth.payload.add_metrics() = M::named("Fifth").type(DataType::float64).number(1).metric;
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), birth),
            "discovered plant/n1; born plant/n1 after absence; data plant/n1 birth Speed=1.5@900 Count=7@900; refused "
            "too_many_metrics");
  EXPECT_EQ(host.send(Host::topic("NBIRTH", "n2"), birth), "refused too_many_nodes");
  host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 900));
  EXPECT_EQ(host.send(Host::topic("DBIRTH", "n1", "d2"), Host::device_birth(2, 900)), "refused too_many_devices");
  EXPECT_EQ(host.nodes.sources(), 2u);
}

TEST(Births, ATableFullOfNamesOfThePastForgetsThem) {
  HostOptions options;
  options.max_metrics = 6;
  Host host(options);
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  for (int i = 0; i < 50; ++i) {
    P birth = Host::birth(0, 1'000 + i);
    birth.payload.mutable_metrics(3)->set_name("Count" + std::to_string(i));
    const std::string told = host.send(Host::topic("NBIRTH"), birth);
    EXPECT_EQ(told.find("refused"), std::string::npos) << told;
    EXPECT_LE(host.nodes.source(0).metrics.size(), 6u);
  }
}

TEST(Births, ATableIsNotMadeAnewUnderSamplesOfTheSameCall) {
  HostOptions options;
  options.max_metrics = 5;
  Host host(options);
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  P other = Host::birth(0, 1'000);
  other.payload.mutable_metrics(2)->set_name("Pace");
  other.payload.mutable_metrics(3)->set_name("Total");
  host.send(Host::topic("NDATA"), P(2, 950, {M::aliased(2).integer(8)}));  // waits
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), other),
            "gap plant/n1 lost 1 got 2 missing 1; data plant/n1 Count=8@950~; born plant/n1 rebirth; rebirth plant/n1 "
            "too_many_metrics; data plant/n1 birth Pace=1.5@1000; refused too_many_metrics");
  host.now = 5'000;
  other.payload.set_timestamp(5'000);
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), other),
            "born plant/n1 rebirth; data plant/n1 birth Pace=1.5@1000 Total=7@1000");
}

}  // namespace
}  // namespace fettle::sparkplug::testing
