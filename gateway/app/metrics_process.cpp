#include "gateway/app/metrics_process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace fettle::app {
namespace {

double seconds(const ::timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// The seconds since 1970 at which the machine was started: the line "btime N" of /proc/stat.
double boot_time() {
  std::ifstream in("/proc/stat");
  std::string line;
  while (std::getline(in, line)) {
    if (line.starts_with("btime ")) return std::stod(line.substr(6));
  }
  return 0;
}

// Field 22 of /proc/self/stat (proc(5)): clock ticks from the machine's start to the process's. The second field, the
// program's name in parentheses, may hold blanks and parentheses itself.
double start_time() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  std::getline(in, line);
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  std::istringstream rest(line.substr(name_end + 1));
  std::string field;
  for (int number = 3; number <= 22; ++number) rest >> field;
  const double boot = boot_time();
  if (!rest || boot == 0) return 0;
  return boot + std::stod(field) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::uint64_t open_files() {
  std::error_code error;
  std::uint64_t count = 0;
  for (auto at = std::filesystem::directory_iterator("/proc/self/fd", error);
       !error && at != std::filesystem::directory_iterator(); at.increment(error)) {
    ++count;
  }
  return count > 0 ? count - 1 : 0;  // one is the directory itself
}

}  // namespace

ProcessState read_process() {
  ProcessState out;
  std::uint64_t total_pages = 0;
  std::uint64_t resident_pages = 0;
  if (std::ifstream in("/proc/self/statm"); in >> total_pages >> resident_pages) {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    out.virtual_bytes = total_pages * page;
    out.resident_bytes = resident_pages * page;
  }
  ::rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) out.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  ::rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) out.max_files = limit.rlim_cur;
  out.open_files = open_files();
  static const double kStart = start_time();
  out.start_time = kStart;
  return out;
}

}  // namespace fettle::app
