#include "rules/program.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "rules/operator_state.h"
#include "rules/zones.h"

namespace fettle::rules {
namespace {

double truth(bool value) {
  return value ? 1.0 : 0.0;
}
double finite(double value) {
  return std::isfinite(value) ? value : kUnknown;
}

// Kleene's strong logic of three values.
double both(double a, double b) {
  if (a == 0.0 || b == 0.0) return 0.0;
  return std::isnan(a) || std::isnan(b) ? kUnknown : 1.0;
}
double either(double a, double b) {
  if (a == 1.0 || b == 1.0) return 1.0;
  return std::isnan(a) || std::isnan(b) ? kUnknown : 0.0;
}

double combine(Code code, double a, double b) {
  if (code == Code::and_) return both(a, b);
  if (code == Code::or_) return either(a, b);
  if (std::isnan(a) || std::isnan(b)) return kUnknown;
  switch (code) {
    case Code::add:
      return finite(a + b);
    case Code::subtract:
      return finite(a - b);
    case Code::multiply:
      return finite(a * b);
    case Code::divide:
      return finite(a / b);
    case Code::modulo:
      return finite(std::fmod(a, b));
    case Code::equal:
      return truth(a == b);
    case Code::not_equal:
      return truth(a != b);
    case Code::less:
      return truth(a < b);
    case Code::less_equal:
      return truth(a <= b);
    case Code::greater:
      return truth(a > b);
    case Code::greater_equal:
      return truth(a >= b);
    default:
      return kUnknown;
  }
}

double is_member(double value, std::span<const double> others) {
  double found = 0.0;
  for (const double other : others) found = either(found, combine(Code::equal, value, other));
  return found;
}

// Bit `n` of a word is 1; unknown where the value is no word: not whole, negative, or beyond what a double counts
// exactly (2^53).
double bit_of(double word, std::uint32_t n) {
  constexpr double kWords = 9007199254740992.0;
  if (!(word >= 0.0 && word < kWords) || word != std::floor(word)) return kUnknown;
  return truth(((static_cast<std::uint64_t>(word) >> n) & 1U) != 0U);
}

Code code_of(TokenKind sign) {
  switch (sign) {
    case TokenKind::or_:
      return Code::or_;
    case TokenKind::and_:
      return Code::and_;
    case TokenKind::equal:
      return Code::equal;
    case TokenKind::not_equal:
      return Code::not_equal;
    case TokenKind::less:
      return Code::less;
    case TokenKind::less_equal:
      return Code::less_equal;
    case TokenKind::greater:
      return Code::greater;
    case TokenKind::greater_equal:
      return Code::greater_equal;
    case TokenKind::plus:
      return Code::add;
    case TokenKind::minus:
      return Code::subtract;
    case TokenKind::times:
      return Code::multiply;
    case TokenKind::divide:
      return Code::divide;
    default:
      return Code::modulo;
  }
}

void emit_node(const Syntax& syntax, const std::vector<Meaning>& meanings, NodeIndex i, Program& program) {
  const Node& node = syntax.nodes[i];
  const Meaning& meaning = meanings[i];
  if (meaning.constant) {
    program.push_back({Code::constant, 0, *meaning.constant});
    return;
  }
  const bool has_values = node.kind != NodeKind::name && node.kind != NodeKind::call && node.kind != NodeKind::sequence;
  if (has_values) {
    for (const NodeIndex child : node.children) emit_node(syntax, meanings, child, program);
  }
  switch (node.kind) {
    case NodeKind::name:
    case NodeKind::call:
      if (meaning.argument) emit_node(syntax, meanings, *meaning.argument, program);
      program.push_back({meaning.code, meaning.index, 0.0});
      break;
    case NodeKind::sequence:
      program.push_back({Code::operate, meaning.index, 0.0});
      emit_node(syntax, meanings, node.children[1], program);
      program.push_back({Code::and_, 0, 0.0});
      break;
    case NodeKind::unary:
      program.push_back({node.sign == TokenKind::not_ ? Code::not_ : Code::negate, 0, 0.0});
      break;
    case NodeKind::binary:
      program.push_back({code_of(node.sign), 0, 0.0});
      break;
    case NodeKind::conditional:
      program.push_back({Code::select, 0, 0.0});
      break;
    case NodeKind::member:
      program.push_back({Code::member, static_cast<std::uint32_t>(node.children.size() - 1), 0.0});
      break;
    case NodeKind::number:
    case NodeKind::duration:
    case NodeKind::text:
    case NodeKind::truth:
      break;  // constants
  }
  if (meaning.scale != 1.0) program.push_back({Code::scale, 0, meaning.scale});
  if (meaning.shift != 0.0) program.push_back({Code::shift, 0, meaning.shift});
}

}  // namespace

double run(const Program& program, const ProgramInputs& inputs) {
  std::array<double, kDeepestStack> stack;
  double* top = stack.data() - 1;
  for (const Instruction& step : program) {
    switch (step.code) {
      case Code::constant:
        *++top = step.number;
        break;
      case Code::parameter:
        *++top = inputs.parameters[step.index];
        break;
      case Code::operate: {
        const OperatorUse& use = inputs.uses[step.index];
        *++top = value_of(use, inputs.states + use.offset, inputs.event, inputs.tick);
        break;
      }
      case Code::operate_with: {
        const OperatorUse& use = inputs.uses[step.index];
        *top = value_of(use, inputs.states + use.offset, inputs.event, inputs.tick, *top);
        break;
      }
      case Code::absolute:
        *top = std::fabs(*top);
        break;
      case Code::bit:
        *top = bit_of(*top, step.index);
        break;
      case Code::zone:
        *top = zone_of(kZoneTables[step.index], *top);
        break;
      case Code::scale:
        *top = finite(*top * step.number);
        break;
      case Code::shift:
        *top = finite(*top + step.number);
        break;
      case Code::negate:
        *top = -*top;
        break;
      case Code::not_:
        *top = 1.0 - *top;  // NaN stays
        break;
      case Code::select:
        top -= 2;
        *top = std::isnan(*top) ? kUnknown : *top == 1.0 ? top[1] : top[2];
        break;
      case Code::member:
        top -= step.index;
        *top = is_member(*top, {top + 1, step.index});
        break;
      default:
        --top;
        *top = combine(step.code, top[0], top[1]);
        break;
    }
  }
  return *top;
}

std::size_t stack_need(const Program& program) {
  std::size_t depth = 0;
  std::size_t deepest = 0;
  for (const Instruction& step : program) {
    switch (step.code) {
      case Code::constant:
      case Code::parameter:
      case Code::operate:
        ++depth;
        break;
      case Code::operate_with:
      case Code::absolute:
      case Code::bit:
      case Code::zone:
      case Code::scale:
      case Code::shift:
      case Code::negate:
      case Code::not_:
        break;
      case Code::select:
        depth -= 2;
        break;
      case Code::member:
        depth -= step.index;
        break;
      default:
        --depth;
        break;
    }
    deepest = std::max(deepest, depth);
  }
  return deepest;
}

Program emit(const Syntax& syntax, const std::vector<Meaning>& meanings, NodeIndex root) {
  Program program;
  emit_node(syntax, meanings, root, program);
  return program;
}

}  // namespace fettle::rules
