#include "gateway/catalog/utf8.h"

#include <algorithm>
#include <cstdint>

namespace fettle::catalog {
namespace {

std::uint32_t byte(std::string_view text, std::size_t i) {
  return static_cast<unsigned char>(text[i]);
}

// Bytes of the character at `i`; 0 where there is no valid one (RFC 3629: no surrogates, shortest form, up to
// U+10FFFF).
std::size_t length_at(std::string_view text, std::size_t i) {
  const std::uint32_t first = byte(text, i);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  std::uint32_t value = 0;
  std::uint32_t least = 0;
  if (first >= 0xC2 && first <= 0xDF) {
    length = 2, value = first & 0x1F, least = 0x80;
  } else if (first >= 0xE0 && first <= 0xEF) {
    length = 3, value = first & 0x0F, least = 0x800;
  } else if (first >= 0xF0 && first <= 0xF4) {
    length = 4, value = first & 0x07, least = 0x10000;
  } else {
    return 0;
  }
  if (i + length > text.size()) return 0;
  for (std::size_t k = 1; k < length; ++k) {
    if ((byte(text, i + k) & 0xC0) != 0x80) return 0;
    value = (value << 6) | (byte(text, i + k) & 0x3F);
  }
  const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
  return value < least || value > 0x10FFFF || surrogate ? 0 : length;
}

}  // namespace

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::optional<BadCharacter> first_bad_character(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const std::size_t length = length_at(text, i);
    if (length == 0) return BadCharacter{i, "the file is not UTF-8 here; save it as UTF-8"};
    const std::uint32_t c = byte(text, i);
    if (c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
      return BadCharacter{i, "a control character (code " + std::to_string(c) + ") stands here; remove it"};
    }
    i += length;
  }
  return std::nullopt;
}

}  // namespace fettle::catalog
