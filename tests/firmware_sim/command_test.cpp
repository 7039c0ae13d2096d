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
 public:
  Command() {
    std::string name = (fs::temp_directory_path() / "fettle-sim-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Command() override { fs::remove_all(folder_); }
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

 protected:
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
  EXPECT_TRUE(says("--overlap TEXT=60s") && says("1.5 times its keep-alive")) << said_;
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
      {{"fleet", "--rate", "often"}, "--rate"},
      {{"fleet", "--rate", "5", "--speed", "2"}, "--rate"},
      {{"fleet", "--broker", "tcp://127.0.0.1:9", "--ca", "/etc/hostname"}, "is not secured"},
      {{"fleet", "--broker", "ssl://127.0.0.1:9", "--ca", "/nonexistent"}, "cannot be read"},
      {{"fleet", "--broker", "tcp://127.0.0.1:9,tcp://127.0.0.1:10"}, "--sparkplug"},
      {{"fleet", "--nodes", "2"}, "--sparkplug"},
      {{"fleet", "--sparkplug", "--group", "a/b"}, "--group"},
      {{"fleet", "--sparkplug", "--node", "a+b"}, "--node"},
      {{"fleet", "--sparkplug", "--nodes", "0"}, "--nodes"},
      {{"fleet", "--sparkplug", "--primary-host", "#"}, "--primary-host"},
      {{"fleet", "--sparkplug", "--overlap", "10"}, "--overlap"},
      {{"fleet", "--sparkplug", "--buffer-size", "1000"}, "--buffer-size"},
      {{"fleet", "--sparkplug", "--per-message", "0"}, "--per-message"},
      {{"load", "--assets", "0"}, "--assets"},
      {{"load", "--signals", "1001"}, "--signals"},
      {{"load", "--for", "500ms"}, "--for"},
      {{"load", "--start", "2026-01-01T00:00:00.500Z"}, "--start"},
      {{"load", "--sparkplug", "--buffer", "/tmp/never-made"}, "--start"},
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

TEST_F(Command, TheCatalogOfALoadIsPrintedAndNothingIsPublished) {
  EXPECT_EQ(run({"load", "--sparkplug", "--group", "plant", "--assets", "2", "--catalog", "--broker", kNobody}), 0);
  EXPECT_TRUE(says("sources: [plant/node/load-00002]")) << said_;
  EXPECT_TRUE(says("pack: load-watch")) << said_;
}

TEST_F(Command, ABufferThatCannotBeMadeIsFoundWanting) {
  const std::string file = (folder_ / "absent" / "buffer").string();
  EXPECT_EQ(run({"fleet", "--sparkplug", "--buffer", file, "--broker", kNobody}), 1);
  EXPECT_TRUE(says(file + ": cannot be opened")) << said_;
}

TEST_F(Command, ABufferOfAnotherCommandIsRefused) {
  const std::string file = (folder_ / "buffer").string();
  const std::vector<std::string> words = {"load",     "--sparkplug", "--start", "2026-01-01",        "--rate",
                                          "1000",     "--broker",    kNobody,   "--connect-timeout", "300ms",
                                          "--buffer", file};
  EXPECT_EQ(run(words), 1) << "nobody is there, but it measures";
  EXPECT_TRUE(says("kept for later")) << said_;
  auto other = words;
  other.insert(other.end(), {"--seed", "2"});
  EXPECT_EQ(run(other), 1);
  EXPECT_TRUE(says("readings of another run")) << said_;
  EXPECT_EQ(run(words), 1);
  EXPECT_TRUE(says("readings of an earlier run are sent as history")) << said_;
}

TEST_F(Command, TheTruthIsPrintedBeforeAnythingIsPublished) {
  EXPECT_EQ(run({"fleet", "--truth", "--broker", kNobody, "--connect-timeout", "1ms", "--quiet"}), 1);
  EXPECT_EQ(said_.find(R"({"asset":"lift-)"), 0u) << said_;
  EXPECT_TRUE(says(R"("fault":"bearing_wear")") && says(R"("fault":"door_wear")")) << said_;
}

}  // namespace
}  // namespace fettle::sim
