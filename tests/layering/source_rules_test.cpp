// The checker of the tree on made-up text: each rule is seen to find what it is for, and to leave alone what it is not.

#include "tests/layering/source_rules.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fettle::layering {
namespace {

std::vector<std::string> messages(const std::vector<Finding>& findings) {
  std::vector<std::string> out;
  for (const Finding& finding : findings) out.push_back(to_string(finding));
  return out;
}

// One line of the table of includes: a file of `path` that includes `line`, and whether that is allowed.
struct IncludeCase {
  std::string path;
  std::string line;
  std::size_t findings;
};

TEST(Includes, FollowTheAllowListOfTheFolder) {
  const std::vector<IncludeCase> cases = {
      {"rules/a.cpp", "#include \"rules/unit.h\"", 0},
      {"rules/a.cpp", "#include \"billing/money.h\"", 1},
      {"rules/a.cpp", "#include \"gateway/engine/ports.h\"", 1},
      {"billing/a.cpp", "#include \"rules/unit.h\"", 1},
      {"gateway/dispatch/a.cpp", "#include \"rules/unit.h\"", 1},
      {"gateway/dispatch/a.cpp", "#include \"gateway/dispatch/b.h\"", 0},
      {"gateway/journal/a.cpp", "#include \"gateway/engine/ports.h\"", 1},
      {"gateway/engine/a.cpp", "#include \"gateway/journal/record.h\"", 0},
      {"gateway/engine/a.cpp", "#include \"gateway/journal/journal.h\"", 1},
      {"gateway/engine/a.cpp", "#include \"gateway/engine/catalog.pb.h\"", 0},
      {"gateway/engine/a.cpp", "#include \"gateway/direct/telemetry.pb.h\"", 0},
      {"gateway/engine/a.cpp", "#include \"gateway/store/sqlite/store.h\"", 1},
      {"gateway/engine/a.cpp", "#include \"gateway/mqtt/session.h\"", 1},
      {"gateway/store/sqlite/a.cpp", "#include \"gateway/engine/ports.h\"", 0},
      {"gateway/store/sqlite/a.cpp", "#include \"gateway/journal/journal.h\"", 1},
      {"gateway/mqtt/a.cpp", "#include \"gateway/journal/journal.h\"", 0},
      {"gateway/mqtt/a.cpp", "#include \"gateway/engine/ports.h\"", 1},
      {"gateway/catalog/a.cpp", "#include \"billing/decimal.h\"", 0},
      {"gateway/catalog/a.cpp", "#include \"gateway/store/sqlite/store.h\"", 1},
      {"gateway/app/main.cpp", "#include \"gateway/store/sqlite/store.h\"", 0},
      {"gateway/app/main.cpp", "#include \"firmware-sim/fleet.h\"", 1},
      {"firmware-sim/a.cpp", "#include \"firmware-sim/lift.h\"", 0},
      {"firmware-sim/a.cpp", "#include \"gateway/engine/ports.h\"", 1},
      {"tests/e2e/a.cpp", "#include \"gateway/app/main.h\"", 0},
      {"gateway/newcomer/a.cpp", "#include \"rules/unit.h\"", 1},
      {"rules/a.cpp", "#include <billing/money.h>", 1},  // brackets do not get around the rule
      {"rules/a.cpp", "#include \"unit.h\"", 1},
      {"rules/a.cpp", "  #  include   \"billing/money.h\"  // why not", 1},
      {"rules/a.cpp", "// #include \"billing/money.h\"", 0},
      {"rules/a.cpp", "/*\n#include \"billing/money.h\"\n*/", 0},
      {"rulesets/a.cpp", "#include \"rules/unit.h\"", 1},  // a folder that only begins with the name of another
  };
  for (const IncludeCase& c : cases) {
    const auto found = check_includes({c.path, c.line + "\n"});
    EXPECT_EQ(found.size(), c.findings) << c.path << ": " << c.line;
  }
}

TEST(Includes, ThirdPartyHeadersStayWithTheirAdapters) {
  const std::vector<IncludeCase> cases = {
      {"rules/a.cpp", "#include <vector>", 0},
      {"rules/a.cpp", "#include <boost/system/result.hpp>", 0},
      {"rules/a.cpp", "#include <iostream>", 1},
      {"rules/a.cpp", "#include <fstream>", 1},
      {"billing/a.h", "#include <mutex>", 1},
      {"billing/a.h", "#include <thread>", 1},
      {"gateway/dispatch/a.h", "#include <boost/json.hpp>", 1},
      {"gateway/dispatch/a.h", "#include <boost/asio/io_context.hpp>", 1},
      {"billing/a.cpp", "#include <sqlite3.h>", 1},
      {"gateway/engine/a.cpp", "#include <thread>", 0},
      {"gateway/engine/a.cpp", "#include <sqlite3.h>", 1},
      {"gateway/store/a.cpp", "#include <sqlite3.h>", 1},
      {"gateway/store/sqlite/a.cpp", "#include <sqlite3.h>", 0},
      {"tests/gateway/store_test.cpp", "#include <sqlite3.h>", 0},
      {"gateway/app/main.cpp", "#include <mqtt/async_client.h>", 1},
      {"gateway/app/main.cpp", "#include <MQTTAsync.h>", 1},
      {"gateway/mqtt/a.cpp", "#include <mqtt/async_client.h>", 0},
      {"firmware-sim/a.cpp", "#include <mqtt/async_client.h>", 0},
      {"gateway/mqtt/a.cpp", "#include \"mqtt/async_client.h\"", 1},  // quotes are for the project's own
  };
  for (const IncludeCase& c : cases) {
    EXPECT_EQ(check_includes({c.path, c.line + "\n"}).size(), c.findings) << c.path << ": " << c.line;
  }
}

TEST(Includes, AFindingNamesFileLineAndWhatIsAllowed) {
  const auto found = check_includes({"gateway/mqtt/session.cpp", "// prose\n\n#include \"rules/unit.h\"\n"});
  EXPECT_EQ(messages(found),
            std::vector<std::string>{"gateway/mqtt/session.cpp:3: includes rules/unit.h; folder gateway/mqtt may "
                                     "include only gateway/mqtt, gateway/journal, gateway/sparkplug"});
}

TEST(Purity, NoClockIsReadInThePureFolders) {
  const std::string now = "auto t = std::chrono::system_clock::now();\n";
  EXPECT_EQ(check_purity({"rules/a.cpp", now}).size(), 1U);
  EXPECT_EQ(check_purity({"billing/a.cpp", "x = steady_clock::now();\n"}).size(), 1U);
  EXPECT_EQ(check_purity({"gateway/dispatch/a.cpp", now}).size(), 1U);
  EXPECT_TRUE(check_purity({"gateway/app/a.cpp", now}).empty());
  EXPECT_TRUE(check_purity({"rules/a.cpp", "// never system_clock::now()\n"}).empty());
  EXPECT_TRUE(check_purity({"rules/a.cpp", "say(\"system_clock::now\");\n"}).empty());
  EXPECT_TRUE(check_purity({"rules/a.cpp", "std::chrono::sys_time<milliseconds> t;\n"}).empty());
}

TEST(Headers, BeginWithPragmaOnceAndProse) {
  EXPECT_TRUE(check_header({"rules/a.h", "#pragma once\n// What it is.\n\nint f();\n"}).empty());
  EXPECT_EQ(messages(check_header({"rules/a.h", "// What it is.\nint f();\n"})),
            std::vector<std::string>{"rules/a.h: has no #pragma once"});
  EXPECT_EQ(check_header({"rules/a.h", "#pragma once\n\n#include <a>\n#include <b>\n\n// too late\n"}).size(), 1U);
  EXPECT_EQ(check_header({"rules/a.h", "\n"}).size(), 2U);
  EXPECT_TRUE(check_header({"rules/a.cpp", "int f();\n"}).empty());
}

TEST(Headers, OpenNoNamespaceToTheirIncluders) {
  const std::string begin = "#pragma once\n// What it is.\n";
  const std::vector<std::pair<std::string, std::size_t>> cases = {
      {"using namespace std;\n", 1},
      {"#include <vector>\nusing namespace std;\n", 1},
      {"namespace a {\nusing namespace std;\n}\n", 1},
      {"namespace a {\ninline namespace b {\nusing namespace std;\n}\n}\n", 1},
      {"namespace a {\nvoid f();\nusing namespace std;\n}\n", 1},
      {"namespace a {\nstruct S {\n  int x = 0;\n};\nusing namespace std;\n}\n", 1},
      {"namespace a {\ninline int f() {\n  using namespace std;\n  return 1;\n}\n}\n", 0},
      {"namespace a {\nusing std::string;\n}\n", 0},
      {"// using namespace std;\n", 0},
      {"inline const char* kText = \"; using namespace std;\";\n", 0},
      {"inline const char* kText = R\"(} ; using namespace std;)\";\n", 0},
      {"inline constexpr int kMany = 1'000;\nusing namespace std;\n", 1},
  };
  for (const auto& [text, findings] : cases) {
    EXPECT_EQ(check_header({"rules/a.h", begin + text}).size(), findings) << text;
  }
}

TEST(Length, ALongFileIsSplitOrListed) {
  std::string text;
  for (std::size_t i = 0; i < kMaxLines; ++i) text += "int x;\n";
  EXPECT_TRUE(check_length({"rules/a.cpp", text}).empty());
  EXPECT_EQ(check_length({"rules/a.cpp", text + "int y;\n"}).size(), 1U);
  EXPECT_TRUE(check_length({"docs/a.md", text + "int y;\n"}).empty());
}

TEST(Text, HasNoMarksOfUnfinishedWork) {
  EXPECT_EQ(check_text({"a.cpp",
                        "// TO"
                        "DO: later\n"})
                .size(),
            1U);
  EXPECT_EQ(check_text({"a.md",
                        "FIX"
                        "ME\n"})
                .size(),
            1U);
  EXPECT_EQ(check_text({"a.sh",
                        "# XX"
                        "X\n"})
                .size(),
            1U);
  EXPECT_TRUE(check_text({"a.sh", "mktemp -d /tmp/demo.XXXXXX\n"}).empty());
  EXPECT_TRUE(check_text({"a.md", "a mastodon\n"}).empty());
  EXPECT_TRUE(check_text({"a.cpp",
                          "currency(\"XX"
                          "X\")\n"})
                  .empty());  // no currency, says ISO 4217
}

TEST(Text, NamesNoFolderOfOneMachine) {
  EXPECT_EQ(check_text({"a.md",
                        "cd /wo"
                        "rk/main\n"})
                .size(),
            1U);
  EXPECT_EQ(check_text({"a.md",
                        "\"/ro"
                        "ot/x\"\n"})
                .size(),
            1U);
  EXPECT_EQ(check_text({"a.md",
                        "/ho"
                        "me/somebody\n"})
                .size(),
            1U);
  EXPECT_TRUE(check_text({"a.md", "GET /work-orders/7\n"}).empty());
  EXPECT_TRUE(check_text({"a.md", "docs/how-to/work/b.md and $HOME/x\n"}).empty());
}

}  // namespace
}  // namespace fettle::layering
