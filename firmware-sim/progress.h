#pragma once
// A line on the terminal that says how far a run is, rewritten in place twice a second at most.

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>

#include "firmware-sim/delivery.h"
#include "firmware-sim/message.h"

namespace fettle::sim {

class Progress {
 public:
  static Progress silent() { return Progress(nullptr); }

  // Writes to `terminal` if it is one, otherwise nothing.
  static Progress on(std::FILE* terminal);

  // Shows the state if it is time to. `acknowledged` is the number of messages so far.
  void update(Instant now, double fraction, std::uint64_t acknowledged, EventTime simulated);

  // Shows why nothing goes on, if it is time to.
  void waiting(Instant now, const char* why);

  // Takes the line away, so that what is printed next stands alone.
  void clear();

 private:
  explicit Progress(std::FILE* terminal) : terminal_(terminal) {}

  bool is_time(Instant now);

  std::FILE* terminal_;
  std::optional<Instant> shown_;
  Instant counted_at_;
  std::uint64_t counted_ = 0;
};

}  // namespace fettle::sim
