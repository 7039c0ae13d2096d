#include "gateway/catalog/catalog_diff.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/gateway/catalog/sample_catalog.h"

namespace fettle::catalog {
namespace {

using Names = std::vector<std::string>;

Entry asset(const std::string& id, const std::vector<std::pair<std::string, std::string>>& parameters = {}) {
  Entry entry;
  entry.mutable_asset()->set_id(id);
  for (const auto& [name, text] : parameters) (*entry.mutable_asset()->mutable_parameters())[name] = text;
  return entry;
}

TEST(CatalogDiff, TellsNewChangedAndUnchangedApart) {
  const std::vector<Entry> existing = {asset("a"), asset("b"), asset("left-out")};
  const std::vector<Entry> declared = {asset("c"), asset("b", {{"p/r.x", "1"}}), asset("a")};
  const CatalogDiff difference = diff(existing, declared);
  EXPECT_EQ(difference.added, Names{"asset c"});
  EXPECT_EQ(difference.changed, Names{"asset b"});
  EXPECT_EQ(difference.unchanged, Names{"asset a"});
  EXPECT_FALSE(difference.empty());
  EXPECT_EQ(to_text(difference), "+ asset c\n~ asset b\n1 added, 1 changed, 1 unchanged\n");
}

TEST(CatalogDiff, OneIdOfTwoKindsIsTwoEntries) {
  Entry model;
  model.mutable_model()->set_id("a");
  EXPECT_EQ(diff({asset("a")}, {model}).added, Names{"model a"});
}

TEST(CatalogDiff, OnlyWhatDiffersIsKept) {
  CatalogChange declared;
  *declared.add_entries() = asset("a");
  *declared.add_entries() = asset("b", {{"p/r.x", "1"}});
  const CatalogChange change = changes_only({asset("a"), asset("b")}, declared);
  ASSERT_EQ(change.entries_size(), 1);
  EXPECT_EQ(change.entries(0).asset().id(), "b");
}

TEST(CatalogDiff, EqualEntriesHaveEqualBytesHoweverTheyWereBuilt) {
  std::vector<std::pair<std::string, std::string>> parameters;
  for (int i = 0; i < 100; ++i) parameters.emplace_back("pack/rule.p" + std::to_string(i), std::to_string(i));
  const Entry forward = asset("a", parameters);
  const Entry backward = asset("a", {parameters.rbegin(), parameters.rend()});
  EXPECT_EQ(encode(forward), encode(backward));
  Entry parsed;
  ASSERT_TRUE(parsed.ParseFromString(encode(forward)));
  EXPECT_EQ(encode(parsed), encode(forward));
  EXPECT_NE(encode(forward), encode(asset("a")));
}

TEST(CatalogDiff, EveryKindHasItsKey) {
  Names keys;
  for (const Entry& entry : sample_entries()) keys.push_back(entry_key(entry).first);
  EXPECT_EQ(keys, (Names{"model", "seller", "customer", "site", "asset", "asset", "plan", "subscription", "pack"}));
  EXPECT_EQ(entry_key(Entry{}), (std::pair<std::string, std::string>{"nothing", ""}));
}

TEST(CatalogDiff, ReadingTheSameFilesTwiceGivesTheSameBytes) {
  const auto first = sample_entries();
  const auto second = sample_entries();
  ASSERT_EQ(first.size(), second.size());
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(encode(first[i]), encode(second[i]));
}

}  // namespace
}  // namespace fettle::catalog
