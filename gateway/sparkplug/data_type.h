#pragma once
// Sparkplug's data types by their numbers on the wire (specification 3.0, 6.4.16), and what kind each is. Pure.

#include <cstdint>
#include <optional>
#include <string_view>

namespace fettle::sparkplug {

enum class DataType : std::uint8_t {
  unknown = 0,  // not said
  int8 = 1,
  int16 = 2,
  int32 = 3,
  int64 = 4,
  uint8 = 5,
  uint16 = 6,
  uint32 = 7,
  uint64 = 8,
  float32 = 9,
  float64 = 10,
  boolean = 11,
  string = 12,
  datetime = 13,  // ms since 1970, UTC
  text = 14,
  uuid = 15,
  dataset = 16,
  bytes = 17,
  file = 18,
  template_ = 19,
  property_set = 20,
  property_set_list = 21,
  int8_array = 22,
  int16_array = 23,
  int32_array = 24,
  int64_array = 25,
  uint8_array = 26,
  uint16_array = 27,
  uint32_array = 28,
  uint64_array = 29,
  float32_array = 30,
  float64_array = 31,
  boolean_array = 32,
  string_array = 33,
  datetime_array = 34,
};

// The type with this number; nothing for 0 and for numbers that the specification does not list.
std::optional<DataType> data_type_of(std::uint32_t number);

// As the specification writes it: "Int32", "DataSet", "BooleanArray"; "Unknown" for unknown.
std::string_view name_of(DataType type);

// Numbers 1 to 15: one value that a property, a parameter, a cell of a data set or an element of an array can be.
bool is_basic(DataType type);
bool is_integer(DataType type);  // Int8 ... UInt64
bool is_numeric(DataType type);  // integers, Float, Double, Boolean, DateTime: what number_of() can answer for
bool is_textual(DataType type);  // String, Text, UUID
bool is_array(DataType type);

// What an array consists of: Int16Array -> Int16. unknown for anything that is no array.
DataType element_of(DataType array);

}  // namespace fettle::sparkplug
