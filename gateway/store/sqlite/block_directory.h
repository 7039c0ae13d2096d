#pragma once
// Which blocks of readings can hold a reading of a series at a time. Kept in memory: 64 bytes a block, whatever is in
// it.
//
// Pure. Blocks are in order of their sequences. Every 64 have a summary, so a lookup in a million blocks looks at some
// 16,000 summaries and the few groups that match. Series are told apart by id modulo 256: exact up to 256 series;
// beyond, a block may be named that does not hold the series, never the other way round.

#include <bitset>
#include <cstddef>
#include <vector>

#include "gateway/store/sqlite/reading_block.h"

namespace fettle::store {

class BlockDirectory {
 public:
  static constexpr std::size_t kExactSeries = 256;

  // Pre: the block's first sequence lies after last_sequence().
  void append(const BlockSummary& block);
  // 0 where there are no blocks.
  engine::Sequence last_sequence() const { return blocks_.empty() ? 0 : blocks_.back().last_sequence; }
  std::size_t size() const { return blocks_.size(); }
  // Whether a block of exactly these sequences is here.
  bool contains(engine::Sequence first, engine::Sequence last) const;

  // First sequences, ascending, of the blocks that can hold readings of `series` with from <= time < to in messages
  // before sequence `before`.
  std::vector<engine::Sequence> candidates(engine::SeriesId series, engine::Time from, engine::Time to,
                                           engine::Sequence before) const;

 private:
  struct Cover {  // of a block, or of a group of them
    engine::Time min_time = engine::Time::max();
    engine::Time max_time = engine::Time::min();
    std::bitset<kExactSeries> series;

    bool can_hold(engine::SeriesId id, engine::Time from, engine::Time to) const {
      return min_time < to && max_time >= from && series.test(id % kExactSeries);
    }
    void add(const Cover& other);
  };
  struct Block {
    engine::Sequence first_sequence = 0;
    engine::Sequence last_sequence = 0;
    Cover cover;
  };
  static constexpr std::size_t kGroup = 64;

  std::vector<Block> blocks_;
  std::vector<Cover> groups_;  // groups_[i] covers blocks_[i * kGroup ...]
};

}  // namespace fettle::store
