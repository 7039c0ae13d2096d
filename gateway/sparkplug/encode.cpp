#include "gateway/sparkplug/encode.h"

#include <bit>
#include <limits>
#include <optional>

#include "gateway/sparkplug/value.h"

namespace fettle::sparkplug {
namespace {

// What goes on the wire for one value of a basic type.
using Encoded = std::variant<std::monostate, std::uint32_t, std::uint64_t, float, double, bool, std::string>;

// Inclusive bounds of an integer type; the upper one unsigned, since UInt64 reaches beyond 63 bits.
struct Bounds {
  std::int64_t low;
  std::uint64_t high;
};

Bounds bounds_of(DataType type) {
  switch (type) {
    case DataType::int8:
      return {-128, 127};
    case DataType::int16:
      return {-32'768, 32'767};
    case DataType::int32:
      return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case DataType::int64:
      return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
    case DataType::uint8:
      return {0, 255};
    case DataType::uint16:
      return {0, 65'535};
    case DataType::uint32:
      return {0, std::numeric_limits<std::uint32_t>::max()};
    case DataType::datetime:
      return {0, std::numeric_limits<std::int64_t>::max()};
    default:
      return {0, std::numeric_limits<std::uint64_t>::max()};
  }
}

bool travels_in_long(DataType type) {
  return type == DataType::int64 || type == DataType::uint64 || type == DataType::datetime;
}

// An integer's bits in two's complement of 64, if the type holds it.
std::optional<std::uint64_t> integer_bits(DataType type, const Scalar& value) {
  const Bounds bounds = bounds_of(type);
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    if (*number < bounds.low) return std::nullopt;
    if (*number > 0 && static_cast<std::uint64_t>(*number) > bounds.high) return std::nullopt;
    return static_cast<std::uint64_t>(*number);
  }
  if (const auto* number = std::get_if<std::uint64_t>(&value)) {
    if (*number > bounds.high) return std::nullopt;
    return *number;
  }
  return std::nullopt;
}

std::optional<double> as_double(const Scalar& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return static_cast<double>(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return static_cast<double>(*number);
  return std::nullopt;
}

std::string shown(const Scalar& value) {
  struct Show {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
    std::string operator()(std::int64_t number) const { return std::to_string(number); }
    std::string operator()(std::uint64_t number) const { return std::to_string(number); }
    std::string operator()(double number) const { return std::to_string(number); }
    std::string operator()(const std::string& text) const { return '"' + text.substr(0, 64) + '"'; }
  };
  return std::visit(Show(), value);
}

Result<Encoded> encoded(DataType type, const Scalar& value) {
  if (std::holds_alternative<std::monostate>(value)) return Encoded();
  if (is_integer(type) || type == DataType::datetime) {
    if (const auto bits = integer_bits(type, value)) {
      if (travels_in_long(type)) return Encoded(*bits);
      return Encoded(static_cast<std::uint32_t>(*bits));
    }
  } else if (type == DataType::float32 || type == DataType::float64) {
    if (const auto number = as_double(value)) {
      if (type == DataType::float64) return Encoded(*number);
      return Encoded(static_cast<float>(*number));
    }
  } else if (type == DataType::boolean) {
    if (const auto* flag = std::get_if<bool>(&value)) return Encoded(*flag);
  } else if (is_textual(type)) {
    const auto* text = std::get_if<std::string>(&value);
    if (text && is_utf8(*text)) return Encoded(*text);
  }
  return Malformed{"wrong_type", shown(value) + " is no value of type " + std::string(name_of(type))};
}

// Metrics, properties, parameters and cells have setters of the same names.
template <typename Message>
struct Setter {
  Message& message;
  void operator()(std::monostate) const {}
  void operator()(std::uint32_t bits) const { message.set_int_value(bits); }
  void operator()(std::uint64_t bits) const { message.set_long_value(bits); }
  void operator()(float number) const { message.set_float_value(number); }
  void operator()(double number) const { message.set_double_value(number); }
  void operator()(bool flag) const { message.set_boolean_value(flag); }
  void operator()(const std::string& text) const { message.set_string_value(text); }
};

template <typename Message>
std::optional<Malformed> set(Message& message, DataType type, const Scalar& value) {
  const auto wire_value = encoded(type, value);
  if (!wire_value) return wire_value.error();
  message.clear_value();
  std::visit(Setter<Message>{message}, *wire_value);
  return std::nullopt;
}

template <typename Message>
std::optional<Malformed> set_nullable(Message& message, DataType type, const Scalar& value) {
  if (auto problem = set(message, type, value)) return problem;
  if (std::holds_alternative<std::monostate>(value)) {
    message.set_is_null(true);
  } else {
    message.clear_is_null();
  }
  return std::nullopt;
}

void append_little_endian(std::string& out, std::uint64_t bits, std::size_t width) {
  for (std::size_t i = 0; i < width; ++i) out += static_cast<char>(bits >> (8 * i) & 0xFFU);
}

std::size_t width_of(DataType element) {
  switch (element) {
    case DataType::int8:
    case DataType::uint8:
      return 1;
    case DataType::int16:
    case DataType::uint16:
      return 2;
    default:
      return 4;  // what travels in 64 bits says so by its own type
  }
}

// One element after another into the bytes of an array.
class Packer {
 public:
  explicit Packer(DataType element) : element_(element) {}

  void operator()(std::monostate) {}  // refused before
  void operator()(std::uint32_t bits) { append_little_endian(bytes, bits, width_of(element_)); }
  void operator()(std::uint64_t bits) { append_little_endian(bytes, bits, 8); }
  void operator()(float number) { append_little_endian(bytes, std::bit_cast<std::uint32_t>(number), 4); }
  void operator()(double number) { append_little_endian(bytes, std::bit_cast<std::uint64_t>(number), 8); }
  void operator()(bool flag) {
    if (count_ % 8 == 0) bytes += '\0';
    if (flag) bytes.back() = static_cast<char>(static_cast<unsigned char>(bytes.back()) | (0x80U >> (count_ % 8)));
    ++count_;
  }
  void operator()(const std::string& text) { bytes.append(text).push_back('\0'); }

  std::string bytes;

 private:
  DataType element_;
  std::size_t count_ = 0;
};

}  // namespace

std::optional<Malformed> set_value(wire::Metric& metric, DataType type, const Scalar& value) {
  return set_nullable(metric, type, value);
}

std::optional<Malformed> set_value(wire::PropertyValue& property, DataType type, const Scalar& value) {
  return set_nullable(property, type, value);
}

std::optional<Malformed> set_value(wire::Parameter& parameter, DataType type, const Scalar& value) {
  return set(parameter, type, value);
}

std::optional<Malformed> set_value(wire::DataSetValue& cell, DataType type, const Scalar& value) {
  return set(cell, type, value);
}

Result<std::string> encode_array(DataType array, std::span<const Scalar> elements) {
  const DataType element = element_of(array);
  Packer packer(element);
  if (element == DataType::boolean) append_little_endian(packer.bytes, elements.size(), 4);
  for (const Scalar& value : elements) {
    const auto wire_value = encoded(element, value);
    if (!wire_value) return wire_value.error();
    const auto* text = std::get_if<std::string>(&*wire_value);
    if (std::holds_alternative<std::monostate>(*wire_value) || (text && text->find('\0') != std::string::npos)) {
      return Malformed{"wrong_type", shown(value) + " cannot be an element of " + std::string(name_of(array))};
    }
    std::visit([&](const auto& part) { packer(part); }, *wire_value);
  }
  return std::move(packer.bytes);
}

}  // namespace fettle::sparkplug
