// Files against a catalog that is in force: what may change, and what is refused.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/catalog/catalog_diff.h"
#include "tests/gateway/catalog/sample_catalog.h"

namespace fettle::catalog {
namespace {

using Faults = std::vector<std::string>;

// A file that holds the sample's only top-level list of that name.
std::string section(const std::string& name, const std::string& next) {
  const std::string& all = sample_catalog();
  const std::size_t begin = all.find("\n" + name + ":\n") + 1;
  return all.substr(begin, all.find("\n" + next + ":\n") + 1 - begin);
}

std::string models() {
  const std::string& all = sample_catalog();
  return all.substr(0, all.find("seller:\n"));
}

TEST(CatalogOverTime, ApplyingTwiceChangesNothing) {
  const auto first = sample_entries();
  const auto second = entries_of({{"c.yaml", sample_catalog()}, {"p.yaml", sample_pack()}}, first);
  const CatalogDiff difference = diff(first, second);
  EXPECT_TRUE(difference.empty()) << to_text(difference);
  EXPECT_EQ(difference.unchanged.size(), first.size());
}

TEST(CatalogOverTime, AFileMayReferToWhatIsInForce) {
  EXPECT_EQ(faults_of({{"more.yaml",
                        "assets:\n  - {id: lift-3, model: lift/gen2, customer: acme, site: tower, "
                        "commissioned: 2026-02-01, parameters: {heat/hot.limit: 75 degC}}\n"}},
                      sample_entries()),
            Faults{});
}

TEST(CatalogOverTime, AnEntryInForceThatNoLongerFitsIsReportedWhereItIsBroken) {
  const std::string text = replaced(models(), "      - {id: pulses, kind: sum, signal: pulse, dimension: band}\n", "");
  EXPECT_EQ(faults_of({{"models.yaml", text}}, sample_entries()),
            Faults{"models.yaml:2:5: as model lift/gen2 is declared here, an entry in force no longer fits: plan care: "
                   "charge pulses: model lift/gen2 has no meter pulses; declare it under the model's meters"});
}

TEST(CatalogOverTime, ARuleInForceThatNoLongerCompilesNamesItsOwnPlaceToo) {
  const std::string text = replaced(models(), "      - {name: temperature, kind: gauge, unit: degC}\n", "");
  const auto faults = faults_of({{"models.yaml", text}}, sample_entries());
  ASSERT_FALSE(faults.empty());
  EXPECT_TRUE(
      faults[0].starts_with("models.yaml:2:5: as model lift/gen2 is declared here, an entry in force no longer "
                            "fits: pack heat: rule hot: "))
      << faults[0];
  EXPECT_NE(faults[0].find("(p.yaml:7:11)"), std::string::npos) << faults[0];
}

TEST(CatalogOverTime, ASellerThatLosesARateInUseIsReportedAtTheSeller) {
  const auto faults = faults_of({{"seller.yaml",
                                  "seller:\n  {id: demo, name: Demo GmbH, country: DE, invoice_prefix: "
                                  "FD, vat_rates: [{country: FR, category: S, percent: 20}]}\n"}},
                                sample_entries());
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_TRUE(faults[0].starts_with("seller.yaml:2:3: as seller demo is declared here")) << faults[0];
}

TEST(CatalogOverTime, StoredReadingsKeepTheirMeaning) {
  const auto faults = [](const std::string& from, const std::string& to) {
    return faults_of({{"m.yaml", replaced(models(), from, to)}}, sample_entries());
  };
  EXPECT_EQ(faults("resolution: 0.01,", "resolution: 0.1,"),
            Faults{"m.yaml:5:63: model lift/gen2: signal energy changes its resolution from 0.01 to 0.1, and stored "
                   "readings keep the old meaning; give the changed signal another name"});
  EXPECT_EQ(faults("unit: kWh, resolution: 0.1}", "unit: MWh, resolution: 0.1}"),
            Faults{"m.yaml:7:42: model lift/gen2: signal pulse changes its unit from kWh to MWh, and stored readings "
                   "keep the old meaning; give the changed signal another name"});
  EXPECT_EQ(
      faults("states: [low, high]", "states: [high, low]"),
      Faults{"m.yaml:6:43: model lift/gen2: signal band no longer has low as state number 1 (new states go at the "
             "end), and stored readings keep the old meaning; give the changed signal another name"});
  EXPECT_EQ(faults("states: [low, high]", "states: [low, high, peak]").size(), 1U);  // the plan has no price for it
  EXPECT_EQ(faults("unit: degC}", "unit: degC}\n      - {name: speed, kind: gauge, unit: m/s}"), Faults{});
}

TEST(CatalogOverTime, AnAssetMayBeSoldOnceItsSubscriptionEnds) {
  const std::string buyer =
      "customers:\n  - {id: bolt, name: Bolt, country: DE, zone: Europe/Berlin, currency: EUR}\n"
      "assets:\n  - {id: lift-1, model: lift/gen2, customer: bolt, commissioned: 2025-06-01}\n";
  const std::string bought =
      "subscriptions:\n  - {id: bolt-care, customer: bolt, plan: care, assets: [lift-1], start: 2026-03-01}\n";
  const std::string sold =
      "  - {id: acme-care, customer: acme, plan: care, assets: [lift-1, lift-2], start: 2026-01-01, end: 2026-03-01}\n"
      "  - {id: acme-rest, customer: acme, plan: care, assets: [lift-2], start: 2026-03-01}\n";

  const auto still_covered = faults_of({{"sold.yaml", buyer}}, sample_entries());
  ASSERT_EQ(still_covered.size(), 1U);
  EXPECT_NE(still_covered[0].find("asset lift-1 belongs to customer bolt, not to customer acme"), std::string::npos)
      << still_covered[0];

  const auto overlapping = faults_of({{"sold.yaml", buyer + bought}}, sample_entries());
  ASSERT_EQ(overlapping.size(), 1U);
  EXPECT_NE(overlapping[0].find("an asset has one subscription at a time"), std::string::npos) << overlapping[0];

  EXPECT_EQ(faults_of({{"sold.yaml", buyer + bought + sold}}, sample_entries()), Faults{});
}

TEST(CatalogOverTime, TermsThatTouchDoNotOverlap) {
  EXPECT_EQ(faults_of({{"s.yaml",
                        "subscriptions:\n"
                        "  - {id: earlier, customer: acme, plan: care, assets: [lift-1], start: 2025-07-01, end: "
                        "2026-01-01}\n"}},
                      sample_entries()),
            Faults{});
  const auto faults = faults_of({{"s.yaml",
                                  "subscriptions:\n"
                                  "  - {id: earlier, customer: acme, plan: care, assets: [lift-1], start: 2025-07-01, "
                                  "end: 2026-01-02}\n"}},
                                sample_entries());
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_TRUE(
      faults[0].starts_with("s.yaml:2:56: subscription earlier: asset lift-1 is covered from "
                            "2025-06-30T22:00:00Z to 2026-01-01T23:00:00Z, but subscription acme-care covers "
                            "it from 2025-12-31T23:00:00Z on"))
      << faults[0];
}

TEST(CatalogOverTime, AFaultThatStoodBeforeHasNoPlace) {
  std::vector<Entry> existing = sample_entries();
  for (Entry& entry : existing) {
    if (entry.has_asset()) entry.mutable_asset()->set_model("gone");
  }
  const auto faults = faults_of({{"c.yaml", section("sites", "assets")}}, existing);
  ASSERT_FALSE(faults.empty());
  EXPECT_EQ(faults[0],
            "(catalog in force): asset lift-1: there is no model gone; declare it in these files, or apply it first");
}

}  // namespace
}  // namespace fettle::catalog
