#pragma once
// Rounds of the checkpoint (checkpoint_parts.h): begun as of a sequence, handed out in slices with the commits, over
// when the commit with the last slice has succeeded. The engine's thread only.

#include <optional>
#include <string>
#include <vector>

#include "gateway/engine/checkpoint_parts.h"
#include "gateway/engine/ports.h"

namespace fettle::engine {

class Checkpointer {
 public:
  // Of parts in one commit; about this much is serialised and written in a few milliseconds.
  static constexpr std::int64_t kSliceBytes = 512 << 10;
  // Parts saved early beyond this ask for commits before the fold goes on.
  static constexpr std::size_t kMostEarlyBytes = 4U << 20U;

  struct Figures {
    Sequence as_of = 0;        // the newest checkpoint that counts
    std::uint64_t rounds = 0;  // that became whole
    std::uint64_t slices = 0;  // of the last whole one
    std::uint64_t bytes = 0;   // of its parts
    std::uint64_t parts = 0;
  };

  // The source outlives this. All sources are added before the engine starts.
  void add(PartSource& source) { sources_.push_back(&source); }

  // Gives a part of the newest checkpoint that counts to its source. False: it is of another version.
  bool restore(CheckpointPart part);
  // Those were all; the checkpoint is as of `sequence`. What could not be restored, in words; empty: nothing.
  std::string restored(Sequence sequence);

  // Begins a round as of a sequence. Pre: no round is on, and the last effects that slices were added to have been
  // committed.
  void begin(Sequence as_of);
  // A round is on.
  bool on() const { return as_of_ != 0; }

  // Adds the next slice, of about `room` bytes, to the effects of a commit, unless it has one already (from a commit
  // that failed). Nothing where no round is on.
  void add_slice(Effects& effects, std::int64_t room);
  // The effects were committed.
  void committed(const Effects& effects);

  // So much was saved early that commits should come before the fold goes on.
  bool pressed() const;
  const Figures& figures() const { return figures_; }

 private:
  std::vector<PartSource*> sources_;
  Sequence as_of_ = 0;    // of the round that is on
  std::size_t next_ = 0;  // source
  std::uint64_t slices_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t parts_ = 0;
  Figures figures_;
};

}  // namespace fettle::engine
