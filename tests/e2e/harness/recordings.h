#pragma once
// Where the recordings are: $FETTLE_DATA, or beside the source tree. Tests that need them are skipped without them.

#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>
#include <string>

namespace fettle::e2e {

std::filesystem::path recordings();

// A gzipped file's text. Throws where it cannot be read.
std::string unzipped(const std::filesystem::path& file);

}  // namespace fettle::e2e

// In SetUp(): ends the test where there is no recorded data.
#define FETTLE_NEED_RECORDINGS()                               \
  if (!std::filesystem::exists(::fettle::e2e::recordings())) { \
    std::cout << "skipped: no recorded data\n";                \
    GTEST_SKIP() << "skipped: no recorded data";               \
  }
