// The engine by itself: readings from memory into a real store on disk, with a rule and a meter for each signal and
// checkpoints as the gateway makes them. One JSON line per measurement. docs/reference/benchmarks.md

#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "gateway/catalog/units.h"
#include "gateway/direct/telemetry.pb.h"
#include "gateway/engine/engine.h"
#include "gateway/store/sqlite/sqlite_store.h"
#include "gateway/store/sqlite/wal_checkpointer.h"
#include "tests/bench/machine.h"
#include "tests/bench/result.h"

namespace fettle::bench {
namespace {

using Clock = std::chrono::steady_clock;
using engine::Time;
using std::chrono::duration;

struct Load {
  std::size_t assets = 1'000;
  std::size_t signals = 50;
  std::size_t messages = 60'000;
  std::string rule = "window";  // or threshold
  std::string folder;
};

constexpr Time kStart{std::chrono::milliseconds(1767225600000)};  // 2026-01-01T00:00Z
constexpr std::chrono::minutes kInterval{1};                      // between the messages of one asset
constexpr std::size_t kBatch = 4096;                              // records a commit
constexpr std::size_t kTickEvery = 4096;                          // records
constexpr std::size_t kCheckpointBytes = 64U << 20U;              // of records
constexpr std::chrono::seconds kCheckpointEvery{10};
constexpr double kMark = 2'000'000;  // readings a second on one core

std::string signal_name(std::size_t i) {
  return "interval_energy_" + std::to_string(i + 1);
}
std::string asset_name(std::size_t i) {
  return "meter-" + std::to_string(100'000 + i);
}

catalog::CatalogChange catalog_of(const Load& load) {
  catalog::CatalogChange change;
  auto& model = *change.add_entries()->mutable_model();
  model.set_id("smart-meter");
  model.set_max_gap_ms(900'000);
  model.set_lateness_ms(60'000);
  model.set_upload(catalog::LIVE);
  auto& pack = *change.add_entries()->mutable_pack();
  pack.set_id("high-use");
  pack.set_version(1);
  for (std::size_t i = 0; i < load.signals; ++i) {
    auto& signal = *model.add_signals();
    signal.set_name(signal_name(i));
    signal.set_kind(catalog::EVENT);
    signal.set_unit("kWh");
    signal.set_resolution("0.01");
    auto& meter = *model.add_meters();
    meter.set_id(signal_name(i));
    meter.set_kind(catalog::SUM);
    meter.set_signal(signal_name(i));
    auto& rule = *pack.add_rules();
    rule.set_id("high-" + std::to_string(i + 1));
    rule.set_title("High use");
    rule.set_model("smart-meter");
    rule.set_for_ms(300'000);
    (*rule.mutable_parameters())["limit"].set_text("90 kWh");
    rule.mutable_when()->set_text(load.rule == "window" ? "mean(" + signal_name(i) + ", 15m) > limit"
                                                        : signal_name(i) + " > limit");
  }
  auto& seller = *change.add_entries()->mutable_seller();
  seller.set_id("s");
  auto& customer = *change.add_entries()->mutable_customer();
  customer.set_id("c");
  customer.set_zone("UTC");
  auto& plan = *change.add_entries()->mutable_plan();
  plan.set_id("p");
  plan.set_seller("s");
  plan.add_packs("high-use");
  auto& subscription = *change.add_entries()->mutable_subscription();
  subscription.set_id("sub");
  subscription.set_customer("c");
  subscription.set_plan("p");
  for (std::size_t i = 0; i < load.assets; ++i) {
    auto& asset = *change.add_entries()->mutable_asset();
    asset.set_id(asset_name(i));
    asset.set_model("smart-meter");
    asset.set_customer("c");
    subscription.add_assets(asset_name(i));
  }
  return change;
}

// The records that the load consists of, made a batch at a time so that they are not what is measured.
class Feed {
 public:
  explicit Feed(const Load& load) : load_(load), most_(load.messages) {
    bodies_.push_back(catalog_of(load).SerializeAsString());
    kinds_.push_back(journal::Kind::catalog);
  }

  // The records after `after`; none when the load is over.
  std::vector<journal::Record> next(engine::Sequence after) {
    if (after > 0) {
      bodies_.clear();
      kinds_.clear();
      while (bodies_.size() < kBatch && made_ < most_) make();
    }
    std::vector<journal::Record> records;
    for (std::size_t i = 0; i < bodies_.size(); ++i) {
      records.push_back({after + 1 + i, kinds_[i], received_, bodies_[i]});
    }
    return records;
  }
  void rewind() {
    made_ = 0;
    received_ = kStart;
  }
  void prolong(std::size_t messages) { most_ += messages; }
  std::size_t bytes() const {
    std::size_t sum = 0;
    for (const std::string& body : bodies_) sum += body.size();
    return sum;
  }

 private:
  void make() {
    if (made_ > 0 && made_ % kTickEvery == 0 && kinds_.back() != journal::Kind::tick) {
      bodies_.emplace_back();
      kinds_.push_back(journal::Kind::tick);
      return;
    }
    const std::size_t asset = made_ % load_.assets;
    received_ = kStart + static_cast<std::int64_t>(made_ / load_.assets + 1) * kInterval;
    batch_.Clear();
    for (std::size_t i = 0; i < load_.signals; ++i) {
      direct::Reading& reading = *batch_.add_readings();
      reading.set_signal(signal_name(i));
      reading.set_time_ms(received_.time_since_epoch().count());
      const std::uint32_t mixed = static_cast<std::uint32_t>(made_ * 64 + i) * 2654435761U;
      reading.set_number(static_cast<double>(1000 + (mixed >> 8U) % 8000) / 100.0);
    }
    const std::string payload = batch_.SerializeAsString();
    const std::string topic = "fettle/v1/" + asset_name(asset) + "/batch";
    std::string body;
    encode(journal::Message{static_cast<std::uint32_t>(payload.size()), topic, payload}, body);
    bodies_.push_back(std::move(body));
    kinds_.push_back(journal::Kind::message);
    ++made_;
  }

  const Load& load_;
  std::size_t most_;
  direct::Batch batch_;
  std::vector<std::string> bodies_;
  std::vector<journal::Kind> kinds_;
  std::size_t made_ = 0;
  Time received_ = kStart;
};

double resident_mb(const char* field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::stod(line.substr(line.find(':') + 1)) / 1024;
  }
  return 0;
}

void must(const engine::StoreResult<void>& done) {
  if (!done) throw std::runtime_error(done.error().message);
}

engine::Lookups lookups() {
  return {catalog::unit_parser(), [](const std::string&) -> std::optional<billing::Zone> { return billing::Zone(); }};
}

// Time on the clock, and on the processor: the same where nothing else runs and no disk is waited for.
struct Spent {
  duration<double> wall{0};
  duration<double> cpu{0};
};

duration<double> cpu_now() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

template <typename Work>
Spent timed(Spent& sum, Work work) {
  const auto wall = Clock::now();
  const auto cpu = cpu_now();
  work();
  const Spent spent{Clock::now() - wall, cpu_now() - cpu};
  sum.wall += spent.wall;
  sum.cpu += spent.cpu;
  return spent;
}

struct Times {
  Spent fold;
  Spent commit;
};

// The whole load in batches, with checkpoints as the gateway begins them.
void run_load(engine::Engine& engine, Feed& feed, Times& times) {
  std::size_t bytes = 0;
  auto begun = Clock::now();
  for (auto records = feed.next(engine.folded()); !records.empty(); records = feed.next(engine.folded())) {
    bytes += feed.bytes();
    Spent within;
    timed(times.fold, [&] {
      for (const journal::Record& record : records) {
        while (engine.wants_commit_before(record)) timed(within, [&] { must(engine.commit()); });
        engine.fold(record);
      }
    });
    times.fold.wall -= within.wall;
    times.fold.cpu -= within.cpu;
    times.commit.wall += within.wall;
    times.commit.cpu += within.cpu;
    timed(times.commit, [&] { must(engine.commit()); });
    const std::size_t most = std::max<std::size_t>(kCheckpointBytes, 8 * engine.checkpoint_figures().bytes);
    if (!engine.checkpointing() && (bytes > most || Clock::now() - begun > kCheckpointEvery)) {
      engine.begin_checkpoint();
      bytes = 0;
      begun = Clock::now();
    }
  }
}

// A checkpoint of every asset with nothing else in its commits: the longest holds up the fold for that long. Beside it
// a thread copies SQLite's log, as in the gateway.
Spent longest_slice(engine::Engine& engine, store::SqliteStore& store, const std::filesystem::path& file) {
  const store::WalCheckpointer copying(file, store.log());
  Spent longest;
  Spent sum;
  engine.begin_checkpoint();
  while (engine.checkpointing()) {
    const Spent slice = timed(sum, [&] { must(engine.commit()); });
    longest = {std::max(longest.wall, slice.wall), std::max(longest.cpu, slice.cpu)};
  }
  return longest;
}

void report(const Load& load, const std::string& metric, double value, const std::string& unit, double mark,
            const ForeignShare& foreign) {
  const std::string name =
      "engine-" + std::to_string(load.assets) + "x" + std::to_string(load.signals) + '-' + load.rule;
  std::printf("%s\n", to_json({name, metric, value, unit, mark, mark > 0 ? value / mark : 0, foreign.read()}).c_str());
  std::fflush(stdout);
}

// A store whose checkpoint lies right behind the catalog, and everything else after it.
void measure_replay(const Load& load, const std::filesystem::path& file) {
  const ForeignShare foreign;
  const auto store = store::SqliteStore::open(file, store::Durability::process).value();
  Feed feed(load);
  {
    engine::Engine engine(*store, lookups());
    engine.start().value();
    for (const journal::Record& record : feed.next(0)) engine.fold(record);
    must(engine.checkpoint());
    for (auto records = feed.next(1); !records.empty(); records = feed.next(engine.folded())) {
      for (const journal::Record& record : records) engine.fold(record);
      must(engine.commit());
    }
  }
  feed.rewind();
  engine::Engine engine(*store, lookups());
  engine.start().value();
  const engine::Sequence before = engine.folded();
  Spent spent;
  while (engine.replaying()) {
    const auto records = feed.next(engine.folded());
    timed(spent, [&] {
      for (const journal::Record& record : records) engine.fold(record);
      must(engine.commit());
    });
  }
  const auto messages = static_cast<double>(engine.folded() - before);
  report(load, "replay", messages / spent.wall.count(), "messages/s", 0, foreign);
  report(load, "replay_cpu", messages / spent.cpu.count(), "messages/s", 0, foreign);
}

void measure(const Load& load) {
  const std::filesystem::path file = std::filesystem::path(load.folder) / "store.db";
  const ForeignShare foreign;
  {
    const auto store = store::SqliteStore::open(file, store::Durability::process).value();
    engine::Engine engine(*store, lookups());
    engine.start().value();
    Feed feed(load);
    Times times;
    run_load(engine, feed, times);
    const auto readings = static_cast<double>(engine.counters().readings);
    const auto each = [&](duration<double> time) { return time.count() * 1e9 / readings; };
    report(load, "throughput", readings / (times.fold.wall + times.commit.wall).count(), "readings/s", kMark, foreign);
    report(load, "throughput_cpu", readings / (times.fold.cpu + times.commit.cpu).count(), "readings/s", kMark,
           foreign);
    report(load, "fold_cpu", each(times.fold.cpu), "ns/reading", 0, foreign);
    report(load, "commit_cpu", each(times.commit.cpu), "ns/reading", 0, foreign);
    report(load, "memory", resident_mb("VmRSS"), "MB", 0, foreign);
    must(engine.checkpoint());
    // Something of every asset changes, and then all are saved.
    feed.prolong(load.assets);
    for (auto records = feed.next(engine.folded()); !records.empty(); records = feed.next(engine.folded())) {
      for (const journal::Record& record : records) engine.fold(record);
      must(engine.commit());
    }
    const Spent slice = longest_slice(engine, *store, file);
    report(load, "longest_slice", slice.wall.count() * 1e3, "ms", 20, foreign);
    report(load, "longest_slice_cpu", slice.cpu.count() * 1e3, "ms", 20, foreign);
    const engine::Checkpointer::Figures& figures = engine.checkpoint_figures();
    report(load, "checkpoint", static_cast<double>(figures.bytes) / 1e6, "MB", 0, foreign);
    report(load, "state", static_cast<double>(figures.bytes) / static_cast<double>(load.assets * load.signals),
           "bytes/signal", 450, foreign);
    report(load, "peak_memory", resident_mb("VmHWM"), "MB", 160, foreign);
  }
  const auto store = store::SqliteStore::open(file, store::Durability::process).value();
  Spent start;
  timed(start, [&] {
    engine::Engine engine(*store, lookups());
    engine.start().value();
  });
  report(load, "start", start.wall.count() * 1e3, "ms", 1000, foreign);
  Load some = load;
  some.messages = std::min<std::size_t>(load.messages, 40'000);
  measure_replay(some, std::filesystem::path(load.folder) / "replay.db");
}

}  // namespace
}  // namespace fettle::bench

int main(int argc, char** argv) {
  fettle::bench::Load load;
  CLI::App app("The engine by itself: readings from memory into a store on disk");
  app.add_option("--assets", load.assets)->check(CLI::Range(1, 200'000));
  app.add_option("--signals", load.signals, "of each asset, one reading of each in a message")
      ->check(CLI::Range(1, 1000));
  app.add_option("--messages", load.messages)->check(CLI::Range(1, 100'000'000));
  app.add_option("--rule", load.rule, "of each signal")->check(CLI::IsMember({"window", "threshold"}));
  app.add_option("--folder", load.folder, "for the store; must be empty");
  CLI11_PARSE(app, argc, argv);
  std::string made;
  bool failed = false;
  try {
    if (load.folder.empty()) {
      made = (std::filesystem::temp_directory_path() / "fettle-bench-XXXXXX").string();
      if (::mkdtemp(made.data()) == nullptr) throw std::runtime_error("cannot make " + made);
      load.folder = made;
    }
    fettle::bench::measure(load);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "bench_engine: %s\n", failure.what());
    failed = true;
  }
  if (!made.empty()) std::filesystem::remove_all(made);
  return failed ? 1 : 0;
}
