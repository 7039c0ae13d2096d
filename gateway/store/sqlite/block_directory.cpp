#include "gateway/store/sqlite/block_directory.h"

#include <algorithm>

namespace fettle::store {

void BlockDirectory::Cover::add(const Cover& other) {
  min_time = std::min(min_time, other.min_time);
  max_time = std::max(max_time, other.max_time);
  series |= other.series;
}

void BlockDirectory::append(const BlockSummary& block) {
  Block entry{block.first_sequence, block.last_sequence, {block.min_time, block.max_time, {}}};
  for (const engine::SeriesId id : block.series) entry.cover.series.set(id % kExactSeries);
  if (blocks_.size() % kGroup == 0) groups_.emplace_back();
  groups_.back().add(entry.cover);
  blocks_.push_back(entry);
}

bool BlockDirectory::contains(engine::Sequence first, engine::Sequence last) const {
  const auto at = std::lower_bound(blocks_.begin(), blocks_.end(), first,
                                   [](const Block& block, engine::Sequence key) { return block.first_sequence < key; });
  return at != blocks_.end() && at->first_sequence == first && at->last_sequence == last;
}

std::vector<engine::Sequence> BlockDirectory::candidates(engine::SeriesId series, engine::Time from, engine::Time to,
                                                         engine::Sequence before) const {
  std::vector<engine::Sequence> found;
  for (std::size_t group = 0; group < groups_.size(); ++group) {
    const std::size_t begin = group * kGroup;
    if (blocks_[begin].first_sequence >= before) break;
    if (!groups_[group].can_hold(series, from, to)) continue;
    const std::size_t end = std::min(begin + kGroup, blocks_.size());
    for (std::size_t i = begin; i < end && blocks_[i].first_sequence < before; ++i) {
      if (blocks_[i].cover.can_hold(series, from, to)) found.push_back(blocks_[i].first_sequence);
    }
  }
  return found;
}

}  // namespace fettle::store
