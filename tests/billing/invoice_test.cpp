// First invoices: charges, terms, order, totals, and what is refused.

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "billing/invoice.h"
#include "tests/billing/invoice_samples.h"
#include "tests/billing/zone_tables.h"

namespace fettle::billing {
namespace {

using namespace testing;
using Lines = std::vector<std::string>;

TEST(Invoice, BillsEachBandAtItsPriceAndBandsWithoutOneAtTheCommonPrice) {
  ProposalInput input = sample_of(energy());
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 1'250),
                 usage(input, "2026-03-01", "chiller-1", "night", 1'250),
                 usage(input, "2026-03-01", "chiller-1", "", 5)};
  EXPECT_EQ(lines_of(input),
            (Lines{"S1/energy/chiller-1 2026-03-01..2026-03-31 0.05 kWh x 0.10 = 0.01 EUR [Energy]",
                   "S1/energy/chiller-1/day 2026-03-01..2026-03-31 12.50 kWh x 0.25 = 3.13 EUR [Energy (day)]",
                   "S1/energy/chiller-1/night 2026-03-01..2026-03-31 12.50 kWh x 0.10 = 1.25 EUR [Energy (night)]"}));
}

TEST(Invoice, BillsAFixedFeePerAssetAndMonth) {
  ProposalInput input = sample();
  input.subscriptions[0].term.start = month(input, "2026-03-01").start;
  EXPECT_EQ(lines_of(input),
            (Lines{"S1/fee/chiller-1 2026-03-01..2026-03-31 1 month x 100.00 = 100.00 EUR [Service fee]",
                   "S1/fee/chiller-2 2026-03-01..2026-03-31 1 month x 100.00 = 100.00 EUR [Service fee]"}));
  EXPECT_EQ(propose(input)->lines[0].posted_quantity, 31) << "fixed charges are posted in days";
}

TEST(Invoice, BillsEveryMonthSinceTheTermBegan) {
  EXPECT_EQ(lines_of(sample_of(service_fee())),
            (Lines{"S1/fee/chiller-1 2026-01-01..2026-01-31 1 month x 100.00 = 100.00 EUR [Service fee]",
                   "S1/fee/chiller-1 2026-02-01..2026-02-28 1 month x 100.00 = 100.00 EUR [Service fee]",
                   "S1/fee/chiller-1 2026-03-01..2026-03-31 1 month x 100.00 = 100.00 EUR [Service fee]"}));
}

TEST(Invoice, ProratesAPartOfAMonthByItsDays) {
  struct Row {
    std::string from;
    std::string to;  // the first day after the term
    Lines lines;
  };
  const std::string fee = "S1/fee/chiller-1 ";
  const std::vector<Row> rows = {
      {"2026-03-15",
       "2026-04-01",
       {fee + "2026-03-15..2026-03-31 1 month x 54.84 = 54.84 EUR [Service fee, 17 of 31 days]"}},
      {"2026-03-01",
       "2026-03-15",
       {fee + "2026-03-01..2026-03-14 1 month x 45.16 = 45.16 EUR [Service fee, 14 of 31 days]"}},
      {"2026-03-10",
       "2026-03-11",
       {fee + "2026-03-10..2026-03-10 1 month x 3.23 = 3.23 EUR [Service fee, 1 of 31 days]"}},
      // The night in which an hour is lost is a day as any other.
      {"2026-03-29",
       "2026-03-30",
       {fee + "2026-03-29..2026-03-29 1 month x 3.23 = 3.23 EUR [Service fee, 1 of 31 days]"}},
      {"2026-02-15",
       "2026-03-03",
       {fee + "2026-02-15..2026-02-28 1 month x 50.00 = 50.00 EUR [Service fee, 14 of 28 days]",
        fee + "2026-03-01..2026-03-02 1 month x 6.45 = 6.45 EUR [Service fee, 2 of 31 days]"}},
      {"2026-04-01", "2026-05-01", {}},
      {"2026-03-10", "2026-03-10", {}},
  };
  for (const Row& row : rows) {
    ProposalInput input = sample_of(service_fee());
    input.subscriptions[0].term = {input.zone.day_start(day(row.from)), input.zone.day_start(day(row.to))};
    EXPECT_EQ(lines_of(input), row.lines) << row.from << " to " << row.to;
  }
}

TEST(Invoice, ADayCountsForTheTermThatBeginsInIt) {
  ProposalInput before = sample_of(service_fee());
  ProposalInput after = sample_of(service_fee());
  const Time noon = utc("2026-03-15T11:00");
  before.subscriptions[0].term = {month(before, "2026-03-01").start, noon};
  after.subscriptions[0].term = {noon, Time::max()};
  EXPECT_EQ(propose(before)->lines.at(0).posted_quantity, 14);
  EXPECT_EQ(propose(after)->lines.at(0).posted_quantity, 17);

  ProposalInput within = sample_of(service_fee());
  within.subscriptions[0].term = {noon, noon + std::chrono::hours(5)};
  EXPECT_EQ(lines_of(within), Lines{}) << "no day begins in it, and none ends";
}

TEST(Invoice, AMeteredMonthIsCutByTheTerm) {
  ProposalInput input = sample_of(energy());
  input.subscriptions[0].term = {input.zone.day_start(day("2026-03-10")), input.zone.day_start(day("2026-03-20"))};
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 100)};
  EXPECT_EQ(lines_of(input),
            Lines{"S1/energy/chiller-1/day 2026-03-10..2026-03-19 1.00 kWh x 0.25 = 0.25 EUR [Energy (day)]"});
}

TEST(Invoice, PartsOfAMonthsUsageAreSummed) {
  ProposalInput whole = sample_of(energy());
  whole.usage = {usage(whole, "2026-03-01", "chiller-1", "day", 333)};
  ProposalInput parts = sample_of(energy());
  for (int hour = 0; hour < 333; ++hour) {
    const Time start = whole.period.start + std::chrono::hours(hour);
    parts.usage.push_back({"S1", "chiller-1", "chiller:energy", "day", {start, start + std::chrono::hours(1)}, 1});
  }
  EXPECT_EQ(lines_of(parts), lines_of(whole));
  EXPECT_EQ(lines_of(whole).size(), 1U);
}

TEST(Invoice, AQuantityOfZeroGivesNoLineAndNeedsNoPrice) {
  ProposalInput input = sample_of(energy());
  std::get<StandardCharge>(input.subscriptions[0].charges[0].price).prices.erase("");
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 0),
                 usage(input, "2026-03-01", "chiller-1", "night", 0)};
  EXPECT_EQ(lines_of(input), Lines{});
}

TEST(Invoice, APriceOfZeroStillShowsTheQuantity) {
  ProposalInput input = sample_of(energy());
  std::get<StandardCharge>(input.subscriptions[0].charges[0].price).prices["day"] = decimal("0");
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 100)};
  EXPECT_EQ(lines_of(input),
            Lines{"S1/energy/chiller-1/day 2026-03-01..2026-03-31 1.00 kWh x 0 = 0.00 EUR [Energy (day)]"});
}

TEST(Invoice, MetersThatNoChargeNamesCostNothingAndTwoChargesMayShareAMeter) {
  ProposalInput input = sample_of(energy());
  Charge levy = energy();
  levy.id = "levy";
  levy.title = "Levy";
  std::get<StandardCharge>(levy.price).prices = {{"", decimal("0.01")}};
  input.subscriptions[0].charges.push_back(levy);
  input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 1'000)};
  input.usage.push_back({"S1", "chiller-1", "chiller:starts", "", input.period, 77});
  EXPECT_EQ(lines_of(input),
            (Lines{"S1/energy/chiller-1/day 2026-03-01..2026-03-31 10.00 kWh x 0.25 = 2.50 EUR [Energy (day)]",
                   "S1/levy/chiller-1/day 2026-03-01..2026-03-31 10.00 kWh x 0.01 = 0.10 EUR [Levy (day)]"}));
}

TEST(Invoice, LinesAreInOrderOfSubscriptionAssetChargeBandAndPeriod) {
  ProposalInput input = sample();
  input.subscriptions.push_back(input.subscriptions[0]);
  input.subscriptions[1].id = "S0";
  input.subscriptions[1].charges = {service_fee()};
  input.subscriptions[1].assets = {"b", "a"};
  input.subscriptions[1].term.start = input.subscriptions[0].term.start = month(input, "2026-02-01").start;
  input.usage = {usage(input, "2026-03-01", "chiller-2", "day", 1), usage(input, "2026-03-01", "chiller-1", "night", 1),
                 usage(input, "2026-03-01", "chiller-1", "day", 1), usage(input, "2026-02-01", "chiller-1", "day", 1)};
  Lines keys;
  for (const std::string& line : lines_of(input)) keys.push_back(line.substr(0, line.find(" 1 month")));
  for (std::string& key : keys) key = key.substr(0, key.find("..")).substr(0, key.find(" 0.01"));
  EXPECT_EQ(keys, (Lines{"S0/fee/a 2026-02-01", "S0/fee/a 2026-03-01", "S0/fee/b 2026-02-01", "S0/fee/b 2026-03-01",
                         "S1/energy/chiller-1/day 2026-02-01", "S1/energy/chiller-1/day 2026-03-01",
                         "S1/energy/chiller-1/night 2026-03-01", "S1/fee/chiller-1 2026-02-01",
                         "S1/fee/chiller-1 2026-03-01", "S1/energy/chiller-2/day 2026-03-01",
                         "S1/fee/chiller-2 2026-02-01", "S1/fee/chiller-2 2026-03-01"}));
}

TEST(Invoice, TaxIsTakenOfTheSumAndNotOfEachLine) {
  ProposalInput input = sample();
  input.subscriptions[0].charges = {energy()};
  // 0.01 each: 19 % of a cent is nothing, of six cents it is one.
  for (const char* asset : {"chiller-1", "chiller-2"}) {
    for (const char* band : {"a", "b", "c"}) input.usage.push_back(usage(input, "2026-03-01", asset, band, 10));
  }
  const Proposal proposal = propose(input).value();
  ASSERT_EQ(proposal.lines.size(), 6U);
  EXPECT_EQ(proposal.net, euros("0.06"));
  EXPECT_EQ(proposal.tax, euros("0.01"));
  EXPECT_EQ(proposal.gross, euros("0.07"));
  ASSERT_EQ(proposal.vat.size(), 1U);
  EXPECT_EQ(proposal.vat[0].vat.category, "S");
  EXPECT_TRUE(equals(proposal.vat[0].vat.percent, decimal("19")));
  EXPECT_EQ(proposal.vat[0].base, proposal.net);
  EXPECT_EQ(proposal.vat[0].tax, proposal.tax);
  EXPECT_EQ(proposal.period, input.period);
}

TEST(Invoice, WhereNothingIsOwedThereAreNoLinesNoTaxAndZeroTotalsInTheCurrency) {
  const Proposal proposal = propose(sample_of(energy())).value();
  EXPECT_TRUE(proposal.lines.empty());
  EXPECT_TRUE(proposal.vat.empty());
  for (const Money& total : {proposal.net, proposal.tax, proposal.gross}) EXPECT_EQ(total, euros("0"));
}

TEST(Invoice, RoundsToTheCurrency) {
  struct Row {
    std::string code;
    std::string fee;
    std::string usage;
  };
  for (const Row& row : std::vector<Row>{{"JPY", "55", "3"}, {"EUR", "54.84", "3.13"}, {"KWD", "54.839", "3.125"}}) {
    ProposalInput input = sample();
    input.currency = Currency::of(row.code).value();
    input.subscriptions[0].assets = {"chiller-1"};
    input.subscriptions[0].term.start = input.zone.day_start(day("2026-03-15"));
    input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 1'250)};
    const Proposal proposal = propose(input).value();
    ASSERT_EQ(proposal.lines.size(), 2U);
    EXPECT_EQ(to_string(proposal.lines[0].amount), row.usage + " " + row.code);
    EXPECT_EQ(to_string(proposal.lines[1].amount), row.fee + " " + row.code);
  }
}

TEST(Invoice, MonthsAreThoseOfTheCustomersZone) {
  struct Row {
    std::string name;
    Zone zone;
    std::string month_start;
    std::string month_end;
  };
  const std::vector<Row> rows = {{"Berlin", berlin(), "2026-02-28T23:00", "2026-03-31T22:00"},
                                 {"Seoul", seoul(), "2026-02-28T15:00", "2026-03-31T15:00"},
                                 {"Kolkata", kolkata(), "2026-02-28T18:30", "2026-03-31T18:30"},
                                 {"Lord Howe", lord_howe(), "2026-02-28T13:00", "2026-03-31T13:00"},
                                 {"New York", new_york(), "2026-03-01T05:00", "2026-04-01T04:00"}};
  for (const Row& row : rows) {
    ProposalInput input = sample();
    input.zone = row.zone;
    input.period = {utc(row.month_start), utc(row.month_end)};
    input.subscriptions[0].assets = {"chiller-1"};
    input.subscriptions[0].term.start = input.period.start;
    const auto one = std::chrono::milliseconds(1);
    const auto last =
        UsageTotal{"S1", "chiller-1", "chiller:energy", "", {input.period.end - one, input.period.end}, 100};
    auto next = last;
    next.period = {input.period.end, input.period.end + one};
    next.quantity = 5'000;  // of April: not due
    input.usage = {last, next};
    EXPECT_EQ(lines_of(input),
              (Lines{"S1/energy/chiller-1 2026-03-01..2026-03-31 1.00 kWh x 0.10 = 0.10 EUR [Energy]",
                     "S1/fee/chiller-1 2026-03-01..2026-03-31 1 month x 100.00 = 100.00 EUR [Service fee]"}))
        << row.name;
    input.period.end += one;
    EXPECT_EQ(propose(input).error().code, Error::Code::invalid) << row.name;
  }
}

TEST(Invoice, ABandWithoutAPriceIsNamedWithItsPlanAndMeter) {
  ProposalInput input = sample_of(energy());
  std::get<StandardCharge>(input.subscriptions[0].charges[0].price).prices.erase("");
  input.usage = {usage(input, "2026-03-01", "chiller-1", "night", 100)};
  const auto proposal = propose(input);
  ASSERT_TRUE(proposal.has_error());
  EXPECT_EQ(proposal.error().code, Error::Code::missing);
  for (const char* part : {"S1", "Cooling", "chiller:energy", "\"night\"", "energy"}) {
    EXPECT_NE(proposal.error().message.find(part), std::string::npos) << proposal.error().message;
  }
}

struct Refusal {
  std::string name;
  std::string part_of_message;
  void (*change)(ProposalInput&);
};

TEST(Invoice, InputThatContradictsItselfIsRefused) {
  using In = ProposalInput;
  const std::vector<Refusal> refusals = {
      {"not a month", "calendar month", [](In& in) { in.period.end += Duration(1); }},
      {"a month of another zone", "calendar month", [](In& in) { in.zone = seoul(); }},
      {"two months", "calendar month", [](In& in) { in.period.end = month(in, "2026-04-01").end; }},
      {"a negative VAT rate", "-19 %", [](In& in) { in.vat.percent = decimal("-19"); }},
      {"a subscription twice", "S1 is given twice", [](In& in) { in.subscriptions.push_back(in.subscriptions[0]); }},
      {"a charge twice", "charge energy twice", [](In& in) { in.subscriptions[0].charges.push_back(energy()); }},
      {"a term that ends before it begins", "ends before it begins",
       [](In& in) { in.subscriptions[0].term.end = in.subscriptions[0].term.start - Duration(1); }},
      {"a term from the beginning of time", "100 years", [](In& in) { in.subscriptions[0].term.start = Time::min(); }},
      {"a negative price", "charge energy has the price -0.25",
       [](In& in) { std::get<StandardCharge>(in.subscriptions[0].charges[0].price).prices["day"] = decimal("-0.25"); }},
      {"a negative fee", "charge fee has the price -1",
       [](In& in) { in.subscriptions[0].charges[1].price = FixedCharge{decimal("-1")}; }},
      {"a quantity scale beyond 12", "at most 12",
       [](In& in) { std::get<StandardCharge>(in.subscriptions[0].charges[0].price).quantity_scale = 13; }},
      {"usage of an unknown subscription", "S9, which is not given", [](In& in) { in.usage[0].subscription = "S9"; }},
      {"usage of an asset not subscribed", "not one of the subscription's",
       [](In& in) { in.usage[0].asset = "chiller-9"; }},
      {"usage across two months", "another month", [](In& in) { in.usage[0].period.end += Duration(1); }},
      {"usage of no time", "is empty", [](In& in) { in.usage[0].period.end = in.usage[0].period.start; }},
      {"usage before the term", "outside of the subscription's term",
       [](In& in) { in.usage[0].period = month(in, "2025-12-01"); }},
      {"a posted line of an unknown subscription", "S9, which is not given",
       [](In& in) {
         in.posted[{"S9", "fee", "chiller-1", "", in.period}] = {31, euros("100")};
       }},
      {"posted in another currency", "two currencies",
       [](In& in) {
         in.posted[{"S1", "fee", "chiller-1", "", in.period}] = {31, {100, Currency::of("JPY").value()}};
       }},
  };
  for (const Refusal& refusal : refusals) {
    ProposalInput input = sample();
    input.usage = {usage(input, "2026-03-01", "chiller-1", "day", 100)};
    ASSERT_TRUE(propose(input).has_value()) << "before the change";
    refusal.change(input);
    const auto proposal = propose(input);
    ASSERT_TRUE(proposal.has_error()) << refusal.name;
    EXPECT_EQ(proposal.error().code, Error::Code::invalid) << refusal.name;
    EXPECT_NE(proposal.error().message.find(refusal.part_of_message), std::string::npos)
        << refusal.name << ": " << proposal.error().message;
  }
}

TEST(Invoice, OverflowIsReportedWhereverItArises) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  using In = ProposalInput;
  const std::vector<Refusal> refusals = {
      {"the sum of a quantity", "the quantity of meter chiller:energy",
       [](In& in) {
         in.usage = {in.usage[0], in.usage[0]};
       }},
      {"quantity times price", "* 1000000000",
       [](In& in) {
         std::get<StandardCharge>(in.subscriptions[0].charges[0].price).prices["day"] = decimal("1000000000");
       }},
      {"a fee", "* 31 / 31",
       [](In& in) {
         in.subscriptions[0].charges[1].price = FixedCharge{{kLargest, 0}};
       }},
      {"the sum of the lines", "+",
       [](In& in) {
         in.subscriptions[0].charges[1].price = FixedCharge{{kLargest, 2}};
       }},
      {"the tax", "% of", [](In& in) { in.vat.percent = decimal("10000"); }},
      {"net and tax", "+",
       [](In& in) {
         in.vat.percent = decimal("100");
         in.usage.clear();
         in.subscriptions[0].charges[1].price = FixedCharge{{kLargest / 12 * 2, 2}};
       }},
      {"what was posted", "+",
       [](In& in) {
         in.posted[{"S1", "fee", "chiller-1", "", in.period}] = {31, {kLargest, in.currency}};
         Period part = in.period;
         part.end -= Duration(1);
         in.posted[{"S1", "fee", "chiller-1", "", part}] = {31, {kLargest, in.currency}};
       }},
      {"the posted quantity", "the quantity posted",
       [](In& in) {
         in.posted[{"S1", "fee", "chiller-1", "", in.period}] = {kLargest, {0, in.currency}};
         Period part = in.period;
         part.end -= Duration(1);
         in.posted[{"S1", "fee", "chiller-1", "", part}] = {1, {0, in.currency}};
       }},
      {"the difference of quantities", "the quantity to correct",
       [](In& in) {
         in.posted[{"S1", "energy", "chiller-1", "day", in.period}] = {-1, {0, in.currency}};
       }},
      {"the difference of amounts", "-",
       [](In& in) {
         in.posted[{"S1", "fee", "chiller-1", "", in.period}] = {31, {-kLargest, in.currency}};
       }},
  };
  for (const Refusal& refusal : refusals) {
    ProposalInput input = sample();
    input.usage = {usage(input, "2026-03-01", "chiller-1", "day", kLargest)};
    ASSERT_TRUE(propose(input).has_value()) << "before the change";
    refusal.change(input);
    const auto proposal = propose(input);
    ASSERT_TRUE(proposal.has_error()) << refusal.name;
    EXPECT_EQ(proposal.error().code, Error::Code::overflow) << refusal.name << ": " << proposal.error().message;
    EXPECT_NE(proposal.error().message.find(refusal.part_of_message), std::string::npos)
        << refusal.name << ": " << proposal.error().message;
  }
}

}  // namespace
}  // namespace fettle::billing
