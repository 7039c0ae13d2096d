// `fettle test-pack`, and that `fettle apply` runs the same tests before anything is declared.

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <sstream>

#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

constexpr const char* kFettle = FETTLE_BIN_DIR "/fettle";

constexpr const char* kModel = R"(models:
  - id: motor
    signals:
      - {name: temperature, kind: gauge, unit: degC}
)";

constexpr const char* kPack = R"(pack: heat
version: 1
rules:
  - rule: hot
    model: motor
    when: temperature > 80 degC
    for: 10m
)";

constexpr const char* kTests = R"(    tests:
      - name: heat that lasts is noticed
        readings: {temperature: [constant(20 degC, 1h, every 5m), constant(90 degC, 1h, every 5m)]}
        expect: [{raised_after: == 70m, cleared_after: never}]
      - name: cold is normal
        readings: {temperature: constant(20 degC, 1d, every 5m)}
        expect: [{none: true}]
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("there is no '" + from + "' to be replaced");
  return text.replace(at, from.size(), to);
}

class TestPack : public testing::Test {
 protected:
  TestPack() { write_text(file("m.yaml"), kModel); }

  std::filesystem::path file(const std::string& name) const { return folder_.path() / name; }
  std::string write(const std::string& text) const {
    write_text(file("p.yaml"), text);
    return file("p.yaml").string();
  }
  Ran run(Words words) const {
    words.insert(words.begin(), {kFettle, "test-pack"});
    return run_command(words);
  }

  test::TemporaryFolder folder_;
};

TEST_F(TestPack, PrintsALineForEachTestThatIsRight) {
  const Ran ran = run({write(kPack + std::string(kTests)), file("m.yaml").string()});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(ran.out,
            "ok      heat/hot: heat that lasts is noticed (raised after 1h10m and open at the end after 2h)\n"
            "ok      heat/hot: cold is normal (no episode in 1d)\n"
            "2 tests, 0 failed\n");
  EXPECT_EQ(ran.err, "");
}

TEST_F(TestPack, SaysWhatFailedAndExitsWithOne) {
  const std::string pack = write(replaced(kPack + std::string(kTests), "== 70m", "<= 65m"));
  const Ran ran = run({pack, file("m.yaml").string()});
  EXPECT_EQ(ran.code, 1);
  EXPECT_EQ(ran.out,
            "FAILED  " + pack +
                ":9: pack heat, rule hot, test \"heat that lasts is noticed\": expected 1 episode raised after <= "
                "65m and not cleared; found raised after 1h10m and open at the end after 2h\n"
                "    it is raised 5m too late\n"
                "ok      heat/hot: cold is normal (no episode in 1d)\n"
                "2 tests, 1 failed\n");
}

TEST_F(TestPack, PrintsJsonLinesForPrograms) {
  const Ran ran = run({write(kPack + std::string(kTests)), file("m.yaml").string(), "--json"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  std::istringstream lines(ran.out);
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  const json::object first = json::parse(line).as_object();
  EXPECT_EQ(first.at("rule"), "hot");
  EXPECT_EQ(first.at("ok"), true);
  EXPECT_EQ(first.at("line"), 9);
  EXPECT_EQ(first.at("readings"), 24);
  EXPECT_EQ(first.at("episodes").at(0), (json::object{{"raised_after_ms", 4'200'000}, {"cleared_after_ms", nullptr}}));
  ASSERT_TRUE(std::getline(lines, line) && std::getline(lines, line));
  EXPECT_EQ(json::parse(line), (json::object{{"tests", 2}, {"failed", 0}}));
}

TEST_F(TestPack, RefusesWhatCannotBeRun) {
  struct Case {
    Words words;
    int code;
    std::string said;
  };
  const std::string model = file("m.yaml").string();
  const std::string pack = write(kPack);
  const std::string wrong = file("w.yaml").string();
  write_text(wrong, replaced(kPack + std::string(kTests), "[constant(20 degC, 1h", "[constant(20 bar, 1h"));
  const std::string right = file("r.yaml").string();
  write_text(right, kPack + std::string(kTests));
  for (const Case& each : {
           Case{{}, 2, "files is required"},
           Case{{pack, model, "--jsn"}, 2, "--jsn"},
           Case{{file("none.yaml").string()}, 1, "cannot read " + file("none.yaml").string()},
           Case{{model}, 1, "no rule pack in the files given"},
           Case{
               {pack, model}, 1, pack + ":4:5: pack heat: rule hot has no test, and a rule is taken with one at least"},
           Case{{right}, 1, "there is no model motor"},
           Case{{right}, 1, "or a gateway that knows them with --config FILE"},
           Case{{wrong, model},
                1,
                wrong + ":10:46: pack heat: rule hot, test \"heat that lasts is noticed\": signal "
                        "temperature: \"bar\" does not convert to the signal's unit degC"},
       }) {
    const Ran ran = run(each.words);
    EXPECT_EQ(ran.code, each.code) << each.said;
    EXPECT_NE((ran.out + ran.err).find(each.said), std::string::npos) << "expected: " << each.said << "\n" << ran.err;
  }
}

TEST(ApplyOfAPack, RunsItsTestsBeforeAnythingIsDeclared) {
  Stage stage;
  const std::string pack = (stage.folder.path() / "p.yaml").string();
  const std::string model = (stage.folder.path() / "m.yaml").string();
  write_text(model, kModel);
  const auto entries = [&] { return query(stage.gateway.store(), "SELECT kind, id FROM catalog_entry ORDER BY 1, 2"); };
  const auto refused = [&](const std::string& said) {
    const Ran ran = stage.gateway.command({"apply", model, pack});
    EXPECT_EQ(ran.code, 1);
    EXPECT_NE(ran.err.find(said), std::string::npos) << ran.err;
    EXPECT_NE(ran.err.find("nothing was applied"), std::string::npos) << ran.err;
    EXPECT_EQ(entries(), Lines{});
  };
  write_text(pack, kPack);
  refused("rule hot has no test");
  write_text(pack, replaced(kPack + std::string(kTests), "none: true", "count: 1"));
  refused(pack + ":12: pack heat, rule hot, test \"cold is normal\": expected 1 episode; found no episode in 1d");
  write_text(pack, kPack + std::string(kTests));
  stage.gateway.done({"apply", model, pack});
  EXPECT_EQ(entries().size(), 2U);

  // The gateway's model serves where the file declares none.
  const Ran tested = stage.gateway.command({"test-pack", pack});
  EXPECT_EQ(tested.code, 0) << tested.err;
  EXPECT_NE(tested.out.find("2 tests, 0 failed"), std::string::npos) << tested.out;
}

}  // namespace
}  // namespace fettle::e2e
