#pragma once
// Alarm hygiene: whether rules bother people with more, or with other, than they can act on.
//
// Pure functions of episode rows; any thread. The figures are those by which ANSI/ISA-18.2-2016 (clause 16, monitoring
// and assessment) and EEMUA 191 judge alarm systems, an episode of a rule standing for an alarm:
//
//   chattering  one of three or more raises of a rule on an asset within 60 s
//   fleeting    cleared within 60 s of its raise, and not chattering. The standards name no number here; the minute of
//               chattering is taken
//   stale       open for more than 24 h, cleared since or not
//   average     episodes in ten minutes, for each operator position; 1 is acceptable
//   flood       a ten-minute span, aligned to the clock, in which more than ten were raised

#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gateway/engine/ports.h"

namespace fettle::app {

inline constexpr std::chrono::seconds kChatterSpan{60};
inline constexpr std::size_t kChatterRaises = 3;
inline constexpr std::chrono::seconds kFleetingSpan{60};
inline constexpr std::chrono::hours kStaleSpan{24};
inline constexpr std::chrono::minutes kRateSpan{10};
inline constexpr double kAcceptableRate = 1.0;  // episodes a kRateSpan and operator position
inline constexpr std::size_t kFloodAbove = 10;  // episodes in a kRateSpan
inline constexpr std::size_t kMaxPositions = 1000;

struct HygieneOptions {
  // Episodes raised in [from, until) count. Pre: from < until.
  engine::Time from;
  engine::Time until;
  engine::Time now;           // an open episode has been so until then
  std::size_t positions = 1;  // operator positions that share the episodes; 1 to kMaxPositions
};

struct HygieneRow {
  std::string pack;  // empty: all packs together
  std::string rule;  // empty: all rules of the pack
  std::size_t episodes = 0;
  std::size_t chattering = 0;
  std::size_t fleeting = 0;
  std::size_t stale = 0;
  std::size_t stale_now = 0;  // of these, those still open
  double average = 0;         // a kRateSpan and operator position
  std::size_t busiest = 0;    // most episodes in one kRateSpan
  std::size_t floods = 0;     // kRateSpans in flood
  double flood_share = 0;     // of all kRateSpans that the period touches, 0..1

  bool acceptable() const { return average <= kAcceptableRate; }
};

// The row of everything, then by name each pack followed by its rules. Rules that raised nothing have no row. The
// episodes may come in any order.
std::vector<HygieneRow> hygiene_of(std::span<const engine::EpisodeRow> episodes, const HygieneOptions& options);

}  // namespace fettle::app
