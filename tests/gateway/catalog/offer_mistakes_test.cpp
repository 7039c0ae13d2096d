// A tour of mistakes in what is sold: plans and subscriptions. mistakes_test.cpp has the rest.

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

class OfferMistake : public testing::TestWithParam<Mistake> {};

TEST_P(OfferMistake, IsReportedAtItsPlace) {
  const Mistake& mistake = GetParam();
  EXPECT_TRUE(same_faults(
      faults_of({{"c.yaml", replaced(sample_catalog(), mistake.from, mistake.to)}, {"p.yaml", sample_pack()}}),
      mistake.faults));
}

INSTANTIATE_TEST_SUITE_P(
    Plans, OfferMistake,
    testing::Values(
        Mistake{
            "seller: demo", "seller: dmeo", {"c.yaml:32:13: plan care: there is no seller dmeo; did you mean demo?"}},
        Mistake{"packs: [heat]",
                "packs: [heat, haet]",
                {"c.yaml:34:19: plan care: there is no pack haet; did you mean heat?"}},
        Mistake{"packs: [heat]",
                "packs: [heat, heat]",
                {"c.yaml:34:19: plan care: \"packs\" names heat twice; remove one of the two"}},
        Mistake{"amount: 49.00",
                "amount: 49.001",
                {"c.yaml:36:41: plan care, charge base: \"amount\" is 49.001; EUR has 2 decimals"}},
        Mistake{"amount: 49.00",
                "amount: -49",
                {"c.yaml:36:41: plan care, charge base: \"amount\" is -49; expected an amount per asset and month of 0 "
                 "or more, such as 49.00"}},
        Mistake{
            "amount: 49.00",
            "price: 49.00",
            {"c.yaml:36:9: plan care, charge base: \"amount\" is missing; expected an amount per asset and month of 0 "
             "or more, such as 49.00",
             "c.yaml:36:33: plan care, charge base: unknown key \"price\"; the keys here are id, title, kind, amount"}},
        Mistake{"kind: fixed",
                "kind: monthly",
                {"c.yaml:36:26: plan care, charge base: \"kind\" is \"monthly\"; expected one of standard, fixed"}},
        Mistake{"price: 0.32",
                "price: 0,32",
                {"c.yaml:37:74: plan care, charge energy: unknown key \"32\"; the keys here are id, title, kind, "
                 "meter, price, prices"}},
        Mistake{", price: 0.32",
                "",
                {"c.yaml:37:46: plan care, charge energy: has no price; expected \"price\", or \"prices\" with one for "
                 "each band of the meter"}},
        Mistake{"price: 0.32",
                "prices: {low: 0.3, other: 1}",
                {"c.yaml:37:74: plan care: charge energy has a price for the band low, but meter lift/gen2:energy has "
                 "no dimension; write one price: instead of prices",
                 "c.yaml:37:84: plan care: charge energy has a price for the band other, but meter lift/gen2:energy "
                 "has no dimension; write one price: instead of prices"}},
        Mistake{"low: 0.10, high: 0.20",
                "low: 0.10, hihg: 0.20",
                {"c.yaml:38:73: plan care: charge pulses has no price for the band high; add it, or price: for all "
                 "bands without their own",
                 "c.yaml:38:85: plan care: charge pulses has a price for the band hihg, which is no state of band; did "
                 "you mean high?"}},
        Mistake{"low: 0.10, high: 0.20",
                "low: 0.10",
                {"c.yaml:38:73: plan care: charge pulses has no price for the band high; add it, or price: for all "
                 "bands without their own"}},
        Mistake{"lift/gen2:energy\"",
                "lift/gen2:energi\"",
                {"c.yaml:37:46: plan care: charge energy: model lift/gen2 has no meter energi; did you mean energy?"}},
        Mistake{"lift/gen2:energy\"",
                "lift/gen1:energy\"",
                {"c.yaml:37:46: plan care: there is no model lift/gen1; did you mean lift/gen2?"}},
        Mistake{"lift/gen2:energy\"",
                "energy\"",
                {"c.yaml:37:46: plan care: charge energy: \"meter\" is energy; expected model:meter, such as "
                 "lift/gen2:energy"}},
        Mistake{"id: base",
                "id: energy",
                {"c.yaml:37:9: plan care: the charge energy is declared twice; remove or rename one of the two"}}));

INSTANTIATE_TEST_SUITE_P(
    Subscriptions, OfferMistake,
    testing::Values(
        Mistake{"customer: acme, plan: care",
                "customer: acne, plan: caer",
                {"c.yaml:40:31: subscription acme-care: there is no customer acne; did you mean acme?",
                 "c.yaml:40:43: subscription acme-care: there is no plan caer; did you mean care?"}},
        Mistake{"assets: [lift-1, lift-2]",
                "assets: [lift-1, lift-3]",
                {"c.yaml:40:66: subscription acme-care: there is no asset lift-3; did you mean lift-1?"}},
        Mistake{"assets: [lift-1, lift-2]",
                "assets: [lift-1, lift-1]",
                {"c.yaml:40:66: subscription acme-care: \"assets\" names lift-1 twice; remove one of the two"}},
        Mistake{"assets: [lift-1, lift-2]",
                "assets: []",
                {"c.yaml:40:57: subscription acme-care: \"assets\" is empty; expected a list of assets' ids"}},
        Mistake{"start: 2026-01-01}",
                "start: January}",
                {"c.yaml:40:82: subscription acme-care: \"start\": \"January\" is no date; expected a date such as "
                 "2026-01-31, or a time with its zone such as 2026-01-31T06:00:00Z or ...+01:00"}},
        Mistake{"start: 2026-01-01}",
                "start: 2026-01-01, end: 2026-01-01}",
                {"c.yaml:40:99: subscription acme-care: ends at 2025-12-31T23:00:00Z, not after its start "
                 "2025-12-31T23:00:00Z; \"end\" is the first day that is no longer covered"}},
        Mistake{"start: 2026-01-01}",
                "start: 1980-01-01}",
                {"c.yaml:40:82: subscription acme-care: \"start\" lies before 1990-01-02; expected a later day"}},
        Mistake{"start: 2026-01-01}",
                "start: 2026-01-01}\n  - {id: twice, customer: acme, plan: care, assets: [lift-2], start: 2026-06-01}",
                {"c.yaml:41:54: subscription twice: asset lift-2 is covered from 2026-05-31T22:00:00Z on, but "
                 "subscription acme-care covers it from 2025-12-31T23:00:00Z on; an asset has one subscription at a "
                 "time: end one before the other starts"}},
        Mistake{"    model: lift/gen2\n    customer: acme\n",
                "    model: lift/gen2\n",
                {"c.yaml:39:66: subscription acme-care: asset lift-2 belongs to no customer, not to customer acme; "
                 "correct the asset's customer, or end the subscription in favour of one of its owner"}},
        Mistake{"zone: Europe/Berlin, currency: EUR",
                "zone: Europe/Berlin, currency: USD",
                {"c.yaml:40:43: subscription acme-care: plan care is priced in EUR, but customer acme is invoiced in "
                 "USD; give them one currency, or take another plan"}}));

}  // namespace
}  // namespace fettle::catalog
