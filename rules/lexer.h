#pragma once
// The tokens of a rule's expression, one at a time, each with its place.
//
// A number is a token of its own; what follows it (a unit, a duration's letters) means different things in different
// places, so the parser asks for it: unit_after(), duration_here(). Nothing here allocates but messages.

#include <optional>
#include <string>
#include <string_view>

#include "rules/diagnostic.h"
#include "rules/duration.h"
#include "rules/rule.h"

namespace fettle::rules {

enum class TokenKind : std::uint8_t {
  end,
  number,
  text,
  name,
  open,
  close,
  open_list,
  close_list,
  comma,
  question,
  colon,
  or_,
  and_,
  not_,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  plus,
  minus,
  times,
  divide,
  modulo,
  in,
  true_,
  false_,
  wrong,  // not a token; `message` says why
};

struct Token {
  TokenKind kind = TokenKind::end;
  Position at;
  std::string_view text;  // as written; kind text: without the quotes
  double number = 0;      // kind number
  std::string message;    // kind wrong
};

// The words of a sequence, `a then b within d`. They are names where a name can stand, and never units.
inline constexpr std::string_view kThen = "then";
inline constexpr std::string_view kWithin = "within";

class Lexer {
 public:
  // Keeps a view of source.text: the caller keeps it alive.
  explicit Lexer(const Located& source);

  // The next token, without taking it.
  const Token& peek() const { return token_; }
  Token take();

  // Straight after take() of a number: the unit that stands behind it, the longest that `units` knows ("3 m/s" is one
  // unit where m/s is one). Takes it. Nothing where no unit stands there; where one stands that `units` does not know,
  // its text is taken too and is in `unknown`.
  struct UnitText {
    Unit unit;
    std::string_view text;
  };
  std::optional<UnitText> unit_after(const UnitParser& units, std::string_view& unknown);

  // Where the next token begins a duration ("24h", "1h30m"): its text, taken. Otherwise nothing, and nothing taken.
  std::optional<std::string_view> duration_here();

 private:
  Token scan();
  Token scan_number(Token token);
  Token scan_text(Token token);
  void skip_blanks();
  void move_to(std::size_t offset);

  std::string_view text_;
  Position at_;             // of text_[offset_]
  std::size_t offset_ = 0;  // behind token_
  std::size_t begin_ = 0;   // of token_
  Token token_;
};

}  // namespace fettle::rules
