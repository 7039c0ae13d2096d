#include "tests/bench/machine.h"

#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string>
#include <thread>

namespace fettle::bench {
namespace {

using std::chrono::nanoseconds;

// All processors, all processes, interrupts included: proc_stat(5).
nanoseconds busy_time() {
  std::ifstream stat("/proc/stat");
  std::string name;
  long long user = 0;
  long long nice = 0;
  long long system = 0;
  long long idle = 0;
  long long waiting = 0;
  long long interrupts = 0;
  long long soft_interrupts = 0;
  stat >> name >> user >> nice >> system >> idle >> waiting >> interrupts >> soft_interrupts;
  const long long ticks = user + nice + system + interrupts + soft_interrupts;
  return nanoseconds(ticks * (1'000'000'000LL / ::sysconf(_SC_CLK_TCK)));
}

nanoseconds time_of(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) return nanoseconds(0);
  return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

nanoseconds own_time() {
  nanoseconds sum = time_of(CLOCK_PROCESS_CPUTIME_ID);
  // The children were started by the main thread.
  const std::string self = std::to_string(::getpid());
  std::ifstream children("/proc/self/task/" + self + "/children");
  pid_t child = 0;
  while (children >> child) {
    clockid_t clock{};
    if (::clock_getcpuclockid(child, &clock) == 0) sum += time_of(clock);
  }
  return sum;
}

}  // namespace

ForeignShare::ForeignShare() : begin_(std::chrono::steady_clock::now()), busy_(busy_time()), own_(own_time()) {}

double ForeignShare::read() const {
  const std::chrono::duration<double> foreign = (busy_time() - busy_) - (own_time() - own_);
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin_;
  const double share = foreign / passed / std::max(1U, std::thread::hardware_concurrency());
  return std::clamp(share, 0.0, 1.0);
}

}  // namespace fettle::bench
