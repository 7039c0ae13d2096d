// Recursive descent over the grammar of docs/reference/rule-language.md; one function per level of precedence.
#include <algorithm>
#include <array>
#include <utility>

#include "rules/syntax.h"

namespace fettle::rules {
namespace {

struct Level {
  std::array<TokenKind, 6> signs;  // padded with end
};
// Loosest first.
constexpr std::array<Level, 5> kLevels = {{
    {{TokenKind::or_}},
    {{TokenKind::and_}},
    {{TokenKind::equal, TokenKind::not_equal, TokenKind::less, TokenKind::less_equal, TokenKind::greater,
      TokenKind::greater_equal}},
    {{TokenKind::plus, TokenKind::minus}},
    {{TokenKind::times, TokenKind::divide, TokenKind::modulo}},
}};
constexpr std::size_t kComparison = 2;

bool has(const Level& level, TokenKind kind) {
  return kind != TokenKind::end && std::find(level.signs.begin(), level.signs.end(), kind) != level.signs.end();
}

std::string shown(const Token& token) {
  if (token.kind == TokenKind::end) return "the end of the expression";
  if (token.kind == TokenKind::text) return "\"" + std::string(token.text) + "\"";
  return "'" + std::string(token.text) + "'";
}

class Parser {
 public:
  Parser(const Located& source, const UnitParser& units, Diagnostics& diagnostics)
      : lexer_(source), units_(units), diagnostics_(diagnostics) {}

  std::optional<Syntax> whole() {
    const auto root = conditional();
    if (!root) return std::nullopt;
    if (lexer_.peek().kind != TokenKind::end) {
      expected("an operator such as && or <, or the end of the expression");
      return std::nullopt;
    }
    syntax_.root = *root;
    return std::move(syntax_);
  }

 private:
  using Parsed = std::optional<NodeIndex>;

  // Reports the next token; always nothing.
  Parsed expected(const std::string& what) {
    const Token& token = lexer_.peek();
    diagnostics_.push_back(
        {token.at, token.kind == TokenKind::wrong ? token.message : "expected " + what + ", found " + shown(token)});
    return std::nullopt;
  }

  Parsed add(Node node) {
    for (const NodeIndex child : node.children) {
      node.depth = std::max(node.depth, syntax_.nodes[child].depth + 1);
    }
    if (node.depth > kDeepestNesting) return too_deep(node.at);
    syntax_.nodes.push_back(std::move(node));
    return static_cast<NodeIndex>(syntax_.nodes.size() - 1);
  }

  Parsed too_deep(Position at) {
    diagnostics_.push_back({at, "the expression is nested more than " + std::to_string(kDeepestNesting) +
                                    " levels deep here; split the rule in two"});
    return std::nullopt;
  }

  bool take_if(TokenKind kind) {
    if (lexer_.peek().kind != kind) return false;
    lexer_.take();
    return true;
  }

  // condition ? value : value
  Parsed conditional() {
    // Nesting is bounded on the way down too: the tree would be refused only after the stack had grown.
    if (++open_ > kDeepestNesting) return too_deep(lexer_.peek().at);
    Parsed condition = sequence();
    if (condition && lexer_.peek().kind == TokenKind::question) condition = branches(*condition);
    --open_;
    return condition;
  }

  Parsed branches(NodeIndex condition) {
    const Token question = lexer_.take();
    const Parsed yes = conditional();
    if (!yes) return std::nullopt;
    if (!take_if(TokenKind::colon)) return expected("':' and the value for false");
    const Parsed no = conditional();
    if (!no) return std::nullopt;
    Node node;
    node.kind = NodeKind::conditional;
    node.at = question.at;
    node.text = question.text;
    node.children = {condition, *yes, *no};
    return add(std::move(node));
  }

  bool at_word(std::string_view word) const {
    return lexer_.peek().kind == TokenKind::name && lexer_.peek().text == word;
  }

  // condition then condition within duration. The two words are names elsewhere: here no name can stand.
  Parsed sequence() {
    const Parsed first = level(0);
    if (!first || !at_word(kThen)) return first;
    const Token then = lexer_.take();
    const Parsed second = level(0);
    if (!second) return std::nullopt;
    if (!at_word(kWithin)) return expected("'within' and a duration after 'then' and its condition");
    lexer_.take();
    const Parsed duration = argument();
    if (!duration) return std::nullopt;
    Node node;
    node.kind = NodeKind::sequence;
    node.at = then.at;
    node.text = then.text;
    node.children = {*first, *second, *duration};
    return add(std::move(node));
  }

  Parsed level(std::size_t depth) {
    if (depth == kLevels.size()) return unary();
    Parsed left = level(depth + 1);
    bool compared = false;
    while (left) {
      const bool in = depth == kComparison && lexer_.peek().kind == TokenKind::in;
      if (!in && !has(kLevels[depth], lexer_.peek().kind)) break;
      if (depth == kComparison && compared) return expected("'&&' between two comparisons");
      compared = true;
      if (in) {
        left = member(*left);
        continue;
      }
      const Token sign = lexer_.take();
      const Parsed right = level(depth + 1);
      if (!right) return std::nullopt;
      Node node;
      node.kind = NodeKind::binary;
      node.sign = sign.kind;
      node.at = sign.at;
      node.text = sign.text;
      node.children = {*left, *right};
      left = add(std::move(node));
    }
    return left;
  }

  // value in [value, ...]
  Parsed member(NodeIndex value) {
    const Token in = lexer_.take();
    Node node;
    node.kind = NodeKind::member;
    node.at = in.at;
    node.text = in.text;
    node.children = {value};
    if (!take_if(TokenKind::open_list)) return expected("'[' and a list of values after 'in'");
    do {
      const Parsed element = conditional();
      if (!element) return std::nullopt;
      node.children.push_back(*element);
      if (node.children.size() > kMostListElements + 1) {
        diagnostics_.push_back({in.at, "the list has more than " + std::to_string(kMostListElements) + " values"});
        return std::nullopt;
      }
    } while (take_if(TokenKind::comma));
    if (!take_if(TokenKind::close_list)) return expected("',' or ']'");
    return add(std::move(node));
  }

  Parsed unary() {
    const TokenKind kind = lexer_.peek().kind;
    if (kind != TokenKind::not_ && kind != TokenKind::minus) return primary();
    if (++open_ > kDeepestNesting) return too_deep(lexer_.peek().at);
    const Token sign = lexer_.take();
    const Parsed operand = unary();
    --open_;
    if (!operand) return std::nullopt;
    Node& inner = syntax_.nodes[*operand];
    if (kind == TokenKind::minus && inner.kind == NodeKind::number) {  // -5 degC is a temperature, not minus of one
      inner.number = -inner.number;
      inner.at = sign.at;
      return operand;
    }
    Node node;
    node.kind = NodeKind::unary;
    node.sign = sign.kind;
    node.at = sign.at;
    node.text = sign.text;
    node.children = {*operand};
    return add(std::move(node));
  }

  Parsed primary() {
    switch (lexer_.peek().kind) {
      case TokenKind::number:
        return number();
      case TokenKind::name:
        return name();
      case TokenKind::text:
      case TokenKind::true_:
      case TokenKind::false_: {
        const Token token = lexer_.take();
        Node node;
        node.kind = token.kind == TokenKind::text ? NodeKind::text : NodeKind::truth;
        node.at = token.at;
        node.text = token.text;
        node.number = token.kind == TokenKind::true_ ? 1.0 : 0.0;
        return add(std::move(node));
      }
      case TokenKind::open: {
        lexer_.take();
        const Parsed inner = conditional();
        if (!inner) return std::nullopt;
        if (!take_if(TokenKind::close)) return expected("')'");
        return inner;
      }
      default:
        return expected("a value: a signal, a parameter, a number, a text in double quotes, or '('");
    }
  }

  Parsed number() {
    const Token token = lexer_.take();
    Node node;
    node.kind = NodeKind::number;
    node.at = token.at;
    node.text = token.text;
    node.number = token.number;
    const Position unit_at = lexer_.peek().at;
    std::string_view unknown;
    if (const auto unit = lexer_.unit_after(units_, unknown)) {
      node.unit = unit->unit;
      node.unit_text = unit->text;
    } else if (!unknown.empty()) {
      diagnostics_.push_back({unit_at, unknown_unit(token, unknown)});
      node.broken = true;
    }
    return add(std::move(node));
  }

  static std::string unknown_unit(const Token& token, std::string_view unit) {
    const std::string written = std::string(token.text) + std::string(unit);
    if (duration_length(written) > 0) {
      return "'" + written +
             "' is a duration, which only stands as an operator's argument; expected a quantity such as "
             "'90 min'";
    }
    return "'" + std::string(unit) + "' is not a known unit; expected one in UDUNITS notation, such as bar, degC, mm/s";
  }

  Parsed name() {
    const Token token = lexer_.take();
    Node node;
    node.kind = NodeKind::name;
    node.at = token.at;
    node.text = token.text;
    if (!take_if(TokenKind::open)) return add(std::move(node));
    node.kind = NodeKind::call;
    if (take_if(TokenKind::close)) return add(std::move(node));
    do {
      const Parsed argument = this->argument();
      if (!argument) return std::nullopt;
      node.children.push_back(*argument);
    } while (take_if(TokenKind::comma));
    if (!take_if(TokenKind::close)) return expected("',' or ')' in the arguments of " + std::string(token.text) + "()");
    return add(std::move(node));
  }

  // A duration, or an expression.
  Parsed argument() {
    const Position at = lexer_.peek().at;
    const auto text = lexer_.duration_here();
    if (!text) return conditional();
    Node node;
    node.kind = NodeKind::duration;
    node.at = at;
    node.text = *text;
    if (const auto duration = read_duration(*text)) {
      node.duration = *duration;
    } else {
      diagnostics_.push_back(
          {at, std::string(*text) + " is longer than a year; at most " + duration_text(kLongestDuration)});
      node.broken = true;
    }
    return add(std::move(node));
  }

  Lexer lexer_;
  const UnitParser& units_;
  Diagnostics& diagnostics_;
  Syntax syntax_;
  int open_ = 0;  // levels of nesting that are being parsed
};

}  // namespace

std::optional<Syntax> parse(const Located& source, const UnitParser& units, Diagnostics& diagnostics) {
  if (source.text.size() > kLongestText) {
    diagnostics.push_back({source.at, "the expression has " + std::to_string(source.text.size()) +
                                          " characters; at most " + std::to_string(kLongestText) + " are read"});
    return std::nullopt;
  }
  return Parser(source, units, diagnostics).whole();
}

}  // namespace fettle::rules
