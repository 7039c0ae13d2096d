// How short and how quick the store is, against a plain SQLite table of the same readings. Prints JSON lines
// (result.h); docs/reference/storage-format.md says what is counted. Arguments: --quick for a fraction of the load.

#include <sqlite3.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iostream>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/store/sqlite/chunk_rows.h"
#include "gateway/store/sqlite/merge_run.h"
#include "gateway/store/sqlite/merger.h"
#include "gateway/store/sqlite/sqlite_store.h"
#include "gateway/store/sqlite/wal_checkpointer.h"
#include "tests/bench/machine.h"
#include "tests/bench/result.h"
#include "tests/bench/store_recordings.h"
#include "tests/e2e/harness/recordings.h"

namespace fettle::bench {
namespace {

using engine::Effects;
using engine::Sequence;
using std::chrono::steady_clock;
using store::SqliteStore;

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "fettle-bench-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot make " + pattern);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;  // what is left in the temporary folder harms nobody
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path file(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

double seconds_since(steady_clock::time_point begin) {
  return std::chrono::duration<double>(steady_clock::now() - begin).count();
}

// Processor time of this thread, in seconds: rates are of one core, whatever else runs on the machine.
double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

void print(const std::string& metric, double value, const std::string& unit, double yardstick, double foreign) {
  std::cout << to_json({"store", metric, value, unit, yardstick, value / yardstick, foreign}) << std::endl;
}

engine::Time time_of(std::int64_t milliseconds) {
  return engine::Time(engine::Time::duration(milliseconds));
}

// ---- recorded data: how short it becomes, how quickly it is read
// -------------------------------------------------------

constexpr std::size_t kRowsPerBatch = 500;

void fill(SqliteStore& store, const Recording& recording) {
  std::mt19937_64 hashes(1);
  Sequence sequence = 0;
  for (std::size_t at = 0; at < recording.rows.size(); at += kRowsPerBatch) {
    Effects effects;
    effects.first = sequence + 1;
    if (at == 0) {
      for (std::uint32_t id = 0; id < recording.series; ++id) {
        effects.series.push_back({id, recording.name, std::to_string(id)});
      }
    }
    for (std::size_t i = at; i < std::min(at + kRowsPerBatch, recording.rows.size()); ++i) {
      const RecordedRow& row = recording.rows[i];
      ++sequence;
      effects.messages.push_back({sequence, sequence, time_of(row.time + 137),
                                  "fettle/v1/" + recording.name + "-" + std::to_string(row.first_series) + "/telemetry",
                                  hashes()});
      for (std::uint32_t k = 0; k < row.values.size(); ++k) {
        effects.readings.push_back({row.first_series + k, time_of(row.time), row.values[k], 0,
                                    static_cast<std::uint32_t>(effects.messages.size() - 1)});
      }
    }
    effects.committed = sequence;
    effects.now = effects.readings.back().time;
    store.commit(effects).value();
  }
}

void merge(SqliteStore& store, const std::filesystem::path& file) {
  store::Database database(file, store::Access::read_only);
  const store::PieceSink sink = [&](store::MergePiece piece) {
    store.merges()->open();
    (void)store.merges()->push(std::move(piece));
    while (store.apply_merge().value()) {
    }
    return true;
  };
  while (store::MergeRun(database, {}, sink).run()) {
  }
}

// Readings a second, decoded to times and values, of every chunk again and again.
double scan_rate(store::Database& database, std::uint64_t at_least) {
  const store::MergeState state = store::load_merge_state(database);
  struct Body {
    std::string points;
    std::uint64_t readings;
  };
  std::vector<Body> bodies;
  store::Statement(database, "SELECT readings, points FROM chunk JOIN chunk_body USING (id) WHERE id <= ?1 ORDER BY id")
      .each(
          [&](store::Row& row) {
            Body& body = bodies.emplace_back();
            row.into(body.readings, body.points);
          },
          state.last_chunk);
  store::ChunkCodec codec;
  store::Points points;
  std::uint64_t read = 0;
  double sum = 0;
  const double begin = processor_seconds();
  while (read < at_least) {
    for (const Body& body : bodies) {
      codec.decode(body.points, body.readings, points).value();
      sum += points.values.back() + static_cast<double>(points.times.back());
      read += body.readings;
    }
  }
  const double seconds = processor_seconds() - begin;
  if (std::isnan(sum)) throw std::runtime_error("the recordings hold no such number");
  return static_cast<double>(read) / seconds;
}

struct Plain {
  double bytes_per_reading = 0;
  double readings_per_second = 0;
};

// The same readings as rows of a table, times and values read in order.
Plain plain_table(const Recording& recording, const std::filesystem::path& file, int scans) {
  store::Database database(file, store::Access::create);
  database.execute(
      "CREATE TABLE reading (series INTEGER, time INTEGER, value REAL, PRIMARY KEY (series, time)) WITHOUT ROWID");
  {
    store::Transaction transaction(database, store::Transaction::Kind::write);
    store::Statement insert(database, "INSERT OR REPLACE INTO reading VALUES (?1, ?2, ?3)");
    for (const RecordedRow& row : recording.rows) {
      for (std::uint32_t k = 0; k < row.values.size(); ++k) insert.run(row.first_series + k, row.time, row.values[k]);
    }
    transaction.commit();
  }
  database.execute("VACUUM");
  const auto rows = static_cast<double>(database.integer("SELECT count(*) FROM reading"));
  store::Statement select(database, "SELECT time, value FROM reading");
  const double begin = processor_seconds();
  double sum = 0;
  for (int i = 0; i < scans; ++i) {
    select.each([&](store::Row& row) {
      std::int64_t time = 0;
      double value = 0;
      row.into(time, value);
      sum += value + static_cast<double>(time);
    });
  }
  const double seconds = processor_seconds() - begin;
  if (std::isnan(sum)) throw std::runtime_error("the recordings hold no such number");
  return {static_cast<double>(std::filesystem::file_size(file)) / rows, rows * scans / seconds};
}

void measure_recording(const Recording& recording, double mark, std::uint64_t scanned) {
  const Folder folder;
  const std::filesystem::path file = folder.file("store.db");
  const ForeignShare foreign;
  const auto store = SqliteStore::open(file, store::Durability::process).value();
  fill(*store, recording);
  merge(*store, file);
  store::Database database(file, store::Access::read_only);
  const auto readings = static_cast<double>(recording.readings());
  const auto per_reading = [&](const std::string& sql) {
    return static_cast<double>(database.integer(sql)) / readings;
  };
  const double points = per_reading("SELECT sum(length(points)) FROM chunk_body");
  const Plain plain = plain_table(recording, folder.file("plain.db"), 3);
  const double rate = scan_rate(database, scanned);
  const double others = foreign.read();
  print(recording.name + " time, value and flags", points, "bytes/reading", mark, others);
  print(recording.name + " against a plain table", points, "bytes/reading", plain.bytes_per_reading, others);
  print(recording.name + " origins", per_reading("SELECT sum(length(origins)) FROM chunk_body"), "bytes/reading",
        plain.bytes_per_reading, others);
  print(recording.name + " messages, 8 bytes of each a hash",
        per_reading("SELECT sum(length(block)) FROM message_block"), "bytes/reading", plain.bytes_per_reading, others);
  print(recording.name + " scan", rate / 1e6, "M readings/s", 80, others);
  print(recording.name + " scan against a plain table", rate / 1e6, "M readings/s", plain.readings_per_second / 1e6,
        others);
}

// ---- commits: what the engine's thread pays
// -----------------------------------------------------------------------------

struct Load {
  std::string name;
  std::uint32_t messages = 0;  // in a batch
  std::uint32_t signals = 0;   // in a message
  int batches = 0;
};

constexpr std::uint32_t kAssets = 1'000;

// Batches in turn over 1,000 assets: values of two decimals that walk, one time a message.
class Traffic {
 public:
  explicit Traffic(const Load& load) : load_(load), values_(std::size_t{kAssets} * load.signals) {
    for (std::uint32_t asset = 0; asset < kAssets; ++asset) {
      topics_.push_back("fettle/v1/machine-" + std::to_string(asset) + "/telemetry");
    }
  }
  void next(Effects& effects) {
    effects.first = sequence_ + 1;
    effects.messages.resize(load_.messages);
    effects.readings.resize(std::size_t{load_.messages} * load_.signals);
    std::size_t at = 0;
    for (std::uint32_t i = 0; i < load_.messages; ++i) {
      const auto asset = static_cast<std::uint32_t>(sequence_ % kAssets);
      const std::int64_t time = 1'700'000'000'000 + static_cast<std::int64_t>(sequence_ / kAssets) * 1'000 + asset % 7;
      ++sequence_;
      effects.messages[i] = {sequence_, sequence_, time_of(time + 20), topics_[asset], random_()};
      for (std::uint32_t signal = 0; signal < load_.signals; ++signal) {
        const std::uint32_t series = asset * load_.signals + signal;
        values_[series] += static_cast<int>(random_() % 21) - 10;
        effects.readings[at++] = {series, time_of(time), static_cast<double>(values_[series]) / 100, 0, i};
      }
    }
    effects.committed = sequence_;
    effects.now = effects.readings.back().time;
  }

 private:
  const Load load_;
  std::vector<std::string> topics_;
  std::vector<int> values_;
  std::mt19937_64 random_{3};
  Sequence sequence_ = 0;
};

void measure_commits(const Load& load) {
  constexpr double kMostNanoseconds = 120;  // of a reading, in commit()
  constexpr double kMostMilliseconds = 20;  // of one call on the engine's thread
  const Folder folder;
  const std::filesystem::path file = folder.file("store.db");
  const ForeignShare foreign;
  const auto store = SqliteStore::open(file, store::Durability::process).value();
  const store::WalCheckpointer checkpointer(file, store->log());
  const store::Merger merger(file, store->merges());
  Traffic traffic(load);
  Effects effects;
  double commits = 0;
  double longest_commit = 0;
  double applies = 0;
  double longest_apply = 0;
  for (int batch = 0; batch < load.batches; ++batch) {
    traffic.next(effects);
    double processor = processor_seconds();
    auto begin = steady_clock::now();
    store->commit(effects).value();
    longest_commit = std::max(longest_commit, seconds_since(begin));
    commits += processor_seconds() - processor;
    processor = processor_seconds();
    begin = steady_clock::now();
    if (!store->apply_merge().value()) continue;
    longest_apply = std::max(longest_apply, seconds_since(begin));
    applies += processor_seconds() - processor;
  }
  const double readings = static_cast<double>(load.batches) * load.messages * load.signals;
  const double others = foreign.read();
  print(load.name + " commit", commits / readings * 1e9, "ns/reading", kMostNanoseconds, others);
  print(load.name + " merge, on the engine's thread", applies / readings * 1e9, "ns/reading", kMostNanoseconds, others);
  print(load.name + " longest commit", longest_commit * 1e3, "ms", kMostMilliseconds, others);
  print(load.name + " longest piece of a merge", longest_apply * 1e3, "ms", kMostMilliseconds, others);
}

// Slices of a checkpoint as the engine makes them: a mebibyte of states of assets, much of it alike.
void measure_slices(int slices) {
  constexpr double kMostMilliseconds = 20;
  constexpr int kPartsPerSlice = 110;
  const Folder folder;
  const std::filesystem::path file = folder.file("store.db");
  const ForeignShare foreign;
  const auto store = SqliteStore::open(file, store::Durability::process).value();
  const store::WalCheckpointer checkpointer(file, store->log());
  std::mt19937 random(4);
  double longest = 0;
  double processor = 0;
  for (int slice = 0; slice < slices; ++slice) {
    Effects effects;
    effects.first = effects.committed = static_cast<Sequence>(slice) + 1;
    constexpr int kSlicesPerRound = 20;
    effects.parts_as_of = static_cast<Sequence>(slice / kSlicesPerRound * kSlicesPerRound) + 1;
    effects.checkpoint = slice % kSlicesPerRound == kSlicesPerRound - 1;
    for (int part = 0; part < kPartsPerSlice; ++part) {
      std::string state;
      while (state.size() < 9'500) state += "signal " + std::to_string(random() % 1'000'000) + std::string(40, '\0');
      effects.parts.push_back(
          {"asset/machine-" + std::to_string(slice % kSlicesPerRound * kPartsPerSlice + part), state});
    }
    const double before = processor_seconds();
    const auto begin = steady_clock::now();
    store->commit(effects).value();
    longest = std::max(longest, seconds_since(begin));
    processor += processor_seconds() - before;
  }
  const double others = foreign.read();
  print("slice of a checkpoint, 1 MiB", processor / slices * 1e3, "ms", kMostMilliseconds, others);
  print("longest slice of a checkpoint", longest * 1e3, "ms", kMostMilliseconds, others);
}

void run(int parts) {
  if (std::filesystem::exists(e2e::recordings())) {
    constexpr std::uint64_t kScanned = 100'000'000;
    const std::uint64_t scanned = kScanned / static_cast<std::uint64_t>(parts);
    measure_recording(steel(), 1.2, scanned);
    measure_recording(cmapss(), 1.2, scanned);
    measure_recording(nab(), 5, scanned);
  } else {
    std::cerr << "skipped: no recorded data\n";
  }
  measure_commits({"512 messages of 50 readings:", 512, 50, 400 / parts});
  measure_commits({"4,096 messages of 50 readings:", 4'096, 50, 50 / parts});
  measure_commits({"4,096 messages of one reading:", 4'096, 1, 1'000 / parts});
  measure_commits({"one message of 50 readings:", 1, 50, 20'000 / parts});
  measure_slices(200 / parts);
}

}  // namespace
}  // namespace fettle::bench

int main(int argc, char** argv) {
  try {
    fettle::bench::run(argc > 1 && std::string_view(argv[1]) == "--quick" ? 20 : 1);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench_store: " << error.what() << "\n";
    return 1;
  }
}
