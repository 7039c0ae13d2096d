#pragma once
// The inside of payload.h's decode(): one reader over the bytes of one payload. Not for use elsewhere.

#include <bit>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/sparkplug/payload.h"

namespace fettle::sparkplug {

// Protobuf's wire types. Groups (3, 4) are none of Sparkplug's.
constexpr std::uint32_t kVarint = 0;
constexpr std::uint32_t kFixed64 = 1;
constexpr std::uint32_t kLength = 2;
constexpr std::uint32_t kFixed32 = 5;

constexpr std::uint32_t tag(std::uint32_t field, std::uint32_t wire_type) {
  return field << 3U | wire_type;
}

// What is left of a message to read.
struct Cursor {
  const char* at;
  const char* end;

  bool done() const { return at == end; }
  std::size_t left() const { return static_cast<std::size_t>(end - at); }
};

inline constexpr std::size_t kMaxVarintBytes = 10;

// A varint whose first byte says that more follow.
inline bool long_varint(Cursor& in, std::uint64_t& out) {
  const std::size_t limit = in.left() < kMaxVarintBytes ? in.left() : kMaxVarintBytes;
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < limit; ++i) {
    const auto byte = static_cast<unsigned char>(in.at[i]);
    value |= static_cast<std::uint64_t>(byte & 0x7FU) << (7 * i);
    if (byte < 0x80) {
      in.at += i + 1;
      out = value;
      return true;
    }
  }
  return false;
}

// Base 128, at most ten bytes; bits beyond 64 fall off, as in Protobuf.
[[gnu::always_inline]] inline bool varint(Cursor& in, std::uint64_t& out) {
  if (!in.done() && static_cast<unsigned char>(*in.at) < 0x80) {
    out = static_cast<unsigned char>(*in.at++);
    return true;
  }
  return long_varint(in, out);
}

// A tag or a length: 32 bits, in at most five bytes. Protobuf refuses longer ones, leading zeros or not.
[[gnu::always_inline]] inline bool short_varint(Cursor& in, std::uint64_t& out) {
  constexpr std::ptrdiff_t kMostBytes = 5;
  const char* const at = in.at;
  return varint(in, out) && in.at - at <= kMostBytes;
}

template <typename Word>
bool fixed(Cursor& in, std::uint64_t& out) {
  static_assert(std::endian::native == std::endian::little, "the bytes of a payload are read as they lie");
  if (in.left() < sizeof(Word)) return false;
  Word word = 0;
  std::memcpy(&word, in.at, sizeof word);
  in.at += sizeof word;
  out = word;
  return true;
}

[[gnu::always_inline]] inline bool length_delimited(Cursor& in, Cursor& out) {
  std::uint64_t length = 0;
  if (!short_varint(in, length) || length > in.left()) return false;
  out = {in.at, in.at + length};
  in.at = out.end;
  return true;
}

inline std::string_view view(const Cursor& part) {
  return {part.at, part.left()};
}

// Reads one message. Every function returns whether it went well; problem_ says why not.
class Decoder {
 public:
  Decoder(std::string_view bytes, Payload& out) : bytes_(bytes), out_(out) {}

  std::optional<Malformed> run();

 private:
  [[gnu::cold]] [[gnu::noinline]] bool fail(const char* at, std::string_view reason, std::string_view what);
  [[gnu::cold]] [[gnu::noinline]] bool cut_short(const char* at) {
    return fail(at, "malformed", "the payload ends, or a length points, beyond what there is");
  }

  bool read_tag(Cursor& in, std::uint32_t& out);
  bool unknown(Cursor& in, std::uint32_t read, std::uint32_t last_known);
  bool number(Cursor& in, std::uint64_t& out) { return varint(in, out) || cut_short(in.at); }
  bool number32(Cursor& in, std::uint32_t& out);
  bool flag(Cursor& in, bool& out);
  bool part(Cursor& in, Cursor& out) { return length_delimited(in, out) || cut_short(in.at); }
  bool text(Cursor& in, std::string_view& out);
  bool name(Cursor& in, std::string_view& out);
  bool count_fields(Cursor in, std::uint32_t field, std::size_t& out);
  bool room(const char* at, std::size_t used, std::size_t more, std::size_t limit, std::string_view reason,
            std::string_view what);

  // The value fields from `first` on (int, long, float, double, boolean, string), which five messages share; whether
  // `read` was one of them is in `was`.
  bool scalar(Cursor& in, std::uint32_t read, std::uint32_t first, Value& value, bool& was);

  bool payload(Cursor in);
  bool metric(Cursor in, Metric& out, std::size_t depth);
  bool metric_rare(Cursor& in, std::uint32_t read, Metric& out, std::size_t depth);
  bool metadata(Cursor in, MetaData& out);
  bool property_set(Cursor in, Range& out, std::size_t depth);
  bool property_value(Cursor in, Property& out, std::size_t depth);
  bool property_list(Cursor in, Range& out, std::size_t depth);
  bool dataset(Cursor in, DataSet& out);
  bool column_types(Cursor in, DataSet& out);
  bool row(Cursor in, const DataSet& set, std::uint32_t index);
  bool cell(Cursor in, Value& out);
  bool template_value(Cursor in, Template& out, std::size_t depth);
  bool parameter(Cursor in, Parameter& out);

  std::string_view bytes_;
  Payload& out_;
  std::optional<Malformed> problem_;
  std::size_t rows_ = 0;  // over all data sets
};

// These two are most of the work of ordinary telemetry.

[[gnu::always_inline]] inline bool Decoder::read_tag(Cursor& in, std::uint32_t& out) {
  const char* const at = in.at;
  std::uint64_t read = 0;
  if (!short_varint(in, read)) return cut_short(at);
  if (read > 0xFFFFFFFFU || read >> 3U == 0) return fail(at, "malformed", "expected a field of a Sparkplug B message");
  out = static_cast<std::uint32_t>(read);
  return true;
}

[[gnu::always_inline]] inline bool Decoder::scalar(Cursor& in, std::uint32_t read, std::uint32_t first, Value& value,
                                                   bool& was) {
  was = true;
  const std::uint32_t relative = read - tag(first, 0);
  const char* const at = in.at;
  Cursor found{};
  switch (relative) {
    case tag(0, kVarint):
      if (!varint(in, value.bits)) return cut_short(at);
      value.bits &= 0xFFFFFFFFU;
      value.kind = ValueKind::int32;
      return true;
    case tag(1, kVarint):
      value.kind = ValueKind::int64;
      return varint(in, value.bits) || cut_short(at);
    case tag(2, kFixed32):
      value.kind = ValueKind::float32;
      return fixed<std::uint32_t>(in, value.bits) || cut_short(at);
    case tag(3, kFixed64):
      value.kind = ValueKind::float64;
      return fixed<std::uint64_t>(in, value.bits) || cut_short(at);
    case tag(4, kVarint):
      if (!varint(in, value.bits)) return cut_short(at);
      value.bits = value.bits != 0 ? 1 : 0;
      value.kind = ValueKind::boolean;
      return true;
    case tag(5, kLength):
      if (!length_delimited(in, found)) return cut_short(at);
      value.kind = ValueKind::text;
      value.text = view(found);
      return true;
    default:
      was = false;
      return true;
  }
}

}  // namespace fettle::sparkplug
