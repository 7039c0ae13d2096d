// What holds for every input: random subscriptions, usage and histories, seeded.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "billing/invoice.h"
#include "tests/billing/invoice_samples.h"
#include "tests/billing/zone_tables.h"

namespace fettle::billing {
namespace {

using namespace testing;

constexpr int kWorlds = 400;

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {
    input_ = sample();
    input_.currency = Currency::of(pick({"EUR", "JPY", "KWD"})).value();
    input_.vat.percent = decimal(pick({"19", "7", "8.875", "0"}));
    input_.subscriptions.clear();
    for (const char* id : {"S1", "S2"}) {
      Charge metered = energy();
      auto& prices = std::get<StandardCharge>(metered.price).prices;
      prices = {{"day", price()}, {"night", price()}, {"", price()}};
      const auto fee = Charge{"fee", "Fee", FixedCharge{price()}};
      const Time start = input_.zone.day_start(day("2026-01-01")) + std::chrono::hours(below(24 * 80));
      const Time end = below(2) == 0 ? Time::max() : start + std::chrono::hours(below(24 * 60));
      input_.subscriptions.push_back({id, id, {start, end}, {"chiller-1", "chiller-2"}, {metered, fee}});
    }
    change_usage();
  }

  ProposalInput& input() { return input_; }

  // Other usage for every month from January to March that the terms touch.
  void change_usage() {
    input_.usage.clear();
    for (const auto& subscription : input_.subscriptions) {
      for (const char* first : {"2026-01-01", "2026-02-01", "2026-03-01"}) {
        const Period part = {std::max(month(input_, first).start, subscription.term.start),
                             std::min(month(input_, first).end, subscription.term.end)};
        if (part.start >= part.end) continue;
        for (const std::string& asset : subscription.assets) {
          for (const char* band : {"", "day", "night"}) {
            if (below(4) == 0) continue;
            input_.usage.push_back({subscription.id, asset, "chiller:energy", band, part, below(100'000)});
          }
        }
      }
    }
  }

  void set_period(std::string_view first) { input_.period = month(input_, first); }
  std::int64_t below(std::int64_t n) { return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(n)); }
  std::mt19937_64& random() { return random_; }

 private:
  Decimal price() { return {below(100'000), static_cast<std::uint8_t>(2 + below(4))}; }
  std::string pick(const std::vector<std::string>& choices) {
    return choices[static_cast<std::size_t>(below(static_cast<std::int64_t>(choices.size())))];
  }

  std::mt19937_64 random_;
  ProposalInput input_;
};

std::int64_t posted_in_all(const ProposalInput& input) {
  std::int64_t sum = 0;
  for (const auto& [key, posted] : input.posted) sum += posted.amount.minor;
  return sum;
}

TEST(InvoiceLaws, TheLinesSumToTheNetAndTheTaxIsThatOfTheNet) {
  for (int seed = 0; seed < kWorlds; ++seed) {
    World world(static_cast<std::uint64_t>(seed));
    const Proposal proposal = propose(world.input()).value();
    std::int64_t sum = 0;
    for (const Line& line : proposal.lines) sum += line.amount.minor;
    ASSERT_EQ(proposal.net.minor, sum);
    ASSERT_EQ(proposal.tax, percentage_of(proposal.net, world.input().vat.percent).value());
    ASSERT_EQ(proposal.gross.minor, proposal.net.minor + proposal.tax.minor);
  }
}

TEST(InvoiceLaws, AFirstLineIsItsQuantityTimesItsUnitPrice) {
  for (int seed = 0; seed < kWorlds; ++seed) {
    World world(static_cast<std::uint64_t>(seed));
    for (const Line& line : proposed_lines(world.input())) {
      ASSERT_FALSE(line.correction);
      ASSERT_EQ(line.amount, multiply(line.quantity, line.unit_price, world.input().currency).value());
      ASSERT_NE(line.posted_quantity, 0);
    }
  }
}

TEST(InvoiceLaws, ACorrectionIsItsQuantityTimesItsUnitPriceWithinOneMinorUnitAndPricesAreNeverNegative) {
  int corrections = 0;
  for (int seed = 0; seed < kWorlds; ++seed) {
    World world(static_cast<std::uint64_t>(seed));
    run(world.input());
    world.change_usage();
    for (const Line& line : proposed_lines(world.input())) {
      const Money product = multiply(line.quantity, line.unit_price, world.input().currency).value();
      ASSERT_LE(std::abs(product.minor - line.amount.minor), 1) << text_of(line, world.input().zone);
      ASSERT_GE(line.unit_price.units, 0);
      corrections += line.correction ? 1 : 0;
    }
  }
  EXPECT_GT(corrections, kWorlds);
}

TEST(InvoiceLaws, RunningAPeriodTwiceAddsNothing) {
  for (int seed = 0; seed < kWorlds; ++seed) {
    World world(static_cast<std::uint64_t>(seed));
    run(world.input());
    ASSERT_TRUE(propose(world.input())->lines.empty()) << "seed " << seed;
    world.change_usage();
    run(world.input());
    ASSERT_TRUE(propose(world.input())->lines.empty()) << "seed " << seed << ", after a correction";
  }
}

TEST(InvoiceLaws, WhateverWasPostedBeforeTheSumIsWhatOneRunWouldHavePosted) {
  for (int seed = 0; seed < kWorlds; ++seed) {
    World world(static_cast<std::uint64_t>(seed));
    // Month by month, with usage that changes each time, terms that move and one run too many in between.
    for (const char* first : {"2026-01-01", "2026-02-01", "2026-01-01", "2026-03-01"}) {
      world.set_period(first);
      world.change_usage();
      run(world.input());
      auto& term = world.input().subscriptions[0].term;
      if (world.below(2) == 0) term.end = term.start + std::chrono::hours(1 + world.below(24 * 90));
      world.change_usage();
    }
    run(world.input());
    ProposalInput at_once = world.input();
    at_once.posted.clear();
    run(at_once);
    ASSERT_EQ(posted_in_all(world.input()), posted_in_all(at_once)) << "seed " << seed;

    // And the same per charge, asset and band, in quantity too.
    using Key = std::tuple<std::string, std::string, std::string, std::string, Time>;
    const auto sums = [](const ProposalInput& input) {
      std::map<Key, std::pair<std::int64_t, std::int64_t>> result;
      for (const auto& [key, posted] : input.posted) {
        auto& sum =
            result[{key.subscription, key.charge, key.asset, key.band, input.zone.month_of(key.period.start).start}];
        sum.first += posted.quantity;
        sum.second += posted.amount.minor;
      }
      std::erase_if(result, [](const auto& entry) { return entry.second == std::pair<std::int64_t, std::int64_t>(); });
      return result;
    };
    ASSERT_EQ(sums(world.input()), sums(at_once)) << "seed " << seed;
  }
}

TEST(InvoiceLaws, TheOrderOfUsageSubscriptionsChargesAndAssetsChangesNothing) {
  for (int seed = 0; seed < kWorlds; ++seed) {
    World world(static_cast<std::uint64_t>(seed));
    ProposalInput& input = world.input();
    const auto before = lines_of(input);
    std::shuffle(input.usage.begin(), input.usage.end(), world.random());
    std::reverse(input.subscriptions.begin(), input.subscriptions.end());
    for (Subscription& subscription : input.subscriptions) {
      std::reverse(subscription.charges.begin(), subscription.charges.end());
      std::reverse(subscription.assets.begin(), subscription.assets.end());
      subscription.assets.push_back(subscription.assets.front());  // nor does naming an asset twice
    }
    ASSERT_EQ(lines_of(input), before) << "seed " << seed;
  }
}

TEST(InvoiceLaws, SplittingUsageChangesNothing) {
  for (int seed = 0; seed < kWorlds; ++seed) {
    World world(static_cast<std::uint64_t>(seed));
    ProposalInput& input = world.input();
    const auto before = lines_of(input);
    std::vector<UsageTotal> parts;
    for (const UsageTotal& total : input.usage) {
      UsageTotal first = total;
      UsageTotal rest = total;
      first.quantity = world.below(total.quantity + 1);
      rest.quantity = total.quantity - first.quantity;
      parts.push_back(first);
      parts.push_back(rest);
    }
    input.usage = parts;
    ASSERT_EQ(lines_of(input), before) << "seed " << seed;
  }
}

TEST(InvoiceLaws, ACreditOfEverythingMirrorsItsCharge) {
  for (int seed = 0; seed < kWorlds; ++seed) {
    World world(static_cast<std::uint64_t>(seed));
    ProposalInput& input = world.input();
    const Proposal charge = run(input);
    input.usage.clear();
    for (Subscription& subscription : input.subscriptions) subscription.term.end = subscription.term.start;
    const Proposal credit = run(input);
    ASSERT_EQ(credit.lines.size(), charge.lines.size());
    for (std::size_t i = 0; i < credit.lines.size(); ++i) {
      ASSERT_EQ(credit.lines[i].key, charge.lines[i].key);
      ASSERT_EQ(credit.lines[i].amount.minor, -charge.lines[i].amount.minor);
      ASSERT_EQ(credit.lines[i].posted_quantity, -charge.lines[i].posted_quantity);
    }
    ASSERT_EQ(credit.net.minor, -charge.net.minor);
    ASSERT_EQ(credit.tax.minor, -charge.tax.minor);
    ASSERT_EQ(credit.gross.minor, -charge.gross.minor);
  }
}

TEST(InvoiceLaws, TermsThatMeetWithinAMonthCostTheMonthWithinACent) {
  std::mt19937_64 random(5);
  for (int i = 0; i < kWorlds; ++i) {
    ProposalInput before = sample_of(service_fee());
    const Time meeting = before.period.start + Duration(static_cast<std::int64_t>(random() % (30ULL * 86'400'000)));
    ProposalInput after = before;
    before.subscriptions[0].term = {before.period.start, meeting};
    after.subscriptions[0].term = {meeting, Time::max()};
    std::int64_t days = 0;
    std::int64_t cents = 0;
    for (const ProposalInput& input : {before, after}) {
      for (const Line& line : proposed_lines(input)) {
        days += line.posted_quantity;
        cents += line.amount.minor;
      }
    }
    ASSERT_EQ(days, 31);
    ASSERT_LE(std::abs(cents - 10'000), 1);
  }
}

}  // namespace
}  // namespace fettle::billing
