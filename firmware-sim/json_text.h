#pragma once
// The little JSON this program writes. Text, not a document tree: the payloads are flat and their bytes are part of the
// contract (the same seed gives the same bytes; a recording's numbers keep their own decimal text).

#include <cstdint>
#include <string>
#include <string_view>

#include "firmware-sim/message.h"

namespace fettle::sim {

// Whether `text` is a number as RFC 8259 section 6 writes it, and so may be copied into a payload as it stands.
bool is_json_number(std::string_view text);

// Whether `text` may stand between quotation marks as it is: printable ASCII without '"' and '\'.
bool is_plain_text(std::string_view text);

// Milliseconds since 1970-01-01 UTC, as in "ts" and "now".
std::string millis_text(EventTime time);

// `value` with exactly `digits` decimals; the nearest decimal, never in scientific notation, never "-0.0".
std::string fixed_text(double value, int digits);

// A count of hundredths as a decimal: 1234 -> "12.34". Exact. Precondition: not negative.
std::string hundredths_text(std::int64_t hundredths);

// Writes one flat object, fields in the order of the calls.
class JsonObject {
 public:
  // `number` is copied as it is. Precondition: is_json_number(number).
  JsonObject& number(std::string_view name, std::string_view number);

  // Precondition: is_plain_text(text).
  JsonObject& text(std::string_view name, std::string_view text);

  JsonObject& null(std::string_view name);

  std::string finish() &&;

 private:
  void name(std::string_view name);

  std::string out_ = "{";
};

}  // namespace fettle::sim
