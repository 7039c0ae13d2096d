#pragma once
// "Did you mean ...?": the nearest of a set of known words.

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace fettle::catalog {

// The number of characters to insert, remove, replace or swap with their neighbour (optimal string alignment).
// Upper and lower case differ by nothing, so that "europe/berlin" is near.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The known word nearest to `word`, or an empty text where none is near enough to be meant. First one wins.
template <typename Words>
std::string nearest(std::string_view word, const Words& known) {
  const std::size_t allowed = word.size() < 3 ? 0 : std::max<std::size_t>(1, word.size() / 3);
  std::size_t best = allowed + 1;
  std::string found;
  for (const auto& candidate : known) {
    const std::string_view text = candidate;
    const std::size_t difference = text.size() > word.size() ? text.size() - word.size() : word.size() - text.size();
    if (difference >= best) continue;
    const std::size_t distance = edit_distance(word, text);
    if (distance >= best) continue;
    best = distance;
    found = std::string(text);
  }
  return found;
}

}  // namespace fettle::catalog
