#pragma once
// What a benchmark reports: lines of JSON on standard output. Everything else it says goes to standard error.

#include <string>
#include <vector>

namespace fettle::bench {

// Of an even number of values the mean of the two in the middle. Pre: not empty.
double median(std::vector<double> values);

struct Result {
  std::string bench;
  std::string metric;
  double value = 0;
  std::string unit;
  double yardstick = 0;  // what the value is compared with, in the same unit
  double ratio = 0;      // value by yardstick
  double foreign = 0;    // share of the processors that other processes took meanwhile (machine.h)
};

// One line: {"bench","metric","value","unit","yardstick","ratio","foreign"}. Pre: the numbers are finite.
std::string to_json(const Result& result);

}  // namespace fettle::bench
