#pragma once
// Reads comma-separated text without quoting, row by row, and knows file and line for every complaint.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firmware-sim/problem.h"

namespace fettle::sim {

// The name is for messages; the text must outlive the reader. A byte order mark and CRLF line ends are taken off.
struct CsvText {
  std::string name;
  std::string_view text;
};

using CsvRow = std::vector<std::string_view>;  // views into the text

class CsvReader {
 public:
  // Checks that the first line names exactly these columns in this order.
  static Result<CsvReader> open(const CsvText& source, const std::vector<std::string_view>& columns);

  // The next row, absent at the end of the text. Empty lines are passed over; a row with another number of fields than
  // the header is a problem.
  Result<std::optional<CsvRow>> next();

  // "file:line: what", for the line last read.
  Problem problem(std::string_view what) const;

 private:
  explicit CsvReader(const CsvText& source);

  std::optional<std::string_view> next_line();

  std::string name_;
  std::string_view rest_;
  std::size_t line_ = 0;
  std::size_t width_ = 0;
};

}  // namespace fettle::sim
