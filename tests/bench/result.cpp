#include "tests/bench/result.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace fettle::bench {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

std::string to_json(const Result& result) {
  std::array<char, 512> line{};
  // Names and units are this program's own: nothing in them needs escaping.
  std::snprintf(line.data(), line.size(),
                R"({"bench":"%s","metric":"%s","value":%.6g,"unit":"%s","yardstick":%.6g,"ratio":%.4g,"foreign":%.2f})",
                result.bench.c_str(), result.metric.c_str(), result.value, result.unit.c_str(), result.yardstick,
                result.ratio, result.foreign);
  return line.data();
}

}  // namespace fettle::bench
