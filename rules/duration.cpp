#include "rules/duration.h"

#include <array>
#include <cstdint>

namespace fettle::rules {
namespace {

struct Step {
  std::string_view text;
  std::int64_t ms;
};
constexpr std::array<Step, 5> kSteps = {{{"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_word(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

struct Reading {
  std::size_t length = 0;  // characters that have the shape
  std::int64_t ms = 0;     // saturates above kLongestDuration
};

Reading read(std::string_view text) {
  Reading done;
  std::size_t at = 0;
  std::size_t next_step = 0;  // units must fall
  while (at < text.size() && is_digit(text[at])) {
    std::int64_t count = 0;
    while (at < text.size() && is_digit(text[at])) {
      if (count <= kLongestDuration.count()) count = count * 10 + (text[at] - '0');
      ++at;
    }
    std::size_t letters = at;
    while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z') ++letters;
    const std::string_view unit = text.substr(at, letters - at);
    while (next_step < kSteps.size() && kSteps[next_step].text != unit) ++next_step;
    if (next_step == kSteps.size()) return {};
    const std::int64_t ms = kSteps[next_step].ms;
    const std::int64_t room = kLongestDuration.count() + 1 - done.ms;
    done.ms = count > room / ms ? kLongestDuration.count() + 1 : done.ms + count * ms;
    at = letters;
    ++next_step;
    done.length = at;
  }
  if (at < text.size() && is_word(text[at])) return {};
  return done;
}

}  // namespace

std::optional<Duration> read_duration(std::string_view text) {
  const Reading reading = read(text);
  if (reading.length == 0 || reading.length != text.size() || Duration(reading.ms) > kLongestDuration) {
    return std::nullopt;
  }
  return Duration(reading.ms);
}

std::size_t duration_length(std::string_view text) {
  return read(text).length;
}

std::string duration_text(Duration duration) {
  std::string text;
  std::int64_t rest = duration.count();
  for (const Step& step : kSteps) {
    if (rest < step.ms) continue;
    text += std::to_string(rest / step.ms) + std::string(step.text);
    rest %= step.ms;
  }
  return text.empty() ? "0s" : text;
}

}  // namespace fettle::rules
