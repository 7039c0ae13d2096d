#pragma once
// Random numbers that are the same for a seed on every machine: std::mt19937_64 is fixed by the standard, the
// standard's distributions and std::shuffle are not, so what is drawn from the engine is written out here.

#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace fettle::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // Uniform in [0, 1), with the 53 bits a double holds.
  double unit() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

  // Bell-shaped around 0 and never outside [-1, 1]: the sum of four uniforms, with a standard deviation of 0.29.
  double bell() {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += unit();  // not one expression: its operands may be drawn in any order
    return (sum - 2.0) / 2.0;
  }

  // Uniform in [0, bound), without the bias of a plain remainder. Precondition: bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    const std::uint64_t uneven = (0 - bound) % bound;  // 2^64 mod bound
    for (;;) {
      const std::uint64_t draw = engine_();
      if (draw >= uneven) return draw % bound;
    }
  }

 private:
  std::mt19937_64 engine_;
};

// Fisher-Yates, from the back.
template <class T>
void shuffle(std::vector<T>& items, Random& random) {
  for (std::size_t left = items.size(); left > 1; --left) {
    using std::swap;
    swap(items[left - 1], items[static_cast<std::size_t>(random.below(left))]);
  }
}

}  // namespace fettle::sim
