#include "gateway/sparkplug/data_type.h"

#include <array>

namespace fettle::sparkplug {
namespace {

constexpr std::array<std::string_view, 35> kNames = {"Unknown",      "Int8",
                                                     "Int16",        "Int32",
                                                     "Int64",        "UInt8",
                                                     "UInt16",       "UInt32",
                                                     "UInt64",       "Float",
                                                     "Double",       "Boolean",
                                                     "String",       "DateTime",
                                                     "Text",         "UUID",
                                                     "DataSet",      "Bytes",
                                                     "File",         "Template",
                                                     "PropertySet",  "PropertySetList",
                                                     "Int8Array",    "Int16Array",
                                                     "Int32Array",   "Int64Array",
                                                     "UInt8Array",   "UInt16Array",
                                                     "UInt32Array",  "UInt64Array",
                                                     "FloatArray",   "DoubleArray",
                                                     "BooleanArray", "StringArray",
                                                     "DateTimeArray"};

constexpr std::array<DataType, 13> kElements = {
    DataType::int8,    DataType::int16,  DataType::int32,   DataType::int64,   DataType::uint8,
    DataType::uint16,  DataType::uint32, DataType::uint64,  DataType::float32, DataType::float64,
    DataType::boolean, DataType::string, DataType::datetime};

}  // namespace

std::optional<DataType> data_type_of(std::uint32_t number) {
  if (number == 0 || number >= kNames.size()) return std::nullopt;
  return static_cast<DataType>(number);
}

std::string_view name_of(DataType type) {
  const auto index = static_cast<std::size_t>(type);
  return index < kNames.size() ? kNames[index] : kNames[0];
}

bool is_basic(DataType type) {
  return type >= DataType::int8 && type <= DataType::uuid;
}

bool is_integer(DataType type) {
  return type >= DataType::int8 && type <= DataType::uint64;
}

bool is_numeric(DataType type) {
  return (type >= DataType::int8 && type <= DataType::boolean) || type == DataType::datetime;
}

bool is_textual(DataType type) {
  return type == DataType::string || type == DataType::text || type == DataType::uuid;
}

bool is_array(DataType type) {
  return type >= DataType::int8_array && type <= DataType::datetime_array;
}

DataType element_of(DataType array) {
  if (!is_array(array)) return DataType::unknown;
  return kElements[static_cast<std::size_t>(array) - static_cast<std::size_t>(DataType::int8_array)];
}

}  // namespace fettle::sparkplug
