#include "tests/gateway/mqtt/listener.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>

namespace fettle::mqtt_adapter::testing {
namespace {

e2e::Words command(int port, const std::string& filter, const e2e::Words& more) {
  // -d says when the subscription stands; stdbuf makes each line come at once.
  e2e::Words words{"stdbuf", "-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", std::to_string(port), "-q", "1",
                   "-d",     "-F",  "> %r %q %t %p", "-t", filter};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

Listener::Listener(int port, const std::string& filter, const std::filesystem::path& file, const e2e::Words& more)
    : file_(file), process_(command(port, filter, more), file) {
  const bool up = e2e::until(
      [this] { return !process_.running() || e2e::text_of(file_).find("Subscribed (mid") != std::string::npos; });
  if (!up || !process_.running()) throw std::runtime_error("mosquitto_sub does not listen: " + e2e::text_of(file_));
}

std::vector<std::string> Listener::heard() const {
  std::vector<std::string> lines;
  std::istringstream in(e2e::text_of(file_));
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("> ")) lines.push_back(line.substr(2));
  }
  return lines;
}

bool Listener::hears(const std::string& line) const {
  return e2e::until([&] {
    const auto lines = heard();
    return std::find(lines.begin(), lines.end(), line) != lines.end();
  });
}

}  // namespace fettle::mqtt_adapter::testing
