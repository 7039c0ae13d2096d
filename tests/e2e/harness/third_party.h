#pragma once
// Other people's clients (tests/e2e/third_party): Node.js programs and the npm packages they need, which are installed
// once into the build folder, never into the source tree.

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <string>

namespace fettle::e2e {

struct ThirdParty {
  std::filesystem::path folder;  // holds the programs and node_modules
  std::string missing;           // why there is none here, and what to do about it; empty: all is there
};

// Installs them with `npm ci` where that was not done for the same package-lock.json. Throws where npm fails for
// another reason than that no registry answers.
const ThirdParty& third_party();

}  // namespace fettle::e2e

// Ends the test where there is no Node.js, or no npm registry to get the packages from.
#define FETTLE_NEED_THIRD_PARTY()                                                                     \
  if (!::fettle::e2e::third_party().missing.empty()) {                                                \
    std::cout << "skipped: no third-party clients: " << ::fettle::e2e::third_party().missing << '\n'; \
    GTEST_SKIP() << "skipped: no third-party clients: " << ::fettle::e2e::third_party().missing;      \
  }
