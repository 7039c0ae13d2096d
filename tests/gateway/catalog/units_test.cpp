#include "gateway/catalog/units.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <thread>
#include <vector>

namespace fettle::catalog {
namespace {

// m, kg, s, A, K, mol, cd, rad
using Powers = std::array<std::int8_t, rules::kBaseUnits>;
constexpr Powers kNumber = {};
constexpr Powers kLength = {1};
constexpr Powers kTime = {0, 0, 1};
constexpr Powers kTemperature = {0, 0, 0, 0, 1};
constexpr Powers kSpeed = {1, 0, -1};
constexpr Powers kRotation = {0, 0, -1, 0, 0, 0, 0, 1};
constexpr Powers kEnergy = {2, 1, -2};
constexpr Powers kPower = {2, 1, -3};
constexpr Powers kPressure = {-1, 1, -2};
constexpr Powers kCharge = {0, 0, 1, 1};
constexpr Powers kFlow = {3, 0, -1};

struct Expected {
  const char* text;
  Powers powers;
  double scale;
  double offset = 0;
};

class UnitTable : public testing::TestWithParam<Expected> {};

TEST_P(UnitTable, HasItsPowersScaleAndOffset) {
  const auto unit = parse_unit(GetParam().text);
  ASSERT_TRUE(unit) << GetParam().text;
  EXPECT_EQ(unit->powers, GetParam().powers) << GetParam().text;
  EXPECT_NEAR(unit->scale, GetParam().scale, GetParam().scale * 1e-12) << GetParam().text;
  EXPECT_NEAR(unit->offset, GetParam().offset, 1e-9) << GetParam().text;
}

INSTANTIATE_TEST_SUITE_P(
    Units, UnitTable,
    testing::Values(
        Expected{"1", kNumber, 1}, Expected{"%", kNumber, 0.01}, Expected{"ppm", kNumber, 1e-6},
        Expected{"count", kNumber, 1}, Expected{"trip", kNumber, 1}, Expected{"each", kNumber, 1},
        Expected{"m", kLength, 1}, Expected{"mm", kLength, 1e-3}, Expected{"um", kLength, 1e-6},
        Expected{"km", kLength, 1000}, Expected{"s", kTime, 1}, Expected{"ms", kTime, 1e-3}, Expected{"min", kTime, 60},
        Expected{"h", kTime, 3600}, Expected{"d", kTime, 86400}, Expected{"K", kTemperature, 1},
        Expected{"degC", kTemperature, 1, 273.15}, Expected{"degF", kTemperature, 5.0 / 9.0, 459.67 * 5.0 / 9.0},
        Expected{"\xC2\xB0"
                 "C",
                 kTemperature, 1, 273.15},
        Expected{"mm/s", kSpeed, 1e-3}, Expected{"km/h", kSpeed, 1 / 3.6}, Expected{"rpm", kRotation, 2 * M_PI / 60},
        Expected{"rev/min", kRotation, 2 * M_PI / 60}, Expected{"W", kPower, 1}, Expected{"kVA", kPower, 1000},
        Expected{"kvar", kPower, 1000}, Expected{"VAr", kPower, 1}, Expected{"kWh", kEnergy, 3.6e6},
        Expected{"Wh", kEnergy, 3600}, Expected{"MWh", kEnergy, 3.6e9}, Expected{"kVarh", kEnergy, 3.6e6},
        Expected{"kvarh", kEnergy, 3.6e6}, Expected{"J", kEnergy, 1}, Expected{"Nm", kEnergy, 1},
        Expected{"bar", kPressure, 1e5}, Expected{"hPa", kPressure, 100}, Expected{"psi", kPressure, 6894.757293168361},
        Expected{"Ah", kCharge, 3600}, Expected{"A.h", kCharge, 3600}, Expected{"mAh", kCharge, 3.6},
        Expected{"m3/h", kFlow, 1 / 3600.0}, Expected{"l/min", kFlow, 1e-3 / 60}));

class NoUnit : public testing::TestWithParam<const char*> {};

TEST_P(NoUnit, IsRefused) {
  EXPECT_FALSE(parse_unit(GetParam())) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Units, NoUnit,
                         testing::Values("", " ", "furlongs per fortnight!", "kWhh", "5 mm", "0.4 s", "-1", "m@3",
                                         "m^0.5", "s since 2000-01-01", "lg(re 1 mW)", "dB", "m^200", " s", "s "));

TEST(Units, ATemperatureConvertsThroughItsOffset) {
  const auto fahrenheit = parse_unit("degF");
  const auto celsius = parse_unit("degC");
  ASSERT_TRUE(fahrenheit && celsius);
  EXPECT_NEAR(212 * fahrenheit->scale + fahrenheit->offset, 100 * celsius->scale + celsius->offset, 1e-9);
}

TEST(Units, ARateOfTemperatureHasNoOffset) {
  const auto rate = parse_unit("degC/h");
  ASSERT_TRUE(rate);
  EXPECT_EQ(rate->offset, 0);
}

TEST(Units, MayBeReadByManyThreads) {
  const auto expected = parse_unit("kWh");
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < wrong.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 200; ++k) {
        if (parse_unit("kWh") != expected || parse_unit("no unit")) ++wrong[i];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

TEST(Units, FaultsAreSilent) {
  testing::internal::CaptureStderr();
  EXPECT_FALSE(parse_unit("kWhh"));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace fettle::catalog
