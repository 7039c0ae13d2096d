// A long `fettle backtest --tune` that is ended before it is through.

#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "tests/e2e/harness/gateway.h"
#include "tests/e2e/harness/process.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::e2e {
namespace {

const char* const kMachines = "tests/e2e/catalog/recorded-machines.yaml";

TEST(Tuning, WhenItIsEndedThePointsDoneSoFarAreTheResult) {
  const test::TemporaryFolder folder;
  std::string csv = "time,supply_air\n";
  for (int minute = 0; minute < 20'000; ++minute) {
    csv += std::to_string(minute * 60'000) + ',' + std::to_string(minute % 100) + '\n';
  }
  write_text(folder.path() / "data.csv", csv);
  write_text(folder.path() / "failures.csv", "time\n3600000\n");
  write_text(folder.path() / "pack.yaml",
             "pack: p\nversion: 1\nrules:\n  - rule: hot\n    model: air-handler/single-zone\n"
             "    parameters: {limit: 50 degF}\n    when: supply_air > limit\n");
  Process tuning({FETTLE_BIN_DIR "/fettle", "backtest", "--pack", source(kMachines).string(), "--pack",
                  (folder.path() / "pack.yaml").string(), "--model", "air-handler/single-zone", "--data",
                  (folder.path() / "data.csv").string(), "--failures", (folder.path() / "failures.csv").string(),
                  "--tune", "limit=1 degF..99 degF/9801"},
                 folder.path() / "log");
  ASSERT_TRUE(until([&] { return text_of(folder.path() / "log").find("tuning: 1 of 9801") != std::string::npos; }));
  tuning.signal(SIGINT);
  EXPECT_EQ(tuning.wait(), 1);
  const std::string log = text_of(folder.path() / "log");
  EXPECT_NE(log.find("limit = 1 degF  "), std::string::npos) << log;
  EXPECT_NE(log.find("fettle: interrupted after "), std::string::npos) << log;
}

}  // namespace
}  // namespace fettle::e2e
