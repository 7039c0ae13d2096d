// What files without faults become.

#include "gateway/catalog/catalog_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "gateway/catalog/catalog_diff.h"
#include "tests/gateway/catalog/sample_catalog.h"

namespace fettle::catalog {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::sys_days;
using std::chrono::year;

std::int64_t ms(std::chrono::sys_time<std::chrono::milliseconds> time) {
  return time.time_since_epoch().count();
}

std::int64_t ms(std::chrono::milliseconds duration) {
  return duration.count();
}

// The entry with that key; an empty one, and a failed test, where there is none.
Entry named(const std::vector<Entry>& entries, const std::string& kind, const std::string& id) {
  for (const Entry& entry : entries) {
    if (entry_key(entry) == std::pair(kind, id)) return entry;
  }
  ADD_FAILURE() << "no " << kind << " " << id;
  return {};
}

TEST(CatalogReader, TakesEveryEntryInTheOrderWritten) {
  std::vector<std::string> keys;
  for (const Entry& entry : sample_entries()) keys.push_back(entry_key(entry).first + " " + entry_key(entry).second);
  EXPECT_EQ(keys,
            (std::vector<std::string>{"model lift/gen2", "seller demo", "customer acme", "site tower", "asset lift-1",
                                      "asset lift-2", "plan care", "subscription acme-care", "pack heat"}));
}

TEST(CatalogReader, ReadsAModel) {
  const Model model = named(sample_entries(), "model", "lift/gen2").model();
  ASSERT_EQ(model.signals_size(), 4);
  EXPECT_EQ(model.signals(0).ShortDebugString(), R"(name: "temperature" unit: "degC" kind: GAUGE)");
  EXPECT_EQ(model.signals(1).ShortDebugString(),
            R"(name: "energy" unit: "kWh" kind: REGISTER resolution: "0.01" rollover: "100000" max_rate: "50")");
  EXPECT_EQ(model.signals(2).ShortDebugString(), R"(name: "band" unit: "1" kind: STATE states: "low" states: "high")");
  EXPECT_EQ(model.meters(1).ShortDebugString(),
            R"(id: "pulses" signal: "pulse" kind: SUM dimension: "band" title: "pulses")");
}

TEST(CatalogReader, ReadsARuleWithItsPlaces) {
  const RulePack pack = named(sample_entries(), "pack", "heat").pack();
  EXPECT_EQ(pack.version(), 1);
  EXPECT_EQ(pack.file(), "p.yaml");
  ASSERT_EQ(pack.rules_size(), 1);
  const Rule& rule = pack.rules(0);
  EXPECT_EQ(rule.when().ShortDebugString(), R"(text: "temperature > limit" line: 7 column: 11)");
  EXPECT_EQ(rule.parameters().at("limit").ShortDebugString(), R"(text: "80 degC" line: 6 column: 25)");
  EXPECT_EQ(rule.for_ms(), ms(minutes(10)));
  EXPECT_FALSE(rule.has_clear());
  EXPECT_FALSE(rule.has_suppress_when());
  EXPECT_EQ(rule.work_order().ShortDebugString(),
            R"(priority: "P2" action: "Look at the motor" parts { part: "fan" quantity: 2 } )"
            R"(parts { part: "belt" quantity: 1 })");
}

TEST(CatalogReader, PlacesOfQuotedAndBlockScalars) {
  const auto when = [](const std::string& yaml) {
    const auto entries = entries_of(
        {{"c.yaml", sample_catalog()}, {"p.yaml", replaced(sample_pack(), "when: temperature > limit", yaml)}});
    return named(entries, "pack", "heat").pack().rules(0).when().ShortDebugString();
  };
  EXPECT_EQ(when("when: \"temperature > limit\""), R"(text: "temperature > limit" line: 7 column: 12)");
  EXPECT_EQ(when("when: 'temperature > limit'"), R"(text: "temperature > limit" line: 7 column: 12)");
  EXPECT_EQ(when("when: |\n      temperature\n        > limit"), R"(text: "temperature\n  > limit" line: 8 column: 7)");
  EXPECT_EQ(when("when: >\n\n      temperature\n      > limit"), R"(text: "\ntemperature > limit" line: 9 column: 7)");
}

TEST(CatalogReader, ReadsEveryKeyOfARule) {
  const std::string more =
      "    title: Motor too warm\n    clear: temperature < 60 degC\n    keep_for: 5m\n"
      "    suppress_when: band == \"high\"\n    cooldown: 7d\n    tests:\n      - {name: heat, readings: {temperature: "
      "gap(2h)}, parameters: {limit: 70 degC}, expect: [{none: true}]}\n"
      "    work_order:\n      due: 5d\n      verify: 24h\n      failure_mode: OHE\n      skills: [motors]\n"
      "      checklist: [measure, clean]\n";
  const auto entries =
      entries_of({{"c.yaml", sample_catalog()}, {"p.yaml", replaced(sample_pack(), "    work_order:\n", more)}});
  const Rule rule = named(entries, "pack", "heat").pack().rules(0);
  EXPECT_EQ(rule.title(), "Motor too warm");
  EXPECT_EQ(rule.clear().text(), "temperature < 60 degC");
  EXPECT_EQ(rule.keep_for_ms(), ms(minutes(5)));
  EXPECT_EQ(rule.suppress_when().text(), "band == \"high\"");
  EXPECT_EQ(rule.cooldown_ms(), ms(days(7)));
  EXPECT_EQ(rule.work_order().due_ms(), ms(days(5)));
  EXPECT_EQ(rule.work_order().verify_ms(), ms(hours(24)));
  EXPECT_EQ(rule.work_order().failure_mode(), "OHE");
  EXPECT_EQ(rule.work_order().skills(0), "motors");
  EXPECT_EQ(rule.work_order().checklist(1), "clean");
  ASSERT_EQ(rule.tests_size(), 1);
  EXPECT_EQ(rule.tests(0).name().text(), "heat");
  EXPECT_EQ(rule.tests(0).readings(0).signal().text(), "temperature");
  EXPECT_EQ(rule.tests(0).readings(0).series(0).text(), "gap(2h)");
  EXPECT_EQ(rule.tests(0).parameters().at("limit").text(), "70 degC");
  EXPECT_EQ(rule.tests(0).expect(0).count(), 0);
}

TEST(CatalogReader, FillsInDefaults) {
  const auto entries = sample_entries();
  const Model model = named(entries, "model", "lift/gen2").model();
  EXPECT_EQ(model.max_gap_ms(), ms(minutes(15)));
  EXPECT_EQ(model.lateness_ms(), 60'000);
  EXPECT_EQ(model.upload(), LIVE);
  const Seller seller = named(entries, "seller", "demo").seller();
  EXPECT_EQ(seller.grace_ms(), 0);
  EXPECT_EQ(seller.longest_grace_ms(), ms(days(30)));
  EXPECT_EQ(named(entries, "customer", "acme").customer().payment_days(), 30);
  EXPECT_EQ(named(entries, "plan", "care").plan().title(), "care");
  EXPECT_EQ(named(entries, "subscription", "acme-care").subscription().end_ms(), 0);
}

TEST(CatalogReader, ReadsPricesAsWritten) {
  const Plan plan = named(sample_entries(), "plan", "care").plan();
  ASSERT_EQ(plan.charges_size(), 3);
  EXPECT_EQ(plan.charges(0).ShortDebugString(), R"(id: "base" title: "base" kind: FIXED amount: "49.00")");
  EXPECT_EQ(plan.charges(1).ShortDebugString(),
            R"(id: "energy" title: "energy" kind: STANDARD meter: "lift/gen2:energy" prices { price: "0.32" })");
  EXPECT_EQ(plan.charges(2).ShortDebugString(),
            R"(id: "pulses" title: "pulses" kind: STANDARD meter: "lift/gen2:pulses" )"
            R"(prices { band: "low" price: "0.10" } prices { band: "high" price: "0.20" })");
}

TEST(CatalogReader, ADayIsTheCustomersOrUtc) {
  const auto entries = sample_entries();
  // Midnight in Berlin.
  EXPECT_EQ(named(entries, "subscription", "acme-care").subscription().start_ms(),
            ms(sys_days{year{2026} / 1 / 1} - hours(1)));
  EXPECT_EQ(named(entries, "asset", "lift-1").asset().commissioned_ms(), ms(sys_days{year{2025} / 6 / 1}));
  EXPECT_EQ(named(entries, "asset", "lift-2").asset().commissioned_ms(), ms(sys_days{year{2025} / 6 / 1} + hours(10)));
}

TEST(CatalogReader, ADayIsTheCustomersWhereverThatOneIsDeclared) {
  const std::string later =
      "subscriptions:\n  - {id: more, customer: acme, plan: care, assets: [lift-1], "
      "start: 2024-07-01, end: 2024-08-01}\n";
  const auto in_force = entries_of({{"more.yaml", later}}, sample_entries());
  const auto before_it = entries_of({{"more.yaml", later}, {"c.yaml", sample_catalog()}, {"p.yaml", sample_pack()}});
  for (const auto& entries : {in_force, before_it}) {
    const Subscription subscription = named(entries, "subscription", "more").subscription();
    EXPECT_EQ(subscription.start_ms(), ms(sys_days{year{2024} / 7 / 1} - hours(2)));
    EXPECT_EQ(subscription.end_ms(), ms(sys_days{year{2024} / 8 / 1} - hours(2)));
  }
}

TEST(CatalogReader, ReadsAssetsOwnParameters) {
  const Asset asset = named(sample_entries(), "asset", "lift-2").asset();
  EXPECT_EQ(asset.parameters().at("heat/hot.limit"), "70 degC");
}

TEST(CatalogReader, OneFileMayHoldAllInDocuments) {
  const auto one = entries_of({{"one.yaml", sample_pack() + "---\n# nothing\n---\n" + sample_catalog() + "---\n"}});
  EXPECT_EQ(one.size(), sample_entries().size());
}

TEST(CatalogReader, AliasesStandForWhatTheyName) {
  // A second model with the first one's meter.
  const std::string anchored =
      replaced(sample_catalog(), "- {id: energy, kind: difference", "- &energy {id: energy, kind: difference");
  const std::string with_alias =
      replaced(anchored, "seller:\n",
               "  - id: lift/gen3\n    signals:\n      - {name: energy, kind: register, unit: kWh, resolution: 1}\n"
               "    meters: [*energy]\nseller:\n");
  const auto entries = entries_of({{"c.yaml", with_alias}, {"p.yaml", sample_pack()}});
  EXPECT_EQ(named(entries, "model", "lift/gen3").model().meters(0).id(), "energy");
}

TEST(CatalogReader, NothingIsACatalogToo) {
  EXPECT_TRUE(entries_of({}).empty());
  EXPECT_TRUE(entries_of({{"empty.yaml", ""}, {"comment.yaml", "# nothing\n"}, {"lists.yaml", "assets:\n"}}).empty());
}

TEST(CatalogReader, ReportsEverythingAtOnceInOrder) {
  std::string text = replaced(sample_catalog(), "unit: degC", "unit: degX");
  text = replaced(text, "name: Acme, ", "");
  text = replaced(text, "site: tower, commissioned", "site: towr, commissioned");
  text = replaced(text, "amount: 49.00", "amount: free");
  const std::string pack = replaced(sample_pack(), "for: 10m", "for: ever");
  const auto faults = faults_of({{"p.yaml", pack}, {"c.yaml", text}, {"a.yaml", "assats: []\n"}});
  std::vector<std::string> places;
  for (const std::string& fault : faults) places.push_back(fault.substr(0, fault.find(": ")));
  EXPECT_EQ(places, (std::vector<std::string>{"a.yaml:1:1", "c.yaml:4:48", "c.yaml:20:5", "c.yaml:24:58",
                                              "c.yaml:36:41", "p.yaml:8:10"}));
}

TEST(CatalogReader, AFileThatCannotBeReadMakesNothingElseMissing) {
  // The pack that the plan names may stand in the rest of the broken file.
  const auto faults = faults_of({{"c.yaml", sample_catalog()}, {"p.yaml", "pack: [\n"}});
  ASSERT_EQ(faults.size(), 1U);
  EXPECT_TRUE(faults[0].starts_with("p.yaml:2:1: not YAML")) << faults[0];
}

TEST(CatalogReader, ShowsAThousandFaultsAndCountsTheRest) {
  std::string text = "assets:\n";
  for (int i = 0; i < 1500; ++i) text += "  - x\n";
  const auto faults = faults_of({{"c.yaml", text}});
  ASSERT_EQ(faults.size(), 1001U);
  EXPECT_EQ(faults.back(), "c.yaml:1001:5: and 500 more; mend these first");
}

TEST(CatalogReader, ACatalogHasAtMostSoManyEntries) {
  std::vector<Entry> existing(kMaxEntries);
  for (std::size_t i = 0; i < existing.size(); ++i) existing[i].mutable_model()->set_id("m" + std::to_string(i));
  const auto model = [](const std::string& id) {
    return "models: [{id: " + id + ", signals: [{name: t, kind: gauge, unit: degC}]}]\n";
  };
  EXPECT_EQ(faults_of({{"c.yaml", model("m7")}}, existing), std::vector<std::string>{});
  EXPECT_EQ(faults_of({{"c.yaml", model("new")}}, existing),
            std::vector<std::string>{"c.yaml:1:10: the catalog would have 100001 entries; at most 100000 are allowed"});
}

}  // namespace
}  // namespace fettle::catalog
