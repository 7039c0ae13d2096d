#include "gateway/store/sqlite/block_directory.h"

namespace fettle::store {

BlockDirectory::Block BlockDirectory::entry(const BlockSummary& block) {
  Block made{block.first_sequence, block.last_sequence, block.min_time, block.max_time, block.readings, {}};
  for (const engine::SeriesId id : block.series) made.series.set(id % kExactSeries);
  return made;
}

void BlockDirectory::append(const BlockSummary& block) {
  blocks_.push_back(entry(block));
  readings_ += block.readings;
}

void BlockDirectory::replace_last(const BlockSummary& block) {
  readings_ += block.readings - blocks_.back().readings;
  blocks_.back() = entry(block);
}

void BlockDirectory::drop(engine::Sequence merged) {
  while (!blocks_.empty() && blocks_.front().last_sequence <= merged) {
    readings_ -= blocks_.front().readings;
    blocks_.pop_front();
  }
}

std::vector<engine::Sequence> BlockDirectory::candidates(engine::SeriesId series, engine::Time from, engine::Time to,
                                                         engine::Sequence before) const {
  std::vector<engine::Sequence> found;
  for (const Block& block : blocks_) {
    if (block.first_sequence >= before) break;
    if (block.min_time < to && block.max_time >= from && block.series.test(series % kExactSeries)) {
      found.push_back(block.first_sequence);
    }
  }
  return found;
}

}  // namespace fettle::store
