#pragma once
// Values into Protobuf messages of payload.proto: what edge nodes and commands send. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <variant>

#include "gateway/sparkplug/data_type.h"
#include "gateway/sparkplug/malformed.h"
#include "gateway/sparkplug/payload.pb.h"

namespace fettle::sparkplug {

// A value of a basic type. monostate: null.
using Scalar = std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string>;

// Sets the value field that `type` calls for (and is_null for monostate). Integers up to 32 bits go into int_value,
// two's complement; 64 bits and DateTime into long_value. The data type field itself is the caller's. reason:
// wrong_type where the value is not one of that type (300 as Int8, a text as Double, a text
// that is no UTF-8).
std::optional<Malformed> set_value(wire::Metric& metric, DataType type, const Scalar& value);
std::optional<Malformed> set_value(wire::PropertyValue& property, DataType type, const Scalar& value);
std::optional<Malformed> set_value(wire::Parameter& parameter, DataType type, const Scalar& value);
std::optional<Malformed> set_value(wire::DataSetValue& cell, DataType type, const Scalar& value);

// The bytes of an array (arrays.h). Refuses elements that are not of its element type, null, or texts with a NUL.
Result<std::string> encode_array(DataType array, std::span<const Scalar> elements);

}  // namespace fettle::sparkplug
