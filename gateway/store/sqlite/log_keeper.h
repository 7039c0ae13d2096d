#pragma once
// Keeps SQLite's write-ahead log short: when its pages are copied into the file, and by which thread.
//
// The thread that commits tells after each commit how long the log is. With a WalCheckpointer (wal_checkpointer.h) that
// one's thread copies most of it while commits go on, and the committing thread adds only the last pages, so that the
// log begins again from its start. Without one, or where it cannot keep up, the committing thread copies by itself.
// note() and copied() belong to the thread of the connection; the rest may be called by any.

#include <condition_variable>
#include <cstdint>
#include <mutex>

struct sqlite3;

namespace fettle::store {

class LogKeeper {
 public:
  // Pages of 4 KiB. Copying begins at 16 MiB: seldom enough that a page written by many batches is copied once.
  static constexpr int kBegin = 4'096;
  // Pages that the committing thread copies where the other has copied the rest: 2 MiB.
  static constexpr int kLast = 512;
  // From here on the committing thread copies whatever there is, and again every kBegin pages: a reader that holds an
  // old state keeps the log from beginning again, and it must not grow for ever unseen.
  static constexpr int kMost = 16'384;

  // Called by the committing thread: the log has so many pages. Copies if it is to; a failure is found by the next one,
  // and harms nothing until the disk is full.
  void note(sqlite3* connection, int pages);

  // ---- the other thread
  void attach();
  void detach();
  // Waits until there is something to copy. False: detached.
  bool wait_for_pages();
  // It has copied: of `log` pages, `copied` are in the file.
  void report(int log, int copied);

  // ---- anybody
  std::uint64_t copies_while_committing() const;  // by the committing thread, since the start
  int pages() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool attached_ = false;
  bool wanted_ = false;   // the other thread is to copy
  bool copying_ = false;  // and does
  int pages_ = 0;
  int copied_ = 0;       // of them, by the other thread
  int last_copied_ = 0;  // pages when the committing thread copied last
  std::uint64_t copies_ = 0;
};

}  // namespace fettle::store
