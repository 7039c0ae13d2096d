// The catalogs in firmware-sim/catalog and the packs in rules/packs, as a user applies them, and the examples of the
// reference page.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <vector>

#include "gateway/catalog/catalog_diff.h"
#include "gateway/catalog/catalog_reader.h"

namespace fettle::catalog {
namespace {

namespace fs = std::filesystem;

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<SourceFile> yaml_files(const fs::path& folder) {
  std::vector<SourceFile> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml")
      files.push_back({entry.path().filename().string(), contents(entry.path())});
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return files;
}

std::vector<SourceFile> shipped() {
  auto files = yaml_files(fs::path(FETTLE_SOURCE_DIR) / "firmware-sim/catalog");
  auto packs = yaml_files(fs::path(FETTLE_SOURCE_DIR) / "rules/packs");
  files.insert(files.end(), packs.begin(), packs.end());
  // The models of packs whose machines are not simulated.
  for (SourceFile& file : yaml_files(fs::path(FETTLE_SOURCE_DIR) / "tests/e2e/catalog")) {
    if (file.name == "recorded-machines.yaml") files.push_back(std::move(file));
  }
  return files;
}

std::vector<Entry> read(const std::vector<SourceFile>& files, RuleTests tests = RuleTests::optional) {
  const auto result = read_catalog(files, {}, tests);
  if (result.has_error()) {
    for (const FileDiagnostic& diagnostic : result.error()) ADD_FAILURE() << to_string(diagnostic);
    return {};
  }
  return {result->entries().begin(), result->entries().end()};
}

TEST(ShippedCatalogs, AreValidTogether) {
  std::set<std::string> keys;
  for (const Entry& entry : read(shipped(), RuleTests::required)) {
    keys.insert(entry_key(entry).first + " " + entry_key(entry).second);
  }
  for (const char* key :
       {"seller fettle-demo", "model lift/gen2", "asset lift-001", "asset lift-010", "model meter/steel",
        "asset steel-meter-1", "model machine/thermal", "asset machine-1", "model battery/18650", "asset battery-B0005",
        "asset battery-B0018", "pack lift-proactive", "pack machine-temperature", "pack battery-end-of-life"}) {
    EXPECT_TRUE(keys.contains(key)) << key;
  }
}

TEST(ShippedCatalogs, EachIsValidWithTheSellerAndItsPack) {
  const std::vector<std::pair<std::string, std::string>> demos = {{"fleet.yaml", "lift-proactive.yaml"},
                                                                  {"steel.yaml", ""},
                                                                  {"nab.yaml", "machine-temperature.yaml"},
                                                                  {"battery.yaml", "battery-end-of-life.yaml"}};
  const auto all = shipped();
  for (const auto& [catalog, pack] : demos) {
    std::vector<SourceFile> files;
    for (const SourceFile& file : all) {
      if (file.name == "seller.yaml" || file.name == catalog || file.name == pack) files.push_back(file);
    }
    EXPECT_EQ(files.size(), pack.empty() ? 2U : 3U) << catalog;
    EXPECT_FALSE(read(files).empty()) << catalog;
  }
}

TEST(ShippedCatalogs, HaveTenLiftsOnOneSubscription) {
  std::size_t lifts = 0;
  int covered = 0;
  for (const Entry& entry : read(shipped())) {
    if (entry.has_asset() && entry.asset().model() == "lift/gen2") ++lifts;
    if (entry.has_subscription() && entry.subscription().id() == "nordtor-lifts") {
      covered = entry.subscription().assets_size();
      EXPECT_EQ(entry.subscription().start_ms(), 1'780'264'800'000);  // 2026-06-01 in Berlin
    }
  }
  EXPECT_EQ(lifts, 10U);
  EXPECT_EQ(covered, 10);
}

TEST(ShippedCatalogs, CoverTheRecordingsFromTheirFirstReading) {
  for (const Entry& entry : read(shipped())) {
    // The steel works' first stamp is midnight of 2018-01-01 in Seoul.
    if (entry.has_asset() && entry.asset().id() == "steel-meter-1") {
      EXPECT_EQ(entry.asset().commissioned_ms(), 1'514'732'400'000);
    }
    if (entry.has_subscription() && entry.subscription().id() == "steel-works-energy") {
      EXPECT_EQ(entry.subscription().start_ms(), 1'514'732'400'000);
    }
  }
}

TEST(CatalogReference, ItsExamplesAreValidTogether) {
  const std::string page = contents(fs::path(FETTLE_SOURCE_DIR) / "docs/reference/catalog.md");
  const std::string fence = "```yaml\n";
  std::vector<SourceFile> files;
  for (std::size_t at = page.find(fence); at != std::string::npos; at = page.find(fence, at)) {
    at += fence.size();
    const std::size_t end = page.find("```", at);
    const auto line = 1 + std::count(page.begin(), page.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    files.push_back({"catalog.md, example at line " + std::to_string(line), page.substr(at, end - at)});
    at = end;
  }
  EXPECT_GE(files.size(), 7U);
  EXPECT_GE(read(files, RuleTests::required).size(), 9U);
}

}  // namespace
}  // namespace fettle::catalog
