#pragma once
// What the operating system says about this process. Linux: /proc/self. Any thread.

#include <cstdint>

namespace fettle::app {

// Zero where the system does not say.
struct ProcessState {
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  double cpu_seconds = 0;  // user and system, all threads
  std::uint64_t open_files = 0;
  std::uint64_t max_files = 0;  // the soft limit
  double start_time = 0;        // seconds since 1970-01-01T00:00Z
};

ProcessState read_process();

}  // namespace fettle::app
