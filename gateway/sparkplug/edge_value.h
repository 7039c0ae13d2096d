#pragma once
// What an edge node says about its equipment: values of every Sparkplug data type, and the definitions of metrics,
// devices and templates that its births announce. Plain values; nothing here knows the wire format.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "gateway/sparkplug/data_type.h"
#include "gateway/sparkplug/encode.h"

namespace fettle::sparkplug::edge {

// One value of a basic type, or the bytes of Bytes and File. std::monostate is null: known to be absent, which is
// neither 0 nor false.
//   Int8 to Int64: std::int64_t. UInt8 to UInt64 and DateTime (ms since 1970-01-01 UTC): std::uint64_t.
//   Float, Double: double. Boolean: bool. String, Text, UUID, Bytes, File: std::string.
using sparkplug::Scalar;

// Elements of an array type, each as its element type asks for. There is no null in an array.
struct Array {
  std::vector<Scalar> elements;
};

struct Column {
  std::string name;
  DataType type;
};

// A table: every row has as many cells as there are columns, each a basic type.
struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<Scalar>> rows;
};

struct Member;

struct Parameter {
  std::string name;
  DataType type;
  Scalar value;
};

// What a metric of type Template holds. In a write the members may be some of those of the definition; a birth shows
// all.
struct Instance {
  std::string definition;  // name of the template it follows
  std::vector<Member> members;
  std::vector<Parameter> parameters;
};

using Value =
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Table, Instance>;

struct Member {
  std::string name;
  DataType type;
  Value value;
};

struct Property;
struct PropertySet {
  std::vector<Property> properties;
};
using PropertyValue = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, PropertySet,
                                   std::vector<PropertySet>>;

struct Property {
  std::string key;
  DataType type;
  PropertyValue value;
};

enum class Reporting {
  on_change,  // by exception: a value equal to the last one reported is not sent again
  always,     // every reading counts, as those of events do
};
enum class Access { read_only, writable };

struct MetricDefinition {
  std::string name;
  DataType type;
  Value value;                       // what the first birth shows; null where nothing is known yet
  std::vector<Property> properties;  // shown in births
  Reporting reporting = Reporting::on_change;
  Access access = Access::read_only;
};

struct DeviceDefinition {
  std::string id;
  std::vector<MetricDefinition> metrics;
};

struct TemplateDefinition {
  std::string name;
  std::optional<std::string> version;
  std::vector<Member> members;        // all there are; a value is the member's default
  std::vector<Parameter> parameters;  // all there are; a value is the parameter's default
};

}  // namespace fettle::sparkplug::edge
