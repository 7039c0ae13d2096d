// What a back-test reads: recordings, failures, ranges of parameters. And that it runs on them.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <sstream>

#include "gateway/app/backtest_csv.h"
#include "gateway/app/backtest_failures.h"
#include "gateway/app/backtest_report.h"
#include "gateway/app/backtest_run.h"
#include "gateway/app/backtest_tune.h"
#include "gateway/catalog/catalog_reader.h"

namespace fettle::app {
namespace {

using engine::Time;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

Time ms(std::int64_t count) {
  return Time(milliseconds(count));
}

// ---- texts
// ----------------------------------------------------------------------------------------------------------

TEST(BacktestCsv, ReadsStampsAndRefusesTheEndOfTime) {
  EXPECT_EQ(parse_stamp("1500"), ms(1500));
  EXPECT_EQ(parse_stamp("-1500"), ms(-1500));
  EXPECT_EQ(parse_stamp("1970-01-01T00:00:01.5Z"), ms(1500));
  EXPECT_EQ(parse_stamp("1970-01-01 00:00:01.500000"), ms(1500));
  EXPECT_EQ(parse_stamp("1970-01-01T01:00+01:00"), ms(0));
  for (const char* wrong : {"", "x", "1.5", "3/11/2017 0:00", "9223372036854775807", "-9223372036854775808"}) {
    EXPECT_EQ(parse_stamp(wrong), std::nullopt) << wrong;
  }
}

TEST(BacktestCsv, WritesNumbersAsJsonDoes) {
  const std::pair<const char*, const char*> cases[] = {{"1", "1"},    {"-0.10", "-0.10"}, {"1e5", "1e5"},
                                                       {".5", "0.5"}, {"-.5", "-0.5"},    {"007", "7"},
                                                       {"1.", "1"},   {"0", "0"},         {"0.25", "0.25"}};
  for (const auto& [text, expected] : cases) EXPECT_EQ(json_number(text), expected) << text;
  for (const char* wrong : {"", "nan", "inf", "-inf", "1e999", "#VALUE!", "1 2", "+"}) {
    EXPECT_EQ(json_number(wrong), std::nullopt) << wrong;
  }
}

// ---- failures
// -------------------------------------------------------------------------------------------------------

const FailureNames kOneAsset{"lift-1", {"doors/slow", "motor/hot"}};
const FailureNames kManyAssets{"", {"doors/slow", "motor/hot"}};

std::string text_of_failures(const Result<std::vector<KnownFailure>>& failures) {
  if (!failures) return failures.error().message;
  std::string text;
  for (const KnownFailure& one : *failures) {
    text += one.asset + ' ' + std::to_string(one.start.time_since_epoch().count()) + ".." +
            std::to_string(one.end.time_since_epoch().count()) + ' ' + one.rule + '\n';
  }
  return text;
}

TEST(BacktestFailures, ReadsCsvAndJsonLinesAlike) {
  const std::string expected = "lift-1 1000..2000 \nlift-2 3000..3000 slow\n";
  const char* texts[] = {
      "asset,start,end,rule\nlift-1,1000,2000,\nlift-2,3000,,slow\n",
      "\xEF\xBB\xBFrule,note,end,start,asset\r\n,\"a, b\",2000,1000,lift-1\r\n\r\nslow,,,1970-01-01T00:00:03Z,lift-2",
      "{\"asset\": \"lift-1\", \"start\": 1000, \"end\": \"1970-01-01T00:00:02Z\", \"note\": [1]}\n\n"
      "{\"asset\": \"lift-2\", \"time\": \"3000\", \"rule\": \"slow\", \"end\": null}\n",
  };
  for (const char* text : texts) EXPECT_EQ(text_of_failures(read_failures("f", text, kManyAssets)), expected) << text;
  EXPECT_EQ(text_of_failures(read_failures("f", "asset,time,rule\nlift-1,5,motor/hot\n", kManyAssets)),
            "lift-1 5..5 motor/hot\n");
}

TEST(BacktestFailures, AssetMayBeMissingWhereThereIsOne) {
  EXPECT_EQ(text_of_failures(read_failures("f", "time\n5\n", kOneAsset)), "lift-1 5..5 \n");
  EXPECT_EQ(text_of_failures(read_failures("f", "{\"time\": 5}", kOneAsset)), "lift-1 5..5 \n");
  EXPECT_EQ(text_of_failures(read_failures("f", "time\n5\n", kManyAssets)),
            "f:1: no column is named asset, and the data is of several; expected the names asset, start, end or time, "
            "and rule where one is meant");
}

TEST(BacktestFailures, NamesEveryWrongRowAtOnce) {
  const std::string said = text_of_failures(read_failures(
      "f.csv", "asset,start,end,rule\nlift-1,x,,\nlift-1,5,6,\n,5,6,\nlift-1,9,8,\nlift-1,9,soon,slwo\nlift-1,,7,\n",
      kManyAssets));
  EXPECT_EQ(said,
            "f.csv:2: no time in start: \"x\"; expected ISO 8601 (UTC where it names no zone) or milliseconds since "
            "1970\n"
            "f.csv:4: no asset; expected one, since the data is of several\n"
            "f.csv:5: the end 8 lies before the start 9\n"
            "f.csv:6: no time in end: \"soon\"; expected ISO 8601 (UTC where it names no zone) or milliseconds since "
            "1970\n"
            "f.csv:6: no rule of the packs is named slwo; did you mean slow?\n"
            "f.csv:7: expected either time, or start with or without end");
}

TEST(BacktestFailures, RefusesWhatIsNoListOfFailures) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "f:0: empty"},
      {"\n\n", "f:2: empty"},
      {"asset,when\n", "f:1: no column is named start or time"},
      {"asset,time,start\n", "f:1: both time and start name a column"},
      {"{\"time\": 5}\nrubbish\n", "f:2: no JSON object"},
      {"{\"time\": 5.5}\n", "f:1: \"time\" is neither a text nor a whole number"},
      {"{\"time\": 5, \"start\": 5}\n", "f:1: expected either time, or start"},
      {"{\"time\": 5, \"end\": 6}\n", "f:1: expected either time, or start"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string said = text_of_failures(read_failures("f", text, kOneAsset));
    EXPECT_TRUE(said.starts_with(expected)) << text << "\n" << said;
  }
}

TEST(BacktestFailures, CountsTheWrongRowsThatItDoesNotName) {
  std::string text = "time\n";
  for (std::size_t i = 0; i < kMaxNamedRows + 7; ++i) text += "x\n";
  const std::string said = text_of_failures(read_failures("f", text, kOneAsset));
  EXPECT_TRUE(said.ends_with("\nand 7 more wrong rows")) << said;
}

// ---- the packs of the tests below
// -----------------------------------------------------------------------------------

const char* const kCatalog = R"(
models:
  - id: press
    signals:
      - {name: force, kind: gauge, unit: kN}
      - {name: speed, kind: gauge, unit: mm/s}
)";
const char* const kPack = R"(
pack: presses
version: 1
rules:
  - rule: strong
    model: press
    parameters: {limit: 5 kN}
    when: force > limit
  - rule: fast
    model: press
    parameters: {limit: 9 mm/s, share: 1}
    when: speed > share * limit
)";

catalog::CatalogChange presses() {
  const std::array<catalog::SourceFile, 2> files = {{{"press.yaml", kCatalog}, {"pack.yaml", kPack}}};
  auto declared = catalog::read_catalog(files, {});
  if (!declared) throw std::runtime_error(catalog::to_string(declared.error().front()));
  return *declared;
}

Result<std::vector<TuneRange>> ranges(std::vector<std::string> texts) {
  return read_tune_ranges(texts, presses(), "press");
}

// ---- tuning
// ---------------------------------------------------------------------------------------------------------

TEST(BacktestTune, StepsKeepTheirUnitsAndHoldBothEnds) {
  struct Case {
    const char* text;
    std::vector<std::string> values;
  };
  const std::vector<Case> cases = {
      {"strong.limit=0.2 kN..0.6 kN/5", {"0.2 kN", "0.3 kN", "0.4 kN", "0.5 kN", "0.6 kN"}},
      {"presses/fast.limit=2 mm/s..5 mm/s/2", {"2 mm/s", "5 mm/s"}},
      {"share=-1..1/3", {"-1", "0", "1"}},
      {" share = 1e-3 .. 3e-3 / 3 ", {"0.001", "0.002", "0.003"}},
      {"strong.limit=1kN..2kN/2", {"1 kN", "2 kN"}},
  };
  for (const Case& one : cases) {
    const auto read = ranges({one.text});
    ASSERT_TRUE(read) << one.text << ": " << read.error().message;
    EXPECT_EQ(read->front().values, one.values) << one.text;
  }
}

TEST(BacktestTune, RefusesWrongRangesAllAtOnce) {
  const std::pair<const char*, const char*> cases[] = {
      {"limit=1 kN..2 kN/3", "several rules have a parameter limit; say presses/fast.limit or presses/strong.limit"},
      {"shar=1..2/3", "no rule of the model has a parameter shar; did you mean share?"},
      {"share", "expected <parameter>=<from>..<to>/<steps>, such as limit=0.2 s..0.6 s/5"},
      {"share=1..2", "expected <parameter>=<from>..<to>/<steps>, such as limit=0.2 s..0.6 s/5"},
      {"share=1/2", "expected <parameter>=<from>..<to>/<steps>, such as limit=0.2 s..0.6 s/5"},
      {"share=a..2/3",
       "an end is no quantity; expected <parameter>=<from>..<to>/<steps>, such as limit=0.2 s..0.6 s/5"},
      {"share=1..2 kN/3", "the ends are in \"\" and \"kN\"; write both in one unit"},
      {"share=2..1/3", "the range does not rise; write the smaller end first"},
      {"share=1..2/1", "\"1\" steps; expected a whole number from 2, both ends counted, to 10000"},
      {"share=1..2/x", "\"x\" steps; expected a whole number from 2, both ends counted, to 10000"},
      {"share=1..2/10001", "\"10001\" steps; expected a whole number from 2, both ends counted, to 10000"},
      {"share=1..1.000000000001/9", "the steps lie closer than 12 digits tell apart; take fewer"},
  };
  std::vector<std::string> texts;
  std::string expected;
  for (const auto& [text, message] : cases) {
    texts.emplace_back(text);
    expected += (expected.empty() ? "--tune " : "\n--tune ") + std::string(text) + ": " + message;
  }
  const auto read = ranges(texts);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, expected);

  EXPECT_EQ(ranges({"share=1..2/2", "fast.share=3..4/2"}).error().message,
            "--tune fast.share=3..4/2: a second range of presses/fast.share; give one");
  EXPECT_EQ(ranges({"share=1..2/101", "strong.limit=1 kN..2 kN/100"}).error().message,
            "--tune: the product of the steps is more than 10000 points; take fewer steps");
  EXPECT_TRUE(ranges({"share=1..2/100", "strong.limit=1 kN..2 kN/100"}));
}

TEST(BacktestTune, EveryPointIsVisitedOnceAndSetInItsOwnRule) {
  const auto read = ranges({"share=1..2/2", "strong.limit=1 kN..3 kN/3"});
  ASSERT_TRUE(read);
  ASSERT_EQ(count_points(*read), 6U);
  std::string visited;
  for (std::size_t i = 0; i < count_points(*read); ++i) visited += point_text(*read, point_at(*read, i)) + '\n';
  EXPECT_EQ(visited,
            "share = 1, limit = 1 kN\nshare = 1, limit = 2 kN\nshare = 1, limit = 3 kN\n"
            "share = 2, limit = 1 kN\nshare = 2, limit = 2 kN\nshare = 2, limit = 3 kN\n");

  const catalog::CatalogChange set = with_point(presses(), *read, point_at(*read, 5));
  for (const catalog::Entry& entry : set.entries()) {
    if (!entry.has_pack()) continue;
    EXPECT_EQ(entry.pack().rules(0).parameters().at("limit").text(), "3 kN");
    EXPECT_EQ(entry.pack().rules(1).parameters().at("limit").text(), "9 mm/s");
    EXPECT_EQ(entry.pack().rules(1).parameters().at("share").text(), "2");
  }
}

// ---- running
// --------------------------------------------------------------------------------------------------------

Result<Recording> recording(const std::string& csv, const std::string& asset_column = {}) {
  const catalog::CatalogChange declared = presses();
  BacktestOptions options;
  options.data = "d.csv";
  options.asset_column = asset_column;
  std::istringstream in(csv);
  return Recording::read(in, options, *find_model(declared, "press"));
}

std::string raised_in(const std::string& csv, const std::string& asset_column = {}) {
  const catalog::CatalogChange declared = presses();
  const auto rows = recording(csv, asset_column);
  if (!rows) return rows.error().message;
  const auto store = run_backtest(declared, *find_model(declared, "press"), *rows, [] { return true; });
  if (!store) return store.error().message;
  std::vector<std::string> lines;
  for (const RaisedEpisode& one : raised_episodes(**store)) {
    lines.push_back(one.asset + ' ' + one.rule + ' ' + std::to_string(one.raised_at.time_since_epoch() / minutes(1)));
  }
  std::sort(lines.begin(), lines.end());
  std::string text;
  for (const std::string& line : lines) text += line + '\n';
  return text;
}

TEST(Backtest, RaisesWhatTheRowsSay) {
  EXPECT_EQ(raised_in("time,force,speed\n0,1,1\n60000,9,1\n120000,1,1\n180000,1,10\n240000,1,\n"),
            "backtest presses/fast 3\nbacktest presses/strong 1\n");
}

TEST(Backtest, AssetsAreMergedByTimeHoweverTheFileHoldsThem) {
  const std::string after_each_other = "time,unit,force\n0,a,1\n60000,a,9\n0,b,1\n120000,b,9\n";
  const std::string merged = "time,unit,force\n0,a,1\n0,b,1\n60000,a,9\n120000,b,9\n";
  const std::string expected = "a presses/strong 1\nb presses/strong 2\n";
  EXPECT_EQ(raised_in(after_each_other, "unit"), expected);
  EXPECT_EQ(raised_in(merged, "unit"), expected);
  const auto read = recording(after_each_other, "unit");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->assets(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(read->watched()[1].to, Time(minutes(2)));
}

TEST(Backtest, ARowThatJumpsBackIsLateAsItWasLive) {
  // The third row lies an hour behind: stored, and not ruled.
  EXPECT_EQ(raised_in("time,force\n0,1\n7200000,1\n3600000,9\n7260000,1\n"), "");
}

TEST(Backtest, SaysWhichRowIsWrong) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "d.csv is empty"},
      {"time\n0\n", "d.csv:1: no column is a signal of model press"},
      {"when,force\n0,1\n", "d.csv:1: no column with the time"},
      {"time,force\n0,1\nsoon,1\n", "d.csv:3: no time in column 1; expected ISO 8601"},
      {"time,force\n0,1\n" + std::string(70'000, '1') + "\n", "d.csv:3: a line of more than 64 KiB"},
  };
  for (const auto& [csv, expected] : cases) {
    const std::string said = raised_in(csv);
    EXPECT_TRUE(said.starts_with(expected)) << said;
  }
  EXPECT_TRUE(raised_in("time,force\n0,1\n", "unit").starts_with("d.csv:1: no column unit, as --asset-column says"));
  EXPECT_TRUE(raised_in("time,unit,force\n0,a/b,1\n", "unit").starts_with("d.csv:2: \"a/b\" cannot name an asset"));
}

TEST(Backtest, EndsWhereItIsToldToAndHasNoResultThen) {
  std::string csv = "time,force\n";
  for (int i = 0; i < 10'000; ++i) csv += std::to_string(i * 1000) + ",1\n";
  const catalog::CatalogChange declared = presses();
  const auto rows = recording(csv);
  ASSERT_TRUE(rows);
  int asked = 0;
  const auto store = run_backtest(declared, *find_model(declared, "press"), *rows, [&] { return ++asked < 2; });
  ASSERT_TRUE(store);
  EXPECT_EQ(*store, nullptr);
  EXPECT_EQ(asked, 2);
}

TEST(Backtest, ATunedPointOfAWrongUnitIsRefused) {
  const auto read = ranges({"strong.limit=1 s..2 s/2"});
  ASSERT_TRUE(read);
  const catalog::CatalogChange declared = with_point(presses(), *read, point_at(*read, 0));
  const auto rows = recording("time,force\n0,1\n");
  ASSERT_TRUE(rows);
  const auto store = run_backtest(declared, *find_model(declared, "press"), *rows, [] { return true; });
  ASSERT_FALSE(store);
  EXPECT_NE(store.error().message.find("presses/strong"), std::string::npos) << store.error().message;
}

// ---- printing
// -------------------------------------------------------------------------------------------------------

TEST(BacktestReport, PrintsSpansTablesAndNulls) {
  EXPECT_EQ(span_text(hours(51)), "2d3h");
  EXPECT_EQ(span_text(-minutes(90)), "-1h30m");
  EXPECT_EQ(span_text(Span{0}), "0s");
  EXPECT_EQ(span_text(milliseconds(1600)), "2s");

  Judgement judged;
  judged.failures = 2;
  judged.found = 1;
  judged.recall = 0.5;
  judged.lead = LeadTime{hours(2), hours(2), hours(2)};
  const std::vector<JudgedRow> rows = {{"all rules", judged}};
  EXPECT_EQ(table_of("rule", rows),
            "rule       found   episodes  right  false  precision  recall  F1  false/asset-month  lead time: median "
            "(least .. most)\n"
            "all rules  1 of 2  0         0      0      -          0.500   -   -                  2h (2h .. 2h)\n");
  const boost::json::object json = json_of(judged);
  EXPECT_TRUE(json.at("precision").is_null());
  EXPECT_DOUBLE_EQ(json.at("recall").as_double(), 0.5);
  EXPECT_DOUBLE_EQ(json.at("lead_time_s").at("median").as_double(), 7200.0);
  EXPECT_TRUE(json_of(Judgement{}).at("lead_time_s").is_null());
}

}  // namespace
}  // namespace fettle::app
