// The project's own tree against the rules of source_rules.h. A failure prints file:line and what is allowed instead.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/layering/source_rules.h"

namespace fettle::layering {
namespace {

namespace fs = std::filesystem;

// What is kept: these folders, and the files at the root. Build output and caches lie elsewhere.
const std::vector<std::string> kFolders = {".ci", "billing", "docs", "firmware-sim", "gateway", "rules", "tests"};
const std::vector<std::string> kForeign = {"node_modules", ".cache", "__pycache__"};

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void add(const fs::path& root, const fs::path& path, std::vector<SourceFile>& files) {
  std::string text = contents(path);
  if (text.find('\0') != std::string::npos) return;  // not text
  files.push_back({fs::relative(path, root).generic_string(), std::move(text)});
}

std::vector<SourceFile> read_tree() {
  const fs::path root = FETTLE_SOURCE_DIR;
  std::vector<SourceFile> files;
  for (const auto& entry : fs::directory_iterator(root)) {
    if (entry.is_regular_file()) add(root, entry.path(), files);
  }
  for (const std::string& folder : kFolders) {
    if (!fs::exists(root / folder)) continue;
    for (auto it = fs::recursive_directory_iterator(root / folder); it != fs::recursive_directory_iterator(); ++it) {
      const std::string name = it->path().filename().string();
      if (it->is_directory() && std::find(kForeign.begin(), kForeign.end(), name) != kForeign.end()) {
        it.disable_recursion_pending();
      } else if (it->is_regular_file()) {
        add(root, it->path(), files);
      }
    }
  }
  return files;
}

const std::vector<SourceFile>& tree() {
  static const std::vector<SourceFile> kTree = read_tree();
  return kTree;
}

using Check = std::vector<Finding> (*)(const SourceFile&);

std::string findings_in_cpp(Check check) {
  std::string out;
  for (const SourceFile& file : tree()) {
    if (!is_cpp(file.path)) continue;
    for (const Finding& finding : check(file)) out += to_string(finding) + "\n";
  }
  return out;
}

TEST(Tree, IsRead) {
  const auto has = [](std::string_view path) {
    return std::any_of(tree().begin(), tree().end(), [&](const SourceFile& file) { return file.path == path; });
  };
  for (const char* path : {"CMakeLists.txt", "run", "rules/rule.h", "billing/money.h", "gateway/engine/ports.h",
                           "tests/layering/tree_test.cpp"}) {
    EXPECT_TRUE(has(path)) << path << " was not found below " << FETTLE_SOURCE_DIR;
  }
}

TEST(Tree, IncludesPointOneWay) {
  EXPECT_EQ(findings_in_cpp(check_includes), "");
}
TEST(Tree, PureFoldersReadNoClock) {
  EXPECT_EQ(findings_in_cpp(check_purity), "");
}
TEST(Tree, HeadersSayWhatTheyAre) {
  EXPECT_EQ(findings_in_cpp(check_header), "");
}
TEST(Tree, FilesStayShort) {
  EXPECT_EQ(findings_in_cpp(check_length), "");
}

TEST(Tree, KeptTextIsFinishedAndOfNoOneMachine) {
  std::string out;
  for (const SourceFile& file : tree()) {
    for (const Finding& finding : check_text(file)) out += to_string(finding) + "\n";
  }
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace fettle::layering
