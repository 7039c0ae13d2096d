#include "gateway/engine/checkpoint_parts.h"

#include <algorithm>

namespace fettle::engine {

void PartList::keep(CheckpointPart part) {
  early_bytes_ += static_cast<std::size_t>(bytes_of(part));
  early_.push_back(std::move(part));
}

void PartList::begin_round() {
  listed_.clear();
  next_ = 0;
  for (std::uint32_t number = 0; number < states_.size(); ++number) {
    if (states_[number] != State::changed) continue;
    states_[number] = State::listed;
    listed_.push_back(number);
  }
}

void PartList::renumber(const std::vector<std::uint32_t>& former) {
  std::vector<State> states(former.size(), State::changed);
  for (std::size_t i = 0; i < former.size(); ++i) {
    if (former[i] != kNew) states[i] = states_[former[i]];
  }
  states_ = std::move(states);
  listed_.clear();
  next_ = 0;
}

bool EagerParts::owns(std::string_view key) const {
  return std::any_of(prefixes_.begin(), prefixes_.end(),
                     [&](const std::string& prefix) { return key.starts_with(prefix); });
}

void EagerParts::begin_round() {
  collect_(waiting_);
  std::reverse(waiting_.begin(), waiting_.end());  // taken from the back
}

bool EagerParts::take(std::int64_t& room, std::vector<CheckpointPart>& out) {
  for (; !waiting_.empty() && room > 0; waiting_.pop_back()) {
    room -= static_cast<std::int64_t>(waiting_.back().key.size() + waiting_.back().state.size());
    out.push_back(std::move(waiting_.back()));
  }
  return waiting_.empty();
}

bool EagerParts::restore(CheckpointPart part) {
  waiting_.push_back(std::move(part));
  return true;
}

std::string EagerParts::restored() {
  std::string problem = load_(waiting_);
  waiting_.clear();
  return problem;
}

}  // namespace fettle::engine
