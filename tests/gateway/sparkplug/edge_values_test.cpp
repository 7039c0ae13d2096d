// Values of every type, properties, data sets and templates, as births and data show them.

#include <gtest/gtest.h>

#include <limits>

#include "gateway/sparkplug/edge_encode.h"
#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/edge_stage.h"

namespace fettle::sparkplug::edge {
namespace {

using std::string_literals::operator""s;

MetricDefinition metric_of(std::string name, DataType type, Value value = {}) {
  MetricDefinition metric;
  metric.name = std::move(name);
  metric.type = type;
  metric.value = std::move(value);
  return metric;
}

// One device with this metric, of templates as given; its birth.
EdgeConfig with_metric(MetricDefinition metric, std::vector<TemplateDefinition> templates = {}) {
  auto config = plain_config();
  config.templates = std::move(templates);
  config.devices = {{"device", {std::move(metric)}}};
  return config;
}

wire::Metric born(const EdgeConfig& config) {
  return online(config).only(MessageType::dbirth).payload.metrics(0);
}

TEST(EdgeValues, EachTypeTravelsInItsField) {
  COVERS("payloads-metric-datatype-value", "payloads-metric-datatype-value-type");
  struct Row {
    DataType type;
    Value value;
    wire::Metric::ValueCase field;
    std::uint64_t bits;  // of integers
  };
  using Field = wire::Metric;
  const std::vector<Row> rows = {
      {DataType::int8, std::int64_t{-1}, Field::kIntValue, 0xffffffff},
      {DataType::int16, std::int64_t{-2}, Field::kIntValue, 0xfffffffe},
      {DataType::int32, std::int64_t{-2'147'483'648LL}, Field::kIntValue, 0x80000000},
      {DataType::int64, std::int64_t{-1}, Field::kLongValue, 0xffffffffffffffff},
      {DataType::uint8, std::uint64_t{255}, Field::kIntValue, 255},
      {DataType::uint16, std::uint64_t{65'535}, Field::kIntValue, 65'535},
      {DataType::uint32, std::uint64_t{4'294'967'295}, Field::kIntValue, 4'294'967'295},
      {DataType::uint64, std::numeric_limits<std::uint64_t>::max(), Field::kLongValue,
       std::numeric_limits<std::uint64_t>::max()},
      {DataType::datetime, std::uint64_t{1'772'323'200'000}, Field::kLongValue, 1'772'323'200'000},
      {DataType::float32, 1.5, Field::kFloatValue, 0},
      {DataType::float64, 1.25, Field::kDoubleValue, 0},
      {DataType::boolean, true, Field::kBooleanValue, 0},
      {DataType::string, "warm"s, Field::kStringValue, 0},
      {DataType::text, "wärmer"s, Field::kStringValue, 0},
      {DataType::uuid, "9d8f0f0e-7a6c-4a8e-9a3e-0f1c2b3a4d5e"s, Field::kStringValue, 0},
      {DataType::bytes, "\0\xff"s, Field::kBytesValue, 0},
      {DataType::file, "%PDF"s, Field::kBytesValue, 0},
      {DataType::uint16_array, Array{{std::uint64_t{30}, std::uint64_t{52'360}}}, Field::kBytesValue, 0},
      {DataType::dataset, Table{{{"a", DataType::int8}}, {}}, Field::kDatasetValue, 0},
  };
  for (const auto& row : rows) {
    const auto metric = born(with_metric(metric_of("m", row.type, row.value)));
    EXPECT_EQ(metric.datatype(), static_cast<std::uint32_t>(row.type));
    ASSERT_EQ(metric.value_case(), row.field) << name_of(row.type);
    if (row.field == Field::kIntValue) {
      EXPECT_EQ(metric.int_value(), row.bits) << name_of(row.type);
    }
    if (row.field == Field::kLongValue) {
      EXPECT_EQ(metric.long_value(), row.bits) << name_of(row.type);
    }
  }
  EXPECT_EQ(born(with_metric(metric_of("m", DataType::bytes, "\0\xff"s))).bytes_value(), "\0\xff"s);
  // Little endian: 30 is 1e 00, 52,360 is 88 cc.
  const auto packed = born(with_metric(metric_of("m", DataType::uint16_array, rows[17].value)));
  EXPECT_EQ(packed.bytes_value(), "\x1e\x00\x88\xcc"s);
}

TEST(EdgeValues, AValueThatIsNotOfItsTypeIsRefused) {
  const std::vector<std::pair<DataType, Value>> wrong = {
      {DataType::int8, std::int64_t{128}},
      {DataType::uint8, std::int64_t{-1}},
      {DataType::boolean, std::int64_t{1}},
      {DataType::float64, "1.0"s},
      {DataType::string, 1.0},
      {DataType::bytes, 1.0},
      {DataType::dataset, "table"s},
      {DataType::template_, 1.0},
      {DataType::int8_array, std::int64_t{1}},
      {DataType::int8_array, Array{{std::int64_t{1}, std::int64_t{300}}}},
      {DataType::string_array, Array{{"a\0b"s}}},
      {DataType::string, Array{}},
      {DataType::dataset, Table{{{"a", DataType::int8}}, {{std::int64_t{1}, std::int64_t{2}}}}},
      {DataType::dataset, Table{{{"a", DataType::int8}}, {{"one"s}}}},
      {DataType::dataset, Table{{{"a", DataType::dataset}}, {}}},
      {DataType::dataset, Table{{{"a", DataType::int8}, {"a", DataType::int8}}, {}}},
      {DataType::property_set, 1.0},
  };
  for (const auto& [type, value] : wrong) EXPECT_TRUE(mismatch(type, value, {})) << name_of(type);
  for (const auto& [type, value] : wrong) EXPECT_FALSE(mismatch(type, Value(), {})) << "null fits " << name_of(type);
}

TEST(EdgeValues, PropertiesCarryTypesOfTheirOwn) {
  COVERS("payloads-propertyset-keys-array-size", "payloads-propertyset-values-array-size",
         "payloads-metric-propertyvalue-type-type", "payloads-metric-propertyvalue-type-value",
         "payloads-metric-propertyvalue-type-req");
  auto metric = metric_of("m", DataType::float64, 1.0);
  metric.properties = {
      {"unit", DataType::string, "degC"s},
      {"limit", DataType::float64, 80.0},
      {"places", DataType::uint8, std::uint64_t{2}},
      {"since", DataType::datetime, std::uint64_t{5}},
      {"remark", DataType::text, std::monostate()},
      {"origin", DataType::property_set, PropertySet{{{"serial", DataType::string, "x1"s}}}},
      {"checks", DataType::property_set_list,
       std::vector<PropertySet>{{{{"by", DataType::string, "a"s}}}, {{{"by", DataType::string, "b"s}}}}}};
  const auto set = born(with_metric(metric)).properties();
  ASSERT_EQ(set.keys_size(), 7);
  ASSERT_EQ(set.values_size(), set.keys_size());
  for (int i = 0; i < set.values_size(); ++i) {
    EXPECT_EQ(set.keys(i), metric.properties[static_cast<std::size_t>(i)].key);
    ASSERT_TRUE(set.values(i).has_type());
    const auto type = data_type_of(set.values(i).type());
    ASSERT_TRUE(type);
    EXPECT_TRUE(is_basic(*type) || *type == DataType::property_set || *type == DataType::property_set_list);
  }
  EXPECT_EQ(set.values(0).string_value(), "degC");
  EXPECT_EQ(set.values(1).double_value(), 80.0);
  EXPECT_EQ(set.values(2).int_value(), 2U);
  EXPECT_EQ(set.values(3).long_value(), 5U);
  EXPECT_TRUE(set.values(4).is_null());
  const auto& nested = set.values(5).propertyset_value();
  ASSERT_EQ(nested.keys_size(), nested.values_size());
  EXPECT_EQ(nested.values(0).string_value(), "x1");
  EXPECT_EQ(nested.values(0).type(), 12U);
  ASSERT_EQ(set.values(6).propertysets_value().propertyset_size(), 2);
  EXPECT_EQ(set.values(6).propertysets_value().propertyset(1).values(0).string_value(), "b");

  metric.properties = {{"bad", DataType::dataset, std::monostate()}};
  EXPECT_TRUE(problem_of(with_metric(metric))) << "no property can be a data set";
  metric.properties = {{"unit", DataType::string, "a"s}, {"unit", DataType::string, "b"s}};
  EXPECT_TRUE(problem_of(with_metric(metric)));
}

TEST(EdgeValues, ADataSetSaysItsColumnsAndTheirTypes) {
  COVERS("payloads-dataset-column-size", "payloads-dataset-column-num-headers", "payloads-dataset-types-def",
         "payloads-dataset-types-num", "payloads-dataset-types-type", "payloads-dataset-types-value",
         "payloads-dataset-parameter-type-req", "payloads-template-dataset-value");
  const Table table{{{"at", DataType::datetime},
                     {"step", DataType::int16},
                     {"on", DataType::boolean},
                     {"name", DataType::string},
                     {"share", DataType::float32},
                     {"heat", DataType::float64}},
                    {{std::uint64_t{9}, std::int64_t{-1}, true, "a"s, 0.5, 2.25},
                     {std::uint64_t{10}, std::int64_t{7}, false, "b"s, 1.5, Scalar()}}};
  auto stage = online(with_metric(metric_of("m", DataType::dataset, table)));
  const auto check = [&](const wire::DataSet& set) {
    EXPECT_EQ(set.num_of_columns(), 6U);
    ASSERT_EQ(set.columns_size(), 6);
    ASSERT_EQ(set.types_size(), 6);
    for (int i = 0; i < 6; ++i) {
      EXPECT_EQ(set.columns(i), table.columns[static_cast<std::size_t>(i)].name);
      const auto type = data_type_of(set.types(i));
      ASSERT_TRUE(type);
      EXPECT_TRUE(is_basic(*type));
      EXPECT_EQ(*type, table.columns[static_cast<std::size_t>(i)].type);
    }
    ASSERT_EQ(set.rows_size(), 2);
    ASSERT_EQ(set.rows(0).elements_size(), 6);
    using Cell = wire::DataSetValue;
    const std::vector<Cell::ValueCase> fields = {Cell::kLongValue,   Cell::kIntValue,   Cell::kBooleanValue,
                                                 Cell::kStringValue, Cell::kFloatValue, Cell::kDoubleValue};
    for (int i = 0; i < 6; ++i) EXPECT_EQ(set.rows(0).elements(i).value_case(), fields[static_cast<std::size_t>(i)]);
    EXPECT_EQ(set.rows(0).elements(1).int_value(), 0xffffffffU);
    EXPECT_EQ(set.rows(1).elements(5).value_case(), Cell::VALUE_NOT_SET) << "a null cell";
  };
  check(stage.only(MessageType::dbirth).payload.metrics(0).dataset_value());
  stage.clear();
  EXPECT_EQ(stage.write(0, 0, table), Written::unchanged);
  auto other = table;
  other.rows[1][1] = std::int64_t{8};
  EXPECT_EQ(stage.write(0, 0, other), Written::published);
  check(stage.only(MessageType::ddata).payload.metrics(0).dataset_value());
}

// A pump of a motor, with a parameter each; the motor is defined first, since the pump is made of one.
std::vector<TemplateDefinition> pump() {
  TemplateDefinition motor{"motor", "1.2", {{"rpm", DataType::float64, {}}, {"hot", DataType::boolean, false}}, {}};
  TemplateDefinition whole{
      "pump",
      {},
      {{"flow", DataType::float64, {}}, {"drive", DataType::template_, Instance{"motor", {}, {}}}},
      {{"maker", DataType::string, "ACME"s}, {"year", DataType::uint32, {}}, {"power", DataType::float32, 1.5}}};
  return {motor, whole};
}

EdgeConfig pumped() {
  return with_metric(metric_of("pump 1", DataType::template_, Instance{"pump", {}, {}}), pump());
}

TEST(EdgeValues, TemplatesAreDefinedInTheNodesBirthAndNowhereElse) {
  COVERS("topics-nbirth-templates", "payloads-template-definition-nbirth-only",
         "payloads-template-definition-is-definition", "payloads-template-definition-ref",
         "payloads-template-definition-members", "payloads-template-definition-nbirth",
         "payloads-template-definition-parameters", "payloads-template-definition-parameters-default",
         "payloads-template-ref-definition", "payloads-template-is-definition",
         "payloads-template-is-definition-definition", "payloads-template-version",
         "payloads-template-parameter-name-required", "payloads-template-parameter-name-type",
         "payloads-template-parameter-value-type", "payloads-template-parameter-type-value",
         "payloads-template-parameter-type-req", "payloads-template-parameter-value");
  auto stage = online(pumped());
  const auto birth = stage.only(MessageType::nbirth).payload;
  const auto& motor = metric_named(birth, "motor");
  EXPECT_EQ(motor.datatype(), 19U) << "Template";
  EXPECT_TRUE(motor.template_value().is_definition());
  EXPECT_FALSE(motor.template_value().has_template_ref());
  EXPECT_EQ(motor.template_value().version(), "1.2");
  const auto& whole = metric_named(birth, "pump").template_value();
  EXPECT_TRUE(whole.is_definition());
  EXPECT_FALSE(whole.has_template_ref());
  EXPECT_FALSE(whole.has_version());
  ASSERT_EQ(whole.metrics_size(), 2);
  EXPECT_EQ(whole.metrics(0).name(), "flow");
  EXPECT_EQ(whole.metrics(0).datatype(), 10U);
  EXPECT_EQ(whole.metrics(1).name(), "drive");
  EXPECT_EQ(whole.metrics(1).template_value().template_ref(), "motor");
  ASSERT_EQ(whole.parameters_size(), 3);
  for (const auto& parameter : whole.parameters()) {
    EXPECT_TRUE(parameter.has_name());
    ASSERT_TRUE(parameter.has_type());
    const auto type = data_type_of(parameter.type());
    ASSERT_TRUE(type);
    EXPECT_TRUE(is_basic(*type));
  }
  EXPECT_EQ(whole.parameters(0).name(), "maker");
  EXPECT_EQ(whole.parameters(0).string_value(), "ACME") << "a default";
  EXPECT_EQ(whole.parameters(1).value_case(), wire::Parameter::VALUE_NOT_SET) << "no default";
  EXPECT_EQ(whole.parameters(2).float_value(), 1.5F);

  stage.write(0, 0, Instance{"pump", {{"flow", DataType::float64, 2.0}}, {}});
  std::size_t definitions = 0;
  for (const auto& message : stage.published()) {
    for (const auto& metric : message.payload.metrics()) {
      if (!metric.has_template_value()) continue;
      ASSERT_TRUE(metric.template_value().has_is_definition());
      EXPECT_EQ(metric.template_value().is_definition(), message.type == MessageType::nbirth);
      definitions += metric.template_value().is_definition() ? 1 : 0;
    }
  }
  EXPECT_EQ(definitions, 2U);
  auto config = pumped();
  config.templates.erase(config.templates.begin());
  EXPECT_TRUE(problem_of(config)) << "an instance of what no birth defines";
  config = pumped();
  config.templates[0].version = "\xff";
  EXPECT_TRUE(problem_of(config)) << "a version that is no text";
}

TEST(EdgeValues, AnInstanceFollowsItsTemplate) {
  COVERS("payloads-template-instance-is-definition", "payloads-template-instance-ref",
         "payloads-template-instance-members", "payloads-template-instance-members-birth",
         "payloads-template-instance-members-data", "payloads-template-instance-parameters",
         "payloads-template-ref-instance", "payloads-template-is-definition-instance");
  auto stage = online(pumped());
  const auto birth = stage.only(MessageType::dbirth).payload.metrics(0).template_value();
  ASSERT_TRUE(birth.has_is_definition());
  EXPECT_FALSE(birth.is_definition());
  EXPECT_EQ(birth.template_ref(), "pump");
  ASSERT_EQ(birth.metrics_size(), 2) << "all members, known or not";
  EXPECT_TRUE(birth.metrics(0).is_null());
  EXPECT_EQ(birth.parameters(0).string_value(), "ACME") << "the default";

  stage.clear();
  const Instance some{"pump", {{"flow", DataType::float64, 2.5}}, {{"maker", DataType::string, "Best"s}}};
  EXPECT_EQ(stage.write(0, 0, some), Written::published);
  const auto data = stage.only(MessageType::ddata).payload.metrics(0).template_value();
  EXPECT_FALSE(data.is_definition());
  EXPECT_EQ(data.template_ref(), "pump");
  ASSERT_EQ(data.metrics_size(), 1) << "a part of the members";
  EXPECT_EQ(data.metrics(0).name(), "flow");
  EXPECT_EQ(data.metrics(0).double_value(), 2.5);
  ASSERT_EQ(data.parameters_size(), 1);
  EXPECT_EQ(data.parameters(0).string_value(), "Best");
  EXPECT_EQ(stage.write(0, 0, some), Written::unchanged);

  stage.clear();
  stage.ask_for_rebirth();
  const auto again = stage.only(MessageType::dbirth).payload.metrics(0).template_value();
  ASSERT_EQ(again.metrics_size(), 2);
  EXPECT_EQ(again.metrics(0).double_value(), 2.5);
  EXPECT_EQ(again.parameters(0).string_value(), "Best");

  EXPECT_EQ(stage.write(0, 0, Instance{"pump", {{"colour", DataType::string, "red"s}}, {}}), Written::not_allowed);
  EXPECT_EQ(stage.write(0, 0, Instance{"pump", {{"flow", DataType::string, "red"s}}, {}}), Written::not_allowed);
  EXPECT_EQ(stage.write(0, 0, Instance{"fan", {}, {}}), Written::not_allowed);
  EXPECT_EQ(stage.write(0, 0, Instance{"pump", {}, {{"owner", DataType::string, "me"s}}}), Written::not_allowed);
}

TEST(EdgeValues, AnInstanceStaysOneOfItsTemplate) {
  auto config = pumped();
  auto stage = online(config);
  EXPECT_EQ(stage.write(0, 0, Instance{"motor", {{"rpm", DataType::float64, 1.0}}, {}}), Written::not_allowed)
      << "the metric was announced as a pump";
}

TEST(EdgeValues, ATemplateCannotHoldItself) {
  auto config = pumped();
  config.templates[1].members.push_back({"spare", DataType::template_, Instance{"pump", {}, {}}});
  EXPECT_NE(problem_of(config).value_or("").find("not defined"), std::string::npos);
}

}  // namespace
}  // namespace fettle::sparkplug::edge
