// That bench_ingest runs, that the gateway's work in it is right (the program checks that itself), and what its lines
// look like. Not how fast anything is.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <set>
#include <sstream>

#include "tests/e2e/harness/process.h"

namespace fettle::bench {
namespace {

constexpr const char* kProgram = FETTLE_BIN_DIR "/bench_ingest";

TEST(BenchIngest, PrintsOneLineOfJsonForEachMetricAndNothingElse) {
  const e2e::Ran ran = e2e::run_command({kProgram, "--pairs", "2", "--messages", "2000"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  std::map<std::string, boost::json::object> metrics;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    boost::json::error_code error;
    const boost::json::value parsed = boost::json::parse(line, error);
    ASSERT_FALSE(error) << line;
    ASSERT_TRUE(parsed.is_object()) << line;
    const boost::json::object& object = parsed.as_object();
    std::set<std::string> keys;
    for (const auto& member : object) keys.insert(std::string(member.key()));
    EXPECT_EQ(keys, (std::set<std::string>{"bench", "metric", "value", "unit", "yardstick", "ratio", "foreign"}))
        << line;
    EXPECT_EQ(object.at("bench"), "ingest");
    EXPECT_TRUE(object.at("unit").is_string()) << line;
    for (const char* number : {"value", "yardstick", "ratio"}) {
      EXPECT_GT(object.at(number).to_number<double>(), 0) << number << " of " << line;
    }
    EXPECT_GE(object.at("foreign").to_number<double>(), 0) << line;
    EXPECT_LE(object.at("foreign").to_number<double>(), 1) << line;
    EXPECT_TRUE(metrics.emplace(object.at("metric").as_string().c_str(), object).second) << line;
  }
  std::set<std::string> names;
  for (const auto& [name, line] : metrics) names.insert(name);
  EXPECT_EQ(names,
            (std::set<std::string>{"messages_per_second", "cpu_per_message", "peak_memory", "disk_per_reading"}));
  EXPECT_EQ(metrics.at("disk_per_reading").at("yardstick").to_number<double>(), 16);
}

TEST(BenchIngest, RefusesALoadOnWhichTheRulesWouldNotRaise) {
  const e2e::Ran ran = e2e::run_command({kProgram, "--messages", "10"});
  EXPECT_EQ(ran.code, 2);
  EXPECT_EQ(ran.out, "");
  EXPECT_NE(ran.err.find("--messages"), std::string::npos) << ran.err;
}

}  // namespace
}  // namespace fettle::bench
