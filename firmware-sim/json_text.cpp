#include "firmware-sim/json_text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace fettle::sim {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Skips digits; returns how many there were.
std::size_t skip_digits(std::string_view text, std::size_t& at) {
  const std::size_t first = at;
  while (at < text.size() && is_digit(text[at])) ++at;
  return at - first;
}

}  // namespace

std::string telemetry_topic(std::string_view asset) {
  return "fettle/v1/" + std::string(asset) + "/telemetry";
}

std::string event_topic(std::string_view asset) {
  return "fettle/v1/" + std::string(asset) + "/event";
}

bool is_json_number(std::string_view text) {
  std::size_t at = 0;
  if (at < text.size() && text[at] == '-') ++at;
  const std::size_t integer = at;
  const std::size_t integer_digits = skip_digits(text, at);
  if (integer_digits == 0 || (integer_digits > 1 && text[integer] == '0')) return false;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (skip_digits(text, at) == 0) return false;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (skip_digits(text, at) == 0) return false;
  }
  return at == text.size();
}

bool is_plain_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~' && c != '"' && c != '\\'; });
}

std::string millis_text(EventTime time) {
  return std::to_string(time.time_since_epoch().count());
}

std::string fixed_text(double value, int digits) {
  std::array<char, 350> buffer;  // the longest double has 309 digits before the point
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::fixed, digits);
  std::string text(buffer.data(), end.ptr);
  const bool is_zero = text.find_first_of("123456789") == std::string::npos;
  if (is_zero && text.front() == '-') text.erase(0, 1);
  return text;
}

std::string hundredths_text(std::int64_t hundredths) {
  const std::string fraction = std::to_string(hundredths % 100);
  return std::to_string(hundredths / 100) + (fraction.size() == 1 ? ".0" : ".") + fraction;
}

JsonObject& JsonObject::number(std::string_view field, std::string_view value) {
  name(field);
  out_ += value;
  return *this;
}

JsonObject& JsonObject::text(std::string_view field, std::string_view value) {
  name(field);
  out_ += '"';
  out_ += value;
  out_ += '"';
  return *this;
}

JsonObject& JsonObject::null(std::string_view field) {
  name(field);
  out_ += "null";
  return *this;
}

std::string JsonObject::finish() && {
  out_ += '}';
  return std::move(out_);
}

void JsonObject::name(std::string_view field) {
  if (out_.size() > 1) out_ += ',';
  out_ += '"';
  out_ += field;
  out_ += "\":";
}

}  // namespace fettle::sim
