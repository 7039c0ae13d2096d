#pragma once
// COVERS("topics-ndata-topic", ...): this test proves these requirements of Sparkplug B 3.0. To be written in the body
// of a TEST; ids are those of requirements.tsv (the specification's, without "tck-id-"). An id that is not in the list
// fails the test. sparkplug_requirements_test collects them into docs/reference/sparkplug.md and misses the ones nobody
// proves.

#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>

namespace fettle::sparkplug::testing {

// Records the ids as properties of the running test.
void covers(std::initializer_list<std::string_view> ids);

}  // namespace fettle::sparkplug::testing

#define COVERS(...) ::fettle::sparkplug::testing::covers({__VA_ARGS__})
