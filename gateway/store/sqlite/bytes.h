#pragma once
// Writing and reading of the small binary forms that the store keeps in BLOB columns: little-endian integers and
// varints.
//
// Pure. ByteReader never reads past its end: once something is missing or too long it is failed() for good and returns
// zeros, so a decoder checks once per loop and not after every field.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace fettle::store {

// Signed to unsigned so that small magnitudes stay small: 0, -1, 1, -2 ... become 0, 1, 2, 3 ...
constexpr std::uint64_t zigzag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1U) ^ (value < 0 ? ~std::uint64_t{0} : 0U);
}
constexpr std::int64_t unzigzag(std::uint64_t value) {
  return static_cast<std::int64_t>((value >> 1U) ^ (0U - (value & 1U)));
}

// b - a and a + difference, modulo 2^64: no overflow, whatever a damaged block says.
constexpr std::int64_t wrapping_difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(b) - static_cast<std::uint64_t>(a));
}
constexpr std::int64_t wrapping_sum(std::int64_t a, std::int64_t difference) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(difference));
}

class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  // Seven bits a byte, least significant first, the high bit says that more follow (LEB128).
  void varint(std::uint64_t value) {
    while (value >= 0x80U) {
      out_.push_back(static_cast<char>(value | 0x80U));
      value >>= 7U;
    }
    out_.push_back(static_cast<char>(value));
  }
  void signed_varint(std::int64_t value) { varint(zigzag(value)); }
  template <typename T>
  requires std::is_integral_v<T>
  void fixed(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));  // little endian, as every machine Fettle runs on
    out_.append(bytes, sizeof(T));
  }
  void text(std::string_view value) {
    varint(value.size());
    out_.append(value);
  }

 private:
  std::string& out_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) break;
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;  // more than 64 bits
      value |= static_cast<std::uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80U) return value;
    }
    fail();
    return 0;
  }
  std::int64_t signed_varint() { return unzigzag(varint()); }
  template <typename T>
  requires std::is_integral_v<T> T fixed() {
    T value = 0;
    if (rest_.size() < sizeof(T)) {
      fail();
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_.remove_prefix(sizeof(T));
    return value;
  }
  std::string_view text() { return raw(varint()); }
  std::string_view raw(std::uint64_t size) {
    if (size > rest_.size()) {
      fail();
      return {};
    }
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  // How many items follow. Each takes at least `bytes_each`, so a larger number is damage and not a reason to allocate.
  std::size_t count(std::size_t bytes_each) {
    const std::uint64_t value = varint();
    if (value <= rest_.size() / bytes_each) return value;
    fail();
    return 0;
  }

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty() && !failed_; }
  std::string_view rest() const { return rest_; }

 private:
  void fail() {
    failed_ = true;
    rest_ = {};
  }

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace fettle::store
