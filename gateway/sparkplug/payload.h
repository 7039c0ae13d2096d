#pragma once
// A Sparkplug B payload as it lies in the bytes: views, indices and raw bits, nothing interpreted and nothing copied.
//
// Decoder reads what arrives, at a few nanoseconds a metric, with limits that hold before anything is allocated; its
// tables are reused, so that steady traffic allocates nothing. Stricter than Protobuf: a known field of another wire
// type, an embedded message given twice, groups and names that are no UTF-8 are refused; unknown fields are skipped
// (extensions). What it accepts says the same as Protobuf's own reading (tests/fuzz). What a value *means* under a data
// type is value.h's affair. Pure; one Decoder and one Payload per thread; views live as long as the decoded bytes.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "gateway/sparkplug/data_type.h"
#include "gateway/sparkplug/malformed.h"

namespace fettle::sparkplug {

// Of one payload. The nested ones count over everything in it.
inline constexpr std::size_t kMaxPayloadBytes = 16U << 20U;  // what the journal holds of one message, too
inline constexpr std::size_t kMaxMetrics = 10'000;           // members of templates included
inline constexpr std::size_t kMaxNameBytes = 1'024;          // of a metric, property, parameter or column
inline constexpr std::size_t kMaxNesting = 8;           // of templates in templates, property sets in property sets
inline constexpr std::size_t kMaxCells = 100'000;       // of data sets; also their columns and rows
inline constexpr std::size_t kMaxProperties = 100'000;  // values and sets, and parameters of templates

// Entries [first, first + count) of a table of Payload.
struct Range {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

enum class ValueKind : std::uint8_t {
  none,               // no value was given
  int32,              // bits: the 32 bits of int_value
  int64,              // bits: the 64 bits of long_value
  float32,            // bits: IEEE 754 single, in the low 32
  float64,            // bits: IEEE 754 double
  boolean,            // bits: 0 or 1
  text,               // text: string_value, not yet known to be UTF-8
  bytes,              // text: bytes_value
  dataset,            // bits: index into datasets
  template_,          // bits: index into templates
  property_set,       // bits: index into property_sets
  property_set_list,  // bits: index into property_lists
};

struct Value {
  ValueKind kind = ValueKind::none;
  std::uint64_t bits = 0;
  std::string_view text;
};

struct Metric {
  std::string_view name;  // data() is null where the payload gives no name
  std::optional<std::uint64_t> alias;
  std::optional<std::uint64_t> timestamp;  // ms since 1970, as on the wire
  std::uint32_t datatype = 0;              // as on the wire, perhaps no DataType; 0: not said
  bool is_historical = false;
  bool is_transient = false;
  bool is_null = false;
  bool has_metadata = false;
  bool has_properties = false;
  Value value;
  Range properties;            // of properties
  std::uint32_t metadata = 0;  // index into metadata, if has_metadata
  std::uint32_t offset = 0;    // where it begins in the payload, for messages

  bool has_name() const { return name.data() != nullptr; }
};

struct Property {
  std::string_view key;
  std::uint32_t datatype = 0;
  bool is_null = false;
  Value value;
};

struct Parameter {  // of a template
  std::string_view name;
  std::uint32_t datatype = 0;
  Value value;
};

struct Column {
  std::string_view name;
  std::uint32_t datatype = 0;
};

struct DataSet {
  std::uint32_t rows = 0;
  Range columns;  // of columns
  Range cells;    // of cells: row by row, columns.count to a row
};

struct Template {
  std::string_view version;    // data() null: absent
  std::string_view reference;  // template_ref; data() null: absent
  bool is_definition = false;
  Range members;     // of members
  Range parameters;  // of parameters
};

struct MetaData {
  std::optional<bool> is_multi_part;
  std::optional<std::uint64_t> size;
  std::optional<std::uint64_t> seq;
  std::string_view content_type;
  std::string_view file_name;
  std::string_view file_type;
  std::string_view md5;
  std::string_view description;
};

struct Payload {
  std::optional<std::uint64_t> timestamp;
  std::optional<std::uint64_t> seq;  // as on the wire, perhaps beyond 255
  std::string_view uuid;
  std::string_view body;
  std::vector<Metric> metrics;

  std::vector<Metric> members;  // of templates
  std::vector<Template> templates;
  std::vector<Parameter> parameters;
  std::vector<Property> properties;
  std::vector<Range> property_sets;   // of properties
  std::vector<Range> property_lists;  // of property_sets
  std::vector<DataSet> datasets;
  std::vector<Column> columns;
  std::vector<Value> cells;
  std::vector<MetaData> metadata;

  void clear();  // keeps the memory
};

// Reads `bytes` into `out`, which is cleared first and refers to `bytes` afterwards. On failure `out` is unspecified.
// reason: malformed, too_many_metrics, name_too_long, not_utf8, too_deep, too_many_cells, too_many_properties,
// too_large.
std::optional<Malformed> decode(std::string_view bytes, Payload& out);

}  // namespace fettle::sparkplug
