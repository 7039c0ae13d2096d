// What the metrics of a message become: values by type, times, flags, and the flattening of composed metrics.

#include <gtest/gtest.h>

#include <cmath>

#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/messages.h"

namespace fettle::sparkplug::testing {
namespace {

struct TypeRow {
  const char* title;
  DataType type;
  M value;
  const char* expected;
};

TEST(Values, FollowTheTypeOfTheBirth) {
  COVERS("payloads-metric-datatype-not-req");
  const TypeRow rows[] = {
      {"Int8, sign-extended", DataType::int8, M().integer(0xFFFFFFFF), "-1"},
      {"Int8, cut to its width", DataType::int8, M().integer(0xFF), "-1"},
      {"Int8 too large", DataType::int8, M().integer(300), "wrong(a value that is none of its data type)"},
      {"Int16", DataType::int16, M().integer(0xFFFF8000), "-32768"},
      {"Int32", DataType::int32, M().integer(0x80000000), "-2147483648"},
      {"Int32 in 64 bits", DataType::int32, M().whole(0xFFFFFFFFFFFFFFFF), "-1"},
      {"Int64", DataType::int64, M().whole(0x8000000000000000), "-9223372036854775808"},
      {"Int64 in 32 bits", DataType::int64, M().integer(0xFFFFFFFE), "-2"},
      {"UInt8", DataType::uint8, M().integer(255), "255"},
      {"UInt8 too large", DataType::uint8, M().integer(256), "wrong(a value that is none of its data type)"},
      {"UInt16", DataType::uint16, M().integer(65'535), "65535"},
      {"UInt32", DataType::uint32, M().integer(0xFFFFFFFF), "4294967295"},
      {"UInt32 in 64 bits", DataType::uint32, M().whole(0xFFFFFFFF), "4294967295"},
      {"UInt64", DataType::uint64, M().whole(0x7FFFFFFFFFFFFFFF), "9223372036854775807"},
      {"UInt64 beyond 63 bits", DataType::uint64, M().whole(0x8000000000000000), "9.22337e+18"},
      {"Double", DataType::float64, M().number(-2.5), "-2.5"},
      {"Double, not a number", DataType::float64, M().number(std::nan("")), "wrong(NaN)"},
      {"Double, infinite", DataType::float64, M().number(INFINITY), "wrong(an infinite number)"},
      {"Float in a double", DataType::float32, M().number(0.5), "0.5"},
      {"Boolean", DataType::boolean, M().flag(true), "1"},
      {"Boolean as a number", DataType::boolean, M().integer(1), "wrong(a value that is none of its data type)"},
      {"DateTime", DataType::datetime, M().whole(1'767'225'600'000), "1767225600000"},
      {"String", DataType::string, M().text("on"), "'on'"},
      {"Text", DataType::text, M().text("gr\xC3\xBC\xC3\x9F"), "'gr\xC3\xBC\xC3\x9F'"},
      {"UUID", DataType::uuid, M().text("0f-1"), "'0f-1'"},
      {"String that is no UTF-8", DataType::string, M().text("\xFF"), "wrong(a value that is none of its data type)"},
      {"a text for a number", DataType::float64, M().text("1"), "wrong(a value that is none of its data type)"},
      {"Bytes", DataType::bytes, M().bytes("abc"), "<3>"},
      {"File", DataType::file, M().bytes("abcd"), "<4>"},
      {"null", DataType::float64, M().null(), "null"},
      {"null beside a value", DataType::float64, M().number(5).null(), "null"},
      {"no value at all", DataType::float64, M(), "null"},
  };
  for (const TypeRow& row : rows) {
    Host host;
    host.send(Host::topic("NBIRTH"), P(0, 900, {M::named("X").alias(1).type(row.type).null()}));
    M value = row.value;
    EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 950, {value.alias(1).at(940)})),
              std::string("data plant/n1 X=") + row.expected + "@940")
        << row.title;
  }
}

TEST(Values, AreExactAsIntegers) {
  Host host;
  host.send(Host::topic("NBIRTH"), P(0, 900, {M::named("X").alias(1).type(DataType::int64).whole(0)}));
  host.send(Host::topic("NDATA"), P(1, 950, {M::aliased(1).whole(9'007'199'254'740'993)}));
  ASSERT_EQ(host.out.samples.size(), 1u);
  EXPECT_EQ(host.out.samples[0].kind, SampleKind::integer);
  EXPECT_EQ(host.out.samples[0].integer, 9'007'199'254'740'993) << "one more than 2^53";
}

TEST(Values, HaveTheMetricsTimeElseThePayloadsElseTheReceivedOne) {
  COVERS("payloads-name-birth-data-requirement", "payloads-timestamp-in-UTC", "payloads-metric-timestamp-in-UTC",
         "payloads-ndata-timestamp", "payloads-ddata-timestamp", "topics-ndata-timestamp");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 950, {M::aliased(1).at(940).number(1), M::aliased(2).integer(1)})),
            "data plant/n1 Speed=1@940 Count=1@950");
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(2, std::nullopt, {M::aliased(1).number(1)})),
            "data plant/n1 Speed=1@1000?");
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(3, 950, {M::aliased(1).at(-1).number(1)})),
            "data plant/n1 Speed=wrong(a timestamp beyond 2^63 ms)@1000?");
}

TEST(Values, KeepTheirFlagsAndTheirQuality) {
  COVERS("payloads-propertyset-quality-value-type", "payloads-propertyset-quality-value-value");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  EXPECT_EQ(host.send(Host::topic("NDATA"),
                      P(1, 950,
                        {M::aliased(1).at(1).number(1).historical(), M::aliased(1).at(2).number(2).transient(),
                         M::aliased(1).at(3).number(3).quality(192), M::aliased(1).at(4).number(4).quality(500),
                         M::aliased(1).at(5).number(5).quality(0), M::aliased(1).at(6).number(6).quality(77)})),
            "data plant/n1 Speed=1@1~ Speed=2@2! Speed=3@3 Speed=4@4(stale) Speed=5@5(bad) Speed=6@6(bad)");
}

TEST(Values, OfUnknownMetricsAreRefusedAndTheOthersCount) {
  COVERS("payloads-alias-data-cmd-requirement", "topics-ndata-payload", "topics-ndata-topic");
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  EXPECT_EQ(host.send(Host::topic("NDATA"),
                      P(1, 950, {M::aliased(1).number(2), M::aliased(50).number(1), M::named("Other").number(1)})),
            "data plant/n1 Speed=2@950; refused unknown_alias; rebirth plant/n1 unknown_metric");
  EXPECT_NE(host.out.events[1].detail.find("alias 50"), std::string_view::npos) << host.out.events[1].detail;
  EXPECT_NE(host.out.events[1].detail.find("1 more"), std::string_view::npos) << host.out.events[1].detail;
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(2, 950, {M::named("Count").integer(3)})), "data plant/n1 Count=3@950")
      << "names are understood beside aliases";
}

TEST(Values, OfATypeSaidInTheDataFollowThatType) {
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 950, {M::aliased(2).type(DataType::float64).number(2.5)})),
            "data plant/n1 Count=2.5@950");
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(2, 950, {M::aliased(2).type(static_cast<DataType>(77)).number(2.5)})),
            "refused unknown_datatype");
}

// ---- composed metrics

TEST(Flattening, AnArrayIsItsElements) {
  Host host;
  host.send(Host::topic("NBIRTH"),
            P(0, 900, {M::named("A").alias(1).type(DataType::int16_array).bytes(std::string("\x01\x00\xFF\xFF", 4))}));
  EXPECT_EQ(told(host.nodes, host.out),
            "discovered plant/n1; born plant/n1 after absence; data plant/n1 birth A[0]=1@900 A[1]=-1@900");
  const std::uint64_t generation = host.nodes.source(0).generation;
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 950, {M::aliased(1).bytes(std::string("\x05\x00", 2))})),
            "data plant/n1 A[0]=5@950");
  EXPECT_EQ(host.nodes.source(0).generation, generation);
  EXPECT_EQ(
      host.send(Host::topic("NDATA"), P(2, 960, {M::aliased(1).bytes(std::string("\x01\x00\x02\x00\x03\x00", 6))})),
      "data plant/n1 A[0]=1@960 A[1]=2@960 A[2]=3@960");
  EXPECT_EQ(host.nodes.source(0).generation, generation + 1) << "the table grew";
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(3, 970, {M::aliased(1).bytes("odd")})), "refused malformed");
}

void add_column(wire::DataSet& set, const std::string& name, DataType type) {
  set.add_columns(name);
  set.add_types(static_cast<std::uint32_t>(type));
}

TEST(Flattening, ADataSetIsItsCells) {
  COVERS("payloads-dataset-column-size", "payloads-dataset-column-num-headers", "payloads-dataset-types-def",
         "payloads-dataset-types-num", "payloads-dataset-types-type", "payloads-dataset-types-value",
         "payloads-dataset-parameter-type-req", "payloads-template-dataset-value");
  Host host;
  M metric = M::named("D").alias(1).type(DataType::dataset);
  wire::DataSet& set = *metric.metric.mutable_dataset_value();
  set.set_num_of_columns(2);
  add_column(set, "level", DataType::int32);
  add_column(set, "label", DataType::string);
  for (std::uint32_t i = 0; i < 2; ++i) {
    wire::Row& row = *set.add_rows();
    row.add_elements()->set_int_value(i == 0 ? 5 : 0xFFFFFFFF);
    row.add_elements()->set_string_value("r" + std::to_string(i));
  }
  EXPECT_EQ(
      host.send(Host::topic("NBIRTH"), P(0, 900, {metric})),
      "discovered plant/n1; born plant/n1 after absence; data plant/n1 birth D[0]/level=5@900 D[0]/label='r0'@900 "
      "D[1]/level=-1@900 D[1]/label='r1'@900");
  set.mutable_rows(0)->mutable_elements(0)->Clear();
  set.mutable_rows()->RemoveLast();
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 950, {metric})),
            "data plant/n1 D[0]/level=null@950 D[0]/label='r0'@950");
}

// A template instance "Pump" with a parameter, a nested template and an array.
M pump(std::int64_t stamp) {
  M metric = M::named("Pump").alias(1).at(stamp).type(DataType::template_);
  wire::Template& pump = *metric.metric.mutable_template_value();
  pump.set_is_definition(false);
  pump.set_template_ref("PumpType");
  pump.set_version("1.0");
  wire::Parameter& parameter = *pump.add_parameters();
  parameter.set_name("size");
  parameter.set_type(static_cast<std::uint32_t>(DataType::int32));
  parameter.set_int_value(40);
  *pump.add_metrics() = M::named("flow").type(DataType::float64).number(1.5).metric;
  wire::Metric& nested = *pump.add_metrics();
  nested.set_name("motor");
  nested.set_datatype(static_cast<std::uint32_t>(DataType::template_));
  *nested.mutable_template_value()->add_metrics() = M::named("temperature").type(DataType::float64).number(60).metric;
  *nested.mutable_template_value()->add_metrics() =
      M::named("phases").type(DataType::uint8_array).bytes("\x07\x08").metric;
  return metric;
}

TEST(Flattening, ATemplateIsItsMembersAndParameters) {
  COVERS("payloads-template-instance-members", "payloads-template-instance-members-birth",
         "payloads-template-instance-members-data", "payloads-template-instance-parameters",
         "payloads-template-instance-ref", "payloads-template-instance-is-definition", "payloads-template-version");
  Host host;
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), P(0, 900, {pump(890)})),
            "discovered plant/n1; born plant/n1 after absence; data plant/n1 birth Pump/flow=1.5@890 "
            "Pump/motor/temperature=60@890 Pump/motor/phases[0]=7@890 Pump/motor/phases[1]=8@890 Pump/size=40@890");
  M some = M::aliased(1).at(950);
  *some.metric.mutable_template_value()->add_metrics() = M::named("flow").number(2.5).metric;
  EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 960, {some})), "data plant/n1 Pump/flow=2.5@950")
      << "data may hold some members, and leaves their types to the birth";
}

TEST(Flattening, ADefinitionGivesNoSamples) {
  COVERS("payloads-template-definition-is-definition", "payloads-template-is-definition",
         "payloads-template-is-definition-definition", "payloads-template-definition-ref");
  Host host;
  M definition = pump(890);
  definition.metric.mutable_template_value()->set_is_definition(true);
  definition.metric.mutable_template_value()->clear_template_ref();
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), P(0, 900, {definition})),
            "discovered plant/n1; born plant/n1 after absence");
}

TEST(Flattening, StaysWithinTheBound) {
  HostOptions options;
  options.max_metrics = 10;
  Host host(options);
  EXPECT_EQ(
      host.send(Host::topic("NBIRTH"), P(0, 900,
                                         {M::named("A").type(DataType::uint8_array).bytes(std::string(11, 'x')),
                                          M::named("B").type(DataType::uint8_array).bytes(std::string(2, '\x01'))})),
      "discovered plant/n1; born plant/n1 after absence; data plant/n1 birth B[0]=1@900 B[1]=1@900; refused "
      "too_many_metrics");
  EXPECT_LE(host.nodes.source(0).metrics.size(), 10u);
}

TEST(Flattening, RefusesWhatIsNotComposedAsItsTypeSays) {
  Host host;
  EXPECT_EQ(host.send(Host::topic("NBIRTH"), P(0, 900, {M::named("D").type(DataType::dataset).number(1)})),
            "discovered plant/n1; born plant/n1 after absence; refused wrong_value");
}

}  // namespace
}  // namespace fettle::sparkplug::testing
