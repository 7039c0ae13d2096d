#include "tests/gateway/sparkplug/judge.h"

#include <google/protobuf/stubs/logging.h>

#include <bit>

#include "gateway/sparkplug/payload.pb.h"

namespace fettle::sparkplug::testing {
namespace {

// Walks both readings side by side; the first difference stays in `found`.
class Comparison {
 public:
  explicit Comparison(const Payload& ours) : ours_(ours) {}
  std::string found;

  void payload(const wire::Payload& theirs) {
    same("timestamp", ours_.timestamp.has_value(), theirs.has_timestamp());
    same("timestamp", ours_.timestamp.value_or(0), theirs.timestamp());
    same("seq", ours_.seq.has_value(), theirs.has_seq());
    same("seq", ours_.seq.value_or(0), theirs.seq());
    same("uuid", ours_.uuid, std::string_view(theirs.uuid()));
    same("body", ours_.body, std::string_view(theirs.body()));
    same("metrics", ours_.metrics.size(), count(theirs.metrics_size()));
    for (int i = 0; i < theirs.metrics_size() && found.empty(); ++i) {
      metric(ours_.metrics[count(i)], theirs.metrics(i));
    }
  }

 private:
  static std::size_t count(int number) { return static_cast<std::size_t>(number); }

  template <typename T>
  void same(const char* what, const T& ours, const T& theirs) {
    if (found.empty() && !(ours == theirs)) found = std::string("they differ in ") + what;
  }

  void metric(const Metric& ours, const wire::Metric& theirs) {
    same("metric.has_name", ours.has_name(), theirs.has_name());
    same("metric.name", ours.name, std::string_view(theirs.name()));
    same("metric.has_alias", ours.alias.has_value(), theirs.has_alias());
    same("metric.alias", ours.alias.value_or(0), theirs.alias());
    same("metric.has_timestamp", ours.timestamp.has_value(), theirs.has_timestamp());
    same("metric.timestamp", ours.timestamp.value_or(0), theirs.timestamp());
    same("metric.datatype", ours.datatype, theirs.datatype());
    same("metric.is_historical", ours.is_historical, theirs.is_historical());
    same("metric.is_transient", ours.is_transient, theirs.is_transient());
    same("metric.is_null", ours.is_null, theirs.is_null());
    same("metric.has_metadata", ours.has_metadata, theirs.has_metadata());
    if (ours.has_metadata) metadata(ours_.metadata[ours.metadata], theirs.metadata());
    same("metric.has_properties", ours.has_properties, theirs.has_properties());
    property_set(ours.properties, theirs.properties());
    metric_value(ours.value, theirs);
  }

  void metric_value(const Value& ours, const wire::Metric& theirs) {
    switch (theirs.value_case()) {
      case wire::Metric::kBytesValue:
        same("bytes kind", ours.kind, ValueKind::bytes);
        same("bytes", ours.text, std::string_view(theirs.bytes_value()));
        return;
      case wire::Metric::kDatasetValue:
        same("data set kind", ours.kind, ValueKind::dataset);
        if (found.empty()) dataset(ours_.datasets[ours.bits], theirs.dataset_value());
        return;
      case wire::Metric::kTemplateValue:
        same("template kind", ours.kind, ValueKind::template_);
        if (found.empty()) template_value(ours_.templates[ours.bits], theirs.template_value());
        return;
      default:
        scalar(ours, theirs);
    }
  }

  // The six value fields that metrics, properties, parameters and cells share.
  template <typename Message>
  void scalar(const Value& ours, const Message& theirs) {
    if (theirs.has_int_value()) return is(ours, ValueKind::int32, theirs.int_value());
    if (theirs.has_long_value()) return is(ours, ValueKind::int64, theirs.long_value());
    if (theirs.has_float_value())
      return is(ours, ValueKind::float32, std::bit_cast<std::uint32_t>(theirs.float_value()));
    if (theirs.has_double_value()) {
      return is(ours, ValueKind::float64, std::bit_cast<std::uint64_t>(theirs.double_value()));
    }
    if (theirs.has_boolean_value()) return is(ours, ValueKind::boolean, theirs.boolean_value() ? 1 : 0);
    if (theirs.has_string_value()) {
      same("text kind", ours.kind, ValueKind::text);
      return same("text", ours.text, std::string_view(theirs.string_value()));
    }
    same("no value", ours.kind, ValueKind::none);
  }

  void is(const Value& ours, ValueKind kind, std::uint64_t bits) {
    same("kind of a value", ours.kind, kind);
    same("bits of a value", ours.bits, bits);
  }

  void metadata(const MetaData& ours, const wire::MetaData& theirs) {
    same("is_multi_part", ours.is_multi_part.value_or(false), theirs.is_multi_part());
    same("size", ours.size.value_or(0), theirs.size());
    same("metadata.seq", ours.seq.value_or(0), theirs.seq());
    same("content_type", ours.content_type, std::string_view(theirs.content_type()));
    same("file_name", ours.file_name, std::string_view(theirs.file_name()));
    same("file_type", ours.file_type, std::string_view(theirs.file_type()));
    same("md5", ours.md5, std::string_view(theirs.md5()));
    same("description", ours.description, std::string_view(theirs.description()));
  }

  void property_set(const Range& ours, const wire::PropertySet& theirs) {
    same("number of properties", std::size_t{ours.count}, count(theirs.keys_size()));
    same("number of property values", std::size_t{ours.count}, count(theirs.values_size()));
    for (std::uint32_t i = 0; i < ours.count && found.empty(); ++i) {
      const Property& property = ours_.properties[ours.first + i];
      const wire::PropertyValue& value = theirs.values(static_cast<int>(i));
      same("property key", property.key, std::string_view(theirs.keys(static_cast<int>(i))));
      same("property type", property.datatype, value.type());
      same("property is_null", property.is_null, value.is_null());
      if (value.has_propertyset_value()) {
        same("property set kind", property.value.kind, ValueKind::property_set);
        if (found.empty()) property_set(ours_.property_sets[property.value.bits], value.propertyset_value());
      } else if (value.has_propertysets_value()) {
        same("property list kind", property.value.kind, ValueKind::property_set_list);
        if (found.empty()) property_list(ours_.property_lists[property.value.bits], value.propertysets_value());
      } else {
        scalar(property.value, value);
      }
    }
  }

  void property_list(const Range& ours, const wire::PropertySetList& theirs) {
    same("number of property sets", std::size_t{ours.count}, count(theirs.propertyset_size()));
    for (std::uint32_t i = 0; i < ours.count && found.empty(); ++i) {
      property_set(ours_.property_sets[ours.first + i], theirs.propertyset(static_cast<int>(i)));
    }
  }

  void dataset(const DataSet& ours, const wire::DataSet& theirs) {
    same("columns", std::size_t{ours.columns.count}, count(theirs.columns_size()));
    same("types", std::size_t{ours.columns.count}, count(theirs.types_size()));
    same("rows", std::size_t{ours.rows}, count(theirs.rows_size()));
    for (std::uint32_t i = 0; i < ours.columns.count && found.empty(); ++i) {
      const Column& column = ours_.columns[ours.columns.first + i];
      same("column", column.name, std::string_view(theirs.columns(static_cast<int>(i))));
      same("column type", column.datatype, theirs.types(static_cast<int>(i)));
    }
    for (std::uint32_t row = 0; row < ours.rows && found.empty(); ++row) {
      const wire::Row& cells = theirs.rows(static_cast<int>(row));
      same("cells of a row", std::size_t{ours.columns.count}, count(cells.elements_size()));
      for (std::uint32_t i = 0; i < ours.columns.count && found.empty(); ++i) {
        scalar(ours_.cells[ours.cells.first + row * ours.columns.count + i], cells.elements(static_cast<int>(i)));
      }
    }
  }

  void template_value(const Template& ours, const wire::Template& theirs) {
    same("version", ours.version, std::string_view(theirs.version()));
    same("template_ref", ours.reference, std::string_view(theirs.template_ref()));
    same("has template_ref", ours.reference.data() != nullptr, theirs.has_template_ref());
    same("is_definition", ours.is_definition, theirs.is_definition());
    same("members", std::size_t{ours.members.count}, count(theirs.metrics_size()));
    same("parameters", std::size_t{ours.parameters.count}, count(theirs.parameters_size()));
    for (std::uint32_t i = 0; i < ours.members.count && found.empty(); ++i) {
      metric(ours_.members[ours.members.first + i], theirs.metrics(static_cast<int>(i)));
    }
    for (std::uint32_t i = 0; i < ours.parameters.count && found.empty(); ++i) {
      const Parameter& parameter = ours_.parameters[ours.parameters.first + i];
      const wire::Parameter& other = theirs.parameters(static_cast<int>(i));
      same("parameter name", parameter.name, std::string_view(other.name()));
      same("parameter type", parameter.datatype, other.type());
      scalar(parameter.value, other);
    }
  }

  const Payload& ours_;
};

}  // namespace

std::string difference(std::string_view bytes, const Payload& ours) {
  const google::protobuf::LogSilencer quiet;  // it would print a line for every text that is no UTF-8
  wire::Payload theirs;
  if (!theirs.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return "Protobuf cannot read it at all";
  Comparison comparison(ours);
  comparison.payload(theirs);
  return comparison.found;
}

}  // namespace fettle::sparkplug::testing
