#include "gateway/catalog/diagnostics.h"

#include <algorithm>
#include <utility>

namespace fettle::catalog {

std::string to_string(const FileDiagnostic& diagnostic) {
  std::string place = diagnostic.file;
  if (diagnostic.line > 0) {
    place += ":" + std::to_string(diagnostic.line) + ":" + std::to_string(diagnostic.column);
  }
  return place + ": " + diagnostic.message;
}

void Diagnostics::add(const std::string& file, rules::Position at, std::string message) {
  if (found_.size() >= kMostKept) {
    ++not_kept_;
    return;
  }
  found_.push_back({file, at.line, at.column, std::move(message)});
}

std::vector<FileDiagnostic> Diagnostics::sorted() const {
  auto result = found_;
  std::sort(result.begin(), result.end());
  result.erase(std::unique(result.begin(), result.end()), result.end());
  if (result.size() > kMost) {
    const std::size_t rest = result.size() - kMost + not_kept_;
    result.resize(kMost);
    const FileDiagnostic last = result.back();
    result.push_back({last.file, last.line, last.column, "and " + std::to_string(rest) + " more; mend these first"});
  }
  return result;
}

}  // namespace fettle::catalog
