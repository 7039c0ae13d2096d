#pragma once
// The journal: every input of the gateway, in one order, on disk before it is acknowledged.
//
// Threads: append() and wait_for_space() may be called from any thread; read(), wait(), committed() and trim() from one
// (the engine's). When append() has returned a sequence, the record survives the death of the process
// (Durability::process: it is with the kernel) or of the machine (Durability::power: fdatasync has returned), unless it
// was appended with Keep::soon.
//
// Bounds: segments of Options::segment_bytes; at most Options::max_backlog bytes appended and not yet committed, beyond
// which append() refuses with Refusal::full and its caller holds back its source. Session records, which are few, small
// and hold nothing back, are taken all the same: a crash may leave a journal at its bound, and a start begins with one.

#include <boost/system/result.hpp>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/journal/record.h"

namespace fettle::journal {

enum class Durability : std::uint8_t { process, power };

struct Options {
  std::filesystem::path folder;  // made if it does not exist
  Durability durability = Durability::process;
  std::size_t segment_bytes = 64U << 20U;
  std::size_t max_backlog = 256U << 20U;  // bytes
};

struct Error {
  std::string message;  // what failed, on which file, what to do
};
[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}
template <typename T>
using Result = boost::system::result<T, Error>;

// When a record has to be on disk.
enum class Keep : std::uint8_t {
  now,  // before append() returns: somebody will be told that it is kept
  soon  // with the next record that is to be kept now, when it is read, or with kMostGathered bytes: for what nobody is
        // told of. A system call for each would cost more than all the rest of taking it in.
};

enum class Refusal : std::uint8_t {
  full,    // the backlog is at its bound: wait_for_space(), then again
  disk,    // the file system refused (full, read-only, failing): nothing was written; try again later
  closed,  // close() was called
};

[[noreturn]] inline void throw_exception_from_error(Refusal refusal, const boost::source_location&) {
  throw std::runtime_error("the journal refused a record: " + std::to_string(static_cast<int>(refusal)));
}

// How often append() refused since the journal was opened.
struct Refusals {
  std::uint64_t full = 0;
  std::uint64_t disk = 0;
};

// A file with its descriptor, closed on destruction. Move-only.
class File {
 public:
  File() = default;
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept;
  File& operator=(File&& other) noexcept;
  ~File();
  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_ = -1;
};

class Journal {
 public:
  // Opens the folder: finds the last good record, cuts what a crash tore after it (the cut bytes are kept beside it as
  // <segment>.torn), and, where the journal ends before `committed`, goes on in a new segment at committed + 1, since
  // a sequence is never used twice. What was done is told in reports().
  static Result<std::unique_ptr<Journal>> open(const Options& options, Sequence committed);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  const std::vector<std::string>& reports() const { return reports_; }

  // Bytes of records that wait in memory (Keep::soon).
  static constexpr std::size_t kMostGathered = 64U << 10U;

  // The new record's sequence.
  boost::system::result<Sequence, Refusal> append(Kind kind, Time received, std::string_view body,
                                                  Keep keep = Keep::now);
  // Why the last append was refused with Refusal::disk.
  std::string disk_error() const;
  // Why the last append was refused, as a sentence; empty where it was not.
  std::string refusing() const;
  Refusals refusals() const;
  // Waits until there is room, close() was called, or the time is up.
  void wait_for_space(std::chrono::milliseconds at_most);

  // The next records after `after`, in order, as far as they are there: at most `max_records` and about `max_bytes`, at
  // least one if there is one. They point into a buffer that the next read() reuses. Errors: a record in the middle is
  // corrupt or missing; the message names file and offset.
  Result<std::vector<Record>> read(Sequence after, std::size_t max_records, std::size_t max_bytes);
  // Waits until a record after `after` exists, wake() or close() was called, or the time is up.
  void wait(Sequence after, std::chrono::milliseconds at_most);
  void wake();

  // Everything up to `sequence` has been committed: makes room in the backlog.
  void committed(Sequence sequence);
  // Removes segments whose records all lie at or before `sequence` (a synced checkpoint).
  void trim(Sequence sequence);

  Sequence last() const;  // 0 where nothing was ever written
  std::size_t backlog_bytes() const;
  std::size_t disk_bytes() const;

  // While the pin lives trim() removes nothing: for a copy of the store that needs the journal behind its checkpoint.
  class Pin {
   public:
    explicit Pin(Journal& journal) : journal_(&journal) {}
    Pin(Pin&& other) noexcept : journal_(std::exchange(other.journal_, nullptr)) {}
    Pin& operator=(Pin&&) = delete;
    ~Pin();

   private:
    Journal* journal_;
  };
  Pin pin();

  // What waits in memory is written; from now on nothing is appended; waiters return.
  void close();

 private:
  struct Segment {
    std::filesystem::path path;
    Sequence first = 0;
    std::size_t bytes = 0;  // good bytes, the magic included
  };
  struct Mark {  // where a record ends, for turning a committed sequence into bytes
    Sequence sequence = 0;
    std::uint64_t position = 0;
  };

  explicit Journal(Options options) : options_(std::move(options)) {}
  Result<void> scan(Sequence committed);
  Result<Sequence> scan_last(Segment& segment);
  Result<void> start_segment(Sequence first);
  bool write_gathered(Sequence last);
  bool write_out(std::string_view bytes);
  Refusal refuse(Refusal why);
  Result<bool> fill(Sequence after, std::size_t want);

  Options options_;
  std::vector<std::string> reports_;

  mutable std::mutex mutex_;  // guards everything down to the blank line; held for one write, never while reading
  std::condition_variable readable_;
  std::condition_variable space_;
  std::deque<Segment> segments_;
  File tail_;
  Sequence last_ = 0;
  Sequence written_ = 0;        // the last one in a file; those after it are in gathered_
  std::string gathered_;        // encoded records
  bool stuck_ = false;          // the last try to write them failed
  std::uint64_t position_ = 0;  // bytes ever appended
  std::uint64_t consumed_ = 0;  // bytes committed
  std::deque<Mark> marks_;      // at most one per kMarkBytes
  std::string disk_error_;
  std::optional<Refusal> refused_;  // what the last append met
  Refusals refusals_;
  bool broken_tail_ = false;  // a failed write could not be cut off: the next append opens a new segment
  Sequence awaited_ = 0;      // the record that wait() is to be woken for; 0: nobody waits
  bool woken_ = false;
  int pins_ = 0;
  bool closed_ = false;

  File reading_;                // the engine's own
  Sequence reading_first_ = 0;  // first sequence of the segment being read; 0: none open
  std::size_t reading_offset_ = 0;
  std::size_t reading_left_ = 0;  // bytes from the offset to the end, at the last fill()
  Sequence reading_next_ = 0;
  std::string buffer_;
};

// A record with its own bytes.
struct OwnedRecord {
  Sequence sequence = 0;
  Kind kind = Kind::tick;
  Time received;
  std::string body;
};

// The records after `after` up to and with `to`, read from the folder's files, also while a Journal writes there.
// Errors: one of them is missing or corrupt.
Result<std::vector<OwnedRecord>> read_range(const std::filesystem::path& folder, Sequence after, Sequence to);

}  // namespace fettle::journal
