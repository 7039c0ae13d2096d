#pragma once
// A child that is told what to do by lines of JSON on its standard input and answers with lines of JSON on its standard
// output. What it writes to its standard error goes to a log. One thread.

#include <boost/json.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/harness/process.h"

namespace fettle::e2e {

class Dialogue {
 public:
  // Starts it; its words are kept in the file `log`. Throws where it cannot be started.
  Dialogue(const Words& words, const std::filesystem::path& log);
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;
  ~Dialogue();

  // Gives the order a number ("id") and waits for the answer {"event":"done","id":N}. Throws with what the child said
  // where it answers {"event":"failed",...} instead, ends, or stays silent.
  void tell(boost::json::object order);
  // How many answers with that "event" there were since the start.
  std::size_t count(const std::string& event) const;
  // Waits until there were that many; throws where they do not come.
  void wait_for(const std::string& event, std::size_t times, std::chrono::seconds at_most = kPatience);
  // Closes its input, which asks it to end: its exit code. Throws where it does not.
  int end();
  void kill();

  std::string log() const { return text_of(log_); }

 private:
  std::vector<boost::json::object> answers() const;

  std::filesystem::path log_;
  int input_ = -1;
  std::int64_t orders_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace fettle::e2e
