#pragma once
// What is wrong with the files of a catalog, where, and how to mend it: collected, then shown all at once.

#include <compare>
#include <cstddef>
#include <string>
#include <vector>

#include "rules/diagnostic.h"

namespace fettle::catalog {

struct FileDiagnostic {
  std::string file;     // as given to read_catalog; kInForce where the fault lies in what was applied earlier
  int line = 0;         // 1-based; 0: no place in a file
  int column = 0;       // 1-based, in characters
  std::string message;  // what is wrong, what was expected, what to do
  auto operator<=>(const FileDiagnostic&) const = default;
};

inline constexpr const char* kInForce = "(catalog in force)";

// "fleet.yaml:12:7: message", without a place "(catalog in force): message".
std::string to_string(const FileDiagnostic& diagnostic);

class Diagnostics {
 public:
  void add(const std::string& file, rules::Position at, std::string message);

  bool empty() const { return found_.empty(); }

  // Everything added, by file, line, column and message, each once. Beyond kMost the rest is counted, not shown.
  std::vector<FileDiagnostic> sorted() const;

  static constexpr std::size_t kMost = 1000;
  static constexpr std::size_t kMostKept = 20'000;  // what comes after is counted only

 private:
  std::vector<FileDiagnostic> found_;
  std::size_t not_kept_ = 0;
};

}  // namespace fettle::catalog
