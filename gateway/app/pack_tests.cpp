#include "gateway/app/pack_tests.h"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <map>
#include <set>

#include "gateway/catalog/rule_tests.h"
#include "gateway/engine/engine.h"
#include "gateway/store/memory/memory_store.h"
#include "rules/duration.h"

namespace fettle::app {
namespace {

using std::chrono::milliseconds;

// 2024-01-01T00:00:00Z, a Monday: panes of days and hours begin with the test.
constexpr engine::Time kBegin{milliseconds(1'704'067'200'000)};
// Ticks come every second to a live gateway; the rules' dates do not depend on it.
constexpr milliseconds kTick = std::chrono::minutes(1);
constexpr const char* kAsset = "test";
constexpr std::size_t kMostShown = 5;  // episodes in words

std::string number_text(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  return {text, end};
}

// One asset of the model that is entitled to the rule under test, and to nothing else, for all time.
catalog::CatalogChange catalog_of(const TestCase& test) {
  catalog::CatalogChange change;
  *change.add_entries()->mutable_model() = *test.model;
  catalog::RulePack& pack = *change.add_entries()->mutable_pack();
  pack.set_id(test.pack->id());
  pack.set_version(test.pack->version());
  *pack.add_rules() = *test.rule;
  pack.mutable_rules(0)->clear_tests();
  catalog::Plan& plan = *change.add_entries()->mutable_plan();
  plan.set_id(kAsset);
  plan.set_currency("EUR");
  plan.add_packs(pack.id());
  catalog::Customer& customer = *change.add_entries()->mutable_customer();
  customer.set_id(kAsset);
  customer.set_zone("UTC");
  catalog::Asset& asset = *change.add_entries()->mutable_asset();
  asset.set_id(kAsset);
  asset.set_model(test.model->id());
  asset.set_customer(kAsset);
  asset.set_commissioned_ms(0);
  for (const auto& [name, text] : test.test->parameters()) {
    (*asset.mutable_parameters())[pack.id() + '/' + test.rule->id() + '.' + name] = text.text();
  }
  catalog::Subscription& subscription = *change.add_entries()->mutable_subscription();
  subscription.set_id(kAsset);
  subscription.set_customer(kAsset);
  subscription.set_plan(kAsset);
  subscription.add_assets(kAsset);
  subscription.set_start_ms(0);
  return change;
}

// Feeds the readings to an engine, message by message, with ticks between them.
class Feed {
 public:
  Feed(engine::Engine& engine, const catalog::Model& model) : engine_(engine), model_(model) {}

  void declare(const catalog::CatalogChange& change) {
    add(journal::Kind::catalog, kBegin, change.SerializeAsString());
  }

  void run(const catalog::Timeline& timeline) {
    std::vector<std::size_t> next(timeline.signals.size(), 0);
    while (const auto at = earliest(timeline, next)) {
      tick_until(*at);
      send(timeline, *at, next);
    }
    tick_until(timeline.end);
  }

 private:
  void add(journal::Kind kind, engine::Time received, std::string_view body) {
    engine_.fold({++sequence_, kind, received, body});
    if (sequence_ % engine::Engine::kBatchRecords == 0) (void)engine_.checkpoint();
  }

  static std::optional<milliseconds> earliest(const catalog::Timeline& timeline, const std::vector<std::size_t>& next) {
    std::optional<milliseconds> found;
    for (std::size_t i = 0; i < next.size(); ++i) {
      const auto& values = timeline.signals[i].values;
      if (next[i] < values.size() && (!found || values[next[i]].at < *found)) found = values[next[i]].at;
    }
    return found;
  }

  void tick_until(milliseconds end) {
    while (now_ < end) {
      now_ = std::min(end, now_ + kTick);
      add(journal::Kind::tick, kBegin + now_, {});
    }
  }

  // What all signals say at that time is one message, as a device would send it.
  void send(const catalog::Timeline& timeline, milliseconds at, std::vector<std::size_t>& next) {
    std::string text = "{\"ts\":" + std::to_string((kBegin + at).time_since_epoch().count());
    for (std::size_t i = 0; i < next.size(); ++i) {
      const catalog::SignalReadings& readings = timeline.signals[i];
      if (next[i] == readings.values.size() || readings.values[next[i]].at != at) continue;
      const double value = readings.values[next[i]++].value;
      const catalog::Signal& signal = model_.signals(readings.signal);
      text += ",\"" + signal.name() + "\":";
      text += signal.kind() == catalog::STATE
                  ? boost::json::serialize(boost::json::string(signal.states(static_cast<int>(value))))
                  : number_text(value);
    }
    text += '}';
    body_.clear();
    encode(journal::Message{static_cast<std::uint32_t>(text.size()), std::string("fettle/v1/") + kAsset + "/telemetry",
                            text},
           body_);
    add(journal::Kind::message, kBegin + at, body_);
  }

  engine::Engine& engine_;
  const catalog::Model& model_;
  journal::Sequence sequence_ = 0;
  milliseconds now_{0};
  std::string body_;
};

// What lies behind the test's end belongs to no reading of it.
std::vector<FoundEpisode> episodes_of(const store::MemoryStore& store, milliseconds end) {
  std::vector<FoundEpisode> found;
  for (const auto& [id, row] : store.episodes()) {
    FoundEpisode episode{row.raised_at - kBegin, std::nullopt};
    if (row.cleared_at && *row.cleared_at - kBegin <= end) episode.cleared = *row.cleared_at - kBegin;
    if (episode.raised <= end) found.push_back(episode);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.raised < b.raised; });
  return found;
}

// ---- what was expected and what was found ---------------------------------------------------------------------------

std::string counted(std::size_t count, const std::string& word) {
  return std::to_string(count) + ' ' + word + (count == 1 ? "" : "s");
}

std::string expected_text(const catalog::RuleTest& test) {
  std::string text;
  for (const catalog::TestExpectation& each : test.expect()) {
    if (each.count() == 0) return "no episode";
    text += (text.empty() ? "" : ", then ") + counted(static_cast<std::size_t>(each.count()), "episode");
    if (each.has_raised_after()) text += " raised after " + each.raised_after().text();
    if (!each.has_cleared_after()) continue;
    const std::string& cleared = each.cleared_after().text();
    text += cleared == catalog::kNever ? " and not cleared" : " and cleared after " + cleared;
  }
  return text;
}

std::string happened_text(const std::vector<FoundEpisode>& episodes, milliseconds end) {
  if (episodes.empty()) return "no episode in " + rules::duration_text(end);
  std::string text;
  for (std::size_t i = 0; i < std::min(episodes.size(), kMostShown); ++i) {
    text += (i == 0 ? "raised after " : ", raised after ") + rules::duration_text(episodes[i].raised);
    text += episodes[i].cleared ? " and cleared after " + rules::duration_text(*episodes[i].cleared)
                                : " and open at the end after " + rules::duration_text(end);
  }
  if (episodes.size() > kMostShown) text += ", and " + std::to_string(episodes.size() - kMostShown) + " more";
  return text;
}

std::string bound_fault(const std::string& what, milliseconds found, const catalog::Located& bound) {
  const auto range = catalog::read_range(bound.text());
  if (!range || range->contains(found)) return {};
  const bool early = found < range->least;
  const milliseconds by = early ? range->least - found : found - range->most;
  return "it is " + what + ' ' + rules::duration_text(by) + (early ? " too early" : " too late");
}

// What differs first; empty where everything is as expected.
std::string difference(const catalog::RuleTest& test, const std::vector<FoundEpisode>& episodes) {
  std::size_t next = 0;
  for (const catalog::TestExpectation& each : test.expect()) {
    const auto count = static_cast<std::size_t>(each.count());
    if (count == 0) break;
    if (episodes.size() - next < count) {
      return counted(next + count - episodes.size(), "episode") + " less than expected";
    }
    const FoundEpisode& first = episodes[next];
    const FoundEpisode& last = episodes[next + count - 1];
    next += count;
    std::string fault =
        each.has_raised_after() ? bound_fault("raised", first.raised, each.raised_after()) : std::string();
    if (fault.empty() && each.has_cleared_after()) {
      const bool never = each.cleared_after().text() == catalog::kNever;
      if (never && last.cleared) fault = "it is cleared after " + rules::duration_text(*last.cleared) + ", not never";
      if (!never && !last.cleared) fault = "it is not cleared before the readings end";
      if (!never && last.cleared) fault = bound_fault("cleared", *last.cleared, each.cleared_after());
    }
    if (!fault.empty()) return fault;
  }
  if (episodes.size() > next) return counted(episodes.size() - next, "episode") + " more than expected";
  return {};
}

// Signals that the rule reads and the test says nothing of.
std::string missing_signals(const TestCase& test, const rules::CompiledRule& compiled,
                            const catalog::Timeline& timeline) {
  std::string names;
  for (const rules::SignalIndex index : rules::signals_of(compiled)) {
    const bool given = std::any_of(timeline.signals.begin(), timeline.signals.end(), [&](const auto& each) {
      return each.signal == static_cast<int>(index) && !each.values.empty();
    });
    if (!given) names += (names.empty() ? "" : ", ") + test.model->signals(static_cast<int>(index)).name();
  }
  return names;
}

std::shared_ptr<const rules::CompiledRule> rule_of(const engine::Engine& engine) {
  const auto& assets = engine.registry().assets();
  if (assets.empty() || assets.front().model->rules.empty()) return nullptr;
  return assets.front().model->rules.front().compiled;
}

// A test that finds nothing because the rule could not know anything shows nothing.
std::string doubt(const TestCase& test, const engine::Engine& engine, const catalog::Timeline& timeline) {
  const auto compiled = rule_of(engine);
  const std::string missing = compiled ? missing_signals(test, *compiled, timeline) : std::string();
  if (missing.empty()) return {};
  return "note: the rule also reads " + missing + ", of which the test has no readings; it may find nothing for that " +
         "reason alone";
}

std::string hint_for(const TestCase& test, const engine::Engine& engine, const store::MemoryStore& store,
                     const catalog::Timeline& timeline, const std::vector<FoundEpisode>& episodes) {
  if (!store.quarantine().empty()) {
    const engine::QuarantineRow& row = store.quarantine().begin()->second;
    return counted(store.quarantine().size(), "message") + " did not get as far as the rule: " + row.detail;
  }
  const auto compiled_rule = rule_of(engine);
  if (!compiled_rule) return {};
  const rules::CompiledRule& compiled = *compiled_rule;
  const std::string missing = missing_signals(test, compiled, timeline);
  if (!missing.empty()) {
    return "the rule also reads " + missing +
           ", of which the test has no readings: what depends on it is unknown, and unknown "
           "neither raises nor clears";
  }
  const milliseconds lookback = rules::lookback_of(compiled);
  if (episodes.empty() && timeline.end < lookback) {
    return "the rule looks back " + rules::duration_text(lookback) + " and the readings last " +
           rules::duration_text(timeline.end) + ": a window that is not half filled is unknown";
  }
  if (episodes.empty()) return "try the condition with fewer parts, a shorter `for`, or readings that go further";
  return {};
}

}  // namespace

std::vector<TestCase> tests_of(std::span<const catalog::Entry> entries, std::span<const catalog::Entry> existing) {
  std::map<std::string, const catalog::Model*> models;
  for (const auto& list : {existing, entries}) {
    for (const catalog::Entry& entry : list) {
      if (entry.has_model()) models[entry.model().id()] = &entry.model();
    }
  }
  std::vector<TestCase> tests;
  for (const catalog::Entry& entry : entries) {
    for (const catalog::Rule& rule : entry.pack().rules()) {
      const auto model = models.find(rule.model());
      if (model == models.end()) continue;
      for (const catalog::RuleTest& test : rule.tests()) tests.push_back({&entry.pack(), &rule, &test, model->second});
    }
  }
  return tests;
}

std::size_t readings_of(std::span<const TestCase> tests) {
  std::size_t count = 0;
  for (const TestCase& test : tests) {
    const auto timeline = catalog::read_timeline(*test.test, *test.model);
    if (timeline) count += timeline->size();
  }
  return count;
}

Result<TestResult> run_test(const TestCase& test) {
  TestResult result;
  result.pack = test.pack->id();
  result.rule = test.rule->id();
  result.test = test.test->name().text();
  result.file = test.pack->file();
  result.line = test.test->name().line();
  const std::string label = failure_text(result);
  const auto timeline = catalog::read_timeline(*test.test, *test.model);
  if (timeline.has_error()) return Failure{label + timeline.error().front().message};
  store::MemoryStore store;
  engine::Engine engine(store, system_lookups());
  if (const auto started = engine.start(); !started) return Failure{label + started.error().message};
  Feed feed(engine, *test.model);
  feed.declare(catalog_of(test));
  for (const std::string& problem : engine.take_reports()) return Failure{label + problem};
  feed.run(*timeline);
  if (const auto done = engine.checkpoint(); !done) return Failure{label + done.error().message};
  result.readings = timeline->size();
  result.episodes = episodes_of(store, timeline->end);
  result.expected = expected_text(*test.test);
  result.happened = happened_text(result.episodes, timeline->end);
  const std::string differs = difference(*test.test, result.episodes);
  result.passed = differs.empty();
  if (result.passed) {
    if (result.episodes.empty()) result.hint = doubt(test, engine, *timeline);
    return result;
  }
  const std::string hint = hint_for(test, engine, store, *timeline, result.episodes);
  result.hint = differs + (hint.empty() ? "" : "; " + hint);
  return result;
}

std::string failure_text(const TestResult& result) {
  std::string text = result.file + ':' + std::to_string(result.line) + ": pack " + result.pack + ", rule " +
                     result.rule + ", test \"" + result.test + "\": ";
  if (result.expected.empty()) return text;
  text += "expected " + result.expected + "; found " + result.happened;
  if (!result.hint.empty()) text += "\n    " + result.hint;
  return text;
}

std::string failing_tests(std::span<const catalog::Entry> changed, std::span<const catalog::Entry> existing) {
  std::set<std::string> models;
  std::set<std::string> packs;
  for (const catalog::Entry& entry : changed) {
    if (entry.has_model()) models.insert(entry.model().id());
    if (entry.has_pack()) packs.insert(entry.pack().id());
  }
  std::vector<TestCase> tests = tests_of(changed, existing);
  std::vector<catalog::Entry> models_and_packs;  // tests point into it: filled first
  for (const catalog::Entry& entry : existing) {
    if (entry.has_pack() && !packs.contains(entry.pack().id())) models_and_packs.push_back(entry);
  }
  for (const catalog::Entry& entry : changed) {
    if (entry.has_model()) models_and_packs.push_back(entry);
  }
  for (const TestCase& test : tests_of(models_and_packs, existing)) {
    if (models.contains(test.rule->model())) tests.push_back(test);
  }
  if (const std::size_t readings = readings_of(tests); readings > kMostApplyTestReadings) {
    return "the tests of these packs have " + std::to_string(readings) + " readings; at most " +
           std::to_string(kMostApplyTestReadings) + " are run in one apply: apply the packs one by one, or let their " +
           "readings come less often\n";
  }
  std::string text;
  for (const TestCase& test : tests) {
    const auto result = run_test(test);
    if (!result) {
      text += result.error().message + '\n';
    } else if (!result->passed) {
      text += failure_text(*result) + '\n';
    }
  }
  return text;
}

}  // namespace fettle::app
