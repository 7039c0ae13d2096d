#pragma once
// Which level-0 blocks can hold a reading of a series at a time. Kept in memory: 72 bytes a block, whatever is in it.
//
// Pure. Blocks are in order of their sequences; the merge takes them away from the front, so there are few. Series are
// told apart by id modulo 256: exact up to 256 series; beyond, a block may be named that does not hold the series,
// never the other way round.

#include <bitset>
#include <cstddef>
#include <deque>
#include <vector>

#include "gateway/store/sqlite/reading_block.h"

namespace fettle::store {

class BlockDirectory {
 public:
  static constexpr std::size_t kExactSeries = 256;

  // Pre: the block's first sequence lies after last_sequence().
  void append(const BlockSummary& block);
  // The newest block was written again.
  void replace_last(const BlockSummary& block);
  // Forgets the blocks that end at `merged` or before.
  void drop(engine::Sequence merged);
  // 0 where there are no blocks.
  engine::Sequence last_sequence() const { return blocks_.empty() ? 0 : blocks_.back().last_sequence; }
  engine::Sequence last_first_sequence() const { return blocks_.empty() ? 0 : blocks_.back().first_sequence; }
  std::size_t size() const { return blocks_.size(); }
  std::uint64_t readings() const { return readings_; }

  // First sequences, ascending, of the blocks that can hold readings of `series` with from <= time < to that records
  // before `before` stored.
  std::vector<engine::Sequence> candidates(engine::SeriesId series, engine::Time from, engine::Time to,
                                           engine::Sequence before) const;

 private:
  struct Block {
    engine::Sequence first_sequence = 0;
    engine::Sequence last_sequence = 0;
    engine::Time min_time;
    engine::Time max_time;
    std::uint64_t readings = 0;
    std::bitset<kExactSeries> series;
  };
  static Block entry(const BlockSummary& block);

  std::deque<Block> blocks_;
  std::uint64_t readings_ = 0;  // of all blocks
};

}  // namespace fettle::store
