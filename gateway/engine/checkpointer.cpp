#include "gateway/engine/checkpointer.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace fettle::engine {

bool Checkpointer::restore(CheckpointPart part) {
  const auto owner =
      std::find_if(sources_.begin(), sources_.end(), [&](const PartSource* source) { return source->owns(part.key); });
  return owner != sources_.end() && (*owner)->restore(std::move(part));
}

std::string Checkpointer::restored(Sequence sequence) {
  for (PartSource* source : sources_) {
    if (std::string problem = source->restored(); !problem.empty()) return problem;
  }
  figures_.as_of = sequence;
  return {};
}

void Checkpointer::begin(Sequence as_of) {
  as_of_ = as_of;
  next_ = 0;
  slices_ = bytes_ = parts_ = 0;
  for (PartSource* source : sources_) source->begin_round();
}

void Checkpointer::add_slice(Effects& effects, std::int64_t room) {
  if (!on() || effects.parts_as_of != 0) return;
  effects.parts_as_of = as_of_;
  while (next_ < sources_.size() && room > 0 && sources_[next_]->take(room, effects.parts)) ++next_;
  effects.checkpoint = next_ == sources_.size();
}

void Checkpointer::committed(const Effects& effects) {
  if (effects.parts_as_of == 0) return;
  ++slices_;
  parts_ += effects.parts.size();
  for (const CheckpointPart& part : effects.parts) bytes_ += part.state.size();
  if (!effects.checkpoint) return;
  figures_ = {as_of_, figures_.rounds + 1, slices_, bytes_, parts_};
  as_of_ = 0;
}

bool Checkpointer::pressed() const {
  return on() && std::accumulate(sources_.begin(), sources_.end(), std::size_t{0},
                                 [](std::size_t sum, const PartSource* source) {
                                   return sum + source->early_bytes();
                                 }) > kMostEarlyBytes;
}

}  // namespace fettle::engine
