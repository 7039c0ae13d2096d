#pragma once
// The instructions of a compiled expression: a flat program for a stack machine (program.h runs it).

#include <cstddef>
#include <cstdint>
#include <vector>

namespace fettle::rules {

enum class Code : std::uint8_t {
  constant,      // push number
  parameter,     // push parameter `index`
  operate,       // push the value of operator `index`
  operate_with,  // top becomes the value of operator `index`, given top as its argument
  scale,         // top * number
  shift,         // top + number
  negate,
  not_,
  absolute,
  bit,   // whether bit `index` of top is set
  zone,  // the zone of top in table `index`
  add,
  subtract,
  multiply,
  divide,
  modulo,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  and_,
  or_,
  select,  // condition, yes, no -> one of them
  member,  // value, `index` others -> whether one equals it
};

struct Instruction {
  Code code = Code::constant;
  std::uint32_t index = 0;
  double number = 0;
  bool operator==(const Instruction&) const = default;
};

inline constexpr std::size_t kDeepestStack = 192;  // kDeepestNesting, the elements of one list, and room

using Program = std::vector<Instruction>;  // empty: there is no such expression

}  // namespace fettle::rules
