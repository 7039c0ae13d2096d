#include "gateway/sparkplug/value.h"

#include <bit>
#include <cstring>
#include <limits>

namespace fettle::sparkplug {
namespace {

constexpr std::uint64_t mask(int width) {
  return width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << static_cast<unsigned>(width)) - 1;
}

// Width in bits of an integer type.
int width_of(DataType type) {
  switch (type) {
    case DataType::int8:
    case DataType::uint8:
      return 8;
    case DataType::int16:
    case DataType::uint16:
      return 16;
    case DataType::int32:
    case DataType::uint32:
      return 32;
    default:
      return 64;
  }
}

bool is_signed(DataType type) {
  return type >= DataType::int8 && type <= DataType::int64;
}

// `bits` of a field of 32 or 64 bits as a signed number of `width` bits, whether sign-extended to the field or cut.
std::optional<std::int64_t> signed_value(std::uint64_t bits, int field, int width) {
  if (width >= field) {
    // A field narrower than the type holds it sign-extended (Int64 in int_value).
    const auto shift = static_cast<unsigned>(64 - field);
    return static_cast<std::int64_t>(bits << shift) >> shift;
  }
  const auto shift = static_cast<unsigned>(64 - width);
  const std::int64_t value = static_cast<std::int64_t>(bits << shift) >> shift;
  const auto extended = static_cast<std::uint64_t>(value);
  const bool fits = bits == (extended & mask(field)) || bits == (extended & mask(width)) ||
                    bits == (extended & mask(32));  // 32 bits of two's complement in a field of 64
  if (!fits) return std::nullopt;
  return value;
}

}  // namespace

std::optional<std::int64_t> integer_of(const Value& value, DataType type) {
  if (type == DataType::boolean) {
    if (value.kind != ValueKind::boolean) return std::nullopt;
    return static_cast<std::int64_t>(value.bits);
  }
  if (!is_integer(type) && type != DataType::datetime) return std::nullopt;
  if (value.kind != ValueKind::int32 && value.kind != ValueKind::int64) return std::nullopt;
  const int width = width_of(type);
  if (is_signed(type)) return signed_value(value.bits, value.kind == ValueKind::int32 ? 32 : 64, width);
  if (value.bits > mask(width)) return std::nullopt;
  if (value.bits > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return static_cast<std::int64_t>(value.bits);
}

std::optional<double> number_of(const Value& value, DataType type) {
  switch (value.kind) {
    case ValueKind::float64:
      if (type != DataType::float64 && type != DataType::float32) return std::nullopt;
      return std::bit_cast<double>(value.bits);
    case ValueKind::float32:
      if (type != DataType::float64 && type != DataType::float32) return std::nullopt;
      return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(value.bits)));
    case ValueKind::int64:
      if (type == DataType::uint64) return static_cast<double>(value.bits);
      break;
    default:
      break;
  }
  const auto integer = integer_of(value, type);
  if (!integer) return std::nullopt;
  return static_cast<double>(*integer);
}

std::optional<std::string_view> text_of(const Value& value, DataType type) {
  if (!is_textual(type) || value.kind != ValueKind::text || !is_utf8(value.text)) return std::nullopt;
  return value.text;
}

std::optional<Time> time_of(std::uint64_t milliseconds) {
  if (milliseconds > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
  return Time(std::chrono::milliseconds(static_cast<std::int64_t>(milliseconds)));
}

Quality quality_of(const Payload& payload, const Metric& metric) {
  const Range range = metric.properties;
  for (std::uint32_t i = range.first; i < range.first + range.count; ++i) {
    const Property& property = payload.properties[i];
    if (property.key != "Quality") continue;
    const auto said = property.is_null ? std::nullopt : integer_of(property.value, DataType::int32);
    if (said == kQualityGood) return Quality::good;
    return said == kQualityStale ? Quality::stale : Quality::bad;
  }
  return Quality::good;
}

bool is_utf8(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    while (end - at >= 8) {  // eight bytes of ASCII at once: nearly every name is
      std::uint64_t word = 0;
      std::memcpy(&word, at, 8);
      if ((word & 0x8080808080808080U) != 0) break;
      at += 8;
    }
    if (at == end) return true;
    const auto lead = static_cast<unsigned char>(*at++);
    if (lead < 0x80) continue;
    const int follow = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || end - at < follow) return false;
    std::uint32_t point = lead & (0x3FU >> static_cast<unsigned>(follow));
    for (int i = 0; i < follow; ++i) {
      const auto next = static_cast<unsigned char>(*at++);
      if ((next & 0xC0U) != 0x80) return false;
      point = point << 6U | (next & 0x3FU);
    }
    const bool overlong = (follow == 2 && point < 0x800) || (follow == 3 && point < 0x10000);
    if (overlong || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
  }
  return true;
}

}  // namespace fettle::sparkplug
