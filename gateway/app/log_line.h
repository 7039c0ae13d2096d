#pragma once
// One entry of the log as one line of text or of JSON: escaped, bounded, without secrets. Pure: no clock and no file;
// the time is put before the line by who writes it (log.h).

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "gateway/app/config.h"

namespace fettle::app {

// A fact beside the message, for programs. Views: it lives no longer than the call it is written in.
class Field {
 public:
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  Field(std::string_view name, std::string_view value) : name_(name), value_(value) {}
  Field(std::string_view name, const char* value) : name_(name), value_(std::string_view(value)) {}
  template <typename Number>
  requires std::is_arithmetic_v<Number> Field(std::string_view name, Number value)
      : name_(name), value_(widest(value)) {}

  std::string_view name() const { return name_; }  // lower_case_words
  const Value& value() const { return value_; }

 private:
  template <typename Number>
  static Value widest(Number value) {
    if constexpr (std::same_as<Number, bool>) {
      return value;
    } else if constexpr (std::is_floating_point_v<Number>) {
      return static_cast<double>(value);
    } else if constexpr (std::is_signed_v<Number>) {
      return static_cast<std::int64_t>(value);
    } else {
      return static_cast<std::uint64_t>(value);
    }
  }

  std::string_view name_;
  Value value_;
};

struct LogEntry {
  LogLevel level = LogLevel::info;
  std::string_view event;  // a word for programs, such as session_lost; never changes its meaning
  std::string_view message;
  std::span<const Field> fields;
};

// "debug", "info", "warn", "error".
std::string_view name_of(LogLevel level);

// A line with its time and line end has at most kMaxLine bytes. Of a longer message the end is cut, and fields that do
// not fit are left out; both are said in the line.
inline constexpr std::size_t kMaxLine = 8U << 10U;     // bytes
inline constexpr std::size_t kMaxLineHead = 64;        // of them for the time, the level and the line end
inline constexpr std::size_t kMaxMessage = 6U << 10U;  // of them for the message

// What replaces a secret.
inline constexpr std::string_view kMasked = "***";

// "<message> name=value name=\"a value\"". Control characters, also those that begin terminal sequences, are written as
// \n, \t, \r, \xNN, and so are bytes that are not UTF-8: a line is a line whatever a device sent.
// Masked are: every occurrence of one of `secrets`, passwords in URIs (scheme://user:password@host), and the values of
// fields that are called password, secret, token, key or authorization, or whose names end in _<one of these>.
std::string text_line(const LogEntry& entry, std::span<const std::string> secrets);

// The members of a JSON object, without the braces: "level":...,"event":...,"message":...,<fields>. The same escaping
// and masking; bytes that are not UTF-8 become U+FFFD. A field named as one of the line's own members is written with
// an underscore after it.
std::string json_members(const LogEntry& entry, std::span<const std::string> secrets);

}  // namespace fettle::app
