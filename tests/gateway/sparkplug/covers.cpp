#include "tests/gateway/sparkplug/covers.h"

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace fettle::sparkplug::testing {
namespace {

// The first column of requirements.tsv.
const std::set<std::string, std::less<>>& known_ids() {
  static const std::set<std::string, std::less<>> kIds = [] {
    std::set<std::string, std::less<>> ids;
    std::ifstream in(std::string(FETTLE_SOURCE_DIR) + "/tests/gateway/sparkplug/requirements.tsv");
    for (std::string line; std::getline(in, line);) ids.insert(line.substr(0, line.find('\t')));
    return ids;
  }();
  return kIds;
}

}  // namespace

void covers(std::initializer_list<std::string_view> ids) {
  for (const std::string_view id : ids) {
    if (!known_ids().contains(id)) {
      ADD_FAILURE() << "COVERS names \"" << id << "\", which tests/gateway/sparkplug/requirements.tsv does not list";
    }
    ::testing::Test::RecordProperty("covers " + std::string(id), "yes");
  }
}

}  // namespace fettle::sparkplug::testing
