// How times, amounts and quantities are printed.

#include "gateway/app/output.h"

#include <gtest/gtest.h>

#include "gateway/engine/catalog.pb.h"

namespace fettle::app {
namespace {

using engine::Time;
using std::chrono::milliseconds;

// 2026-07-01T22:30Z
constexpr Time kTime{milliseconds(1782945000000)};

TEST(Output, PrintsTimesInUtcAndInAZoneWithItsOffset) {
  EXPECT_EQ(text_of(kTime), "2026-07-01T22:30:00Z");
  EXPECT_EQ(text_in_zone(kTime, "Europe/Berlin"), "2026-07-02T00:30:00+02:00");
  EXPECT_EQ(text_in_zone(kTime, "America/St_Johns"), "2026-07-01T20:00:00-02:30");
  EXPECT_EQ(text_in_zone(kTime, "No/Where"), text_of(kTime));
  EXPECT_EQ(date_in_zone(kTime, "Europe/Berlin"), "2026-07-02");
}

TEST(Output, GroupsThousandsForPeople) {
  EXPECT_EQ(amount_text(123450, 2), "1,234.50");
  EXPECT_EQ(amount_text(-123450, 2), "-1,234.50");
  EXPECT_EQ(amount_text(-99950, 2), "-999.50");
  EXPECT_EQ(amount_text(1234567, 0), "1,234,567");
  EXPECT_EQ(amount_text(5, 3), "0.005");
  EXPECT_EQ(grouped("1000000"), "1,000,000");
  EXPECT_EQ(grouped("100"), "100");
  EXPECT_EQ(grouped("1234.5678"), "1,234.5678");
}

TEST(Output, PrintsQuantitiesWithTheirDecimals) {
  EXPECT_EQ(quantity_text(1234, 2), "12.34");
  EXPECT_EQ(quantity_text(-5, 1), "-0.5");
  EXPECT_EQ(quantity_text(7, 0), "7");
}

TEST(Output, ReadsDatesOfTheCommandLine) {
  EXPECT_EQ(date_argument("2026-07-01T22:30Z", "--until"), kTime);
  EXPECT_EQ(date_argument("2026-07-01", "--until"), kTime - std::chrono::hours(22) - std::chrono::minutes(30));
  testing::internal::CaptureStderr();
  EXPECT_EQ(date_argument("July", "--until"), std::nullopt);
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(said.starts_with("fettle: --until July: ")) << said;
  EXPECT_NE(said.find("expected"), std::string::npos) << said;
}

TEST(MeterTexts, ComeFromTheModelOfTheAsset) {
  catalog::Entry model;
  model.mutable_model()->set_id("m");
  auto& signal = *model.mutable_model()->add_signals();
  signal.set_name("energy");
  signal.set_unit("kWh");
  signal.set_resolution("0.01");
  for (const auto kind : {catalog::DIFFERENCE, catalog::COUNT}) {
    auto& meter = *model.mutable_model()->add_meters();
    meter.set_id(kind == catalog::COUNT ? "times" : "drawn");
    meter.set_signal("energy");
    meter.set_kind(kind);
  }
  catalog::Entry asset;
  asset.mutable_asset()->set_id("a");
  asset.mutable_asset()->set_model("m");
  const MeterTexts texts({{"model", "m", 1, model.SerializeAsString()},
                          {"asset", "a", 1, asset.SerializeAsString()},
                          {"plan", "torn", 1, "\xff\xff"}});
  EXPECT_EQ(texts.of("a", "drawn").scale, 2);
  EXPECT_EQ(texts.of("a", "drawn").unit, "kWh");
  EXPECT_EQ(texts.of("a", "times").scale, 0);
  EXPECT_EQ(texts.of("a", "times").unit, "count");
  EXPECT_EQ(texts.of("ghost", "drawn").scale, 0);
  EXPECT_EQ(texts.signal_of("a", "times"), "energy");
  EXPECT_EQ(texts.signal_of("a", "none"), "");
}

}  // namespace
}  // namespace fettle::app
