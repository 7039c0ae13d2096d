// The tree that mappings look things up in.

#include "gateway/direct/mapping_json.h"

#include <gtest/gtest.h>

#include <string>

namespace fettle::direct {
namespace {

Pointer path(const std::string& text) {
  return *parse_pointer(text);
}

constexpr const char* kDocument =
    R"( {"a": {"b": [10, 20.50, {"c": "x\u00e4\n"}], "b/c": true, "": null}, "n": -1.5e3, "a~": [], "twice": 1, "twice": 2} )";

struct LookUp {
  std::string path;
  std::string found;  // in words; empty: nothing
};
class Tree : public testing::TestWithParam<LookUp> {};
TEST_P(Tree, FindsWhatStandsAtAPath) {
  JsonTree tree;
  ASSERT_EQ(tree.parse(kDocument), std::nullopt);
  const JsonNode* node = tree.find(tree.root(), path(GetParam().path));
  EXPECT_EQ(node == nullptr ? "" : in_words(*node), GetParam().found);
}
INSTANTIATE_TEST_SUITE_P(All, Tree,
                         testing::Values(LookUp{"", "an object"}, LookUp{"/a", "an object"},
                                         LookUp{"/a/b", "an array of 3"}, LookUp{"/a/b/0", "the number 10"},
                                         LookUp{"/a/b/1", "the number 20.50"},
                                         LookUp{"/a/b/2/c", "the text \"x\xc3\xa4?\""}, LookUp{"/a/b/3", ""},
                                         LookUp{"/a/b/-", ""}, LookUp{"/a/b/01", ""}, LookUp{"/a/b/+1", ""},
                                         LookUp{"/a/b/99999999999", ""}, LookUp{"/a/b/", ""}, LookUp{"/a/b~1c", "true"},
                                         LookUp{"/a/", "null"}, LookUp{"/n", "the number -1.5e3"}, LookUp{"/n/0", ""},
                                         LookUp{"/a~0", "an array of 0"}, LookUp{"/a~0/0", ""},
                                         LookUp{"/twice", "the number 2"}, LookUp{"/A", ""}));

struct WhereCase {
  std::string path;
  std::string sentence;
};
class Missing : public testing::TestWithParam<WhereCase> {};
TEST_P(Missing, IsSaidWithWhatIsThereInstead) {
  JsonTree tree;
  ASSERT_EQ(tree.parse(R"({"ENERGY": {"Total": 1, "Today": 2}, "list": [1], "t": "x", "none": {}})"), std::nullopt);
  EXPECT_EQ(tree.where_it_ends(tree.root(), path(GetParam().path)), GetParam().sentence);
}
INSTANTIATE_TEST_SUITE_P(
    All, Missing,
    testing::Values(WhereCase{"/ENERGY/Power", "/ENERGY has only \"Total\", \"Today\""},
                    WhereCase{"/Energy/Power", "the message has only \"ENERGY\", \"list\", \"t\", \"none\""},
                    WhereCase{"/list/1", "/list is an array of 1"}, WhereCase{"/t/a", "/t is the text \"x\""},
                    WhereCase{"/none/a", "/none is an empty object"}));

TEST(Tree, SaysWhyADocumentIsNoJson) {
  JsonTree tree;
  EXPECT_EQ(*tree.parse("{\"a\": }"), "not JSON at byte 6 of 7: syntax error");
  EXPECT_EQ(*tree.parse(""), "not JSON at byte 0 of 0: incomplete JSON");
  EXPECT_EQ(*tree.parse("{} {}"), "not JSON at byte 3 of 5: extra data");
  EXPECT_TRUE(tree.parse(std::string(65, '[') + std::string(65, ']')).has_value());
  EXPECT_FALSE(tree.parse(std::string(64, '[') + std::string(64, ']')).has_value());
  EXPECT_TRUE(tree.parse("[\"\xff\"]").has_value());
}

TEST(Tree, RefusesMoreValuesThanItsBound) {
  std::string document = "[0";
  for (std::size_t i = 2; i < kMaxJsonNodes; ++i) document += ",0";  // the array is one of them
  JsonTree tree;
  EXPECT_EQ(tree.parse(document + "]"), std::nullopt);
  EXPECT_EQ(tree.root().count, kMaxJsonNodes - 1);
  EXPECT_EQ(*tree.parse(document + ",0]"), "more than 200000 values in one message; expected fewer");
  EXPECT_EQ(tree.root().kind, JsonNode::Kind::null) << "nothing of a refused document is left";
}

TEST(Tree, TakesAPayloadThatIsOneNumberOrOneText) {
  JsonTree tree;
  EXPECT_EQ(tree.number(" 21.5\r\n"), std::nullopt);
  EXPECT_EQ(tree.root().text, "21.5");
  EXPECT_EQ(*tree.number("21,5"), "the payload is \"21,5\"; expected a finite number such as 21.5");
  EXPECT_EQ(*tree.number("nan"), "the payload is \"nan\"; expected a finite number such as 21.5");
  EXPECT_EQ(*tree.number(""), "the payload is \"\"; expected a finite number such as 21.5");
  EXPECT_EQ(tree.text("ON"), std::nullopt);
  EXPECT_EQ(tree.root().text, "ON");
  EXPECT_EQ(*tree.text("a\xc3"), "the payload is no UTF-8 at byte 1; expected a text");
}

TEST(Excerpt, IsShortAndPrintable) {
  EXPECT_EQ(excerpt("a\tb\x7f\xff\xc3\xa4"), "\"a?b??\xc3\xa4\"");
  EXPECT_EQ(excerpt(std::string(200, 'x')).size(), 64U + 4U);
  EXPECT_EQ(excerpt("\xed\xa0\x80"), "\"???\"") << "half of a surrogate pair is no character";
}

}  // namespace
}  // namespace fettle::direct
