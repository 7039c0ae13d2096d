// Mappings, sources, metrics and retention: from YAML to entries.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "gateway/catalog/catalog_diff.h"
#include "tests/gateway/catalog/sample_catalog.h"

namespace fettle::catalog {
namespace {

constexpr const char* kMapping = R"(mappings:
  - id: meters
    title: Meters
    topic: plant/{line}/+/state
    asset: "lift-{/device/id|lower}"
    assets: {lift-x: lift-2}
    each: /batch
    when: {/kind: reading}
    time: {path: /at, format: [iso8601, unix_ms], zone: Europe/Berlin, optional: true}
    signals:
      - {signal: temperature, path: /t, unit: degF, scale: 0.10, offset: -40}
      - {signal: band, path: /b, values: {1: low, 2: high, "?": null}, optional: true}
      - {signal: "{line}", path: ""}
    empty: ignore
)";

std::vector<Entry> with(const std::string& text) {
  return entries_of({{"c.yaml", sample_catalog()}, {"p.yaml", sample_pack()}, {"m.yaml", text}});
}

const Mapping& mapping_of(const std::vector<Entry>& entries) {
  for (const Entry& entry : entries) {
    if (entry.has_mapping()) return entry.mapping();
  }
  ADD_FAILURE() << "no mapping was read";
  return Mapping::default_instance();
}

TEST(MappingEntry, HoldsWhatTheFileSays) {
  const auto entries = with(kMapping);
  const Mapping& read = mapping_of(entries);
  EXPECT_EQ(read.id(), "meters");
  EXPECT_EQ(read.title(), "Meters");
  EXPECT_EQ(read.topic(), "plant/{line}/+/state");
  EXPECT_EQ(read.asset(), "lift-{/device/id|lower}");
  ASSERT_EQ(read.assets_size(), 1);
  EXPECT_EQ(read.assets(0).from(), "lift-x");
  EXPECT_EQ(read.assets(0).to(), "lift-2");
  EXPECT_EQ(read.payload(), Mapping::JSON);
  EXPECT_TRUE(read.has_each());
  EXPECT_EQ(read.each(), "/batch");
  ASSERT_EQ(read.when_size(), 1);
  EXPECT_EQ(read.when(0).from(), "/kind");
  EXPECT_EQ(read.when(0).to(), "reading");
  EXPECT_EQ(read.time().path(), "/at");
  ASSERT_EQ(read.time().formats_size(), 2);
  EXPECT_EQ(read.time().formats(0), MappedTime::ISO8601);
  EXPECT_EQ(read.time().formats(1), MappedTime::UNIX_MS);
  EXPECT_EQ(read.time().zone(), "Europe/Berlin");
  EXPECT_TRUE(read.time().optional());
  ASSERT_EQ(read.signals_size(), 3);
  EXPECT_EQ(read.signals(0).unit(), "degF");
  EXPECT_EQ(read.signals(0).scale(), "0.1");
  EXPECT_EQ(read.signals(0).offset(), "-40");
  EXPECT_FALSE(read.signals(0).optional());
  ASSERT_EQ(read.signals(1).values_size(), 3);
  EXPECT_EQ(read.signals(1).values(1).to(), "high");
  EXPECT_TRUE(read.signals(1).values(2).leave_out());
  EXPECT_TRUE(read.signals(1).optional());
  EXPECT_EQ(read.signals(2).signal(), "{line}");
  EXPECT_TRUE(read.ignore_empty());
}

TEST(MappingEntry, ThatSaysLittleMeansTheUsual) {
  const auto entries =
      with("mappings: [{id: x, topic: \"{a}\", asset: \"{a}\", signals: [{signal: temperature, path: /t}]}]");
  const Mapping& read = mapping_of(entries);
  EXPECT_EQ(read.payload(), Mapping::JSON);
  EXPECT_FALSE(read.has_each());
  EXPECT_FALSE(read.has_time());
  EXPECT_FALSE(read.ignore_empty());
}

TEST(MappingEntry, ThatChangesIsShownAsChanged) {
  const auto before = with(kMapping);
  std::string text = kMapping;
  EXPECT_TRUE(diff(before, with(text)).empty());
  EXPECT_EQ(diff(sample_entries(), before).added, std::vector<std::string>{"mapping meters"});
  const auto after = with(replaced(text, "-40", "-41"));
  EXPECT_EQ(diff(before, after).changed, std::vector<std::string>{"mapping meters"});
  EXPECT_EQ(changes_only(before,
                         [&] {
                           CatalogChange change;
                           for (const Entry& entry : after) *change.add_entries() = entry;
                           return change;
                         }())
                .entries_size(),
            1);
}

TEST(SparkplugNames, AreReadWithAssetsAndSignals) {
  std::string text =
      replaced(sample_catalog(), "kind: gauge, unit: degC}", "kind: gauge, unit: degC, metric: Motor/Temp, keep: 90d}");
  text = replaced(text, "- {id: lift-1, ", "- {id: lift-1, sources: [plant/line-1, plant/line-1/press 3], ");
  const auto entries = entries_of({{"c.yaml", text}, {"p.yaml", sample_pack()}});
  bool found = false;
  for (const Entry& entry : entries) {
    if (entry.has_model()) {
      EXPECT_EQ(entry.model().signals(0).metric(), "Motor/Temp");
      EXPECT_EQ(entry.model().signals(0).keep_ms(), std::int64_t{90} * 86'400'000);
      EXPECT_EQ(entry.model().signals(1).metric(), "");
      EXPECT_EQ(entry.model().signals(1).keep_ms(), 0);
    }
    if (!entry.has_asset() || entry.asset().id() != "lift-1") continue;
    found = true;
    ASSERT_EQ(entry.asset().sources_size(), 2);
    EXPECT_EQ(entry.asset().sources(0), "plant/line-1");
    EXPECT_EQ(entry.asset().sources(1), "plant/line-1/press 3");
  }
  EXPECT_TRUE(found);
}

}  // namespace
}  // namespace fettle::catalog
