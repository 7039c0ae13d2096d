#pragma once
// How the gateway and fettle-sim get into a broker. Values only.

#include <string>

#include "tests/e2e/harness/process.h"

namespace fettle::e2e {

struct Door {
  std::string uri;
  // What proves who they are; empty where nobody is asked.
  std::string mqtt_keys;  // more lines of the configuration's mqtt map, each with its indent and its end
  Words simulator;        // more words of fettle-sim
};

}  // namespace fettle::e2e
