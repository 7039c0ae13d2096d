#pragma once
// Reading known failures: a CSV with a first line of names, or JSON lines. Pure functions of the text.
//
//   asset,start,end,rule                   start and end, or one `time` that is both
//   lift-7,2026-03-02T07:00Z,2026-03-02T19:30Z,
//   {"asset": "lift-7", "time": 1772434800000, "rule": "door-slowing"}
//
// `asset` may be missing where the data has one asset; `end` (then it is the start) and `rule` (then any rule) may be
// missing or empty. What else a row holds is of no concern here. It is JSON lines where the first character is {.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/app/core.h"
#include "gateway/app/detection.h"

namespace fettle::app {

inline constexpr std::size_t kMaxFailures = 1'000'000;
// Wrong rows that a message names; the rest is counted.
inline constexpr std::size_t kMaxNamedRows = 100;

// What rows may refer to.
struct FailureNames {
  std::string only_asset;          // that rows without an asset are of; empty: they are wrong
  std::vector<std::string> rules;  // "pack/rule", that rows may name
};

// Every failure in the text's order. Failure: one line "<name>:<line>: what, expected" for every wrong row.
Result<std::vector<KnownFailure>> read_failures(const std::string& name, std::string_view text,
                                                const FailureNames& names);

}  // namespace fettle::app
