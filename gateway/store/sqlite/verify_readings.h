#pragma once
// The part of verify() that is about readings: blocks, chunks, messages and roll-ups. And what findings go into.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/verify.h"

namespace fettle::store {

class Findings {
 public:
  void add(std::string finding) {
    if (texts_.size() < kMaxFindings) texts_.push_back(std::move(finding));
    ++count_;
  }
  std::vector<std::string> take() {
    if (count_ > texts_.size()) texts_.push_back(std::to_string(count_ - texts_.size()) + " more findings");
    return std::move(texts_);
  }

 private:
  std::vector<std::string> texts_;
  std::size_t count_ = 0;
};

inline std::string number(std::int64_t value) {
  return std::to_string(value);
}
inline std::string number(std::uint64_t value) {
  return std::to_string(value);
}

// Whether every reading decodes, is of a known series, is what its row says, and has its message. Reads everything.
void check_readings(Database& database, Findings& findings);

}  // namespace fettle::store
