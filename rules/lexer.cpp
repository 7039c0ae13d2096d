#include "rules/lexer.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace fettle::rules {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_name(char c) {
  return is_letter(c) || is_digit(c) || c == '_';
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
// Letters of a unit: those of a name, and any of UTF-8 beyond ASCII (the degree sign, micro).
bool is_unit_letter(char c) {
  return is_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

struct Sign {
  std::string_view text;
  TokenKind kind;
};
// Longer ones first.
constexpr std::array<Sign, 21> kSigns = {{
    {"||", TokenKind::or_},       {"&&", TokenKind::and_},       {"==", TokenKind::equal},
    {"!=", TokenKind::not_equal}, {"<=", TokenKind::less_equal}, {">=", TokenKind::greater_equal},
    {"<", TokenKind::less},       {">", TokenKind::greater},     {"!", TokenKind::not_},
    {"+", TokenKind::plus},       {"-", TokenKind::minus},       {"*", TokenKind::times},
    {"/", TokenKind::divide},     {"%", TokenKind::modulo},      {"(", TokenKind::open},
    {")", TokenKind::close},      {"[", TokenKind::open_list},   {"]", TokenKind::close_list},
    {",", TokenKind::comma},      {"?", TokenKind::question},    {":", TokenKind::colon},
}};

// What people write for it in other languages.
std::string wrong_character(std::string_view rest) {
  const char c = rest[0];
  if (c == '=') return "expected '==' to compare, found '='";
  if (c == '&') return "expected '&&' for \"and\", found '&'";
  if (c == '|') return "expected '||' for \"or\", found '|'";
  if (c == '\'') return "expected a text in double quotes, found a single quote";
  if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7F) {
    return "found a character that has no meaning in an expression; remove it";
  }
  return "'" + std::string(1, c) + "' has no meaning in an expression; remove it";
}

// One factor of a unit, "m", "m2", "m-2", "s^-1": its length, 0 for none. Powers have one digit, so that "h30m" (from a
// duration in the wrong place) is no unit.
std::size_t unit_factor(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size() && is_unit_letter(text[at])) ++at;
  if (at == 0) return 0;
  std::size_t power = at;
  if (power < text.size() && text[power] == '^') ++power;
  if (power < text.size() && text[power] == '-') ++power;
  return power < text.size() && is_digit(text[power]) ? power + 1 : at;
}

}  // namespace

Lexer::Lexer(const Located& source) : text_(source.text), at_(source.at) {
  token_ = scan();
}

Token Lexer::take() {
  Token taken = std::move(token_);
  token_ = scan();
  return taken;
}

void Lexer::move_to(std::size_t offset) {
  while (offset_ < offset) {
    const char c = text_[offset_++];
    if (c == '\n') {
      ++at_.line;
      at_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {  // a character of several bytes is one column
      ++at_.column;
    }
  }
}

void Lexer::skip_blanks() {
  std::size_t end = offset_;
  while (end < text_.size() && is_blank(text_[end])) ++end;
  move_to(end);
}

Token Lexer::scan() {
  skip_blanks();
  begin_ = offset_;
  Token token;
  token.at = at_;
  const std::string_view rest = text_.substr(offset_);
  if (rest.empty()) return token;
  if (is_digit(rest[0]) || (rest[0] == '.' && rest.size() > 1 && is_digit(rest[1]))) return scan_number(token);
  if (rest[0] == '"') return scan_text(token);
  if (is_letter(rest[0]) || rest[0] == '_') {
    std::size_t length = 1;
    while (length < rest.size() && is_name(rest[length])) ++length;
    token.text = rest.substr(0, length);
    token.kind = token.text == "in"      ? TokenKind::in
                 : token.text == "true"  ? TokenKind::true_
                 : token.text == "false" ? TokenKind::false_
                                         : TokenKind::name;
    move_to(offset_ + length);
    return token;
  }
  for (const Sign& sign : kSigns) {
    if (!rest.starts_with(sign.text)) continue;
    token.kind = sign.kind;
    token.text = rest.substr(0, sign.text.size());
    move_to(offset_ + sign.text.size());
    return token;
  }
  token.kind = TokenKind::wrong;
  token.message = wrong_character(rest);
  move_to(offset_ + 1);
  return token;
}

Token Lexer::scan_number(Token token) {
  const std::string_view rest = text_.substr(offset_);
  std::size_t length = 0;
  while (length < rest.size() && is_digit(rest[length])) ++length;
  if (length + 1 < rest.size() && rest[length] == '.' && is_digit(rest[length + 1])) {
    ++length;
    while (length < rest.size() && is_digit(rest[length])) ++length;
  }
  std::size_t exponent = length;
  if (exponent < rest.size() && (rest[exponent] == 'e' || rest[exponent] == 'E')) {
    ++exponent;
    if (exponent < rest.size() && (rest[exponent] == '+' || rest[exponent] == '-')) ++exponent;
    if (exponent < rest.size() && is_digit(rest[exponent])) {
      while (exponent < rest.size() && is_digit(rest[exponent])) ++exponent;
      length = exponent;
    }
  }
  token.text = rest.substr(0, length);
  token.kind = TokenKind::number;
  const std::from_chars_result read = std::from_chars(token.text.data(), token.text.data() + length, token.number);
  if (read.ec != std::errc() || !std::isfinite(token.number)) {
    token.kind = TokenKind::wrong;
    token.message = "the number " + std::string(token.text) + " is out of range";
  }
  move_to(offset_ + length);
  return token;
}

Token Lexer::scan_text(Token token) {
  const std::string_view rest = text_.substr(offset_ + 1);
  const std::size_t close = rest.find_first_of("\"\n");
  if (close == std::string_view::npos || rest[close] == '\n') {
    token.kind = TokenKind::wrong;
    token.message = "this text has no closing double quote on its line";
    move_to(text_.size());
    return token;
  }
  token.kind = TokenKind::text;
  token.text = rest.substr(0, close);
  move_to(offset_ + close + 2);
  return token;
}

std::optional<Lexer::UnitText> Lexer::unit_after(const UnitParser& units, std::string_view& unknown) {
  const std::string_view rest = text_.substr(begin_);
  const auto taken = [&](std::size_t length, const Unit& unit) {
    // Back to the token's begin, then behind the unit: no line break lies in between.
    offset_ = begin_;
    at_ = token_.at;
    move_to(begin_ + length);
    token_ = scan();
    return UnitText{unit, rest.substr(0, length)};
  };
  if (rest.starts_with('%')) {
    // "50 %" is a share and "50 % 7" a remainder: an operand behind the sign decides.
    std::size_t next = 1;
    while (next < rest.size() && is_blank(rest[next])) ++next;
    const bool operand = next < rest.size() && (is_name(rest[next]) || rest[next] == '(' || rest[next] == '.');
    const std::string_view after = rest.substr(next);
    const bool word = after.starts_with("in ") || after.starts_with("then ") || after.starts_with("within ");
    if (operand && !word) return std::nullopt;
    if (const auto unit = units("%")) return taken(1, *unit);
    return std::nullopt;
  }
  if (token_.kind == TokenKind::in || token_.text == kThen || token_.text == kWithin) return std::nullopt;
  std::array<std::size_t, 8> ends{};
  std::size_t count = 0;
  std::size_t end = 0;
  while (count < ends.size()) {
    const std::size_t factor = unit_factor(rest.substr(end));
    if (factor == 0) break;
    end += factor;
    if (end < rest.size() && (is_name(rest[end]) || is_unit_letter(rest[end]))) {
      if (count > 0) break;
      while (end < rest.size() && (is_name(rest[end]) || is_unit_letter(rest[end]))) ++end;
      unknown = rest.substr(0, end);
      break;
    }
    ends[count++] = end;
    if (end >= rest.size() || (rest[end] != '/' && rest[end] != '.' && rest[end] != '*')) break;
    ++end;
  }
  for (std::size_t i = count; i-- > 0;) {
    if (const auto unit = units(rest.substr(0, ends[i]))) return taken(ends[i], *unit);
  }
  if (count > 0) unknown = rest.substr(0, ends[count - 1]);
  if (!unknown.empty()) taken(unknown.size(), Unit{});
  return std::nullopt;
}

std::optional<std::string_view> Lexer::duration_here() {
  if (token_.kind != TokenKind::number) return std::nullopt;
  const std::size_t length = duration_length(text_.substr(begin_));
  if (length == 0) return std::nullopt;
  const std::string_view duration = text_.substr(begin_, length);
  offset_ = begin_;
  at_ = token_.at;
  move_to(begin_ + length);
  token_ = scan();
  return duration;
}

}  // namespace fettle::rules
