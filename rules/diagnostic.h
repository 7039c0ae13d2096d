#pragma once
// What is wrong with a rule, where, and how to mend it.

#include <string>
#include <vector>

namespace fettle::rules {

// 1-based, as editors count.
struct Position {
  int line = 1;
  int column = 1;
  bool operator==(const Position&) const = default;
};

struct Diagnostic {
  Position at;
  std::string message;  // one sentence: what is wrong, what was expected, what to do
  bool operator==(const Diagnostic&) const = default;
};

using Diagnostics =
    std::vector<Diagnostic>;  // in the order of their positions; never empty where it stands for a failure

}  // namespace fettle::rules
