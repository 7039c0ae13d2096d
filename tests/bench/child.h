#pragma once
// A process whose time and memory are measured. It leads a process group of its own, ends with this object, and dies
// with this process even where that is killed. One thread.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace fettle::bench {

class Child {
 public:
  // Starts `words` with output and errors in the file `log`, which is made anew. Throws where it cannot be started.
  Child(const std::vector<std::string>& words, const std::filesystem::path& log);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();

  bool running();
  // What it has written so far.
  std::string output() const;

  // Processor time so far, user and system, of all threads that it has or had.
  std::chrono::nanoseconds processor_time() const;
  // The most memory that it ever had resident (VmHWM).
  std::size_t peak_memory() const;  // bytes

  // SIGTERM, and its end: the exit code, or 128 + the signal that ended it.
  int stop();

 private:
  std::string name_;
  std::filesystem::path log_;
  pid_t pid_ = -1;
  int code_ = -1;  // -1: not ended
};

}  // namespace fettle::bench
