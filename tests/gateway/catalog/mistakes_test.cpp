// A tour of mistakes: one change to the sample catalog, and everything that is then said about it.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/gateway/catalog/sample_catalog.h"

namespace fettle::catalog {
namespace {

struct Mistake {
  const char* from;
  const char* to;
  std::vector<std::string> faults;
};

class CatalogMistake : public testing::TestWithParam<Mistake> {};

TEST_P(CatalogMistake, IsReportedAtItsPlace) {
  const Mistake& mistake = GetParam();
  EXPECT_TRUE(same_faults(
      faults_of({{"c.yaml", replaced(sample_catalog(), mistake.from, mistake.to)}, {"p.yaml", sample_pack()}}),
      mistake.faults));
}

class PackMistake : public testing::TestWithParam<Mistake> {};

TEST_P(PackMistake, IsReportedAtItsPlace) {
  const Mistake& mistake = GetParam();
  EXPECT_TRUE(same_faults(
      faults_of({{"c.yaml", sample_catalog()}, {"p.yaml", replaced(sample_pack(), mistake.from, mistake.to)}}),
      mistake.faults));
}

INSTANTIATE_TEST_SUITE_P(
    Structure, CatalogMistake,
    testing::Values(
        Mistake{"plans:\n  - id: care",
                "planz:\n  - id: care",
                {"c.yaml:30:1: unknown key \"planz\"; did you mean plans?",
                 "c.yaml:40:43: subscription acme-care: there is no plan care; declare it in these files, or apply it "
                 "first"}},
        Mistake{"customers:\n",
                "customers: many\nmore:\n",
                {"c.yaml:19:12: \"customers\" is a text; expected a list: one \"- \" in front of each of its customers",
                 "c.yaml:20:1: unknown key \"more\"; a catalog has models, assets, sellers (or one seller), customers, "
                 "sites, plans, subscriptions and mappings, a rule pack begins with pack",
                 "c.yaml:23:27: site tower: there is no customer acme; declare it in these files, or apply it first",
                 "c.yaml:25:46: asset lift-1: there is no customer acme; declare it in these files, or apply it first",
                 "c.yaml:28:15: asset lift-2: there is no customer acme; declare it in these files, or apply it first",
                 "c.yaml:41:31: subscription acme-care: there is no customer acme; declare it in these files, or apply "
                 "it first"}},
        Mistake{"customer: acme, site: tower",
                "custommer: acme, site: tower",
                {"c.yaml:24:36: asset lift-1: unknown key \"custommer\"; did you mean customer?",
                 "c.yaml:24:59: asset lift-1: stands at site tower of customer acme, but belongs to nobody; add "
                 "customer: acme",
                 "c.yaml:40:58: subscription acme-care: asset lift-1 belongs to no customer, not to customer acme; "
                 "correct the asset's customer, or end the subscription in favour of one of its owner"}},
        Mistake{"country: DE, zone: Europe/Berlin, currency",
                "land: DE, zone: Europe/Berlin, currency",
                {"c.yaml:20:5: customer acme: \"country\" is missing; expected a country code of ISO 3166-1 such as "
                 "DE, FR or US",
                 "c.yaml:20:28: customer acme: unknown key \"land\"; the keys here are id, name, vat_id, country, "
                 "address, zone, currency, payment_days"}},
        Mistake{"name: Acme, ",
                "",
                {"c.yaml:20:5: customer acme: \"name\" is missing; expected the name as printed on invoices"}},
        Mistake{"name: Acme,",
                "name: [Acme],",
                {"c.yaml:20:22: customer acme: \"name\" is a list; expected the name as printed on invoices"}},
        Mistake{"name: Acme,",
                "name: ,",
                {"c.yaml:20:16: customer acme: \"name\" has no value; expected the name as printed on invoices"}},
        Mistake{"name: Acme,",
                "name: \"\",",
                {"c.yaml:20:23: customer acme: \"name\" is empty; expected the name as printed on invoices"}},
        Mistake{"  - {id: tower, customer: acme, country: DE, zone: Europe/Berlin}",
                "  - tower",
                {"c.yaml:22:5: site: stands as a text; expected a map of keys and values (key: value)",
                 "c.yaml:24:58: asset lift-1: there is no site tower; declare it in these files, or apply it first"}},
        Mistake{"assets: [lift-1, lift-2], start",
                "assets: lift-1, start",
                {"c.yaml:40:57: subscription acme-care: \"assets\" is a text; expected a list of assets' ids"}},
        Mistake{"id: tower, cust",
                "id: tower 1, cust",
                {"c.yaml:22:10: site: \"id\" is \"tower 1\", which is no id; an id has 1 to 64 characters out of A-Z "
                 "a-z 0-9 . _ / -",
                 "c.yaml:24:58: asset lift-1: there is no site tower; declare it in these files, or apply it first"}},
        Mistake{"id: lift-1, model",
                "id: lift/1, model",
                {"c.yaml:24:10: asset lift/1: \"id\" is \"lift/1\"; an asset's id stands in MQTT topics and has no /; "
                 "write - or . instead",
                 "c.yaml:40:58: subscription acme-care: there is no asset lift-1; did you mean lift-2?"}},
        Mistake{"  - id: lift-2\n",
                "  - id: lift-1\n",
                {"c.yaml:25:5: asset lift-1 is declared twice in one apply, first at c.yaml:24:5; remove or rename one "
                 "of the two",
                 "c.yaml:40:66: subscription acme-care: there is no asset lift-2; did you mean lift-1?"}}));

INSTANTIATE_TEST_SUITE_P(
    Models, CatalogMistake,
    testing::Values(
        Mistake{"name: temperature, kind: gauge",
                "name: Temperature, kind: gauge",
                {"c.yaml:4:16: model lift/gen2, signal: \"name\" is \"Temperature\"; a signal's name begins with a-z "
                 "and goes on with a-z, 0-9 and _, at most 64 of them"}},
        Mistake{"name: temperature, kind: gauge",
                "name: ts, kind: gauge",
                {"c.yaml:4:16: model lift/gen2, signal ts: \"ts\" is a reserved word and cannot name a signal; choose "
                 "another name"}},
        Mistake{"name: band, kind: state",
                "name: pulse, kind: state",
                {"c.yaml:7:9: model lift/gen2: the signal pulse is declared twice; remove or rename one of the two",
                 "c.yaml:10:41: model lift/gen2: meter pulses of kind sum needs a signal of kind event, and pulse is "
                 "none; declare it an event, or meter a register with kind difference",
                 "c.yaml:10:59: model lift/gen2: meter pulses: there is no signal band in this model; declare it under "
                 "signals",
                 "c.yaml:11:43: model lift/gen2: meter number of kind count needs a signal of kind event, and pulse is "
                 "none; declare it an event, or meter a register with kind difference"}},
        Mistake{"kind: gauge, unit: degC",
                "kind: gage, unit: degC",
                {"c.yaml:4:35: model lift/gen2, signal temperature: \"kind\" is \"gage\"; expected one of gauge, "
                 "register, event, state; did you mean gauge?"}},
        Mistake{"kind: gauge, unit: degC",
                "kind: gauge, unit: degX",
                {"c.yaml:4:48: model lift/gen2, signal temperature: \"unit\" is \"degX\", which is no unit; expected a "
                 "unit such as degC, mm/s or kWh, or 1 for a plain number"}},
        Mistake{"kind: gauge, unit: degC",
                "kind: gauge",
                {"c.yaml:4:9: model lift/gen2, signal temperature: \"unit\" is missing; expected a unit such as degC, "
                 "mm/s or kWh, or 1 for a plain number"}},
        Mistake{"kind: state, states: [low, high]",
                "kind: state, unit: V",
                {"c.yaml:6:9: model lift/gen2, signal band: \"states\" is missing; expected a list of the texts that "
                 "the signal may take",
                 "c.yaml:6:41: model lift/gen2, signal band: a state has no unit; remove \"unit\""}},
        Mistake{"unit: degC}",
                "unit: degC, resolution: 0.1, rollover: 9}",
                {"c.yaml:4:66: model lift/gen2, signal temperature: \"resolution\" belongs to metered signals (kind "
                 "register or event); remove it or change \"kind\"",
                 "c.yaml:4:81: model lift/gen2, signal temperature: \"rollover\" belongs to a signal of kind register; "
                 "remove it or change \"kind\""}},
        Mistake{"unit: degC}",
                "unit: degC, states: [a, b]}",
                {"c.yaml:4:62: model lift/gen2, signal temperature: only a signal of kind state has states; remove "
                 "them or change \"kind\""}},
        Mistake{"resolution: 0.01,",
                "resolution: 0.05,",
                {"c.yaml:5:63: model lift/gen2, signal energy: \"resolution\" is \"0.05\"; expected 1, 0.1, 0.01 ... "
                 "down to 0.000000001, or a whole number: quantities are counted in it and printed with its decimals"}},
        Mistake{"resolution: 0.01,",
                "resolution: 1e-2,",
                {"c.yaml:5:63: model lift/gen2, signal energy: \"resolution\" is \"1e-2\"; expected 1, 0.1, 0.01 ... "
                 "down to 0.000000001, or a whole number: quantities are counted in it and printed with its decimals"}},
        Mistake{"resolution: 0.01,",
                "resolution: 0,",
                {"c.yaml:5:63: model lift/gen2, signal energy: \"resolution\" is \"0\"; expected 1, 0.1, 0.01 ... down "
                 "to 0.000000001, or a whole number: quantities are counted in it and printed with its decimals"}},
        Mistake{"resolution: 0.01, ",
                "",
                {"c.yaml:9:48: model lift/gen2: meter energy counts in whole multiples of its signal's resolution, and "
                 "energy has none; add resolution: 0.01 or what the device counts in"}},
        Mistake{"rollover: 100000",
                "rollover: 100000.005",
                {"c.yaml:5:79: model lift/gen2, signal energy: \"rollover\" is 100000.005; expected a whole multiple "
                 "of the resolution 0.01"}},
        Mistake{", max_rate: 50",
                ", max_rate: -50",
                {"c.yaml:5:97: model lift/gen2, signal energy: \"max_rate\" is -50; expected the largest plausible "
                 "increase per hour, above 0"}},
        Mistake{"kind: difference, signal: energy",
                "kind: difference, signal: pulse",
                {"c.yaml:9:48: model lift/gen2: meter energy of kind difference needs a signal of kind register, and "
                 "pulse is none; declare it a register, or meter an event signal with kind sum or count"}},
        Mistake{"kind: difference, signal: energy",
                "kind: difference, signal: energi",
                {"c.yaml:9:48: model lift/gen2: meter energy: there is no signal energi in this model; did you mean "
                 "energy?"}},
        Mistake{"kind: difference, signal: energy",
                "kind: difference, signal: energy, dimension: band",
                {"c.yaml:9:67: model lift/gen2: meter energy of kind difference has a dimension; a register's increase "
                 "spreads over time and has no one state: remove dimension, or meter an event signal with kind sum"}},
        Mistake{"kind: sum, signal: pulse",
                "kind: sum, signal: temperature",
                {"c.yaml:10:41: model lift/gen2: meter pulses of kind sum needs a signal of kind event, and "
                 "temperature is none; declare it an event, or meter a register with kind difference"}},
        Mistake{"signal: pulse, dimension: band",
                "signal: pulse, dimension: temperature",
                {"c.yaml:10:59: model lift/gen2: meter pulses has the dimension temperature, which is no state; "
                 "expected a signal of kind state"}},
        Mistake{"    meters:\n",
                "    max_gap: 15\n    lateness: 1.5m\n    upload: later\n    meters:\n",
                {"c.yaml:8:14: model lift/gen2: \"max_gap\" is \"15\"; expected a duration such as 90s, 15m, 24h, 7d "
                 "or 1h30m (units w d h m s ms, larger ones first, at most 100 years)",
                 "c.yaml:9:15: model lift/gen2: \"lateness\" is \"1.5m\"; expected a duration such as 90s, 15m, 24h, "
                 "7d or 1h30m (units w d h m s ms, larger ones first, at most 100 years)",
                 "c.yaml:10:13: model lift/gen2: \"upload\" is \"later\"; expected one of live, batch"}}));

INSTANTIATE_TEST_SUITE_P(
    Parties, CatalogMistake,
    testing::Values(
        Mistake{"zone: Europe/Berlin, currency",
                "zone: Europe/Berlni, currency",
                {"c.yaml:20:47: customer acme: \"zone\": there is no time zone \"Europe/Berlni\"; expected an IANA "
                 "name such as Europe/Berlin, did you mean Europe/Berlin?"}},
        Mistake{"currency: EUR}", "currency: EURO}", {"c.yaml:20:72: customer acme: \"currency\": *"}},
        Mistake{"currency: EUR}",
                "currency: EUR, payment_days: 30d}",
                {"c.yaml:20:91: customer acme: \"payment_days\" is \"30d\"; expected a whole number from 0 to 365"}},
        Mistake{"customer: acme, country: DE",
                "customer: acme, country: UK",
                {"c.yaml:22:42: site tower: \"country\" is \"UK\"; expected a country code of ISO 3166-1 such as DE, "
                 "FR or US; did you mean GB?"}},
        Mistake{"name: Acme, country: DE",
                "name: Acme, country: FR",
                {"c.yaml:40:31: subscription acme-care: seller demo has no VAT rate for FR, the country of customer "
                 "acme; add {country: FR, category: S, percent: ...} to the seller's vat_rates"}},
        Mistake{"category: S, percent: 19",
                "category: X, percent: 190",
                {"c.yaml:18:31: seller demo, VAT rate: \"category\" is \"X\"; expected one of S, Z, E, AE, K, G, O "
                 "(UNCL5305)",
                 "c.yaml:18:43: seller demo, VAT rate: \"percent\" is 190; expected 0 to 100"}},
        Mistake{"category: S, percent: 19",
                "category: S, percent: 0",
                {"c.yaml:18:43: seller demo, VAT rate: the standard rate (S) is above 0; for 0 use another category"}},
        Mistake{"percent: 19}",
                "percent: 19}\n    - {country: DE, category: Z, percent: 0}",
                {"c.yaml:19:7: seller demo: a second VAT rate for DE; expected one per country of customers"}},
        Mistake{"  invoice_prefix: FD",
                "  invoice_prefix: F D\n  grace: 2d\n  longest_grace: 1d",
                {"c.yaml:16:19: seller demo: \"invoice_prefix\" has at most 16 characters out of A-Z a-z 0-9 . _ / -",
                 "c.yaml:18:18: seller demo: \"longest_grace\" is shorter than \"grace\"; expected at least it"}}));

INSTANTIATE_TEST_SUITE_P(
    Assets, CatalogMistake,
    testing::Values(
        Mistake{"lift-1, model: lift/gen2",
                "lift-1, model: lift/gen3",
                {"c.yaml:24:25: asset lift-1: there is no model lift/gen3; did you mean lift/gen2?"}},
        Mistake{"customer: acme, site: tower",
                "customer: acne, site: towr",
                {"c.yaml:24:46: asset lift-1: there is no customer acne; did you mean acme?",
                 "c.yaml:24:58: asset lift-1: there is no site towr; did you mean tower?"}},
        Mistake{"customer: acme, site: tower",
                "site: tower",
                {"c.yaml:24:42: asset lift-1: stands at site tower of customer acme, but belongs to nobody; add "
                 "customer: acme",
                 "c.yaml:40:58: subscription acme-care: asset lift-1 belongs to no customer, not to customer acme; "
                 "correct the asset's customer, or end the subscription in favour of one of its owner"}},
        Mistake{"commissioned: 2025-06-01}",
                "commissioned: 2025-06-31}",
                {"c.yaml:24:79: asset lift-1: \"commissioned\": \"2025-06-31\" names a day that the calendar does not "
                 "have"}},
        Mistake{"commissioned: 2025-06-01T12:00:00+02:00",
                "commissioned: 2025-06-01T12:00:00",
                {"c.yaml:28:19: asset lift-2: \"commissioned\": \"2025-06-01T12:00:00\" has a time of day but no zone; "
                 "append Z or an offset such as +01:00"}},
        Mistake{
            "heat/hot.limit: 70", "heat/hot.limits: 70", {"c.yaml:29:35: asset lift-2: parameter heat/hot.limits: *"}},
        Mistake{"heat/hot.limit: 70",
                "heat/hut.limit: 70",
                {"c.yaml:29:18: asset lift-2: pack heat has no rule hut; did you mean hot?"}},
        Mistake{"heat/hot.limit: 70",
                "heart/hot.limit: 70",
                {"c.yaml:29:18: asset lift-2: there is no pack heart; did you mean heat?"}},
        Mistake{"heat/hot.limit: 70",
                "limit: 70",
                {"c.yaml:29:18: asset lift-2: \"limit\" names no parameter; expected pack/rule.parameter"}},
        Mistake{"70 degC", "70 s", {"c.yaml:29:34: asset lift-2: parameter heat/hot.limit: *"}}));

INSTANTIATE_TEST_SUITE_P(
    Packs, PackMistake,
    testing::Values(
        Mistake{"pack: heat",
                "pack: heat!",
                {"c.yaml:29:18: asset lift-2: there is no pack heat; declare it in these files, or apply it first",
                 "c.yaml:34:13: plan care: there is no pack heat; declare it in these files, or apply it first",
                 "p.yaml:1:7: pack: \"pack\" is \"heat!\", which is no id; an id has 1 to 64 characters out of A-Z a-z "
                 "0-9 . _ / -"}},
        Mistake{"version: 1",
                "version: one",
                {"p.yaml:2:10: pack heat: \"version\" is \"one\"; expected a whole number from 1 to 1000000"}},
        Mistake{"rule: hot",
                "rull: hot",
                {"c.yaml:29:18: asset lift-2: pack heat has no rule hot",
                 "p.yaml:4:5: pack heat, rule: \"rule\" is missing; expected the rule's id, such as door-slowing",
                 "p.yaml:4:5: pack heat, rule: unknown key \"rull\"; did you mean rule?"}},
        Mistake{"model: lift/gen2",
                "model: lift/gen1",
                {"c.yaml:29:18: asset lift-2: rule hot watches model lift/gen1, and this asset is of model lift/gen2; "
                 "remove the parameter",
                 "p.yaml:5:12: pack heat: there is no model lift/gen1; did you mean lift/gen2?"}},
        Mistake{"when: temperature > limit",
                "wehn: temperature > limit",
                {"p.yaml:4:5: pack heat, rule hot: \"when\" is missing; expected a condition, such as "
                 "motor_temperature > 80 degC",
                 "p.yaml:7:5: pack heat, rule hot: unknown key \"wehn\"; did you mean when?"}},
        Mistake{"temperature > limit", "temprature > limit", {"p.yaml:7:11: pack heat: rule hot: *"}},
        Mistake{"when: temperature > limit",
                "when: |\n      temperature > limit &&\n      temprature > limit",
                {"p.yaml:9:7: pack heat: rule hot: *"}},
        Mistake{
            "when: temperature > limit", "when: \"temperature >\n      80 s\"", {"p.yaml:8:7: pack heat: rule hot: *"}},
        Mistake{"for: 10m",
                "for: 10 minutes",
                {"p.yaml:8:10: pack heat, rule hot: \"for\" is \"10 minutes\"; expected a duration such as 90s, 15m, "
                 "24h, 7d or 1h30m (units w d h m s ms, larger ones first, at most 100 years)"}},
        Mistake{
            "priority: P2",
            "priority: P5",
            {"p.yaml:10:17: pack heat, rule hot, work_order: \"priority\" is \"P5\"; expected one of P1, P2, P3, P4"}},
        Mistake{"      action: Look at the motor\n",
                "",
                {"p.yaml:10:7: pack heat, rule hot, work_order: \"action\" is missing; expected what is to be done, in "
                 "a sentence"}},
        Mistake{"quantity: 2",
                "quantity: 0",
                {"p.yaml:12:37: pack heat, rule hot, work_order, part: \"quantity\" is \"0\"; expected a whole number "
                 "from 1 to 100000"}},
        Mistake{"limit: 80",
                "Limit: 80",
                {"p.yaml:6:18: pack heat, rule hot: \"Limit\" cannot name a parameter; expected a-z first, then a-z, "
                 "0-9 and _",
                 "p.yaml:7:25: pack heat: rule hot: *"}},
        Mistake{"80 degC}", "80 degX}", {"p.yaml:6:28: pack heat: rule hot: *"}},
        Mistake{"version: 1\n",
                "version: 1\n\tx: y\n",
                {"p.yaml:3:1: a tab stands in the indentation; YAML allows blanks only: replace the tab by blanks"}}));

}  // namespace
}  // namespace fettle::catalog
