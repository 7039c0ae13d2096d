#pragma once
// Payloads that show every part of Sparkplug B once, as seeds for tests and fuzzing.

#include <string>
#include <vector>

namespace fettle::sparkplug::testing {

struct SamplePayload {
  std::string name;  // fit for a file
  std::string bytes;
};

std::vector<SamplePayload> sample_payloads();

}  // namespace fettle::sparkplug::testing
