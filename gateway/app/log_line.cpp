#include "gateway/app/log_line.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>

namespace fettle::app {
namespace {

enum class Form : std::uint8_t { text, json };

constexpr std::size_t kMaxLooked = 64U << 10U;  // bytes of a text that are looked at; a line shows less of it
constexpr std::string_view kCutMark = " ... (cut)";

bool in_range(char c, unsigned low, unsigned high) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= low && byte <= high;
}

// The bytes of the UTF-8 character that the text begins with (Unicode 15, table 3-7); 0 where it begins with none.
std::size_t character_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xC2 && lead < 0xE0   ? 2
                             : lead >= 0xE0 && lead < 0xF0 ? 3
                             : lead >= 0xF0 && lead < 0xF5 ? 4
                                                           : 0;
  if (length == 0 || text.size() < length) return 0;
  const unsigned low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (!in_range(text[1], low, high)) return 0;
  for (std::size_t i = 2; i < length; ++i) {
    if (!in_range(text[i], 0x80, 0xBF)) return 0;
  }
  return length;
}

std::string hexadecimal(const char* form, unsigned value) {
  char text[8];
  const int length = std::snprintf(text, sizeof text, form, value);
  return {text, static_cast<std::size_t>(length)};
}

// What stands for one character, or for one byte that begins none.
std::string escaped(std::string_view character, Form form) {
  const auto byte = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) {
    switch (byte) {
      case '\n':
        return "\\n";
      case '\r':
        return "\\r";
      case '\t':
        return "\\t";
      case '"':
        return form == Form::json ? "\\\"" : "\"";
      case '\\':
        return form == Form::json ? "\\\\" : "\\";
      default:
        break;
    }
    if (byte >= 0x80) return form == Form::json ? "\xEF\xBF\xBD" : hexadecimal("\\x%02x", byte);
    if (byte < 0x20 || byte == 0x7F) return hexadecimal(form == Form::json ? "\\u%04x" : "\\x%02x", byte);
  } else if (byte == 0xC2 && in_range(character[1], 0x80, 0x9F)) {
    // C1 control characters: U+009B begins a terminal sequence as ESC [ does.
    return hexadecimal(form == Form::json ? "\\u%04x" : "\\x%02x", static_cast<unsigned char>(character[1]));
  }
  return std::string(character);
}

// Appends at most `most` bytes; false where not all of the text found room.
bool append_escaped(std::string& out, std::string_view text, std::size_t most, Form form) {
  const std::size_t end = out.size() + most;
  while (!text.empty()) {
    const std::size_t length = std::max<std::size_t>(character_length(text), 1);
    const std::string part = escaped(text.substr(0, length), form);
    if (out.size() + part.size() > end) return false;
    out += part;
    text.remove_prefix(length);
  }
  return true;
}

// ---- secrets
// ---------------------------------------------------------------------------------------------------------

void mask_uri_passwords(std::string& text) {
  constexpr std::string_view kScheme = "://";
  for (std::size_t at = text.find(kScheme); at != std::string::npos; at = text.find(kScheme, at)) {
    at += kScheme.size();
    const std::size_t end = std::min(text.find_first_of("/?# \t\r\n\"'<>", at), text.size());
    const std::size_t host = text.substr(at, end - at).rfind('@');
    if (host == std::string::npos) continue;
    const std::size_t colon = text.find(':', at);
    if (colon >= at + host) continue;  // a name alone
    text.replace(colon + 1, at + host - colon - 1, kMasked);
  }
}

std::string masked(std::string_view text, std::span<const std::string> secrets) {
  std::string out(text.substr(0, kMaxLooked));
  for (const std::string& secret : secrets) {
    for (std::size_t at = out.find(secret); at != std::string::npos; at = out.find(secret, at + kMasked.size())) {
      out.replace(at, secret.size(), kMasked);
    }
  }
  mask_uri_passwords(out);
  return out;
}

bool names_a_secret(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"password", "secret", "token", "key", "authorization"};
  return std::any_of(kNames.begin(), kNames.end(), [&](std::string_view secret) {
    return name == secret || (name.ends_with(secret) && name[name.size() - secret.size() - 1] == '_');
  });
}

// ---- values
// ----------------------------------------------------------------------------------------------------------

template <typename Number>
std::string number_text(Number number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

// The value as text, not yet escaped; numbers and truths as JSON writes them.
std::string value_text(const Field& field, std::span<const std::string> secrets) {
  if (names_a_secret(field.name())) return std::string(kMasked);
  return std::visit(
      [&](auto value) -> std::string {
        using Value = decltype(value);
        if constexpr (std::is_same_v<Value, std::string_view>) {
          return masked(value, secrets);
        } else if constexpr (std::is_same_v<Value, bool>) {
          return value ? "true" : "false";
        } else {
          return number_text(value);
        }
      },
      field.value());
}

// JSON has no infinities: they are written as texts.
bool quoted_in_json(const Field& field) {
  if (names_a_secret(field.name())) return true;
  if (const auto* number = std::get_if<double>(&field.value())) return !std::isfinite(*number);
  return std::holds_alternative<std::string_view>(field.value());
}

bool own_member(std::string_view name) {
  constexpr std::array<std::string_view, 6> kOwn = {"ts", "level", "event", "message", "repeated", "cut"};
  return std::find(kOwn.begin(), kOwn.end(), name) != kOwn.end();
}

constexpr std::size_t kRoom = kMaxLine - kMaxLineHead;

// Appends the part where there is room left for it and for saying that something was cut.
bool append_where_it_fits(std::string& line, std::string_view part) {
  constexpr std::size_t kReserve = 64;  // for the mark that something was cut, or the count of repetitions
  if (line.size() + part.size() + kReserve > kRoom) return false;
  line += part;
  return true;
}

}  // namespace

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "";
}

std::string text_line(const LogEntry& entry, std::span<const std::string> secrets) {
  std::string line;
  bool whole = append_escaped(line, masked(entry.message, secrets), kMaxMessage, Form::text);
  for (const Field& field : entry.fields) {
    const std::string value = value_text(field, secrets);
    const bool quoted = value.empty() || value.find_first_of(" \t\r\n\"=") != std::string::npos;
    std::string part = " ";
    append_escaped(part, field.name(), kRoom, Form::text);
    part += quoted ? "=\"" : "=";
    // Within quotes as JSON writes it, so that it can be read back.
    whole = append_escaped(part, value, kRoom, quoted ? Form::json : Form::text) && whole;
    if (quoted) part += '"';
    whole = append_where_it_fits(line, part) && whole;
  }
  if (!whole) line += kCutMark;
  return line;
}

std::string json_members(const LogEntry& entry, std::span<const std::string> secrets) {
  constexpr std::size_t kMaxWord = 64;  // bytes of an event's name
  std::string line = "\"level\":\"" + std::string(name_of(entry.level)) + "\",\"event\":\"";
  bool whole = append_escaped(line, entry.event, kMaxWord, Form::json);
  line += "\",\"message\":\"";
  whole = append_escaped(line, masked(entry.message, secrets), kMaxMessage, Form::json) && whole;
  line += '"';
  for (const Field& field : entry.fields) {
    std::string part = ",\"";
    append_escaped(part, field.name(), kRoom, Form::json);
    if (own_member(field.name())) part += '_';
    part += "\":";
    const bool quoted = quoted_in_json(field);
    if (quoted) part += '"';
    whole = append_escaped(part, value_text(field, secrets), kRoom, Form::json) && whole;
    if (quoted) part += '"';
    whole = append_where_it_fits(line, part) && whole;
  }
  if (!whole) line += ",\"cut\":true";
  return line;
}

}  // namespace fettle::app
