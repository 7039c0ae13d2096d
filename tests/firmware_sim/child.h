#pragma once
// A program started by a test, which never outlives it.

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace fettle::sim {

class Child {
 public:
  // Starts `command` (found on the PATH if it has no slash); its stdout and stderr go to `output`.
  Child(const std::vector<std::string>& command, const std::filesystem::path& output);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();  // kills it if it still runs

  void signal(int number) const;

  // Waits for its end; the exit code, or 128 + the signal that ended it.
  int wait();

  // What it has written so far.
  std::string output() const;

 private:
  pid_t pid_;
  std::filesystem::path output_;
};

}  // namespace fettle::sim
