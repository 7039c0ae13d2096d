#pragma once
// Checkpoints in slices, copy-on-write: who owns parts of the working state, and how they come into a round together.
//
// A *round* takes the working state as of one sequence while the fold goes on. When it begins, the parts changed since
// the last round are listed; nothing is copied. Each commit then carries a slice of them. A listed part that is about
// to change before its turn is saved first, as it still is, and waits for a later slice. With the last slice the
// checkpoint counts. Parts that did not change keep what an earlier round saved.
//
// The engine's thread only.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/engine/ports.h"

namespace fettle::engine {

// The bookkeeping of one owner's parts, numbered from 0. The owner gives `save(number)` -> CheckpointPart, the part as
// it is now (an empty state: the part is gone), and calls touch() before it changes a part.
class PartList {
 public:
  // Parts 0 .. count exist from now on; new ones are changed, that is, not saved yet.
  void resize(std::size_t count) { states_.resize(count, State::changed); }
  std::size_t size() const { return states_.size(); }
  // All parts are as the checkpoint has them (after it was loaded).
  void all_saved() { states_.assign(states_.size(), State::saved); }

  // Before part `number` changes. In steady state one comparison.
  template <typename Save>
  void touch(std::uint32_t number, Save&& save) {
    if (states_[number] == State::changed) return;
    if (states_[number] == State::listed) keep(save(number));
    states_[number] = State::changed;
  }

  // The changed parts are listed. Pre: the last round is over.
  void begin_round();

  // Moves listed parts to `out`, those saved early first, until `room` bytes are used up or none is left; takes what it
  // used off `room`, also below 0. True: none is left.
  template <typename Save>
  bool take(std::int64_t& room, std::vector<CheckpointPart>& out, Save&& save) {
    while (!early_.empty() && room > 0) {
      room -= bytes_of(early_.back());
      early_bytes_ -= static_cast<std::size_t>(bytes_of(early_.back()));
      out.push_back(std::move(early_.back()));
      early_.pop_back();
    }
    for (; next_ < listed_.size() && room > 0; ++next_) {
      State& state = states_[listed_[next_]];
      if (state != State::listed) continue;
      state = State::saved;
      out.push_back(save(listed_[next_]));
      room -= bytes_of(out.back());
    }
    return early_.empty() && next_ >= listed_.size();
  }

  // Saves all that is listed now, because the numbers are about to change: whoever renumbers calls it before, and
  // renumber() after.
  template <typename Save>
  void save_listed(Save&& save) {
    for (; next_ < listed_.size(); ++next_) {
      if (states_[listed_[next_]] != State::listed) continue;
      states_[listed_[next_]] = State::saved;
      keep(save(listed_[next_]));
    }
  }
  // `former[i]`: the number that part i had and under which it is saved as it is, or kNew: to be saved anew.
  static constexpr std::uint32_t kNew = ~std::uint32_t{0};
  void renumber(const std::vector<std::uint32_t>& former);

  // Bytes of parts saved early that wait for their slice.
  std::size_t early_bytes() const { return early_bytes_; }

 private:
  enum class State : std::uint8_t { saved, changed, listed };

  static std::int64_t bytes_of(const CheckpointPart& part) {
    return static_cast<std::int64_t>(part.key.size() + part.state.size());
  }
  void keep(CheckpointPart part);

  std::vector<State> states_;
  std::vector<std::uint32_t> listed_;  // of the round, in order
  std::size_t next_ = 0;               // the first of listed_ not looked at
  std::vector<CheckpointPart> early_;
  std::size_t early_bytes_ = 0;
};

// Whoever owns parts beside the engine itself: Engine::add_source() makes them part of every checkpoint. Mostly a
// PartList and calls to it.
class PartSource {
 public:
  virtual ~PartSource() = default;

  // Whether the part with that key is one of its. Keys begin with a word and "/", such as "asset/"; no two sources
  // share one.
  virtual bool owns(std::string_view key) const = 0;
  // A round begins, as of now.
  virtual void begin_round() = 0;
  // The next parts of the round, as PartList::take does.
  virtual bool take(std::int64_t& room, std::vector<CheckpointPart>& out) = 0;
  virtual std::size_t early_bytes() const = 0;

  // A saved part, when the engine starts, one after another. False: it is of another version.
  virtual bool restore(CheckpointPart part) = 0;
  // All parts were restored. What could not be, as "part ..."; empty: nothing.
  virtual std::string restored() = 0;
};

// A source whose changed parts are few or small: all are saved when the round begins, and wait for their slices.
class EagerParts : public PartSource {
 public:
  // `prefixes`: of its keys. `collect` appends the parts that changed since it was called last. `load` takes all saved
  // parts at once, and says what cannot be read (empty: nothing).
  using Collect = std::function<void(std::vector<CheckpointPart>& out)>;
  using Load = std::function<std::string(std::span<const CheckpointPart> parts)>;
  EagerParts(std::vector<std::string> prefixes, Collect collect, Load load)
      : prefixes_(std::move(prefixes)), collect_(std::move(collect)), load_(std::move(load)) {}

  bool owns(std::string_view key) const override;
  void begin_round() override;
  bool take(std::int64_t& room, std::vector<CheckpointPart>& out) override;
  std::size_t early_bytes() const override { return 0; }
  bool restore(CheckpointPart part) override;
  std::string restored() override;

 private:
  std::vector<std::string> prefixes_;
  Collect collect_;
  Load load_;
  std::vector<CheckpointPart> waiting_;  // of the round; or, at the start, to be loaded
};

}  // namespace fettle::engine
