#include "billing/decimal.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace fettle::billing {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kSmallest = std::numeric_limits<std::int64_t>::min();

TEST(Decimal, IsParsedWithItsScale) {
  struct Row {
    std::string text;
    std::int64_t units;
    int scale;
  };
  const std::vector<Row> rows = {
      {"0", 0, 0},
      {"12", 12, 0},
      {"-12.50", -1250, 2},
      {"+12.50", 1250, 2},
      {"0.05", 5, 2},
      {"-0.05", -5, 2},
      {"-0", 0, 0},
      {"0.00", 0, 2},
      {"007", 7, 0},
      {"1.000000000001", 1000000000001, 12},
      {"9223372036854775807", kLargest, 0},
      {"-9223372036854775808", kSmallest, 0},
      {"9223372.036854775807", kLargest, 12},
      {"00000000000000000000000000001", 1, 0},
  };
  for (const Row& row : rows) {
    const auto parsed = Decimal::parse(row.text);
    ASSERT_TRUE(parsed.has_value()) << row.text;
    EXPECT_EQ(parsed->units, row.units) << row.text;
    EXPECT_EQ(int{parsed->scale}, row.scale) << row.text;
  }
}

TEST(Decimal, RefusesWhatIsNotOfItsFormAndSaysSo) {
  const std::vector<std::string> texts = {"",
                                          "-",
                                          "+",
                                          ".",
                                          "1.",
                                          ".5",
                                          "-.5",
                                          "1.2.3",
                                          " 1",
                                          "1 ",
                                          "1e3",
                                          "1,000",
                                          "1,5",
                                          "0x10",
                                          "--1",
                                          "+-1",
                                          "1-",
                                          "NaN",
                                          "inf",
                                          "1'000",
                                          "1.-5",
                                          "\xC2\xB2",
                                          "1.0000000000001",
                                          "0.0000000000000"};
  for (const std::string& text : texts) {
    const auto parsed = Decimal::parse(text);
    ASSERT_TRUE(parsed.has_error()) << text;
    EXPECT_EQ(parsed.error().code, Error::Code::syntax) << text;
    EXPECT_NE(parsed.error().message.find("\"" + text + "\""), std::string::npos) << parsed.error().message;
    EXPECT_NE(parsed.error().message.find("expected"), std::string::npos) << parsed.error().message;
  }
}

TEST(Decimal, ReportsOverflowInsteadOfWrappingRound) {
  for (const std::string& text : std::vector<std::string>{
           "9223372036854775808", "-9223372036854775809", "9223372.036854775808", "99999999999999999999999999999",
           "-340282366920938463463374607431768211456", "10000000.000000000000"}) {
    const auto parsed = Decimal::parse(text);
    ASSERT_TRUE(parsed.has_error()) << text;
    EXPECT_EQ(parsed.error().code, Error::Code::overflow) << text;
    EXPECT_NE(parsed.error().message.find(text), std::string::npos) << parsed.error().message;
  }
}

TEST(Decimal, IsPrintedWithAllItsDecimals) {
  EXPECT_EQ(to_string(Decimal{-1250, 2}), "-12.50");
  EXPECT_EQ(to_string(Decimal{5, 2}), "0.05");
  EXPECT_EQ(to_string(Decimal{-5, 2}), "-0.05");
  EXPECT_EQ(to_string(Decimal{0, 0}), "0");
  EXPECT_EQ(to_string(Decimal{0, 3}), "0.000");
  EXPECT_EQ(to_string(Decimal{1, 12}), "0.000000000001");
  EXPECT_EQ(to_string(Decimal{kSmallest, 0}), "-9223372036854775808");
  EXPECT_EQ(to_string(Decimal{kSmallest, 12}), "-9223372.036854775808");
}

TEST(Decimal, PrintedAndParsedAgainIsTheSameValueAndScale) {
  std::mt19937_64 random(20260101);
  for (int i = 0; i < 20'000; ++i) {
    const int shift = static_cast<int>(random() % 64);
    const Decimal value{static_cast<std::int64_t>(random()) >> shift, static_cast<std::uint8_t>(random() % 13)};
    const auto again = Decimal::parse(to_string(value));
    ASSERT_TRUE(again.has_value()) << to_string(value);
    ASSERT_EQ(again->units, value.units);
    ASSERT_EQ(again->scale, value.scale);
  }
}

TEST(Decimal, IsComparedByValueWhateverTheScales) {
  struct Row {
    Decimal a;
    Decimal b;
    std::strong_ordering order;
  };
  const auto less = std::strong_ordering::less;
  const auto equal = std::strong_ordering::equal;
  const std::vector<Row> rows = {
      {{125, 1}, {1250, 2}, equal},
      {{1, 0}, {1000000000000, 12}, equal},
      {{0, 0}, {0, 12}, equal},
      {{-1, 0}, {1, 12}, less},
      {{1, 12}, {1, 0}, less},
      {{-1, 0}, {-1, 12}, less},
      {{kSmallest, 12}, {kSmallest + 1, 12}, less},
      {{kLargest, 12}, {kLargest, 0}, less},
      {{kSmallest, 0}, {kSmallest, 12}, less},
      {{9223372, 0}, {kLargest, 12}, less},
      {{kLargest, 12}, {9223373, 0}, less},
  };
  for (const Row& row : rows) {
    const auto mirrored = 0 <=> row.order;
    EXPECT_EQ(compare(row.a, row.b), row.order) << to_string(row.a) << " and " << to_string(row.b);
    EXPECT_EQ(compare(row.b, row.a), mirrored) << to_string(row.b) << " and " << to_string(row.a);
    EXPECT_EQ(equals(row.a, row.b), row.order == equal);
  }
}

TEST(Decimal, IsComparedRightEvenBeyondTheScaleThatParsingAccepts) {
  EXPECT_EQ(compare({1, 0}, {kLargest, 255}), std::strong_ordering::greater);
  EXPECT_EQ(compare({-1, 0}, {kSmallest, 255}), std::strong_ordering::less);
  EXPECT_EQ(compare({0, 0}, {1, 255}), std::strong_ordering::less);
}

}  // namespace
}  // namespace fettle::billing
