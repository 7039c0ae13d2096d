#include "gateway/catalog/yaml_tree.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace fettle::catalog {
namespace {

std::vector<std::string> faults_of(std::string text) {
  Diagnostics diagnostics;
  YamlFile file("f.yaml", std::move(text));
  file.parse(diagnostics);
  std::vector<std::string> result;
  for (const FileDiagnostic& each : diagnostics.sorted()) result.push_back(to_string(each));
  return result;
}

// The value of key `v` of the first document, and where it begins.
struct Value {
  std::string text;
  rules::Position at;
  bool operator==(const Value&) const = default;
};
void PrintTo(const Value& value, std::ostream* out) {
  *out << "{" << value.text << " at " << value.at.line << ":" << value.at.column << "}";
}

Value value_of(std::string text) {
  Diagnostics diagnostics;
  YamlFile file("f.yaml", std::move(text));
  file.parse(diagnostics);
  if (!diagnostics.empty()) return {to_string(diagnostics.sorted().front()), {}};
  const YamlNode* node = file.documents().front()->find("v");
  return {node->text, node->at};
}

TEST(YamlTree, AScalarBeginsAtItsFirstCharacter) {
  EXPECT_EQ(value_of("v: x > 1\n"), (Value{"x > 1", {1, 4}}));
  EXPECT_EQ(value_of("a: 1\nv:    x\n"), (Value{"x", {2, 7}}));
  EXPECT_EQ(value_of("v:\n    x\n"), (Value{"x", {2, 5}}));
  EXPECT_EQ(value_of("v: \"x > 1\"\n"), (Value{"x > 1", {1, 5}}));
  EXPECT_EQ(value_of("v: 'x > 1'\n"), (Value{"x > 1", {1, 5}}));
  EXPECT_EQ(value_of("v: |\n  x\n  y\n"), (Value{"x\ny\n", {2, 3}}));
  EXPECT_EQ(value_of("v: >-\n\n    x\n    y\n"), (Value{"\nx y", {3, 5}}));
  EXPECT_EQ(value_of("v: &anchor x\n"), (Value{"x", {1, 12}}));
  EXPECT_EQ(value_of("v: !!str &a \"x\"\n"), (Value{"x", {1, 14}}));
  EXPECT_EQ(value_of("{a: [1, 2], v: x}\n"), (Value{"x", {1, 16}}));
}

TEST(YamlTree, ColumnsCountCharacters) {
  EXPECT_EQ(value_of("{\xC3\xA9: \xC3\xBC, v: x}\n"), (Value{"x", {1, 11}}));
}

TEST(YamlTree, ReadsWindowsFilesAndAByteOrderMark) {
  EXPECT_EQ(value_of("\xEF\xBB\xBF"
                     "v: x\r\nw: y\r\n"),
            (Value{"x", {1, 4}}));
}

TEST(YamlTree, ATextStaysAsWritten) {
  EXPECT_EQ(value_of("v: 0.0900\n").text, "0.0900");
  EXPECT_EQ(value_of("v: NO\n").text, "NO");
  EXPECT_EQ(value_of("v: 2026-01-01T00:00:00Z\n").text, "2026-01-01T00:00:00Z");
}

TEST(YamlTree, ACommaBetweenRoundBracketsBelongsToAPlainText) {
  EXPECT_EQ(value_of("{a: f(1, 2, 3), v: g(4, (5), 6 s)}\n"), (Value{"g(4, (5), 6 s)", {1, 20}}));
  EXPECT_EQ(value_of("{a: f(1, 2, 3), b: f(1, 2, 3), v: x}\n"), (Value{"x", {1, 35}}));
  EXPECT_EQ(value_of("{v: f(1,2), a: b}\n").text, "f(1,2)");
  EXPECT_EQ(value_of("{v: f(on, \"a b\", 2)}\n").text, "f(on, \"a b\", 2)");
  EXPECT_EQ(value_of("{v: f(1,\n  2)}\n").text, "f(1, 2)");
  EXPECT_EQ(value_of("v: f(1, 2\n").text, "f(1, 2") << "outside of {} and [] a comma never splits";
  Diagnostics diagnostics;
  YamlFile file("f.yaml", "v: [f(1, 2), g(3), \"h(4\", 5]\n");
  ASSERT_TRUE(file.parse(diagnostics));
  std::string joined;
  for (const YamlNode* item : file.documents().front()->find("v")->items) joined += item->text + ';';
  EXPECT_EQ(joined, "f(1, 2);g(3);h(4;5;") << "a quoted text is whole as it is";
}

TEST(YamlTree, AKeyWithinAnUnclosedTextIsAFault) {
  EXPECT_EQ(
      faults_of("{v: f(1, a: 2}\n"),
      (std::vector<std::string>{"f.yaml:1:13: a value stands here within a text that opens a ( and does not close "
                                "it; close it, or put the text in quotes"}));
}

// Where the character `offset` of v's text was written.
rules::Position inside(std::string text, std::size_t offset) {
  Diagnostics diagnostics;
  YamlFile file("f.yaml", std::move(text));
  file.parse(diagnostics);
  EXPECT_TRUE(diagnostics.empty());
  return file.position_in(*file.documents().front()->find("v"), offset);
}

TEST(YamlTree, FindsACharacterOfAScalarInItsFile) {
  EXPECT_EQ(inside("v: abc\n", 2), (rules::Position{1, 6}));
  EXPECT_EQ(inside("v: |\n    a &&\n    b\n", 5), (rules::Position{3, 5}));
  EXPECT_EQ(inside("v: >-\n    a &&\n    b\n", 5), (rules::Position{3, 5}));
  EXPECT_EQ(inside("v: a &&\n    b\n", 5), (rules::Position{2, 5}));
  EXPECT_EQ(inside("v: \"m in [\\\"a\\\", x]\"\n", 11), (rules::Position{1, 18}));
  EXPECT_EQ(inside("v: 'a''b'\n", 2), (rules::Position{1, 8}));
}

TEST(YamlTree, AnAliasIsWhatItStandsFor) {
  Diagnostics diagnostics;
  YamlFile file("f.yaml", "a: &x [1, 2]\nb: *x\n");
  file.parse(diagnostics);
  ASSERT_TRUE(diagnostics.empty());
  const YamlNode& root = *file.documents().front();
  EXPECT_EQ(root.find("a"), root.find("b"));
}

TEST(YamlTree, KeepsEveryDocumentBeforeAFault) {
  Diagnostics diagnostics;
  YamlFile file("f.yaml", "a: 1\n---\nb: 2\n---\nc: [\n");
  file.parse(diagnostics);
  EXPECT_EQ(file.documents().size(), 2U);
  EXPECT_EQ(diagnostics.sorted().size(), 1U);
}

TEST(YamlTree, FaultsHaveTheirPlace) {
  using Faults = std::vector<std::string>;
  EXPECT_EQ(faults_of("a: 1\n\tb: 2\n"),
            Faults{"f.yaml:2:1: a tab stands in the indentation; YAML allows blanks only: replace the tab by blanks"});
  EXPECT_EQ(
      faults_of("a: b: c\n"),
      Faults{"f.yaml:1:5: not YAML: a second \": \" on the line, or a line indented deeper than its neighbours; put "
             "the text in quotes or align the keys"});
  EXPECT_EQ(faults_of("a: 1\nb: {c: d\n"), Faults{"f.yaml:3:1: not YAML: expected , or } ; is a brace not closed?"});
  EXPECT_EQ(faults_of("a: @x\n"),
            Faults{"f.yaml:1:4: not YAML: a plain text may not begin with this character; put the text in quotes"});
  EXPECT_EQ(faults_of("a: \"x\nb: y\n"), Faults{"f.yaml:1:4: the text that this \" opens is never closed"});
  EXPECT_EQ(faults_of("a: *x\n"), Faults{"f.yaml:1:4: not YAML: the alias (*name) names no anchor (&name) above it"});
  EXPECT_EQ(faults_of("a: &x [*x]\n"), Faults{"f.yaml:1:8: the alias stands for something that it is a part of"});
  EXPECT_EQ(faults_of("a: 1\nb: 2\na: 3\n"),
            Faults{"f.yaml:3:1: the key \"a\" stands twice in this map; remove one of the two"});
  EXPECT_EQ(faults_of("[a]: 1\n"), Faults{"f.yaml:1:1: a key must be a text, not a list or a map"});
  EXPECT_EQ(faults_of("a: {<<: {b: 1}}\n"),
            Faults{"f.yaml:1:5: merge keys (<<) are not a part of YAML 1.2 and not read here; repeat the keys"});
  EXPECT_EQ(faults_of("a: 1\nb: caf\xE9\n"), Faults{"f.yaml:2:7: the file is not UTF-8 here; save it as UTF-8"});
  EXPECT_EQ(faults_of(std::string("a: 1\nb: c\x01\n")),
            Faults{"f.yaml:2:5: a control character (code 1) stands here; remove it"});
}

TEST(YamlTree, DepthSizeAndAliasesAreLimited) {
  EXPECT_EQ(faults_of(std::string(600, '[') + std::string(600, ']')),
            std::vector<std::string>{"f.yaml:1:33: nested deeper than 32 levels; a catalog needs fewer than ten"});
  EXPECT_EQ(faults_of(std::string(kMaxFileBytes + 1, ' ')),
            std::vector<std::string>{
                "f.yaml:1:1: the file has 8388609 bytes; at most 8388608 are read: split it into several files"});
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 1; k < 10; ++k) bomb += ", " + before;
    bomb += "]\n";
  }
  const auto faults = faults_of(bomb);
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_NE(faults[0].find("more than 2000000 values, aliases expanded"), std::string::npos) << faults[0];
}

}  // namespace
}  // namespace fettle::catalog
