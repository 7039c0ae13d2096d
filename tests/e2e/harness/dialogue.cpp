#include "tests/e2e/harness/dialogue.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <sstream>
#include <stdexcept>

namespace fettle::e2e {
namespace {

namespace json = boost::json;

bool is(const json::object& answer, const char* event) {
  const json::value* said = answer.if_contains("event");
  return said != nullptr && said->is_string() && said->as_string() == event;
}

}  // namespace

Dialogue::Dialogue(const Words& words, const std::filesystem::path& log) : log_(log) {
  // A child that ended must not end the test that still speaks to it.
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe to " + words.front());
  input_ = ends[1];
  try {
    process_ = std::make_unique<Process>(words, log_, ends[0]);
  } catch (...) {
    ::close(ends[0]);
    ::close(input_);
    throw;
  }
  ::close(ends[0]);
}

Dialogue::~Dialogue() {
  if (input_ >= 0) ::close(input_);
}

void Dialogue::tell(json::object order) {
  const std::int64_t id = ++orders_;
  order["id"] = id;
  const std::string line = json::serialize(order) + '\n';
  for (std::size_t sent = 0; sent < line.size();) {
    const ssize_t written = ::write(input_, line.data() + sent, line.size() - sent);
    if (written <= 0) throw std::runtime_error("the child listens no more; it said: " + log());
    sent += static_cast<std::size_t>(written);
  }
  const auto answered = [&](const char* event) {
    const auto all = answers();
    return std::any_of(all.begin(), all.end(), [&](const json::object& answer) {
      const json::value* number = answer.if_contains("id");
      return is(answer, event) && number != nullptr && *number == id;
    });
  };
  until([&] { return answered("done") || answered("failed") || !process_->running(); });
  if (!answered("done")) throw std::runtime_error("the child did not do " + line + "; it said: " + log());
}

std::size_t Dialogue::count(const std::string& event) const {
  const auto all = answers();
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [&](const json::object& answer) { return is(answer, event.c_str()); }));
}

void Dialogue::wait_for(const std::string& event, std::size_t times, std::chrono::seconds at_most) {
  until([&] { return count(event) >= times || !process_->running(); }, at_most);
  const std::size_t found = count(event);
  if (found < times) {
    throw std::runtime_error("the child said '" + event + "' " + std::to_string(found) + " times, not " +
                             std::to_string(times) + ": " + log());
  }
}

int Dialogue::end() {
  ::close(input_);
  input_ = -1;
  const auto code = process_->wait();
  if (!code) throw std::runtime_error("the child does not end when its input does: " + log());
  return *code;
}

void Dialogue::kill() {
  process_->signal(SIGKILL);
  process_->wait();
}

std::vector<json::object> Dialogue::answers() const {
  std::vector<json::object> all;
  std::istringstream lines(log());
  for (std::string line; std::getline(lines, line);) {
    json::error_code error;
    json::value parsed = json::parse(line, error);
    if (!error && parsed.is_object()) all.push_back(std::move(parsed.as_object()));
  }
  return all;
}

}  // namespace fettle::e2e
