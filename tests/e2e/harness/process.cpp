#include "tests/e2e/harness/process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <thread>

namespace fettle::e2e {
namespace {

constexpr std::chrono::milliseconds kLook{5};

// `in`: its standard input; -1: this process's own.
pid_t start(const Words& words, int out, int err, int in = -1) {
  Words copy = words;
  std::vector<char*> arguments;
  for (std::string& word : copy) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) throw std::runtime_error("cannot start " + words.front());
  if (child > 0) {
    ::setpgid(child, child);  // here too, so that the group exists whoever comes first
    return child;
  }
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // the test was gone before the line above
  if (in >= 0) ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(err, STDERR_FILENO);
  ::execvp(arguments.front(), arguments.data());
  ::_exit(127);
}

int code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Its exit code, once it has ended.
std::optional<int> reap(pid_t pid) {
  int status = 0;
  const pid_t ended = ::waitpid(pid, &status, WNOHANG);
  if (ended == pid) return code_of(status);
  return std::nullopt;
}

void kill_group(pid_t pid) {
  ::kill(-pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using Scratch = std::unique_ptr<std::FILE, CloseFile>;

Scratch scratch() {
  Scratch file(std::tmpfile());
  if (!file) throw std::runtime_error("cannot make a temporary file");
  ::fcntl(::fileno(file.get()), F_SETFD, FD_CLOEXEC);
  return file;
}

std::string contents(std::FILE* file) {
  std::string text;
  char buffer[65536];
  std::rewind(file);
  while (const std::size_t read = std::fread(buffer, 1, sizeof buffer, file)) text.append(buffer, read);
  return text;
}

}  // namespace

bool until(const std::function<bool()>& condition, std::chrono::milliseconds at_most) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  for (;;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(kLook);
  }
}

Ran run_command(const Words& words, std::chrono::seconds at_most) {
  const Scratch out = scratch();
  const Scratch err = scratch();
  const pid_t pid = start(words, ::fileno(out.get()), ::fileno(err.get()));
  std::optional<int> code;
  if (!until([&] { return (code = reap(pid)).has_value(); }, at_most)) {
    kill_group(pid);
    throw std::runtime_error(words.front() + ' ' + (words.size() > 1 ? words[1] : "") + " did not end within " +
                             std::to_string(at_most.count()) + " s: " + contents(err.get()));
  }
  return {*code, contents(out.get()), contents(err.get())};
}

Process::Process(const Words& words, const std::filesystem::path& log, int input) {
  const int sink = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (sink < 0) throw std::runtime_error("cannot write " + log.string());
  pid_ = start(words, sink, sink, input);
  ::close(sink);
}

Process::~Process() {
  if (!code_) kill_group(pid_);
}

void Process::pause() const {
  signal(SIGSTOP);
  int status = 0;
  if (::waitpid(pid_, &status, WUNTRACED) != pid_ || !WIFSTOPPED(status)) {
    throw std::runtime_error("the program cannot be stopped");
  }
}

void Process::signal(int number) const {
  if (!code_) ::kill(pid_, number);
}

bool Process::running() {
  if (!code_) code_ = reap(pid_);
  return !code_;
}

std::optional<int> Process::wait(std::chrono::milliseconds at_most) {
  until([this] { return !running(); }, at_most);
  return code_;
}

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_text(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + file.string());
}

}  // namespace fettle::e2e
