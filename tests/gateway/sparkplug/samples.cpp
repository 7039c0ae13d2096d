#include "tests/gateway/sparkplug/samples.h"

#include "gateway/sparkplug/encode.h"
#include "tests/gateway/sparkplug/messages.h"

namespace fettle::sparkplug::testing {
namespace {

void set_type(wire::PropertyValue& value, DataType type) {
  value.set_type(static_cast<std::uint32_t>(type));
}

P properties() {
  M metric = M::named("with properties").type(DataType::float32);
  metric.metric.set_float_value(1.5F);
  wire::PropertySet& set = *metric.metric.mutable_properties();
  set.add_keys("Quality");
  set.add_values()->set_int_value(192);
  set_type(*set.mutable_values(0), DataType::int32);
  set.add_keys("nested");
  set.add_values()->mutable_propertyset_value()->add_keys("unit");
  wire::PropertyValue& unit = *set.mutable_values(1)->mutable_propertyset_value()->add_values();
  set_type(unit, DataType::string);
  unit.set_string_value("kWh");
  set.add_keys("list");
  wire::PropertySetList& list = *set.add_values()->mutable_propertysets_value();
  for (int i = 0; i < 2; ++i) {
    wire::PropertySet& one = *list.add_propertyset();
    one.add_keys("limit");
    one.add_values()->set_double_value(i);
  }
  set.add_keys("absent");
  set.add_values()->set_is_null(true);
  wire::MetaData& metadata = *metric.metric.mutable_metadata();
  metadata.set_content_type("text/plain");
  metadata.set_size(3);
  metadata.set_description("all of it");
  P payload(1, 1'000, {metric});
  payload.payload.set_uuid("schema");
  payload.payload.set_body("\x01\x02");
  return payload;
}

P dataset() {
  M metric = M::named("table").type(DataType::dataset);
  wire::DataSet& set = *metric.metric.mutable_dataset_value();
  set.set_num_of_columns(3);
  const DataType types[] = {DataType::int32, DataType::string, DataType::boolean};
  const char* names[] = {"level", "label", "on"};
  for (int i = 0; i < 3; ++i) {
    set.add_columns(names[i]);
    set.add_types(static_cast<std::uint32_t>(types[i]));
  }
  for (std::uint32_t i = 0; i < 3; ++i) {
    wire::Row& row = *set.add_rows();
    row.add_elements()->set_int_value(i);
    row.add_elements()->set_string_value("row");
    row.add_elements()->set_boolean_value(i == 1);
  }
  return {2, 1'000, {metric}};
}

P templates() {
  M metric = M::named("pump 1").type(DataType::template_);
  wire::Template& value = *metric.metric.mutable_template_value();
  value.set_template_ref("pump");
  value.set_version("2");
  value.set_is_definition(false);
  wire::Parameter& parameter = *value.add_parameters();
  parameter.set_name("size");
  parameter.set_type(static_cast<std::uint32_t>(DataType::int64));
  parameter.set_long_value(40);
  *value.add_metrics() = M::named("flow").type(DataType::float64).number(1.25).metric;
  wire::Metric& nested = *value.add_metrics();
  nested.set_name("motor");
  nested.set_datatype(static_cast<std::uint32_t>(DataType::template_));
  *nested.mutable_template_value()->add_metrics() = M::named("speed").type(DataType::uint16).integer(900).metric;
  return {3, 1'000, {metric}};
}

P arrays() {
  P payload(4, 1'000);
  const Scalar numbers[] = {std::int64_t{-1}, std::int64_t{2}, std::int64_t{3}};
  const Scalar flags[] = {true, false, true};
  const Scalar texts[] = {std::string("ABC"), std::string()};
  M int8 = M::named("int8").type(DataType::int8_array).bytes(*encode_array(DataType::int8_array, numbers));
  M doubles = M::named("doubles").type(DataType::float64_array).bytes(*encode_array(DataType::float64_array, numbers));
  M booleans = M::named("booleans").type(DataType::boolean_array).bytes(*encode_array(DataType::boolean_array, flags));
  M strings = M::named("strings").type(DataType::string_array).bytes(*encode_array(DataType::string_array, texts));
  for (const M& metric : {int8, doubles, booleans, strings}) *payload.payload.add_metrics() = metric.metric;
  return payload;
}

}  // namespace

std::vector<SamplePayload> sample_payloads() {
  return {
      {"node_birth", Host::birth(0, 1'000, 5).bytes()},
      {"device_birth", Host::device_birth(1, 1'000).bytes()},
      {"node_death", Host::death(5).bytes()},
      {"data", P(2, 1'100,
                 {M::aliased(1).at(1'090).number(2.5), M::aliased(2).at(1'091).integer(0xFFFFFFFF).historical(),
                  M::aliased(11).at(1'092).null().transient().quality(500)})
                   .bytes()},
      {"properties", properties().bytes()},
      {"dataset", dataset().bytes()},
      {"template", templates().bytes()},
      {"arrays", arrays().bytes()},
      {"empty", ""},
  };
}

}  // namespace fettle::sparkplug::testing
