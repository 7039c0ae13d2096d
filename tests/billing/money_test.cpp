#include "billing/money.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <vector>

namespace fettle::billing {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kSmallest = std::numeric_limits<std::int64_t>::min();

Currency currency(std::string_view code) {
  return Currency::of(code).value();
}
Decimal decimal(std::string_view text) {
  return Decimal::parse(text).value();
}
Money euros(std::int64_t cents) {
  return {cents, currency("EUR")};
}

template <typename T>
void expect_error(const Result<T>& result, Error::Code code, std::string_view part_of_message) {
  ASSERT_TRUE(result.has_error());
  EXPECT_EQ(result.error().code, code);
  EXPECT_NE(result.error().message.find(part_of_message), std::string::npos) << result.error().message;
}

TEST(Currency, HasTheExponentOfIso4217) {
  struct Row {
    std::string code;
    int exponent;
  };
  const std::vector<Row> rows = {{"EUR", 2}, {"USD", 2}, {"GBP", 2}, {"CHF", 2}, {"AED", 2}, {"ZWG", 2}, {"JPY", 0},
                                 {"KRW", 0}, {"ISK", 0}, {"XPF", 0}, {"BIF", 0}, {"KWD", 3}, {"BHD", 3}, {"TND", 3},
                                 {"CLF", 4}, {"UYW", 4}, {"HUF", 2}, {"INR", 2}, {"MRU", 2}, {"UGX", 0}, {"XCG", 2}};
  for (const Row& row : rows) {
    const auto found = Currency::of(row.code);
    ASSERT_TRUE(found.has_value()) << row.code;
    EXPECT_EQ(int{found->exponent()}, row.exponent) << row.code;
    EXPECT_EQ(found->code(), row.code);
  }
}

TEST(Currency, RefusesWhatIsNotACode) {
  for (const std::string& code : std::vector<std::string>{"", "EU", "EURO", "eur", "E R", "E1R", "UR ", " EU"}) {
    expect_error(Currency::of(code), Error::Code::syntax, "\"" + code + "\"");
  }
  for (const std::string& code : std::vector<std::string>{"XYZ", "XAU", "XXX", "DEM", "URA"}) {
    expect_error(Currency::of(code), Error::Code::missing, code);
  }
}

TEST(Money, IsPrintedWithTheDecimalsOfItsCurrency) {
  EXPECT_EQ(to_string(euros(123450)), "1234.50 EUR");
  EXPECT_EQ(to_string(euros(-5)), "-0.05 EUR");
  EXPECT_EQ(to_string(Money{500, currency("JPY")}), "500 JPY");
  EXPECT_EQ(amount_text(Money{-1500, currency("KWD")}), "-1.500");
}

TEST(Money, AddsAndSubtractsWithinOneCurrency) {
  EXPECT_EQ(add(euros(150), euros(-200)).value(), euros(-50));
  EXPECT_EQ(subtract(euros(150), euros(-200)).value(), euros(350));
  const Money yen{1, currency("JPY")};
  expect_error(add(euros(1), yen), Error::Code::invalid, "0.01 EUR and 1 JPY");
  expect_error(subtract(yen, euros(1)), Error::Code::invalid, "1 JPY and 0.01 EUR");
}

TEST(Money, SumsBeyond64BitsAreReported) {
  EXPECT_EQ(add(euros(kLargest - 1), euros(1)).value(), euros(kLargest));
  EXPECT_EQ(subtract(euros(kSmallest + 1), euros(1)).value(), euros(kSmallest));
  expect_error(add(euros(kLargest), euros(1)), Error::Code::overflow, "92233720368547758.07 EUR + 0.01 EUR");
  expect_error(add(euros(kSmallest), euros(-1)), Error::Code::overflow, "does not fit");
  expect_error(subtract(euros(0), euros(kSmallest)), Error::Code::overflow, "does not fit");
}

TEST(Money, QuantityTimesPriceIsRoundedOnceHalfAwayFromZero) {
  struct Row {
    std::string quantity;
    std::string price;
    std::string code;
    std::string amount;
  };
  const std::vector<Row> rows = {
      {"1", "0.005", "EUR", "0.01"},
      {"1", "0.004999999999", "EUR", "0.00"},
      {"-1", "0.005", "EUR", "-0.01"},
      {"3", "0.335", "EUR", "1.01"},          // 1.005: banker's rounding would give 1.00
      {"123.456", "0.2799", "EUR", "34.56"},  // 34.5553344
      {"1234.5", "1", "JPY", "1235"},
      {"-1234.5", "1", "JPY", "-1235"},
      {"1234.4", "1", "JPY", "1234"},
      {"0.0005", "1", "KWD", "0.001"},
      {"7", "1.25", "KWD", "8.750"},
      {"7", "2", "CLF", "14.0000"},
      {"0", "99", "EUR", "0.00"},
      {"1000000.000000", "0.000000000001", "EUR", "0.00"},
      {"5000000000.0", "0.000000000001", "EUR", "0.01"},
  };
  for (const Row& row : rows) {
    const auto amount = multiply(decimal(row.quantity), decimal(row.price), currency(row.code));
    ASSERT_TRUE(amount.has_value()) << row.quantity << " * " << row.price;
    EXPECT_EQ(amount_text(*amount), row.amount) << row.quantity << " * " << row.price << " " << row.code;
  }
}

TEST(Money, ProductsAreExactIn128BitsAndReportedBeyond64) {
  EXPECT_EQ(multiply({kLargest, 12}, {1'000'000'000'000, 12}, currency("JPY"))->minor, 9'223'372);
  EXPECT_EQ(multiply({kLargest, 12}, {kLargest, 12}, currency("JPY"))->minor, 85'070'591'730'235);
  expect_error(multiply({kLargest, 0}, {2, 0}, currency("JPY")), Error::Code::overflow, "9223372036854775807 * 2 JPY");
  expect_error(multiply({kLargest, 0}, {1, 0}, currency("EUR")), Error::Code::overflow, "does not fit");
  expect_error(multiply({kSmallest, 0}, {kSmallest, 0}, currency("CLF")), Error::Code::overflow, "does not fit");
  expect_error(multiply({1, 13}, {1, 0}, currency("EUR")), Error::Code::invalid, "at most 12");
  expect_error(multiply({1, 0}, {1, 200}, currency("EUR")), Error::Code::invalid, "at most 12");
}

TEST(Money, APercentageIsRoundedHalfAwayFromZero) {
  struct Row {
    std::int64_t base;
    std::string percent;
    std::int64_t tax;
  };
  const std::vector<Row> rows = {{10000, "19", 1900}, {250, "19", 48},   {-250, "19", -48},  {50, "1", 1},
                                 {49, "1", 0},        {1000, "7.7", 77}, {12345, "0", 0},    {3333, "8.875", 296},
                                 {1, "50", 1},        {-1, "50", -1},    {1, "49.99999", 0}, {100, "250", 250}};
  for (const Row& row : rows) {
    EXPECT_EQ(percentage_of(euros(row.base), decimal(row.percent)).value(), euros(row.tax))
        << row.percent << " % of " << row.base;
  }
  expect_error(percentage_of(euros(kLargest), decimal("100.1")), Error::Code::overflow, "100.1 % of");
  EXPECT_EQ(percentage_of(euros(kLargest), decimal("100.000000000000")).value(), euros(kLargest));
}

TEST(Money, AShareIsRoundedHalfAwayFromZero) {
  EXPECT_EQ(prorate(euros(2495), 9, 31).value(), euros(724));
  EXPECT_EQ(prorate(euros(1), 1, 2).value(), euros(1));
  EXPECT_EQ(prorate(euros(-1), 1, 2).value(), euros(-1));
  EXPECT_EQ(prorate(euros(100), 1, 3).value(), euros(33));
  EXPECT_EQ(prorate(euros(100), 0, 3).value(), euros(0));
  EXPECT_EQ(prorate(euros(kLargest), kLargest, kLargest).value(), euros(kLargest));
  expect_error(prorate(euros(kLargest), 2, 1), Error::Code::overflow, "* 2 / 1");
  expect_error(prorate(euros(100), 1, 0), Error::Code::invalid, "0 parts");
  expect_error(prorate(euros(100), 1, -3), Error::Code::invalid, "-3 parts");
}

TEST(Money, AShareOfADecimalAmountIsRoundedOnlyOnce) {
  // 0.0145 * 200 / 29 is 0.10 exactly; rounded to 0.01 first it would give 0.07.
  EXPECT_EQ(prorate(decimal("0.0145"), 200, 29, currency("EUR")).value(), euros(10));
  EXPECT_EQ(prorate(decimal("1"), 1, 3, currency("KWD"))->minor, 333);
  EXPECT_EQ(prorate(decimal("100.5"), 1, 1, currency("JPY"))->minor, 101);
  EXPECT_EQ(prorate(Decimal{kLargest, 0}, 1, kLargest, currency("CLF"))->minor, 10'000);
  expect_error(prorate(Decimal{kLargest, 0}, kLargest, 1, currency("CLF")), Error::Code::overflow, "does not fit");
  expect_error(prorate(decimal("1"), 1, 0, currency("EUR")), Error::Code::invalid, "0 parts");
  expect_error(prorate(Decimal{1, 13}, 1, 1, currency("EUR")), Error::Code::invalid, "at most 12");
}

TEST(Money, ACreditMirrorsItsCharge) {
  std::mt19937_64 random(42);
  const std::vector<Currency> currencies = {currency("EUR"), currency("JPY"), currency("KWD"), currency("CLF")};
  for (int i = 0; i < 20'000; ++i) {
    const Currency& in = currencies[random() % currencies.size()];
    const Decimal quantity{static_cast<std::int64_t>(random() % 100'000'000), static_cast<std::uint8_t>(random() % 7)};
    const Decimal credited{-quantity.units, quantity.scale};
    const Decimal price{static_cast<std::int64_t>(random() % 1'000'000), static_cast<std::uint8_t>(random() % 7)};
    const Money charge = multiply(quantity, price, in).value();
    const Money credit = multiply(credited, price, in).value();
    ASSERT_EQ(credit.minor, -charge.minor) << to_string(quantity) << " * " << to_string(price);
    const Decimal percent{price.units % 10'000, 2};
    ASSERT_EQ(percentage_of(credit, percent).value().minor, -percentage_of(charge, percent).value().minor);
    ASSERT_EQ(prorate(credit, 17, 31).value().minor, -prorate(charge, 17, 31).value().minor);
    ASSERT_EQ(prorate(credited, 17, 31, in).value().minor, -prorate(quantity, 17, 31, in).value().minor);
  }
}

TEST(Money, SlicesPostedAsCumulativeDifferencesSumToTheWhole) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 2'000; ++i) {
    const Money whole = euros(static_cast<std::int64_t>(random() % 200'000) - 100'000);
    const std::int64_t parts = 1 + static_cast<std::int64_t>(random() % 60);
    Money posted = euros(0);
    for (std::int64_t n = 1; n <= parts; ++n) {
      const Money slice = subtract(prorate(whole, n, parts).value(), posted).value();
      // No slice is more than one cent away from the even share.
      ASSERT_LE(std::abs(slice.minor * parts - whole.minor), parts) << n << " of " << parts;
      posted = add(posted, slice).value();
    }
    ASSERT_EQ(posted, whole);
  }
}

}  // namespace
}  // namespace fettle::billing
