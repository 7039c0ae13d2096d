// `fettle rules report` on a store of its own.

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "gateway/app/commands.h"
#include "gateway/store/sqlite/sqlite_store.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::app {
namespace {

namespace json = boost::json;
using engine::Time;
using std::chrono::hours;
using std::chrono::seconds;

constexpr Time kBegin{std::chrono::sys_days(std::chrono::year(2026) / 7 / 1)};

class RulesReportOfAStore : public testing::Test {
 protected:
  RulesReportOfAStore() { config_.data = folder_.path(); }

  // Commits the episodes, each (seconds after kBegin, seconds open or -1), of the gateway's third day.
  void store_episodes(const std::vector<std::pair<int, int>>& episodes) {
    auto store = store::SqliteStore::open(config_.store_file(), store::Durability::process);
    ASSERT_TRUE(store) << store.error().message;
    engine::Effects effects;
    effects.first = 1;
    effects.committed = 1;
    effects.now = kBegin + hours(48);
    for (const auto& [raised, open] : episodes) {
      engine::EpisodeRow row;
      row.id = "EP-" + std::to_string(raised);
      row.asset = "lift-1";
      row.pack = "doors";
      row.rule = "slow-close";
      row.since = row.raised_at = kBegin + seconds(raised);
      if (open >= 0) row.cleared_at = row.raised_at + seconds(open);
      effects.episodes.push_back(row);
    }
    ASSERT_TRUE((*store)->commit(effects));
  }

  json::value report(const RulesReport& asked, int expected_code = 0) {
    testing::internal::CaptureStdout();
    EXPECT_EQ(report_rules(config_, asked, Format::json), expected_code);
    const std::string printed = testing::internal::GetCapturedStdout();
    return printed.empty() ? json::value() : json::parse(printed);
  }

  test::TemporaryFolder folder_;
  Config config_;
};

TEST_F(RulesReportOfAStore, CountsFromTheFirstRaiseToTheGatewaysTime) {
  store_episodes({{0, 5}, {20, 5}, {40, 5}, {3600, 30}, {7200, -1}});
  const json::value said = report({});
  EXPECT_EQ(said.at("from").as_string(), "2026-07-01T00:00:00Z");
  EXPECT_EQ(said.at("until").as_string(), "2026-07-03T00:00:00Z");
  const json::array& rows = said.at("rows").as_array();
  ASSERT_EQ(rows.size(), 3U) << "all packs, the pack, the rule";
  EXPECT_TRUE(rows[0].at("pack").is_null());
  EXPECT_EQ(rows[1].at("pack").as_string(), "doors");
  EXPECT_TRUE(rows[1].at("rule").is_null());
  const json::value& rule = rows[2];
  EXPECT_EQ(rule.at("rule").as_string(), "slow-close");
  EXPECT_EQ(rule.at("episodes").to_number<int>(), 5);
  EXPECT_EQ(rule.at("chattering").to_number<int>(), 3);
  EXPECT_EQ(rule.at("fleeting").to_number<int>(), 1);
  EXPECT_EQ(rule.at("stale").to_number<int>(), 1);
  EXPECT_EQ(rule.at("stale_now").to_number<int>(), 1);
  EXPECT_EQ(rule.at("busiest_10_min").to_number<int>(), 3);
  EXPECT_DOUBLE_EQ(rule.at("average_per_10_min").to_number<double>(), 5.0 / 288.0);
  EXPECT_TRUE(rule.at("acceptable").as_bool());
}

TEST_F(RulesReportOfAStore, CountsThePeriodThatIsAskedFor) {
  store_episodes({{0, 5}, {3600, 30}, {7200, 4000}});
  const json::value said = report({"2026-07-01T01:00:00Z", "2026-07-01T02:00:00Z", 2});
  EXPECT_EQ(said.at("operator_positions").to_number<int>(), 2);
  EXPECT_EQ(said.at("rows").at(0).at("episodes").to_number<int>(), 1);
  EXPECT_DOUBLE_EQ(said.at("rows").at(0).at("average_per_10_min").to_number<double>(), 1.0 / 6.0 / 2.0);
}

TEST_F(RulesReportOfAStore, RefusesAPeriodThatIsNone) {
  store_episodes({{0, 5}});
  testing::internal::CaptureStderr();
  EXPECT_TRUE(report({"2026-07-02", "2026-07-01", 1}, 1).is_null());
  EXPECT_NE(testing::internal::GetCapturedStderr().find("is empty; say --from before --until"), std::string::npos);
  testing::internal::CaptureStderr();
  EXPECT_TRUE(report({"July", "", 1}, 1).is_null());
  EXPECT_NE(testing::internal::GetCapturedStderr().find("--from July"), std::string::npos);
}

TEST_F(RulesReportOfAStore, OfAGatewayWithoutEpisodesHasNoRows) {
  store_episodes({});
  EXPECT_TRUE(report({}).at("rows").as_array().empty());
  testing::internal::CaptureStdout();
  EXPECT_EQ(report_rules(config_, {}, Format::text), 0);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "no episodes yet\n");
}

TEST_F(RulesReportOfAStore, IsATableForPeople) {
  store_episodes({{0, 5}, {20, 5}, {40, 5}});
  testing::internal::CaptureStdout();
  EXPECT_EQ(report_rules(config_, {"", "2026-07-01T00:10:00Z", 1}, Format::text), 0);
  const std::string printed = testing::internal::GetCapturedStdout();
  EXPECT_NE(printed.find("  slow-close "), std::string::npos) << printed;
  EXPECT_NE(printed.find(" 3.0000!"), std::string::npos) << "three in ten minutes are too many\n" << printed;
}

}  // namespace
}  // namespace fettle::app
