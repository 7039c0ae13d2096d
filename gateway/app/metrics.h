#pragma once
// What is worth watching of a running gateway, and where its threads record it. Values and one small class; how they
// are shown to Prometheus is metrics_text.h, and what each means to a user is docs/reference/metrics.md.
//
// Recorded once per batch, never per message: a lock of its own, held for a few additions.

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/app/log.h"
#include "gateway/app/metrics_process.h"
#include "gateway/engine/ports.h"
#include "gateway/http/server.h"

namespace fettle::app {

// How often values lay in which range. Copied as it is.
class Histogram {
 public:
  static constexpr std::size_t kMaxBounds = 16;

  // Upper bounds, inclusive, ascending, at most kMaxBounds; they must outlive the histogram. One more range holds what
  // is above them all.
  explicit Histogram(std::span<const double> bounds) : bounds_(bounds) {}

  void record(double value);

  std::span<const double> bounds() const { return bounds_; }
  // Of range `i` alone; bounds().size() is the one above them all.
  std::uint64_t in_range(std::size_t i) const { return counts_.at(i); }
  std::uint64_t count() const;
  double sum() const { return sum_; }

 private:
  std::span<const double> bounds_;
  std::array<std::uint64_t, kMaxBounds + 1> counts_{};
  double sum_ = 0;
};

// Seconds: a commit takes about a millisecond, a sync of a slow disk a second.
inline constexpr std::array<double, 12> kDurationBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                           0.05,   0.1,   0.25,   0.5,   1,    5};
// Records, and readings, of a batch.
inline constexpr std::array<double, 9> kBatchBounds = {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536};

// Recorded by the gateway's own threads since the process began. What a restart folds again is not counted again.
struct Recorded {
  engine::Counters fold;  // of what was folded since
  // Of `fold.quarantined`, by reason: at most Metrics::kMaxReasons and "other".
  std::map<std::string, std::uint64_t, std::less<>> quarantined;
  Histogram commit_seconds{kDurationBounds};
  Histogram commit_records{kBatchBounds};
  Histogram commit_readings{kBatchBounds};
  std::uint64_t commit_failures = 0;
  Histogram checkpoint_seconds{kDurationBounds};
  std::uint64_t checkpoint_bytes = 0;                       // of the newest checkpoint that became whole
  std::optional<std::chrono::milliseconds> checkpoint_age;  // since then; nothing before the first of this process
};

class Metrics {
 public:
  static constexpr std::size_t kMaxReasons = 64;  // there are some 50

  // Any thread each; none throws but for want of memory.

  // What earlier lives of the gateway had counted: before the first batch, and once more before the first that is not
  // all replayed, when it is known for good (engine::Engine::counted_before()).
  void begin(const engine::Counters& counters);

  // A batch of `records` journal records was committed in `took`; `counters` are the engine's sums after it. With
  // Phase::replay the batch stood already: only the sums that counting goes on from move.
  enum class Phase : std::uint8_t { live, replay };
  void committed(std::size_t records, std::chrono::nanoseconds took, const engine::Counters& counters,
                 Phase phase = Phase::live);
  // The store refused a commit or a checkpoint.
  void commit_failed();
  // A checkpoint became whole: `took` is the time that the fold spent on it, over all its slices.
  void checkpointed(std::uint64_t bytes, std::chrono::nanoseconds took,
                    std::chrono::steady_clock::time_point at = std::chrono::steady_clock::now());
  void quarantined(std::string_view reason, std::uint64_t items);

  Recorded recorded(std::chrono::steady_clock::time_point now = std::chrono::steady_clock::now()) const;

 private:
  mutable std::mutex mutex_;  // guards what follows
  Recorded recorded_;
  engine::Counters before_;  // sums that are not this process's
  engine::Counters newest_;
  std::optional<std::chrono::steady_clock::time_point> checkpoint_at_;
};

// ---- what is asked for when somebody looks
// ---------------------------------------------------------------------------

struct JournalState {
  std::uint64_t last_sequence = 0;
  std::uint64_t committed_sequence = 0;
  std::uint64_t backlog_bytes = 0;  // appended and not yet committed
  std::uint64_t backlog_limit_bytes = 0;
  std::uint64_t disk_bytes = 0;
  std::uint64_t refused_full = 0;  // appends refused because the backlog was at its limit
  std::uint64_t refused_disk = 0;  // because the file system refused
};

struct SessionState {
  std::string name;  // unique
  bool up = false;
  std::uint64_t reconnects = 0;  // connections made after the first one
  std::string detail;            // why it is down, where that is known
};

struct SparkplugState {
  std::uint64_t nodes = 0;  // known
  std::uint64_t nodes_online = 0;
  std::uint64_t devices = 0;
  std::uint64_t devices_online = 0;
  std::uint64_t gaps_opened = 0;  // since the process began, as the next three
  std::uint64_t gaps_healed = 0;
  std::uint64_t gaps_lost = 0;
  std::uint64_t rebirths_requested = 0;
  std::uint64_t held_readings = 0;  // waiting now, after a rejoin
};

struct StoreState {
  std::uint64_t file_bytes = 0;
  std::uint64_t level0_blocks = 0;  // waiting to be merged
  std::uint64_t merges = 0;         // since the process began
  std::string merge_problem;        // why the last merge failed; empty: it did not
};

// Work-order events on their way out.
struct EventsState {
  std::uint64_t waiting = 0;
  std::uint64_t delivered = 0;  // since the process began
};

// Everything at one moment. Whoever serves it gathers it anew for each question: nothing here is kept up to date.
struct Snapshot {
  std::string version;
  bool ready = false;
  Recorded recorded;
  JournalState journal;
  std::chrono::milliseconds lag{0};         // the gateway's time less the received time of the newest folded record
  std::vector<SessionState> sessions;       // those beyond kMaxSessions are not shown
  std::optional<SparkplugState> sparkplug;  // nothing: no Sparkplug brokers are configured
  StoreState store;
  std::optional<EventsState> events;  // nothing: none are published
  LogCounts log;
  http::Served http;
  ProcessState process;
};
inline constexpr std::size_t kMaxSessions = 64;

}  // namespace fettle::app
