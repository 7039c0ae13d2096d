#pragma once
// Store and forward: what one edge node has measured, on disk until it is out of doubt that the host has it.
//
// Every reading is added before it is published. Publications are QoS 0, nobody acknowledges them; so a reading is kept
// for `overlap` after it was sent, and when the host or the connection is lost within that time it is pending again and
// goes out once more as history. Whoever receives it twice knows it by what it says.
//
// One file, which only grows until it is rewritten without what is no longer needed. Written with write(2) before the
// reading is published: it survives the process (kill -9), not the power. One thread.
//
//   file    = { record }
//   record  = length of body (uint32) | CRC-32 of body (uint32) | body
//   body    = 'H' version (uint8) run (uint64) position (uint64) next number (uint64) next session (uint8)
//           | 'R' number (uint64) position (uint64) sent at (int64 ms, 0: not sent) asset (uint32) count (uint32)
//                 { signal (uint32) event time (int64 ms) type (uint8) value }
//           | 'M' sent at (int64 ms) first number (uint64) last number (uint64)
//           | 'D' sent since (int64 ms)             what was sent at this time or later is pending again
//           | 'S' next session (uint8)
//   value   = double or int64 (8 bytes) | length (uint32) text
// Little endian. A record that is cut off or does not match its checksum ends the file: it and all behind it are cut.

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "firmware-sim/problem.h"
#include "firmware-sim/reading.h"

namespace fettle::sim {

inline constexpr std::uint64_t kDefaultOutboxBytes = 256ULL << 20U;
inline constexpr std::uint64_t kLeastOutboxBytes = 64ULL << 10U;
// A host that dies without closing its connection is held for alive by its broker for 1.5 times its keep-alive (MQTT
// 3.1.1, 3.1.2.10), and so is one whose network falls silent: 45 s for the gateway's 30. What is sent meanwhile reaches
// nobody, so the overlap must be longer.
inline constexpr std::chrono::seconds kDefaultOverlap{60};

struct OutboxLimits {
  std::uint64_t bytes = kDefaultOutboxBytes;  // of what is kept; the file may be twice that before it is rewritten
  std::chrono::milliseconds overlap = kDefaultOverlap;
};

struct OutboxCounts {
  std::uint64_t dropped = 0;     // readings lost because the bound was hit before they could be sent
  std::uint64_t cut_short = 0;   // readings no longer kept for their overlap because the bound was hit
  std::uint64_t torn_bytes = 0;  // behind the last good record when the file was opened
};

class Outbox {
 public:
  // The wall clock: it must mean something after a restart.
  using SentTime = std::chrono::sys_time<std::chrono::milliseconds>;

  // Opens the file, or makes it; without a path a file that nobody else sees and that goes with the process. `run`
  // names what is being published: a file of another run that still holds something is refused.
  static Result<Outbox> open(const std::optional<std::filesystem::path>& file, std::uint64_t run,
                             const OutboxLimits& limits);
  Outbox(Outbox&&) noexcept;
  Outbox& operator=(Outbox&&) = delete;
  ~Outbox();

  // Position of the last batch that was added, in this run or in earlier ones that were cut off; 0: none. The source is
  // to go on behind it.
  std::uint64_t position() const { return position_; }

  // bdSeq of the next CONNECT, over all runs on this file. Kept before the CONNECT is sent.
  std::uint8_t next_session() const { return next_session_; }
  [[nodiscard]] std::optional<Problem> keep_next_session(std::uint8_t session);

  // Adds a batch; `sent` if it is published at once, right after commit(). Positions grow.
  void add(const Batch& batch, std::uint64_t position, std::optional<SentTime> sent);

  // Writes what was added. Nothing may be published before.
  [[nodiscard]] std::optional<Problem> commit();

  // All that was sent from `now` - overlap on is pending again.
  [[nodiscard]] std::optional<Problem> doubt(SentTime now);

  // Takes the oldest pending batches, at most about `readings` in all, as sent at `now`: commits that, then returns
  // them.
  Result<std::vector<Batch>> take_pending(std::size_t readings, SentTime now);

  // Lets go of what was sent before `now` - overlap, and rewrites the file where most of it is no longer needed.
  [[nodiscard]] std::optional<Problem> retire(SentTime now);

  std::uint64_t pending() const { return pending_; }  // readings
  bool empty() const { return entries_.empty(); }     // nothing pending, nothing in doubt
  // When retire() can let go of more; absent: nothing sent is kept.
  std::optional<SentTime> next_retirement() const;

  // All is out: the next run begins at its beginning.
  [[nodiscard]] std::optional<Problem> finish();

  const OutboxCounts& counts() const { return counts_; }

 private:
  struct Entry {
    std::uint64_t offset = 0;  // of the record in the file
    std::uint32_t length = 0;  // of the record
    std::uint32_t readings = 0;
    SentTime sent{};  // epoch: pending
  };

  Outbox(std::optional<std::filesystem::path> path, int file, std::uint64_t run, const OutboxLimits& limits);

  std::optional<Problem> load();
  std::size_t replay(std::string_view text);
  bool replay_record(std::string_view body, std::uint64_t offset);
  void mark(std::uint64_t first, std::uint64_t last, SentTime sent);
  void make_pending(SentTime since);
  void drop_front();
  void keep_to_bound();
  std::optional<Problem> rewrite();
  std::optional<Problem> write_header();
  std::string header() const;
  Result<std::string> read_record(const Entry& entry);
  Problem problem(std::string_view what) const;

  std::optional<std::filesystem::path> path_;
  int file_ = -1;
  std::uint64_t run_ = 0;
  OutboxLimits limits_;
  std::deque<Entry> entries_;       // of the records still needed, oldest first
  std::uint64_t first_number_ = 1;  // of entries_.front()
  std::size_t search_from_ = 0;     // no entry before this index is pending
  std::uint64_t position_ = 0;
  std::uint8_t next_session_ = 0;
  std::string unwritten_;
  std::uint64_t written_ = 0;  // size of the file
  std::uint64_t needed_ = 0;   // bytes of the entries' records
  std::uint64_t pending_ = 0;
  OutboxCounts counts_;
};

}  // namespace fettle::sim
