#pragma once
// Where the engine's thread and the merge's thread meet: what there is to merge one way, pieces to apply the other.
//
// Any thread; one mutex, never held while anything is read or written. At most kPieces pieces wait (1 MiB): a merge
// that is ahead waits for the engine, never the engine for a merge.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/merge_piece.h"

namespace fettle::store {

// How long the readings of a signal are kept. Those of metered signals are kept for good: invoices rest on them.
// Older ones are cut, whole chunks at a time, and leave roll-ups behind.
struct RetentionRule {
  engine::SeriesId series = 0;
  std::chrono::milliseconds keep{0};  // by event time, counted back from the gateway's time
  bool metered = false;
};

// When a merge is due: enough readings, enough blocks (a quiet gateway has one per message), or old ones.
struct MergeDue {
  std::uint64_t readings = 1U << 20U;
  std::size_t blocks = 4'096;
  std::chrono::milliseconds age = std::chrono::hours(24);
  std::chrono::milliseconds retention_every = std::chrono::hours(1);
};

class MergeExchange {
 public:
  static constexpr std::size_t kPieces = 4;

  struct Backlog {  // level 0 that counts
    std::uint64_t readings = 0;
    std::size_t blocks = 0;
    engine::Time now;  // the gateway's time
  };
  enum class Work : std::uint8_t { none, merge, retention };  // none: the exchange is closed

  explicit MergeExchange(const MergeDue& due) : due_(due) {}

  // ---- the engine's side
  void note(const Backlog& backlog);
  // Applied from the next turn on, which comes every MergeDue::retention_every; the first at once.
  void set_retention(std::vector<RetentionRule> rules);
  // The oldest piece, which stays until taken(); null: none waits. Shared, since close() may drop it meanwhile.
  std::shared_ptr<const MergePiece> front();
  void taken();

  // ---- the merge's side
  void open();
  // Ends every wait below, for good or until open(); pieces that wait are dropped.
  void close();
  // Waits until something is due.
  Work wait_for_work();
  // Waits for room. False: closed.
  bool push(MergePiece piece);
  // Waits until the engine has applied everything. False: closed.
  bool wait_until_applied();
  std::vector<RetentionRule> retention();
  engine::Time now();
  // The merge failed, or (empty) works again; after a failure nothing is due for kPause of the gateway's time.
  void report(std::string problem);

  // ---- anybody
  std::string problem();

 private:
  static constexpr std::chrono::milliseconds kPause = std::chrono::seconds(30);

  Work due_work() const;

  const MergeDue due_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = true;
  Backlog backlog_;
  bool noted_ = false;
  engine::Time oldest_ = engine::Time::min();  // when the backlog began; unknown after a start, so long ago
  std::optional<engine::Time> retained_;       // when retention was applied last
  engine::Time paused_until_ = engine::Time::min();
  std::vector<RetentionRule> rules_;
  std::deque<std::shared_ptr<const MergePiece>> pieces_;
  std::string problem_;
};

}  // namespace fettle::store
