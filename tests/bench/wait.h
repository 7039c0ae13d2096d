#pragma once
// Waiting for something that a child does, until it is so, somebody presses Ctrl-C, or too much time has passed.

#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>

namespace fettle::bench {

// SIGINT, SIGTERM or SIGHUP came. Thrown so that children and folders go the way they go otherwise.
struct Interrupted : std::runtime_error {
  Interrupted() : std::runtime_error("interrupted") {}
};

// From now on those signals end the next wait.
void catch_interrupts();

// Looks every `look`. Throws Interrupted, or runtime_error with `what` when the time is up.
void wait_for(const std::function<bool()>& condition, std::chrono::milliseconds look, std::chrono::seconds at_most,
              const std::string& what);

}  // namespace fettle::bench
