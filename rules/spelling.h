#pragma once
// "did you mean": the nearest of some known words.

#include <span>
#include <string>
#include <string_view>

namespace fettle::rules {

// The candidate that is fewest edits (insert, delete, replace, swap of neighbours) away from `word`, the first of
// equals; nothing ("") beyond a third of the word's length, at least 1 and at most 3 edits.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

// " Did you mean 'pressure'?", or nothing: the tail of a message.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace fettle::rules
