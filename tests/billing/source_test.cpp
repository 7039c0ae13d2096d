// No floating point in billing/: a scan of its sources, comments and literals left aside.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <string>

namespace fettle::billing {
namespace {

namespace fs = std::filesystem;

std::string without_comments_and_literals(const std::string& text) {
  static const std::regex kAside(R"(//[^\n]*|/\*[^]*?\*/|"(\\.|[^"\\\n])*")");
  return std::regex_replace(text, kAside, " ");
}

// The first word or number of floating point in C++ source, or "" where there is none.
std::string floating_point_in(const std::string& text) {
  static const std::regex kFloating(R"(\b(float|double|strtod|strtof|stod|stof)\b)"
                                    R"(|<cmath>|\b[0-9][0-9']*\.[0-9]*|\b[0-9][0-9']*[eE][+-]?[0-9]+)");
  const std::string code = without_comments_and_literals(text);
  std::smatch match;
  return std::regex_search(code, match, kFloating) ? match.str() : "";
}

TEST(FloatingPoint, IsFoundWhereThereIsSome) {
  EXPECT_EQ(floating_point_in("const double x = 1;"), "double");
  EXPECT_EQ(floating_point_in("static_cast<float>(x)"), "float");
  EXPECT_EQ(floating_point_in("auto x = 1.5;"), "1.5");
  EXPECT_EQ(floating_point_in("auto x = 2e9;"), "2e9");
  EXPECT_EQ(floating_point_in("#include <cmath>"), "<cmath>");
  EXPECT_EQ(floating_point_in("x(); /* a */ double y; /* b */"), "double");
  EXPECT_EQ(floating_point_in("// double\n/* float\n 1.5 */ int doubled = 3; std::string s = \"a double \\\" 1.5\";"),
            "");
  EXPECT_EQ(floating_point_in("constexpr std::int64_t kMillisecondsPerHour = 3'600'000; a.b; x1.units;"), "");
}

TEST(FloatingPoint, IsNowhereInBilling) {
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(fs::path(FETTLE_SOURCE_DIR) / "billing")) {
    const fs::path& path = entry.path();
    if (path.extension() != ".h" && path.extension() != ".cpp") continue;
    std::ifstream in(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    ASSERT_FALSE(text.empty()) << path;
    EXPECT_EQ(floating_point_in(text), "") << path;
    ++files;
  }
  EXPECT_GE(files, 12) << "the sources of billing/ were not found below " << FETTLE_SOURCE_DIR;
}

}  // namespace
}  // namespace fettle::billing
