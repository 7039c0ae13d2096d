// `fettle backtest`: what packs would have raised on a recording; with known failures how well that foretold them; with
// ranges of parameters which of them would have done best.

#include <algorithm>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>

#include "gateway/app/backtest_failures.h"
#include "gateway/app/backtest_report.h"
#include "gateway/app/backtest_run.h"
#include "gateway/app/backtest_tune.h"
#include "gateway/app/commands.h"
#include "gateway/app/output.h"
#include "gateway/catalog/catalog_reader.h"
#include "gateway/catalog/texts.h"

namespace fettle::app {
namespace {

namespace json = boost::json;
using SteadyTime = std::chrono::steady_clock::time_point;

// What a back-test works on, read and checked.
struct Bench {
  catalog::CatalogChange declared;
  const catalog::Model* model = nullptr;  // in `declared`
  std::vector<std::string> rules;         // of the model, "pack/rule"
  Recording recording;
  std::vector<KnownFailure> failures;
  JudgeOptions judging;
};

Result<catalog::CatalogChange> read_packs(const BacktestOptions& options) {
  std::vector<catalog::SourceFile> files;
  for (const std::filesystem::path& file : options.packs) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return Failure{"cannot read " + file.string()};
    files.push_back({file.string(), std::string(std::istreambuf_iterator<char>(in), {})});
  }
  auto declared = catalog::read_catalog(files, {});
  if (declared) return std::move(*declared);
  std::string problems = "the files given with --pack are refused";
  for (const catalog::FileDiagnostic& diagnostic : declared.error()) problems += '\n' + catalog::to_string(diagnostic);
  return Failure{problems};
}

std::vector<std::string> rules_of(const catalog::CatalogChange& declared, const std::string& model) {
  std::vector<std::string> rules;
  for (const catalog::Entry& entry : declared.entries()) {
    if (!entry.has_pack()) continue;
    for (const catalog::Rule& rule : entry.pack().rules()) {
      if (rule.model() == model) rules.push_back(entry.pack().id() + '/' + rule.id());
    }
  }
  return rules;
}

Result<Recording> read_recording(const BacktestOptions& options, const catalog::Model& model) {
  if (options.data == "-") return Recording::read(std::cin, options, model);
  std::ifstream file(options.data, std::ios::binary);
  if (!file) return Failure{"cannot read " + options.data.string()};
  return Recording::read(file, options, model);
}

Result<std::vector<KnownFailure>> failures_of(const BacktestOptions& options, const Bench& bench) {
  std::ifstream file(options.failures, std::ios::binary);
  if (!file) return Failure{"cannot read " + options.failures.string()};
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto& assets = bench.recording.assets();
  return read_failures(options.failures.string(), text,
                       {assets.size() == 1 ? assets.front() : std::string(), bench.rules});
}

Result<std::unique_ptr<Bench>> set_up(const BacktestOptions& options) {
  auto bench = std::make_unique<Bench>();
  auto declared = read_packs(options);
  if (!declared) return declared.error();
  bench->declared = std::move(*declared);
  bench->model = find_model(bench->declared, options.model);
  if (bench->model == nullptr) {
    return Failure{"no model " + options.model +
                   " in the files given; add the catalog file that declares it with --pack"};
  }
  bench->rules = rules_of(bench->declared, options.model);
  auto recording = read_recording(options, *bench->model);
  if (!recording) return recording.error();
  bench->recording = std::move(*recording);
  if (options.failures.empty()) return bench;
  auto failures = failures_of(options, *bench);
  if (!failures) return failures.error();
  bench->failures = std::move(*failures);
  bench->judging = {options.horizon, options.repeat, options.probation};
  return bench;
}

// ---- one run
// ---------------------------------------------------------------------------------------------------------

void print_episodes(const store::MemoryStore& store) {
  std::map<std::pair<engine::Time, std::string>, json::object> lines;
  for (const auto& [id, episode] : store.episodes()) {
    lines[{episode.raised_at, id}] = {
        {"episode", id},
        {"asset", episode.asset},
        {"pack", episode.pack},
        {"rule", episode.rule},
        {"since", text_of(episode.since)},
        {"raised_at", text_of(episode.raised_at)},
        {"cleared_at", episode.cleared_at ? json::value(text_of(*episode.cleared_at)) : json::value()},
        {"work_order", episode.work_order}};
  }
  for (const auto& [id, order] : store.work_orders()) {
    lines[{order.raised_at, id}] = {{"work_order", id},
                                    {"asset", order.asset},
                                    {"rule", order.rule},
                                    {"priority", order.priority},
                                    {"title", order.title},
                                    {"raised_at", text_of(order.raised_at)},
                                    {"occurrences", order.occurrences}};
  }
  for (const auto& [key, line] : lines) std::printf("%s\n", json::serialize(line).c_str());
}

json::object summary_of(const store::MemoryStore& store, const Bench& bench) {
  const engine::Counters& counters = store.counters();
  return {{"rows", bench.recording.rows()},
          {"readings", counters.readings},
          {"duplicates", counters.duplicates},
          {"conflicts", counters.conflicts},
          {"late", counters.late},
          {"quarantined", counters.quarantined},
          {"episodes", store.episodes().size()},
          {"work_orders", store.work_orders().size()}};
}

// All rules together first, then each.
std::vector<JudgedRow> judged_rows(const store::MemoryStore& store, const Bench& bench) {
  const std::vector<RaisedEpisode> episodes = raised_episodes(store);
  const auto& watched = bench.recording.watched();
  std::vector<JudgedRow> rows = {{"all rules", judge(episodes, bench.failures, watched, bench.judging)}};
  for (const std::string& rule : bench.rules) {
    rows.emplace_back(rule, judge_rule(rule, episodes, bench.failures, watched, bench.judging));
  }
  return rows;
}

void print_judged_json(const std::vector<JudgedRow>& rows) {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    json::object line = {{"judgement", i == 0 ? "all" : "rule"}};
    if (i > 0) line["rule"] = rows[i].first;
    for (auto& [key, value] : json_of(rows[i].second)) line[key] = value;
    std::printf("%s\n", json::serialize(line).c_str());
  }
}

void print_judged_text(const std::vector<JudgedRow>& rows, const store::MemoryStore& store, const Bench& bench) {
  const Judgement& all = rows.front().second;
  std::printf("%zu rows of %zu assets in %.1f asset-months; %zu quarantined readings, %zu late\n",
              bench.recording.rows(), bench.recording.assets().size(), all.asset_months,
              static_cast<std::size_t>(store.counters().quarantined), static_cast<std::size_t>(store.counters().late));
  std::printf("horizon %s, repeats within %s are one order, probation %s; %zu failures, %zu more outside of the data\n",
              span_text(bench.judging.horizon).c_str(), span_text(bench.judging.repeat).c_str(),
              span_text(bench.judging.probation).c_str(), all.failures, all.not_judged);
  std::printf("%s", table_of("rule", rows).c_str());
}

int run_once(const BacktestOptions& options, const Bench& bench) {
  const auto store = run_backtest(bench.declared, *bench.model, bench.recording, [] { return true; });
  if (!store) return fail(store.error().message);
  const bool judging = !options.failures.empty();
  const std::vector<JudgedRow> rows = judging ? judged_rows(**store, bench) : std::vector<JudgedRow>{};
  if (judging && options.format == Format::text) {
    print_judged_text(rows, **store, bench);
    return 0;
  }
  print_episodes(**store);
  print_judged_json(rows);
  std::printf("%s\n", json::serialize(summary_of(**store, bench)).c_str());
  return 0;
}

// ---- tuning
// ---------------------------------------------------------------------------------------------------------

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler writes it");

void interrupt(int /*signal*/) {
  interrupted = true;
}

struct TunedPoint {
  std::vector<std::size_t> steps;
  Judgement judgement;
};

// "tuning: 3 of 25 points, 1m20s left" on standard error, at most once a second.
class TuneProgress {
 public:
  explicit TuneProgress(std::size_t points) : points_(points) {}

  void done(std::size_t finished) {
    const SteadyTime now = std::chrono::steady_clock::now();
    if (finished < points_ && now - said_ < std::chrono::seconds(1)) return;
    said_ = now;
    const auto left =
        (now - begun_) / static_cast<std::int64_t>(finished) * static_cast<std::int64_t>(points_ - finished);
    std::fprintf(stderr, "tuning: %zu of %zu points, %s left\n", finished, points_,
                 span_text(std::chrono::duration_cast<Span>(left)).c_str());
  }

 private:
  std::size_t points_;
  SteadyTime begun_ = std::chrono::steady_clock::now();
  SteadyTime said_{};
};

void print_tuned(const std::vector<TuneRange>& ranges, const std::vector<TunedPoint>& points, Format format) {
  std::vector<JudgedRow> rows;
  for (const TunedPoint& point : points) {
    if (format == Format::text) {
      rows.emplace_back(point_text(ranges, point.steps), point.judgement);
      continue;
    }
    json::object parameters;
    for (std::size_t i = 0; i < ranges.size(); ++i) parameters[ranges[i].name()] = ranges[i].values[point.steps[i]];
    json::object line = {{"parameters", std::move(parameters)}};
    for (auto& [key, value] : json_of(point.judgement)) line[key] = value;
    std::printf("%s\n", json::serialize(line).c_str());
  }
  if (format == Format::text) std::printf("%s", table_of("parameters", rows).c_str());
}

int tune(const BacktestOptions& options, const Bench& bench) {
  const auto ranges = read_tune_ranges(options.tune, bench.declared, options.model);
  if (!ranges) return fail(ranges.error().message);
  const std::size_t count = count_points(*ranges);
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  TuneProgress progress(count);
  std::vector<TunedPoint> points;
  while (points.size() < count && !interrupted) {
    TunedPoint point{point_at(*ranges, points.size()), {}};
    const auto store = run_backtest(with_point(bench.declared, *ranges, point.steps), *bench.model, bench.recording,
                                    [] { return !interrupted; });
    if (!store) return fail("--tune at " + point_text(*ranges, point.steps) + ": " + store.error().message);
    if (!*store) break;
    point.judgement = judge(raised_episodes(**store), bench.failures, bench.recording.watched(), bench.judging);
    points.push_back(std::move(point));
    progress.done(points.size());
  }
  const std::size_t finished = points.size();
  std::stable_sort(points.begin(), points.end(),
                   [](const TunedPoint& a, const TunedPoint& b) { return better(a.judgement, b.judgement); });
  print_tuned(*ranges, points, options.format);
  if (finished == count) return 0;
  return fail("interrupted after " + std::to_string(finished) + " of " + std::to_string(count) +
              " points; the table holds these");
}

}  // namespace

int backtest(const BacktestOptions& options) {
  const auto bench = set_up(options);
  if (!bench) return fail(bench.error().message);
  return options.tune.empty() ? run_once(options, **bench) : tune(options, **bench);
}

}  // namespace fettle::app
