#include "gateway/direct/mapping_time.h"

#include <charconv>
#include <cmath>
#include <string>

namespace fettle::direct {
namespace {

// Beyond it a double no longer holds every millisecond; as for the gateway's own telemetry.
constexpr std::int64_t kFarthest = 9'000'000'000'000'000;

// The power of ten that leads from the format's unit to milliseconds.
int shift_of(StampFormat format) {
  switch (format) {
    case StampFormat::unix_s:
      return 3;
    case StampFormat::unix_us:
      return -3;
    case StampFormat::unix_ns:
      return -6;
    case StampFormat::unix_ms:
    case StampFormat::iso8601:
      break;
  }
  return 0;
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}

// [-]digits[.digits] as digits and the power of ten they count in; nothing for anything else, exponents included.
struct PlainNumber {
  bool negative = false;
  std::string digits;
  int power = 0;
};
std::optional<PlainNumber> plain_number(std::string_view text) {
  PlainNumber out;
  if (text.starts_with('-')) {
    out.negative = true;
    text.remove_prefix(1);
  }
  bool point = false;
  bool any = false;
  for (const char c : text) {
    if (c == '.' && any && !point) {
      point = true;
      continue;
    }
    if (!digit(c)) return std::nullopt;
    any = true;
    out.digits += c;
    if (point) --out.power;
  }
  if (!any || text.back() == '.' || out.digits.size() > 64) return std::nullopt;
  return out;
}

// floor(number * 10^shift), exactly.
std::optional<std::int64_t> floored(const PlainNumber& number, int shift) {
  std::string digits = number.digits;
  bool cut = false;
  for (int power = number.power + shift; power != 0; power += power < 0 ? 1 : -1) {
    if (power > 0) {
      digits += '0';
    } else {
      if (!digits.empty()) {
        cut = cut || digits.back() != '0';
        digits.pop_back();
      }
    }
  }
  std::int64_t value = 0;
  if (!digits.empty()) {
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (problem != std::errc()) return std::nullopt;
  }
  if (value > kFarthest) return std::nullopt;
  return number.negative ? -value - (cut ? 1 : 0) : value;
}

}  // namespace

std::optional<Time> epoch_time(std::string_view text, StampFormat format) {
  const int shift = shift_of(format);
  if (const auto plain = plain_number(text)) {
    const auto exact = floored(*plain, shift);
    if (!exact) return std::nullopt;
    return Time(std::chrono::milliseconds(*exact));
  }
  const auto number = number_of(text);
  if (!number) return std::nullopt;
  const double value = std::floor(*number * std::pow(10.0, shift));
  if (!(std::abs(value) <= static_cast<double>(kFarthest))) return std::nullopt;
  return Time(std::chrono::milliseconds(static_cast<std::int64_t>(value)));
}

std::optional<Time> iso_time(std::string_view text, const ZoneClock& zone, Time received) {
  constexpr std::size_t kLongestStamp = 64;
  if (text.size() > kLongestStamp) return std::nullopt;
  if (const auto stamp = parse_iso8601(text)) return stamp;
  if (!zone) return std::nullopt;
  const auto civil = parse_iso8601(std::string(text) + 'Z');
  if (!civil) return std::nullopt;
  const Instants instants = zone(LocalTime(civil->time_since_epoch()));
  if (instants.second && *instants.second <= received + kAheadAtMost) return instants.second;
  return instants.first;
}

std::optional<Time> stamp_of(const JsonNode& node, StampFormat format, const ZoneClock& zone, Time received) {
  if (node.kind != JsonNode::Kind::number && node.kind != JsonNode::Kind::text) return std::nullopt;
  if (format != StampFormat::iso8601) return epoch_time(node.text, format);
  return node.kind == JsonNode::Kind::text ? iso_time(node.text, zone, received) : std::nullopt;
}

}  // namespace fettle::direct
