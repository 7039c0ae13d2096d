#include "firmware-sim/csv.h"

#include <algorithm>

namespace fettle::sim {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

CsvRow split(std::string_view line) {
  CsvRow fields;
  for (;;) {
    const std::size_t comma = line.find(',');
    fields.push_back(line.substr(0, comma));
    if (comma == std::string_view::npos) return fields;
    line.remove_prefix(comma + 1);
  }
}

}  // namespace

CsvReader::CsvReader(const CsvText& source) : name_(source.name), rest_(source.text) {
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

Result<CsvReader> CsvReader::open(const CsvText& source, const std::vector<std::string_view>& columns) {
  CsvReader reader(source);
  reader.width_ = columns.size();
  const auto line = reader.next_line();
  if (!line) return Problem{source.name + ":1: the file is empty; expected a header line"};
  const CsvRow header = split(*line);
  for (std::size_t i = 0; i < std::max(header.size(), columns.size()); ++i) {
    const std::string place = "column " + std::to_string(i + 1) + " of the header ";
    if (i >= header.size()) return reader.problem(place + "is missing: expected '" + std::string(columns[i]) + "'");
    if (i >= columns.size()) return reader.problem(place + "is one too many: '" + std::string(header[i]) + "'");
    if (header[i] != columns[i]) {
      return reader.problem(place + "is '" + std::string(header[i]) + "', expected '" + std::string(columns[i]) +
                            "'; is this another data set?");
    }
  }
  return reader;
}

Result<std::optional<CsvRow>> CsvReader::next() {
  auto line = next_line();
  while (line && line->empty()) line = next_line();
  if (!line) return std::optional<CsvRow>();
  CsvRow row = split(*line);
  if (row.size() != width_) {
    return problem(std::to_string(row.size()) + " fields, expected " + std::to_string(width_) + " as in the header");
  }
  return std::optional<CsvRow>(std::move(row));
}

Problem CsvReader::problem(std::string_view what) const {
  return Problem{name_ + ":" + std::to_string(line_) + ": " + std::string(what)};
}

std::optional<std::string_view> CsvReader::next_line() {
  if (rest_.empty()) return std::nullopt;
  const std::size_t end = rest_.find('\n');
  std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  ++line_;
  return line;
}

}  // namespace fettle::sim
