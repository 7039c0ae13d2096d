#pragma once
// How much of the machine's processors went to processes that are none of this program's: builds, other people. While
// they take much, a rate says more about them than about what is measured.

#include <chrono>

namespace fettle::bench {

// Above this share of all processors the rate of a run is not to be trusted.
inline constexpr double kTooMuchForeign = 0.10;

class ForeignShare {
 public:
  // Begins to count. This process and the children that it has now are its own; they must live until read().
  ForeignShare();
  // Share of all processors' time since then that went to others: 0 to 1. Steps of the kernel's clock tick (10 ms), so
  // for runs of a tenth of a second and more.
  double read() const;

 private:
  std::chrono::steady_clock::time_point begin_;
  std::chrono::nanoseconds busy_;
  std::chrono::nanoseconds own_;
};

}  // namespace fettle::bench
