#include "tests/bench/store_recordings.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

#include "tests/e2e/harness/recordings.h"

namespace fettle::bench {
namespace {

constexpr std::uint32_t kSteelColumns = 7;
constexpr std::uint32_t kEngineColumns = 26;

std::int64_t milliseconds_of(int year, int month, int day, int hour, int minute, int second) {
  const std::chrono::sys_days days{std::chrono::year(year) / month / day};
  const auto time = days + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

std::vector<std::string> split(const std::string& line, char separator) {
  std::vector<std::string> fields;
  std::istringstream in(line);
  for (std::string field; std::getline(in, field, separator);) {
    if (separator != ' ' || !field.empty()) fields.push_back(field);
  }
  return fields;
}

template <typename F>
void each_line(const std::string& file, bool header, F&& f) {
  std::istringstream in(e2e::unzipped(e2e::recordings() / file));
  std::string line;
  if (header) std::getline(in, line);
  while (std::getline(in, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) f(line);
  }
}

void sort(Recording& recording) {
  std::stable_sort(recording.rows.begin(), recording.rows.end(),
                   [](const RecordedRow& a, const RecordedRow& b) { return a.time < b.time; });
}

int scanned(int fields, int expected, const std::string& line) {
  if (fields == expected) return fields;
  throw std::runtime_error("cannot read the time of: " + line);
}

}  // namespace

std::uint64_t Recording::readings() const {
  std::uint64_t sum = 0;
  for (const RecordedRow& row : rows) sum += row.values.size();
  return sum;
}

Recording steel() {
  Recording recording{"steel", kSteelColumns, {}};
  each_line("steel/Steel_industry_data.csv.gz", true, [&](const std::string& line) {
    const auto fields = split(line, ',');
    int day = 0;
    int month = 0;
    int year = 0;
    int hour = 0;
    int minute = 0;
    scanned(std::sscanf(line.c_str(), "%d/%d/%d %d:%d", &day, &month, &year, &hour, &minute), 5, line);
    RecordedRow& row = recording.rows.emplace_back();
    row.time = milliseconds_of(year, month, day, hour, minute, 0);
    for (std::uint32_t i = 1; i <= kSteelColumns; ++i) row.values.push_back(std::strtod(fields.at(i).c_str(), nullptr));
  });
  sort(recording);
  return recording;
}

Recording cmapss() {
  Recording recording{"cmapss", 0, {}};
  each_line("cmapss/train_FD001.txt.gz", false, [&](const std::string& line) {
    const auto fields = split(line, ' ');
    RecordedRow& row = recording.rows.emplace_back();
    const auto engine = static_cast<std::uint32_t>(std::strtoul(fields.at(0).c_str(), nullptr, 10) - 1);
    row.time = std::strtoll(fields.at(1).c_str(), nullptr, 10) * 3'600'000;
    row.first_series = engine * kEngineColumns;
    recording.series = std::max(recording.series, row.first_series + kEngineColumns);
    for (std::uint32_t i = 0; i < kEngineColumns; ++i) row.values.push_back(std::strtod(fields.at(i).c_str(), nullptr));
  });
  sort(recording);
  return recording;
}

Recording nab() {
  Recording recording{"nab", 1, {}};
  each_line("nab/machine_temperature_system_failure.csv.gz", true, [&](const std::string& line) {
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    double value = 0;
    scanned(std::sscanf(line.c_str(), "%d-%d-%d %d:%d:%d,%lf", &year, &month, &day, &hour, &minute, &second, &value), 7,
            line);
    recording.rows.push_back({milliseconds_of(year, month, day, hour, minute, second), 0, {value}});
  });
  sort(recording);
  return recording;
}

}  // namespace fettle::bench
