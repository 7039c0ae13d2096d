// That the benchmarks run, that the gateway's work in them is right (the programs check that themselves), and what
// their lines look like. Not how fast anything is.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <map>
#include <set>
#include <sstream>

#include "tests/e2e/harness/process.h"

namespace fettle::bench {
namespace {

using Lines = std::map<std::string, boost::json::object>;  // by metric

// One line of JSON for each metric and nothing else.
Lines read_lines(const std::string& out, const char* bench) {
  Lines metrics;
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    boost::json::error_code error;
    const boost::json::value parsed = boost::json::parse(line, error);
    if (error || !parsed.is_object()) {
      ADD_FAILURE() << "no object: " << line;
      continue;
    }
    const boost::json::object& object = parsed.as_object();
    std::set<std::string> keys;
    for (const auto& member : object) keys.insert(std::string(member.key()));
    EXPECT_EQ(keys, (std::set<std::string>{"bench", "metric", "value", "unit", "yardstick", "ratio", "foreign"}))
        << line;
    EXPECT_EQ(object.at("bench"), bench);
    EXPECT_TRUE(object.at("unit").is_string()) << line;
    for (const char* number : {"value", "yardstick", "ratio"}) {
      EXPECT_GT(object.at(number).to_number<double>(), 0) << number << " of " << line;
    }
    EXPECT_GE(object.at("foreign").to_number<double>(), 0) << line;
    EXPECT_LE(object.at("foreign").to_number<double>(), 1) << line;
    EXPECT_TRUE(metrics.emplace(object.at("metric").as_string().c_str(), object).second) << line;
  }
  return metrics;
}

std::set<std::string> names_of(const Lines& lines) {
  std::set<std::string> names;
  for (const auto& [name, line] : lines) names.insert(name);
  return names;
}

struct Load {
  const char* mode;
  e2e::Words more;
  std::set<std::string> metrics;
};

const std::set<std::string> kOfPairs{"messages_per_second", "readings_per_second", "cpu_per_message", "peak_memory",
                                     "disk_per_reading"};
const std::set<std::string> kOfRestart{"start_after_crash", "messages_per_second", "cpu_per_message", "peak_memory"};
const std::set<std::string> kOfScale{"messages_per_second", "cpu_per_message", "peak_memory", "disk_per_reading"};

TEST(BenchIngest, MeasuresEachModeInLinesOfJson) {
  const Load loads[] = {
      {"qos1-json", {"--pairs", "2", "--messages", "2000"}, kOfPairs},
      {"sparkplug-1", {"--pairs", "1", "--messages", "2000", "--assets", "50"}, kOfPairs},
      {"sparkplug-50", {"--pairs", "1", "--messages", "1000", "--assets", "20"}, kOfPairs},
      {"scale", {"--messages", "2000", "--assets", "50", "--rate", "4000"}, kOfScale},
      {"restart", {"--messages", "2000"}, kOfRestart},
  };
  for (const Load& load : loads) {
    SCOPED_TRACE(load.mode);
    e2e::Words words{FETTLE_BIN_DIR "/bench_ingest", "--mode", load.mode};
    words.insert(words.end(), load.more.begin(), load.more.end());
    const e2e::Ran ran = e2e::run_command(words);
    ASSERT_EQ(ran.code, 0) << ran.err;
    const Lines lines = read_lines(ran.out, "ingest");
    EXPECT_EQ(names_of(lines), load.metrics);
    if (lines.contains("disk_per_reading")) {
      EXPECT_EQ(lines.at("disk_per_reading").at("yardstick").to_number<double>(), 16);
    }
  }
}

TEST(BenchIngest, RefusesALoadOnWhichTheRulesWouldNotRaise) {
  const std::string program = FETTLE_BIN_DIR "/bench_ingest";
  for (const e2e::Words& words :
       {e2e::Words{program, "--messages", "10"},
        e2e::Words{program, "--mode", "sparkplug-1", "--assets", "1000", "--messages", "5000"}}) {
    const e2e::Ran ran = e2e::run_command(words);
    EXPECT_EQ(ran.code, 2);
    EXPECT_EQ(ran.out, "");
    EXPECT_NE(ran.err.find("--messages"), std::string::npos) << ran.err;
  }
}

TEST(BenchLatency, MeasuresFromTheReadingToTheEventOfItsWorkOrder) {
  const e2e::Ran ran = e2e::run_command({FETTLE_BIN_DIR "/bench_latency", "--readings", "3"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const Lines lines = read_lines(ran.out, "latency");
  EXPECT_EQ(names_of(lines), (std::set<std::string>{"work_order_event_p50", "work_order_event_p99"}));
  EXPECT_LE(lines.at("work_order_event_p50").at("value").to_number<double>(),
            lines.at("work_order_event_p99").at("value").to_number<double>());
}

}  // namespace
}  // namespace fettle::bench
