#include "tests/bench/wait.h"

#include <csignal>
#include <thread>

namespace fettle::bench {
namespace {

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

void catch_interrupts() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, [](int) { interrupted = 1; });
}

void wait_for(const std::function<bool()>& condition, std::chrono::milliseconds look, std::chrono::seconds at_most,
              const std::string& what) {
  const auto deadline = std::chrono::steady_clock::now() + at_most;
  while (!condition()) {
    if (interrupted != 0) throw Interrupted();
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error(what + " after " + std::to_string(at_most.count()) + " s");
    }
    std::this_thread::sleep_for(look);
  }
}

}  // namespace fettle::bench
