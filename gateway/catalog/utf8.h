#pragma once
// The few questions about UTF-8 that reading a file asks.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace fettle::catalog {

// The characters of a valid UTF-8 text.
std::size_t characters(std::string_view text);

struct BadCharacter {
  std::size_t offset = 0;  // in bytes
  std::string message;
};

// The first place that is not UTF-8, or holds a control character other than tab and line ends. YAML allows neither,
// and yaml-cpp drops or replaces them without a word.
std::optional<BadCharacter> first_bad_character(std::string_view text);

}  // namespace fettle::catalog
