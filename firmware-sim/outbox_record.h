#pragma once
// Bytes of the outbox file (the format is in outbox.h): records are made and read here, files are outbox.cpp's affair.

#include <zlib.h>

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "firmware-sim/reading.h"

namespace fettle::sim::record {

static_assert(std::endian::native == std::endian::little, "the file is little endian");

enum class Kind : char { kHeader = 'H', kReadings = 'R', kMark = 'M', kDoubt = 'D', kSession = 'S' };

inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::size_t kFrameBytes = 8;            // length and checksum
inline constexpr std::size_t kLongestBody = 16U << 20U;  // a batch of a recording has some kilobytes
inline constexpr std::size_t kSentOffset = 17;           // of "sent at" in the body of kReadings

template <class T>
void put(std::string& out, T value) {
  static_assert(std::is_trivially_copyable_v<T>);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

// Takes values off the front of a text; once there was too little, it stays failed.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  template <class T>
  T get() {
    T value{};
    if (text_.size() < sizeof value) {
      failed_ = true;
      return value;
    }
    std::memcpy(&value, text_.data(), sizeof value);
    text_.remove_prefix(sizeof value);
    return value;
  }

  std::string_view get_text(std::size_t length) {
    if (text_.size() < length) {
      failed_ = true;
      return {};
    }
    const auto text = text_.substr(0, length);
    text_.remove_prefix(length);
    return text;
  }

  bool failed() const { return failed_; }
  bool complete() const { return !failed_ && text_.empty(); }

 private:
  std::string_view text_;
  bool failed_ = false;
};

inline std::uint32_t checksum(std::string_view body) {
  return static_cast<std::uint32_t>(
      crc32(0, reinterpret_cast<const Bytef*>(body.data()), static_cast<uInt>(body.size())));
}

inline std::string framed(std::string_view body) {
  std::string out;
  out.reserve(kFrameBytes + body.size());
  put(out, static_cast<std::uint32_t>(body.size()));
  put(out, checksum(body));
  out += body;
  return out;
}

// The body of the record at the front of `text`; absent where it is cut off or damaged.
inline std::optional<std::string_view> body_at_front(std::string_view text) {
  Reader in(text);
  const auto length = in.get<std::uint32_t>();
  const auto expected = in.get<std::uint32_t>();
  if (in.failed() || length == 0 || length > kLongestBody) return std::nullopt;
  const auto body = in.get_text(length);
  if (in.failed() || checksum(body) != expected) return std::nullopt;
  return body;
}

// The readings of a batch, from the count on.
void put_readings(std::string& out, const Batch& batch);
bool get_readings(Reader& in, Batch& batch);

}  // namespace fettle::sim::record
