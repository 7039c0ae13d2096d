// What happens after a final invoice: bill = f(window to date) - already posted.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "billing/invoice.h"
#include "tests/billing/invoice_samples.h"
#include "tests/billing/zone_tables.h"

namespace fettle::billing {
namespace {

using namespace testing;
using Lines = std::vector<std::string>;

void set_price(ProposalInput& input, std::string_view band, std::string_view price) {
  std::get<StandardCharge>(input.subscriptions[0].charges[0].price).prices[std::string(band)] = decimal(price);
}

TEST(Correction, RunningTheSamePeriodTwiceAddsNothing) {
  ProposalInput input = sample();
  input.usage = {usage(input, "2026-02-01", "chiller-1", "day", 12'345),
                 usage(input, "2026-03-01", "chiller-2", "night", 777)};
  EXPECT_EQ(run(input).lines.size(), 8U);
  EXPECT_EQ(lines_of(input), Lines{});
}

TEST(Correction, LateUsageOfAnEarlierPeriodIsALineOfThatPeriodOnTheNextInvoice) {
  ProposalInput input = sample_of(energy());
  input.period = month(input, "2026-02-01");
  input.usage = {usage(input, "2026-02-01", "chiller-1", "day", 1'000)};
  run(input);
  input.period = month(input, "2026-03-01");
  input.usage = {usage(input, "2026-02-01", "chiller-1", "day", 1'240),
                 usage(input, "2026-03-01", "chiller-1", "day", 500)};
  EXPECT_EQ(
      lines_of(input),
      (Lines{"S1/energy/chiller-1/day 2026-02-01..2026-02-28 2.40 kWh x 0.25 = 0.60 EUR [Energy (day), correction] "
             "correction",
             "S1/energy/chiller-1/day 2026-03-01..2026-03-31 5.00 kWh x 0.25 = 1.25 EUR [Energy (day)]"}));
  run(input);
  EXPECT_EQ(lines_of(input), Lines{});
}

TEST(Correction, LateUsageOfABandNotBilledBeforeIsAnOrdinaryLineOfItsPeriod) {
  ProposalInput input = sample_of(energy());
  input.usage = {usage(input, "2026-02-01", "chiller-1", "night", 1'000)};
  EXPECT_EQ(lines_of(input),
            Lines{"S1/energy/chiller-1/night 2026-02-01..2026-02-28 10.00 kWh x 0.10 = 1.00 EUR [Energy (night)]"});
}

TEST(Correction, UsageThatVanishedIsCreditedWithANegativeQuantity) {
  ProposalInput input = sample_of(energy());
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 1'000)};
  run(input);
  const std::string credit =
      "S1/energy/chiller-1/day 2026-03-01..2026-03-31 -10.00 kWh x 0.25 = -2.50 EUR [Energy (day), correction] "
      "correction";
  ProposalInput zero = input;
  zero.usage[0].quantity = 0;
  EXPECT_EQ(lines_of(zero), Lines{credit});
  ProposalInput gone = input;
  gone.usage.clear();
  EXPECT_EQ(lines_of(gone), Lines{credit});

  const Proposal proposal = run(gone);
  EXPECT_EQ(proposal.lines[0].posted_quantity, -1'000);
  EXPECT_EQ(proposal.tax, euros("-0.48")) << "19 % of 2.50 is 0.475: the credit mirrors the charge";
  EXPECT_EQ(proposal.gross, euros("-2.98"));
  EXPECT_EQ(lines_of(gone), Lines{});
}

TEST(Correction, UsageThatComesBackIsBilledAgain) {
  ProposalInput input = sample_of(energy());
  const UsageTotal total = usage(input, "2026-03-01", "chiller-1", "day", 1'000);
  input.usage = {total};
  run(input);
  input.usage.clear();
  run(input);
  input.usage = {total};
  EXPECT_EQ(lines_of(input),
            Lines{"S1/energy/chiller-1/day 2026-03-01..2026-03-31 10.00 kWh x 0.25 = 2.50 EUR [Energy (day), "
                  "correction] correction"});
}

TEST(Correction, TheAmountIsThatOfTheTotalLessWhatWasPosted) {
  ProposalInput input = sample_of(energy());
  set_price(input, "day", "0.5");
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 1)};  // 0.01 kWh: 0.005, rounded to 0.01
  run(input);
  input.usage[0].quantity = 2;  // 0.01 in all
  EXPECT_EQ(lines_of(input),
            Lines{"S1/energy/chiller-1/day 2026-03-01..2026-03-31 0.01 kWh x 0.5 = 0.00 EUR [Energy (day), correction] "
                  "correction"});
  run(input);
  EXPECT_EQ(lines_of(input), Lines{});
  input.usage[0].quantity = 3;  // 0.015: 0.02 in all
  EXPECT_EQ(propose(input)->net, euros("0.01"));
}

TEST(Correction, AChangedPriceIsOnceTheDifference) {
  ProposalInput input = sample_of(energy());
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 1'000)};
  run(input);
  const std::string key = "S1/energy/chiller-1/day 2026-03-01..2026-03-31 ";
  const std::string title = " EUR [Energy (day), correction] correction";
  ProposalInput dearer = input;
  set_price(dearer, "day", "0.30");
  EXPECT_EQ(lines_of(dearer), Lines{key + "1 kWh x 0.50 = 0.50" + title});
  EXPECT_EQ(propose(dearer)->lines[0].posted_quantity, 0);
  ProposalInput cheaper = input;
  set_price(cheaper, "day", "0.20");
  EXPECT_EQ(lines_of(cheaper), Lines{key + "-1 kWh x 0.50 = -0.50" + title});

  // Price and quantity: 11 * 0.30 - 2.50. No product of a difference with a price, so once the amount as well.
  dearer.usage[0].quantity = 1'100;
  EXPECT_EQ(lines_of(dearer), Lines{key + "1 kWh x 0.80 = 0.80" + title});
  EXPECT_EQ(run(dearer).lines[0].posted_quantity, 100);
  EXPECT_EQ(lines_of(dearer), Lines{});
}

TEST(Correction, APriceThatIsGoneCreditsWhatWasPosted) {
  ProposalInput input = sample_of(energy());
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 1'000)};
  run(input);
  std::get<StandardCharge>(input.subscriptions[0].charges[0].price).prices.clear();
  input.usage.clear();
  EXPECT_EQ(lines_of(input),
            Lines{"S1/energy/chiller-1/day 2026-03-01..2026-03-31 -1 kWh x 2.50 = -2.50 EUR [Energy (day), correction] "
                  "correction"});
}

TEST(Correction, AChargeThatLeftThePlanIsCredited) {
  ProposalInput input = sample_of(service_fee());
  input.subscriptions[0].term.start = input.period.start;
  run(input);
  input.subscriptions[0].charges.clear();
  EXPECT_EQ(lines_of(input),
            Lines{"S1/fee/chiller-1 2026-03-01..2026-03-31 -1 month x 100.00 = -100.00 EUR [fee, correction] "
                  "correction"});
  EXPECT_EQ(run(input).lines[0].posted_quantity, -31);
  EXPECT_EQ(lines_of(input), Lines{});
}

TEST(Correction, AnAssetThatWasNeverSubscribedAfterAllIsCredited) {
  ProposalInput input = sample();
  input.subscriptions[0].charges = {service_fee()};
  input.subscriptions[0].term.start = input.period.start;
  run(input);
  input.subscriptions[0].assets = {"chiller-2"};
  EXPECT_EQ(lines_of(input),
            Lines{"S1/fee/chiller-1 2026-03-01..2026-03-31 -1 month x 100.00 = -100.00 EUR [Service fee, correction] "
                  "correction"});
}

TEST(Correction, ATermShortenedAfterTheFactIsCreditedByItsDaysInOneLine) {
  ProposalInput input = sample();
  input.subscriptions[0].assets = {"chiller-1"};
  input.subscriptions[0].term.start = input.period.start;
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 1'000)};
  run(input);
  input.subscriptions[0].term.end = input.zone.day_start(day("2026-03-15"));
  EXPECT_EQ(lines_of(input), Lines{"S1/fee/chiller-1 2026-03-01..2026-03-14 -1 month x 54.84 = -54.84 EUR [Service "
                                   "fee, 14 of 31 days, correction] correction"})
      << "the usage is the same, and no line";
  EXPECT_EQ(run(input).lines[0].posted_quantity, -17);
  EXPECT_EQ(lines_of(input), Lines{});
  input.subscriptions[0].term.end = Time::max();
  EXPECT_EQ(propose(input)->net, euros("54.84")) << "and lengthened again";
}

TEST(Correction, ATermThatNeverBeganCreditsEverything) {
  ProposalInput input = sample();
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 1'000)};
  const Proposal first = run(input);
  input.subscriptions[0].term.end = input.subscriptions[0].term.start;
  input.usage.clear();
  const Proposal second = run(input);
  EXPECT_EQ(second.lines.size(), first.lines.size());
  EXPECT_EQ(second.net.minor, -first.net.minor);
  EXPECT_EQ(second.tax.minor, -first.tax.minor);
  EXPECT_EQ(second.gross.minor, -first.gross.minor);
  EXPECT_EQ(lines_of(input), Lines{});
}

TEST(Correction, WhatLiesAfterThePeriodIsLeftAlone) {
  ProposalInput input = sample();
  input.usage = {usage(input, "2026-02-01", "chiller-1", "day", 100),
                 usage(input, "2026-03-01", "chiller-1", "day", 200)};
  run(input);
  input.period = month(input, "2026-02-01");
  EXPECT_EQ(lines_of(input), Lines{}) << "February again, after March was posted";
}

TEST(Correction, AFreeChargeThatChangesItsDaysIsALineOfZero) {
  ProposalInput input = sample_of({"fee", "Included", FixedCharge{decimal("0")}});
  input.subscriptions[0].term.start = input.period.start;
  run(input);
  input.subscriptions[0].term.end = input.zone.day_start(day("2026-03-15"));
  EXPECT_EQ(lines_of(input), Lines{"S1/fee/chiller-1 2026-03-01..2026-03-14 -1 month x 0.00 = 0.00 EUR [Included, 14 "
                                   "of 31 days, correction] correction"});
  run(input);
  EXPECT_EQ(lines_of(input), Lines{});
}

}  // namespace
}  // namespace fettle::billing
