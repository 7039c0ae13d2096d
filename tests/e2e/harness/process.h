#pragma once
// Programs that a test starts: run to their end, or kept as a child that never outlives the test.
//
// Every child leads a process group of its own, which is killed as a whole, and dies with the test's thread if that is
// killed (PR_SET_PDEATHSIG). One thread.

#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fettle::e2e {

using Words = std::vector<std::string>;

constexpr std::chrono::seconds kPatience{120};

// Whether the condition holds within the time; looks every few milliseconds.
bool until(const std::function<bool()>& condition, std::chrono::milliseconds at_most = kPatience);

struct Ran {
  int code = 0;  // exit code, or 128 + the signal that ended it
  std::string out;
  std::string err;
};

// Runs a program (found on the PATH if it has no slash) to its end. Throws where it takes longer: it is then killed.
Ran run_command(const Words& words, std::chrono::seconds at_most = kPatience);

class Process {
 public:
  // Output and errors are appended to `log`. `input`: the file descriptor of its standard input, which stays the
  // caller's; -1: this process's own. Throws where it cannot be started.
  Process(const Words& words, const std::filesystem::path& log, int input = -1);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  void signal(int number) const;
  // Stops it, each of its threads between two system calls, until resume(). Throws where it does not stop.
  void pause() const;
  void resume() const { signal(SIGCONT); }
  bool running();
  // Exit code, or 128 + the signal that ended it; nothing where it still runs when the time is up.
  std::optional<int> wait(std::chrono::milliseconds at_most = kPatience);

 private:
  pid_t pid_ = -1;
  std::optional<int> code_;
};

// A file's text; empty where there is none.
std::string text_of(const std::filesystem::path& file);
void write_text(const std::filesystem::path& file, const std::string& text);

}  // namespace fettle::e2e
