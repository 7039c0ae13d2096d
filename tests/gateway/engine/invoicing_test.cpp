// Invoice runs over the engine: which months, in which order, draft or final, under which number, and what comes later.

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/gateway/engine/contents.h"
#include "tests/gateway/engine/tape.h"

namespace fettle::engine::trial {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

Time day(int year, unsigned month, unsigned of_month) {
  return std::chrono::sys_days(std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(of_month));
}

const Time kJanuary = day(2026, 1, 1);
const Time kFebruary = day(2026, 2, 1);
const Time kMarch = day(2026, 3, 1);
const Time kApril = day(2026, 4, 1);

class Invoices : public testing::Test {
 protected:
  // Asset a of customer c, subscribed from January on.
  void plant() {
    tape.catalog(kJanuary, model_text() + parties_text("UTC") + asset_text("a") + plan_text() +
                               subscription_text("sub", "a", kJanuary, 0));
  }
  void pulse(Time received, Time at, std::string_view value) {
    tape.telemetry(received, "a", json_of(at, "pulse", value));
  }
  void energy(Time received, Time at, std::string_view value) {
    tape.telemetry(received, "a", json_of(at, "energy", value));
  }
  // A bill until a day, asked for on that day.
  void bill(Time until) { tape.run_invoices(until, until); }

  void run() {
    store = store::MemoryStore();
    answers.clear();
    for (const auto& answer : play_all(store, tape, at_random(5))) {
      const auto value = boost::json::parse(answer.outcome.text);
      if (value.as_object().contains("invoices")) answers.push_back(value.as_object());
    }
  }
  const InvoiceRow& invoice(const std::string& id) const { return store.invoices().at(id); }
  std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (const auto& [id, row] : store.invoices()) all.push_back(id);
    return all;
  }
  using Ids = std::vector<std::string>;

  Tape tape;
  store::MemoryStore store;
  std::vector<boost::json::object> answers;
};

TEST_F(Invoices, AMonthIsBilledLineByLineWithWhatItRestsOn) {
  plant();
  energy(kJanuary, kJanuary, "0");
  pulse(kJanuary + days(3), kJanuary + days(3), "1.5");
  energy(kJanuary + days(10), kJanuary + days(10), "12.34");
  energy(kFebruary + days(1), kFebruary, "12.34");
  bill(kFebruary + days(3));
  run();
  ASSERT_EQ(ids(), Ids{"S-2026-000001"});
  const InvoiceRow& made = invoice("S-2026-000001");
  EXPECT_TRUE(made.final);
  EXPECT_EQ(made.number_index, 1U);
  EXPECT_EQ(made.number_year, 2026);
  EXPECT_EQ(made.period_start, kJanuary);
  EXPECT_EQ(made.period_end, kFebruary);
  EXPECT_EQ(made.issued_at, kFebruary + days(3));
  EXPECT_EQ(made.zone, "UTC");
  EXPECT_EQ(made.currency, "EUR");
  EXPECT_EQ(made.waiting_for, "");
  EXPECT_EQ(boost::json::parse(made.seller_snapshot).at("name"), "Seller");
  EXPECT_EQ(boost::json::parse(made.customer_snapshot).at("name"), "Customer");
  ASSERT_EQ(made.lines.size(), 3U);
  const InvoiceLineRow& base = made.lines[0];
  EXPECT_EQ(base.charge + ' ' + base.quantity + ' ' + base.unit + ' ' + base.unit_price, "base 1 month 30.00");
  EXPECT_TRUE(base.usage.empty());
  const InvoiceLineRow& drawn = made.lines[1];
  EXPECT_EQ(drawn.meter + ' ' + drawn.quantity + ' ' + drawn.unit + ' ' + drawn.unit_price, "drawn 12.34 kWh 2.50");
  EXPECT_EQ(drawn.amount, 3085);
  EXPECT_EQ(drawn.posted_quantity, 1234);
  std::int64_t frozen = 0;
  for (const FrozenUsage& usage : drawn.usage) frozen += usage.quantity;
  EXPECT_EQ(frozen, 1234);
  EXPECT_EQ(drawn.usage.front().first_reading, kJanuary);
  const InvoiceLineRow& pulsed = made.lines[2];
  EXPECT_EQ(pulsed.meter + ' ' + pulsed.quantity + ' ' + pulsed.unit_price, "pulsed 1.5 0.40");
  EXPECT_EQ(made.net, 3000 + 3085 + 60);
  EXPECT_EQ(made.tax, 1229);
  EXPECT_EQ(made.gross, made.net + made.tax);
  ASSERT_EQ(made.vat.size(), 1U);
  EXPECT_EQ(made.vat[0].category + made.vat[0].percent, "S20");
}

TEST_F(Invoices, AMonthStaysADraftUntilItsGraceIsOver) {
  plant();
  bill(kFebruary + days(2) - std::chrono::milliseconds(1));
  run();
  ASSERT_EQ(ids(), Ids{"draft/s/c/EUR/2026-01-01"});
  EXPECT_FALSE(invoice(ids()[0]).final);
  EXPECT_EQ(invoice(ids()[0]).waiting_for, "the end of the grace for late readings");
  EXPECT_EQ(answers[0].at("invoices").at(0).at("waiting_for"), "the end of the grace for late readings");
  EXPECT_EQ(invoice(ids()[0]).number_index, 0U);
}

TEST_F(Invoices, AMonthWaitsForItsRegistersAndThoseAfterItWaitToo) {
  plant();
  energy(kJanuary, kJanuary, "0");
  energy(kFebruary, kFebruary - minutes(1), "5");
  bill(kFebruary + days(9));
  run();
  ASSERT_EQ(ids(), Ids{"draft/s/c/EUR/2026-01-01"});
  EXPECT_EQ(invoice(ids()[0]).waiting_for, "a reading of meter drawn of asset a past the period's end");

  energy(kFebruary + days(9), kFebruary, "5");
  bill(kFebruary + days(9));
  run();
  EXPECT_EQ(ids(), Ids{"S-2026-000001"}) << "the draft is gone";
}

TEST_F(Invoices, AtTheLongestGraceAMonthBecomesFinalWithoutItsRegisters) {
  plant();
  bill(kFebruary + days(10));
  run();
  EXPECT_EQ(ids(), Ids{"S-2026-000001"});
}

TEST_F(Invoices, MonthsAreBilledInOrderAndTheNewestWaits) {
  plant();
  energy(kApril, kApril, "1");
  bill(kApril + days(1));
  run();
  EXPECT_EQ(ids(), (Ids{"S-2026-000001", "S-2026-000002", "draft/s/c/EUR/2026-03-01"}));
  EXPECT_EQ(invoice("S-2026-000001").period_start, kJanuary);
  EXPECT_EQ(invoice("S-2026-000002").period_start, kFebruary);
}

TEST_F(Invoices, RunningTheSamePeriodTwiceAddsNothing) {
  plant();
  pulse(kJanuary + days(3), kJanuary + days(3), "1.5");
  bill(kMarch + days(20));
  run();
  const auto once = contents_of(store);
  EXPECT_EQ(answers.back().at("invoices").as_array().size(), 2U);
  bill(kMarch + days(20));
  bill(kMarch + days(20));
  run();
  EXPECT_EQ(difference(once, contents_of(store)), "");
  EXPECT_TRUE(answers.back().at("invoices").as_array().empty());
}

TEST_F(Invoices, RunningOftenGivesTheSameFinalsAsRunningOnce) {
  plant();
  const auto usage = [&](Tape& into, Time at) {
    into.telemetry(at, "a", json_of(at - hours(5), "pulse", "0.7"));
    into.telemetry(at, "a", json_of(at, "energy", std::to_string((at - kJanuary) / hours(24))));
  };
  const Tape empty = tape;
  Tape seldom = empty;
  for (Time at = kJanuary; at < kApril + days(11); at += days(1)) {
    usage(tape, at);
    tape.run_invoices(at, at);
    usage(seldom, at);
  }
  seldom.run_invoices(kApril + days(11), kApril + days(11));
  run();
  const auto often = store.invoices();
  tape = seldom;
  run();
  ASSERT_EQ(often.size(), 3U);
  ASSERT_EQ(store.invoices().size(), 3U);
  for (const auto& [id, row] : store.invoices()) {
    EXPECT_EQ(often.at(id).gross, row.gross);
    EXPECT_EQ(often.at(id).lines.size(), row.lines.size());
  }
}

TEST_F(Invoices, LateUsageAfterAFinalComesAsACorrectionOnTheNextInvoice) {
  plant();
  pulse(kJanuary + days(3), kJanuary + days(3), "1.5");
  bill(kFebruary + days(10));
  pulse(kFebruary + days(11), kJanuary + days(4), "1.0");
  bill(kFebruary + days(12));
  run();
  EXPECT_EQ(ids(), Ids{"S-2026-000001"}) << "it waits for the next month";
  bill(kMarch + days(10));
  run();
  ASSERT_EQ(ids(), (Ids{"S-2026-000001", "S-2026-000002"}));
  const InvoiceRow& next = invoice("S-2026-000002");
  ASSERT_EQ(next.lines.size(), 2U);
  const InvoiceLineRow& correction = next.lines[1];
  EXPECT_TRUE(correction.correction);
  EXPECT_EQ(correction.period_start, kJanuary);
  EXPECT_EQ(correction.posted_quantity, 10);
  EXPECT_EQ(correction.amount, 40);
  EXPECT_EQ(correction.usage.size(), 2U) << "all that the corrected quantity rests on";
}

TEST_F(Invoices, CreditsThatOutweighTheChargesWaitForTheNextMonthAndAreTakenIntoIt) {
  tape.catalog(kJanuary, model_text() + parties_text("UTC") + asset_text("a") + R"(entries { plan { id: "full"
      seller: "s" currency: "EUR" charges { id: "pulsed" title: "Pulses" kind: STANDARD meter: "press/m1:pulsed"
      prices { price: "1.00" } } } })" +
                             subscription_text("sub", "a", kJanuary, 0));
  pulse(kJanuary + days(3), kJanuary + days(3), "10");
  bill(kFebruary + days(10));
  pulse(kFebruary + days(11), kJanuary + days(4), "-8");
  pulse(kFebruary + days(11), kFebruary + days(4), "3");
  bill(kMarch + days(10));
  run();
  ASSERT_EQ(ids(), (Ids{"S-2026-000001", "draft/s/c/EUR/2026-02-01"}));
  EXPECT_EQ(invoice("draft/s/c/EUR/2026-02-01").waiting_for, "charges that outweigh its credits");
  EXPECT_EQ(invoice("draft/s/c/EUR/2026-02-01").net, -500);

  pulse(kMarch + days(10), kMarch + days(4), "9");
  bill(kApril + days(10));
  run();
  ASSERT_EQ(ids(), (Ids{"S-2026-000001", "S-2026-000002"}));
  EXPECT_EQ(invoice("S-2026-000002").net, 400);
  EXPECT_EQ(invoice("S-2026-000002").lines.size(), 3U);
}

TEST_F(Invoices, FinalsAreNumberedWithoutGapsPerSellerAndYear) {
  plant();
  tape.catalog(kJanuary, R"(entries { customer { id: "d" name: "Other" country: "AA" currency: "EUR" zone: "UTC" } }
    entries { asset { id: "e" model: "press/m1" customer: "d" } }
    entries { seller { id: "t" name: "Second" country: "AA" invoice_prefix: "T"
              vat_rates { country: "AA" category: "S" percent: "10" } } }
    entries { plan { id: "plain" seller: "t" currency: "EUR"
              charges { id: "base" title: "Base" kind: FIXED amount: "1.00" } } }
    entries { subscription { id: "sub-d" customer: "d" plan: "full" assets: "e" start_ms: )" +
                             std::to_string(ms(kJanuary)) + R"( } }
    entries { subscription { id: "sub-t" customer: "c" plan: "plain" assets: "a" start_ms: )" +
                             std::to_string(ms(kJanuary)) + " } }");
  bill(kMarch + days(10));
  tape.run_invoices(day(2027, 1, 1), kApril + days(10));
  run();
  EXPECT_EQ(ids(), (Ids{"S-2026-000001", "S-2026-000002", "S-2026-000003", "S-2026-000004", "S-2027-000001",
                        "S-2027-000002", "T-2026-000001", "T-2026-000002", "T-2027-000001"}));
}

TEST_F(Invoices, TwoSellersOfOneCustomerHaveDraftsOfTheirOwn) {
  plant();
  tape.catalog(kJanuary, R"(entries { seller { id: "t" name: "Second" country: "AA" invoice_prefix: "T"
              grace_ms: 999999999 vat_rates { country: "AA" category: "S" percent: "10" } } }
    entries { plan { id: "plain" seller: "t" currency: "EUR"
              charges { id: "base" title: "Base" kind: FIXED amount: "1.00" } } }
    entries { subscription { id: "sub-t" customer: "c" plan: "plain" assets: "a" start_ms: )" +
                             std::to_string(ms(kJanuary)) + " } }");
  bill(kFebruary);
  run();
  EXPECT_EQ(ids(), (Ids{"draft/s/c/EUR/2026-01-01", "draft/t/c/EUR/2026-01-01"}));
}

TEST_F(Invoices, AMissingVatRateIsReportedAndTheOthersAreBilled) {
  plant();
  tape.catalog(kJanuary, R"(entries { customer { id: "b" name: "Abroad" country: "ZZ" currency: "EUR" zone: "UTC" } }
    entries { asset { id: "e" model: "press/m1" customer: "b" } }
    entries { subscription { id: "sub-b" customer: "b" plan: "full" assets: "e" start_ms: )" +
                             std::to_string(ms(kJanuary)) + " } }");
  bill(kFebruary + days(10));
  run();
  EXPECT_EQ(ids(), Ids{"S-2026-000001"});
  ASSERT_EQ(answers[0].at("problems").as_array().size(), 1U);
  EXPECT_EQ(answers[0].at("problems").at(0),
            "customer b: seller s has no VAT rate for country ZZ; add one to its vat_rates");
}

TEST_F(Invoices, AMissingPriceIsReportedAndBilledOnceItIsThere) {
  plant();
  const auto plan_with = [](std::string_view prices) {
    return R"(entries { plan { id: "full" title: "Full" seller: "s" currency: "EUR" charges { id: "pulsed"
               title: "Pulses" kind: STANDARD meter: "press/m1:pulsed" )" +
           std::string(prices) + " } } }";
  };
  tape.catalog(kJanuary, plan_with(R"(prices { band: "day" price: "1.00" })"));
  pulse(kJanuary + days(3), kJanuary + days(3), "2");
  bill(kFebruary + days(10));
  run();
  EXPECT_TRUE(ids().empty());
  const std::string problem(answers[0].at("problems").at(0).as_string());
  EXPECT_NE(problem.find("customer c: "), std::string::npos);
  EXPECT_NE(problem.find("meter press/m1:pulsed has no price for band \"\""), std::string::npos) << problem;
  tape.catalog(kFebruary + days(10), plan_with(R"(prices { price: "3.00" })"));
  bill(kFebruary + days(10));
  run();
  ASSERT_EQ(ids(), Ids{"S-2026-000001"});
  EXPECT_EQ(invoice("S-2026-000001").net, 600);
}

TEST_F(Invoices, AMeterThatCountsInTensIsBilledInOnes) {
  tape.catalog(kJanuary, R"(entries { model { id: "press/m1"
      signals { name: "energy" unit: "kWh" kind: REGISTER resolution: "10" rollover: "1000" max_rate: "100" }
      meters { id: "drawn" signal: "energy" kind: DIFFERENCE } } })" +
                             parties_text("UTC") + asset_text("a") + plan_text() +
                             subscription_text("sub", "a", kJanuary, 0));
  energy(kJanuary, kJanuary, "970");
  energy(kJanuary + days(2), kJanuary + days(2), "40");
  bill(kFebruary + days(10));
  run();
  ASSERT_EQ(ids(), Ids{"S-2026-000001"});
  const InvoiceLineRow& drawn = invoice("S-2026-000001").lines.at(1);
  EXPECT_EQ(drawn.quantity, "70");
  EXPECT_EQ(drawn.amount, 17500);
}

TEST_F(Invoices, ASubscriptionThatBeginsWithinAMonthPaysItsDaysAndItsUsage) {
  tape.catalog(kJanuary, model_text() + parties_text("UTC") + asset_text("a") + plan_text() +
                             subscription_text("sub", "a", kJanuary + days(21), 0));
  pulse(kJanuary + days(20), kJanuary + days(20), "5");
  pulse(kJanuary + days(22), kJanuary + days(22), "2");
  bill(kFebruary + days(10));
  run();
  ASSERT_EQ(ids(), Ids{"S-2026-000001"});
  const InvoiceRow& made = invoice("S-2026-000001");
  ASSERT_EQ(made.lines.size(), 2U);
  EXPECT_EQ(made.lines[0].amount, 968) << "10 of 31 days of 30.00";
  EXPECT_EQ(made.lines[0].period_start, kJanuary + days(21));
  EXPECT_EQ(made.lines[1].quantity, "2.0");
}

TEST_F(Invoices, AnUpgradeWithinAMonthBillsBothSubscriptionsUpToTheCut) {
  const Time cut = kJanuary + days(10) + minutes(20);
  tape.catalog(kJanuary, model_text() + parties_text("UTC") + asset_text("a") + plan_text() +
                             subscription_text("sub-1", "a", kJanuary, ms(cut)) +
                             subscription_text("sub-2", "a", cut, 0));
  energy(kJanuary, kJanuary, "0");
  energy(kJanuary + days(10), cut - minutes(20), "10");
  energy(kJanuary + days(10) + hours(1), cut + minutes(40), "13");
  energy(kFebruary, kFebruary, "13");
  bill(kFebruary + days(2));
  run();
  ASSERT_EQ(ids(), Ids{"S-2026-000001"});
  std::map<std::string, std::string> drawn;
  for (const InvoiceLineRow& line : invoice("S-2026-000001").lines) {
    if (line.meter == "drawn") drawn[line.subscription] = line.quantity;
  }
  EXPECT_EQ(drawn, (std::map<std::string, std::string>{{"sub-1", "11.00"}, {"sub-2", "2.00"}}));
}

TEST_F(Invoices, AMonthWithoutAnythingToBillIsPassedOver) {
  tape.catalog(kJanuary, model_text() + parties_text("UTC") + asset_text("a") + R"(entries { plan { id: "full"
      seller: "s" currency: "EUR" charges { id: "pulsed" title: "Pulses" kind: STANDARD meter: "press/m1:pulsed"
      prices { price: "1.00" } } } })" +
                             subscription_text("sub", "a", kJanuary, 0));
  pulse(kFebruary + days(3), kFebruary + days(3), "2");
  bill(kMarch + days(3));
  run();
  ASSERT_EQ(ids(), Ids{"S-2026-000001"});
  EXPECT_EQ(invoice("S-2026-000001").period_start, kFebruary);
}

TEST_F(Invoices, AnEmptyMonthIsNotPassedOverWhileItsGraceLasts) {
  tape.catalog(kJanuary, model_text() + parties_text("UTC") + asset_text("a") + R"(entries { plan { id: "full"
      seller: "s" currency: "EUR" charges { id: "pulsed" title: "Pulses" kind: STANDARD meter: "press/m1:pulsed"
      prices { price: "1.00" } } } })" +
                             subscription_text("sub", "a", kJanuary, 0));
  bill(kFebruary + days(1));
  pulse(kFebruary + days(1), kJanuary + days(3), "2");
  bill(kFebruary + days(3));
  run();
  ASSERT_EQ(ids(), Ids{"S-2026-000001"});
  EXPECT_EQ(invoice("S-2026-000001").period_start, kJanuary);
}

}  // namespace
}  // namespace fettle::engine::trial
