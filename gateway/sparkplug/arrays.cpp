#include "gateway/sparkplug/arrays.h"

#include <algorithm>

namespace fettle::sparkplug {
namespace {

// Bytes of one element; 0 for Boolean and String, which have no width of their own.
std::size_t width_of(DataType element) {
  switch (element) {
    case DataType::int8:
    case DataType::uint8:
      return 1;
    case DataType::int16:
    case DataType::uint16:
      return 2;
    case DataType::int32:
    case DataType::uint32:
    case DataType::float32:
      return 4;
    case DataType::int64:
    case DataType::uint64:
    case DataType::float64:
    case DataType::datetime:
      return 8;
    default:
      return 0;
  }
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i > 0; --i) out = out << 8U | static_cast<unsigned char>(bytes[i - 1]);
  return out;
}

constexpr std::size_t kCountBytes = 4;  // of a BooleanArray

ValueKind kind_of(DataType element) {
  switch (element) {
    case DataType::float32:
      return ValueKind::float32;
    case DataType::float64:
      return ValueKind::float64;
    default:
      return width_of(element) == 8 ? ValueKind::int64 : ValueKind::int32;
  }
}

std::string described(DataType array, std::string_view bytes) {
  return std::string(name_of(array)) + " of " + std::to_string(bytes.size()) + " bytes: ";
}

}  // namespace

std::optional<std::size_t> count_elements(DataType array, std::string_view bytes) {
  const DataType element = element_of(array);
  if (const std::size_t width = width_of(element)) {
    if (bytes.size() % width != 0) return std::nullopt;
    return bytes.size() / width;
  }
  if (element == DataType::boolean) {
    if (bytes.size() < kCountBytes) return std::nullopt;
    const std::uint64_t count = little_endian(bytes.substr(0, kCountBytes));
    if (bytes.size() - kCountBytes != (count + 7) / 8) return std::nullopt;
    return count;
  }
  if (element != DataType::string || (!bytes.empty() && bytes.back() != '\0')) return std::nullopt;
  return static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\0'));
}

std::optional<Malformed> decode_array(DataType array, std::string_view bytes, std::vector<Value>& out) {
  const DataType element = element_of(array);
  const auto count = count_elements(array, bytes);
  if (!count) {
    std::string expected = "a multiple of " + std::to_string(width_of(element)) + " bytes";
    if (element == DataType::boolean) expected = "a count of 4 bytes and one bit an element";
    if (element == DataType::string) expected = "texts that each end in a NUL";
    if (element == DataType::unknown) expected = "an array type";
    return Malformed{"malformed", described(array, bytes) + "expected " + expected};
  }
  if (*count > kMaxElements) {
    return Malformed{"too_many_elements", described(array, bytes) + std::to_string(*count) + " elements; at most " +
                                              std::to_string(kMaxElements)};
  }
  out.reserve(out.size() + *count);
  if (const std::size_t width = width_of(element)) {
    const ValueKind kind = kind_of(element);
    for (std::size_t i = 0; i < *count; ++i) {
      out.push_back({kind, little_endian(bytes.substr(i * width, width)), {}});
    }
  } else if (element == DataType::boolean) {
    for (std::size_t i = 0; i < *count; ++i) {
      const auto byte = static_cast<unsigned char>(bytes[kCountBytes + i / 8]);
      out.push_back({ValueKind::boolean, (byte >> (7 - i % 8)) & 1U, {}});
    }
  } else {
    for (std::size_t i = 0; i < *count; ++i) {
      const std::size_t end = bytes.find('\0');
      out.push_back({ValueKind::text, 0, bytes.substr(0, end)});
      bytes.remove_prefix(end + 1);
    }
  }
  return std::nullopt;
}

}  // namespace fettle::sparkplug
