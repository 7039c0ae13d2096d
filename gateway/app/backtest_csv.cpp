#include "gateway/app/backtest_csv.h"

#include <charconv>
#include <chrono>
#include <cmath>

#include "gateway/direct/telemetry.h"

namespace fettle::app {

std::vector<std::string> split_csv(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

std::vector<std::string> split_csv_header(std::string_view line) {
  if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
  return split_csv(line);
}

namespace {

constexpr std::chrono::milliseconds kFarthest = std::chrono::days(100'000'000);

std::optional<engine::Time> read_stamp(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return engine::Time(std::chrono::milliseconds(number));
  if (auto time = direct::parse_iso8601(text)) return time;
  return direct::parse_iso8601(text + 'Z');
}

bool digit(char c) {
  return c >= '0' && c <= '9';
}

// Whether a text that from_chars reads is written as RFC 8259 writes numbers: with digits, without a needless zero,
// before the point, and with digits after it.
bool written_as_json(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (text.empty() || !digit(text[0])) return false;
  if (text.size() > 1 && text[0] == '0' && digit(text[1])) return false;
  const std::size_t point = text.find('.');
  return point == std::string_view::npos || (point + 1 < text.size() && digit(text[point + 1]));
}

}  // namespace

std::optional<engine::Time> parse_stamp(const std::string& text) {
  const auto time = read_stamp(text);
  if (!time || time->time_since_epoch() > kFarthest || time->time_since_epoch() < -kFarthest) return std::nullopt;
  return time;
}

std::optional<std::string> json_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) return std::nullopt;
  if (written_as_json(text)) return text;
  char written[32];
  const auto [last, failed] = std::to_chars(written, written + sizeof written, value);
  if (failed != std::errc()) return std::nullopt;
  return std::string(written, last);
}

}  // namespace fettle::app
