#include "firmware-sim/progress.h"

#include <unistd.h>

#include "firmware-sim/stamp.h"

namespace fettle::sim {
namespace {

constexpr std::chrono::milliseconds kBetweenLines{500};

}  // namespace

Progress Progress::on(std::FILE* terminal) {
  return Progress(isatty(fileno(terminal)) == 1 ? terminal : nullptr);
}

void Progress::update(Instant now, double fraction, std::uint64_t acknowledged, EventTime simulated) {
  if (!is_time(now)) return;
  const std::chrono::duration<double> since = now - counted_at_;
  const double rate = counted_at_ == Instant() ? 0.0 : static_cast<double>(acknowledged - counted_) / since.count();
  counted_at_ = now;
  counted_ = acknowledged;
  std::fprintf(terminal_, "\r%5.1f %%  %8.0f messages/s  %s\x1b[K", fraction * 100.0, rate,
               iso8601_text(simulated).c_str());
  std::fflush(terminal_);
}

void Progress::waiting(Instant now, const char* why) {
  if (!is_time(now)) return;
  std::fprintf(terminal_, "\r%s\x1b[K", why);
  std::fflush(terminal_);
}

void Progress::clear() {
  if (!shown_) return;
  std::fprintf(terminal_, "\r\x1b[K");
  std::fflush(terminal_);
}

bool Progress::is_time(Instant now) {
  if (terminal_ == nullptr || (shown_ && now - *shown_ < kBetweenLines)) return false;
  shown_ = now;
  return true;
}

}  // namespace fettle::sim
