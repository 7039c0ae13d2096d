#include "tests/bench/child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <ctime>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "tests/bench/wait.h"
#include "tests/e2e/harness/process.h"

namespace fettle::bench {
namespace {

constexpr std::chrono::milliseconds kLook{10};
constexpr std::chrono::seconds kEnd{60};

}  // namespace

Child::Child(const std::vector<std::string>& words, const std::filesystem::path& log)
    : name_(words.front()), log_(log) {
  const int sink = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
  if (sink < 0) throw std::runtime_error("cannot write " + log.string() + "; is the disk full?");
  std::vector<std::string> copy = words;
  std::vector<char*> arguments;
  for (std::string& word : copy) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // the parent was gone before the line above
    ::dup2(sink, STDOUT_FILENO);
    ::dup2(sink, STDERR_FILENO);
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
  }
  ::close(sink);
  if (pid_ < 0) throw std::runtime_error("cannot start " + name_);
}

Child::~Child() {
  if (code_ >= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Child::running() {
  int status = 0;
  if (code_ < 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return code_ < 0;
}

std::string Child::output() const {
  return e2e::text_of(log_);
}

std::chrono::nanoseconds Child::processor_time() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) != 0) {
    throw std::runtime_error("cannot read the processor time of " + name_ + "; it has ended: " + output());
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

std::size_t Child::peak_memory() const {
  std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("VmHWM:")) continue;
    std::size_t kibibytes = 0;
    std::istringstream(line.substr(6)) >> kibibytes;
    return kibibytes * 1024;
  }
  throw std::runtime_error("cannot read the memory of " + name_ + "; it has ended: " + output());
}

int Child::stop() {
  if (running()) ::kill(pid_, SIGTERM);
  wait_for([this] { return !running(); }, kLook, kEnd, name_ + " did not end on SIGTERM");
  return code_;
}

}  // namespace fettle::bench
