#pragma once
// Recorded data as series of numbers, for bench_store: every numeric column, in order of time.

#include <cstdint>
#include <string>
#include <vector>

namespace fettle::bench {

struct RecordedRow {
  std::int64_t time = 0;           // milliseconds since 1970
  std::uint32_t first_series = 0;  // values are of this series and those behind it
  std::vector<double> values;
};

struct Recording {
  std::string name;
  std::uint32_t series = 0;
  std::vector<RecordedRow> rows;  // ascending times per series

  std::uint64_t readings() const;
};

// A steel works' meter: seven columns of 35,040 rows. NASA's turbofans, train_FD001: 26 columns of 100 engines, a cycle
// an hour. A machine's temperature, of the Numenta anomaly benchmark: one column of 22,695 rows. Throw without the
// files.
Recording steel();
Recording cmapss();
Recording nab();

}  // namespace fettle::bench
