#pragma once
// The rules of the source tree that a compiler cannot hold: which folder may include which, what the pure folders must
// not touch, how a header begins, and what has no place in a kept file.
//
// Pure: text in, findings out. The walk over the tree is in tree_test.cpp; the tables are in source_rules.cpp, each
// with its reason, so that a change of the architecture is a change of one table.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fettle::layering {

// A file as it stands in the tree.
struct SourceFile {
  std::string path;  // from the root of the project, with '/': "gateway/engine/fold.cpp"
  std::string text;
};

// One broken rule. `line` is 1-based; 0 where the whole file is meant.
struct Finding {
  std::string path;
  std::size_t line = 0;
  std::string message;  // what is wrong and what is allowed instead
};

// "path:line: message", as compilers print it.
std::string to_string(const Finding& finding);

// The tree has rules for C++ files (is_cpp) and rules for every kept text file.
bool is_cpp(std::string_view path);
bool is_header(std::string_view path);

// #include lines against the allow-list of the file's folder, and third-party headers against the folders that may
// name them. Comments are not looked into.
std::vector<Finding> check_includes(const SourceFile& file);

// rules/, billing/ and gateway/dispatch/ read no clock, whichever header brings it.
std::vector<Finding> check_purity(const SourceFile& file);

// A header has #pragma once, says within its first five lines what it is, and opens no namespace to its includers.
std::vector<Finding> check_header(const SourceFile& file);

// A C++ file over kMaxLines lines must be on the list of long files, with a reason.
inline constexpr std::size_t kMaxLines = 600;
std::vector<Finding> check_length(const SourceFile& file);

// Any kept text file: no marks of unfinished work, no path of one person's machine.
std::vector<Finding> check_text(const SourceFile& file);

}  // namespace fettle::layering
