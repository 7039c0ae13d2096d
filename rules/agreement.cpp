#include "rules/agreement.h"

#include <algorithm>
#include <utility>

#include "rules/spelling.h"

namespace fettle::rules {
namespace {

bool has_offset(const Type& type) {
  return type.unit.offset != 0.0;
}

bool is_bare_number(const Type& type) {
  return type.unit_text.empty() && type.unit == Unit{};
}

std::string product_text(const Type& a, const Type& b, TokenKind sign) {
  const bool times = sign == TokenKind::times;
  if (b.unit_text.empty()) return a.unit_text;
  if (a.unit_text.empty()) return times ? b.unit_text : "1/(" + b.unit_text + ")";
  return "(" + a.unit_text + ")" + (times ? "." : "/") + "(" + b.unit_text + ")";
}

std::string listed(const std::vector<std::string>& states) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t s = 0; s < std::min(states.size(), kShown); ++s) {
    text += (s == 0 ? "\"" : ", \"") + states[s] + "\"";
  }
  return states.size() > kShown ? text + ", ..." : text;
}

}  // namespace

std::string Agreement::written(NodeIndex i) const {
  std::string text(node(i).text);
  if (node(i).kind == NodeKind::number && !node(i).unit_text.empty()) text += " " + std::string(node(i).unit_text);
  return text;
}

bool Agreement::need_condition(NodeIndex i, std::string_view sign) {
  if (type(i).form == Form::broken) return false;
  if (type(i).form == Form::condition) return true;
  report(i, "expected a condition (true or false) beside '" + std::string(sign) + "', found " + described(type(i)));
  return false;
}

bool Agreement::need_quantity(NodeIndex i, std::string_view sign) {
  if (type(i).form == Form::broken) return false;
  if (type(i).form == Form::quantity) return true;
  report(i, "expected a number beside '" + std::string(sign) + "', found " + described(type(i)));
  return false;
}

// ---- units of two sides
// ------------------------------------------------------------------------------------------------

// The constant side is the one to blame, and to convert: what a signal is, is given.
NodeIndex Agreement::to_blame(NodeIndex left, NodeIndex right) const {
  return type(left).constant && !type(right).constant ? left : right;
}

bool Agreement::same_dimension(NodeIndex left, NodeIndex right, std::string_view sign) {
  const NodeIndex blamed = to_blame(left, right);
  const Type& found = type(blamed);
  const Type& given = type(blamed == left ? right : left);
  if (!commensurable(found.unit, given.unit)) {
    std::string message = "expected " + described(given) + " or in a unit that converts to it beside '" +
                          std::string(sign) + "', found " + described(found);
    if (is_bare_number(given))
      message = "expected a plain number beside '" + std::string(sign) + "', found " + described(found);
    if (is_bare_number(found) && node(blamed).kind == NodeKind::number) {
      message += "; write '" + written(blamed) + " " + given.unit_text + "'";
    }
    report(blamed, std::move(message));
    return false;
  }
  // Shares are plain numbers too, but "level > 50" on a level in % would mean 5000 %.
  if (is_bare_number(found) && found.constant && given.unit.scale != 1.0 && !given.unit_text.empty()) {
    report(blamed, "expected a number in " + given.unit_text + ", found a plain number; write '" + written(blamed) +
                       " " + given.unit_text + "'");
    return false;
  }
  return true;
}

// Literals are converted here and now, so that 2.1 bar is exactly what it is in the signal's unit.
void Agreement::convert_node(NodeIndex i, const Type& target) {
  const bool as_difference = type(i).role == Role::difference || target.role == Role::difference;
  const Unit from = as_difference ? difference_of(type(i).unit) : type(i).unit;
  const Unit to = as_difference ? difference_of(target.unit) : target.unit;
  if (!(from == to)) {
    Meaning& meaning = meanings_[i];
    if (meaning.constant) {
      meaning.constant = convert(*meaning.constant, from, to);
    } else {
      meaning.scale = from.scale / to.scale;
      meaning.shift = (from.offset - to.offset) / to.scale;
    }
  }
  type(i).unit = to;
  type(i).unit_text = target.unit_text;
}

Type Agreement::common(NodeIndex left, NodeIndex right) const {
  Type result = type(to_blame(left, right) == left ? right : left);
  result.constant = type(left).constant && type(right).constant;
  return result;
}

// ---- arithmetic
// --------------------------------------------------------------------------------------------------------

void Agreement::to_difference(NodeIndex i) {
  type(i).unit = difference_of(type(i).unit);
  type(i).role = Role::difference;
}

// For what means nothing on a scale with an offset. A free one is taken as a difference.
bool Agreement::need_no_point(NodeIndex i, std::string_view what) {
  if (!has_offset(type(i))) return true;
  if (type(i).role == Role::point) {
    report(i, "a temperature in " + type(i).unit_text + " cannot be " + std::string(what) +
                  "; only a difference of two temperatures can");
    return false;
  }
  to_difference(i);
  return true;
}

Type Agreement::negated(NodeIndex operand) {
  if (!need_quantity(operand, "-") || !need_no_point(operand, "negated")) return {};
  return type(operand);
}

Type Agreement::magnitude(NodeIndex operand, std::string_view function) {
  if (!need_quantity(operand, function) || !need_no_point(operand, "taken without its sign")) return {};
  return type(operand);
}

// Which side of a sum is a point and which a difference, where a unit with an offset is involved.
bool Agreement::settle_plus(NodeIndex sign, NodeIndex left, NodeIndex right) {
  const bool free_left = type(left).role == Role::free;
  const bool free_right = type(right).role == Role::free;
  if (type(left).role == Role::point && type(right).role == Role::point) {
    report(sign, "two temperatures cannot be added; a difference in K can be added to one");
    return false;
  }
  // Of 'limit + 5 K' the limit stays what its use will ask for.
  if (free_left && !(free_right && has_offset(type(left)) && !has_offset(type(right)))) to_difference(left);
  if (free_right && !(free_left && type(left).role == Role::difference && has_offset(type(right))))
    to_difference(right);
  return true;
}

bool Agreement::settle_minus(NodeIndex sign, NodeIndex left, NodeIndex right) {
  Type& a = type(left);
  Type& b = type(right);
  if (a.role == Role::point && b.role == Role::free) {
    if (has_offset(b)) {
      report(right, "'- " + written(right) +
                        "' could take away a temperature or a difference; write a difference in K, or "
                        "compare with the temperature instead of taking it away");
      return false;
    }
    to_difference(right);
    return true;
  }
  if (a.role == Role::difference && b.role == Role::point) {
    report(sign, "a temperature cannot be taken from a difference of temperatures; swap the sides");
    return false;
  }
  if (a.role == Role::free && b.role == Role::point) {
    a.role = Role::point;
    return true;
  }
  const bool stays_free = a.role == Role::free && b.role == Role::free && has_offset(a) && !has_offset(b);
  if (a.role == Role::free && !stays_free) to_difference(left);
  if (b.role == Role::free) to_difference(right);
  return true;
}

Type Agreement::sum(NodeIndex sign, NodeIndex left, NodeIndex right) {
  const std::string_view text = node(sign).text;
  const bool left_fine = need_quantity(left, text);
  const bool right_fine = need_quantity(right, text);
  if (!left_fine || !right_fine || !same_dimension(left, right, text)) return {};
  const bool plus = node(sign).sign == TokenKind::plus;
  const bool offsets = has_offset(type(left)) || has_offset(type(right));
  if (offsets && !(plus ? settle_plus(sign, left, right) : settle_minus(sign, left, right))) return {};
  if (!offsets && !plus && type(left).role == Role::point && type(right).role == Role::free) {
    type(right).role = Role::difference;  // a signal in K less 5 K is a temperature still
  }
  // A difference is converted to the scale of the point (or of what may be one), never the other way round.
  NodeIndex from = to_blame(left, right);
  if (type(left).role == Role::difference && type(right).role != Role::difference) from = left;
  if (type(right).role == Role::difference && type(left).role != Role::difference) from = right;
  const NodeIndex to = from == left ? right : left;
  const bool two_points = type(left).role == Role::point && type(right).role == Role::point;
  const bool one_point = !two_points && (type(left).role == Role::point || type(right).role == Role::point);
  convert_node(from, type(to));
  Type result = type(to);
  result.constant = type(left).constant && type(right).constant;
  if (one_point) result.role = Role::point;
  if (two_points && !plus) {
    result.role = Role::difference;
    result.unit = difference_of(result.unit);
  }
  return result;
}

Type Agreement::product(NodeIndex sign, NodeIndex left, NodeIndex right) {
  const TokenKind kind = node(sign).sign;
  const bool times = kind == TokenKind::times;
  const bool left_number = need_quantity(left, node(sign).text);
  const bool right_number = need_quantity(right, node(sign).text);
  if (!left_number || !right_number) return {};
  const bool left_fine = need_no_point(left, times ? "multiplied" : "divided");
  const bool right_fine = need_no_point(right, times ? "multiplied" : "divided by");
  if (!left_fine || !right_fine) return {};
  const Type& a = type(left);
  const Type& b = type(right);
  constexpr int kHighestPower = 20;  // no physical quantity has more; a signed byte holds it
  for (std::size_t base = 0; base < a.unit.powers.size(); ++base) {
    const int power = times ? a.unit.powers[base] + b.unit.powers[base] : a.unit.powers[base] - b.unit.powers[base];
    if (power < -kHighestPower || power > kHighestPower) {
      report(sign, "the unit of this result has a power beyond " + std::to_string(kHighestPower));
      return {};
    }
  }
  Type result;
  result.form = Form::quantity;
  result.unit = times ? a.unit * b.unit : a.unit / b.unit;
  result.unit_text = product_text(a, b, kind);
  result.role = a.role == Role::free && b.role == Role::free ? Role::free : Role::difference;
  result.constant = a.constant && b.constant;
  return result;
}

Type Agreement::remainder(NodeIndex left, NodeIndex right) {
  const bool left_number = need_quantity(left, "%");
  const bool right_number = need_quantity(right, "%");
  if (!left_number || !right_number) return {};
  if (!need_no_point(left, "divided") || !need_no_point(right, "divided by")) return {};
  if (!same_dimension(left, right, "%")) return {};
  const NodeIndex from = to_blame(left, right);
  convert_node(from, type(from == left ? right : left));
  return common(left, right);
}

// ---- comparison
// --------------------------------------------------------------------------------------------------------

bool Agreement::comparable(NodeIndex left, NodeIndex right, TokenKind sign, std::string_view text) {
  const Type& a = type(left);
  const Type& b = type(right);
  if (a.form == Form::broken || b.form == Form::broken) return false;
  const bool equality = sign == TokenKind::equal || sign == TokenKind::not_equal;
  if (a.form == Form::quantity && b.form == Form::quantity) return comparable_quantities(left, right, text);
  if (equality && a.form == Form::condition && b.form == Form::condition) return true;
  if (a.form == Form::state || b.form == Form::state) return comparable_states(left, right, sign, text);
  const NodeIndex blamed = to_blame(left, right);
  const NodeIndex given = blamed == left ? right : left;
  if (type(given).form == Form::quantity) {
    report(blamed, "expected " + described(type(given)) + " beside '" + std::string(text) + "', found " +
                       described(type(blamed)));
  } else {
    report(blamed, "expected numbers in one unit or a signal and its states beside '" + std::string(text) +
                       "', found " + described(type(left)) + " and " + described(type(right)));
  }
  return false;
}

bool Agreement::comparable_quantities(NodeIndex left, NodeIndex right, std::string_view text) {
  if (!same_dimension(left, right, text)) return false;
  const NodeIndex from = to_blame(left, right);
  const NodeIndex to = from == left ? right : left;
  const bool mixed = (type(left).role == Role::point && type(right).role == Role::difference) ||
                     (type(left).role == Role::difference && type(right).role == Role::point);
  if (mixed && (has_offset(type(left)) || has_offset(type(right)))) {
    report(from, "a temperature and a difference of temperatures cannot be compared");
    return false;
  }
  convert_node(from, type(to));
  return true;
}

bool Agreement::comparable_states(NodeIndex left, NodeIndex right, TokenKind sign, std::string_view text) {
  const NodeIndex state = type(left).form == Form::state ? left : right;
  const NodeIndex other = state == left ? right : left;
  if (sign != TokenKind::equal && sign != TokenKind::not_equal) {
    report(state, "states have no order: expected '==', '!=' or 'in', found '" + std::string(text) + "'");
    return false;
  }
  const std::vector<std::string>& states = *type(state).states;
  if (type(other).form == Form::text) return resolve_state(other, states);
  if (type(other).form == Form::state && *type(other).states == states) return true;
  report(other, "expected one of the states " + listed(states) + " in double quotes, found " + described(type(other)));
  return false;
}

bool Agreement::resolve_state(NodeIndex i, const std::vector<std::string>& states) {
  const auto found = std::find(states.begin(), states.end(), node(i).text);
  if (found == states.end()) {
    const std::vector<std::string_view> known(states.begin(), states.end());
    report(i, "\"" + std::string(node(i).text) + "\" is not a state of this signal; expected one of " + listed(states) +
                  did_you_mean(node(i).text, known));
    return false;
  }
  meanings_[i].constant = static_cast<double>(found - states.begin());
  type(i).form = Form::state;
  type(i).states = &states;
  return true;
}

}  // namespace fettle::rules
