#pragma once
// A mosquitto_sub at a broker: an observer that shares no code with the sessions under test.

#include <filesystem>
#include <string>
#include <vector>

#include "tests/e2e/harness/broker.h"
#include "tests/e2e/harness/process.h"

namespace fettle::mqtt_adapter::testing {

class Listener {
 public:
  // Waits until the broker has the subscription. `more`: further words of mosquitto_sub, such as who it is.
  Listener(int port, const std::string& filter, const std::filesystem::path& file, const e2e::Words& more = {});

  // Each message as "<retained 0 or 1> <qos> <topic> <payload>", in order.
  std::vector<std::string> heard() const;
  bool hears(const std::string& line) const;  // waits for it

 private:
  std::filesystem::path file_;
  e2e::Process process_;
};

}  // namespace fettle::mqtt_adapter::testing
