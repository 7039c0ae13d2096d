// The command line: exit codes, and messages that say what to do. No broker here.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/firmware_sim/child.h"

namespace fettle::sim {
namespace {

namespace fs = std::filesystem;

// Nothing listens on the discard port.
const std::string kNobody = "tcp://127.0.0.1:9";

class Command : public testing::Test {
 protected:
  Command() {
    std::string name = (fs::temp_directory_path() / "fettle-sim-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Command() override { fs::remove_all(folder_); }

  // Runs fettle-sim; the exit code. What it said is in said_.
  int run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), FETTLE_BIN_DIR "/fettle-sim");
    Child child(arguments, folder_ / "output");
    const int code = child.wait();
    said_ = child.output();
    return code;
  }

  bool says(const std::string& text) const { return said_.find(text) != std::string::npos; }

  fs::path folder_;
  std::string said_;
};

TEST_F(Command, HelpIsNoFailure) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_TRUE(says("replay") && says("fleet")) << said_;
  EXPECT_EQ(run({"fleet", "--help"}), 0);
  EXPECT_TRUE(says("--interval")) << said_;
}

TEST_F(Command, MisuseExitsWithTwoAndNamesTheOption) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{}, "subcommand"},
      {{"replay", "--dataset", "steel"}, "--data"},
      {{"replay", "--dataset", "cheese", "--data", "."}, "--dataset"},
      {{"replay", "--dataset", "nab", "--data", ".", "--shuffle", "--speed", "2"}, "--speed"},
      {{"replay", "--dataset", "nab", "--data", ".", "--asset-prefix", "a/b"}, "--asset-prefix"},
      {{"fleet", "--speed", "fast"}, "--speed"},
      {{"fleet", "--start", "tomorrow"}, "--start"},
      {{"fleet", "--duration", "35"}, "--duration"},
      {{"fleet", "--lifts", "0"}, "--lifts"},
      {{"fleet", "--repair", "lift-001"}, "--repair"},
      {{"fleet", "--repair", "lift-009@2026-01-05T00:00:00Z"}, "lift-009"},
      {{"fleet", "--inflight", "0"}, "--inflight"},
      {{"fleet", "--broker", "broker.example"}, "--broker"},
      {{"fleet", "--username", "u", "--password-file", "/nonexistent"}, "--password-file"},
  };
  for (const auto& [arguments, named] : wrong) {
    EXPECT_EQ(run(arguments), 2) << said_;
    EXPECT_TRUE(says(named)) << "expected " << named << " in: " << said_;
  }
}

TEST_F(Command, AMissingRecordingIsFoundWanting) {
  EXPECT_EQ(run({"replay", "--dataset", "nab", "--data", folder_.string()}), 1);
  EXPECT_TRUE(says((folder_ / "nab").string() + ": cannot be read: No such file or directory; --data names")) << said_;
}

TEST_F(Command, ARecordingWithoutRowsIsFoundWanting) {
  fs::create_directory(folder_ / "nab");
  std::ofstream(folder_ / "nab" / "m.csv") << "timestamp,value\n";
  EXPECT_EQ(run({"replay", "--dataset", "nab", "--data", folder_.string()}), 1);
  EXPECT_TRUE(says("no rows")) << said_;
}

TEST_F(Command, AnUnreachableBrokerIsFoundWanting) {
  EXPECT_EQ(run({"fleet", "--broker", kNobody, "--connect-timeout", "300ms", "--json"}), 1);
  EXPECT_TRUE(says(kNobody + ": no connection to the broker within")) << said_;
  EXPECT_TRUE(says("--connect-timeout")) << said_;
  EXPECT_TRUE(says(R"("outcome":"unreachable","messages":0)")) << said_;
}

TEST_F(Command, TheTruthIsPrintedBeforeAnythingIsPublished) {
  EXPECT_EQ(run({"fleet", "--truth", "--broker", kNobody, "--connect-timeout", "1ms", "--quiet"}), 1);
  EXPECT_EQ(said_.find(R"({"asset":"lift-)"), 0u) << said_;
  EXPECT_TRUE(says(R"("fault":"bearing_wear")") && says(R"("fault":"door_wear")")) << said_;
}

}  // namespace
}  // namespace fettle::sim
