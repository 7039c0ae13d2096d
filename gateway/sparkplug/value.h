#pragma once
// What a decoded value means under a data type: numbers, texts, times, quality. Pure.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "gateway/sparkplug/payload.h"

namespace fettle::sparkplug {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

// The value as an exact integer: Int8 ... Int64, UInt8 ... UInt64 up to 2^63 - 1, Boolean (0, 1), DateTime. Signed
// values may be sign-extended to 32 or 64 bits or cut to their own width, in int_value or long_value: encoders of the
// field do each of these. Nothing where the value does not fit the type, is absent or of another kind.
std::optional<std::int64_t> integer_of(const Value& value, DataType type);

// The value of a numeric type as a double; integers beyond 2^53 are rounded, NaN and infinities are returned as they
// are. Nothing where integer_of() would have none (UInt64 beyond 2^63 excepted) or the kind does not fit.
std::optional<double> number_of(const Value& value, DataType type);

// The value of String, Text or UUID, if it is valid UTF-8.
std::optional<std::string_view> text_of(const Value& value, DataType type);

// A stamp of the wire (ms since 1970); nothing beyond what ms of 63 bits can say.
std::optional<Time> time_of(std::uint64_t milliseconds);

// Property "Quality" of a metric (specification 3.0, 6.4.9): an Int32 of 0, 192 or 500. Absent: good. Anything else:
// bad.
enum class Quality : std::uint8_t { good, stale, bad };
inline constexpr std::int64_t kQualityBad = 0;
inline constexpr std::int64_t kQualityGood = 192;
inline constexpr std::int64_t kQualityStale = 500;
Quality quality_of(const Payload& payload, const Metric& metric);

// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace fettle::sparkplug
